/* SPDX-License-Identifier: MIT */
#include "program/print.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(obj) ((void)0)
#include <uthash.h>

#include "engine/name.h"
#include "program/capabilities.h"
#include "program/clock.h"
#include "program/config.h"
#include "program/decimal.h"
#include "program/log.h"
#include "program/worker.h"

#define DECIMALS 9 /* of a value: all there are, a divisor being a power of ten at most 10^9 */
#define RATE_DECIMALS 6
#define EVENTS 32
#define ROUNDS 5 /* before the collection that is shown, at most */

/* One family of one instance in the last collection but one. */
struct record {
	UT_hash_handle hh;
	uint64_t when;
	int64_t *values;
	char key[]; /* "family's address|instance" */
};

struct print {
	struct qmem *q;
	struct log log;
	struct worker *worker; /* NULL: it cannot be */
	struct record *records;
	bool second, failed;
};

/* ---- values ---- */

static size_t key_of(char *dst, size_t size, const struct qmem_family *family, const struct qmem_instance *instance)
{
	int n = snprintf(dst, size, "%p|%s", (const void *)family, instance && instance->name ? instance->name : "");

	return (size_t)n < size ? (size_t)n : size - 1;
}

static struct record *add_record(struct print *p, const struct qmem_family *family, const char *key, size_t len)
{
	struct record *record = calloc(1, sizeof(*record) + len + 1);
	size_t n = 0;

	if (!record)
		return NULL;
	while (family->metrics[n].id)
		n++;
	memcpy(record->key, key, len + 1);
	record->values = calloc(n + 1, sizeof(*record->values));
	if (record->values)
		HASH_ADD_KEYPTR(hh, p->records, record->key, len, record);
	if (record->hh.tbl)
		return record;
	free(record->values);
	free(record);
	return NULL;
}

static void remember(struct print *p, uint64_t now, const struct qmem_family *family,
		     const struct qmem_instance *instance, const void *sample)
{
	struct record *record;
	char key[4352];
	size_t len = key_of(key, sizeof(key), family, instance);

	HASH_FIND(hh, p->records, key, len, record);
	if (!record)
		record = add_record(p, family, key, len);
	if (!record) {
		p->failed = true;
		return;
	}
	record->when = now;
	for (size_t i = 0; family->metrics[i].id; i++)
		record->values[i] = qmem_value(&family->metrics[i], sample);
}

static void put_value(const struct qmem_round *round, const struct qmem_family *family,
		      const struct qmem_instance *instance, const struct record *before, size_t i, int64_t value)
{
	bool rate = family->kind == QMEM_COUNTER;
	int64_t first = before ? before->values[i] : QMEM_NA;
	char name[4608], text[DECIMAL_SIZE] = "-";

	qmem_canonical(name, sizeof(name), round->service->name, family->id, family->metrics[i].id,
		       instance ? instance->name : NULL);
	if (!rate && value != QMEM_NA)
		decimal_print(text, value, family->divisor, DECIMALS);
	/* what has gone back was reset: there is no telling the rate */
	if (rate && value != QMEM_NA && first != QMEM_NA && value >= first && round->now > before->when)
		decimal_print(text, ((__int128)value - first) * QMEM_SECOND,
			      (__int128)(round->now - before->when) * family->divisor, RATE_DECIMALS);
	printf("%s\t%s\t%s%s\n", name, text, family->unit, rate ? "/s" : "");
}

static void on_values(void *arg, const struct qmem_round *round, const struct qmem_family *family,
		      const struct qmem_instance *instance, const void *sample)
{
	struct print *p = arg;
	struct record *before;
	char key[4352];
	size_t len;

	if (!p->second) {
		remember(p, round->now, family, instance, sample);
		return;
	}
	len = key_of(key, sizeof(key), family, instance);
	HASH_FIND(hh, p->records, key, len, before);
	for (size_t i = 0; family->metrics[i].id; i++)
		put_value(round, family, instance, before, i, qmem_value(&family->metrics[i], sample));
}

static void on_event(void *arg, const struct qmem_event *event)
{
	const struct print *p = arg;

	log_printf(&p->log, event->severity == QMEM_OKAY ? QMEM_LOG_NOTICE : QMEM_LOG_WARNING, "%s: %s", event->service,
		   event->message);
}

static void on_log(void *arg, enum qmem_level level, const char *text)
{
	const struct print *p = arg;

	log_line(&p->log, level, text);
}

static int on_work(void *arg, struct qmem_job *job)
{
	const struct print *p = arg;

	return p->worker ? worker_add(p->worker, job) : -EMFILE;
}

/* Only those named, and each due both times. */
static int choose(struct qmem *q, char *const *names, size_t n)
{
	struct qmem_error error;
	struct qmem_status status;

	for (size_t i = 0; i < n; i++) {
		bool found = false;

		for (size_t k = 0; qmem_status(q, k, &status); k++)
			found |= qmem_name_same(status.service->name, names[i]);
		if (!found) {
			fprintf(stderr, "qmem.plugin: no service '%s'\n", names[i]);
			return -ENOENT;
		}
	}
	for (size_t k = 0; qmem_status(q, k, &status); k++) {
		bool named = !n;

		for (size_t i = 0; i < n; i++)
			named |= qmem_name_same(status.service->name, names[i]);
		(void)qmem_set(q, status.service->name, NULL, NULL, "Interval", "1s", &error);
		if (!named)
			(void)qmem_set(q, status.service->name, NULL, NULL, "Enabled", "no", &error);
	}
	return 0;
}

