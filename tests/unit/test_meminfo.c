/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "keys.h"
#include "procroot.h"
#include "service/meminfo.h"
#include "services.h"

#define KIB INT64_C(1024)

/* 3.10: no MemAvailable, and what 32-bit kernels and quicklists had */
static const char old_text[] =
	"MemTotal:        1018256 kB\nMemFree:          118256 kB\nBuffers:           10000 kB\n"
	"Cached:           300000 kB\nSwapCached:         2000 kB\nActive:           400000 kB\n"
	"Inactive:         200000 kB\nActive(anon):     250000 kB\nInactive(anon):    60000 kB\n"
	"Active(file):     150000 kB\nInactive(file):   140000 kB\nUnevictable:        4000 kB\n"
	"Mlocked:            3000 kB\nHighTotal:        131072 kB\nHighFree:          65536 kB\n"
	"LowTotal:         887184 kB\nLowFree:           52720 kB\nMmapCopy:              0 kB\n"
	"SwapTotal:       1048572 kB\nSwapFree:        1000000 kB\nDirty:                64 kB\n"
	"Writeback:             8 kB\nAnonPages:        300000 kB\nMapped:            50000 kB\n"
	"Shmem:             40000 kB\nSlab:              60000 kB\nSReclaimable:      35000 kB\n"
	"SUnreclaim:        25000 kB\nKernelStack:        3000 kB\nPageTables:         6000 kB\n"
	"Quicklists:           12 kB\nNFS_Unstable:          4 kB\nBounce:                1 kB\n"
	"WritebackTmp:          2 kB\nCommitLimit:     1557700 kB\nCommitted_AS:    1200000 kB\n"
	"VmallocTotal:   34359738367 kB\nVmallocUsed:       30000 kB\nVmallocChunk:   34359697408 kB\n"
	"HardwareCorrupted:     4 kB\nAnonHugePages:     20480 kB\nHugePages_Total:       8\n"
	"HugePages_Free:        5\nHugePages_Rsvd:        2\nHugePages_Surp:        1\n"
	"Hugepagesize:       2048 kB\nDirectMap4k:       50000 kB\nDirectMap4M:      800000 kB\n";

/* of a kernel 7, all that a configuration can add */
static const char new_text[] =
	"MemTotal:       16000000 kB\nMemFree:         1000000 kB\nMemAvailable:    8000000 kB\n"
	"Buffers:          100000 kB\nCached:          7000000 kB\nSwapCached:        20000 kB\n"
	"Active:          5000000 kB\nInactive:        4000000 kB\nActive(anon):    1000000 kB\n"
	"Inactive(anon):   500000 kB\nActive(file):    4000000 kB\nInactive(file):  3500000 kB\n"
	"Unevictable:       17184 kB\nMlocked:           16200 kB\nSwapTotal:       2000000 kB\n"
	"SwapFree:        1500000 kB\nZswap:             30000 kB\nZswapped:          90000 kB\n"
	"Dirty:               340 kB\nWriteback:            12 kB\nAnonPages:       1400000 kB\n"
	"Mapped:           700000 kB\nShmem:            600000 kB\nKReclaimable:     900000 kB\n"
	"Slab:            1200000 kB\nSReclaimable:     800000 kB\nSUnreclaim:       400000 kB\n"
	"KernelStack:       14640 kB\nShadowCallStack:     100 kB\nPageTables:        15240 kB\n"
	"SecPageTables:       200 kB\nNFS_Unstable:          0 kB\nBounce:                0 kB\n"
	"WritebackTmp:          0 kB\nCommitLimit:    10000000 kB\nCommitted_AS:    6000000 kB\n"
	"VmallocTotal:   34359738367 kB\nVmallocUsed:       14236 kB\nVmallocChunk:          0 kB\n"
	"Percpu:             6880 kB\nEarlyMemtestBad:       4 kB\nHardwareCorrupted:     0 kB\n"
	"AnonHugePages:    200000 kB\nShmemHugePages:     4096 kB\nShmemPmdMapped:     2048 kB\n"
	"FileHugePages:      8192 kB\nFilePmdMapped:      6144 kB\nCmaTotal:         262144 kB\n"
	"CmaFree:          200000 kB\nUnaccepted:            8 kB\nBalloon:              16 kB\n"
	"GPUActive:          3000 kB\nGPUReclaim:         5000 kB\nHugePages_Total:       0\n"
	"HugePages_Free:        0\nHugePages_Rsvd:        0\nHugePages_Surp:        0\n"
	"Hugepagesize:       2048 kB\nHugetlb:               0 kB\nDirectMap4k:       28672 kB\n"
	"DirectMap64k:          0 kB\nDirectMap1M:           0 kB\nDirectMap2M:     2068480 kB\n"
	"DirectMap1G:    25165824 kB\nDirectMap2G:           0 kB\n";

