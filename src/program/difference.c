/* SPDX-License-Identifier: MIT */
#include "program/difference.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "control/diff.h"
#include "control/form.h"
#include "control/pattern.h"
#include "control/snapshot.h"
#include "engine/name.h"
#include "engine/number.h"
#include "program/clock.h"
#include "program/loop.h"
#include "program/standard.h"
#include "util/words.h"

#define SPAN (10 * QMEM_SECOND)
#define SPAN_LEAST ((int64_t)QMEM_SECOND) /* services are collected that often */
#define SPAN_MOST (INT64_C(86400) * (int64_t)QMEM_SECOND)

struct difference {
	struct loop loop;
	const struct request *request;
	struct snapshot *taken; /* what values go to; NULL: nowhere */
	bool *met;              /* for each word of the request: has there been a value that it means? */
	sigset_t signals;
	bool interrupted, failed;
};

/* ---- what is asked for ---- */

static bool is_wanted(void *arg, const struct qmem_service *service, const struct qmem_family *family,
		      const struct qmem_metric *metric, const char *instance)
{
	const struct difference *d = arg;
	bool wanted = !d->request->n_words;

	for (size_t i = 0; i < d->request->n_words; i++)
		if (pattern_is(d->request->words[i], service, family, metric, instance))
			wanted = d->met[i] = true;
	return wanted;
}

/* Is there any metric that it might mean? */
static bool is_known(const char *word)
{
	for (const struct qmem_service *const *s = qmem_services; *s; s++)
		for (const struct qmem_family *f = (*s)->families; f && f->id; f++)
			for (const struct qmem_metric *m = f->metrics; m->id; m++)
				if (!(f->flags & QMEM_INTERNAL) && pattern_may(word, *s, f, m))
					return true;
	return false;
}

/* The exit status. */
static int say_unknown(const struct request *r, const char *word)
{
	for (const struct qmem_service *const *s = qmem_services; *s; s++)
		if (pattern_may(word, *s, NULL, NULL)) {
			standard_line(stderr, "%s: %s has no value that is called '%s'; see --help, and describe",
				      r->program, (*s)->name, word);
			return 2;
		}
	return request_no_service(r, word);
}

static bool may_be_wanted(const struct request *r, const struct qmem_service *service)
{
	for (size_t i = 0; i < r->n_words; i++)
		if (pattern_may(r->words[i], service, NULL, NULL))
			return true;
	return !r->n_words;
}

/* Is a family among what is asked for that is off by default, and not only with all of the service? */
static bool wants_detail(const struct request *r, const struct qmem_service *service)
{
	for (const struct qmem_family *f = service->families; f && f->id; f++)
		for (size_t i = 0; i < r->n_words; i++)
			if (f->flags & QMEM_DETAIL && pattern_is_narrow(r->words[i]) &&
			    pattern_may(r->words[i], service, f, NULL))
				return true;
	return false;
}

static void choose(struct qmem *q, const struct request *r)
{
	struct qmem_error error;
	struct qmem_status status;

	for (size_t i = 0; qmem_status(q, i, &status); i++) {
		const struct qmem_service *s = status.service;

		(void)qmem_set(q, s->name, NULL, NULL, "Interval", "1s", &error);
		(void)qmem_set(q, s->name, NULL, NULL, "Budget", "0", &error);
		if (wants_detail(r, s))
			(void)qmem_set(q, s->name, NULL, NULL, "Detail", "yes", &error);
		/* what is for others only would take them with it */
		if (!may_be_wanted(r, s) && !s->shared)
			(void)qmem_set(q, s->name, NULL, NULL, "Enabled", "no", &error);
	}
}

/* Whoever asks for a service by name wants to know why it has no values. */
static void say_off(struct difference *d, const struct request *r)
{
	struct qmem_status status;

	for (size_t i = 0; qmem_status(d->loop.q, i, &status); i++)
		for (size_t k = 0; k < r->n_words; k++) {
			if (status.on || !qmem_name_same(status.service->name, r->words[k]))
				continue;
			log_printf(&d->loop.log, QMEM_LOG_ERROR, "%s is off: %s", status.service->name, status.reason);
			d->failed = true;
		}
}

/* ---- the engine's host ---- */

static void on_values(void *arg, const struct qmem_round *round, const struct qmem_family *family,
		      const struct qmem_instance *instance, const void *sample)
{
	struct difference *d = arg;

	if (d->taken)
		snapshot_put(d->taken, round, family, instance, sample, is_wanted, d);
}

static void on_signal(struct qmem *q, int fd, uint32_t events, void *arg)
{
	struct difference *d = arg;
	struct signalfd_siginfo info;

	(void)q;
	(void)events;
	if (read(fd, &info, sizeof(info)) == sizeof(info))
		d->interrupted = true;
}

/* ---- ---- */

static int take(struct difference *d, struct snapshot *s)
{
	int err;

	d->taken = s;
	err = loop_collect(&d->loop);
	d->taken = NULL;
	return err ? err : snapshot_seal(s);
}

/* Until then, or until a signal comes: then a second after the last collection, so that another one is due. */
static uint64_t wait_for(struct difference *d, uint64_t began, uint64_t span)
{
	uint64_t last = began, now = began;

	while (now < began + span && !d->interrupted) {
		if (now >= last + QMEM_SECOND && now + QMEM_SECOND <= began + span) {
			last = now;
			(void)loop_collect(&d->loop);
		}
		now = loop_wait(&d->loop, last + 2 * QMEM_SECOND <= began + span ? last + QMEM_SECOND : began + span);
	}
	while (d->interrupted && now < last + QMEM_SECOND)
		now = loop_wait(&d->loop, last + QMEM_SECOND);
	return now - began;
}

