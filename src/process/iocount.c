/* SPDX-License-Identifier: MIT */
#include "process/iocount.h"

#include <stdlib.h>

#include "util/room.h"

#define ROUNDS 3     /* in which a parent may get what its child leaves: it may be read before, or late */
#define ANCESTORS 16 /* that may have ended before */
#define SEARCHED 256 /* of those that have ended in one round: when a crowd ends, its parents are not all looked for */
#define INIT 1

void iocount_release(struct iocount *c)
{
	free(c->processes);
	free(c->legacies);
	*c = (struct iocount){ 0 };
}

const struct iocount_process *iocount_of(const struct iocount *c, const struct proc *p)
{
	return &c->processes[p->slot];
}

/* ---- who has done what ---- */

/* What has been added; where a value comes for the first time, all of it if the process is as young as that. */
static int64_t advance(int64_t *last, int64_t now, bool newborn)
{
	int64_t before = *last;

	if (now == QMEM_NA)
		return 0;
	*last = now;
	if (before == QMEM_NA)
		return newborn ? now : 0;
	return now > before ? now - before : 0;
}

static void take(struct iocount *c, const struct proctable *table, const struct proc *p)
{
	struct iocount_process *m = &c->processes[p->slot];

	if (m->generation != p->generation) {
		*m = (struct iocount_process){
			.generation = p->generation,
			.newborn = c->round && c->round >= proctable_whole_since(table),
			.first = proctable_round(table),
			.cminflt = QMEM_NA,
		};
		for (int i = 0; i < PROC_IOS; i++)
			m->last[i] = QMEM_NA;
	}
	for (int i = 0; i < PROC_IOS; i++)
		m->delta[i] = advance(&m->last[i], p->io[i], m->newborn);
	m->waited += advance(&m->cminflt, p->cminflt, m->newborn);
}

/* ---- who inherits ---- */

static const struct proc *dead(const struct proctable *table, const uint32_t *slots, size_t n, int32_t pid)
{
	for (size_t i = 0; i < n && i < SEARCHED; i++) {
		const struct proc *p = proctable_at(table, slots[i]);

		if (p && p->pid == pid)
			return p;
	}
	return NULL;
}

/* The parent, or who has become it when that one ended, too: one of its own ancestors, at last the first process. */
static const struct proc *heir(const struct proctable *table, const uint32_t *slots, size_t n, const struct proc *p)
{
	int32_t pid = p->ppid;

	for (int i = 0; i < ANCESTORS; i++) {
		const struct proc *parent = proctable_find(table, pid);

		if (parent)
			return parent;
		parent = dead(table, slots, n, pid);
		if (!parent)
			break;
		pid = parent->ppid;
	}
	return proctable_find(table, INIT);
}

static void bury(struct iocount *c, const struct proctable *table, const uint32_t *slots, size_t n,
		 const struct proc *p)
{
	const struct iocount_process *m = &c->processes[p->slot];
	const struct proc *parent;
	struct iocount_legacy *l;

	if (m->generation != p->generation || m->last[PROC_RCHAR] == QMEM_NA || p->minflt == QMEM_NA)
		return;
	parent = heir(table, slots, n, p);
	if (!parent)
		return;
	l = &c->legacies[c->legacies_n++];
	*l = (struct iocount_legacy){ .slot = parent->slot, .generation = parent->generation };
	for (int i = 0; i < PROC_IOS; i++)
		l->io[i] = m->last[i];
	l->faults = p->minflt + (p->cminflt == QMEM_NA ? 0 : p->cminflt);
}

/* Has the parent got it in this round? Then it is not what the parent has done. */
static bool settle(struct iocount *c, const struct iocount_legacy *l)
{
	struct iocount_process *m = &c->processes[l->slot];

	if (m->waited < l->faults)
		return false;
	for (int i = 0; i < PROC_IOS; i++)
		if (l->io[i] != QMEM_NA && m->delta[i] < l->io[i])
			return false;
	for (int i = 0; i < PROC_IOS; i++)
		if (l->io[i] != QMEM_NA)
			m->delta[i] -= l->io[i];
	m->waited -= l->faults;
	return true;
}

static void settle_all(struct iocount *c, const struct proctable *table)
{
	size_t left = 0;

	for (size_t i = 0; i < c->legacies_n; i++) {
		struct iocount_legacy *l = &c->legacies[i];
		const struct proc *p = proctable_at(table, l->slot);

		if (!p || p->generation != l->generation || p->ended || settle(c, l) || ++l->rounds == ROUNDS)
			continue;
		c->legacies[left++] = *l;
	}
	c->legacies_n = left;
}

int iocount_update(struct iocount *c, const struct proctable *table)
{
	const uint32_t *slots;
	size_t n = proctable_deaths(table, &slots);
	const struct proc *p;
	int err = room_fit(&c->processes, &c->room, proctable_capacity(table), sizeof(*c->processes));

	if (!err)
		err = room_fit(&c->legacies, &c->legacies_room, c->legacies_n + n, sizeof(*c->legacies));
	if (err)
		return err;
	proctable_each(table, p) take(c, table, p);
	for (size_t i = 0; i < n; i++) {
		p = proctable_at(table, slots[i]);
		if (p && slots[i] < c->room)
			bury(c, table, slots, n, p);
	}
	settle_all(c, table);
	c->round = proctable_round(table);
	return 0;
}
