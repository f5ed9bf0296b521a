/* SPDX-License-Identifier: MIT */
#include "program/print.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(obj) ((void)0)
#include <uthash.h>

#include "engine/name.h"
#include "program/clock.h"
#include "program/decimal.h"
#include "program/loop.h"
#include "program/standard.h"

#define DECIMALS 9 /* of a value: all there are, a divisor being a power of ten at most 10^9 */
#define RATE_DECIMALS 6
#define ROUNDS 5 /* before the collection that is shown, at most */

/* One family of one instance in the last collection but one. */
struct record {
	UT_hash_handle hh;
	uint64_t when;
	int64_t *values;
	char key[]; /* "family's address|instance" */
};

struct print {
	struct loop loop;
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

	log_printf(&p->loop.log, event->severity == QMEM_OKAY ? QMEM_LOG_NOTICE : QMEM_LOG_WARNING, "%s: %s",
		   event->service, event->message);
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

/* What the worker tells is part of the next collection, which may ask it for more. */
static void prepare(struct loop *l)
{
	struct qmem_totals totals = { 0 };
	uint64_t asked, now;
	int n = 0;

	do {
		asked = totals.jobs;
		now = clock_now();
		(void)qmem_collect(l->q, now);
		loop_until(l, now + QMEM_SECOND);
		qmem_totals(l->q, &totals);
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

/* Whoever asks for a service by name wants to know why it has no values. */
static void say_off(struct print *p, char *const *names, size_t n)
{
	struct qmem_status status;

	for (size_t i = 0; n && qmem_status(p->loop.q, i, &status); i++) {
		for (size_t k = 0; k < n && !status.on; k++) {
			if (!qmem_name_same(status.service->name, names[k]))
				continue;
			log_printf(&p->loop.log, QMEM_LOG_ERROR, "%s is off: %s", status.service->name, status.reason);
			p->failed = true;
		}
	}
}

int print_values(const char *config, char *const *services, size_t n)
{
	static const struct qmem_host host = { .values = on_values,
					       .event = on_event,
					       .log = loop_log,
					       .work = loop_work,
					       .leave = loop_leave,
					       .cpu_ns = clock_cpu_ns };
	struct print p = { .loop.log = { .form = LOG_PLAIN, .most = QMEM_LOG_WARNING } };
	int err = loop_init(&p.loop, &host);

	if (!err)
		err = loop_configure(&p.loop, config);
	if (!err)
		err = choose(p.loop.q, services, n);
	if (err) {
		loop_release(&p.loop);
		return err == -ENOENT ? 2 : 1;
	}
	err = loop_start(&p.loop, QMEM_SECOND);
	say_off(&p, services, n);
	if (!err) {
		prepare(&p.loop);
		p.second = true;
		err = qmem_collect(p.loop.q, clock_now());
	} else if (!p.failed) {
		log_printf(&p.loop.log, QMEM_LOG_ERROR, "nothing to print: %s", strerror(-err));
	}
	loop_release(&p.loop);
	release(&p);
	return standard_finish(err || p.failed);
}
