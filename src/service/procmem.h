/* SPDX-License-Identifier: MIT */
/* The memory of processes by group. */
#ifndef QMEM_SERVICE_PROCMEM_H
#define QMEM_SERVICE_PROCMEM_H

#include "process/group.h"
#include "qmem.h"

/* The groups, for services that need procmem: up to date in their collect(). NULL: it is not running. */
struct procgroups *procmem_groups(struct qmem *q);

/* What a group had in the last round of procmem. */
struct procmem_amounts {
	uint32_t generation;
	int64_t rss, majflt; /* bytes; faults that had to read; QMEM_NA */
};

/* When that round was; 0: there was none, or procmem is not running. */
uint64_t procmem_when(struct qmem *q);
/* How many groups there may be, and whether there is one at that index; of procmem_groups(). */
size_t procmem_capacity(struct qmem *q);
bool procmem_amounts(struct qmem *q, size_t index, struct procmem_amounts *ret);

#endif
