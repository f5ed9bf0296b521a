/* SPDX-License-Identifier: MIT */
#include "service/vmstat.h"

#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "kernel/kvfile.h"
#include "rows.h"
#include "services.h"
#include "util/value.h"

static const struct qmem_metric faults[] = {
	METRIC(vmstat, "minflt", NULL, minflt, "pgfault - pgmajfault: served from memory"),
	METRIC(vmstat, "majflt", "pgmajfault", pgmajfault, "had to wait for a disk"),
	{ 0 },
};

static const struct qmem_metric io[] = {
	METRIC(vmstat, "in", NULL, io_in, "pgpgin: read from block devices, in bytes"),
	METRIC(vmstat, "out", NULL, io_out, "pgpgout: written to block devices, in bytes"),
	{ 0 },
};

static const struct qmem_metric swapping[] = {
	METRIC(vmstat, "in", "pswpin", pswpin, "read back from swap"),
	METRIC(vmstat, "out", "pswpout", pswpout, "written to swap"),
	{ 0 },
};

static const struct qmem_metric swap_requests[] = {
	METRIC(vmstat, "in", "nrswpin", nrswpin, "requests to read from swap, each of one page or more (7.3)"),
	METRIC(vmstat, "out", "nrswpout", nrswpout, "requests to write to swap (7.3)"),
	{ 0 },
};

static const struct qmem_metric swap_cache[] = {
	METRIC(vmstat, "readahead", "swap_ra", swap_ra, "read from swap ahead of need"),
	METRIC(vmstat, "readahead_hit", "swap_ra_hit", swap_ra_hit, "of those, needed"),
	METRIC(vmstat, "zero_in", "swpin_zero", swpin_zero, "pages of zeros swapped in without I/O (6.12)"),
	METRIC(vmstat, "zero_out", "swpout_zero", swpout_zero, "pages of zeros swapped out without I/O (6.12)"),
	METRIC(vmstat, "zswap_in", "zswpin", zswpin, "taken back from the compressed cache"),
	METRIC(vmstat, "zswap_out", "zswpout", zswpout, "put into the compressed cache"),
	METRIC(vmstat, "zswap_writeback", "zswpwb", zswpwb, "moved from the compressed cache to disk (6.8)"),
	{ 0 },
};

#define WITHOUT_CGROUPS "; kernels before 2026 leave out reclaim for memory cgroups"

static const struct qmem_metric scan[] = {
	METRIC(vmstat, "kswapd", "pgscan_kswapd", pgscan_kswapd,
	       "looked at by kswapd in the background" WITHOUT_CGROUPS),
	METRIC(vmstat, "direct", "pgscan_direct", pgscan_direct,
	       "looked at by tasks that had to wait for memory" WITHOUT_CGROUPS),
	METRIC(vmstat, "khugepaged", "pgscan_khugepaged", pgscan_khugepaged,
	       "looked at for huge pages (6.2)" WITHOUT_CGROUPS),
	METRIC(vmstat, "proactive", "pgscan_proactive", pgscan_proactive,
	       "looked at because memory.reclaim was written (6.15)"),
	{ 0 },
};

static const struct qmem_metric steal[] = {
	METRIC(vmstat, "kswapd", "pgsteal_kswapd", pgsteal_kswapd, "taken by kswapd in the background" WITHOUT_CGROUPS),
	METRIC(vmstat, "direct", "pgsteal_direct", pgsteal_direct,
	       "taken by tasks that had to wait for memory" WITHOUT_CGROUPS),
	METRIC(vmstat, "khugepaged", "pgsteal_khugepaged", pgsteal_khugepaged,
	       "taken for huge pages (6.2)" WITHOUT_CGROUPS),
	METRIC(vmstat, "proactive", "pgsteal_proactive", pgsteal_proactive,
	       "taken because memory.reclaim was written (6.15)"),
	{ 0 },
};

static const struct qmem_metric scan_type[] = {
	METRIC(vmstat, "anon", "pgscan_anon", pgscan_anon,
	       "anonymous, looked at by any reclaim, that for memory cgroups included (5.8)"),
	METRIC(vmstat, "file", "pgscan_file", pgscan_file,
	       "page cache, looked at by any reclaim, that for memory cgroups included (5.8)"),
	{ 0 },
};

static const struct qmem_metric steal_type[] = {
	METRIC(vmstat, "anon", "pgsteal_anon", pgsteal_anon,
	       "anonymous, taken by any reclaim, that for memory cgroups included (5.8)"),
	METRIC(vmstat, "file", "pgsteal_file", pgsteal_file,
	       "page cache, taken by any reclaim, that for memory cgroups included (5.8)"),
	{ 0 },
};

static const struct qmem_metric efficiency[] = {
	METRIC(vmstat, "reclaim", NULL, efficiency,
	       "pages taken, of those looked at since the last collection; by type where the kernel tells it, else by origin; absent when none was looked at"),
	{ 0 },
};

