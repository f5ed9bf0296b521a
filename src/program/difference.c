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
#include "engine/number.h"
#include "program/clock.h"
#include "program/once.h"
#include "program/standard.h"
#include "util/words.h"

#define SPAN (10 * QMEM_SECOND)
#define SPAN_LEAST ((int64_t)QMEM_SECOND) /* services are collected that often */
#define SPAN_MOST (INT64_C(86400) * (int64_t)QMEM_SECOND)

struct difference {
	struct once once;
	struct snapshot *taken; /* what values go to; NULL: nowhere */
	bool *met;              /* for each word of the request: has there been a value that it means? */
	int64_t span;           /* ns */
	sigset_t signals;
	int signal_fd; /* -1: signals end the program, as ever */
};

/* ---- what is asked for ---- */

static bool is_wanted(void *arg, const struct qmem_service *service, const struct qmem_family *family,
		      const struct qmem_metric *metric, const char *instance)
{
	const struct difference *d = arg;
	const struct request *r = d->once.request;
	bool wanted = !r->n_words;

	for (size_t i = 0; i < r->n_words; i++)
		if (pattern_is(r->words[i], service, family, metric, instance))
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
		d->once.loop.interrupted = true;
}

/* ---- ---- */

static int take(struct difference *d, struct snapshot *s)
{
	int err;

	d->taken = s;
	err = loop_collect(&d->once.loop);
	d->taken = NULL;
	return err ? err : snapshot_seal(s);
}

/* Until then, or until a signal comes: then a second after the last collection, so that another one is due. */
static uint64_t wait_for(struct difference *d, uint64_t began, uint64_t span)
{
	struct loop *loop = &d->once.loop;
	uint64_t last = began, now = began;

	while (now < began + span && !loop->interrupted) {
		if (now >= last + QMEM_SECOND && now + QMEM_SECOND <= began + span) {
			last = now;
			(void)loop_collect(loop);
		}
		now = loop_wait(loop, last + 2 * QMEM_SECOND <= began + span ? last + QMEM_SECOND : began + span);
	}
	while (loop->interrupted && now < last + QMEM_SECOND)
		now = loop_wait(loop, last + QMEM_SECOND);
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
	const struct request *r = d->once.request;
	const struct loop *loop = &d->once.loop;

	for (size_t i = 0; !d->once.failed && i < r->n_words; i++)
		if (!d->met[i]) {
			log_printf(&loop->log, QMEM_LOG_ERROR, "there is no value of '%s' now%s%s", r->words[i],
				   *reason_of(loop->q, r->words[i]) ? ": " : "", reason_of(loop->q, r->words[i]));
			d->once.failed = true;
		}
}

static int compare(struct difference *d, const struct snapshot *before, uint64_t began)
{
	struct snapshot after = { 0 };
	struct diff diff = { 0 };
	uint64_t elapsed = wait_for(d, began, (uint64_t)d->span);
	int err = take(d, &after);

	if (!err)
		err = diff_make(&diff, before, &after);
	if (!err)
		say_unmet(d);
	if (!err && after.n + before->n)
		err = print_table(&diff, elapsed);
	diff_release(&diff);
	snapshot_release(&after);
	return err;
}

static int measure(struct once *once)
{
	struct difference *d = (struct difference *)(void *)once;
	struct snapshot before = { 0 };
	uint64_t began;
	int err;

	loop_settle(&once->loop);
	began = clock_now();
	err = take(d, &before);
	if (!err && once->loop.interrupted) {
		log_line(&once->loop.log, QMEM_LOG_ERROR, "interrupted before anything could be compared");
		once->failed = true;
	} else if (!err) {
		err = compare(d, &before, began);
	}
	snapshot_release(&before);
	return err;
}

static void watch_signals(struct difference *d)
{
	d->signal_fd = signalfd(-1, &d->signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (d->signal_fd < 0 || qmem_watch(d->once.loop.q, d->signal_fd, EPOLLIN, on_signal, d))
		(void)sigprocmask(SIG_UNBLOCK, &d->signals, NULL);
}

static void prepare(struct once *once)
{
	struct qmem_error error;
	struct qmem_status status;

	for (size_t i = 0; qmem_status(once->loop.q, i, &status); i++)
		if (wants_detail(once->request, status.service))
			(void)qmem_set(once->loop.q, status.service->name, NULL, NULL, "Detail", "yes", &error);
	watch_signals((struct difference *)(void *)once);
}

int show_difference(const struct request *r)
{
	static const struct qmem_host host = { LOOP_HOST, .values = on_values };
	static const struct once_calls calls = { .wants = may_be_wanted, .prepare = prepare, .measure = measure };
	struct difference d = { .once.loop.log = { .program = r->program, .form = LOG_PLAIN, .most = QMEM_LOG_WARNING },
				.once.request = r,
				.span = SPAN,
				.signal_fd = -1 };
	char why[256];
	int status;

	for (size_t i = 0; i < r->n_words; i++)
		if (!is_known(r->words[i]))
			return say_unknown(r, r->words[i]);
	if (r->span && number_parse(QMEM_DURATION, r->span, SPAN_LEAST, SPAN_MOST, &d.span, why, sizeof(why))) {
		standard_line(stderr, "%s: --for '%s' %s", r->program, r->span, why);
		return 2;
	}
	d.met = calloc(r->n_words + 1, sizeof(*d.met));
	if (!d.met) {
		log_line(&d.once.loop.log, QMEM_LOG_ERROR, strerror(ENOMEM));
		return 1;
	}
	/* before there is a worker that might take them */
	sigemptyset(&d.signals);
	sigaddset(&d.signals, SIGINT);
	sigaddset(&d.signals, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &d.signals, NULL);
	status = once_run(&d.once, &host, &calls);
	if (d.signal_fd >= 0)
		close(d.signal_fd);
	free(d.met);
	return status;
}