static const char arc_text[] =
	"13 1 0x01 147 39984 6113297120 106930411912\nname                            type data\n"
	"hits                            4    2061\narc_meta_used                   4    999\n"
	"c                               4    2000000000\nc_min                           4    104857600\n"
	"c_max                           4    8000000000\nsize                            4    1153433600\n"
	"compressed_size                 4    77\n";

static struct meminfo parse(const char *text, const char *arc)
{
	struct meminfo m;
	struct kv kv;

	memset(&m, 0, sizeof(m));
	ck_assert_int_eq(meminfo_kv_init(&kv), 0);
	kv_parse(&kv, text, strlen(text), &m, NULL);
	m.lacks = meminfo_lacks(&kv);
	kv_release(&kv);
	ck_assert_int_eq(meminfo_arc_kv_init(&kv), 0);
	kv_parse(&kv, arc, strlen(arc), &m, NULL);
	kv_release(&kv);
	meminfo_derive(&m);
	return m;
}

static int64_t part(int64_t value)
{
	return value == QMEM_NA ? 0 : value;
}

static int64_t sum(const struct meminfo *m)
{
	return m->used + m->buffers + m->cached + m->shmem + m->slab_reclaimable + part(m->arc) + m->free;
}

START_TEST(old_kernel)
{
	struct meminfo m = parse(old_text, "");

	ck_assert_int_eq(m.MemTotal, 1018256 * KIB);
	ck_assert_int_eq(m.MemAvailable, QMEM_NA);
	ck_assert_int_eq(m.ratio, QMEM_NA);
	ck_assert_int_eq(m.free, 118256 * KIB);
	ck_assert_int_eq(m.buffers, 10000 * KIB);
	ck_assert_int_eq(m.cached, 260000 * KIB); /* without Shmem */
	ck_assert_int_eq(m.shmem, 40000 * KIB);
	ck_assert_int_eq(m.slab_reclaimable, 35000 * KIB);
	ck_assert_int_eq(m.arc, QMEM_NA);
	ck_assert_int_eq(m.used, 555000 * KIB);
	ck_assert_int_eq(sum(&m), m.MemTotal);
	ck_assert_int_eq(m.Active_anon, 250000 * KIB);
	ck_assert_int_eq(m.Inactive_file, 140000 * KIB);
	ck_assert_int_eq(m.KReclaimable, QMEM_NA);
	ck_assert_int_eq(m.reclaimable_other, QMEM_NA);
	ck_assert_int_eq(m.Percpu, QMEM_NA);
	ck_assert_int_eq(m.Quicklists, 12 * KIB);
	ck_assert_int_eq(m.HighFree, 65536 * KIB);
	ck_assert_int_eq(m.DirectMap4M, 800000 * KIB);
	/* counts of pages, not kB; of the 5 free ones 2 are promised */
	ck_assert_int_eq(m.HugePages_Total, 8);
	ck_assert_int_eq(m.huge_used, 3 * 2048 * KIB);
	ck_assert_int_eq(m.huge_reserved, 2 * 2048 * KIB);
	ck_assert_int_eq(m.huge_free, 3 * 2048 * KIB);
	ck_assert_int_eq(m.huge_surplus, 2048 * KIB);
	ck_assert_int_eq(m.swap_used, 46572 * KIB);
	ck_assert_int_eq(m.swap_cached, 2000 * KIB);
	ck_assert_int_eq(m.cma_used, QMEM_NA);
}
END_TEST

