/* SPDX-License-Identifier: MIT */
/*
 * /proc/buddyinfo: free memory by zone and order. A line is "Node 0, zone   Normal   15   6   66 ...": so many free blocks of one
 * page, of two, of four ... There are as many columns as the kernel has orders: 11 by default before and after 6.8, 14 with pages
 * of 64 KiB, any number where it was built so. Only zones that have memory have a line.
 */
#ifndef QMEM_PROC_BUDDY_H
#define QMEM_PROC_BUDDY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proc/fault.h"

#define BUDDY_ORDERS 18 /* kernels have up to 17; a larger block is as many as fit into it of the last one */

struct buddy {
	int64_t node;
	const char *zone;             /* in the text, without a NUL; one word */
	size_t zone_len;              /* at least 1 */
	int orders;                   /* columns, at least 1 and at most BUDDY_ORDERS */
	int64_t blocks[BUDDY_ORDERS]; /* QMEM_NA: malformed, or beyond the columns */
};

struct buddy_walk {
	const char *at, *end;
	struct fault fault; /* lines and columns that are malformed, and the last line if the text ends within it */
};

/* The next line that is sound but for some of its columns. */
bool buddy_next(struct buddy_walk *walk, struct buddy *ret);

/* What follows is of any array of blocks by order. One that is absent makes absent what it is part of. */

/* Pages in free blocks; QMEM_NA also beyond int64. */
int64_t buddy_pages(const int64_t *blocks, int orders);
/* How much of them lies in blocks too small for one of `order`, in 1/1000; of nothing there is no part: QMEM_NA. It is the
 * kernel's unusable free space index (debugfs, extfrag/unusable_index), which has 1000 there. */
int64_t buddy_unusable(const int64_t *blocks, int orders, int order);
/* Why a block of `order` cannot be had, in 1/1000: towards 0 for want of memory, which reclaim helps, towards 1000 by
 * fragmentation, which compaction helps. QMEM_NA where there is a block: it can be had. It is the kernel's fragmentation index
 * (extfrag/extfrag_index), which has -1000 there, and is compared with vm.extfrag_threshold. */
int64_t buddy_fragmentation(const int64_t *blocks, int orders, int order);

#endif
