/* SPDX-License-Identifier: MIT */
/*
 * /sys/devices/system/node/nodeN/meminfo: lines "Node 8 MemFree:   40000000 kB", and "Node 8 HugePages_Free:   1", a count without
 * a unit. Its sibling numastat has lines "numa_hit 31000001".
 */
#ifndef QMEM_PROC_NODEINFO_H
#define QMEM_PROC_NODEINFO_H

#include <stddef.h>
#include <stdint.h>

#include "proc/fault.h"

enum nodeinfo_value {
	NODE_TOTAL,
	NODE_FREE,
	NODE_FILE, /* page cache, shared memory included */
	NODE_ANON,
	NODE_SHMEM,
	NODE_ACTIVE_FILE,
	NODE_INACTIVE_FILE,
	NODE_SLAB_RECLAIMABLE,
	NODE_SLAB_UNRECLAIMABLE,
	NODE_STACK,
	NODE_PAGE_TABLES,
	NODE_VALUES
};

/* Of this node, in bytes; QMEM_NA: not in the text, or malformed, which *fault is told. How many there are. */
int nodeinfo_parse(const char *text, size_t len, uint32_t node, int64_t ret[NODE_VALUES], struct fault *fault);

enum numastat_value { NUMA_HIT, NUMA_MISS, NUMA_FOREIGN, NUMA_INTERLEAVE, NUMA_LOCAL, NUMA_OTHER, NUMASTAT_VALUES };

/* Likewise of numastat, in pages since boot. */
int numastat_parse(const char *text, size_t len, int64_t ret[NUMASTAT_VALUES], struct fault *fault);

#endif