START_TEST(new_kernel)
{
	struct meminfo m = parse(new_text, "");

	ck_assert_int_eq(m.ratio, 5000);
	ck_assert_int_eq(m.cached, 6400000 * KIB);
	ck_assert_int_eq(m.used, 7100000 * KIB);
	ck_assert_int_eq(sum(&m), m.MemTotal);
	ck_assert_int_eq(m.reclaimable_other, 100000 * KIB);
	ck_assert_int_eq(m.Zswapped, 90000 * KIB);
	ck_assert_int_eq(m.SecPageTables, 200 * KIB);
	ck_assert_int_eq(m.ShadowCallStack, 100 * KIB);
	ck_assert_int_eq(m.cma_used, 62144 * KIB);
	ck_assert_int_eq(m.Unaccepted, 8 * KIB);
	ck_assert_int_eq(m.Balloon, 16 * KIB);
	ck_assert_int_eq(m.GPUReclaim, 5000 * KIB);
	ck_assert_int_eq(m.EarlyMemtestBad, 4 * KIB);
	ck_assert_int_eq(m.Quicklists, QMEM_NA);
	ck_assert_int_eq(m.HighTotal, QMEM_NA);
}
END_TEST

START_TEST(zfs)
{
	struct meminfo without = parse(new_text, ""), m = parse(new_text, arc_text);

	ck_assert_int_eq(m.arc_size, 1153433600);
	ck_assert_int_eq(m.arc_c_min, 104857600);
	ck_assert_int_eq(m.arc, 1048576000);
	ck_assert_int_eq(m.used, without.used - m.arc);
	ck_assert_int_eq(sum(&m), m.MemTotal);
	ck_assert_int_eq(m.MemAvailable, without.MemAvailable);
	ck_assert_int_eq(m.ratio, (8000000 * KIB + m.arc) * 10000 / m.MemTotal);
	/* below its minimum there is nothing to be had; without the minimum it is not known */
	ck_assert_int_eq(parse(new_text, "c_min 4 500\nsize 4 300\n").arc, 0);
	ck_assert_int_eq(parse(new_text, "size 4 300\n").arc, QMEM_NA);
	/* what is someone else's arc does not make `used` negative */
	m = parse(new_text, "c_min 4 0\nsize 4 9223372036854775807\n");
	ck_assert_int_eq(m.used, 0);
	ck_assert_int_eq(m.arc, without.used);
	ck_assert_int_eq(m.ratio, (8000000 * KIB + m.arc) * 10000 / m.MemTotal);
}
END_TEST

#define MUST "MemTotal: 100 kB\nMemFree: 20 kB\nCached: 30 kB\nSwapTotal: 50 kB\nSwapFree: 10 kB\n"

