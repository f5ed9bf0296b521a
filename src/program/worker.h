/* SPDX-License-Identifier: MIT */
/* The one thread for work that may block. It is started by the first job, and comes back through a watched eventfd. */
#ifndef QMEM_PROGRAM_WORKER_H
#define QMEM_PROGRAM_WORKER_H

#include "qmem.h"

struct worker;

/* -errno. */
int worker_new(struct worker **ret_worker);
/* Its eventfd, for which worker_ready() is the handler, with the worker as argument. */
int worker_fd(const struct worker *w);
void worker_ready(struct qmem *q, int fd, uint32_t events, void *arg);
/* Queues a job: 0 or -errno. */
int worker_add(struct worker *w, struct qmem_job *job);
/* After qmem_free(). Jobs that have not begun are given back; one that is running keeps its thread and its memory. */
void worker_free(struct worker *w);

#endif
