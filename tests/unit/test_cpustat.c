/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "proc/cpustat.h"
#include "qmem.h"

#define NA QMEM_NA
#define NOTHING                                                                                                        \
	{                                                                                                              \
		{ 0 }, 0, 0, 0, 0, 0, 0, false                                                                         \
	}
#define REST "ctxt 11\nbtime 12\nprocesses 13\nprocs_running 14\nprocs_blocked 15\n"

static const struct {
	const char *text;
	int err;
	struct cpustat st;
} cases[] = {
	{ "cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 2 3 4\ncpu7 1\nintr 1 0 0\n" REST "softirq 1 2\n",
	  0,
	  { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, 2, 11, 12, 13, 14, 15, false } },
	/* other order, a later kernel's column, an earlier one's */
	{ REST "cpu 1 2 3 4 5 6 7 8 9 10 11 12\n",
	  0,
	  { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, NA, 11, 12, 13, 14, 15, false } },
	{ "cpu  1 2 3 4\n", 0, { { 1, 2, 3, 4, NA, NA, NA, NA, NA, NA }, NA, NA, NA, NA, NA, NA, false } },
	{ "cpu  1 2 3 4 \nctxt 1\n", 0, { { 1, 2, 3, 4, NA, NA, NA, NA, NA, NA }, NA, 1, NA, NA, NA, NA, false } },
	{ "processes 9\n", 0, { { NA, NA, NA, NA, NA, NA, NA, NA, NA, NA }, NA, NA, NA, 9, NA, NA, false } },
	/* what only looks like a known one */
	{ "cpus 1\ncpufreq 2\nctxts 5\nprocesses_ 6\nprocs 7\n\nctxt 1\n",
	  0,
	  { { NA, NA, NA, NA, NA, NA, NA, NA, NA, NA }, NA, 1, NA, NA, NA, NA, false } },
	{ "cpu  9223372036854775807 2 3 9223372036854775808 5\nctxt 99999999999999999999\n",
	  0,
	  { { INT64_MAX, 2, 3, NA, 5, NA, NA, NA, NA, NA }, NA, NA, NA, NA, NA, NA, true } },
	/* malformed */
	{ "cpu  1 2 3\n", -EINVAL, NOTHING },
	{ "cpu \n", -EINVAL, NOTHING },
	{ "cpu  1 2 x 4\n", -EINVAL, NOTHING },
	{ "cpu  1 2 -3 4\n", -EINVAL, NOTHING },
	{ "cpu  1 2 3 4 5x\n", -EINVAL, NOTHING },
	{ "ctxt \n", -EINVAL, NOTHING },
	{ "ctxt 1 2\n", -EINVAL, NOTHING },
	{ "ctxt 1x\n", -EINVAL, NOTHING },
	{ "ctxt -1\n", -EINVAL, NOTHING },
	/* cut */
	{ "cpu  1 2 3 4 5 6\nctxt 12", -EINVAL, NOTHING },
	{ "c", -EINVAL, NOTHING },
	/* nothing known */
	{ "", -ENODATA, NOTHING },
	{ "\n\n", -ENODATA, NOTHING },
	{ "cpu0 1 2 3 4\n", -ENODATA, NOTHING },
	{ "ctxt\n", -ENODATA, NOTHING },
};

START_TEST(parse)
{
	struct cpustat st, untouched;
	const struct cpustat *want = &cases[_i].st;
	int err;

	memset(&st, 0x55, sizeof(st));
	untouched = st;
	err = cpustat_parse(cases[_i].text, strlen(cases[_i].text), &st);
	ck_assert_msg(err == cases[_i].err, "'%s': %d, not %d", cases[_i].text, err, cases[_i].err);
	if (err) {
		ck_assert_mem_eq(&st, &untouched, sizeof(st));
		return;
	}
	ck_assert_mem_eq(st.mode, want->mode, sizeof(st.mode));
	ck_assert_int_eq(st.cpus, want->cpus);
	ck_assert_int_eq(st.ctxt, want->ctxt);
	ck_assert_int_eq(st.btime, want->btime);
	ck_assert_int_eq(st.processes, want->processes);
	ck_assert_int_eq(st.procs_running, want->procs_running);
	ck_assert_int_eq(st.procs_blocked, want->procs_blocked);
	ck_assert(st.beyond == want->beyond);
}
END_TEST

/* A text that was cut is refused, unless it was cut between two lines. */
START_TEST(truncated)
{
	static const char text[] = "cpu  11 22 33 44 55\ncpu0 11 22 33 44 55\n" REST;

	for (size_t len = 1; len < sizeof(text) - 1; len++) {
		struct cpustat st;

		ck_assert_int_eq(cpustat_parse(text, len, &st), text[len - 1] == '\n' ? 0 : -EINVAL);
	}
}
END_TEST

static const struct {
	const char *text;
	int err;
	int64_t span[LOADAVG_SPANS];
} loads[] = {
	{ "0.13 0.18 0.20 2/94 8748\n", 0, { 13, 18, 20 } },
	{ "4999.99 1.00 0.05 \n", 0, { 499999, 100, 5 } },
	{ "", -ENODATA, { 0 } },
	{ "0.13 0.18 0.2", -EINVAL, { 0 } },
	{ "0.13 0.18 0.20", -EINVAL, { 0 } },
	{ "0.13 0.18", -EINVAL, { 0 } },
	{ "0.1 0.18 0.20 2/94\n", -EINVAL, { 0 } },
	{ "0,13 0,18 0,20 2/94\n", -EINVAL, { 0 } },
	{ "1 2 3 2/94\n", -EINVAL, { 0 } },
	{ "-0.13 0.18 0.20 2/94\n", -EINVAL, { 0 } },
	{ "92233720368547758.08 0.18 0.20 2/94\n", -EINVAL, { 0 } },
	{ "99999999999999999999.08 0.18 0.20 2/94\n", -EINVAL, { 0 } },
};

START_TEST(parse_load)
{
	struct loadavg load = { { 1, 2, 3 } };
	const struct loadavg untouched = load;
	int err = loadavg_parse(loads[_i].text, strlen(loads[_i].text), &load);

	ck_assert_msg(err == loads[_i].err, "'%s': %d, not %d", loads[_i].text, err, loads[_i].err);
	ck_assert_mem_eq(load.span, err ? untouched.span : loads[_i].span, sizeof(load.span));
}
END_TEST

SUITE(cpustat)
{
	Suite *suite = suite_create("cpustat");
	TCase *tests = tcase_create("cpustat");

	tcase_add_loop_test(tests, parse, 0, sizeof(cases) / sizeof(*cases));
	tcase_add_test(tests, truncated);
	tcase_add_loop_test(tests, parse_load, 0, sizeof(loads) / sizeof(*loads));
	suite_add_tcase(suite, tests);
	return suite;
}
