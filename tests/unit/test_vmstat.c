/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "keys.h"
#include "procroot.h"
#include "service/vmstat.h"
#include "services.h"

/* The keys of kernels, in their order; NUMA, x86_64 or 32-bit x86, most options on. */

#define ZONES(x) x "_dma " x "_dma32 " x "_normal " x "_movable "

static const char keys_3_10[] =
	"nr_free_pages nr_inactive_anon nr_active_anon nr_inactive_file nr_active_file nr_unevictable nr_mlock nr_anon_pages "
	"nr_mapped nr_file_pages nr_dirty nr_writeback nr_slab_reclaimable nr_slab_unreclaimable nr_page_table_pages "
	"nr_kernel_stack nr_unstable nr_bounce nr_vmscan_write nr_vmscan_immediate_reclaim nr_writeback_temp "
	"nr_isolated_anon nr_isolated_file nr_shmem nr_dirtied nr_written numa_hit numa_miss numa_foreign numa_interleave "
	"numa_local numa_other nr_anon_transparent_hugepages nr_free_cma nr_dirty_threshold "
	"nr_dirty_background_threshold pgpgin pgpgout pswpin pswpout " ZONES(
		"pgalloc") "pgfree pgactivate pgdeactivate "
			   "pgfault pgmajfault " ZONES("pgrefill") ZONES("pgsteal_kswapd") ZONES(
				   "pgsteal_direct") ZONES("pgscan_kswapd")
				   ZONES("pgscan_direct") "pgscan_direct_throttle zone_reclaim_failed pginodesteal slabs_scanned kswapd_inodesteal "
							  "kswapd_low_wmark_hit_quickly kswapd_high_wmark_hit_quickly pageoutrun allocstall pgrotated numa_pte_updates "
							  "numa_hint_faults numa_hint_faults_local numa_pages_migrated pgmigrate_success pgmigrate_fail "
							  "compact_migrate_scanned compact_free_scanned compact_isolated compact_stall compact_fail compact_success "
							  "htlb_buddy_alloc_success htlb_buddy_alloc_fail unevictable_pgs_culled unevictable_pgs_scanned "
							  "unevictable_pgs_rescued unevictable_pgs_mlocked unevictable_pgs_munlocked unevictable_pgs_cleared "
							  "unevictable_pgs_stranded thp_fault_alloc thp_fault_fallback thp_collapse_alloc thp_collapse_alloc_failed thp_split "
							  "thp_zero_page_alloc thp_zero_page_alloc_failed ";

/* from zone to node counters; single counters for reclaim, allocation stalls by zone */
static const char keys_4_18[] =
	"nr_free_pages nr_zone_inactive_anon nr_zone_active_anon nr_zone_write_pending nr_mlock nr_page_table_pages "
	"nr_kernel_stack nr_bounce nr_zspages nr_free_cma numa_hit numa_miss numa_foreign numa_interleave numa_local "
	"numa_other nr_inactive_anon nr_active_anon nr_slab_reclaimable workingset_refault workingset_activate "
	"workingset_nodereclaim nr_anon_pages nr_dirty nr_writeback nr_shmem nr_unstable nr_vmscan_write "
	"nr_vmscan_immediate_reclaim nr_dirtied nr_written nr_dirty_threshold nr_dirty_background_threshold pgpgin pgpgout "
	"pswpin pswpout " ZONES("pgalloc") ZONES("allocstall") ZONES(
		"pgskip") "pgfree pgactivate pgdeactivate pglazyfree "
			  "pgfault pgmajfault pglazyfreed pgrefill pgsteal_kswapd pgsteal_direct pgscan_kswapd pgscan_direct "
			  "pgscan_direct_throttle zone_reclaim_failed pginodesteal slabs_scanned kswapd_inodesteal "
			  "kswapd_low_wmark_hit_quickly kswapd_high_wmark_hit_quickly pageoutrun pgrotated drop_pagecache drop_slab oom_kill "
			  "numa_pte_updates numa_huge_pte_updates numa_hint_faults numa_hint_faults_local numa_pages_migrated "
			  "pgmigrate_success pgmigrate_fail compact_migrate_scanned compact_free_scanned compact_isolated compact_stall "
			  "compact_fail compact_success compact_daemon_wake compact_daemon_migrate_scanned compact_daemon_free_scanned "
			  "htlb_buddy_alloc_success htlb_buddy_alloc_fail unevictable_pgs_culled unevictable_pgs_scanned "
			  "unevictable_pgs_rescued unevictable_pgs_mlocked unevictable_pgs_munlocked unevictable_pgs_cleared "
			  "unevictable_pgs_stranded thp_fault_alloc thp_fault_fallback thp_collapse_alloc thp_collapse_alloc_failed "
			  "thp_file_alloc thp_file_mapped thp_split_page thp_split_page_failed thp_deferred_split_page thp_split_pmd "
			  "thp_split_pud thp_zero_page_alloc thp_zero_page_alloc_failed thp_swpout thp_swpout_fallback balloon_inflate "
			  "balloon_deflate balloon_migrate swap_ra swap_ra_hit ";

