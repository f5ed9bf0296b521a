/* SPDX-License-Identifier: MIT */
/*
 * How memory is used: /proc/meminfo, and the ZFS cache of /proc/spl/kstat/zfs/arcstats, which the kernel does not count as
 * reclaimable. But for meminfo_now() this header is for the tests and the bench.
 */
#ifndef QMEM_SERVICE_MEMINFO_H
#define QMEM_SERVICE_MEMINFO_H

#include <stdint.h>

#include "proc/kv.h"
#include "qmem.h"
#include "service/meminfo_sample.h"

enum meminfo_level { MEMINFO_NONE, MEMINFO_LOW, MEMINFO_MEDIUM, MEMINFO_HIGH, MEMINFO_CRITICAL, MEMINFO_LEVELS };

/* The sample of this round, for services that need this one; NULL: it could not be read. */
const struct meminfo *meminfo_now(struct qmem *q);

extern const struct kv_ignore meminfo_ignored[]; /* keys of /proc/meminfo that are in no family */

/* Parsers into struct meminfo: of /proc/meminfo, and of arcstats. -ENOMEM. */
int meminfo_kv_init(struct kv *kv);
/* What the text that was parsed last lacks. */
unsigned meminfo_lacks(const struct kv *kv);
int meminfo_arc_kv_init(struct kv *kv);

/*
 * The derived values but `level`, from what the parsers have left. MemAvailable is at most MemTotal, which it
 * exceeds where counters have leaked. used + buffers + cached + shmem + slab_reclaimable + arc + free is MemTotal exactly, none is negative, and an absent arc is none. Should the kernel's figures, which it does
 * not read at one instant, be more than MemTotal, then they are cut from the end of this row: free, shmem, buffers, cached,
 * slab_reclaimable, arc; used is the rest. It is absent if any of the kernel's own is.
 */
void meminfo_derive(struct meminfo *m);

/*
 * The level for this ratio (1/100 percent), `before` having been the last one. below[level]: what it begins
 * under, 0: never. A level ends when the ratio is `hysteresis` above its beginning, all in the same unit. QMEM_NA: the ratio is absent.
 */
int64_t meminfo_level(int64_t ratio, int64_t before, const int64_t below[MEMINFO_LEVELS], int64_t hysteresis);

#endif
