/* SPDX-License-Identifier: MIT */
/*
 * What each process has read and written since the round before.
 *
 * When a process ends and its parent waits for it, the kernel adds all of its I/O to the parent's. Of a process that was seen
 * to end that much is taken off again, so that nothing is counted twice: who waits is known by the page faults, which go the
 * same way. What is left is the parent's: its own, what the child has done after it was seen last, and all that children have
 * done that were too short to be seen.
 */
#ifndef QMEM_PROCESS_IOCOUNT_H
#define QMEM_PROCESS_IOCOUNT_H

#include "process/table.h"

struct iocount_process {
	uint32_t generation;                     /* of its slot */
	bool newborn;                            /* it has begun since the round before the one that saw it first */
	uint64_t first;                          /* the round that did */
	int64_t last[PROC_IOS], delta[PROC_IOS]; /* QMEM_NA: not known, and in `delta` nothing */
	int64_t cminflt;                         /* likewise */
	int64_t waited; /* page faults of children that it has waited for, and that were not seen to end */
};

/* One that has ended, and what its parent should have got. */
struct iocount_legacy {
	uint32_t slot, generation; /* the parent's */
	int64_t io[PROC_IOS], faults;
	unsigned rounds; /* that it has been looked for */
};

struct iocount {
	struct iocount_process *processes; /* by slot */
	size_t room;
	struct iocount_legacy *legacies;
	size_t legacies_n, legacies_room;
	uint64_t round; /* proctable_round() of the last one; 0: none yet */
};

void iocount_release(struct iocount *c);
/* Once a round. -ENOMEM: nothing has changed. */
int iocount_update(struct iocount *c, const struct proctable *table);
/* Of a process that is in the table in this round. */
const struct iocount_process *iocount_of(const struct iocount *c, const struct proc *p);

#endif