/* reclaim by type, refaults by type */
static const char keys_5_10[] =
	"nr_free_pages nr_zone_inactive_anon nr_mlock nr_page_table_pages nr_bounce nr_zspages nr_free_cma numa_hit "
	"numa_miss numa_foreign numa_interleave numa_local numa_other nr_isolated_file workingset_nodes "
	"workingset_refault_anon workingset_refault_file workingset_activate_anon workingset_activate_file "
	"workingset_restore_anon workingset_restore_file workingset_nodereclaim nr_anon_pages nr_dirty nr_vmscan_write "
	"nr_vmscan_immediate_reclaim nr_dirtied nr_written nr_kernel_misc_reclaimable nr_foll_pin_acquired "
	"nr_dirty_threshold pgpgin pgpgout pswpin pswpout " ZONES("pgalloc") ZONES("allocstall") ZONES(
		"pgskip") "pgfree pgactivate pgdeactivate pglazyfree pgfault pgmajfault pglazyfreed pgrefill pgreuse pgsteal_kswapd "
			  "pgsteal_direct pgscan_kswapd pgscan_direct pgscan_direct_throttle pgscan_anon pgscan_file pgsteal_anon pgsteal_file "
			  "zone_reclaim_failed pginodesteal slabs_scanned kswapd_inodesteal kswapd_low_wmark_hit_quickly "
			  "kswapd_high_wmark_hit_quickly pageoutrun pgrotated drop_pagecache drop_slab oom_kill pgmigrate_success "
			  "pgmigrate_fail thp_migration_success thp_migration_fail thp_migration_split compact_stall compact_fail "
			  "compact_success unevictable_pgs_culled thp_fault_alloc thp_fault_fallback thp_fault_fallback_charge "
			  "thp_file_alloc thp_file_fallback thp_file_fallback_charge thp_file_mapped thp_split_page thp_split_pud "
			  "nr_tlb_remote_flush nr_tlb_remote_flush_received nr_tlb_local_flush_all nr_tlb_local_flush_one "
			  "vmacache_find_calls vmacache_find_hits swap_ra swap_ra_hit ";

/* allocations of device memory, promotion and demotion */
static const char keys_6_1[] =
	"nr_free_pages numa_hit workingset_nodes workingset_refault_anon workingset_refault_file workingset_activate_anon "
	"workingset_activate_file workingset_restore_anon workingset_restore_file workingset_nodereclaim nr_dirtied "
	"nr_written nr_throttled_written pgpromote_success pgpromote_candidate pgpgin pgpgout pswpin pswpout " ZONES("pgalloc") "pgalloc_device " ZONES(
		"allocstall") "allocstall_device " ZONES("pgskip") "pgskip_device pgfree "
								   "pgactivate pgdeactivate pglazyfree pgfault pgmajfault pglazyfreed pgrefill pgreuse pgsteal_kswapd pgsteal_direct "
								   "pgdemote_kswapd pgdemote_direct pgscan_kswapd pgscan_direct pgscan_direct_throttle pgscan_anon pgscan_file "
								   "pgsteal_anon pgsteal_file zone_reclaim_failed oom_kill cma_alloc_success cma_alloc_fail thp_scan_exceed_none_pte "
								   "thp_scan_exceed_swap_pte thp_scan_exceed_share_pte swap_ra swap_ra_hit ksm_swpin_copy cow_ksm zswpin zswpout "
								   "direct_map_level2_splits direct_map_level3_splits ";

