/* SPDX-License-Identifier: MIT */
/*
 * What the accounting needs beside /proc/meminfo: /proc/zoneinfo (what is free on the lists of CPUs: the kernel holds a lock of
 * each zone while it writes that), /proc/vmstat (zram, descriptors of memory), /proc/net/sockstat, the driver of a balloon. All of
 * it seldom.
 */
#ifndef QMEM_SERVICE_MEMINFO_BESIDE_H
#define QMEM_SERVICE_MEMINFO_BESIDE_H

#include "kernel/kvfile.h"
#include "service/meminfo_accounting.h"

struct beside {
	int64_t age; /* ns: how old it may be, or less where /proc/zoneinfo is short; an option */

	/* its own */
	struct qmem_file zoneinfo, sockstat;
	struct kvfile vmstat;
	struct qmem_complaint fault;
	struct {
		int64_t zspages, memmap;
	} pages;
	struct meminfo_beside now;
	uint64_t next;
	bool inflated; /* there is a balloon, and its driver has been looked for */
};

/* -ENOMEM. Stop it also then. */
int beside_start(struct beside *b);
void beside_stop(struct beside *b);
/* Reads what is too old. `balloon` is what /proc/meminfo says. */
const struct meminfo_beside *beside_look(struct qmem *q, struct beside *b, int64_t balloon);

#endif