static const struct qmem_metric refault[] = {
	METRIC(vmstat, "anon", "workingset_refault_anon", workingset_refault_anon,
	       "anonymous, needed again soon after (5.9)"),
	METRIC(vmstat, "file", "workingset_refault_file", workingset_refault_file,
	       "page cache, needed again soon after"),
	{ 0 },
};

static const struct qmem_metric workingset[] = {
	METRIC(vmstat, "activate_anon", "workingset_activate_anon", workingset_activate_anon,
	       "refaults taken for the working set (5.9)"),
	METRIC(vmstat, "activate_file", "workingset_activate_file", workingset_activate_file,
	       "refaults taken for the working set"),
	METRIC(vmstat, "restore_anon", "workingset_restore_anon", workingset_restore_anon,
	       "had been in the working set before (5.9)"),
	METRIC(vmstat, "restore_file", "workingset_restore_file", workingset_restore_file,
	       "had been in the working set before (4.20)"),
	{ 0 },
};

static const struct qmem_metric stalls[] = {
	METRIC(vmstat, "alloc", "allocstall", allocstall, "allocations that had to reclaim by themselves, all zones"),
	METRIC(vmstat, "throttle", "pgscan_direct_throttle", pgscan_direct_throttle,
	       "waits for kswapd as reserves ran low"),
	{ 0 },
};

static const struct qmem_metric kswapd[] = {
	METRIC(vmstat, "run", "pageoutrun", pageoutrun, "runs of kswapd"),
	METRIC(vmstat, "low_wmark_hit", "kswapd_low_wmark_hit_quickly", kswapd_low_wmark_hit_quickly,
	       "fell below the low watermark soon after a run"),
	METRIC(vmstat, "high_wmark_hit", "kswapd_high_wmark_hit_quickly", kswapd_high_wmark_hit_quickly,
	       "fell below the high watermark soon after a run"),
	{ 0 },
};

static const struct qmem_metric shrink[] = {
	METRIC(vmstat, "slabs_scanned", "slabs_scanned", slabs_scanned, "slab objects looked at"),
	METRIC(vmstat, "inode_direct", "pginodesteal", pginodesteal,
	       "page cache dropped with an inode, by tasks that waited"),
	METRIC(vmstat, "inode_kswapd", "kswapd_inodesteal", kswapd_inodesteal,
	       "page cache dropped with an inode, by kswapd"),
	METRIC(vmstat, "nodes", "workingset_nodereclaim", workingset_nodereclaim, "page cache index nodes freed"),
	{ 0 },
};

static const struct qmem_metric alloc[] = {
	METRIC(vmstat, "alloc", "pgalloc", pgalloc, "allocated, all zones"),
	METRIC(vmstat, "free", "pgfree", pgfree, "freed"),
	{ 0 },
};

static const struct qmem_metric lru[] = {
	METRIC(vmstat, "activate", "pgactivate", pgactivate, "moved to an active list"),
	METRIC(vmstat, "deactivate", "pgdeactivate", pgdeactivate, "moved to an inactive list"),
	METRIC(vmstat, "refill", "pgrefill", pgrefill, "looked at on the active lists"),
	METRIC(vmstat, "rotate", "pgrotated", pgrotated,
	       "moved to the end of an inactive list when they had been written"),
	METRIC(vmstat, "keep_anon", "pgrotate_anon", pgrotate_anon,
	       "anonymous, looked at by reclaim and put back: in use, or not to be had (7.3)"),
	METRIC(vmstat, "keep_file", "pgrotate_file", pgrotate_file, "page cache, the same (7.3)"),
	METRIC(vmstat, "skip", "pgskip", pgskip, "passed over: not of the zone that was needed"),
	METRIC(vmstat, "lazyfree", "pglazyfree", pglazyfree, "given up by madvise(MADV_FREE)"),
	METRIC(vmstat, "lazyfreed", "pglazyfreed", pglazyfreed, "of those, taken"),
	METRIC(vmstat, "reuse", "pgreuse", pgreuse, "written after fork() without a copy"),
	{ 0 },
};

static const struct qmem_metric writeout[] = {
	METRIC(vmstat, "dirtied", "nr_dirtied", nr_dirtied, "made dirty"),
	METRIC(vmstat, "written", "nr_written", nr_written, "written back"),
	METRIC(vmstat, "throttled", "nr_throttled_written", nr_throttled_written,
	       "written back while reclaim waited (5.16)"),
	METRIC(vmstat, "vmscan", "nr_vmscan_write", nr_vmscan_write, "written by reclaim itself"),
	METRIC(vmstat, "immediate", "nr_vmscan_immediate_reclaim", nr_vmscan_immediate_reclaim,
	       "to be taken when written"),
	{ 0 },
};

