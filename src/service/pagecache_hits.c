/* SPDX-License-Identifier: MIT */
#include "service/pagecache_hits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "process/group.h"
#include "process/table.h"
#include "service/procmem.h"
#include "util/room.h"
#include "util/value.h"
#include "util/words.h"

#define MARGIN 25
#define SMOOTH 4

struct hits_of_group {
	uint32_t generation;
	bool shown;
	struct hits_group total, delta;
	int64_t rate; /* looks a second, smoothed */
};

/* ---- all of them ---- */

static int64_t count(uint64_t n)
{
	return n < INT64_MAX ? (int64_t)n : INT64_MAX;
}

/* A miss is counted after the look it belongs to, by another read of ours at the latest: a sum of hits never falls. */
static void take_hits(int64_t *hits, uint64_t looks, uint64_t misses)
{
	int64_t now = count(looks > misses ? looks - misses : 0);

	if (now > *hits)
		*hits = now;
}

void hits_sum(struct hits_reader *r, const struct cachehits_machine *cpus, unsigned n)
{
	uint64_t sum[CACHEHITS_KINDS] = { 0 };
	struct hits_machine *m = &r->machine;
	int64_t hit, miss;

	r->before = *m;
	memset(r->lost, 0, sizeof(r->lost));
	for (unsigned i = 0; i < n; i++) {
		for (int k = 0; k < CACHEHITS_KINDS; k++) {
			sum[k] += cpus[i].n[k];
			r->lost[k] += cpus[i].lost[k];
		}
	}
	take_hits(&m->read_hit, sum[CACHEHITS_READS], sum[CACHEHITS_READ_MISSES]);
	take_hits(&m->fault_hit, sum[CACHEHITS_FAULTS], sum[CACHEHITS_FAULT_MISSES]);
	m->read_miss = count(sum[CACHEHITS_READ_MISSES]);
	m->fault_miss = count(sum[CACHEHITS_FAULT_MISSES]);
	m->added = count(sum[CACHEHITS_ADDED]);
	hit = m->read_hit - r->before.read_hit + m->fault_hit - r->before.fault_hit;
	miss = m->read_miss - r->before.read_miss + m->fault_miss - r->before.fault_miss;
	/* at first there is nothing before */
	m->ratio = r->any ? value_ratio(hit, hit + miss) : QMEM_NA;
	r->any = true;
}

/* ---- by group ---- */

static int make_room(struct hits_reader *r, size_t groups)
{
	int err = room_fit(&r->groups, &r->groups_room, groups, sizeof(*r->groups));

	if (!err)
		err = room_fit(&r->items, &r->items_room, groups, sizeof(*r->items));
	return err;
}

/* All that it has counted, it has since this service runs. */
static void add(struct hits_group *to, struct ledger_entry *had, const __u64 *now)
{
	uint64_t delta[CACHEHITS_KINDS], looks, misses;

	for (int k = 0; k < CACHEHITS_KINDS; k++)
		delta[k] = now[k] > had->n[k] ? now[k] - had->n[k] : 0;
	looks = delta[CACHEHITS_READS] + delta[CACHEHITS_FAULTS];
	misses = delta[CACHEHITS_READ_MISSES] + delta[CACHEHITS_FAULT_MISSES];
	value_add(&to->hit, count(looks > misses ? looks - misses : 0));
	value_add(&to->miss, count(misses));
	value_add(&to->added, count(delta[CACHEHITS_ADDED]));
	memcpy(had->n, now, sizeof(had->n));
}

static bool is_same(const struct proc *p, uint64_t start)
{
	/* two of the ways to walk processes know it to a tick of the clock only */
	uint64_t mine = (uint64_t)p->start, apart = mine > start ? mine - start : start - mine;

	return apart < QMEM_SECOND / 50;
}

/* The group that it had, while that lives. */
static struct hits_group *last_group(struct hits_reader *r, const struct ledger_entry *e)
{
	if (e->generation && e->group < r->n_groups && r->groups[e->group].generation == e->generation)
		return &r->groups[e->group].delta;
	r->others = true;
	return &r->other;
}

/* One that the table does not have is new, and will be there; or it has ended, when it is not there either after another walk. */
static void take_stranger(struct hits_reader *r, const struct proctable *table, struct ledger_entry *e,
			  const struct cachehits_process *value)
{
	uint64_t round = proctable_round(table);

	if (!e->missing)
		e->missing = round;
	if (e->missing == round)
		return;
	add(last_group(r, e), e, value->n);
	e->ended = !hits_forget(&r->programs, e->pid);
}

static void take_process(struct hits_reader *r, const struct proctable *table, const struct procgroups *groups,
			 uint32_t pid, const struct cachehits_process *value)
{
	const struct proc *p = proctable_find(table, (int32_t)pid);
	struct ledger_entry *e = ledger_put(&r->ledger, pid, value->start);

	if (!e)
		return;
	if (!p || !is_same(p, value->start)) {
		take_stranger(r, table, e, value);
		return;
	}
	e->missing = 0;
	e->group = procgroups_of(groups, p);
	e->generation = r->groups[e->group].generation;
	add(&r->groups[e->group].delta, e, value->n);
}

static bool any_lost(const struct hits_reader *r)
{
	for (int k = 0; k < CACHEHITS_KINDS; k++)
		if (r->lost[k])
			return true;
	return false;
}

static void begin_groups(struct hits_reader *r, const struct procgroups *groups)
{
	r->n_groups = procgroups_capacity(groups);
	for (size_t i = 0; i < r->n_groups; i++) {
		const struct procgroup *group = procgroups_at(groups, i);

		if (!group || group->generation != r->groups[i].generation) {
			r->groups[i] = (struct hits_of_group){ .generation = group ? group->generation : 0 };
			r->items[i] = (struct top_item){ .score = -1 };
		}
		r->groups[i].delta = (struct hits_group){ 0, 0, 0 };
	}
}

