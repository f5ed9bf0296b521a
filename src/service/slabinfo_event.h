/* SPDX-License-Identifier: MIT */
/* The condition "a cache grows": which, how much since when, who allocates, and what usually stands behind it. */
#ifndef QMEM_SERVICE_SLABINFO_EVENT_H
#define QMEM_SERVICE_SLABINFO_EVENT_H

#include "qmem.h"
#include "service/slabinfo_cache.h"
#include "service/slabinfo_who.h"

#define SLAB_EVENTS 16 /* caches that grow at once; more are not told */

struct slab_event {
	char cache[SLABINFO_FAMILY]; /* "": free */
	bool raised, asked, known;
	struct slab_who_answer who;
	int64_t held; /* when it grew last */
	int64_t since_held;
	uint64_t since;
};

struct slab_events {
	bool ask;          /* who it is */
	const char *never; /* why that can never be known; NULL: it can */
	int64_t repeat;
	struct slab_event all[SLAB_EVENTS];
	struct slab_who who;
};

/* Raises what there is of all caches. */
void slab_events_tell(struct qmem *q, struct slab_events *e, const struct slab_caches *c);
void slab_events_release(struct qmem *q, struct slab_events *e);

/* What usually stands behind a cache that grows: a few words, NULL: not known. */
const char *slab_usually(const char *cache);

#endif