static const struct qmem_metric compaction[] = {
	METRIC(vmstat, "stall", "compact_stall", compact_stall, "allocations that had to compact by themselves"),
	METRIC(vmstat, "success", "compact_success", compact_success, "of those, got a block"),
	METRIC(vmstat, "fail", "compact_fail", compact_fail, "of those, got none"),
	METRIC(vmstat, "daemon_wake", "compact_daemon_wake", compact_daemon_wake, "wake-ups of kcompactd (4.6)"),
	{ 0 },
};

static const struct qmem_metric compaction_pages[] = {
	METRIC(vmstat, "migrate_scanned", "compact_migrate_scanned", compact_migrate_scanned,
	       "looked at as pages to move"),
	METRIC(vmstat, "free_scanned", "compact_free_scanned", compact_free_scanned,
	       "looked at as places to move pages to"),
	METRIC(vmstat, "isolated", "compact_isolated", compact_isolated, "taken off the lists for it"),
	METRIC(vmstat, "daemon_migrate_scanned", "compact_daemon_migrate_scanned", compact_daemon_migrate_scanned,
	       "of migrate_scanned, by kcompactd (4.12)"),
	METRIC(vmstat, "daemon_free_scanned", "compact_daemon_free_scanned", compact_daemon_free_scanned,
	       "of free_scanned, by kcompactd (4.12)"),
	{ 0 },
};

static const struct qmem_metric migrate[] = {
	METRIC(vmstat, "success", "pgmigrate_success", pgmigrate_success, "moved, for whatever reason"),
	METRIC(vmstat, "fail", "pgmigrate_fail", pgmigrate_fail, "could not be moved"),
	{ 0 },
};

static const struct qmem_metric thp[] = {
	METRIC(vmstat, "fault_alloc", "thp_fault_alloc", thp_fault_alloc, "allocated on a fault"),
	METRIC(vmstat, "fault_fallback", "thp_fault_fallback", thp_fault_fallback,
	       "a fault had to do with small pages"),
	METRIC(vmstat, "collapse_alloc", "thp_collapse_alloc", thp_collapse_alloc, "allocated by khugepaged"),
	METRIC(vmstat, "collapse_alloc_failed", "thp_collapse_alloc_failed", thp_collapse_alloc_failed,
	       "khugepaged got none"),
	METRIC(vmstat, "split_page", "thp_split_page", thp_split_page, "split; thp_split before 4.5"),
	METRIC(vmstat, "split_pmd", "thp_split_pmd", thp_split_pmd, "mapping split (4.5)"),
	METRIC(vmstat, "swpout", "thp_swpout", thp_swpout, "swapped out whole"),
	METRIC(vmstat, "swpout_fallback", "thp_swpout_fallback", thp_swpout_fallback, "split, to be swapped out"),
	{ 0 },
};

static const struct qmem_metric thp_detail[] = {
	METRIC(vmstat, "fault_fallback_charge", "thp_fault_fallback_charge", thp_fault_fallback_charge,
	       "of fault_fallback, refused by a memory cgroup"),
	METRIC(vmstat, "file_alloc", "thp_file_alloc", thp_file_alloc, "allocated for shared memory"),
	METRIC(vmstat, "file_fallback", "thp_file_fallback", thp_file_fallback,
	       "shared memory had to do with small pages"),
	METRIC(vmstat, "file_fallback_charge", "thp_file_fallback_charge", thp_file_fallback_charge,
	       "of file_fallback, refused by a memory cgroup"),
	METRIC(vmstat, "file_mapped", "thp_file_mapped", thp_file_mapped, "of a file or shared memory, mapped"),
	METRIC(vmstat, "split_page_failed", "thp_split_page_failed", thp_split_page_failed, "could not be split"),
	METRIC(vmstat, "deferred_split", "thp_deferred_split_page", thp_deferred_split_page,
	       "put on the list of those to split"),
	METRIC(vmstat, "underused_split", "thp_underused_split_page", thp_underused_split_page,
	       "split as mostly zeros (6.12)"),
	METRIC(vmstat, "zero_page_alloc", "thp_zero_page_alloc", thp_zero_page_alloc, "huge zero page allocated"),
	METRIC(vmstat, "zero_page_alloc_failed", "thp_zero_page_alloc_failed", thp_zero_page_alloc_failed,
	       "no huge zero page"),
	METRIC(vmstat, "swpin", "thp_swpin", thp_swpin, "swapped in whole"),
	METRIC(vmstat, "migration_success", "thp_migration_success", thp_migration_success, "moved whole (5.9)"),
	METRIC(vmstat, "migration_fail", "thp_migration_fail", thp_migration_fail, "could not be moved whole (5.9)"),
	METRIC(vmstat, "migration_split", "thp_migration_split", thp_migration_split, "split, to be moved (5.9)"),
	{ 0 },
};

