/* SPDX-License-Identifier: MIT */
/*
 * How fast caches grow and shrink: the bytes they hold are marked at the ends of the parts of a window that moves. One grows if it
 * has grown in each part, and by more than a limit in all of them.
 */
#ifndef QMEM_SERVICE_SLABINFO_GROWTH_H
#define QMEM_SERVICE_SLABINFO_GROWTH_H

#include "qmem.h"
#include "service/slabinfo_cache.h"
#include "util/top.h"

struct slab_growth {
	uint64_t part;                    /* ns */
	int64_t limit, limit_reclaimable; /* bytes in a window; 0: none grows too fast */
	uint64_t times[SLAB_PARTS + 1];   /* of the marks; 0: there is none */
	struct top top;                   /* who is shown */
	struct top_item *scores;          /* one for each cache */
	size_t scores_room;
};

int slab_growth_init(struct slab_growth *g, int64_t window, int64_t top);
void slab_growth_release(struct slab_growth *g);
/*
 * A look at what all of them held at `now`; those that are not there are absent. `reclaimable` is asked for one that grows, once. Sets rate and
 * `grows` of each, and who is shown (slab_growth_shown()). -ENOMEM.
 */
int slab_growth_look(struct slab_growth *g, struct slab_caches *c, enum slab_source held, uint64_t now,
		     int (*reclaimable)(void *arg, const struct slab_cache *cache), void *arg);
bool slab_growth_shown(const struct slab_growth *g, const struct slab_caches *c, const struct slab_cache *cache);

#endif
