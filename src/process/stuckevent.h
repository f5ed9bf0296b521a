/* SPDX-License-Identifier: MIT */
/*
 * What is said of tasks that are stuck. Those of one program and user that wait in one function are one condition, whatever their
 * numbers: an event when the first of them is stuck, one each time that they are twice as many as ever, one when the last is
 * free again. What has no condition of its own is in one event for all, which says whose it is.
 *
 * One user must not hide another's: the tasks of root and of services have conditions of their own number, and of the others each
 * user has two at most in one function, and four in all.
 */
#ifndef QMEM_PROCESS_STUCKEVENT_H
#define QMEM_PROCESS_STUCKEVENT_H

#include "process/stuck.h"

#define STUCKEVENT_NAMED 8 /* conditions of the system's tasks, and as many of the others' */

struct procask;

struct stuckevent_condition {
	size_t tasks; /* 0: the place is free */
	char name[STUCK_NAME], channel[STUCK_CHANNEL];
	uint32_t uid;
	bool system;
	struct proc_task first; /* that was told of last */
	uint64_t since;         /* it has been stuck */
	uint64_t seen, told;
	unsigned state; /* doublings of their number, at most */
};

struct stuckevent {
	const char *service; /* whose events they are */
	uint64_t repeat;     /* ns, how often what stays is said again; 0: never */
	struct qmem *q;      /* while there is a round */
	struct procask *ask; /* for users' names, from the first task on that waits for long */
	struct stuckevent_condition conditions[2 * STUCKEVENT_NAMED];
	bool others; /* there are more than have a condition */
};

void stuckevent_release(struct stuckevent *e);
/* For stuck_init(), `arg` is the struct stuckevent. */
void stuckevent_over(void *arg, const struct stuck_task *task);
/* Once a round, of a census that has ended. In `told` of those that are in a condition is its number from 1 on. */
void stuckevent_raise(struct stuckevent *e, const struct proctable *table, struct stuck *census);

/* Where a task waits, for people. */
const char *stuckevent_channel(const struct stuck_task *task);

#endif