/* reclaim for huge pages and on request apart */
static const char keys_6_18[] =
	"nr_free_pages nr_free_pages_blocks numa_hit workingset_nodes workingset_refault_anon workingset_refault_file "
	"workingset_activate_anon workingset_activate_file workingset_restore_anon workingset_restore_file "
	"workingset_nodereclaim pgpromote_success pgpromote_candidate pgpromote_candidate_nrl pgdemote_kswapd pgdemote_direct "
	"pgdemote_khugepaged pgdemote_proactive nr_balloon_pages nr_memmap_boot_pages pgpgin pgpgout pswpin pswpout " ZONES("pgalloc") "pgalloc_device " ZONES(
		"allocstall") "allocstall_device pgfree pgfault pgmajfault pgrefill "
			      "pgsteal_kswapd pgsteal_direct pgsteal_khugepaged pgsteal_proactive pgscan_kswapd pgscan_direct pgscan_khugepaged "
			      "pgscan_proactive pgscan_direct_throttle pgscan_anon pgscan_file pgsteal_anon pgsteal_file zone_reclaim_success "
			      "zone_reclaim_failed oom_kill numa_task_migrated numa_task_swapped thp_underused_split_page thp_swpin swpin_zero "
			      "swpout_zero zswpin zswpout zswpwb vma_lock_success vma_lock_abort vma_lock_retry vma_lock_miss kstack_1k kstack_rest "
			      "direct_map_level2_collapses nr_unstable ";

/* the same names, moved up among the node counters, and with a new meaning */
static const char keys_7[] =
	"nr_free_pages numa_hit workingset_refault_anon workingset_refault_file pgsteal_kswapd pgsteal_direct "
	"pgsteal_khugepaged pgsteal_proactive pgsteal_anon pgsteal_file pgscan_kswapd pgscan_direct pgscan_khugepaged "
	"pgscan_proactive pgscan_anon pgscan_file pgrotate_anon pgrotate_file pgrefill nr_gpu_active nr_gpu_reclaim pgpgin "
	"pgpgout pswpin pswpout " ZONES("pgalloc")
		ZONES("allocstall") "pgfault pgmajfault pgscan_direct_throttle oom_kill nrswpin nrswpout ";

#define AT(member) offsetof(struct vmstat, member)

/* What a member is the sum of, in that kernel; NULL: it is absent. */
struct row {
	size_t offset;
	const char *of;
};

#define ROW(member, of_)                                                                                               \
	{                                                                                                              \
		AT(member), of_                                                                                        \
	}
#define SAME(member)                                                                                                   \
	{                                                                                                              \
		AT(member), #member                                                                                    \
	}
#define LAST                                                                                                           \
	{                                                                                                              \
		0, ""                                                                                                  \
	}

static const struct row rows_3_10[] = {
	ROW(pgscan_kswapd, ZONES("pgscan_kswapd")),
	ROW(pgscan_direct, ZONES("pgscan_direct")),
	ROW(pgsteal_kswapd, ZONES("pgsteal_kswapd")),
	ROW(pgsteal_direct, ZONES("pgsteal_direct")),
	ROW(pgrefill, ZONES("pgrefill")),
	ROW(pgalloc, ZONES("pgalloc")),
	SAME(allocstall),
	SAME(pgscan_direct_throttle),
	ROW(pgskip, NULL),
	ROW(pgscan_anon, NULL),
	ROW(pgscan_khugepaged, NULL),
	ROW(workingset_refault_file, NULL),
	ROW(workingset_refault_anon, NULL),
	ROW(thp_split_page, "thp_split "),
	ROW(oom_kill, NULL),
	ROW(drop_pagecache, NULL),
	SAME(pgmajfault),
	SAME(numa_local),
	SAME(nr_written),
	LAST,
};

