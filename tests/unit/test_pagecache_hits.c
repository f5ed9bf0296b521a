/* SPDX-License-Identifier: MIT */
/* What counters of the kernel make of samples. */
#include "unit.h"

#include <string.h>

#include "service/pagecache_hits.h"

static struct hits_reader r;
static struct cachehits_machine cpus[3];

static void setup(void)
{
	memset(&r, 0, sizeof(r));
	memset(cpus, 0, sizeof(cpus));
}

static void count(int cpu, __u64 reads, __u64 read_misses, __u64 faults, __u64 fault_misses, __u64 added)
{
	const __u64 n[CACHEHITS_KINDS] = { reads, read_misses, faults, fault_misses, added };

	memcpy(cpus[cpu].n, n, sizeof(n));
}

START_TEST(sums)
{
	count(0, 10, 2, 5, 1, 100);
	count(2, 30, 3, 7, 0, 11);
	hits_sum(&r, cpus, 3);
	ck_assert_int_eq(r.machine.read_hit, 35);
	ck_assert_int_eq(r.machine.read_miss, 5);
	ck_assert_int_eq(r.machine.fault_hit, 11);
	ck_assert_int_eq(r.machine.fault_miss, 1);
	ck_assert_int_eq(r.machine.added, 111);
	/* of the first one there is no share, nor where nobody has looked */
	ck_assert(r.machine.ratio == QMEM_NA);
	hits_sum(&r, cpus, 3);
	ck_assert(r.machine.ratio == QMEM_NA);
	count(1, 6, 2, 4, 0, 0);
	hits_sum(&r, cpus, 3);
	ck_assert_int_eq(r.machine.ratio, 8000);
}
END_TEST

/* A miss that is counted behind its look takes no hit back. */
START_TEST(late_misses)
{
	count(0, 10, 0, 0, 0, 0);
	hits_sum(&r, cpus, 3);
	ck_assert_int_eq(r.machine.read_hit, 10);
	count(0, 10, 1, 0, 0, 0);
	hits_sum(&r, cpus, 3);
	ck_assert_int_eq(r.machine.read_hit, 10);
	ck_assert_int_eq(r.machine.read_miss, 1);
	ck_assert_int_eq(r.machine.ratio, 0);
	count(0, 12, 1, 0, 0, 0);
	hits_sum(&r, cpus, 3);
	ck_assert_int_eq(r.machine.read_hit, 11);
	count(0, 12, 20, 0, 0, 0);
	hits_sum(&r, cpus, 3);
	ck_assert_int_eq(r.machine.read_hit, 11);
}
END_TEST

START_TEST(large)
{
	count(0, UINT64_MAX, 0, 0, 0, UINT64_MAX);
	hits_sum(&r, cpus, 3);
	ck_assert(r.machine.read_hit == INT64_MAX);
	ck_assert(r.machine.added == INT64_MAX);
	cpus[0].lost = 3;
	cpus[1].lost = 4;
	hits_sum(&r, cpus, 3);
	ck_assert_uint_eq(r.lost, 7);
}
END_TEST

SUITE(pagecache_hits)
{
	Suite *s = suite_create("pagecache_hits");
	TCase *t = tcase_create("hits");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, sums);
	tcase_add_test(t, late_misses);
	tcase_add_test(t, large);
	suite_add_tcase(s, t);
	return s;
}
