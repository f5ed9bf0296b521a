/* SPDX-License-Identifier: MIT */
/* What the parts of the service share: the zones, as both files have them. */
#ifndef QMEM_SERVICE_BUDDYINFO_H
#define QMEM_SERVICE_BUDDYINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proc/buddy.h"
#include "proc/zoneinfo.h"
#include "qmem.h"
#include "util/top.h"

#define BUDDYZONES_MOST 4096

/* Families of zones, each from a struct buddyzone_sample: a place in the service's table. */
struct buddyzone_sample {
	int64_t free, reserve, min, low, high; /* bytes */
	int64_t kswapd, direct;                /* bytes */
	int64_t blocks[BUDDY_ORDERS];
	int64_t unusable[BUDDY_ORDERS], extfrag[BUDDY_ORDERS]; /* 1/1000 */
};

struct buddyzone {
	char name[40]; /* "0_Normal" */
	int64_t node;
	size_t zone_at; /* where the zone's own name is in that */
	uint64_t round; /* that has seen it last */
	int orders;
	int64_t blocks[BUDDY_ORDERS]; /* QMEM_NA: malformed; beyond the orders, too */
	int64_t free;                 /* pages */
	int64_t mark[ZONE_VALUES];    /* pages, as /proc/zoneinfo has said last; QMEM_NA */
};

struct buddyzones {
	struct buddyzone *all; /* in the order of their first appearance */
	struct top_item *scores;
	size_t n, line, all_room, scores_room;
	uint64_t round;
	int64_t page_size;
	struct top top;
	struct buddyzone_sample sample;
};

/* `max` are shown; -ENOMEM. */
int buddyzones_init(struct buddyzones *s, int64_t max, int64_t page_size);
void buddyzones_release(struct buddyzones *s);

void buddyzones_begin(struct buddyzones *s);
/* A line of each file; those of /proc/zoneinfo after those of /proc/buddyinfo, which decide what zones there are. -ENOMEM. */
int buddyzones_put(struct buddyzones *s, const struct buddy *buddy);
void buddyzones_mark(struct buddyzones *s, const struct zone *zone);
/* Of no zone the marks are known any more. */
void buddyzones_forget_marks(struct buddyzones *s);
static inline bool buddyzone_there(const struct buddyzones *s, const struct buddyzone *z)
{
	return z->round == s->round;
}

/* Pages above a mark, and what is kept for lower zones: 0 from the mark down. */
int64_t buddyzone_above(const struct buddyzone *z, enum zone_value mark);
/* The largest order that whoever allocates gets without reclaim or compaction of its own; -1: none; QMEM_NA: not known. */
int64_t buddyzone_largest(const struct buddyzone *z);

/* All families that have a label, for the largest zones, and for the rest as one. */
void buddyzones_emit(struct qmem *q, struct buddyzones *s, const struct qmem_family *families);

#endif