static const struct row rows_4_18[] = {
	SAME(pgscan_kswapd),
	SAME(pgscan_direct),
	SAME(pgsteal_kswapd),
	SAME(pgsteal_direct),
	SAME(pgrefill),
	ROW(pgalloc, ZONES("pgalloc")),
	ROW(allocstall, ZONES("allocstall")),
	ROW(pgskip, ZONES("pgskip")),
	SAME(pgscan_direct_throttle),
	ROW(pgscan_file, NULL),
	ROW(workingset_refault_file, "workingset_refault "),
	ROW(workingset_activate_file, "workingset_activate "),
	ROW(workingset_restore_file, NULL),
	ROW(workingset_refault_anon, NULL),
	SAME(thp_split_page),
	SAME(thp_split_pmd),
	SAME(oom_kill),
	SAME(drop_slab),
	SAME(swap_ra_hit),
	LAST,
};

static const struct row rows_5_10[] = {
	SAME(pgscan_kswapd),
	SAME(pgscan_anon),
	SAME(pgscan_file),
	SAME(pgsteal_anon),
	SAME(pgsteal_file),
	ROW(allocstall, ZONES("allocstall")),
	ROW(pgscan_khugepaged, NULL),
	SAME(workingset_refault_anon),
	SAME(workingset_refault_file),
	SAME(workingset_restore_anon),
	SAME(thp_migration_split),
	SAME(pgreuse),
	SAME(pgscan_direct_throttle),
	SAME(pgscan_direct),
	LAST,
};

static const struct row rows_6_1[] = {
	ROW(allocstall, ZONES("allocstall") "allocstall_device "),
	ROW(pgalloc, ZONES("pgalloc") "pgalloc_device "),
	ROW(pgskip, ZONES("pgskip") "pgskip_device "),
	SAME(pgpromote_success),
	SAME(pgdemote_direct),
	SAME(nr_throttled_written),
	SAME(cma_alloc_fail),
	SAME(cow_ksm),
	SAME(zswpout),
	ROW(zswpwb, NULL),
	ROW(pgscan_proactive, NULL),
	LAST,
};

static const struct row rows_6_18[] = {
	SAME(pgscan_khugepaged),
	SAME(pgscan_proactive),
	SAME(pgsteal_khugepaged),
	SAME(pgsteal_proactive),
	ROW(allocstall, ZONES("allocstall") "allocstall_device "),
	SAME(zswpwb),
	SAME(swpout_zero),
	SAME(zone_reclaim_success),
	SAME(pgdemote_proactive),
	SAME(numa_task_swapped),
	LAST,
};

static const struct row rows_7[] = {
	SAME(pgscan_kswapd),
	SAME(pgscan_proactive),
	SAME(pgscan_anon),
	SAME(pgsteal_file),
	SAME(pgrotate_anon),
	SAME(pgrotate_file),
	SAME(pgrefill),
	ROW(allocstall, ZONES("allocstall")),
	SAME(pgscan_direct_throttle),
	SAME(workingset_refault_file),
	SAME(nrswpin),
	SAME(nrswpout),
	LAST,
};

static const struct kernel {
	const char *name, *keys;
	const struct row *rows;
} kernels[] = {
	{ "3.10", keys_3_10, rows_3_10 }, { "4.18", keys_4_18, rows_4_18 }, { "5.10", keys_5_10, rows_5_10 },
	{ "6.1", keys_6_1, rows_6_1 },    { "6.18", keys_6_18, rows_6_18 }, { "7", keys_7, rows_7 },
};
#define KERNELS (sizeof(kernels) / sizeof(*kernels))

/* The value of the n-th key: no two sums of them are alike. */
static int64_t value_of(size_t n)
{
	return (int64_t)((n + 1) * (n + 1) * 1009 + n);
}

/* A text with all keys, and, by a walk of its own, the sum of those named in `of`. */
static int64_t make_text(char *dst, size_t size, const char *keys, const char *of)
{
	char name[64], padded[80], list[1024];
	size_t len = 0, n = 0;
	int64_t sum = 0;
	int used, hits = 0, wanted = 0;

	snprintf(list, sizeof(list), " %s ", of ? of : "");
	for (const char *p = list; *p; p++)
		wanted += *p == ' ' && p[1] && p[1] != ' ';
	for (; sscanf(keys, "%63s%n", name, &used) == 1; keys += used, n++) {
		snprintf(padded, sizeof(padded), " %s ", name);
		if (strstr(list, padded)) {
			sum += value_of(n);
			hits++;
		}
		len += (size_t)snprintf(dst + len, size - len, "%s %" PRId64 "\n", name, value_of(n));
		ck_assert_uint_lt(len, size);
	}
	ck_assert_int_eq(hits, wanted);
	return of ? sum : QMEM_NA;
}

