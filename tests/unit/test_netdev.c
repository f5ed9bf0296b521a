/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proc/netdev.h"
#include "qmem.h"

#define NUMBERS "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16"

static const struct {
	const char *line;
	int err;
	const char *name;
	int columns;
} cases[] = {
	{ "Inter-|   Receive                            |  Transmit", -ENODATA, NULL, 0 },
	{ " face |bytes    packets errs drop fifo frame compressed multicast|bytes", -ENODATA, NULL, 0 },
	{ "", -ENODATA, NULL, 0 },
	{ "  eth0: " NUMBERS, 0, "eth0", 16 },
	{ "eth0:" NUMBERS, 0, "eth0", 16 },
	{ "enp0s31f6verylongname:    1  2 3     4 5 6 7 8 9 10 11 12 13 14 15 16   ", 0, "enp0s31f6verylongname", 16 },
	{ " eth0: " NUMBERS " 17 new", 0, "eth0", 16 },
	/* names as they may be */
	{ "eth0:1: " NUMBERS, 0, "eth0:1", 16 },
	{ "::: " NUMBERS, 0, "::", 16 },
	{ "a\"b=c: " NUMBERS, 0, "a\"b=c", 16 },
	{ "100%s%n: " NUMBERS, 0, "100%s%n", 16 },
	{ "a|b: " NUMBERS, 0, "a|b", 16 },
	{ "42: " NUMBERS, 0, "42", 16 },
	{ "\xc3\xa9\xff\x01: " NUMBERS, 0, "\xc3\xa9\xff\x01", 16 },
	/* fewer columns than known are absent */
	{ "eth0: 1 2 3", 0, "eth0", 3 },
	{ "eth0: 1", 0, "eth0", 1 },
	{ "eth0:", -EINVAL, NULL, 0 },
	{ "eth0:   ", -EINVAL, NULL, 0 },
	{ ": " NUMBERS, -EINVAL, NULL, 0 },
	{ "   : " NUMBERS, -EINVAL, NULL, 0 },
	{ "eth0: 1\t2", -EINVAL, NULL, 0 },
	{ "eth0: No statistics available", -EINVAL, NULL, 0 },
	{ "eth0: 0x10", -EINVAL, NULL, 0 },
};

START_TEST(parse)
{
	struct fault fault = { .n = 0 };
	struct netdev dev;
	int err;

	memset(&dev, 0x55, sizeof(dev));
	err = netdev_parse(cases[_i].line, strlen(cases[_i].line), &dev, &fault);
	ck_assert_msg(err == cases[_i].err, "'%s': %d, not %d", cases[_i].line, err, cases[_i].err);
	ck_assert_uint_eq(fault.n, err == -EINVAL);
	if (err) {
		ck_assert_int_eq(dev.column[0], 0x5555555555555555);
		return;
	}
	ck_assert_uint_eq(dev.name_len, strlen(cases[_i].name));
	ck_assert_mem_eq(dev.name, cases[_i].name, dev.name_len);
	for (int i = 0; i < NETDEV_COLUMNS; i++)
		if (i < cases[_i].columns)
			ck_assert_int_eq(dev.column[i], i + 1);
		else
			ck_assert(dev.column[i] == QMEM_NA);
}
END_TEST

static struct netdev line(const char *text, const char *wrong)
{
	struct fault fault = { .n = 0 };
	struct netdev dev;
	char words[128];

	ck_assert_int_eq(netdev_parse(text, strlen(text), &dev, &fault), 0);
	fault_print(words, sizeof(words), &fault);
	ck_assert_str_eq(words, wrong);
	return dev;
}

/* One bad number costs one column. */
START_TEST(bad_columns)
{
	struct netdev dev = line("e: 9223372036854775807 9223372036854775808 18446744073709551615 99999999999999999999 "
				 "00000000000000000000000000007 6",
				 "'e rx packets' is too large, and 2 more");

	ck_assert(dev.column[0] == INT64_MAX);
	ck_assert(dev.column[1] == QMEM_NA);
	ck_assert(dev.column[2] == QMEM_NA);
	ck_assert(dev.column[3] == QMEM_NA);
	ck_assert_int_eq(dev.column[4], 7);
	ck_assert_int_eq(dev.column[5], 6);
	dev = line("a-name-that-is-far-longer-than-any-the-kernel-has: 1 2x 3",
		   "'a-name-that-is-far-longer-than-a rx packets' is malformed");
	ck_assert_int_eq(dev.column[0], 1);
	ck_assert(dev.column[1] == QMEM_NA);
	ck_assert_int_eq(dev.column[2], 3);
	/* of 32 bits, printed with a sign; of more bits it is no such thing */
	dev = line("ppp0: -1294967289 -2147483649 -0", "'ppp0 rx packets' is negative, and 1 more");
	ck_assert_int_eq(dev.column[0], 3000000007);
	ck_assert(dev.column[1] == QMEM_NA);
	ck_assert(dev.column[2] == QMEM_NA);
}
END_TEST

START_TEST(nul_in_a_name)
{
	static const char text[] = "a\0b: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16";
	struct fault fault = { .n = 0 };
	struct netdev dev;

	ck_assert_int_eq(netdev_parse(text, sizeof(text) - 1, &dev, &fault), -EINVAL);
}
END_TEST

START_TEST(walk)
{
	static const char text[] = "Inter-|   Receive  |  Transmit\n face |bytes|bytes\n    lo: " NUMBERS "\n"
				   "  bad: x\n  eth0:2:" NUMBERS "\n\n  eth1: 1 2 3 4";
	struct netdev_walk at = { .at = text, .end = text + sizeof(text) - 1 };
	struct netdev dev;

	ck_assert(netdev_next(&at, &dev));
	ck_assert_mem_eq(dev.name, "lo", 2);
	ck_assert(netdev_next(&at, &dev));
	ck_assert_uint_eq(dev.name_len, 6);
	ck_assert_mem_eq(dev.name, "eth0:2", 6);
	/* its last number may be cut */
	ck_assert(!netdev_next(&at, &dev));
	ck_assert(!netdev_next(&at, &dev));
	ck_assert_uint_eq(at.fault.n, 2);
	ck_assert_str_eq(at.fault.key, "bad: x");
}
END_TEST

SUITE(netdev)
{
	Suite *suite = suite_create("netdev");
	TCase *tests = tcase_create("netdev");

	tcase_add_loop_test(tests, parse, 0, sizeof(cases) / sizeof(*cases));
	tcase_add_test(tests, bad_columns);
	tcase_add_test(tests, nul_in_a_name);
	tcase_add_test(tests, walk);
	suite_add_tcase(suite, tests);
	return suite;
}
