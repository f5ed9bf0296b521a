/* SPDX-License-Identifier: MIT */
#include "process/cputime.h"

#include <stdlib.h>

#include "util/room.h"
#include "util/value.h"

#define MARGIN 25 /* percent more CPU time to take another's place */
#define SMOOTH 4  /* rounds over which it is averaged */

int cputime_init(struct cputime *c, size_t max)
{
	*c = (struct cputime){ 0 };
	return top_init(&c->top, max, MARGIN);
}

void cputime_release(struct cputime *c)
{
	top_release(&c->top);
	free(c->processes);
	free(c->groups);
	free(c->items);
	*c = (struct cputime){ 0 };
}

static int make_room(struct cputime *c, size_t slots, size_t groups)
{
	int err = room_fit(&c->processes, &c->processes_room, slots, sizeof(*c->processes));

	if (!err)
		err = room_fit(&c->groups, &c->groups_room, groups, sizeof(*c->groups));
	if (!err)
		err = room_fit(&c->items, &c->items_room, groups, sizeof(*c->items));
	return err;
}

static int64_t positive(int64_t value)
{
	return value > 0 ? value : 0;
}

/* What p has used since the round before; `newborn`: one that is new has used it all since then. */
static struct cputime_counters used(struct cputime *c, const struct proc *p, bool newborn)
{
	struct cputime_process *process = &c->processes[p->slot];
	struct cputime_counters now = { positive(p->utime), positive(p->stime) }, delta = { 0, 0 };

	if (process->generation == p->generation)
		delta = (struct cputime_counters){ positive(now.user - process->last.user),
						   positive(now.syst - process->last.syst) };
	else if (newborn)
		delta = now;
	process->generation = p->generation;
	process->last = now;
	return delta;
}

static void judge(struct cputime *c, size_t i, bool competes, uint64_t elapsed)
{
	struct cputime_group *g = &c->groups[i];
	int64_t both = g->delta.user;

	value_add(&both, g->delta.syst);
	if (elapsed)
		g->rate += (value_rate(both, elapsed) - g->rate) / SMOOTH;
	c->items[i].score = competes ? g->rate : -1;
}

int cputime_update(struct cputime *c, const struct proctable *table, const struct procgroups *groups, uint64_t now)
{
	size_t n = procgroups_capacity(groups);
	uint64_t elapsed = c->rounds ? now - c->now : 0;
	bool newborn = c->table_round >= proctable_whole_since(table);
	const struct proc *p;
	int err = make_room(c, proctable_capacity(table), n);

	if (err)
		return err;
	c->n = n;
	for (size_t i = 0; i < n; i++) {
		const struct procgroup *group = procgroups_at(groups, i);

		if (!group || group->generation != c->groups[i].generation) {
			c->groups[i] = (struct cputime_group){ .generation = group ? group->generation : 0 };
			c->items[i] = (struct top_item){ .score = -1 };
		}
		c->groups[i].delta = (struct cputime_counters){ 0, 0 };
	}
	proctable_each(table, p)
	{
		struct cputime_counters delta = used(c, p, newborn);
		struct cputime_group *g = &c->groups[procgroups_of(groups, p)];

		value_add(&g->delta.user, delta.user);
		value_add(&g->delta.syst, delta.syst);
		/* at first there is nothing yet to choose by */
		if (!c->rounds)
			value_add(&g->rate, positive(p->utime) / 1000 + positive(p->stime) / 1000);
	}
	for (size_t i = 0; i < n; i++) {
		const struct procgroup *group = procgroups_at(groups, i);

		if (group)
			judge(c, i, group->members && procgroups_competes(groups, group), elapsed);
	}
	(void)top_update(&c->top, c->items, n, now);
	for (size_t i = 0; i < n; i++) {
		const struct procgroup *group = procgroups_at(groups, i);
		struct cputime_group *g = &c->groups[i];
		struct cputime_counters *to = &g->total;

		if (!group)
			continue;
		g->shown = c->items[i].in || group->kind < PROCGROUP_NAMED;
		if (!g->shown) {
			to = &c->other;
			c->others = true;
		}
		value_add(&to->user, g->delta.user);
		value_add(&to->syst, g->delta.syst);
	}
	c->rounds++;
	c->table_round = proctable_round(table);
	c->now = now;
	return 0;
}