static int64_t at(const struct vmstat *v, size_t offset)
{
	return *(const int64_t *)(const void *)((const char *)v + offset);
}

START_TEST(kernels_and_their_keys)
{
	static char text[32768];
	struct kv kv;

	ck_assert_int_eq(vmstat_kv_init(&kv), 0);
	/* each kernel's text by the plan of the one before, too */
	for (size_t i = 0; i < 2 * KERNELS; i++) {
		const struct kernel *k = &kernels[i % KERNELS];
		struct fault fault;
		struct vmstat v;

		for (const struct row *row = k->rows; !row->of || *row->of; row++) {
			int64_t expected = make_text(text, sizeof(text), k->keys, row->of);

			memset(&v, 0, sizeof(v));
			ck_assert_uint_gt(kv_parse(&kv, text, strlen(text), &v, &fault), 20);
			ck_assert_int_eq(fault.kind, FAULT_NONE);
			ck_assert_msg(at(&v, row->offset) == expected, "%s: %s at %zu: %" PRId64 ", not %" PRId64,
				      k->name, row->of ? row->of : "(absent)", row->offset, at(&v, row->offset),
				      expected);
		}
		keys_check(&kv, vmstat_ignored, k->name, text);
	}
	keys_check_roots(&kv, vmstat_ignored, "proc/vmstat");
	kv_release(&kv);
}
END_TEST

static struct vmstat parse(const char *text, const struct vmstat *before)
{
	struct vmstat v;
	struct kv kv;

	memset(&v, 0, sizeof(v));
	ck_assert_int_eq(vmstat_kv_init(&kv), 0);
	kv_parse(&kv, text, strlen(text), &v, NULL);
	kv_release(&kv);
	vmstat_derive(&v, before);
	return v;
}

START_TEST(derived)
{
	struct vmstat v = parse("pgfault 1000\npgmajfault 30\npgpgin 7\npgpgout 9007199254740991\n", NULL), next;

	ck_assert_int_eq(v.minflt, 970);
	ck_assert_int_eq(v.io_in, 7168);
	ck_assert_int_eq(v.io_out, 9223372036854774784);
	v = parse("pgfault 1000\npgpgin 9007199254740992\npgpgout 18446744073709551615\n", NULL);
	ck_assert_int_eq(v.minflt, QMEM_NA);
	ck_assert_int_eq(v.io_in, QMEM_NA);
	ck_assert_int_eq(v.io_out, QMEM_NA);
	ck_assert_int_eq(v.efficiency, QMEM_NA);
	/* counters of 32 bits, printed with a sign; and what is none */
	v = parse("pgfault -1294967289\npgmajfault -1\nallocstall_normal -2\npgpgin -3000000000\n", NULL);
	ck_assert_int_eq(v.pgfault, 3000000007);
	ck_assert_int_eq(v.pgmajfault, 4294967295);
	ck_assert_int_eq(v.allocstall, 4294967294);
	ck_assert_int_eq(v.io_in, QMEM_NA);
	/* faults under way turn out to be major ones: the counter stands still */
	v = parse("pgfault 1000\npgmajfault 30\n", NULL);
	next = parse("pgfault 1002\npgmajfault 40\n", &v);
	ck_assert_int_eq(next.minflt, 970);
	next = parse("pgfault 1052\npgmajfault 40\n", &next);
	ck_assert_int_eq(next.minflt, 1012);
	/* but a counter that was set back is set back */
	next = parse("pgfault 10\npgmajfault 4\n", &next);
	ck_assert_int_eq(next.minflt, 6);
	ck_assert_int_eq(parse("pgfault 1\npgmajfault 2\n", NULL).minflt, 0);
}
END_TEST

