/* SPDX-License-Identifier: MIT */
/* Where memory has gone: what is part of what, on every kernel that was recorded; and what grows. */
#include "unit.h"

#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc/pagesets.h"
#include "procroot.h"
#include "service/meminfo.h"
#include "service/meminfo_accounting.h"
#include "service/meminfo_unaccounted.h"
#include "services.h"

#define KIB INT64_C(1024)
#define NOTHING                                                                                                        \
	{                                                                                                              \
		QMEM_NA, QMEM_NA, QMEM_NA, QMEM_NA, false                                                              \
	}

static struct meminfo m;
static int64_t excess;
static const struct meminfo_beside nothing = NOTHING;

static enum meminfo_account account(const char *text, const struct meminfo_beside *beside)
{
	enum meminfo_account how;
	struct kv kv;

	memset(&m, 0, sizeof(m));
	m.arc_size = QMEM_NA;
	ck_assert_int_eq(meminfo_kv_init(&kv), 0);
	kv_parse(&kv, text, strlen(text), &m, NULL);
	how = meminfo_account(&m, &kv, beside, &excess);
	kv_release(&kv);
	return how;
}

/* All parts and no other are MemTotal; or there is none. */
static void check_sum(enum meminfo_account how, const char *what)
{
	int64_t sum = 0;

	for (const struct qmem_metric *p = meminfo_accounting_metrics; p->id; p++) {
		int64_t value = qmem_value(p, &m);

		if (value == QMEM_NA)
			continue;
		ck_assert_msg(how == MEMINFO_ACCOUNTED, "%s: %s", what, p->id);
		ck_assert_msg(value >= 0, "%s: %s %" PRId64, what, p->id, value);
		ck_assert_msg(!__builtin_add_overflow(sum, value, &sum), "%s", what);
	}
	ck_assert_msg(how != MEMINFO_ACCOUNTED || sum == m.MemTotal, "%s: %" PRId64 " of %" PRId64, what, sum,
		      m.MemTotal);
	ck_assert_int_eq(m.accounting.unaccounted == QMEM_NA, how != MEMINFO_ACCOUNTED);
	ck_assert_int_eq(excess > 0, how == MEMINFO_EXCEEDED);
}

static bool read_text(char *text, size_t size, const char *meminfo, const char *other)
{
	char path[PATH_MAX];
	size_t len = strlen(meminfo) - strlen("meminfo");
	FILE *f;

	snprintf(path, sizeof(path), "%.*s%s", (int)len, meminfo, other);
	f = fopen(path, "r");
	if (!f && errno == ENOENT)
		return false;
	ck_assert_ptr_nonnull(f);
	len = fread(text, 1, size - 1, f);
	fclose(f);
	text[len] = '\0';
	return true;
}

/* Every kernel that was recorded or made, with the lists of its CPUs where they are known. */
START_TEST(roots)
{
	static char text[65536];
	const char *srcdir = getenv("QMEM_SRCDIR");
	char pattern[PATH_MAX];
	int accounted = 0, incomplete = 0, unsound = 0;
	glob_t g;

	if (!srcdir) {
		printf("# QMEM_SRCDIR is not set: no root is looked at\n");
		return;
	}
	snprintf(pattern, sizeof(pattern), "%s/tests/roots/*/*/proc/meminfo", srcdir);
	ck_assert_int_eq(glob(pattern, 0, NULL, &g), 0);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		const char *path = g.gl_pathv[i];
		struct meminfo_beside beside = NOTHING;
		enum meminfo_account how;
		struct fault fault = { 0 };

		if (read_text(text, sizeof(text), path, "zoneinfo"))
			beside.pagesets = pagesets_parse(text, strlen(text), &fault);
		if (beside.pagesets != QMEM_NA)
			beside.pagesets *= 4096;
		ck_assert(read_text(text, sizeof(text), path, "meminfo"));
		how = account(text, &beside);
		check_sum(how, path);
		if (strstr(path, "/made-gvisor/") || strstr(path, "/made-openvz/")) {
			ck_assert_msg(how == MEMINFO_INCOMPLETE, "%s", path);
			incomplete++;
		} else if (strstr(path, "/hostile/")) {
			ck_assert_msg(how != MEMINFO_ACCOUNTED, "%s", path);
			unsound++;
		} else {
			ck_assert_msg(how == MEMINFO_ACCOUNTED, "%s: %d", path, how);
			accounted++;
			/* of a recorded kernel nearly all is known */
			if (beside.pagesets != QMEM_NA && !strstr(path, "/made-"))
				ck_assert_msg(m.accounting.unaccounted < m.MemTotal / 25, "%s: %" PRId64, path,
					      m.accounting.unaccounted);
		}
	}
	globfree(&g);
	ck_assert_int_gt(accounted, 10);
	ck_assert_int_eq(incomplete, 4);
	ck_assert_int_gt(unsound, 0);
}
END_TEST

