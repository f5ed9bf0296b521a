/* SPDX-License-Identifier: MIT */
#include "service/procio_group.h"

#include <stdlib.h>
#include <string.h>

#include "util/room.h"
#include "util/value.h"

#define MARGIN 25  /* percent more to take another's place */
#define SMOOTH 4   /* rounds over which a rate is averaged */
#define LIFE 1000  /* seconds in which a life's work is taken to have been done */
#define PATIENCE 3 /* rounds in which what is read beside the walk may be missing of a new process */

int procio_groups_init(struct procio_groups *g, enum procio_by by, size_t max)
{
	*g = (struct procio_groups){ .by = by };
	return top_init(&g->top, max, MARGIN);
}

void procio_groups_release(struct procio_groups *g)
{
	top_release(&g->top);
	iocount_release(&g->count);
	free(g->groups);
	free(g->items);
	*g = (struct procio_groups){ 0 };
}

static int make_room(struct procio_groups *g, size_t groups)
{
	int err = room_fit(&g->groups, &g->groups_room, groups, sizeof(*g->groups));

	return err ? err : room_fit(&g->items, &g->items_room, groups, sizeof(*g->items));
}

/* ---- sums ---- */

static void begin_group(struct procio_group *g)
{
	memset(g->delta, 0, sizeof(g->delta));
	g->sample.fds = g->sample.most_fds = g->sample.maps = g->sample.most_maps = QMEM_NA;
	g->no_io = g->no_fds = false;
}

static void begin(struct procio_groups *g, const struct procgroups *groups)
{
	for (size_t i = 0; i < g->n; i++) {
		const struct procgroup *group = procgroups_at(groups, i);

		if (!group || group->generation != g->groups[i].generation) {
			g->groups[i] = (struct procio_group){ .generation = group ? group->generation : 0 };
			g->items[i] = (struct top_item){ .score = -1 };
		}
		begin_group(&g->groups[i]);
		if (!g->judged)
			g->groups[i].rate = 0;
	}
	begin_group(&g->other);
}

static void add_most(int64_t *most, int64_t value)
{
	if (value > *most)
		*most = value;
}

static int64_t chosen_of(enum procio_by by, const int64_t io[PROC_IOS])
{
	enum proc_io read = by == PROCIO_BY_DISK ? PROC_READ_BYTES : PROC_SYSCR;
	int64_t both = QMEM_NA;

	value_add(&both, io[read]);
	value_add(&both, io[by == PROCIO_BY_DISK ? PROC_WRITE_BYTES : PROC_SYSCW]);
	return value_or(both, 0);
}

static bool has_ended(const struct proc *p)
{
	return p->state == 'Z' || p->state == 'X';
}

static void add(struct procio_groups *g, const struct proctable *table, const struct proc *p, struct procio_group *to)
{
	const struct iocount_process *m = iocount_of(&g->count, p);
	bool settled = proctable_round(table) >= m->first + PATIENCE;

	for (int i = 0; i < PROC_IOS; i++) {
		g->known_io[i] |= p->io[i] != QMEM_NA;
		value_add(&to->delta[i], m->delta[i]);
	}
	/* at first there is nothing else to choose by */
	if (!g->judged)
		value_add(&to->rate, chosen_of(g->by, p->io) / LIFE);
	to->no_io |= settled && p->io[PROC_RCHAR] == QMEM_NA;
	if (p->kthread || has_ended(p))
		return;
	g->known_fds |= p->fds != QMEM_NA;
	g->known_maps |= p->maps != QMEM_NA;
	to->no_fds |= settled && p->fds == QMEM_NA;
	value_add(&to->sample.fds, p->fds);
	value_add(&to->sample.maps, p->maps);
	add_most(&to->sample.most_fds, p->fds);
	add_most(&to->sample.most_maps, p->maps);
}

/* ---- who is shown ---- */

static void judge(struct procio_groups *g, size_t i, bool competes, uint64_t elapsed)
{
	struct procio_group *group = &g->groups[i];
	int64_t score;

	if (g->judged && elapsed)
		group->rate += (value_rate(chosen_of(g->by, group->delta), elapsed) - group->rate) / SMOOTH;
	if (g->by == PROCIO_BY_FILES)
		score = value_or(group->sample.fds, 0);
	else
		score = g->by == PROCIO_BY_MAPS ? value_or(group->sample.maps, 0) : group->rate;
	g->items[i].score = competes ? score : -1;
}

/* Files are read after the first walk: until then nobody is the greatest. */
static bool may_judge(const struct procio_groups *g)
{
	switch (g->by) {
	case PROCIO_BY_FILES:
		return g->known_fds;
	case PROCIO_BY_MAPS:
		return g->known_maps;
	case PROCIO_BY_CALLS:
		return g->known_io[PROC_SYSCR];
	case PROCIO_BY_DISK:
		break;
	}
	return g->known_io[PROC_READ_BYTES];
}

static void add_total(struct procio_group *to, const struct procio_group *from)
{
	for (int i = 0; i < PROC_IOS; i++)
		value_add(&to->sample.io[i], from->delta[i]);
}

static void add_other(struct procio_groups *g, const struct procio_group *from)
{
	struct procio_group *other = &g->other;

	g->others = true;
	add_total(other, from);
	other->no_io |= from->no_io;
	other->no_fds |= from->no_fds;
	value_add(&other->sample.fds, from->sample.fds);
	value_add(&other->sample.maps, from->sample.maps);
	add_most(&other->sample.most_fds, from->sample.most_fds);
	add_most(&other->sample.most_maps, from->sample.most_maps);
}

int procio_groups_update(struct procio_groups *g, const struct proctable *table, const struct procgroups *groups,
			 uint64_t now)
{
	uint64_t elapsed = now - g->now;
	const struct proc *p;
	size_t n = procgroups_capacity(groups);
	int err = make_room(g, n);

	if (!err)
		err = iocount_update(&g->count, table);
	if (err)
		return err;
	g->n = n;
	begin(g, groups);
	proctable_each(table, p) add(g, table, p, &g->groups[procgroups_of(groups, p)]);
	for (size_t i = 0; i < n; i++) {
		const struct procgroup *group = procgroups_at(groups, i);

		if (group)
			judge(g, i, may_judge(g) && group->members && procgroups_competes(groups, group), elapsed);
	}
	g->judged = may_judge(g);
	(void)top_update(&g->top, g->items, n, now);
	for (size_t i = 0; i < n; i++) {
		const struct procgroup *group = procgroups_at(groups, i);

		if (!group)
			continue;
		g->groups[i].shown = g->items[i].in || group->kind < PROCGROUP_NAMED;
		if (g->groups[i].shown)
			add_total(&g->groups[i], &g->groups[i]);
		else
			add_other(g, &g->groups[i]);
	}
	g->now = now;
	return 0;
}

struct procio_sample procio_groups_sample(const struct procio_groups *g, const struct procio_group *group)
{
	struct procio_sample sample = group->sample;

	for (int i = 0; i < PROC_IOS; i++)
		if (!g->known_io[i] || group->no_io)
			sample.io[i] = QMEM_NA;
	if (!g->known_fds || group->no_fds) {
		sample.fds = sample.most_fds = QMEM_NA;
	} else {
		sample.fds = value_or(sample.fds, 0);
		sample.most_fds = value_or(sample.most_fds, 0);
	}
	if (g->known_maps) {
		sample.maps = value_or(sample.maps, 0);
		sample.most_maps = value_or(sample.most_maps, 0);
	}
	return sample;
}
