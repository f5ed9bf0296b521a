/* SPDX-License-Identifier: MIT */
/* What meminfo knows of the memory of a machine. */
#ifndef QMEM_SERVICE_MEMINFO_SAMPLE_H
#define QMEM_SERVICE_MEMINFO_SAMPLE_H

#include <stdint.h>

/* Who holds the memory, in bytes: meminfo_accounting.h has the parts and how each kernel counts them. */
struct meminfo_accounting {
	int64_t anon, anon_unmapped, file, shmem, slab_reclaimable, slab_unreclaimable, reclaimable_other;
	int64_t stack, page_tables, sec_page_tables, percpu, vmalloc, huge, zswap, compressed, balloon, gpu, memmap;
	int64_t bounce, corrupted, free, unaccounted;
	/* of which, inside them */
	int64_t free_percpu, unaccepted, cma, stack_vmalloc, shadow_stack, swap_cached, sockets, arc;
};

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
	int64_t KernelStack, ShadowCallStack, PageTables, SecPageTables, Percpu, Quicklists, VmallocUsed, VmallocChunk;
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

	/* the service's, too */
	struct meminfo_accounting accounting;
	int64_t grown; /* by how much `unaccounted` has in GrowthWindow, while it grows in each part of that; else 0 */
};

#endif
