/* SPDX-License-Identifier: MIT */
/*
 * The threads for work that may block, one to a lane: each is started by the first job of its lane, has all signals blocked,
 * and comes back through a watched eventfd. One that is stuck is left behind, with its memory, and ends when its job is back.
 */
#ifndef QMEM_PROGRAM_WORKER_H
#define QMEM_PROGRAM_WORKER_H

#include <pthread.h>

#include "qmem.h"

/* What differs between hosts. */
struct worker_calls {
	/* as pthread_create(), with a name of up to 15 bytes: 0 or an error; NULL: that itself */
	int (*create)(pthread_t *ret, void *(*run)(void *), void *arg, const char *name);
};

struct worker;

/* `calls` outlives it; -errno. */
int worker_new(const struct worker_calls *calls, struct worker **ret_worker);
/* From now on it has threads: capabilities are a thread's own, and it has those of its maker at that time. Jobs that were added
 * before are begun; -errno: there is no thread for them now, and one is tried again for the next job. */
int worker_go(struct worker *w);
/* Its eventfd, for which worker_ready() is the handler, with the worker as argument. */
int worker_fd(const struct worker *w);
void worker_ready(struct qmem *q, int fd, uint32_t events, void *arg);
/* struct qmem_host's `work`, `leave` and `recall`: 0 or -errno. */
int worker_add(struct worker *w, struct qmem_job *job);
int worker_leave(struct worker *w, struct qmem_job *job);
int worker_recall(struct worker *w, struct qmem_job *job);
/* After qmem_free(). Jobs that have not begun are given back; threads that are at one are not waited for: they give it back
 * when they have done, if ever. */
void worker_free(struct worker *w);

#endif
