/* SPDX-License-Identifier: MIT */
#include "program/print.h"

#include <errno.h>
#include <search.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/name.h"
#include "program/decimal.h"
#include "program/once.h"

#define DECIMALS 9 /* of a value: all there are, a divisor being a power of ten at most 10^9 */
#define RATE_DECIMALS 6

/* One family of one instance in the last collection but one. */
struct record {
	const struct qmem_family *family;
	char *instance; /* "" for none */
	uint64_t when;
	int64_t values[];
};

struct print {
	struct once once;
	void *records; /* tsearch() */
	bool second;
	int err; /* -ENOMEM: values are missing */
};

/* ---- values ---- */

static int compare(const void *a, const void *b)
{
	const struct record *left = a, *right = b;

	if (left->family != right->family)
		return (uintptr_t)left->family < (uintptr_t)right->family ? -1 : 1;
	return strcmp(left->instance, right->instance);
}

static struct record *find_record(struct print *p, const struct qmem_family *family, const char *instance)
{
	struct record key = { .family = family, .instance = (char *)instance };
	struct record *const *found = tfind(&key, &p->records, compare);

	return found ? *found : NULL;
}

static void free_record(void *arg)
{
	struct record *record = arg;

	if (record)
		free(record->instance);
	free(record);
}

static struct record *add_record(struct print *p, const struct qmem_family *family, const char *instance)
{
	struct record *record;
	size_t n = 0;

	while (family->metrics[n].id)
		n++;
	record = malloc(sizeof(*record) + n * sizeof(*record->values));
	if (!record)
		return NULL;
	record->family = family;
	record->instance = strdup(instance);
	if (record->instance && tsearch(record, &p->records, compare))
		return record;
	free_record(record);
	return NULL;
}

static const char *name_of(const struct qmem_instance *instance)
{
	return instance && instance->name ? instance->name : "";
}

static void remember(struct print *p, uint64_t now, const struct qmem_family *family,
		     const struct qmem_instance *instance, const void *sample)
{
	struct record *record = find_record(p, family, name_of(instance));

	if (!record)
		record = add_record(p, family, name_of(instance));
	if (!record) {
		p->err = -ENOMEM;
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
	char name[QMEM_CANONICAL], text[DECIMAL_SIZE] = "-";

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
	const struct record *before;

	if (!p->second) {
		remember(p, round->now, family, instance, sample);
		return;
	}
	before = find_record(p, family, name_of(instance));
	for (size_t i = 0; family->metrics[i].id; i++)
		put_value(round, family, instance, before, i, qmem_value(&family->metrics[i], sample));
}

static void on_event(void *arg, const struct qmem_event *event)
{
	const struct print *p = arg;

	log_printf(&p->once.loop.log, event->severity == QMEM_OKAY ? QMEM_LOG_NOTICE : QMEM_LOG_WARNING, "%s: %s",
		   event->service, event->message);
}

static bool wants(const struct request *r, const struct qmem_service *service)
{
	return !r->n_words || once_is_named(r, service);
}

/* The first word that is no service; NULL. */
static const char *unknown(const struct request *r)
{
	for (size_t i = 0; i < r->n_words; i++) {
		size_t k = 0;

		while (qmem_services[k] && !qmem_name_same(qmem_services[k]->name, r->words[i]))
			k++;
		if (!qmem_services[k])
			return r->words[i];
	}
	return NULL;
}

static int measure(struct once *once)
{
	struct print *p = (struct print *)(void *)once;
	int err;

	loop_settle(&once->loop);
	p->second = true;
	err = loop_collect(&once->loop);
	return p->err ? p->err : err;
}

int print_values(const struct request *r)
{
	static const struct qmem_host host = { LOOP_HOST, .values = on_values, .event = on_event };
	static const struct once_calls calls = { .wants = wants, .measure = measure };
	struct print p = { .once.loop.log = { .program = r->program, .form = LOG_PLAIN, .most = QMEM_LOG_WARNING },
			   .once.request = r };
	int status;

	if (unknown(r))
		return request_no_service(r, unknown(r));
	status = once_run(&p.once, &host, &calls);
	tdestroy(p.records, free_record);
	return status;
}
