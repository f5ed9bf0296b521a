/* SPDX-License-Identifier: MIT */
/*
 * The CPU time of groups of processes: the groups that use most, those of the configuration, the kernel's threads, and all
 * others as one sum.
 *
 * A group's counter takes what its members use while it is shown; what is used otherwise goes to the sum of the others. So no
 * counter ever falls, and none jumps when groups change places. Together they are what has been seen to be used: not what
 * processes used before they were first seen, but for those that are known to have begun since the round before, nor what
 * they used after they were last seen.
 */
#ifndef QMEM_PROCESS_CPUTIME_H
#define QMEM_PROCESS_CPUTIME_H

#include "process/group.h"
#include "process/table.h"
#include "util/top.h"

struct cputime_counters {
	int64_t user, syst; /* ns */
};

struct cputime_group {
	uint32_t generation; /* of its index */
	bool shown;
	struct cputime_counters total, delta;
	int64_t rate; /* CPU ns per second, smoothed; in the first round what its members have used in their lives */
};

struct cputime_process {
	uint32_t generation; /* of its slot */
	struct cputime_counters last;
};

struct cputime {
	struct top top;
	struct cputime_process *processes; /* by slot */
	size_t processes_room;
	struct cputime_group *groups; /* by index */
	struct top_item *items;
	size_t n, groups_room, items_room;
	struct cputime_counters other;
	bool others; /* has there been a group that was not shown? */
	uint64_t rounds, now;
	uint64_t table_round; /* proctable_round() of the last one */
};

/* `max` groups compete for being shown; those of the configuration and the kernel's are beside them. -ENOMEM. */
int cputime_init(struct cputime *c, size_t max);
void cputime_release(struct cputime *c);

/* Then groups[i] with `shown` for i < n, and `other` if there are others. -ENOMEM: nothing has changed. */
int cputime_update(struct cputime *c, const struct proctable *table, const struct procgroups *groups, uint64_t now);

#endif
