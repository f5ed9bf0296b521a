/* SPDX-License-Identifier: MIT */
/*
 * What is said of tasks that are stuck: an event for each of those that have waited longest, as long as there is a name left,
 * and one for all others. Who has a name keeps it until its wait is over, which is said, too.
 */
#ifndef QMEM_PROCESS_STUCKEVENT_H
#define QMEM_PROCESS_STUCKEVENT_H

#include "process/stuck.h"

struct stuckevent {
	const char *service; /* whose events they are */
	uint64_t repeat;     /* ns, how often what stays is said again; 0: never */
	struct qmem *q;      /* while there is a round, for stuckevent_over() */
	size_t named;
	bool others; /* there are more than can be named */
};

/* For stuck_init(), `arg` is the struct stuckevent. */
void stuckevent_over(void *arg, const struct stuck_task *task);
/* Once a round, of a census that has ended. In `told` of those that have a name is when that was. */
void stuckevent_raise(struct stuckevent *e, const struct proctable *table, struct stuck *census);

/* Where a task waits, for people. */
const char *stuckevent_channel(const struct stuck_task *task);

#endif