static const struct qmem_metric big_alloc[] = {
	METRIC(vmstat, "hugetlb_success", "htlb_buddy_alloc_success", htlb_buddy_alloc_success,
	       "huge pages added to the pool"),
	METRIC(vmstat, "hugetlb_fail", "htlb_buddy_alloc_fail", htlb_buddy_alloc_fail,
	       "huge pages not to be had for the pool"),
	METRIC(vmstat, "cma_success", "cma_alloc_success", cma_alloc_success, "contiguous areas allocated (5.13)"),
	METRIC(vmstat, "cma_fail", "cma_alloc_fail", cma_alloc_fail, "contiguous areas refused (5.13)"),
	{ 0 },
};

static const struct qmem_metric oom[] = {
	METRIC(vmstat, "kill", "oom_kill", oom_kill,
	       "processes killed for want of memory, in the machine or in a memory cgroup (4.13)"),
	{ 0 },
};

static const struct qmem_metric drop[] = {
	METRIC(vmstat, "pagecache", "drop_pagecache", drop_pagecache, "1 or 3 written to vm.drop_caches"),
	METRIC(vmstat, "slab", "drop_slab", drop_slab, "2 or 3 written to vm.drop_caches"),
	{ 0 },
};

static const struct qmem_metric numa[] = {
	METRIC(vmstat, "hit", "numa_hit", numa_hit, "allocated on the node meant"),
	METRIC(vmstat, "miss", "numa_miss", numa_miss, "allocated here though another node was meant"),
	METRIC(vmstat, "foreign", "numa_foreign", numa_foreign, "meant for here, allocated on another node"),
	METRIC(vmstat, "interleave", "numa_interleave", numa_interleave, "interleaved, on the node meant"),
	METRIC(vmstat, "local", "numa_local", numa_local, "by a task on the same node"),
	METRIC(vmstat, "other", "numa_other", numa_other, "by a task on another node"),
	{ 0 },
};

static const struct qmem_metric numa_balancing[] = {
	METRIC(vmstat, "pte_updates", "numa_pte_updates", numa_pte_updates, "pages unmapped to see who uses them"),
	METRIC(vmstat, "huge_pte_updates", "numa_huge_pte_updates", numa_huge_pte_updates, "the same for huge ones"),
	METRIC(vmstat, "hint_faults", "numa_hint_faults", numa_hint_faults, "faults that have told it"),
	METRIC(vmstat, "hint_faults_local", "numa_hint_faults_local", numa_hint_faults_local,
	       "of those, from the same node"),
	METRIC(vmstat, "migrated", "numa_pages_migrated", numa_pages_migrated, "pages moved to their user"),
	METRIC(vmstat, "task_migrated", "numa_task_migrated", numa_task_migrated, "tasks moved to their memory (6.16)"),
	METRIC(vmstat, "task_swapped", "numa_task_swapped", numa_task_swapped,
	       "tasks that changed places for it (6.16)"),
	{ 0 },
};

static const struct qmem_metric zone_reclaim[] = {
	METRIC(vmstat, "success", "zone_reclaim_success", zone_reclaim_success, "reclaim on the own node sufficed"),
	METRIC(vmstat, "fail", "zone_reclaim_failed", zone_reclaim_failed, "it did not"),
	{ 0 },
};

static const struct qmem_metric tiering[] = {
	METRIC(vmstat, "promote", "pgpromote_success", pgpromote_success, "moved to faster memory (5.18)"),
	METRIC(vmstat, "promote_candidate", "pgpromote_candidate", pgpromote_candidate, "could have been (6.1)"),
	METRIC(vmstat, "promote_candidate_nrl", "pgpromote_candidate_nrl", pgpromote_candidate_nrl,
	       "the same, not rate limited (6.17)"),
	METRIC(vmstat, "demote_kswapd", "pgdemote_kswapd", pgdemote_kswapd, "moved to slower memory by kswapd (5.15)"),
	METRIC(vmstat, "demote_direct", "pgdemote_direct", pgdemote_direct,
	       "moved to slower memory by tasks that waited (5.15)"),
	METRIC(vmstat, "demote_khugepaged", "pgdemote_khugepaged", pgdemote_khugepaged,
	       "moved to slower memory for huge pages (6.2)"),
	METRIC(vmstat, "demote_proactive", "pgdemote_proactive", pgdemote_proactive,
	       "moved to slower memory by request (6.15)"),
	{ 0 },
};