static void end_groups(struct hits_reader *r, const struct procgroups *groups, uint64_t now)
{
	uint64_t elapsed = r->rounds ? now - r->when : 0;

	for (size_t i = 0; i < r->n_groups; i++) {
		const struct procgroup *group = procgroups_at(groups, i);
		struct hits_of_group *g = &r->groups[i];

		if (!group)
			continue;
		if (elapsed)
			g->rate += (value_rate(g->delta.hit + g->delta.miss, elapsed) - g->rate) / SMOOTH;
		/* one that reads nothing is no line */
		r->items[i].score = group->members && g->rate > 0 && procgroups_competes(groups, group) ? g->rate : -1;
	}
	(void)top_update(&r->top, r->items, r->n_groups, now);
	for (size_t i = 0; i < r->n_groups; i++) {
		const struct procgroup *group = procgroups_at(groups, i);
		struct hits_of_group *g = &r->groups[i];
		struct hits_group *to = &g->total;

		if (!group)
			continue;
		g->shown = r->items[i].in || group->kind < PROCGROUP_NAMED;
		if (!g->shown) {
			to = &r->other;
			r->others |= g->delta.hit || g->delta.miss;
		}
		value_add(&to->hit, g->delta.hit);
		value_add(&to->miss, g->delta.miss);
		value_add(&to->added, g->delta.added);
	}
}

int hits_take(struct qmem *q, struct hits_reader *r, uint32_t n)
{
	const struct proctable *table = qmem_state(q, &proctable_service);
	const struct procgroups *groups = procmem_groups(q);
	int err;

	if (!table || !groups || !proctable_current(table))
		return 0;
	err = make_room(r, procgroups_capacity(groups));
	if (err)
		return err;
	begin_groups(r, groups);
	ledger_begin(&r->ledger);
	for (uint32_t i = 0; i < n; i++)
		take_process(r, table, groups, r->keys[i], &r->values[i]);
	ledger_end(&r->ledger);
	if (any_lost(r)) {
		add(&r->other, &r->lost_had, r->lost);
		r->others = true;
	}
	end_groups(r, groups, qmem_now(q));
	r->when = qmem_now(q);
	r->rounds++;
	return 0;
}

int hits_collect(struct qmem *q, struct hits_reader *r)
{
	uint32_t n = HITS_MOST;

	if (!r->on)
		return 0;
	hits_sum(r, r->programs.cpus, CACHEHITS_CPUS);
	/* of the round before: the walk comes later in this one */
	r->grouped = procmem_groups(q) != NULL;
	if (!r->grouped || hits_read_processes(&r->programs, r->keys, r->values, &n))
		return 0;
	return hits_take(q, r, n);
}

/* ---- what is shown ---- */

static void emit_group(struct qmem *q, const struct qmem_family *families, const struct procgroup *group,
		       const struct hits_group *sample)
{
	const struct qmem_instance instance = procgroup_instance(group);

	qmem_emit(q, &families[HITS_GROUPS], &instance, sample);
	qmem_emit(q, &families[HITS_GROUPS_ADDED], &instance, sample);
}

void hits_emit(struct qmem *q, struct hits_reader *r, const struct qmem_family families[HITS_FAMILIES])
{
	struct procgroups *groups = r->on && r->grouped ? procmem_groups(q) : NULL;

	if (!r->on || !r->any)
		return;
	for (int i = HITS_LOOKS; i <= HITS_ADDED; i++)
		qmem_emit(q, &families[i], NULL, &r->machine);
	if (!groups || !r->rounds)
		return;
	for (size_t i = 0; i < r->n_groups && i < procgroups_capacity(groups); i++) {
		const struct procgroup *group = procgroups_at(groups, i);

		if (!group || group->generation != r->groups[i].generation || !r->groups[i].shown)
			continue;
		procgroups_show(q, groups, i);
		emit_group(q, families, group, &r->groups[i].total);
	}
	if (r->others)
		emit_group(q, families, NULL, &r->other);
}

void hits_note(const struct hits_reader *r, char *text, size_t size)
{
	const char *joint = *text ? "; " : "";

	if (!r->wanted)
		return;
	if (!r->on)
		words_add(text, size, "%sno hits and misses: %s", joint, r->why);
	else if (!r->grouped)
		words_add(text, size, "%shits and misses by machine only: procmem, which has the groups, is off",
			  joint);
	else if (any_lost(r))
		words_add(text, size, "%sthere were more than %d processes: hits and misses of some are in '%s'", joint,
			  HITS_MOST, PROCGROUP_OTHER);
}

/* ---- life ---- */

int hits_room(struct hits_reader *r)
{
	int err;

	r->keys = calloc(HITS_MOST, sizeof(*r->keys));
	r->values = calloc(HITS_MOST, sizeof(*r->values));
	if (!r->keys || !r->values)
		return -ENOMEM;
	err = top_init(&r->top, (size_t)r->top_groups, MARGIN);
	return err ? err : ledger_init(&r->ledger, HITS_MOST);
}

int hits_start(struct hits_reader *r)
{
	int err;

	r->programs = HITS_PROGRAMS_NONE;
	if (!r->wanted)
		return 0;
	err = hits_room(r);
	if (err)
		return err;
	r->on = !hits_load(&r->programs, r->why, sizeof(r->why));
	return 0;
}

void hits_stop(struct hits_reader *r)
{
	if (r->wanted)
		hits_unload(&r->programs);
	free(r->keys);
	free(r->values);
	free(r->groups);
	free(r->items);
	ledger_release(&r->ledger);
	top_release(&r->top);
}