#define BASE                                                                                                              \
	"MemTotal: 1000000 kB\nMemFree: 100000 kB\nBuffers: 10000 kB\nCached: 300000 kB\nActive(anon): 150000 kB\n"       \
	"Inactive(anon): 60000 kB\nAnonPages: 150000 kB\nShmem: 50000 kB\nSReclaimable: 30000 kB\nSUnreclaim: 20000 kB\n" \
	"KernelStack: 3000 kB\nPageTables: 4000 kB\n"
#define BASE_REST (1000000 - 100000 - 10000 - 300000 - 150000 - 10000 - 30000 - 20000 - 3000 - 4000) /* 373000 */

START_TEST(how_kernels_count)
{
	static const struct {
		const char *more;
		struct meminfo_beside beside; /* kB */
		int64_t rest, vmalloc, stack_vmalloc, huge, compressed, balloon, free;
	} rows[] = {
		{ "", NOTHING, BASE_REST, -1, -1, -1, -1, -1, 100000 },
		/* 3.10: VmallocUsed is a sum of addresses, ioremap() too */
		{ "VmallocUsed: 30000 kB\nVmallocChunk: 34359697408 kB\nQuicklists: 12 kB\nHugePages_Total: 8\n"
		  "Hugepagesize: 2048 kB\n",
		  NOTHING, BASE_REST - 12 - 16384, -1, -1, 16384, -1, -1, 100000 },
		/* 4.9: 0, whatever it is */
		{ "VmallocUsed: 0 kB\nVmallocChunk: 0 kB\nHugePages_Total: 0\nHugepagesize: 2048 kB\n",
		  { QMEM_NA, 500, QMEM_NA, QMEM_NA, false },
		  BASE_REST - 500,
		  -1,
		  -1,
		  0,
		  500,
		  -1,
		  100000 },
		/* 4.18 of RHEL 8: Hugetlb is of all sizes */
		{ "VmallocUsed: 0 kB\nVmallocChunk: 0 kB\nKReclaimable: 31000 kB\nPercpu: 500 kB\nHugePages_Total: 2\n"
		  "Hugepagesize: 1048576 kB\nHugetlb: 90000 kB\n",
		  NOTHING, BASE_REST - 1000 - 500 - 90000, -1, -1, 90000, -1, -1, 100000 },
		/* 5.10: stacks are in VmallocUsed; shadow stacks in slab */
		{ "VmallocUsed: 8000 kB\nVmallocChunk: 0 kB\nShadowCallStack: 700 kB\nCmaTotal: 900 kB\nCmaFree: 100 kB\n",
		  { 7000, 500, QMEM_NA, QMEM_NA, false },
		  BASE_REST - 5000 - 7000 - 500,
		  5000,
		  3000,
		  -1,
		  500,
		  -1,
		  107000 },
		/* 6.1: what zswap has is not zram's */
		{ "VmallocUsed: 8000 kB\nVmallocChunk: 0 kB\nSecPageTables: 100 kB\nZswap: 400 kB\nZswapped: 1200 kB\n",
		  { 7000, 500, QMEM_NA, QMEM_NA, false },
		  BASE_REST - 5000 - 7000 - 500 - 100,
		  5000,
		  3000,
		  -1,
		  100,
		  -1,
		  107000 },
		/* and a pool that is not zsmalloc's has it all */
		{ "Zswap: 400 kB\n",
		  { QMEM_NA, 300, QMEM_NA, QMEM_NA, false },
		  BASE_REST - 400,
		  -1,
		  -1,
		  -1,
		  0,
		  -1,
		  100000 },
		/* 6.12: Unaccepted is in MemFree */
		{ "VmallocUsed: 8000 kB\nVmallocChunk: 0 kB\nUnaccepted: 50000 kB\nHardwareCorrupted: 4 kB\n",
		  { 7000, 0, 600, 900, false },
		  BASE_REST - 5000 - 7000 - 4 - 600,
		  5000,
		  3000,
		  -1,
		  0,
		  -1,
		  107000 },
		/* 6.18 in a balloon that has left MemTotal, and in one that has not */
		{ "Balloon: 60000 kB\n", NOTHING, BASE_REST, -1, -1, -1, -1, -1, 100000 },
		{ "Balloon: 60000 kB\n",
		  { QMEM_NA, QMEM_NA, QMEM_NA, QMEM_NA, true },
		  BASE_REST - 60000,
		  -1,
		  -1,
		  -1,
		  -1,
		  60000,
		  100000 },
		/* 7.1 */
		{ "GPUActive: 3000 kB\nGPUReclaim: 5000 kB\nBounce: 1 kB\nWritebackTmp: 2 kB\n", NOTHING,
		  BASE_REST - 8003, -1, -1, -1, -1, -1, 100000 },
		/* what lies in others changes nothing */
		{ "AnonHugePages: 90000 kB\nShmemHugePages: 40000 kB\nFileHugePages: 40000 kB\nMapped: 90000 kB\nDirty: 9 kB\n"
		  "Mlocked: 3000 kB\nUnevictable: 4000 kB\nSwapCached: 7000 kB\nEarlyMemtestBad: 4 kB\nDirectMap4k: 100 kB\n"
		  "NFS_Unstable: 5 kB\nWriteback: 6 kB\nVmallocTotal: 34359738367 kB\n",
		  NOTHING, BASE_REST, -1, -1, -1, -1, -1, 100000 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[2048];
		struct meminfo_beside beside = rows[i].beside;
		const struct meminfo_accounting *a = &m.accounting;
		int64_t *scale[] = { &beside.pagesets, &beside.zspages, &beside.memmap, &beside.sockets };

		for (size_t j = 0; j < sizeof(scale) / sizeof(*scale); j++)
			*scale[j] = *scale[j] == QMEM_NA ? QMEM_NA : *scale[j] * KIB;
		snprintf(text, sizeof(text), BASE "%s", rows[i].more);
		ck_assert_int_eq(account(text, &beside), MEMINFO_ACCOUNTED);
		check_sum(MEMINFO_ACCOUNTED, rows[i].more);
		ck_assert_msg(a->unaccounted == rows[i].rest * KIB, "%zu: %" PRId64 " for %" PRId64, i,
			      a->unaccounted / KIB, rows[i].rest);
		ck_assert_int_eq(a->vmalloc, rows[i].vmalloc < 0 ? QMEM_NA : rows[i].vmalloc * KIB);
		ck_assert_int_eq(a->stack_vmalloc, rows[i].stack_vmalloc < 0 ? QMEM_NA : rows[i].stack_vmalloc * KIB);
		ck_assert_int_eq(a->huge, rows[i].huge < 0 ? QMEM_NA : rows[i].huge * KIB);
		ck_assert_int_eq(a->compressed, rows[i].compressed < 0 ? QMEM_NA : rows[i].compressed * KIB);
		ck_assert_int_eq(a->balloon, rows[i].balloon < 0 ? QMEM_NA : rows[i].balloon * KIB);
		ck_assert_int_eq(a->free, rows[i].free * KIB);
		ck_assert_int_eq(a->file, 260000 * KIB);
		ck_assert_int_eq(a->anon_unmapped, 10000 * KIB);
	}
}
END_TEST

START_TEST(of_which)
{
	const struct meminfo_beside beside = { 700 * KIB, 0, 0, 900 * KIB, false };
	const struct meminfo_accounting *a = &m.accounting;

	ck_assert_int_eq(account(BASE
				 "Unaccepted: 50000 kB\nCmaTotal: 900 kB\nCmaFree: 100 kB\nShadowCallStack: 70 kB\n"
				 "SwapCached: 30 kB\nVmallocUsed: 2000 kB\nVmallocChunk: 0 kB\n",
				 &beside),
			 MEMINFO_ACCOUNTED);
	ck_assert_int_eq(a->free_percpu, 700 * KIB);
	ck_assert_int_eq(a->unaccepted, 50000 * KIB);
	ck_assert_int_eq(a->cma, 800 * KIB);
	/* less than the stacks: some are not vmalloc()'s */
	ck_assert_int_eq(a->stack_vmalloc, 2000 * KIB);
	ck_assert_int_eq(a->vmalloc, 0);
	ck_assert_int_eq(a->shadow_stack, 70 * KIB);
	ck_assert_int_eq(a->swap_cached, 30 * KIB);
	ck_assert_int_eq(a->sockets, 900 * KIB);
	ck_assert_int_eq(a->arc, QMEM_NA);
}
END_TEST

/* A leaked counter of a list of files changes no part, but is told. */
static const char leaked_text[] =
	"MemTotal:       64000000 kB\nMemFree:         9000000 kB\nMemAvailable:   71234560 kB\n"
	"Buffers:          200000 kB\nCached:         12000000 kB\nSwapCached:            0 kB\n"
	"Active:         11000000 kB\nInactive:       58400000 kB\nActive(anon):    6000000 kB\n"
	"Inactive(anon):   400000 kB\nActive(file):    5000000 kB\nInactive(file): 58000000 kB\n"
	"SwapTotal:             0 kB\nSwapFree:              0 kB\nDirty:               400 kB\n"
	"Writeback:             0 kB\nAnonPages:       6300000 kB\nMapped:           500000 kB\n"
	"Shmem:            400000 kB\nKReclaimable:     900000 kB\nSlab:            1500000 kB\n"
	"SReclaimable:     900000 kB\nSUnreclaim:       600000 kB\nKernelStack:      20000 kB\n"
	"PageTables:        40000 kB\n";

START_TEST(leaked_lists)
{
	ck_assert_int_eq(account(leaked_text, &nothing), MEMINFO_ACCOUNTED);
	check_sum(MEMINFO_ACCOUNTED, "leaked");
	ck_assert_int_eq(m.accounting.file, 11800000 * KIB);
	ck_assert_int_eq(m.accounting.unaccounted, 34940000 * KIB);
	ck_assert_int_eq(meminfo_lists_excess(&m), (63000000 - 12200000 - 6300000) * KIB);
	meminfo_derive(&m);
	ck_assert_int_eq(m.MemAvailable, 64000000 * KIB);
	ck_assert_int_eq(m.ratio, 10000);
	ck_assert_int_ge(m.used, 0);
	/* what MADV_FREE has put on the lists of files is no leak */
	ck_assert_int_eq(account(BASE "Active(file): 100000 kB\nInactive(file): 360000 kB\n", &nothing),
			 MEMINFO_ACCOUNTED);
	ck_assert_int_eq(meminfo_lists_excess(&m), 0);
}
END_TEST

START_TEST(exceeded)
{
	struct meminfo_beside beside = nothing;

	ck_assert_int_eq(account(BASE "Hugetlb: 373000 kB\n", &nothing), MEMINFO_ACCOUNTED);
	ck_assert_int_eq(m.accounting.unaccounted, 0);
	ck_assert_int_eq(account(BASE "Hugetlb: 373001 kB\n", &nothing), MEMINFO_EXCEEDED);
	check_sum(MEMINFO_EXCEEDED, "huge");
	ck_assert_int_eq(excess, KIB);
	/* what is of another moment gives way, and Percpu, but not for ever */
	beside.pagesets = 9000 * KIB;
	ck_assert_int_eq(account(BASE "Hugetlb: 370000 kB\nPercpu: 1000 kB\n", &beside), MEMINFO_ACCOUNTED);
	check_sum(MEMINFO_ACCOUNTED, "gives way");
	ck_assert_int_eq(m.accounting.free_percpu, 2000 * KIB);
	ck_assert_int_eq(m.accounting.unaccounted, 0);
	ck_assert_int_eq(account(BASE "Hugetlb: 372500 kB\nPercpu: 1000 kB\n", &beside), MEMINFO_ACCOUNTED);
	ck_assert_int_eq(m.accounting.percpu, 500 * KIB);
	ck_assert_int_eq(m.accounting.free_percpu, 0);
	beside.pagesets = 20000 * KIB;
	ck_assert_int_eq(account(BASE "Hugetlb: 373000 kB\n", &beside), MEMINFO_EXCEEDED);
	/* as 2^64 - n they are beyond int64: malformed */
	ck_assert_int_eq(account(BASE "Percpu: 18446744073709551612 kB\n", &nothing), MEMINFO_UNSOUND);
	ck_assert_int_eq(account(BASE "Percpu: 9007199254740991 kB\nHugetlb: 9007199254740991 kB\n", &nothing),
			 MEMINFO_EXCEEDED);
	check_sum(MEMINFO_EXCEEDED, "far");
	beside = (struct meminfo_beside){ INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, true };
	ck_assert_int_eq(account(BASE "GPUActive: 9007199254740991 kB\nGPUReclaim: 9007199254740991 kB\n", &beside),
			 MEMINFO_EXCEEDED);
	ck_assert_int_eq(account(BASE, &beside), MEMINFO_EXCEEDED);
	ck_assert_int_eq(account(BASE "HugePages_Total: 9223372036854775807\nHugepagesize: 2048 kB\n", &nothing),
			 MEMINFO_EXCEEDED);
}
END_TEST

START_TEST(missing_and_malformed)
{
	static const char *const needed[] = { "MemTotal", "MemFree",      "Buffers",    "Cached",      "AnonPages",
					      "Shmem",    "SReclaimable", "SUnreclaim", "KernelStack", "PageTables" };

	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
		char text[1024], line[32], *at, *number;

		strcpy(text, BASE);
		snprintf(line, sizeof(line), "\n%s:", needed[i]);
		at = i ? strstr(text, line) + 1 : text;
		*at = '_';
		ck_assert_int_eq(account(text, &nothing), MEMINFO_INCOMPLETE);
		check_sum(MEMINFO_INCOMPLETE, needed[i]);
		*at = needed[i][0];
		number = strchr(at, ':') + 2;
		*number = 'x';
		ck_assert_int_eq(account(text, &nothing), MEMINFO_UNSOUND);
		check_sum(MEMINFO_UNSOUND, needed[i]);
	}
	ck_assert_int_eq(account(BASE "Zswap: x kB\n", &nothing), MEMINFO_UNSOUND);
	ck_assert_int_eq(account(BASE "Percpu: 12", &nothing), MEMINFO_UNSOUND);
}
END_TEST

