/* SPDX-License-Identifier: MIT */
/* What is said when a pressure trigger fires, and what reclaim did meanwhile. */
#ifndef QMEM_SERVICE_PRESSURE_EVENT_H
#define QMEM_SERVICE_PRESSURE_EVENT_H

#include "service/pressure_condition.h"
#include "service/pressure_who.h"
#include "service/vmstat.h"

/* What reclaim has done so far, in pages and times; QMEM_NA if the kernel does not say. */
enum reclaim_count {
	REFAULTS,
	SCAN_DIRECT, /* types of reclaim, taken in the order of the scans */
	SCAN_KSWAPD,
	SCAN_KHUGEPAGED,
	SCAN_PROACTIVE,
	SCAN_CGROUPS, /* of memory cgroups, where the types leave it out */
	STEAL_DIRECT,
	STEAL_KSWAPD,
	STEAL_KHUGEPAGED,
	STEAL_PROACTIVE,
	STEAL_CGROUPS,
	ALLOCATION_STALLS,
	SWAP_IN,
	SWAP_OUT,
	RECLAIM_COUNTS
};

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

/* The condition is on. Reads /proc/vmstat and, for the size of swap, /proc/meminfo. */
void pressure_raise(struct qmem *q, const struct pressure_condition *c, struct reclaim_history *reclaims,
		    const struct pressure_who *suspects, uint64_t repeat);
void pressure_raise_over(struct qmem *q, const struct pressure_condition *c);

#endif
