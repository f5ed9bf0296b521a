/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "proc/psi.h"
#include "qmem.h"

#define NA QMEM_NA
#define SOME "some avg10=1.23 avg60=0.07 avg300=100.00 total=9036252\n"
#define FULL "full avg10=0.00 avg60=5.21 avg300=1.52 total=0\n"

static const struct {
	const char *text;
	int err;
	bool beyond;
	struct psi_line kind[PSI_KINDS];
} cases[] = {
	{ SOME FULL, 0, false, { { 123, 7, 10000, 9036252 }, { 0, 521, 152, 0 } } },
	{ FULL SOME, 0, false, { { 123, 7, 10000, 9036252 }, { 0, 521, 152, 0 } } },
	/* irq; cpu before 5.13 */
	{ FULL, 0, false, { { NA, NA, NA, NA }, { 0, 521, 152, 0 } } },
	{ SOME, 0, false, { { 123, 7, 10000, 9036252 }, { NA, NA, NA, NA } } },
	/* unknown lines and words, other order, words that only look like known ones */
	{ "most avg10=x\n" SOME "some_more total=1\n", 0, false, { { 123, 7, 10000, 9036252 }, { NA, NA, NA, NA } } },
	{ "full total=5 avg1000=9.99 totals=9 avg10=0.50 new\n", 0, false, { { NA, NA, NA, NA }, { 50, NA, NA, 5 } } },
	{ "some\n", 0, false, { { NA, NA, NA, NA }, { NA, NA, NA, NA } } },
	{ "some total=9223372036854775807\n", 0, false, { { NA, NA, NA, INT64_MAX }, { NA, NA, NA, NA } } },
	{ "some avg10=1.00 total=9223372036854775808\n", 0, true, { { 100, NA, NA, NA }, { NA, NA, NA, NA } } },
	{ "some total=99999999999999999999 avg10=1.00\n", 0, true, { { 100, NA, NA, NA }, { NA, NA, NA, NA } } },
	{ "some avg10=92233720368547758.08 total=3\n", 0, true, { { NA, NA, NA, 3 }, { NA, NA, NA, NA } } },
	{ "some total=99999999999999999999x\n", -EINVAL, false, { { 0 } } },
	/* cut anywhere */
	{ SOME "full avg10=0.00 avg60=5.21 avg300=1.52 total=12", -EINVAL, false, { { 0 } } },
	{ "some avg10=1.23 avg60=0.07 avg300=100.00 total=9036252", -EINVAL, false, { { 0 } } },
	{ "so", -EINVAL, false, { { 0 } } },
	/* malformed */
	{ "some avg10=1.2 total=1\n", -EINVAL, false, { { 0 } } },
	{ "some avg10=1.234 total=1\n", -EINVAL, false, { { 0 } } },
	{ "some avg10=1 total=1\n", -EINVAL, false, { { 0 } } },
	{ "some avg10=-1.00 total=1\n", -EINVAL, false, { { 0 } } },
	{ "some avg10=.00 total=1\n", -EINVAL, false, { { 0 } } },
	{ "some avg10=1.00 total=-1\n", -EINVAL, false, { { 0 } } },
	{ "some total=\n", -EINVAL, false, { { 0 } } },
	{ "some total=1.5\n", -EINVAL, false, { { 0 } } },
	{ "some total=1\t\n", -EINVAL, false, { { 0 } } },
	/* nothing known */
	{ "", -ENODATA, false, { { 0 } } },
	{ "\n\n", -ENODATA, false, { { 0 } } },
	{ "somefull total=1\n", -ENODATA, false, { { 0 } } },
};

START_TEST(parse)
{
	struct psi psi, untouched;
	int err;

	memset(&psi, 0x55, sizeof(psi));
	untouched = psi;
	err = psi_parse(cases[_i].text, strlen(cases[_i].text), &psi);
	ck_assert_msg(err == cases[_i].err, "'%s': %d, not %d", cases[_i].text, err, cases[_i].err);
	if (err)
		ck_assert_mem_eq(&psi, &untouched, sizeof(psi));
	else
		ck_assert_mem_eq(psi.kind, cases[_i].kind, sizeof(psi.kind));
	if (!err)
		ck_assert(psi.beyond == cases[_i].beyond);
}
END_TEST

/* Every shorter text is refused, or says less, but never something else. */
START_TEST(truncated)
{
	static const char text[] = SOME FULL;

	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		struct psi psi;
		int err = psi_parse(text, len, &psi);

		if (len != strlen(SOME)) {
			ck_assert_int_ne(err, 0);
			continue;
		}
		ck_assert_int_eq(err, 0);
		ck_assert_int_eq(psi.kind[PSI_SOME].total, 9036252);
		ck_assert(psi.kind[PSI_FULL].total == QMEM_NA);
	}
}
END_TEST

START_TEST(nul_bytes)
{
	static const char text[] = "some avg10=1.00\0 total=1\n";
	struct psi psi;

	ck_assert_int_eq(psi_parse(text, sizeof(text) - 1, &psi), -EINVAL);
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
