/* SPDX-License-Identifier: MIT */
/* smaps and smaps_rollup, as kernels write them and as no kernel does. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proc/smaps.h"
#include "qmem.h"

#define K 1024
#define HEADER "55d0c0a00000-7ffd2a5f1000 ---p 00000000 00:00 0                          [rollup]\n"

START_TEST(rollup)
{
	static const char text[] = HEADER "Rss:                1000 kB\n"
					  "Pss:                 400 kB\n"
					  "Pss_Dirty:            90 kB\n"
					  "Shared_Clean:        880 kB\n"
					  "Private_Clean:        28 kB\n"
					  "Private_Dirty:        92 kB\n"
					  "SomethingNew:       text\n"
					  "Private_Hugetlb:    2048 kB\n"
					  "Swap:                 12 kB\n";
	struct smaps_rollup r;

	ck_assert_int_eq(smaps_rollup_parse(text, strlen(text), &r), 0);
	ck_assert_int_eq(r.rss, 1000 * K);
	ck_assert_int_eq(r.pss, 400 * K);
	ck_assert_int_eq(r.uss, (28 + 92 + 2048) * K);
	ck_assert_int_eq(r.swap, 12 * K);
	ck_assert(r.swap_pss == QMEM_NA && r.shared_dirty == QMEM_NA);
}
END_TEST

START_TEST(rollup_refused)
{
	static const struct {
		const char *text;
		int err;
	} cases[] = {
		{ "", -ENODATA },
		{ HEADER, -ENODATA },
		{ HEADER "Rss: 1 kB\n", -ENODATA },
		{ HEADER "Rss: 1 kB\nPss: 1 kB", -EINVAL },
		{ HEADER "Rss: 1 kB\nPss: -1 kB\n", -EINVAL },
		{ HEADER "Rss: 1 kB\nPss: 1 MB\n", -EINVAL },
		{ HEADER "Rss: 1 kB\nPss:\n", -EINVAL },
		{ HEADER "Rss: 1 kB\nPss: 9223372036854775807 kB\n", -ERANGE },
		{ HEADER "Rss: 1 kB\nPss: 99999999999999999999 kB\n", -ERANGE },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct smaps_rollup r = { .rss = 42 };

		ck_assert_msg(smaps_rollup_parse(cases[i].text, strlen(cases[i].text), &r) == cases[i].err, "%zu: '%s'",
			      i, cases[i].text);
		ck_assert_int_eq(r.rss, 42);
	}
}
END_TEST

/* One bad line costs one value, but for what PSS and USS are made of. */
START_TEST(rollup_bad_numbers)
{
	static const char text[] =
		HEADER "Rss: x kB\nPss: 3 kB\nSwap: -1 kB\nPrivate_Clean: 1 kB\nPrivate_Dirty: 2 kB\n";
	struct smaps_rollup r;

	ck_assert_int_eq(smaps_rollup_parse(text, strlen(text), &r), 0);
	ck_assert(r.rss == QMEM_NA && r.swap == QMEM_NA);
	ck_assert_int_eq(r.pss, 3 * K);
	ck_assert_int_eq(r.uss, 3 * K);
}
END_TEST