static const struct qmem_metric unevictable[] = {
	METRIC(vmstat, "culled", "unevictable_pgs_culled", unevictable_pgs_culled, "found to be unevictable"),
	METRIC(vmstat, "scanned", "unevictable_pgs_scanned", unevictable_pgs_scanned, "looked at again"),
	METRIC(vmstat, "rescued", "unevictable_pgs_rescued", unevictable_pgs_rescued, "found to be evictable again"),
	METRIC(vmstat, "mlocked", "unevictable_pgs_mlocked", unevictable_pgs_mlocked, "locked"),
	METRIC(vmstat, "munlocked", "unevictable_pgs_munlocked", unevictable_pgs_munlocked, "unlocked"),
	METRIC(vmstat, "cleared", "unevictable_pgs_cleared", unevictable_pgs_cleared, "unlocked as they were freed"),
	METRIC(vmstat, "stranded", "unevictable_pgs_stranded", unevictable_pgs_stranded,
	       "could not be taken off the list"),
	{ 0 },
};

static const struct qmem_metric balloon[] = {
	METRIC(vmstat, "inflate", "balloon_inflate", balloon_inflate, "given to the host"),
	METRIC(vmstat, "deflate", "balloon_deflate", balloon_deflate, "got back from it"),
	METRIC(vmstat, "migrate", "balloon_migrate", balloon_migrate, "given in place of another page"),
	{ 0 },
};

static const struct qmem_metric ksm[] = {
	METRIC(vmstat, "cow", "cow_ksm", cow_ksm, "merged, and copied again as they were written"),
	METRIC(vmstat, "swpin_copy", "ksm_swpin_copy", ksm_swpin_copy, "merged, and copied as they were swapped in"),
	{ 0 },
};

/* A key named by the options RawGauge or RawCounter. */
struct raw {
	int64_t value;
	const char *key;
	bool gauge, counter;
	struct qmem_complaint missing;
};

static const struct qmem_metric raw_value[] = {
	METRIC(raw, "value", NULL, value, "as the kernel says it"),
	{ 0 },
};

static const struct qmem_family families[] = {
	FAMILY("faults", "Page faults", "reclaim/paging", "line", faults, COUNTER("faults", 1, "vmpage_faults")),
	FAMILY("io", "Block device I/O", "reclaim/paging", "area", io, COUNTER("bytes", 1, "total_bytes")),
	FAMILY("scan", "Pages scanned, by origin", "reclaim/scan", "line", scan, PAGES),
	FAMILY("steal", "Pages reclaimed, by origin", "reclaim/scan", "line", steal, PAGES),
	FAMILY("scan_type", "Pages scanned, by type", "reclaim/scan", "line", scan_type, PAGES),
	FAMILY("steal_type", "Pages reclaimed, by type", "reclaim/scan", "line", steal_type, PAGES),
	FAMILY("efficiency", "Reclaim efficiency", "reclaim/scan", "line", efficiency,
	       GAUGE("percent", 100, "percent")),
	FAMILY("kswapd", "Runs of kswapd", "reclaim/scan", "line", kswapd, EVENTS),
	FAMILY("shrink", "Caches shrunk", "reclaim/scan", "line", shrink, EVENTS, .flags = QMEM_DETAIL),
	FAMILY("drop", "Caches dropped by hand", "reclaim/scan", "line", drop, EVENTS),
	FAMILY("refault", "Refaults", "reclaim/refaults", "line", refault, PAGES),
	FAMILY("workingset", "Refaults of the working set", "reclaim/refaults", "line", workingset, PAGES),
	FAMILY("swapping", "Swapped pages", "reclaim/swap", "area", swapping, COUNTER("pages", 1, "swap_io"),
	       .flags = QMEM_OVERLAP),
	FAMILY("swap_cache", "Swap without a wait", "reclaim/swap", "line", swap_cache, PAGES),
	FAMILY("swap_requests", "Requests to swap devices", "reclaim/swap", "area", swap_requests, EVENTS,
	       .flags = QMEM_DETAIL),
	FAMILY("stalls", "Stalls of allocations", "reclaim/stalls", "line", stalls, EVENTS),
	FAMILY("oom", "OOM kills", "reclaim/stalls", "line", oom, EVENTS),
	FAMILY("alloc", "Pages allocated", "reclaim/pages", "line", alloc, PAGES),
	FAMILY("lru", "Pages moved on the LRU lists", "reclaim/pages", "line", lru, PAGES, .flags = QMEM_DETAIL),
	FAMILY("writeout", "Pages written", "reclaim/pages", "line", writeout, PAGES),
	FAMILY("unevictable", "Unevictable pages", "reclaim/pages", "line", unevictable, PAGES, .flags = QMEM_DETAIL),
	FAMILY("balloon", "Balloon pages", "reclaim/pages", "line", balloon, PAGES, .flags = QMEM_DETAIL),
	FAMILY("ksm", "Merged pages copied", "reclaim/pages", "line", ksm, PAGES, .flags = QMEM_DETAIL),
	FAMILY("compaction", "Compaction", "reclaim/compaction", "line", compaction, EVENTS),
	FAMILY("compaction_pages", "Pages of compaction", "reclaim/compaction", "line", compaction_pages, PAGES),
	FAMILY("migrate", "Pages migrated", "reclaim/compaction", "line", migrate, PAGES),
	FAMILY("thp", "Transparent huge pages", "reclaim/huge pages", "line", thp, EVENTS),
	FAMILY("thp_detail", "Transparent huge pages, details", "reclaim/huge pages", "line", thp_detail, EVENTS,
	       .flags = QMEM_DETAIL),
	FAMILY("big_alloc", "Huge pages and contiguous areas", "reclaim/huge pages", "line", big_alloc, EVENTS,
	       .flags = QMEM_DETAIL),
	FAMILY("numa", "Pages by NUMA placement", "reclaim/numa", "line", numa, PAGES, .flags = QMEM_DETAIL),
	FAMILY("numa_balancing", "NUMA balancing", "reclaim/numa", "line", numa_balancing, EVENTS,
	       .flags = QMEM_DETAIL),
	FAMILY("zone_reclaim", "Node reclaim", "reclaim/numa", "line", zone_reclaim, EVENTS, .flags = QMEM_DETAIL),
	FAMILY("tiering", "Memory tiering", "reclaim/numa", "line", tiering, PAGES, .flags = QMEM_DETAIL),
	FAMILY("raw_gauge", "Levels by name", "reclaim/raw", "line", raw_value, GAUGE("value", 1, "gauge"),
	       .label = "key"),
	FAMILY("raw_counter", "Counters by name", "reclaim/raw", "line", raw_value, COUNTER("value", 1, "derive"),
	       .label = "key"),
	{ 0 },
};

