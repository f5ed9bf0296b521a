/* SPDX-License-Identifier: MIT */
/*
 * A census of tasks in state D: who waits for how long, and who does so by habit.
 *
 * A wait is one task in one function without a pause. It begins with the look that first finds the task in that function, and
 * ends with the round that does not see it in D any more, or with the look that finds it in another function, or that it has
 * been switched to and away again meanwhile (its own count of context switches, where that may be read). Looks cost a few
 * files each, so there are only so many in a round; a wait is `stuck` when a look confirms that it has lasted for `after`.
 *
 * Some tasks are always in D, and nothing is wrong. They are `usual`:
 * - what was in D already in the first census, for as long as that wait lasts: whoever looks later than it began cannot
 *   tell what it is;
 * - a kernel thread that has spent at least half of its time in D in the same function, since it was first seen there, and
 *   has left it, too: after STUCK_HABIT long waits, or at once if it was in the first census.
 * A process never gets into the habit: one that waits for a sick disk again and again is what is looked for.
 *
 * One that is `frozen` (as in a container that is paused, cgroup v1) is none of these: it does not wait.
 */
#ifndef QMEM_PROCESS_STUCK_H
#define QMEM_PROCESS_STUCK_H

#include "process/table.h"

#define STUCK_CHANNEL 48
#define STUCK_NAME 32
#define STUCK_HABIT 3

struct stuck_task {
	struct proc_task id;
	bool kthread;
	bool there; /* in D in this round */
	bool away;  /* between two waits */
	bool first; /* in D in the first census, and still in that wait */
	bool usual;
	bool frozen;
	bool stuck;          /* for longer than `after`, confirmed, and not usual */
	uint64_t told;       /* the caller's, while it waits; 0: it is not */
	unsigned char owner; /* the caller's: what it knows of whose it is; 0 at first */
	uint64_t since;      /* when this wait began */
	uint64_t seen;       /* when it was last seen */
	uint64_t looked;     /* when this wait was last looked at; 0: never yet */
	uint64_t asked;      /* when stuck_next() last gave it */
	uint64_t appeared;   /* when it was first seen in this function, in this wait or one before */
	uint64_t waited;     /* in it, in the waits before this one */
	unsigned waits;      /* how many long ones those were */
	int64_t switches;
	char channel[STUCK_CHANNEL]; /* the function without what builds add to it (".isra.0"); "": not known */
	char name[STUCK_NAME];       /* the owner's */
};

struct stuck {
	uint64_t after; /* ns */
	uint64_t now;
	bool begun;               /* the first census is over */
	struct stuck_task *tasks; /* in D, and kernel threads with a past */
	size_t n, room;
	uint32_t *slots; /* a hash of them */
	/* what over() is called with */
	void (*over)(void *arg, const struct stuck_task *task);
	void *arg;
	/* in the round that was ended last */
	size_t waiting, stuck_n, usual_n; /* one of the three is each that is there, and not frozen */
	size_t overflow;                  /* for want of room */
	uint64_t longest;                 /* wait that is not usual, ns */
};

/* -ENOMEM. A zeroed one may be released. `over` is called when the wait of a task that was told of has ended; its since and
 * seen, channel and name are still those of that wait. */
int stuck_init(struct stuck *s, size_t room, uint64_t after, void (*over)(void *arg, const struct stuck_task *task),
	       void *arg);
void stuck_release(struct stuck *s);

/* A round: begin, enter each task in D, settle those that are not any more, look at some, conclude. */
void stuck_begin(struct stuck *s, uint64_t now);
void stuck_enter(struct stuck *s, const struct proc_task *id, bool kthread);
void stuck_settle(struct stuck *s);
/* The one that a look is most wanted at: those that may be stuck, those never looked at, the stalest. NULL: none is due. */
struct stuck_task *stuck_next(struct stuck *s);
/* What the look has found: the function, "" if it is not known, and the task's context switches, QMEM_NA likewise. */
void stuck_look(struct stuck *s, struct stuck_task *task, const char *channel, int64_t switches);
/* Or that it is frozen. */
void stuck_freeze(struct stuck *s, struct stuck_task *task);
void stuck_end(struct stuck *s);

#endif
