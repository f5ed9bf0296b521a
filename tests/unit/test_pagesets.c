/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <string.h>

#include "proc/pagesets.h"
#include "qmem.h"

static int64_t parse(const char *text, enum fault_kind want)
{
	struct fault fault = { 0 };
	int64_t pages = pagesets_parse(text, strlen(text), &fault);

	ck_assert_int_eq(fault.kind, want);
	return pages;
}

#define ZONE                                                                                                           \
	"Node 0, zone   Normal\n  per-node stats\n      nr_inactive_anon 5888\n  pages free     3840\n"                \
	"        protection: (0, 3019)\n      nr_free_pages 3840\n  pagesets\n"
#define CPU(n_, count_)                                                                                                \
	"    cpu: " #n_ "\n              count:    " #count_ "\n              high:     5698\n"                        \
	"              batch:    63\n  vm stats threshold: 24\n"

START_TEST(kernels)
{
	ck_assert_int_eq(parse(ZONE CPU(0, 5) CPU(1, 37) ZONE CPU(0, 0) CPU(1, 100) "  start_pfn:  1\n", FAULT_NONE),
			 142);
	/* 3.10 */
	ck_assert_int_eq(
		parse("  pagesets\n    cpu: 0\n              count: 17\n              high:  186\n", FAULT_NONE), 17);
	/* an emulator */
	ck_assert_int_eq(parse("Node 0, zone Normal\n  pages free 3\n", FAULT_NONE), QMEM_NA);
	ck_assert_int_eq(parse("", FAULT_NONE), QMEM_NA);
}
END_TEST

START_TEST(refused)
{
	ck_assert_int_eq(parse(ZONE CPU(0, 5) CPU(1, x), FAULT_MALFORMED), QMEM_NA);
	ck_assert_int_eq(parse(ZONE CPU(0, 5) CPU(1, -2), FAULT_NEGATIVE), QMEM_NA);
	ck_assert_int_eq(parse(ZONE CPU(0, 5) "  count:\n", FAULT_MALFORMED), QMEM_NA);
	ck_assert_int_eq(parse(ZONE CPU(0, 9223372036854775808), FAULT_TOO_LARGE), QMEM_NA);
	ck_assert_int_eq(parse(ZONE CPU(0, 9223372036854775807) CPU(1, 1), FAULT_TOO_LARGE), QMEM_NA);
	/* a word that only begins or ends so */
	ck_assert_int_eq(parse("  counts: 3\n  recount: 4\n  count: 5\n", FAULT_NONE), 5);
}
END_TEST

/* Cut anywhere: the whole sum or none. */
START_TEST(cut)
{
	static const char text[] = ZONE CPU(0, 5) CPU(1, 37);

	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		struct fault fault = { 0 };
		int64_t pages = pagesets_parse(text, len, &fault);

		ck_assert_int_eq(pages == QMEM_NA, fault.n > 0 || !memmem(text, len, "count:", 6));
		if (pages != QMEM_NA)
			ck_assert(pages == 5 || pages == 42);
	}
}
END_TEST

SUITE(pagesets)
{
	Suite *s = suite_create("pagesets");
	TCase *t = tcase_create("pagesets");

	tcase_add_test(t, kernels);
	tcase_add_test(t, refused);
	tcase_add_test(t, cut);
	suite_add_tcase(s, t);
	return s;
}
