/* SPDX-License-Identifier: MIT */
/*
 * Where memory has gone: MemTotal by who holds it. A part is what one counter of the kernel says, or a difference of two, of
 * whole pages that no other part counts; what no counter explains is `unaccounted`: drivers and file systems take whole pages,
 * and tell nobody.
 *
 * part               counter                                        since     how it counts
 * anon               AnonPages                                      2.6       mapped by processes; huge ones are in it
 * anon_unmapped      Active(anon) + Inactive(anon) - Shmem          2.6.28    in the swap cache, or left over of a huge page, and
 *                      - AnonPages                                            mapped by nobody. At least: locked pages are on
 *                                                                             another list, those of MADV_FREE on that of files
 * file               Cached - Shmem + Buffers                       2.6.32    page cache, secret memory and ramfs too; the lists
 *                                                                             Active(file), Inactive(file) count otherwise, and leak
 * shmem              Shmem                                          2.6.32    is in Cached. In the swap cache it is in anon_unmapped
 * slab_reclaimable   SReclaimable                                   2.6.19
 * slab_unreclaimable SUnreclaim                                     2.6.19    since 5.4 also what kmalloc takes in whole pages
 * reclaimable_other  KReclaimable - SReclaimable                    4.20      pools of drivers; RHEL 8 has it in its 4.18
 * stack              KernelStack                                    2.6.32    in kB whatever the size of a stack. With VMAP_STACK
 *                                                                             (x86 4.9, arm64 4.14) they are vmalloc()'s, below
 * page_tables        PageTables + Quicklists                        2.6.18    of processes: the two lowest levels, all since 6.14.
 *                                                                             Old kernels keep freed ones in Quicklists
 * sec_page_tables    SecPageTables                                  6.1       KVM's; on newer kernels IOMMUs' too
 * percpu             Percpu                                         4.19      RHEL 8 too. The first chunk, some 250 KiB a CPU, is
 *                                                                             in it, but not in MemTotal: unaccounted is so much less
 * vmalloc            VmallocUsed - KernelStack                      5.3       pages without those of stacks: less than there are
 *                                                                             where stacks are not vmalloc()'s. It is 0 from 4.4 to
 *                                                                             5.2, and before counts addresses (VmallocChunk is
 *                                                                             not 0): then absent
 * huge               Hugetlb                                        4.16      pools of all sizes, free ones too; RHEL 8 has it.
 *                                                                             Before: HugePages_Total, of the default size
 * zswap              Zswap                                          5.19      compressed pages
 * compressed         nr_zspages of /proc/vmstat - Zswap             4.8       of zram; of zswap, too, before 5.19. At least: a
 *                                                                             zswap upon zbud or z3fold is not in nr_zspages
 * balloon            Balloon                                        6.16      where the driver leaves it in MemTotal: virtio that
 *                                                                             deflates on OOM, VMware. Others (virtio as a rule,
 *                                                                             Hyper-V, Xen, pseries) take it off MemTotal: absent
 * gpu                GPUActive + GPUReclaim                         7.1       of TTM drivers; what others take of shmem is there
 * memmap             nr_memmap_pages of /proc/vmstat                6.11      for memory that was plugged in; that of the boot is
 *                                                                             not in MemTotal
 * bounce             Bounce + WritebackTmp                          2.6       copies that devices and FUSE write from; 0 on new kernels
 * corrupted          HardwareCorrupted                              2.6.32    taken out of use, never out of MemTotal
 * free               MemFree, and "count:" in /proc/zoneinfo        2.6       the latter is free on the lists of CPUs; Unaccepted
 *                                                                             (6.5) is in MemFree
 *
 * No part: SwapCached (pages of it that are mapped are in AnonPages), Mapped, Dirty, Writeback, NFS_Unstable, Mlocked,
 * Unevictable, *HugePages and *PmdMapped (in anon, shmem, file), CmaTotal, Unaccepted, ShadowCallStack (slab before 5.11, vmalloc
 * since), EarlyMemtestBad and DirectMap* (not in MemTotal, or no memory), memory of sockets. What of those is worth it is
 * shown as "of which".
 *
 * A kernel adds up the counters of its CPUs late, by a few pages for each of them: what is small may be off by that much.
 */
#ifndef QMEM_SERVICE_MEMINFO_ACCOUNTING_H
#define QMEM_SERVICE_MEMINFO_ACCOUNTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proc/kv.h"
#include "service/meminfo_sample.h"

/* What /proc/meminfo does not say; bytes, QMEM_NA where it is not known. It is of another moment. */
struct meminfo_beside {
	int64_t pagesets, zspages, memmap, sockets;
	bool balloon_within; /* the balloon is in MemTotal */
};

enum meminfo_account {
	MEMINFO_ACCOUNTED,
	MEMINFO_INCOMPLETE, /* a counter that every kernel has is not there: an emulator */
	MEMINFO_UNSOUND,    /* a counter is malformed */
	MEMINFO_EXCEEDED,   /* the parts are more than MemTotal: some counter has leaked */
};

/*
 * Sets `accounting`: all parts that are there and unaccounted are MemTotal exactly, none is negative. If not MEMINFO_ACCOUNTED
 * all of it is absent, and *ret_excess is by how much the parts exceed MemTotal, or 0. `kv` has parsed the text. What is of
 * another moment gives way where the rest is less, and percpu, which counts more than there is: by a 64th of MemTotal at most.
 */
enum meminfo_account meminfo_account(struct meminfo *m, const struct kv *kv, const struct meminfo_beside *beside,
				     int64_t *ret_excess);
/* All of it is absent. */
void meminfo_account_none(struct meminfo *m);
/* The names of what every kernel has and this text has not, "KernelStack, PageTables". */
void meminfo_account_lacks(const struct kv *kv, char *dst, size_t size);
/* By how much the lists of files exceed all that could be on them: a counter has leaked. 0: not. */
int64_t meminfo_lists_excess(const struct meminfo *m);

extern const struct qmem_metric meminfo_accounting_metrics[], meminfo_accounting_within_metrics[];

#endif