/* Events may come meanwhile, and what waits for a time has it. */
static void wait_until(struct qmem *q, uint64_t until)
{
	struct epoll_event events[EVENTS];
	uint64_t now;

	while ((now = clock_now()) < until) {
		uint64_t next = qmem_next(q) < until ? qmem_next(q) : until;
		int n = epoll_wait(qmem_fd(q), events, EVENTS,
				   next <= now ? 0 : (int)((next - now + 999999) / 1000000));

		qmem_dispatch(q, events, n < 0 ? 0 : n, clock_now());
	}
}

/* What the worker tells is part of the next collection, which may ask it for more. */
static void prepare(struct qmem *q)
{
	struct qmem_totals totals = { 0 };
	uint64_t asked, now;
	int n = 0;

	do {
		asked = totals.jobs;
		now = clock_now();
		(void)qmem_collect(q, now);
		wait_until(q, now + QMEM_SECOND);
		qmem_totals(q, &totals);
	} while ((totals.jobs != asked || totals.back != totals.jobs) && ++n < ROUNDS);
}

static void release(struct print *p)
{
	struct record *record, *next;

	HASH_ITER(hh, p->records, record, next) {
		HASH_DEL(p->records, record);
		free(record->values);
		free(record);
	}
}

static int written(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr, "qmem.plugin: cannot write: %s\n", strerror(errno));
	return 1;
}

int print_values(const char *config, char *const *services, size_t n)
{
	static const struct qmem_host host = {
		.values = on_values, .event = on_event, .log = on_log, .work = on_work, .cpu_ns = clock_cpu_ns
	};
	struct print p = { .log = { .form = LOG_PLAIN, .most = QMEM_LOG_WARNING } };
	struct config_errors errors = { 0 };
	struct qmem_status status;
	int err;

	p.q = qmem_new(&host, &p, qmem_services);
	err = p.q ? config_read(p.q, config, &errors) : -ENOMEM;
	for (size_t i = 0; i < errors.n; i++)
		log_line(&p.log, QMEM_LOG_ERROR, errors.items[i]);
	config_errors_release(&errors);
	if (!err)
		err = choose(p.q, services, n);
	if (err) {
		qmem_free(p.q);
		return err == -ENOENT ? 2 : 1;
	}
	if (!worker_new(&p.worker))
		(void)qmem_watch(p.q, worker_fd(p.worker), EPOLLIN, worker_ready, p.worker);
	(void)capabilities_raise();
	err = qmem_start(p.q, QMEM_SECOND, QMEM_SECOND, clock_now());
	(void)capabilities_settle();
	for (size_t i = 0; n && qmem_status(p.q, i, &status); i++) {
		for (size_t k = 0; k < n && !status.on; k++) {
			if (!qmem_name_same(status.service->name, services[k]))
				continue;
			log_printf(&p.log, QMEM_LOG_ERROR, "%s is off: %s", status.service->name, status.reason);
			p.failed = true;
		}
	}
	if (!err) {
		prepare(p.q);
		p.second = true;
		err = qmem_collect(p.q, clock_now());
	} else if (!p.failed) {
		log_printf(&p.log, QMEM_LOG_ERROR, "nothing to print: %s", strerror(-err));
	}
	qmem_free(p.q);
	worker_free(p.worker);
	release(&p);
	return written(err || p.failed);
}

/* ---- state ---- */

static void put_state(const struct qmem_status *status)
{
	const char *reason = status->reason, *missing, *why;

	if (!*reason)
		reason = status->service->source ? status->service->source : "on";
	printf("%s\t%s\t%s", status->service->name, status->on ? "on" : "off", reason);
	for (size_t i = 0; status->on && (missing = capabilities_missing(status->service->name, i, &why)); i++)
		if (!strstr(reason, missing))
			printf("; lacks %s (%s)", missing, why);
	putchar('\n');
}

int print_check(const char *config)
{
	static const struct qmem_host host = { .cpu_ns = clock_cpu_ns };
	struct qmem *q = qmem_new(&host, NULL, qmem_services);
	struct config_errors errors = { 0 };
	struct qmem_status status;
	bool failed = false;
	int err;

	err = q ? config_read(q, config, &errors) : -ENOMEM;
	if (!err)
		err = capabilities_raise();
	if (err)
		goto out;
	err = qmem_start(q, QMEM_SECOND, QMEM_SECOND, clock_now());
	/* with all services off by choice there is nothing wrong */
	if (err == -ENODEV)
		err = 0;
	for (size_t i = 0; qmem_status(q, i, &status); i++) {
		put_state(&status);
		failed |= status.common->enabled == QMEM_YES && !status.on;
	}
	for (size_t i = 0; i < errors.n; i++)
		puts(errors.items[i]);
	failed |= errors.n > 0;
out:
	if (err)
		fprintf(stderr, "qmem.plugin: %s\n", strerror(-err));
	config_errors_release(&errors);
	qmem_free(q);
	return written(err || failed);
}
