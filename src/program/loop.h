/* SPDX-License-Identifier: MIT */
/*
 * What a program runs an engine with: a log, a worker, and the waiting for both. The struct that a program hands to its
 * engine as `arg` begins with one.
 */
#ifndef QMEM_PROGRAM_LOOP_H
#define QMEM_PROGRAM_LOOP_H

#include "program/clock.h"
#include "program/config.h"
#include "program/log.h"
#include "program/request.h"
#include "program/worker.h"
#include "qmem.h"

struct loop {
	struct qmem *q;
	struct worker *worker; /* NULL: there is none, and jobs are refused */
	struct log log;        /* the program's, set before loop_init() */
	uint64_t permitted;    /* capabilities, before any was dropped: right_permitted() */
	bool interrupted;      /* by the program: loop_until() and loop_settle() wait no longer */
};

/* The engine of all built-in services, and its worker if the host has `work`. -ENOMEM. */
int loop_init(struct loop *l, const struct qmem_host *host);
/* Reads the file and the settings of the request. -EINVAL: one of the settings is wrong, which is said; -ENOMEM. */
int loop_configure(struct loop *l, const struct request *r, struct config *config);
/* Logs what is wrong with the file, and forgets it. */
void loop_complain(struct loop *l, struct config *config);
/* Starts the services with the capabilities there are; those that only this has needed are dropped. Like qmem_start(). */
int loop_start(struct loop *l, uint64_t interval);
/* Waits for what the engine waits for, `until` at most, and dispatches it. The time it is then. */
uint64_t loop_wait(struct loop *l, uint64_t until);
/* loop_wait() until it is that late, or who waits is interrupted. */
void loop_until(struct loop *l, uint64_t until);
/* A collection, to its end; between slices what has come is dispatched. Like qmem_collect(). */
int loop_collect(struct loop *l);
/* Collections a second apart, the last of which has what workers were asked for: a few more than one while services ask them for
 * more. The next one is due when this returns. */
void loop_settle(struct loop *l);
void loop_release(struct loop *l);

/* Of struct qmem_host: what all programs with a worker have in common. */
#define LOOP_HOST                                                                                                      \
	.log = loop_log, .work = loop_work, .leave = loop_leave, .recall = loop_recall, .cpu_ns = clock_cpu_ns,        \
	.now = loop_now
void loop_log(void *loop, enum qmem_level level, const char *text);
int loop_work(void *loop, struct qmem_job *job);
int loop_leave(void *loop, struct qmem_job *job);
int loop_recall(void *loop, struct qmem_job *job);
uint64_t loop_now(void *loop);

#endif
