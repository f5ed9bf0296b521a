/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <string.h>

#include "proc/bdi.h"
#include "qmem.h"

#define KB INT64_C(1024)
#define WHOLE                                                                                                          \
	"BdiWriteback:              128 kB\nBdiReclaimable:           4096 kB\n"                                       \
	"BdiDirtyThresh:          20480 kB\nDirtyThresh:         34408 kB\nBackgroundThresh:    17180 kB\n"            \
	"BdiDirtied:              99000 kB\nBdiWritten:              95000 kB\nBdiWriteBandwidth:    51200 kBps\n"     \
	"b_dirty:                     7\nb_io:                        0\nb_more_io:                   0\n"             \
	"b_dirty_time:                1\nbdi_list:                    1\nstate:                       1\n"

static struct fault fault;
static int64_t columns[BDI_COLUMNS];

static size_t parse(const char *text)
{
	return bdi_parse(text, strlen(text), columns, &fault);
}

START_TEST(whole)
{
	static const int64_t wanted[BDI_COLUMNS] = {
		128 * KB, 4096 * KB, 20480 * KB, 99000 * KB, 95000 * KB, 51200 * KB
	};

	ck_assert_uint_eq(parse(WHOLE), BDI_COLUMNS);
	ck_assert_uint_eq(fault.n, 0);
	ck_assert_mem_eq(columns, wanted, sizeof(wanted));
}
END_TEST

static const struct {
	const char *text, *fault;
	int64_t writeback, bandwidth;
} cases[] = {
	{ "", NULL, QMEM_NA, QMEM_NA },
	{ "\n:\nBdiWritebackTmp: 1 kB\nBdi: 2 kB\nBdiWriteback 3 kB\n", NULL, QMEM_NA, QMEM_NA },
	{ "BdiWriteback:1 kB\nBdiWriteBandwidth: 2 kBps\n", NULL, KB, 2 * KB },
	{ "BdiWriteback: 1\nBdiWriteBandwidth: 2 kBps\n", "'BdiWriteback' is without kB", QMEM_NA, 2 * KB },
	{ "BdiWriteback: 1 kBps\nBdiWriteBandwidth: 2 kB\n", "'BdiWriteback' is malformed, and 1 more", QMEM_NA,
	  QMEM_NA },
	{ "BdiWriteback: 1 kB more\n", "'BdiWriteback' is malformed", QMEM_NA, QMEM_NA },
	{ "BdiWriteback: 1x kB\n", "'BdiWriteback' is malformed", QMEM_NA, QMEM_NA },
	{ "BdiWriteback:\n", "'BdiWriteback' is malformed", QMEM_NA, QMEM_NA },
	{ "BdiWriteback: -1 kB\n", "'BdiWriteback' is negative", QMEM_NA, QMEM_NA },
	{ "BdiWriteback: 9007199254740992 kB\n", "'BdiWriteback' is too large", QMEM_NA, QMEM_NA },
	{ "BdiWriteback: 9007199254740991 kB\n", NULL, INT64_MAX - 1023, QMEM_NA },
	{ "BdiWriteback: 99999999999999999999 kB\n", "'BdiWriteback' is too large", QMEM_NA, QMEM_NA },
	/* of two the first one counts, sound or not */
	{ "BdiWriteback: 1 kB\nBdiWriteback: 2 kB\n", "'BdiWriteback' is there twice", KB, QMEM_NA },
	{ "BdiWriteback: x kB\nBdiWriteback: 2 kB\n", "'BdiWriteback' is malformed, and 1 more", QMEM_NA, QMEM_NA },
	/* a line that is cut is none */
	{ "BdiWriteback: 1 kB\nBdiWriteBandwidth: 2 kBps", "'BdiWriteBandwidth: 2 kBps' is cut off", KB, QMEM_NA },
};

START_TEST(lines)
{
	char words[128];

	parse(cases[_i].text);
	ck_assert(columns[BDI_WRITEBACK] == cases[_i].writeback);
	ck_assert(columns[BDI_BANDWIDTH] == cases[_i].bandwidth);
	ck_assert_msg(!fault.n == !cases[_i].fault, "'%s'", cases[_i].text);
	if (!fault.n)
		return;
	fault_print(words, sizeof(words), &fault);
	ck_assert_str_eq(words, cases[_i].fault);
}
END_TEST

/* What is cut anywhere has what it has lines of. */
START_TEST(cut)
{
	for (size_t len = 0; len < strlen(WHOLE); len++) {
		size_t known = bdi_parse(WHOLE, len, columns, &fault);

		ck_assert_uint_eq(fault.n, len && WHOLE[len - 1] != '\n');
		ck_assert_uint_le(known, BDI_COLUMNS);
	}
}
END_TEST

SUITE(bdi)
{
	Suite *s = suite_create("bdi");
	TCase *t = tcase_create("bdi");

	tcase_add_test(t, whole);
	tcase_add_loop_test(t, lines, 0, sizeof(cases) / sizeof(*cases));
	tcase_add_test(t, cut);
	suite_add_tcase(s, t);
	return s;
}