/* Whatever the kernel says. */
START_TEST(any_numbers)
{
	static const char *const keys[] = {
		"MemTotal",     "MemFree",        "Buffers",      "Cached",      "AnonPages",
		"Shmem",        "SReclaimable",   "SUnreclaim",   "KernelStack", "PageTables",
		"Active(anon)", "Inactive(anon)", "KReclaimable", "Percpu",      "VmallocUsed",
		"Hugetlb",      "Zswap",          "Balloon",      "GPUActive",   "HardwareCorrupted",
	};
	uint64_t x = 88172645463325252u;
	int counts[4] = { 0 };

	for (int i = 0; i < 4000; i++) {
		char text[2048] = "";
		struct meminfo_beside beside = nothing;
		enum meminfo_account how;
		size_t len = 0;

		for (size_t k = 0; k < sizeof(keys) / sizeof(*keys); k++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s: %" PRIu64 " kB\n", keys[k],
						x / 64 % (UINT64_C(1) << (k ? 8 + x % 12 : 22)));
		}
		if (x & 1)
			beside = (struct meminfo_beside){ (int64_t)(x >> 40), (int64_t)(x >> 36), (int64_t)(x >> 44), 0,
							  x & 2 };
		how = account(text, &beside);
		check_sum(how, text);
		counts[how]++;
	}
	ck_assert_int_gt(counts[MEMINFO_ACCOUNTED], 1000);
	ck_assert_int_gt(counts[MEMINFO_EXCEEDED], 100);
}
END_TEST