#define ORIGIN(sk, sd, tk, td)                                                                                         \
	"pgscan_kswapd " #sk "\npgscan_direct " #sd "\npgsteal_kswapd " #tk "\npgsteal_direct " #td                    \
	"\npgscan_direct_throttle 999\n"
#define TYPE(sa, sf, ta, tf) "pgscan_anon " #sa "\npgscan_file " #sf "\npgsteal_anon " #ta "\npgsteal_file " #tf "\n"

START_TEST(efficiency)
{
	static const struct {
		const char *before, *now;
		int64_t efficiency;
	} rows[] = {
		/* all of it for a memory cgroup: by origin nothing was scanned */
		{ ORIGIN(0, 0, 0, 0) TYPE(100, 200, 50, 60), ORIGIN(0, 0, 0, 0) TYPE(150, 250, 75, 85), 5000 },
		/* a kernel that has it in both: not counted twice */
		{ ORIGIN(0, 0, 0, 0) TYPE(0, 0, 0, 0), ORIGIN(60, 40, 20, 10) TYPE(50, 50, 20, 10), 3000 },
		{ ORIGIN(10, 20, 5, 6), ORIGIN(50, 80, 15, 21), 2500 },
		/* nothing was scanned: that is neither 0 % nor 100 % */
		{ TYPE(100, 200, 50, 60), TYPE(100, 200, 50, 60), QMEM_NA },
		{ ORIGIN(1, 2, 1, 1), ORIGIN(1, 2, 1, 1), QMEM_NA },
		{ TYPE(0, 0, 0, 0), TYPE(100, 0, 0, 0), 0 },
		/* the CPUs' shares lag: never above 100 % */
		{ TYPE(0, 0, 0, 0), TYPE(10, 0, 11, 0), 10000 },
		/* set back */
		{ TYPE(100, 200, 50, 60), TYPE(110, 2, 55, 1), QMEM_NA },
		{ "pgfault 1\n", "pgfault 1\n", QMEM_NA },
		{ "pgfault 1\n", TYPE(10, 0, 5, 0), QMEM_NA },
		{ TYPE(0, 0, 0, 0), TYPE(9000000000000000000, 0, 4500000000000000000, 0), 5000 },
		{ TYPE(0, 0, 0, 0), TYPE(9000000000000000000, 9000000000000000000, 4500000000000000000, 0), QMEM_NA },
		/* khugepaged and proactive reclaim where they are apart */
		{ ORIGIN(0, 0, 0,
			 0) "pgscan_khugepaged 0\npgscan_proactive 0\npgsteal_khugepaged 0\npgsteal_proactive 0\n",
		  ORIGIN(100, 0, 0,
			 0) "pgscan_khugepaged 100\npgscan_proactive 200\npgsteal_khugepaged 40\npgsteal_proactive 60\n",
		  2500 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct vmstat before = parse(rows[i].before, NULL), v = parse(rows[i].now, &before);

		ck_assert_int_eq(before.efficiency, QMEM_NA);
		ck_assert_msg(v.efficiency == rows[i].efficiency, "%s: %" PRId64, rows[i].now, v.efficiency);
	}
}
END_TEST

START_TEST(ignored_keys_are_in_no_family)
{
	struct kv kv;

	ck_assert_int_eq(vmstat_kv_init(&kv), 0);
	for (const struct kv_ignore *i = vmstat_ignored; i->key; i++) {
		char line[64];
		struct vmstat v;

		ck_assert_uint_gt(strlen(i->reason), 0);
		if (strchr(i->key, '*'))
			continue;
		snprintf(line, sizeof(line), "%s 1\n", i->key);
		ck_assert_msg(kv_parse(&kv, line, strlen(line), &v, NULL) == 0, "'%s' is ignored, but in a family",
			      i->key);
	}
	kv_release(&kv);
}
END_TEST

/* ---- the service ---- */

static struct vmstat seen, fresh;
static const struct vmstat *last;
static uint64_t seen_when;
static int fresh_result;

static int look(struct qmem *q, void *state)
{
	(void)state;
	seen_when = 0;
	last = vmstat_last(q, &seen_when);
	if (last)
		seen = *last;
	fresh_result = vmstat_now(q, &fresh);
	return 0;
}

static const struct qmem_service looker = { .name = "looker", .collect = look };
static const struct qmem_service *const services[] = { &vmstat_service, &looker, NULL };

static void put(const char *text)
{
	procroot_put("proc/vmstat", "%s", text);
}

static int set(const char *service, const char *option, const char *value)
{
	struct qmem_error error;

	return qmem_set(procroot_host.q, service, NULL, NULL, option, value, &error);
}

static void setup(void)
{
	procroot_begin(services);
	memset(&fresh, 0, sizeof(fresh));
}

START_TEST(raw_keys)
{
	const char *text;

	ck_assert_int_eq(set("vmstat", "RawGauge", "nr_free_pages"), 0);
	ck_assert_int_eq(set("vmstat", "RawGauge", "nr_free_pages"), 0);
	ck_assert_int_eq(set("vmstat", "RawGauge", "no_such_key"), 0);
	ck_assert_int_eq(set("vmstat", "RawCounter", "pgfault"), 0);
	ck_assert_int_eq(set("vmstat", "RawCounter", "nr_free_pages"), 0);
	ck_assert_int_eq(set("vmstat", "RawCounter", "two words"), -EINVAL);
	ck_assert_int_eq(set("vmstat", "RawCounter", ""), -EINVAL);
	put("nr_free_pages 77\npgfault 5\npgmajfault 1\n");
	procroot_start();
	text = procroot_tick();
	ck_assert_ptr_nonnull(strstr(text, "log warning vmstat: '/proc/vmstat' has no value for 'no_such_key'\n"));
	ck_assert_ptr_nonnull(strstr(text, "vmstat.raw_gauge.value[nr_free_pages] 77 value\n"));
	ck_assert_ptr_nonnull(strstr(text, "vmstat.raw_gauge.value[no_such_key] - value\n"));
	ck_assert_ptr_nonnull(strstr(text, "vmstat.raw_counter.value[nr_free_pages] 77 value total\n"));
	ck_assert_ptr_nonnull(strstr(text, "vmstat.raw_counter.value[pgfault] 5 value total\n"));
	/* named twice, shown once */
	text = strstr(text, "vmstat.raw_gauge.value[nr_free_pages]");
	ck_assert_ptr_null(strstr(text + 1, "vmstat.raw_gauge.value[nr_free_pages]"));
	/* and a family's own value is still what it was */
	put("nr_free_pages 78\npgfault 9\npgmajfault 1\n");
	text = procroot_tick();
	ck_assert_ptr_null(strstr(text, "log "));
	ck_assert_ptr_nonnull(strstr(text, "vmstat.raw_gauge.value[nr_free_pages] 78 value\n"));
	ck_assert_ptr_nonnull(
		strstr(text, "vmstat.faults.minflt 8 faults total\nvmstat.faults.majflt 1 faults total\n"));
}
END_TEST

START_TEST(for_other_services)
{
	put("pgfault 5\npgmajfault 1\nallocstall_dma 1\nallocstall_normal 2\n");
	procroot_start();
	procroot_tick();
	ck_assert_ptr_nonnull(last);
	ck_assert_uint_eq(seen_when, procroot_now - QMEM_SECOND);
	ck_assert_int_eq(seen.allocstall, 3);
	ck_assert_int_eq(seen.minflt, 4);
	ck_assert_int_eq(fresh_result, 0);
	ck_assert_mem_eq(&fresh, &seen, sizeof(seen));
	put("allocstall_dma 1\nallocstall_normal 9\n");
	procroot_tick();
	ck_assert_int_eq(seen.allocstall, 10);
	ck_assert_int_eq(fresh_result, 0);
}
END_TEST

START_TEST(not_running)
{
	ck_assert_int_eq(set("vmstat", "Enabled", "no"), 0);
	put("pgfault 5\n");
	procroot_start();
	procroot_tick();
	ck_assert_ptr_null(last);
	ck_assert_int_eq(fresh_result, -ENOENT);
}
END_TEST

START_TEST(faults)
{
	struct vmstat zero = { 0 };
	const char *text;

	procroot_host.no_values = true;
	put("pgfault 18446744073709551615\npgmajfault 3\npswpin 4");
	procroot_start();
	ck_assert_str_eq(procroot_tick(), "log warning vmstat: '/proc/vmstat': 'pgfault' is too large, and 1 more\n");
	ck_assert_int_eq(seen.pgfault, QMEM_NA);
	ck_assert_int_eq(seen.pgmajfault, 3);
	ck_assert_int_eq(seen.pswpin, QMEM_NA);
	ck_assert_str_eq(procroot_tick(), "");
	put("pgfault 1\n");
	ck_assert_str_eq(procroot_tick(), "log info vmstat: '/proc/vmstat' is sound again\n");
	fresh = zero;
	put("nothing here\n");
	text = procroot_tick();
	ck_assert_msg(strstr(text, "'/proc/vmstat' has no value: nothing in it is known") != NULL, "%s", text);
	/* what was collected before is still there; a fresh read gave nothing */
	ck_assert_int_eq(seen.pgfault, 1);
	ck_assert_int_eq(fresh_result, -ENODATA);
	ck_assert_mem_eq(&fresh, &zero, sizeof(zero));
}
END_TEST

/* seen on 5.10: nr_written 10228, 11806, 11805 */
START_TEST(overstep)
{
	procroot_host.no_values = true;
	put("nr_written 10228\nworkingset_refault_file 500\npgfault 9000000\n");
	procroot_start();
	procroot_tick();
	put("nr_written 11806\nworkingset_refault_file 562\npgfault 9000001\n");
	procroot_tick();
	put("nr_written 11805\nworkingset_refault_file 500\npgfault 4\n");
	procroot_tick();
	ck_assert_int_eq(seen.nr_written, 11806);
	ck_assert_int_eq(seen.workingset_refault_file, 562);
	ck_assert_int_eq(fresh.nr_written, 11806);
	/* this one was set back */
	ck_assert_int_eq(seen.pgfault, 4);
	put("nr_written 11806\nworkingset_refault_file 563\npgfault 5\n");
	procroot_tick();
	ck_assert_int_eq(seen.nr_written, 11806);
	ck_assert_int_eq(seen.workingset_refault_file, 563);
	ck_assert_int_eq(seen.pgfault, 5);
}
END_TEST

static int nothing(struct qmem *q, void *state)
{
	(void)q;
	(void)state;
	return 0;
}

static const struct qmem_service asker = { .name = "asker", .needs = &vmstat_service, .collect = nothing };
static const struct qmem_service *const asked[] = { &vmstat_service, &asker, NULL };

/* What others have it collected for in between does not shorten the time the efficiency is over. */
START_TEST(efficiency_is_over_its_own_interval)
{
	procroot_end();
	procroot_begin(asked);
	ck_assert_int_eq(set("vmstat", "Interval", "3s"), 0);
	put("pgscan_kswapd 0\npgsteal_kswapd 0\n");
	procroot_start();
	ck_assert_ptr_nonnull(strstr(procroot_tick(), "vmstat.efficiency.reclaim - percent\n"));
	put("pgscan_kswapd 100\npgsteal_kswapd 10\n");
	for (int i = 0; i < 2; i++)
		ck_assert_str_eq(procroot_tick(), "collected asker every 1000 ms\n");
	put("pgscan_kswapd 110\npgsteal_kswapd 20\n");
	ck_assert_ptr_nonnull(strstr(procroot_tick(), "vmstat.efficiency.reclaim 18.18 percent\n"));
}
END_TEST

SUITE(vmstat)
{
	Suite *s = suite_create("vmstat");
	TCase *t = tcase_create("values"), *u = tcase_create("service");

	tcase_add_test(t, kernels_and_their_keys);
	tcase_add_test(t, derived);
	tcase_add_test(t, efficiency);
	tcase_add_test(t, ignored_keys_are_in_no_family);
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(u, setup, procroot_end);
	tcase_add_test(u, raw_keys);
	tcase_add_test(u, for_other_services);
	tcase_add_test(u, not_running);
	tcase_add_test(u, faults);
	tcase_add_test(u, overstep);
	tcase_add_test(u, efficiency_is_over_its_own_interval);
	suite_add_tcase(s, u);
	return s;
}
