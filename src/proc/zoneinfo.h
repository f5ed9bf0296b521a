/* SPDX-License-Identifier: MIT */
/*
 * /proc/zoneinfo: the watermarks of each zone. A zone begins with "Node 0, zone   Normal"; words of two columns follow, indented:
 *	  pages free     1200000
 *	        min      6200
 *	        protection: (0, 2266, 20000, 20000, 20000)
 * Counters of the zone, per-CPU lists and, within the first zone of each node that has memory, counters of the node stand among
 * them, and are passed over. Since 4.11 zones without memory are there, too, with 0 managed pages.
 */
#ifndef QMEM_PROC_ZONEINFO_H
#define QMEM_PROC_ZONEINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proc/fault.h"

enum zone_value {
	ZONE_FREE, /* without what lies in per-CPU lists */
	/* what must stay free; with the boost that a fallback of migrate types has brought (5.0): */
	ZONE_MIN,     /* for all but emergencies: below it whoever allocates has to reclaim */
	ZONE_LOW,     /* below it kswapd is woken */
	ZONE_HIGH,    /* at which kswapd sleeps again */
	ZONE_PRESENT, /* pages that there are */
	ZONE_MANAGED, /* those that the allocator has (3.8) */
	/* kept from whoever could do with a higher zone: the most of lowmem_reserve, as the kernel's own estimates take it */
	ZONE_RESERVE,
	ZONE_VALUES
};

struct zone {
	int64_t node;
	const char *name;           /* in the text, without a NUL; one word */
	size_t name_len;            /* at least 1 */
	int64_t value[ZONE_VALUES]; /* pages; QMEM_NA: not in the text, or malformed */
};

struct zone_walk {
	const char *at, *end;
	struct fault fault; /* values that are malformed or twice there, and the last line if the text ends within it */
};

/* The next zone. */
bool zone_next(struct zone_walk *walk, struct zone *ret);

#endif