/* ---- growth ---- */

#define SECOND QMEM_SECOND
#define HOUR (3600 * SECOND)
#define MIB (INT64_C(1) << 20)

START_TEST(grows_in_each_part)
{
	struct unaccounted u = { 0 };
	uint64_t began = 0, ended = 0;

	/* 12 MiB in ten minutes, for two hours; more than 10 is wanted */
	for (uint64_t t = 0; t <= 4 * HOUR; t += 10 * SECOND) {
		int64_t level = 100 * MIB + 12 * MIB * (int64_t)((t < 2 * HOUR ? t : 2 * HOUR) / SECOND) / 600;
		bool changed = unaccounted_look(&u, level, 5 * SECOND + t, HOUR, 10 * MIB);

		if (changed && u.growing)
			began = t;
		else if (changed)
			ended = t;
		ck_assert_int_eq(unaccounted_grown(&u) > 0, u.growing);
	}
	/* an hour after it has begun, and in the first part that has none */
	ck_assert_uint_eq(began, HOUR);
	ck_assert_uint_ge(ended, 2 * HOUR + 600 * SECOND);
	ck_assert_uint_le(ended, 2 * HOUR + 1200 * SECOND);
	ck_assert_uint_eq(u.since, 5 * SECOND);
}
END_TEST

