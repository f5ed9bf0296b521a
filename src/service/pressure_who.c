/* SPDX-License-Identifier: MIT */
#include "service/pressure_who.h"

#include <stdlib.h>
#include <string.h>

#include "util/escape.h"
#include "util/room.h"
#include "util/words.h"

#define LEAST (INT64_C(1) << 20) /* bytes of growth that are worth a name */
#define APART (3 * QMEM_SECOND)  /* from one census to the next: the default triggers look back 2 s */

int pressure_who_look(struct qmem *q, struct pressure_who *w)
{
	struct pressure_census oldest = w->before[1];
	size_t n = procmem_capacity(q);
	uint64_t when = procmem_when(q);
	int err;

	if (!when || when < w->before[0].when + APART)
		return 0;
	err = room_make(&oldest.groups, &oldest.room, n, sizeof(*oldest.groups));
	w->before[1] = oldest;
	if (err)
		return err;
	for (size_t i = 0; i < oldest.room; i++)
		if (i >= n || !procmem_amounts(q, i, &oldest.groups[i]))
			oldest.groups[i].generation = 0;
	oldest.when = when;
	w->before[1] = w->before[0];
	w->before[0] = oldest;
	return 0;
}

void pressure_who_release(struct pressure_who *w)
{
	free(w->before[0].groups);
	free(w->before[1].groups);
}

static int64_t more(int64_t now, int64_t before)
{
	return now == QMEM_NA || before == QMEM_NA || now <= before ? 0 : now - before;
}

static int64_t more_of(struct qmem *q, const struct pressure_census *before, size_t i, bool faults)
{
	const struct procgroup *group = procgroups_at(procmem_groups(q), i);
	struct procmem_amounts now, then = { 0 };

	if (!group || !procmem_amounts(q, i, &now))
		return 0;
	if (i < before->room && before->groups[i].generation == now.generation)
		then = before->groups[i];
	else if (group->since <= before->when)
		return 0;
	/* what has come since then has grown by all it has */
	if (faults)
		return more(now.majflt, then.majflt);
	return more(now.rss, then.rss) < LEAST ? 0 : now.rss - then.rss;
}

static void name_most(struct qmem *q, const struct pressure_census *before, bool faults, uint64_t span, char *dst,
		      size_t size)
{
	struct {
		size_t at;
		int64_t amount;
	} most[PRESSURE_NAMED] = { { .amount = 0 } };
	size_t n = procmem_capacity(q);

	for (size_t i = 0; i < n; i++) {
		int64_t amount = more_of(q, before, i, faults);
		size_t at = PRESSURE_NAMED;

		while (at && amount > most[at - 1].amount)
			at--;
		if (at == PRESSURE_NAMED)
			continue;
		memmove(&most[at + 1], &most[at], (PRESSURE_NAMED - 1 - at) * sizeof(*most));
		most[at].at = i;
		most[at].amount = amount;
	}
	for (int i = 0; i < PRESSURE_NAMED && most[i].amount; i++) {
		char name[40], amount[WORDS_NUMBER];

		escape_name(name, sizeof(name), procgroups_at(procmem_groups(q), most[i].at)->name);
		if (faults)
			words_rate(amount, (double)most[i].amount * 1e9 / (double)span);
		else
			words_bytes(amount, most[i].amount);
		(void)words_add_whole(dst, size, "%s'%s' %s%s", i ? ", " : "", name, amount, faults ? "/s" : "");
	}
}

void pressure_who_name(struct qmem *q, const struct pressure_who *w, struct pressure_named *ret)
{
	const struct pressure_census *before = w->before[1].when ? &w->before[1] : &w->before[0];
	uint64_t now = procmem_when(q);

	*ret = (struct pressure_named){ .span = 0 };
	if (!before->when || now <= before->when)
		return;
	ret->span = now - before->when;
	name_most(q, before, true, ret->span, ret->faults, sizeof(ret->faults));
	name_most(q, before, false, ret->span, ret->grown, sizeof(ret->grown));
}