static int print_table(const struct diff *diff, uint64_t elapsed)
{
	struct column columns[SHEET_COLUMNS];
	char span[WORDS_NUMBER];
	struct table table;
	struct sheet sheet;
	int err;

	words_span(span, elapsed);
	printf("%zu of %zu values have changed within %s\n", diff->n - diff->same, diff->n, span);
	if (diff->same == diff->n)
		return 0;
	diff_table(diff, &table);
	err = table_sheet(&table, true, columns, &sheet);
	if (!err)
		form_text.sheet(stdout, &sheet);
	sheet_release(&sheet);
	table_release(&table);
	return err;
}

/* What the service says of itself that is meant; "". */
static const char *reason_of(const struct qmem *q, const char *word)
{
	static const char *const wild = "*?";
	struct qmem_status status;

	for (size_t i = 0; !strpbrk(word, wild) && qmem_status(q, i, &status); i++)
		if (pattern_may(word, status.service, NULL, NULL))
			return status.reason;
	return "";
}

/* What may mean something, and has meant nothing here. */
static void say_unmet(struct difference *d)
{
	const struct request *r = d->request;

	for (size_t i = 0; !d->failed && i < r->n_words; i++)
		if (!d->met[i]) {
			log_printf(&d->loop.log, QMEM_LOG_ERROR, "there is no value of '%s' now%s%s", r->words[i],
				   *reason_of(d->loop.q, r->words[i]) ? ": " : "", reason_of(d->loop.q, r->words[i]));
			d->failed = true;
		}
}

static int measure(struct difference *d, uint64_t span)
{
	struct snapshot before = { 0 }, after = { 0 };
	struct diff diff = { 0 };
	uint64_t began, elapsed;
	int err;

	loop_settle(&d->loop);
	began = clock_now();
	err = take(d, &before);
	if (!err && d->interrupted) {
		log_line(&d->loop.log, QMEM_LOG_ERROR, "interrupted before anything could be compared");
		d->failed = true;
		goto out;
	}
	elapsed = err ? 0 : wait_for(d, began, span);
	if (!err)
		err = take(d, &after);
	if (!err)
		err = diff_make(&diff, &before, &after);
	if (!err)
		say_unmet(d);
	if (!err && after.n + before.n)
		err = print_table(&diff, elapsed);
out:
	diff_release(&diff);
	snapshot_release(&before);
	snapshot_release(&after);
	return err;
}

/* Its descriptor, which the engine watches; -1: signals end the program, as ever. */
static int watch_signals(struct difference *d)
{
	int fd = signalfd(-1, &d->signals, SFD_CLOEXEC | SFD_NONBLOCK);

	if (fd >= 0 && !qmem_watch(d->loop.q, fd, EPOLLIN, on_signal, d))
		return fd;
	if (fd >= 0)
		close(fd);
	(void)sigprocmask(SIG_UNBLOCK, &d->signals, NULL);
	return -1;
}

static int run(struct difference *d, uint64_t span)
{
	const struct request *r = d->request;
	struct config config = { 0 };
	bool missing;
	int err, fd;

	err = loop_configure(&d->loop, r, &config);
	missing = config.missing;
	loop_complain(&d->loop, &config);
	if (err || missing)
		return err ? err : -ENOENT;
	choose(d->loop.q, r);
	fd = watch_signals(d);
	err = loop_start(&d->loop, QMEM_SECOND);
	say_off(d, r);
	if (!err)
		err = measure(d, span);
	else if (err == -ENODEV && !d->failed)
		log_line(&d->loop.log, QMEM_LOG_ERROR, "nothing is measured: no service is on");
	if (fd >= 0) {
		(void)qmem_unwatch(d->loop.q, fd);
		close(fd);
	}
	if (err && err != -ENODEV)
		log_line(&d->loop.log, QMEM_LOG_ERROR, strerror(-err));
	return err ? -EIO : 0;
}

int show_difference(const struct request *r)
{
	static const struct qmem_host host = { .values = on_values,
					       .log = loop_log,
					       .work = loop_work,
					       .leave = loop_leave,
					       .recall = loop_recall,
					       .cpu_ns = clock_cpu_ns,
					       .now = loop_now };
	struct difference d = { .loop.log = { .program = r->program, .form = LOG_PLAIN, .most = QMEM_LOG_WARNING },
				.request = r };
	int64_t span = SPAN;
	char why[256];
	int err;

	for (size_t i = 0; i < r->n_words; i++)
		if (!is_known(r->words[i]))
			return say_unknown(r, r->words[i]);
	if (r->span && number_parse(QMEM_DURATION, r->span, SPAN_LEAST, SPAN_MOST, &span, why, sizeof(why))) {
		standard_line(stderr, "%s: --for '%s' %s", r->program, r->span, why);
		return 2;
	}
	/* before there is a worker that might take them */
	sigemptyset(&d.signals);
	sigaddset(&d.signals, SIGINT);
	sigaddset(&d.signals, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &d.signals, NULL);
	d.met = calloc(r->n_words + 1, sizeof(*d.met));
	err = d.met ? loop_init(&d.loop, &host) : -ENOMEM;
	if (err)
		log_line(&d.loop.log, QMEM_LOG_ERROR, strerror(-err));
	else
		err = run(&d, (uint64_t)span);
	loop_release(&d.loop);
	free(d.met);
	return err == -EINVAL ? 2 : standard_finish(r->program, err || d.failed);
}
