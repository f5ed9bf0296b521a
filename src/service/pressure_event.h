/* SPDX-License-Identifier: MIT */
/* What is said when a pressure trigger fires, and what reclaim did meanwhile. */
#ifndef QMEM_SERVICE_PRESSURE_EVENT_H
#define QMEM_SERVICE_PRESSURE_EVENT_H

#include "service/pressure_condition.h"
#include "service/vmstat.h"

/* What reclaim has done so far, in pages and times; QMEM_NA if the kernel does not say. */
enum reclaim_count { REFAULTS, DIRECT_SCAN, ALLOCATION_STALLS, SWAP_IN, SWAP_OUT, RECLAIM_COUNTS };

struct reclaim {
	uint64_t when;
	int64_t count[RECLAIM_COUNTS];
};

#define RECLAIMS 12

struct reclaim_history {
	struct reclaim items[RECLAIMS]; /* the newest first */
	size_t n;
};

/* Remembers a sample, unless the one before it is less than a second old. */
void reclaim_keep(struct reclaim_history *history, const struct vmstat *vm, uint64_t when);

/* The condition is on. Reads /proc/vmstat. */
void pressure_raise(struct qmem *q, const struct pressure_condition *c, struct reclaim_history *reclaims,
		    uint64_t repeat);
void pressure_raise_over(struct qmem *q, const struct pressure_condition *c);

#endif