START_TEST(no_growth)
{
	for (int kind = 0; kind < 6; kind++) {
		struct unaccounted u = { 0 };

		for (uint64_t t = 0; t <= 8 * HOUR; t += 10 * SECOND) {
			int64_t minute = (int64_t)(t / SECOND / 60), level = 100 * MIB;

			if (kind == 0) /* a step, however large */
				level += minute > 95 ? 5000 * MIB : 0;
			else if (kind == 1) /* a sawtooth of 25 minutes */
				level += minute % 25 * 20 * MIB;
			else if (kind == 2) /* five parts of six */
				level += 12 * MIB * (minute / 10 - minute / 60);
			else if (kind == 3) /* too slow */
				level += minute * MIB / 2;
			else if (kind == 4) /* short peaks at ends of parts */
				level += minute % 10 == 9 && t % (60 * SECOND) > 40 * SECOND ? 900 * MIB : 0;
			else /* falls */
				level += (600 - minute) * MIB;
			unaccounted_look(&u, level, t, HOUR, 10 * MIB);
			ck_assert_msg(!u.growing, "%d: at %" PRId64, kind, minute);
		}
	}
}
END_TEST

START_TEST(gaps)
{
	struct unaccounted u = { 0 };
	uint64_t t = 0;
	int64_t level = 0;

	/* no level is none; a look in each part is enough */
	for (int i = 0; i <= 6; i++, t += 600 * SECOND, level += 20 * MIB) {
		unaccounted_look(&u, QMEM_NA, t + SECOND, HOUR, 10 * MIB);
		unaccounted_look(&u, level, t, HOUR, 10 * MIB);
	}
	ck_assert(u.growing);
	/* asleep for a day: all anew */
	t += 24 * HOUR;
	ck_assert(unaccounted_look(&u, level + 900 * MIB, t, HOUR, 10 * MIB));
	ck_assert(!u.growing);
	ck_assert(!unaccounted_look(&u, level + 900 * MIB, t + 600 * SECOND, HOUR, 10 * MIB));
	/* not wanted */
	memset(&u, 0, sizeof(u));
	for (t = 0; t <= 3 * HOUR; t += 60 * SECOND, level += 20 * MIB)
		ck_assert(!unaccounted_look(&u, level, t, 0, 10 * MIB));
}
END_TEST

