/* SPDX-License-Identifier: MIT */
/*
 * What the kernel does about memory: the event counters of /proc/vmstat.
 *
 * Two traps. pgscan_kswapd, _direct, _khugepaged and _proactive (and pgsteal_ likewise) leave out what is reclaimed for a
 * memory cgroup, while pgscan_anon and _file have it; kernels of 2026 count it in all of them. And the counters lie by up
 * to vm.stat_interval: each CPU keeps its latest share for itself.
 */
#ifndef QMEM_SERVICE_VMSTAT_H
#define QMEM_SERVICE_VMSTAT_H

#include <stdint.h>

#include "proc/kv.h"
#include "qmem.h"

/*
 * The sample, named by the newest kernel's keys; counters since boot, in pages or events, QMEM_NA where this kernel has no
 * such key. A key that older kernels split by zone (pgscan_kswapd_normal), or still do (allocstall_normal), is the sum.
 */
struct vmstat {
	int64_t pgfault, pgmajfault;
	int64_t pgpgin, pgpgout; /* KiB */
	int64_t pswpin, pswpout, swap_ra, swap_ra_hit, swpin_zero, swpout_zero, zswpin, zswpout, zswpwb;
	int64_t nrswpin, nrswpout;
	int64_t pgscan_kswapd, pgscan_direct, pgscan_khugepaged, pgscan_proactive, pgscan_anon, pgscan_file;
	int64_t pgsteal_kswapd, pgsteal_direct, pgsteal_khugepaged, pgsteal_proactive, pgsteal_anon, pgsteal_file;
	int64_t workingset_refault_anon, workingset_refault_file, workingset_activate_anon, workingset_activate_file;
	int64_t workingset_restore_anon, workingset_restore_file, workingset_nodereclaim;
	int64_t allocstall, pgscan_direct_throttle;
	int64_t pgalloc, pgfree, pgskip, pgreuse;
	int64_t pgactivate, pgdeactivate, pgrefill, pgrotated, pgrotate_anon, pgrotate_file, pglazyfree, pglazyfreed;
	int64_t pageoutrun, kswapd_low_wmark_hit_quickly, kswapd_high_wmark_hit_quickly;
	int64_t slabs_scanned, pginodesteal, kswapd_inodesteal;
	int64_t nr_dirtied, nr_written, nr_vmscan_write, nr_vmscan_immediate_reclaim, nr_throttled_written;
	int64_t compact_stall, compact_success, compact_fail, compact_daemon_wake;
	int64_t compact_migrate_scanned, compact_free_scanned, compact_isolated;
	int64_t compact_daemon_migrate_scanned, compact_daemon_free_scanned;
	int64_t pgmigrate_success, pgmigrate_fail, thp_migration_success, thp_migration_fail, thp_migration_split;
	int64_t thp_fault_alloc, thp_fault_fallback, thp_fault_fallback_charge, thp_collapse_alloc,
		thp_collapse_alloc_failed;
	int64_t thp_file_alloc, thp_file_fallback, thp_file_fallback_charge, thp_file_mapped;
	int64_t thp_split_page, thp_split_page_failed, thp_split_pmd, thp_deferred_split_page, thp_underused_split_page;
	int64_t thp_zero_page_alloc, thp_zero_page_alloc_failed, thp_swpout, thp_swpout_fallback, thp_swpin;
	int64_t htlb_buddy_alloc_success, htlb_buddy_alloc_fail, cma_alloc_success, cma_alloc_fail;
	int64_t oom_kill, drop_pagecache, drop_slab;
	int64_t numa_hit, numa_miss, numa_foreign, numa_interleave, numa_local, numa_other;
	int64_t numa_pte_updates, numa_huge_pte_updates, numa_hint_faults, numa_hint_faults_local, numa_pages_migrated;
	int64_t numa_task_migrated, numa_task_swapped;
	int64_t zone_reclaim_success, zone_reclaim_failed;
	int64_t pgpromote_success, pgpromote_candidate, pgpromote_candidate_nrl;
	int64_t pgdemote_kswapd, pgdemote_direct, pgdemote_khugepaged, pgdemote_proactive;
	int64_t unevictable_pgs_culled, unevictable_pgs_scanned, unevictable_pgs_rescued, unevictable_pgs_mlocked;
	int64_t unevictable_pgs_munlocked, unevictable_pgs_cleared, unevictable_pgs_stranded;
	int64_t balloon_inflate, balloon_deflate, balloon_migrate, cow_ksm, ksm_swpin_copy;

	/* vmstat_derive() makes the rest */
	int64_t minflt;
	int64_t io_in, io_out; /* bytes */
	int64_t efficiency;    /* 1/100 percent of the pages scanned since the sample before that could be taken */
};

extern const struct kv_ignore vmstat_ignored[]; /* keys of /proc/vmstat that are in no family */

/* A parser into struct vmstat. -ENOMEM. */
int vmstat_kv_init(struct kv *kv);

/* The derived values, from what the parser has left. `before` NULL: there is no sample before. */
void vmstat_derive(struct vmstat *v, const struct vmstat *before);

/* What was collected last, and when; NULL if nothing yet, or the service is not running. The service's, until it is
 * collected the next time but one. */
const struct vmstat *vmstat_last(struct qmem *q, uint64_t *ret_when);

/* A fresh read, its efficiency that since the last collection, which stays what it is. It uses qmem_read(): a text the
 * caller has from there is gone. -ENOENT: the service is not running; -ENODATA, and what qmem_read() returns. */
int vmstat_now(struct qmem *q, struct vmstat *ret);

#endif