/* What is not there is nothing as a part, and absent by itself; what is malformed, or cut off, may be anything. */
START_TEST(missing_is_not_malformed)
{
	static const struct {
		const char *text;
		int64_t kb[6]; /* used, buffers, cached, slab_reclaimable, swap_used, swap_cached; -1: absent */
	} cases[] = {
		{ MUST "Shmem: 4 kB\n", { 50, -1, 26, -1, 40, -1 } },
		{ MUST "Shmem: 4 kB\nBuffers: 7 kB\nSReclaimable: 6 kB\nSwapCached: 3 kB\n", { 37, 7, 26, 6, 37, 3 } },
		/* of what is cached it is not known what is shared: Linux before 2.6.32 */
		{ MUST "Buffers: 7 kB\n", { 43, 7, -1, -1, 40, -1 } },
		{ MUST "Shmem: x\nBuffers: 7 kB\n", { 43, 7, -1, -1, 40, -1 } },
		{ MUST "Shmem: 4 kB\nBuffers: x kB\nSwapCached: x\n", { -1, -1, 26, -1, -1, -1 } },
		{ MUST "Shmem: 4 kB\nSReclaimable: -1 kB\n", { -1, -1, 26, -1, 40, -1 } },
		/* there may have been more */
		{ MUST "Shmem: 4 kB\nBuf", { -1, -1, 26, -1, -1, -1 } },
		{ "MemTotal: 100 kB\nMemFree: 20 kB\nShmem: 4 kB\n", { -1, -1, -1, -1, -1, -1 } },
		{ "MemTotal: 100 kB\nCached: 30 kB\nShmem: 4 kB\n", { -1, -1, 26, -1, -1, -1 } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct meminfo m = parse(cases[i].text, "");
		const int64_t got[] = { m.used, m.buffers, m.cached, m.slab_reclaimable, m.swap_used, m.swap_cached };
		const int64_t *want = cases[i].kb;

		for (size_t j = 0; j < sizeof(got) / sizeof(*got); j++)
			ck_assert_msg(got[j] == (want[j] < 0 ? QMEM_NA : want[j] * KIB), "%zu, %zu: %" PRId64, i, j,
				      got[j]);
	}
}
END_TEST

/* Whatever the kernel says, and it does not say it at one instant. */
START_TEST(partition)
{
	static const int64_t edges[] = { 0, 1, 1023, 4096, INT64_C(1) << 40, INT64_MAX / 2, INT64_MAX - 1, INT64_MAX };
	uint64_t x = 88172645463325252u;
	int plain = 0, clamped = 0;

	for (int i = 0; i < 200000; i++) {
		struct meminfo m;
		int64_t *in[] = { &m.MemTotal, &m.MemFree,      &m.Buffers,  &m.Cached,
				  &m.Shmem,    &m.SReclaimable, &m.arc_size, &m.arc_c_min };
		const int64_t *out[] = { &m.buffers, &m.cached, &m.shmem, &m.slab_reclaimable, &m.free };
		int64_t least;

		memset(&m, 0, sizeof(m));
		m.MemAvailable = QMEM_NA;
		for (size_t j = 0; j < sizeof(in) / sizeof(*in); j++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			*in[j] = x % 16 == 0 ? edges[x / 16 % 8] :
					       (int64_t)(x / 16 % (INT64_C(1) << (20 + (j == 0) * 2)));
		}
		if (x & 1)
			m.arc_size = QMEM_NA;
		meminfo_derive(&m);
		least = m.used;
		for (size_t j = 0; j < sizeof(out) / sizeof(*out); j++)
			least = *out[j] < least ? *out[j] : least;
		if (least < 0 || part(m.arc) < 0 || (m.arc == QMEM_NA) != (m.arc_size == QMEM_NA) ||
		    sum(&m) != m.MemTotal)
			ck_abort_msg("total %" PRId64 ": used %" PRId64 " buffers %" PRId64 " cached %" PRId64
				     " shmem %" PRId64 " slab %" PRId64 " arc %" PRId64 " free %" PRId64,
				     m.MemTotal, m.used, m.buffers, m.cached, m.shmem, m.slab_reclaimable, m.arc,
				     m.free);
		plain += m.used > 0;
		clamped += m.used == 0 && m.slab_reclaimable < m.SReclaimable;
	}
	/* both kinds have been seen */
	ck_assert_int_gt(plain, 1000);
	ck_assert_int_gt(clamped, 1000);
}
END_TEST

/* Cut from the end of the documented order. */
START_TEST(clamping)
{
	struct meminfo m = parse("MemTotal: 100 kB\nMemFree: 40 kB\nBuffers: 10 kB\nCached: 60 kB\nShmem: 20 kB\n"
				 "SReclaimable: 30 kB\n",
				 "size 4 5\nc_min 4 0\n");

	ck_assert_int_eq(m.free, 40 * KIB);
	ck_assert_int_eq(m.shmem, 20 * KIB);
	ck_assert_int_eq(m.buffers, 10 * KIB);
	ck_assert_int_eq(m.cached, 30 * KIB);
	ck_assert_int_eq(m.slab_reclaimable, 0);
	ck_assert_int_eq(m.arc, 0);
	ck_assert_int_eq(m.used, 0);
	m = parse("MemTotal: 100 kB\nMemFree: 1 kB\nBuffers: 1 kB\nCached: 5 kB\nShmem: 20 kB\nSReclaimable: 3 kB\n",
		  "");
	ck_assert_int_eq(m.cached, 0);
	ck_assert_int_eq(m.used, 75 * KIB);
	/* reservations may exceed what is free */
	m = parse("HugePages_Total: 4\nHugePages_Free: 1\nHugePages_Rsvd: 3\nHugepagesize: 2048 kB\n", "");
	ck_assert_int_eq(m.huge_used, 3 * 2048 * KIB);
	ck_assert_int_eq(m.huge_reserved, 2048 * KIB);
	ck_assert_int_eq(m.huge_free, 0);
	m = parse("SwapTotal: 10 kB\nSwapFree: 8 kB\nSwapCached: 5 kB\n", "");
	ck_assert_int_eq(m.swap_cached, 2 * KIB);
	ck_assert_int_eq(m.swap_used, 0);
}
END_TEST

/* What is missing is not 0, and nor is what is made of it. */
START_TEST(missing)
{
	static const char *const needed[] = { "MemTotal", "MemFree", "Buffers", "Cached", "Shmem", "SReclaimable" };

	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
		char text[sizeof(new_text)], *at;
		char line[32];
		struct meminfo m;

		snprintf(line, sizeof(line), "\n%s:", needed[i]);
		strcpy(text, new_text);
		at = i ? strstr(text, line) + 1 : text;
		*at = 'X';
		m = parse(text, arc_text);
		ck_assert_int_eq(m.used == QMEM_NA, i == 0 || i == 1 || i == 3);
		ck_assert_int_eq(m.free == QMEM_NA, i == 1);
		ck_assert_int_eq(m.buffers == QMEM_NA, i == 2);
		ck_assert_int_eq(m.cached == QMEM_NA, i == 3 || i == 4);
		ck_assert_int_eq(m.shmem == QMEM_NA, i == 4);
		ck_assert_int_eq(m.slab_reclaimable == QMEM_NA, i == 5);
		ck_assert_int_eq(m.ratio == QMEM_NA, i == 0);
	}
	ck_assert_int_eq(
		parse("HugePages_Total: 9223372036854775807\nHugePages_Free: 0\nHugepagesize: 2 kB\n", "").huge_used,
		QMEM_NA);
	ck_assert_int_eq(parse("MemTotal: 0 kB\nMemAvailable: 0 kB\n", "").ratio, QMEM_NA);
	ck_assert_int_eq(parse("MemTotal: 4 kB\nMemAvailable: 5 kB\n", "").ratio, 10000);
	ck_assert_int_eq(parse("MemTotal: 9007199254740991 kB\nMemAvailable: 4503599627370495 kB\n", "").ratio, 4999);
}
END_TEST

