/* SPDX-License-Identifier: MIT */
/*
 * How memory is used: /proc/meminfo, and the ZFS cache of /proc/spl/kstat/zfs/arcstats, which the kernel does not count as
 * reclaimable. This header is for the tests and the bench; other services read the values from `values`.
 */
#ifndef QMEM_SERVICE_MEMINFO_H
#define QMEM_SERVICE_MEMINFO_H

#include <stdint.h>

#include "proc/kv.h"
#include "qmem.h"

/* What some kernels and emulators leave out that have nothing to say of it: not malformed, and 0 where it is a part. */
enum meminfo_operand { MEMINFO_BUFFERS, MEMINFO_SRECLAIMABLE, MEMINFO_SWAP_CACHED, MEMINFO_OPERANDS };

/* The sample. Bytes unless said otherwise; QMEM_NA where this kernel has no such key. */
struct meminfo {
	/* as the kernel spells them, ( and ) left out */
	int64_t MemTotal, MemFree, MemAvailable, Buffers, Cached, Shmem;
	int64_t Active_anon, Inactive_anon, Active_file, Inactive_file, Unevictable, Mlocked;
	int64_t AnonPages, Mapped;
	int64_t Dirty, Writeback, WritebackTmp, NFS_Unstable, Bounce;
	int64_t SReclaimable, SUnreclaim, KReclaimable;
	int64_t KernelStack, ShadowCallStack, PageTables, SecPageTables, Percpu, Quicklists, VmallocUsed;
	int64_t AnonHugePages, ShmemHugePages, ShmemPmdMapped, FileHugePages, FilePmdMapped;
	int64_t HugePages_Total, HugePages_Free, HugePages_Rsvd, HugePages_Surp; /* pages */
	int64_t Hugepagesize, Hugetlb;
	int64_t SwapTotal, SwapFree, SwapCached, Zswap, Zswapped;
	int64_t CommitLimit, Committed_AS;
	int64_t HardwareCorrupted, EarlyMemtestBad;
	int64_t CmaTotal, CmaFree;
	int64_t Balloon, Unaccepted;
	int64_t GPUActive, GPUReclaim;
	int64_t HighTotal, HighFree, LowTotal, LowFree;
	int64_t DirectMap4k, DirectMap64k, DirectMap1M, DirectMap2M, DirectMap4M, DirectMap1G, DirectMap2G;
	/* of arcstats */
	int64_t arc_size, arc_c_min;

	unsigned lacks; /* of enum meminfo_operand, a bit each: there is no such line, and so nothing of the kind */

	/* meminfo_derive() makes the rest. First a partition of MemTotal. */
	int64_t used, buffers, cached, shmem, slab_reclaimable, arc, free;
	int64_t reclaimable_other;
	int64_t huge_used, huge_reserved, huge_free, huge_surplus;
	int64_t swap_used, swap_cached;
	int64_t cma_used;
	int64_t ratio; /* of what is available to MemTotal, 1/100 percent */
	int64_t level; /* enum meminfo_level; the service's, as it depends on the one before */
};

enum meminfo_level { MEMINFO_NONE, MEMINFO_LOW, MEMINFO_MEDIUM, MEMINFO_HIGH, MEMINFO_CRITICAL, MEMINFO_LEVELS };

extern const struct kv_ignore meminfo_ignored[]; /* keys of /proc/meminfo that are in no family */

/* Parsers into struct meminfo: of /proc/meminfo, and of arcstats. -ENOMEM. */
int meminfo_kv_init(struct kv *kv);
/* What the text that was parsed last lacks. */
unsigned meminfo_lacks(const struct kv *kv);
int meminfo_arc_kv_init(struct kv *kv);

/*
 * The derived values but `level`, from what the parsers have left. used + buffers + cached + shmem + slab_reclaimable +
 * arc + free is MemTotal exactly, none is negative, and an absent arc is none. Should the kernel's figures, which it does
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
