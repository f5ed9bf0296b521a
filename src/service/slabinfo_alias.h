/* SPDX-License-Identifier: MIT */
/* Other names of caches: SLUB makes one of several that are alike, and /proc/slabinfo has the first name only. */
#ifndef QMEM_SERVICE_SLABINFO_ALIAS_H
#define QMEM_SERVICE_SLABINFO_ALIAS_H

#include "qmem.h"
#include "service/slabinfo_cache.h"

/* Looks for those of all caches that have not been looked for, in the links of /sys/kernel/slab. */
void slab_aliases_look(struct qmem *q, struct slab_caches *c);
/* Of /sys/kernel/slab/NAME/reclaim_account, or, where that cannot be read, of the commonest names: 1, 0; -1: it is not known. */
int slab_reclaimable(struct qmem *q, const struct slab_cache *cache);

#endif
