/* SPDX-License-Identifier: MIT */
#include "service/pressure_who.h"

#include <stdio.h>
#include <string.h>

#include "services.h"
#include "util/escape.h"
#include "util/value.h"
#include "util/words.h"

#define BEFORE                                                                                                         \
	(3 * QMEM_SECOND) /* a beginning is no younger, where rounds are often: the default triggers look back 2 s */

static void begin(struct pressure_who *w, uint64_t now)
{
	if (!w->held && (!w->begin || w->when - w->begin >= BEFORE || now - w->when >= BEFORE)) {
		w->begin = w->when;
		for (struct pressure_who_group *g = w->groups; g < w->groups + PRESSURE_WHO; g++) {
			g->rss0 = g->rss;
			g->majflt0 = g->majflt;
		}
	}
	w->when = now;
}

/* Of one that has not been told of for longest, if there is no other place. */
static struct pressure_who_group *group_of(struct pressure_who *w, const char *name)
{
	struct pressure_who_group *oldest = w->groups;

	for (struct pressure_who_group *g = w->groups; g < w->groups + PRESSURE_WHO; g++) {
		if (g->when && strcmp(g->name, name) == 0)
			return g;
		if (g->when < oldest->when)
			oldest = g;
	}
	if (oldest->when == w->when || strlen(name) >= sizeof(oldest->name))
		return NULL;
	*oldest = (struct pressure_who_group){ .rss = QMEM_NA, .majflt = QMEM_NA, .rss0 = QMEM_NA, .majflt0 = QMEM_NA };
	strcpy(oldest->name, name);
	return oldest;
}

/* How much it is by the metrics with these words. */
static int64_t sum_of(const struct qmem_family *family, const void *sample, const char *id)
{
	int64_t sum = QMEM_NA;

	for (const struct qmem_metric *m = family->metrics; m->id; m++) {
		int64_t value = qmem_value(m, sample);

		if ((id && strcmp(m->id, id) != 0) || value == QMEM_NA)
			continue;
		sum = sum == QMEM_NA ? value : value_sum(sum, value);
	}
	return sum;
}

void pressure_who_take(struct pressure_who *w, const struct qmem_round *round, const struct qmem_family *family,
		       const struct qmem_instance *instance, const void *sample)
{
	bool rss = strcmp(family->id, "rss") == 0;
	struct pressure_who_group *g;

	if (!instance || !instance->name || (!rss && strcmp(family->id, "faults") != 0))
		return;
	if (round->now != w->when)
		begin(w, round->now);
	g = strcmp(instance->name, PROCGROUP_OTHER) != 0 ? group_of(w, instance->name) : NULL;
	if (!g)
		return;
	g->when = round->now;
	if (rss)
		g->rss = sum_of(family, sample, NULL);
	else
		g->majflt = sum_of(family, sample, "majflt");
}

static int64_t more_of(const struct pressure_who *w, const struct pressure_who_group *g, bool faults)
{
	int64_t now = faults ? g->majflt : g->rss, before = faults ? g->majflt0 : g->rss0;

	if (!g->when || g->when != w->when || now == QMEM_NA || before == QMEM_NA || now <= before)
		return 0;
	return now - before;
}

/* "'java' 1.2 GiB, 'db' 300.0 MiB" */
static void name_most(const struct pressure_who *w, bool faults, uint64_t span, char *dst, size_t size)
{
	int64_t below = INT64_MAX;
	const struct pressure_who_group *last = NULL;

	*dst = '\0';
	for (int i = 0; i < PRESSURE_NAMED; i++) {
		const struct pressure_who_group *most = NULL;
		char name[40], amount[WORDS_NUMBER];

		for (const struct pressure_who_group *g = w->groups; g < w->groups + PRESSURE_WHO; g++)
			if (g != last && more_of(w, g, faults) > 0 && more_of(w, g, faults) <= below &&
			    (!most || more_of(w, g, faults) > more_of(w, most, faults)))
				most = g;
		if (!most)
			return;
		below = more_of(w, most, faults);
		last = most;
		escape_name(name, sizeof(name), most->name);
		if (faults)
			words_rate(amount, (double)below * 1e9 / (double)span);
		else
			words_bytes(amount, below);
		(void)words_add_whole(dst, size, "%s'%s' %s%s", i ? ", " : "", name, amount, faults ? "/s" : "");
	}
}

void pressure_who_name(const struct pressure_who *w, struct pressure_named *ret)
{
	*ret = (struct pressure_named){ .span = w->begin ? w->when - w->begin : 0 };
	if (!ret->span)
		return;
	name_most(w, true, ret->span, ret->faults, sizeof(ret->faults));
	name_most(w, false, ret->span, ret->grown, sizeof(ret->grown));
}