/* ---- the service ---- */

static const struct qmem_service *const services[] = { &meminfo_service, NULL };

static void setup(void)
{
	procroot_begin(services);
}

static void put(int64_t slab)
{
	/* what free falls by nobody has */
	procroot_put("proc/meminfo",
		     "MemTotal: 1000000 kB\nMemFree: %" PRId64 " kB\nBuffers: 0 kB\nCached: 0 kB\nAnonPages: 1000 kB\n"
		     "Shmem: 0 kB\nSReclaimable: 0 kB\nSUnreclaim: 0 kB\nKernelStack: 0 kB\nPageTables: 0 kB\n"
		     "MemAvailable: 800000 kB\nSwapCached: 0 kB\n",
		     900000 - slab);
}

START_TEST(event)
{
	const char *text = "";
	int64_t gone = 0;

	procroot_host.no_values = true;
	put(gone);
	procroot_start();
	ck_assert_str_eq(procroot_tick(), "");
	for (int i = 0; i < 59; i++) {
		procroot_now += 59 * SECOND;
		put(gone += 1000);
		ck_assert_str_eq(procroot_tick(), "");
	}
	procroot_now += 59 * SECOND;
	put(gone += 1000);
	text = procroot_tick();
	ck_assert_str_eq(
		text,
		"event WARNING meminfo.unaccounted[] memory that no counter explains grows: 155.2 MiB of 976.5 MiB "
		"(15.90 %), 58.5 MiB more than 60 min 0 s ago, and in each part of that; a driver or file system "
		"takes pages; see meminfo.accounting, /proc/allocinfo, /proc/modules\n"
		"  unaccounted=155.2 MiB\n  share_percent=15.90\n  grown=58.5 MiB\n  duration=60 min 0 s\n");
	procroot_host.no_values = false;
	text = procroot_tick();
	ck_assert_ptr_nonnull(strstr(text, "meminfo.unaccounted.grown "));
	ck_assert_ptr_null(strstr(text, "meminfo.unaccounted.grown 0 "));
	procroot_host.no_values = true;
	for (int i = 0; i < 9; i++) {
		procroot_now += 59 * SECOND;
		ck_assert_str_eq(procroot_tick(), "");
	}
	procroot_now += 59 * SECOND;
	text = procroot_tick();
	ck_assert_msg(
		strstr(text, "event OKAY meminfo.unaccounted[] memory that no counter explains has ended growing: "),
		"%s", text);
}
END_TEST