/* What each mapping is taken for, by its header and flags. */
START_TEST(kinds)
{
	static const struct {
		const char *header, *flags;
		enum smaps_kind kind;
	} cases[] = {
		{ "55d0-55d1 rw-p 00000000 00:00 0                          [heap]", "rd wr", SMAPS_HEAP },
		{ "7ffd-7ffe rw-p 00000000 00:00 0                          [stack]", "rd wr", SMAPS_STACK },
		{ "7f00-7f01 rw-p 00000000 00:00 0", "rd wr", SMAPS_ANON },
		{ "7f00-7f01 rw-p 00000000 00:00 0 ", "rd wr", SMAPS_ANON },
		{ "7f00-7f01 rw-p 00000000 00:00 0                          [anon:a pool\\012]", "rd wr", SMAPS_ANON },
		{ "7f00-7f01 rwxp 00000000 00:00 0 ", "rd wr ex", SMAPS_JIT },
		{ "7f00-7f01 r-xs 00000000 00:01 12                         /memfd:code (deleted)", "rd", SMAPS_JIT },
		{ "7f00-7f01 rw-s 00000000 00:01 12                         /memfd:data (deleted)", "rd", SMAPS_SHMEM },
		{ "7f00-7f01 rw-s 00000000 00:01 12                         /SYSV00000000 (deleted)", "rd",
		  SMAPS_SHMEM },
		{ "7f00-7f01 rw-s 00000000 00:01 12                         /dev/shm/x y", "rd", SMAPS_SHMEM },
		{ "7f00-7f01 rw-s 00000000 00:01 12                         /dev/zero (deleted)", "rd", SMAPS_SHMEM },
		{ "7f00-7f01 rw-p 00000000 00:05 4                          /dev/zero", "rd wr", SMAPS_ANON },
		{ "7f00-7f01 rwxp 00000000 00:05 4                          /dev/zero", "rd wr ex", SMAPS_JIT },
		{ "7f00-7f01 rw-s 00000000 00:0a 3                          /dmabuf:", "io", SMAPS_DEVICE },
		{ "7f00-7f01 rw-s 00000000 00:0f 9                          anon_inode:[io_uring]", "io",
		  SMAPS_DEVICE },
		{ "7f00-7f01 rw-s 00000000 00:05 12                         /dev/dri/card0", "io pf", SMAPS_DEVICE },
		{ "7f00-7f01 r-xp 00000000 fe:01 12                         /usr/bin/x (deleted)", "rd ex",
		  SMAPS_FILE },
		{ "7f00-7f01 r--p 00000000 fe:01 12                         /home/[heap]", "rd", SMAPS_FILE },
		{ "7f00-7f01 r-xp 00000000 00:00 0                          [vdso]", "rd ex", SMAPS_FILE },
		{ "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0  [vsyscall]", "ex", SMAPS_FILE },
		{ "7f00-7f01 rw-p 00000000 00:0f 12                         /anon_hugepage (deleted)", "", SMAPS_HUGE },
		{ "7f00-7f01 rw-s 00000000 00:0f 12                         /mnt/huge/x", "rd wr ht", SMAPS_HUGE },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[1024];
		struct smaps s;

		snprintf(text, sizeof(text),
			 "%s\nSize: 64 kB\nRss: 16 kB\nPss: 8 kB\nShared_Dirty: 4 kB\nPrivate_Dirty: 8 kB\n"
			 "Swap: 32 kB\nPrivate_Hugetlb: 2048 kB\nTHPeligible:    0\nVmFlags: %s \n",
			 cases[i].header, cases[i].flags);
		smaps_begin(&s, false);
		ck_assert_int_eq(smaps_feed(&s, text, strlen(text)), (int64_t)strlen(text));
		smaps_end(&s);
		ck_assert_uint_eq(s.mappings, 1);
		for (int k = 0; k < SMAPS_KINDS; k++) {
			const struct smaps_amounts *a = &s.kinds[k];
			bool it = k == (int)cases[i].kind;

			ck_assert_msg(a->size == (it ? 64 * K : 0), "'%s' is not of kind %d", cases[i].header, k);
			ck_assert(a->rss == (it ? (16 + 2048) * K : 0) && a->pss == (it ? 8 * K : 0));
			ck_assert(a->swap == (it ? 32 * K : 0) && a->dirty == (it ? 12 * K : 0));
		}
	}
}
END_TEST

START_TEST(pieces_and_early_end)
{
	static const char text[] = "1000-2000 r-xp 00000000 fe:01 12 /usr/bin/x\nSize: 4 kB\nRss: 4 kB\n"
				   "3000-5000 rw-p 00000000 00:00 0 [heap]\nSize: 8 kB\nRss: 4 kB\n"
				   "5000-6000 rw-p 00000000 00:00 0 [heap]\nSize: 4 kB\nRss: 4 kB\n"
				   "7000-8000 rw-p 00000000 00:00 0\nSize: 4 kB\nRss: broken\n";
	size_t len = strlen(text);
	struct smaps s;

	smaps_begin(&s, true);
	ck_assert_int_gt(smaps_feed(&s, text, len), 0);
	smaps_end(&s);
	ck_assert(s.enough); /* what follows the heap has not been looked at: it is malformed */
	ck_assert_int_eq(s.kinds[SMAPS_HEAP].size, 12 * K);
	ck_assert_int_eq(s.kinds[SMAPS_HEAP].rss, 8 * K);

	smaps_begin(&s, false);
	ck_assert_int_eq(smaps_feed(&s, text, len), (int64_t)len);
	smaps_end(&s);
	ck_assert_int_eq(s.kinds[SMAPS_ANON].size, 4 * K);
	ck_assert(s.kinds[SMAPS_ANON].rss == QMEM_NA);
	ck_assert_int_eq(s.kinds[SMAPS_HEAP].rss, 8 * K);
	smaps_begin(&s, false);
	ck_assert_int_eq(smaps_feed(&s, "Size: 4 kB\n", 11), -EINVAL);

	smaps_begin(&s, false);
	ck_assert_int_eq(smaps_feed(&s, text, 3), 0);   /* no whole line yet */
	ck_assert_int_eq(smaps_feed(&s, text, 50), 44); /* the first one */
}
END_TEST

SUITE(smaps)
{
	Suite *s = suite_create("smaps");
	TCase *t = tcase_create("smaps");

	tcase_add_test(t, rollup);
	tcase_add_test(t, rollup_refused);
	tcase_add_test(t, rollup_bad_numbers);
	tcase_add_test(t, kinds);
	tcase_add_test(t, pieces_and_early_end);
	suite_add_tcase(s, t);
	return s;
}
