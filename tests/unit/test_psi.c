/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "proc/psi.h"
#include "qmem.h"

#define NA QMEM_NA
#define NOTHING                                                                                                        \
	{                                                                                                              \
		NA, NA, NA, NA                                                                                         \
	}
#define SOME "some avg10=1.23 avg60=0.07 avg300=100.00 total=9036252\n"
#define FULL "full avg10=0.00 avg60=5.21 avg300=1.52 total=0\n"

static const struct {
	const char *text;
	int err;
	const char *fault; /* NULL: none */
	struct psi_line kind[PSI_KINDS];
} cases[] = {
	{ SOME FULL, 0, NULL, { { 123, 7, 10000, 9036252 }, { 0, 521, 152, 0 } } },
	{ FULL SOME, 0, NULL, { { 123, 7, 10000, 9036252 }, { 0, 521, 152, 0 } } },
	/* irq; cpu before 5.13 */
	{ FULL, 0, NULL, { { NA, NA, NA, NA }, { 0, 521, 152, 0 } } },
	{ SOME, 0, NULL, { { 123, 7, 10000, 9036252 }, { NA, NA, NA, NA } } },
	/* unknown lines and words, other order, words that only look like known ones */
	{ "most avg10=x\n" SOME "some_more total=1\n", 0, NULL, { { 123, 7, 10000, 9036252 }, { NA, NA, NA, NA } } },
	{ "full total=5 avg1000=9.99 totals=9 avg10=0.50 new\n", 0, NULL, { { NA, NA, NA, NA }, { 50, NA, NA, 5 } } },
	{ "some\n", 0, NULL, { { NA, NA, NA, NA }, { NA, NA, NA, NA } } },
	{ "some total=9223372036854775807\n", 0, NULL, { { NA, NA, NA, INT64_MAX }, { NA, NA, NA, NA } } },
	/* one bad number costs one value */
	{ "some avg10=1.00 total=9223372036854775808\n",
	  0,
	  "'some total' is too large",
	  { { 100, NA, NA, NA }, NOTHING } },
	{ "some total=99999999999999999999 avg10=1.00\n",
	  0,
	  "'some total' is too large",
	  { { 100, NA, NA, NA }, NOTHING } },
	{ "some avg10=92233720368547758.08 total=3\n", 0, "'some avg10' is too large", { { NA, NA, NA, 3 }, NOTHING } },
	{ "some total=99999999999999999999x avg60=0.01\n",
	  0,
	  "'some total' is malformed",
	  { { NA, 1, NA, NA }, NOTHING } },
	{ "some avg10=1.2 total=1\n" FULL, 0, "'some avg10' is malformed", { { NA, NA, NA, 1 }, { 0, 521, 152, 0 } } },
	{ SOME "full avg10=1.234 total=1\n",
	  0,
	  "'full avg10' is malformed",
	  { { 123, 7, 10000, 9036252 }, { NA, NA, NA, 1 } } },
	{ "some avg10=1 total=1\n", 0, "'some avg10' is malformed", { { NA, NA, NA, 1 }, NOTHING } },
	{ "some avg10=-1.00 total=1\n", 0, "'some avg10' is negative", { { NA, NA, NA, 1 }, NOTHING } },
	{ "some avg10=.00 total=1\n", 0, "'some avg10' is malformed", { { NA, NA, NA, 1 }, NOTHING } },
	{ "some avg10=1.00 total=-1\n", 0, "'some total' is negative", { { 100, NA, NA, NA }, NOTHING } },
	{ "some total=\n", 0, "'some total' is malformed", { NOTHING, NOTHING } },
	{ "some total=1.5\n", 0, "'some total' is malformed", { NOTHING, NOTHING } },
	{ "some total=1\t\n", 0, "'some total' is malformed", { NOTHING, NOTHING } },
	/* cut anywhere */
	{ SOME "full avg10=0.00 avg60=5.21 avg300=1.52 total=12",
	  0,
	  "'full avg10=0.00 avg60=5.21 avg300=1.52 total=12' is cut off",
	  { { 123, 7, 10000, 9036252 }, NOTHING } },
	{ "some avg10=1.23 avg60=0.07 total=9036252",
	  -ENODATA,
	  "'some avg10=1.23 avg60=0.07 total=9036252' is cut off",
	  { { 0 } } },
	{ "so", -ENODATA, "'so' is cut off", { { 0 } } },
	/* nothing known */
	{ "", -ENODATA, NULL, { { 0 } } },
	{ "\n\n", -ENODATA, NULL, { { 0 } } },
	{ "somefull total=1\n", -ENODATA, NULL, { { 0 } } },
};

START_TEST(parse)
{
	struct psi psi, untouched;
	struct fault fault;
	char words[128];
	int err;

	memset(&psi, 0x55, sizeof(psi));
	untouched = psi;
	err = psi_parse(cases[_i].text, strlen(cases[_i].text), &psi, &fault);
	ck_assert_msg(err == cases[_i].err, "'%s': %d, not %d", cases[_i].text, err, cases[_i].err);
	if (err)
		ck_assert_mem_eq(&psi, &untouched, sizeof(psi));
	else
		ck_assert_mem_eq(psi.kind, cases[_i].kind, sizeof(psi.kind));
	fault_print(words, sizeof(words), &fault);
	ck_assert_int_eq(fault.n != 0, cases[_i].fault != NULL);
	if (cases[_i].fault)
		ck_assert_str_eq(words, cases[_i].fault);
}
END_TEST

/* A shorter text says less, and that it is cut, but never something else. */
START_TEST(truncated)
{
	static const char text[] = SOME FULL;

	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		struct fault fault;
		struct psi psi;
		int err = psi_parse(text, len, &psi, &fault);

		ck_assert_int_eq(fault.kind, !len || len == strlen(SOME) ? FAULT_NONE : FAULT_TRUNCATED);
		ck_assert_int_eq(err, len < strlen(SOME) ? -ENODATA : 0);
		if (err)
			continue;
		ck_assert_int_eq(psi.kind[PSI_SOME].total, 9036252);
		ck_assert(psi.kind[PSI_FULL].total == QMEM_NA);
	}
}
END_TEST

START_TEST(nul_bytes)
{
	static const char text[] = "some avg10=1.00\0 total=1\n";
	struct fault fault;
	struct psi psi;

	ck_assert_int_eq(psi_parse(text, sizeof(text) - 1, &psi, &fault), 0);
	ck_assert(psi.kind[PSI_SOME].avg10 == NA);
	ck_assert_int_eq(psi.kind[PSI_SOME].total, 1);
	ck_assert_int_eq(fault.n, 1);
}
END_TEST

SUITE(psi)
{
	Suite *suite = suite_create("psi");
	TCase *tests = tcase_create("psi");

	tcase_add_loop_test(tests, parse, 0, sizeof(cases) / sizeof(*cases));
	tcase_add_test(tests, truncated);
	tcase_add_test(tests, nul_bytes);
	suite_add_tcase(suite, tests);
	return suite;
}