/* The ZFS cache is no driver that leaks. */
START_TEST(arc_is_known)
{
	procroot_host.no_values = true;
	put(0);
	procroot_put("proc/spl/kstat/zfs/arcstats", "c_min 4 0\nsize 4 0\n");
	procroot_start();
	(void)procroot_tick();
	for (int i = 1; i < 120; i++) {
		procroot_now += 59 * SECOND;
		put(1000 * i);
		procroot_put("proc/spl/kstat/zfs/arcstats", "c_min 4 0\nsize 4 %d\n", 1024000 * i);
		ck_assert_str_eq(procroot_tick(), "");
	}
}
END_TEST

/* What grows is not the ZFS cache, however large that is. */
START_TEST(grows_beside_arc)
{
	const char *text = "";

	procroot_host.no_values = true;
	procroot_put("proc/spl/kstat/zfs/arcstats", "c_min 4 0\nsize 4 51200000\n");
	put(0);
	procroot_start();
	(void)procroot_tick();
	for (int i = 1; i <= 61 && !*text; i++) {
		procroot_now += 59 * SECOND;
		put(1000 * i);
		text = procroot_tick();
	}
	ck_assert_msg(strstr(text, "grown=5") || strstr(text, "grown=58"), "%s", text);
	ck_assert_ptr_null(strstr(text, "grown=10"));
}
END_TEST

START_TEST(said)
{
	struct qmem_status status;

	procroot_host.no_values = true;
	procroot_put("proc/meminfo", "%s", BASE "SwapCached: 0 kB\nMemAvailable: 1 kB\nHugetlb: 473000 kB\n");
	procroot_set("meminfo", "LevelCritical", "0");
	procroot_set("meminfo", "LevelHigh", "0");
	procroot_set("meminfo", "LevelMedium", "0");
	procroot_set("meminfo", "LevelLow", "0");
	procroot_start();
	ck_assert_str_eq(procroot_tick(),
			 "log warning meminfo: no accounting: its parts exceed MemTotal by 97.6 MiB, so a "
			 "counter is wrong\n");
	ck_assert_str_eq(procroot_tick(), "");
	ck_assert(qmem_status(procroot_host.q, 0, &status));
	ck_assert_str_eq(status.reason, "no accounting: its parts are more than MemTotal");
	procroot_host.no_values = false;
	ck_assert_ptr_nonnull(strstr(procroot_tick(), "meminfo.accounting.unaccounted - bytes\n"));
	procroot_host.no_values = true;
	procroot_put("proc/meminfo", "%s", leaked_text);
	ck_assert_str_eq(
		procroot_tick(),
		"log info meminfo: accounting: its parts are within MemTotal again\n"
		"log warning meminfo: Active(file) and Inactive(file) exceed Buffers, Cached and AnonPages by 42.4 GiB: "
		"a counter has leaked, and MemAvailable is too large\n");
	ck_assert_str_eq(procroot_tick(), "");
	ck_assert(qmem_status(procroot_host.q, 0, &status));
	ck_assert_str_eq(status.reason, "");
}
END_TEST

static int64_t unaccounted_kib(void)
{
	(void)procroot_tick();
	return procroot_value("meminfo.accounting.unaccounted") / 1000 / KIB;
}

/* Lists of CPUs are looked at anew when they are too old; of a short file that is soon. */
START_TEST(beside)
{
	int64_t page = sysconf(_SC_PAGESIZE) / KIB;

	procroot_put("proc/meminfo", "%s", BASE);
	procroot_put("proc/zoneinfo", "  pagesets\n    cpu: 0\n              count: 100\n");
	procroot_put("proc/vmstat", "nr_free_pages 1\nnr_zspages 70\nnr_memmap_pages 30\n");
	procroot_start();
	ck_assert_int_eq(unaccounted_kib(), BASE_REST - 200 * page);
	procroot_put("proc/zoneinfo", "  pagesets\n    cpu: 0\n              count: 1000\n");
	ck_assert_int_eq(unaccounted_kib(), BASE_REST - 1100 * page);
	ck_assert_int_eq(procroot_value("meminfo.accounting_within.free_percpu"), 1000 * page * KIB * 1000);
	procroot_put("proc/zoneinfo", "  pagesets\n    cpu: 0\n              count: x\n");
	procroot_put("proc/vmstat", "nr_free_pages 1\n");
	ck_assert_int_eq(unaccounted_kib(), BASE_REST);
	procroot_remove("proc/zoneinfo");
	ck_assert_int_eq(unaccounted_kib(), BASE_REST);
}
END_TEST

