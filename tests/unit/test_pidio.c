/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "proc/pidio.h"
#include "qmem.h"

#define NA QMEM_NA

static const struct {
	const char *text;
	int err;
	const char *fault; /* NULL: none */
	int64_t value[PIDIO_VALUES];
} cases[] = {
	{ "rchar: 313282\nwchar: 320893\nsyscr: 123\nsyscw: 122\nread_bytes: 12288\nwrite_bytes: 290816\ncancelled_write_bytes: 212992\n",
	  0,
	  NULL,
	  { 313282, 320893, 123, 122, 12288, 290816, 212992 } },
	/* other order, keys of other kernels, none of ours */
	{ "syscw: 1\nrchars: 5\nrchar: 2\nnew thing: 7\n", 0, NULL, { 2, NA, NA, 1, NA, NA, NA } },
	{ "write_bytes: 9223372036854775807\n", 0, NULL, { NA, NA, NA, NA, NA, INT64_MAX, NA } },
	/* one bad number costs one value */
	{ "rchar: x\nwchar: 2\n", 0, "'rchar' is malformed", { NA, 2, NA, NA, NA, NA, NA } },
	{ "rchar:\nwchar: 2 kB\n", 0, "'rchar' is malformed, and 1 more", { NA, NA, NA, NA, NA, NA, NA } },
	{ "rchar: -5\nwchar: 2\n", 0, "'rchar' is negative", { NA, 2, NA, NA, NA, NA, NA } },
	{ "rchar: 9223372036854775808\nsyscr: 3\n", 0, "'rchar' is too large", { NA, NA, 3, NA, NA, NA, NA } },
	{ "rchar: 18446744073709551615\nsyscr: 3\n", 0, "'rchar' is too large", { NA, NA, 3, NA, NA, NA, NA } },
	{ "rchar: 1\nrchar: 2\n", 0, "'rchar' is there twice", { 1, NA, NA, NA, NA, NA, NA } },
	/* what is cut would pass for a smaller number */
	{ "rchar: 12\nwchar: 34", 0, "'wchar: 34' is cut off", { 12, NA, NA, NA, NA, NA, NA } },
	{ "rchar: 12", -ENODATA, "'rchar: 12' is cut off", { 0 } },
	{ "nothing\n: 5\n\n", -ENODATA, NULL, { 0 } },
	{ "", -ENODATA, NULL, { 0 } },
};

START_TEST(parse)
{
	const char *text = cases[_i].text;
	struct pidio io = { { 0 } };
	struct fault fault;
	char words[128] = "";

	ck_assert_int_eq(pidio_parse(text, strlen(text), &io, &fault), cases[_i].err);
	fault_print(words, sizeof(words), &fault);
	ck_assert_str_eq(fault.n ? words : "", cases[_i].fault ? cases[_i].fault : "");
	for (int i = 0; i < PIDIO_VALUES; i++)
		ck_assert_int_eq(io.value[i], cases[_i].value[i]);
}
END_TEST

/* Wherever it is cut, what is taken was whole. */
START_TEST(cut)
{
	const char *text = cases[0].text;

	for (size_t len = 0; len < strlen(text); len++) {
		struct pidio io;
		struct fault fault;

		if (pidio_parse(text, len, &io, &fault))
			continue;
		for (int i = 0; i < PIDIO_VALUES; i++)
			ck_assert(io.value[i] == NA || io.value[i] == cases[0].value[i]);
	}
}
END_TEST

SUITE(pidio)
{
	Suite *suite = suite_create("pidio");
	TCase *tests = tcase_create("pidio");

	tcase_add_loop_test(tests, parse, 0, sizeof(cases) / sizeof(*cases));
	tcase_add_test(tests, cut);
	suite_add_tcase(suite, tests);
	return suite;
}
