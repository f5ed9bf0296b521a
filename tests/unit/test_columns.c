/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>

#include "proc/columns.h"
#include "qmem.h"

static const char *const names[] = { "a", "b", "c" };
static const struct columns three = { .names = names, .n = 3, .below_zero = 4 };

static const struct {
	const char *text;
	int numbers;
	int64_t v[3];
	enum fault_kind fault;
} cases[] = {
	{ "1 2 3\n", 3, { 1, 2, 3 }, FAULT_NONE },
	{ "       1        0       -3\n", 3, { 1, 0, -3 }, FAULT_NONE },
	/* what a new kernel adds, and what follows */
	{ "1 2 3 4 5\nmore\n", 3, { 1, 2, 3 }, FAULT_NONE },
	/* what an old one does not have */
	{ "7 8\n", 2, { 7, 8, QMEM_NA }, FAULT_NONE },
	{ "7\n", 1, { 7, QMEM_NA, QMEM_NA }, FAULT_NONE },
	{ "7 \n", 1, { 7, QMEM_NA, QMEM_NA }, FAULT_NONE },
	{ "\n", -ENODATA, { QMEM_NA, QMEM_NA, QMEM_NA }, FAULT_NONE },
	{ "", -ENODATA, { QMEM_NA, QMEM_NA, QMEM_NA }, FAULT_TRUNCATED },
	/* a number that is cut would pass for a smaller one */
	{ "1 2 3", -ENODATA, { QMEM_NA, QMEM_NA, QMEM_NA }, FAULT_TRUNCATED },
	{ "1 x 3\n", 2, { 1, QMEM_NA, 3 }, FAULT_MALFORMED },
	{ "x y z\n", -ENODATA, { QMEM_NA, QMEM_NA, QMEM_NA }, FAULT_MALFORMED },
	{ "-1 2 -9223372036854775807\n", 2, { QMEM_NA, 2, -INT64_MAX }, FAULT_NEGATIVE },
	{ "1 2 --3\n", 2, { 1, 2, QMEM_NA }, FAULT_MALFORMED },
	{ "1 2 -\n", 2, { 1, 2, QMEM_NA }, FAULT_MALFORMED },
	{ "9223372036854775807 9223372036854775808 -9223372036854775808\n",
	  1,
	  { INT64_MAX, QMEM_NA, QMEM_NA },
	  FAULT_TOO_LARGE },
};

START_TEST(parse)
{
	struct fault fault;
	int64_t v[3] = { 5, 5, 5 };

	ck_assert_int_eq(columns_parse(cases[_i].text, strlen(cases[_i].text), &three, v, &fault), cases[_i].numbers);
	ck_assert_int_eq(fault.kind, cases[_i].fault);
	for (int i = 0; i < 3; i++)
		ck_assert_msg(v[i] == cases[_i].v[i], "'%s': column %d", cases[_i].text, i);
}
END_TEST

START_TEST(fault_names)
{
	static const char text[] = "1 x 99999999999999999999\n";
	struct fault fault;
	int64_t v[3];

	ck_assert_int_eq(columns_parse(text, strlen(text), &three, v, &fault), 1);
	ck_assert_uint_eq(fault.n, 2);
	ck_assert_str_eq(fault.key, "b");
}
END_TEST

START_TEST(switches)
{
	ck_assert_int_eq(columns_switch("Y\n", 2), 1);
	ck_assert_int_eq(columns_switch("N\n", 2), 0);
	ck_assert(columns_switch("Y", 1) == QMEM_NA);
	ck_assert(columns_switch("", 0) == QMEM_NA);
	ck_assert(columns_switch("1\n", 2) == QMEM_NA);
	ck_assert(columns_switch("Yes\n", 4) == QMEM_NA);
}
END_TEST

START_TEST(choices)
{
	static const struct {
		const char *text, *word;
	} words[] = {
		{ "lzo [lzo-rle] lz4\n", "lzo-rle" },
		{ "[lz4]\n", "lz4" },
		{ "lzo lz4\n", NULL },
		{ "[] lz4\n", NULL },
		{ "lzo [lz4", NULL },
		{ "[\n]", NULL },
		{ "[1234567890]\n", NULL },
		{ "[123456789]", "123456789" },
		{ "", NULL },
	};
	char word[10];

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		bool found = columns_choice(words[i].text, strlen(words[i].text), word, sizeof(word));

		ck_assert_msg(found == (words[i].word != NULL), "'%s'", words[i].text);
		if (found)
			ck_assert_str_eq(word, words[i].word);
	}
}
END_TEST

SUITE(columns)
{
	Suite *s = suite_create("columns");
	TCase *t = tcase_create("columns");

	tcase_add_loop_test(t, parse, 0, sizeof(cases) / sizeof(*cases));
	tcase_add_test(t, fault_names);
	tcase_add_test(t, switches);
	tcase_add_test(t, choices);
	suite_add_tcase(s, t);
	return s;
}