START_TEST(long_zoneinfo)
{
	static char text[80000];
	int64_t page = sysconf(_SC_PAGESIZE) / KIB;

	for (size_t i = 0; i + 20 < sizeof(text); i += 20)
		memcpy(text + i, "  vm threshold:   1\n", 20);
	procroot_put("proc/meminfo", "%s", BASE);
	procroot_put("proc/zoneinfo", "%s  count: 100\n", text);
	procroot_start();
	ck_assert_int_eq(unaccounted_kib(), BASE_REST - 100 * page);
	procroot_put("proc/zoneinfo", "%s  count: 200\n", text);
	for (int i = 0; i < 9; i++)
		ck_assert_int_eq(unaccounted_kib(), BASE_REST - 100 * page);
	ck_assert_int_eq(unaccounted_kib(), BASE_REST - 200 * page);
}
END_TEST

/* Only one kind of balloon is in MemTotal. */
START_TEST(balloons)
{
	procroot_put("sys/bus/virtio/drivers/virtio_balloon/virtio3/uevent", "x");
	procroot_put("sys/bus/virtio/devices/virtio3/features",
		     "1100010000000000000000000000000010000000000000000000000000000000\n");
	procroot_put("proc/meminfo", "%s", BASE "Balloon: 0 kB\n");
	procroot_start();
	ck_assert_int_eq(unaccounted_kib(), BASE_REST);
	procroot_put("proc/meminfo", "%s", BASE "Balloon: 1000 kB\n");
	ck_assert_int_eq(unaccounted_kib(), BASE_REST);
	ck_assert_int_eq(procroot_value("meminfo.accounting.balloon"), QMEM_NA);
	procroot_put("proc/meminfo", "%s", BASE "Balloon: 0 kB\n");
	ck_assert_int_eq(unaccounted_kib(), BASE_REST);
	procroot_put("sys/bus/virtio/devices/virtio3/features",
		     "1110010000000000000000000000000010000000000000000000000000000000\n");
	procroot_put("proc/meminfo", "%s", BASE "Balloon: 1000 kB\n");
	ck_assert_int_eq(unaccounted_kib(), BASE_REST - 1000);
	ck_assert_int_eq(procroot_value("meminfo.accounting.balloon"), 1000 * KIB * 1000);
}
END_TEST

START_TEST(balloon_of_vmware)
{
	procroot_put("sys/module/vmw_balloon/refcnt", "0\n");
	procroot_put("proc/meminfo", "%s", BASE "Balloon: 1000 kB\n");
	procroot_start();
	ck_assert_int_eq(unaccounted_kib(), BASE_REST - 1000);
}
END_TEST

SUITE(meminfo_accounting)
{
	Suite *s = suite_create("meminfo_accounting");
	TCase *t = tcase_create("parts"), *g = tcase_create("growth"), *u = tcase_create("service");

	tcase_add_test(t, roots);
	tcase_add_test(t, how_kernels_count);
	tcase_add_test(t, of_which);
	tcase_add_test(t, leaked_lists);
	tcase_add_test(t, exceeded);
	tcase_add_test(t, missing_and_malformed);
	tcase_add_test(t, any_numbers);
	suite_add_tcase(s, t);
	tcase_add_test(g, grows_in_each_part);
	tcase_add_test(g, no_growth);
	tcase_add_test(g, gaps);
	suite_add_tcase(s, g);
	tcase_add_checked_fixture(u, setup, procroot_end);
	tcase_add_test(u, event);
	tcase_add_test(u, arc_is_known);
	tcase_add_test(u, grows_beside_arc);
	tcase_add_test(u, said);
	tcase_add_test(u, beside);
	tcase_add_test(u, long_zoneinfo);
	tcase_add_test(u, balloons);
	tcase_add_test(u, balloon_of_vmware);
	suite_add_tcase(s, u);
	return s;
}
