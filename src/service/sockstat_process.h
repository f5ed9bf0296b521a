/* SPDX-License-Identifier: MIT */
/*
 * The process whose network namespace is shown. Files and sockets that are open tell of the namespace for ever, also when the
 * process has ended and another one has its number: its file stat tells.
 */
#ifndef QMEM_SERVICE_SOCKSTAT_PROCESS_H
#define QMEM_SERVICE_SOCKSTAT_PROCESS_H

#include "qmem.h"

struct sockstat_process {
	int32_t pid; /* 0: none */
	int64_t start;
	char path[32];
	struct qmem_file stat;
};

/* 0; -ENOENT: there is none, or it has ended and waits for its parent; another -errno: it is not known, and taken as it is. */
int sockstat_process_hold(struct qmem *q, struct sockstat_process *p, int32_t pid);
/* Is it still that one? */
bool sockstat_process_lives(struct qmem *q, struct sockstat_process *p);
void sockstat_process_release(struct sockstat_process *p);

#endif
