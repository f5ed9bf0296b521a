/* SPDX-License-Identifier: MIT */
#include "control/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/name.h"
#include "util/room.h"

static void put(struct snapshot *s, const struct qmem_round *round, const struct qmem_family *family,
		const struct qmem_metric *metric, const char *instance, int64_t value)
{
	char name[QMEM_CANONICAL], *copy = NULL;
	int err = room_make(&s->values, &s->room, s->n + 1, sizeof(*s->values));

	if (!err) {
		qmem_canonical(name, sizeof(name), round->service->name, family->id, metric->id, instance);
		copy = strdup(name);
	}
	if (!copy) {
		s->err = -ENOMEM;
		return;
	}
	s->values[s->n++] =
		(struct snapshot_value){ .name = copy, .family = family, .value = value, .when = round->now };
}

void snapshot_put(struct snapshot *s, const struct qmem_round *round, const struct qmem_family *family,
		  const struct qmem_instance *instance, const void *sample,
		  bool (*wanted)(void *arg, const struct qmem_service *service, const struct qmem_family *family,
				 const struct qmem_metric *metric, const char *instance),
		  void *arg)
{
	const char *name = instance ? instance->name : NULL;

	for (const struct qmem_metric *m = family->metrics; m->id; m++)
		if (!wanted || wanted(arg, round->service, family, m, name))
			put(s, round, family, m, name, qmem_value(m, sample));
}

/* The last one of a name first. */
static int compare(const void *a, const void *b)
{
	const struct snapshot_value *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->when < y->when) - (x->when > y->when);
}

int snapshot_seal(struct snapshot *s)
{
	size_t kept = 0;

	if (s->n)
		qsort(s->values, s->n, sizeof(*s->values), compare);
	for (size_t i = 0; i < s->n; i++) {
		if (kept && strcmp(s->values[kept - 1].name, s->values[i].name) == 0)
			free(s->values[i].name);
		else
			s->values[kept++] = s->values[i];
	}
	s->n = kept;
	return s->err;
}

static int compare_name(const void *name, const void *value)
{
	return strcmp(name, ((const struct snapshot_value *)value)->name);
}

const struct snapshot_value *snapshot_find(const struct snapshot *s, const char *name)
{
	return s->n ? bsearch(name, s->values, s->n, sizeof(*s->values), compare_name) : NULL;
}

void snapshot_release(struct snapshot *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->values[i].name);
	free(s->values);
	*s = (struct snapshot){ 0 };
}