/* The parts of a counter that is split by zone. */
#define PART (KV_ADD | KV_GROWS)
#define ZONES(member)                                                                                                  \
	KV_KEY(vmstat, #member "_dma", member, PART), KV_KEY(vmstat, #member "_dma32", member, PART),                  \
		KV_KEY(vmstat, #member "_normal", member, PART), KV_KEY(vmstat, #member "_high", member, PART),        \
		KV_KEY(vmstat, #member "_movable", member, PART), KV_KEY(vmstat, #member "_device", member, PART)

/* Keys that only feed derived values, and those of other kernels. */
static const struct kv_key feeds[] = {
	KV_KEY(vmstat, "pgfault", pgfault, KV_GROWS),
	KV_KEY(vmstat, "pgpgin", pgpgin, KV_GROWS),
	KV_KEY(vmstat, "pgpgout", pgpgout, KV_GROWS),
	ZONES(pgalloc),
	ZONES(allocstall), /* since 4.10 */
	ZONES(pgskip),
	ZONES(pgrefill), /* until 4.7, and so the next four */
	ZONES(pgscan_kswapd),
	ZONES(pgscan_direct),
	ZONES(pgsteal_kswapd),
	ZONES(pgsteal_direct),
	KV_KEY(vmstat, "workingset_refault", workingset_refault_file,
	       KV_GROWS), /* until 5.8: anonymous memory was not followed */
	KV_KEY(vmstat, "workingset_activate", workingset_activate_file, KV_GROWS),
	KV_KEY(vmstat, "workingset_restore", workingset_restore_file, KV_GROWS),
	KV_KEY(vmstat, "thp_split", thp_split_page, KV_GROWS), /* until 4.4 */
	{ 0 },
};

const struct kv_ignore vmstat_ignored[] = {
	{ "nr_tlb_*", "a debugging option of the kernel" },
	{ "nr_*", "levels in pages, which meminfo has in bytes, or which RawGauge can name" },
	{ "workingset_nodes", "a level: nodes of the page cache's index that remember refaults" },
	{ "thp_split_pud", "huge pages of 1 GiB, of device memory only" },
	{ "thp_scan_exceed_*", "why khugepaged passed a range over: for its developers" },
	{ "unevictable_pgs_mlockfreed", "always 0 in kernels that still had it" },
	{ "direct_map_*", "splits of the kernel's own direct map, which never go back" },
	{ "vma_lock_*", "locks, for developers of the kernel" },
	{ "vmacache_*", "a debugging option of the kernel" },
	{ "kstack_*", "a debugging option of the kernel" },
	{ "", "a hidden counter of 4.14 to 4.19, printed without its name" },
	{ 0 },
};

#define OVERSTEP_MAX (62 * 1024) /* half the largest threshold, on very many CPUs */

struct state {
	struct qmem_list raw_gauge, raw_counter;

	struct kvfile keys;
	struct kv raw_kv;
	struct vmstat samples[2];
	unsigned last; /* of the samples */
	bool collected;
	uint64_t when;
	struct vmstat shown; /* of the last round of its own: what the efficiency is since */
	bool any_shown;
	struct raw *raws;
	size_t n_raws;
	const struct qmem_family *gauges, *counters;
};

int vmstat_kv_init(struct kv *kv)
{
	return kv_init(kv, KV_PLAIN, families, feeds);
}

/* A fault is counted before it is known to be a major one: of some under way the difference falls again, as a counter must
 * not unless it was set back. */
static int64_t minor_faults(const struct vmstat *v, const struct vmstat *before)
{
	int64_t n = value_minus(v->pgfault, v->pgmajfault);

	if (n != QMEM_NA && before && before->minflt != QMEM_NA && n < before->minflt && v->pgfault >= before->pgfault)
		n = before->minflt;
	return n;
}

/* Adds what the counter at `offset` has grown by. Not if it is absent, which is no fault where others stand for it; false
 * if it was set back. */
static bool grown(const struct vmstat *v, const struct vmstat *before, size_t offset, int64_t *sum, bool *any)
{
	int64_t a = *(const int64_t *)(const void *)((const char *)before + offset);
	int64_t b = *(const int64_t *)(const void *)((const char *)v + offset);

	if (a == QMEM_NA || b == QMEM_NA)
		return true;
	*any = true;
	return b >= a && !__builtin_add_overflow(*sum, b - a, sum);
}

static int64_t reclaim_efficiency(const struct vmstat *v, const struct vmstat *before)
{
#define PAIR(x)                                                                                                        \
	{                                                                                                              \
		offsetof(struct vmstat, pgscan_##x), offsetof(struct vmstat, pgsteal_##x)                              \
	}
	/* what is there by type has all of it, what is there by origin may lack the memory cgroups' */
	static const size_t by_type[][2] = { PAIR(anon), PAIR(file) };
	static const size_t by_origin[][2] = { PAIR(kswapd), PAIR(direct), PAIR(khugepaged), PAIR(proactive) };
#undef PAIR
	bool typed = v->pgscan_anon != QMEM_NA && v->pgscan_file != QMEM_NA && v->pgsteal_anon != QMEM_NA &&
		     v->pgsteal_file != QMEM_NA;
	const size_t(*pairs)[2] = typed ? by_type : by_origin;
	size_t i, n = typed ? 2 : 4;
	int64_t scanned = 0, stolen = 0;
	bool any_scanned = false, any_stolen = false;

	for (i = 0; i < n; i++)
		if (!grown(v, before, pairs[i][0], &scanned, &any_scanned) ||
		    !grown(v, before, pairs[i][1], &stolen, &any_stolen))
			return QMEM_NA;
	return any_scanned && any_stolen ? value_ratio(stolen, scanned) : QMEM_NA;
}

void vmstat_derive(struct vmstat *v, const struct vmstat *before)
{
	v->minflt = minor_faults(v, before);
	v->io_in = value_times(v->pgpgin, 1024);
	v->io_out = value_times(v->pgpgout, 1024);
	v->efficiency = before ? reclaim_efficiency(v, before) : QMEM_NA;
}

/* A node's counter falls by some pages now and then: when a CPU's share of it grows too large, the kernel moves half a
 * threshold more to the node than there is, and takes it back later (mm/vmstat.c, overstep). It stays where it was until it
 * has caught up; nothing in here falls by so little for another reason. */
static void hold(struct vmstat *v, const struct vmstat *before)
{
	for (const struct qmem_family *f = families; f->id; f++) {
		if (f->kind != QMEM_COUNTER || f->label)
			continue;
		for (const struct qmem_metric *m = f->metrics; m->id; m++) {
			int64_t a = qmem_value(m, before), b = qmem_value(m, v);

			if (m->key && a != QMEM_NA && b != QMEM_NA && b < a && a - b <= OVERSTEP_MAX)
				*(int64_t *)(void *)((char *)v + m->offset) = a;
		}
	}
}

/* The text is good until the next qmem_read(). */
static ssize_t read_sample(struct qmem *q, struct state *s, bool tell, struct vmstat *ret, const char **ret_text)
{
	ssize_t len = kvfile_read(q, &s->keys, tell, ret, ret_text);

	if (len < 0)
		return len;
	if (s->collected)
		hold(ret, &s->samples[s->last]);
	vmstat_derive(ret, s->any_shown ? &s->shown : NULL);
	return len;
}

const struct vmstat *vmstat_last(struct qmem *q, uint64_t *ret_when)
{
	const struct state *s = qmem_state(q, &vmstat_service);

	if (!s || !s->collected)
		return NULL;
	if (ret_when)
		*ret_when = s->when;
	return &s->samples[s->last];
}

int vmstat_now(struct qmem *q, struct vmstat *ret)
{
	struct state *s = qmem_state(q, &vmstat_service);
	struct vmstat v;
	const char *text;
	ssize_t len;

	if (!s)
		return -ENOENT;
	memset(&v, 0, sizeof(v));
	len = read_sample(q, s, false, &v, &text);
	if (len < 0)
		return (int)len;
	*ret = v;
	return 0;
}

static struct raw *add_raw(struct state *s, const char *key)
{
	size_t i;

	for (i = 0; i < s->n_raws; i++)
		if (strcmp(s->raws[i].key, key) == 0)
			return &s->raws[i];
	s->raws[s->n_raws].key = key;
	return &s->raws[s->n_raws++];
}

static int start_raw(struct state *s)
{
	const struct qmem_family *f;
	struct kv_key *keys;
	size_t i;
	int r;

	s->raws = calloc(s->raw_gauge.n + s->raw_counter.n + 1, sizeof(*s->raws));
	keys = calloc(s->raw_gauge.n + s->raw_counter.n + 1, sizeof(*keys));
	if (!s->raws || !keys) {
		r = -ENOMEM;
		goto out;
	}
	for (i = 0; i < s->raw_gauge.n; i++)
		add_raw(s, s->raw_gauge.items[i])->gauge = true;
	for (i = 0; i < s->raw_counter.n; i++)
		add_raw(s, s->raw_counter.items[i])->counter = true;
	for (i = 0; i < s->n_raws; i++) {
		keys[i].key = s->raws[i].key;
		keys[i].offset = i * sizeof(*s->raws) + offsetof(struct raw, value);
		keys[i].flags = s->raws[i].gauge ? 0 : KV_GROWS;
	}
	for (f = families; f->id; f++)
		if (f->label)
			*(f->kind == QMEM_GAUGE ? &s->gauges : &s->counters) = f;
	r = kv_init(&s->raw_kv, KV_PLAIN, NULL, keys);
out:
	free(keys);
	return r;
}

static void stop(struct qmem *q, void *state)
{
	struct state *s = state;

	(void)q;
	kvfile_release(&s->keys);
	kv_release(&s->raw_kv);
	free(s->raws);
}

static int start(struct qmem *q, void *state)
{
	struct state *s = state;
	const char *text;
	int r;

	s->keys.file = QMEM_FILE("proc/vmstat");
	r = vmstat_kv_init(&s->keys.kv);
	if (r == 0)
		r = start_raw(s);
	if (r == 0 && qmem_read(q, &s->keys.file, &text) == -ENOENT)
		r = qmem_fail(q, -ENOTSUP, "no '/%s'", s->keys.file.path);
	return r;
}

static void emit_raws(struct qmem *q, struct state *s, const char *text, size_t len)
{
	struct raw *raw;

	if (!s->n_raws)
		return;
	kv_parse(&s->raw_kv, text, len, s->raws, NULL);
	for (raw = s->raws; raw < s->raws + s->n_raws; raw++) {
		struct qmem_instance instance = { .name = raw->key };

		if (raw->value == QMEM_NA)
			qmem_complain(q, &raw->missing, "'/%s' has no value for '%s'", s->keys.file.path, raw->key);
		else
			qmem_release(q, &raw->missing, "'/%s' has a value for '%s' again", s->keys.file.path, raw->key);
		if (raw->gauge)
			qmem_emit(q, s->gauges, &instance, raw);
		if (raw->counter)
			qmem_emit(q, s->counters, &instance, raw);
	}
}

static int collect(struct qmem *q, void *state)
{
	struct state *s = state;
	struct vmstat *v = &s->samples[!s->last];
	const char *text;
	ssize_t len = read_sample(q, s, true, v, &text);

	if (len < 0)
		return (int)len;
	s->last = !s->last;
	s->collected = true;
	s->when = qmem_now(q);
	if (qmem_muted(q))
		return 0;
	s->shown = *v;
	s->any_shown = true;
	qmem_emit_all(q, v);
	emit_raws(q, s, text, (size_t)len);
	return 0;
}

static bool check_key(const char *key, char *why, size_t size)
{
	if (*key && !strpbrk(key, " \t\n"))
		return true;
	snprintf(why, size, "is no key of /proc/vmstat: it %s", *key ? "has a blank" : "is empty");
	return false;
}

static const struct qmem_option options[] = {
	{ .name = "RawGauge",
	  .type = QMEM_LIST,
	  .offset = offsetof(struct state, raw_gauge),
	  .check = check_key,
	  .help = "a key of /proc/vmstat to show as a level, such as nr_free_pages",
	  .example = "nr_free_pages" },
	{ .name = "RawCounter",
	  .type = QMEM_LIST,
	  .offset = offsetof(struct state, raw_counter),
	  .check = check_key,
	  .help = "a key of /proc/vmstat to show as a counter, such as thp_split_pud",
	  .example = "thp_split_pud" },
	{ 0 },
};

const struct qmem_service vmstat_service = {
	.name = "vmstat",
	.help = "what the kernel does to find memory, and who waits for it",
	.source = "/proc/vmstat",
	.kernel = "2.6",
	.privilege = "none",
	.priority = 2100,
	.families = families,
	.options = options,
	.state_size = sizeof(struct state),
	.start = start,
	.collect = collect,
	.stop = stop,
};