START_TEST(all_keys)
{
	struct kv kv;

	ck_assert_int_eq(meminfo_kv_init(&kv), 0);
	keys_check(&kv, meminfo_ignored, "3.10", old_text);
	keys_check(&kv, meminfo_ignored, "7", new_text);
	keys_check_roots(&kv, meminfo_ignored, "proc/meminfo");
	/* and none is both */
	for (const struct kv_ignore *i = meminfo_ignored; i->key; i++) {
		char line[64];
		struct meminfo m;

		snprintf(line, sizeof(line), "%s: 1 kB\n", i->key);
		ck_assert_msg(kv_parse(&kv, line, strlen(line), &m, NULL) == 0, "'%s' is ignored, but in a family",
			      i->key);
	}
	kv_release(&kv);
}
END_TEST

START_TEST(levels)
{
	static const int64_t below[MEMINFO_LEVELS] = { 0, 1500, 1000, 500, 200 };
	static const int64_t some[MEMINFO_LEVELS] = { 0, 0, 1000, 0, 50 };
	static const struct {
		int64_t ratio, before, level;
	} rows[] = {
		{ 10000, MEMINFO_NONE, MEMINFO_NONE },
		{ 1500, MEMINFO_NONE, MEMINFO_NONE },
		{ 1499, MEMINFO_NONE, MEMINFO_LOW },
		{ 1000, MEMINFO_NONE, MEMINFO_LOW },
		{ 999, MEMINFO_NONE, MEMINFO_MEDIUM },
		{ 499, MEMINFO_LOW, MEMINFO_HIGH },
		{ 0, MEMINFO_NONE, MEMINFO_CRITICAL },
		/* up again: each level ends one point above its beginning */
		{ 1599, MEMINFO_LOW, MEMINFO_LOW },
		{ 1600, MEMINFO_LOW, MEMINFO_NONE },
		{ 1099, MEMINFO_MEDIUM, MEMINFO_MEDIUM },
		{ 1100, MEMINFO_MEDIUM, MEMINFO_LOW },
		{ 299, MEMINFO_CRITICAL, MEMINFO_CRITICAL },
		{ 300, MEMINFO_CRITICAL, MEMINFO_HIGH },
		{ 1050, MEMINFO_CRITICAL, MEMINFO_MEDIUM },
		{ 9000, MEMINFO_CRITICAL, MEMINFO_NONE },
		/* which does not hold a level that had not begun */
		{ 1599, MEMINFO_NONE, MEMINFO_NONE },
		{ 1099, MEMINFO_LOW, MEMINFO_LOW },
		{ QMEM_NA, MEMINFO_HIGH, QMEM_NA },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		ck_assert_int_eq(meminfo_level(rows[i].ratio, rows[i].before, below, 100), rows[i].level);
	/* 0: that level never is */
	ck_assert_int_eq(meminfo_level(1200, MEMINFO_NONE, some, 100), MEMINFO_NONE);
	ck_assert_int_eq(meminfo_level(300, MEMINFO_NONE, some, 100), MEMINFO_MEDIUM);
	/* half a percent */
	ck_assert_int_eq(meminfo_level(49, MEMINFO_LOW, some, 100), MEMINFO_CRITICAL);
	ck_assert_int_eq(meminfo_level(50, MEMINFO_LOW, some, 100), MEMINFO_MEDIUM);
}
END_TEST

/* ---- the service ---- */

static const struct qmem_service *const services[] = { &meminfo_service, NULL };

static void put_available(int64_t percent)
{
	procroot_put("proc/meminfo",
		     "MemTotal: 1048576 kB\nMemFree: 1024 kB\nMemAvailable: %" PRId64
		     " kB\nBuffers: 0 kB\nCached: 0 kB\n"
		     "Shmem: 0 kB\nSReclaimable: 0 kB\nDirty: 12 kB\nSwapTotal: 2097152 kB\nSwapFree: 1572864 kB\n",
		     (1048576 * percent + 99) / 100);
}

static void setup(void)
{
	procroot_begin(services);
}

START_TEST(events)
{
	const char *text;

	procroot_host.no_values = true;
	put_available(50);
	procroot_start();
	ck_assert_str_eq(procroot_tick(), "");
	put_available(3);
	ck_assert_str_eq(
		procroot_tick(),
		"event WARNING meminfo.level[] memory shortage (high): 3.00 % available (30.7 MiB of 1.0 GiB), used 1023.0 "
		"MiB, shared 0 B, dirty 12.0 KiB, swap 512.0 MiB of 2.0 GiB; shortage was none for 1.0 s; see procmem.rss\n"
		"  level=high\n  previous=none\n  available_percent=3.00\n  available=30.7 MiB\n  used=1023.0 MiB\n"
		"  dirty=12.0 KiB\n  swap_used=512.0 MiB\n");
	ck_assert_str_eq(procroot_tick(), "");
	put_available(1);
	text = procroot_tick();
	ck_assert_msg(strstr(text, "event FAILURE meminfo.level[] memory shortage (critical): ") &&
			      strstr(text, "; shortage was high for 2.0 s; see procmem.rss\n"),
		      "%s", text);
	/* from warning to warning too */
	put_available(6);
	text = procroot_tick();
	ck_assert_msg(strstr(text, "event WARNING meminfo.level[] memory shortage (medium): ") &&
			      strstr(text, "; shortage was critical for 1.0 s; see procmem.rss\n"),
		      "%s", text);
	put_available(9);
	text = procroot_tick();
	ck_assert_msg(strstr(text, "event WARNING meminfo.level[] memory shortage: 9.00 % available (") &&
			      strstr(text, "; shortage was medium for 1.0 s; see procmem.rss\n"),
		      "%s", text);
	procroot_now += 60 * QMEM_SECOND;
	put_available(50);
	text = procroot_tick();
	ck_assert_msg(strstr(text, "event OKAY meminfo.level[] memory shortage is over: 50.00 % available ") &&
			      strstr(text, "; shortage was low for 61 s\n"),
		      "%s", text);
}
END_TEST

START_TEST(reminders)
{
	const char *text;

	procroot_host.no_values = true;
	procroot_set("meminfo", "LevelLow", "0");
	procroot_set("meminfo", "NotifyInterval", "30s");
	put_available(6);
	procroot_start();
	text = procroot_tick();
	ck_assert_msg(strstr(text, "event WARNING meminfo.level[] memory shortage (medium): ") &&
			      strstr(text, "; shortage was none; see procmem.rss\n"),
		      "%s", text);
	ck_assert_str_eq(procroot_tick(), "");
	procroot_now += 30 * QMEM_SECOND;
	text = procroot_tick();
	ck_assert_msg(strstr(text, "event WARNING meminfo.level[] memory shortage (medium): ") &&
			      strstr(text, "; for 32 s, shortage was none before; see procmem.rss\n"),
		      "%s", text);
	ck_assert_str_eq(procroot_tick(), "");
}
END_TEST

/* What --check says. */
START_TEST(lacks)
{
	struct qmem_status status;

	procroot_put("proc/meminfo", MUST "Shmem: 4 kB\nSReclaimable: 5 kB\n");
	procroot_start();
	(void)procroot_tick();
	ck_assert(qmem_status(procroot_host.q, 0, &status));
	ck_assert_str_eq(
		status.reason,
		"no Buffers, SwapCached: as if 0 in sums; no MemAvailable (Linux 3.14): no level, which "
		"needs it; no accounting, which needs Buffers, AnonPages, SUnreclaim, KernelStack, PageTables");
	procroot_put("proc/meminfo",
		     MUST "Buffers: 1 kB\nSReclaimable: 5 kB\nSwapCached: x\nMemAvailable: 1 kB\nShmem: 1 kB\n"
			  "AnonPages: 1 kB\nSUnreclaim: 1 kB\nKernelStack: 1 kB\nPageTables: 1 kB\n");
	(void)procroot_tick();
	ck_assert(qmem_status(procroot_host.q, 0, &status));
	ck_assert_str_eq(status.reason, "");
}
END_TEST

START_TEST(faults)
{
	procroot_host.no_values = true;
	procroot_put("proc/meminfo", "MemTotal: 10 kB\nMemFree: x kB\nDirty: 1 kB\nDirty: 1 kB\n");
	procroot_start();
	ck_assert_str_eq(procroot_tick(), "log warning meminfo: '/proc/meminfo': 'MemFree' is malformed, and 1 more\n");
	ck_assert_str_eq(procroot_tick(), "");
	procroot_put("proc/meminfo", "MemTotal: 10 kB\n");
	ck_assert_str_eq(procroot_tick(), "log info meminfo: '/proc/meminfo' is sound again\n");
	procroot_put("proc/meminfo", "nothing of use\n");
	ck_assert_ptr_nonnull(strstr(procroot_tick(), "'/proc/meminfo' has no value: nothing in it is known"));
	procroot_put("proc/meminfo", "MemTotal: 10 kB\n");
	(void)procroot_tick();
	procroot_put("proc/meminfo", "MemTotal: 10\nMemFree: 5\n");
	ck_assert_ptr_nonnull(
		strstr(procroot_tick(), "'/proc/meminfo' has no value: 'MemTotal' is without kB, and 1 more"));
	ck_assert_str_eq(procroot_tick(), "");
}
END_TEST

START_TEST(no_file)
{
	ck_assert_int_eq(qmem_start(procroot_host.q, QMEM_SECOND, QMEM_SECOND, procroot_now), -ENODEV);
	ck_assert_ptr_nonnull(strstr(recorder_take(&procroot_host), "no '/proc/meminfo'"));
}
END_TEST

/* arcstats that come later are found, not at once; those that go leave no old value. */
START_TEST(arc_comes_and_goes)
{
	procroot_put("proc/meminfo", "%s", new_text);
	procroot_start();
	ck_assert_ptr_nonnull(strstr(procroot_tick(), "meminfo.usage.arc - bytes\n"));
	procroot_put("proc/spl/kstat/zfs/arcstats", "%s", arc_text);
	for (int i = 0; i < 59; i++)
		ck_assert_ptr_nonnull(strstr(procroot_tick(), "meminfo.usage.arc - bytes\n"));
	ck_assert_ptr_nonnull(strstr(procroot_tick(), "meminfo.usage.arc 1048576000 bytes\n"));
	ck_assert_ptr_nonnull(strstr(procroot_tick(), "meminfo.usage.arc 1048576000 bytes\n"));
	procroot_put("proc/spl/kstat/zfs/arcstats", "%s", "");
	ck_assert_ptr_nonnull(strstr(procroot_tick(), "meminfo.usage.arc - bytes\n"));
}
END_TEST

SUITE(meminfo)
{
	Suite *s = suite_create("meminfo");
	TCase *t = tcase_create("values"), *u = tcase_create("service");

	tcase_add_test(t, old_kernel);
	tcase_add_test(t, new_kernel);
	tcase_add_test(t, zfs);
	tcase_add_test(t, partition);
	tcase_add_test(t, missing_is_not_malformed);
	tcase_add_test(t, clamping);
	tcase_add_test(t, missing);
	tcase_add_test(t, all_keys);
	tcase_add_test(t, levels);
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(u, setup, procroot_end);
	tcase_add_test(u, events);
	tcase_add_test(u, reminders);
	tcase_add_test(u, lacks);
	tcase_add_test(u, faults);
	tcase_add_test(u, no_file);
	tcase_add_test(u, arc_comes_and_goes);
	suite_add_tcase(s, u);
	return s;
}
