/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "proc/cpustat.h"
#include "qmem.h"

#define NA QMEM_NA
#define NOTHING                                                                                                        \
	{                                                                                                              \
		{ 0 }, 0, 0, 0, 0, 0, 0                                                                                \
	}
#define NO_MODES                                                                                                       \
	{                                                                                                              \
		NA, NA, NA, NA, NA, NA, NA, NA, NA, NA                                                                 \
	}
#define REST "ctxt 11\nbtime 12\nprocesses 13\nprocs_running 14\nprocs_blocked 15\n"

static const struct {
	const char *text;
	int err;
	struct cpustat st;
	const char *fault; /* NULL: none */
} cases[] = {
	{ "cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 2 3 4\ncpu7 1\nintr 1 0 0\n" REST "softirq 1 2\n",
	  0,
	  { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, 2, 11, 12, 13, 14, 15 },
	  NULL },
	/* other order, a later kernel's column, an earlier one's */
	{ REST "cpu 1 2 3 4 5 6 7 8 9 10 11 12\n",
	  0,
	  { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, NA, 11, 12, 13, 14, 15 },
	  NULL },
	{ "cpu  1 2 3 4\n", 0, { { 1, 2, 3, 4, NA, NA, NA, NA, NA, NA }, NA, NA, NA, NA, NA, NA }, NULL },
	{ "cpu  1 2 3 4 \nctxt 1\n", 0, { { 1, 2, 3, 4, NA, NA, NA, NA, NA, NA }, NA, 1, NA, NA, NA, NA }, NULL },
	{ "processes 9\n", 0, { NO_MODES, NA, NA, NA, 9, NA, NA }, NULL },
	/* what only looks like a known one */
	{ "cpus 1\ncpufreq 2\nctxts 5\nprocesses_ 6\nprocs 7\n\nctxt 1\n",
	  0,
	  { NO_MODES, NA, 1, NA, NA, NA, NA },
	  NULL },
	/* one bad number costs one value */
	{ "cpu  9223372036854775807 2 3 9223372036854775808 5\nctxt 99999999999999999999\n",
	  0,
	  { { INT64_MAX, 2, 3, NA, 5, NA, NA, NA, NA, NA }, NA, NA, NA, NA, NA, NA },
	  "'cpu idle' is too large, and 1 more" },
	{ "cpu  1 2 -3 4 5x 6\ncpu0 1\n" REST,
	  0,
	  { { 1, 2, NA, 4, NA, 6, NA, NA, NA, NA }, 1, 11, 12, 13, 14, 15 },
	  "'cpu system' is negative, and 1 more" },
	{ "cpu  1 2 3\nctxt 1\n", 0, { NO_MODES, NA, 1, NA, NA, NA, NA }, "'cpu' is malformed" },
	{ "cpu \nctxt 1\n", 0, { NO_MODES, NA, 1, NA, NA, NA, NA }, "'cpu' is malformed" },
	{ "ctxt \nprocesses 9\n", 0, { NO_MODES, NA, NA, NA, 9, NA, NA }, "'ctxt' is malformed" },
	{ "ctxt 1 2\nprocesses 9\n", 0, { NO_MODES, NA, NA, NA, 9, NA, NA }, "'ctxt' is malformed" },
	{ "ctxt 1x\nprocesses 9\n", 0, { NO_MODES, NA, NA, NA, 9, NA, NA }, "'ctxt' is malformed" },
	{ "procs_running -1\nprocesses 9\n", 0, { NO_MODES, NA, NA, NA, 9, NA, NA }, "'procs_running' is negative" },
	/* a counter of 32 bits that was printed with a sign; of more bits it is no such thing */
	{ "ctxt -1\nprocesses -1294967289\n", 0, { NO_MODES, NA, 4294967295, NA, 3000000007, NA, NA }, NULL },
	{ "ctxt -2147483648\n", 0, { NO_MODES, NA, 2147483648, NA, NA, NA, NA }, NULL },
	{ "ctxt -2147483649\nprocesses 9\n", 0, { NO_MODES, NA, NA, NA, 9, NA, NA }, "'ctxt' is negative" },
	{ "ctxt --5\nprocesses 9\n", 0, { NO_MODES, NA, NA, NA, 9, NA, NA }, "'ctxt' is malformed" },
	{ "btime -5\nprocesses 9\n", 0, { NO_MODES, NA, NA, NA, 9, NA, NA }, "'btime' is negative" },
	/* cut */
	{ "cpu  1 2 3 4 5 6\nctxt 12",
	  0,
	  { { 1, 2, 3, 4, 5, 6, NA, NA, NA, NA }, NA, NA, NA, NA, NA, NA },
	  "'ctxt 12' is cut off" },
	/* nothing sound */
	{ "c", -ENODATA, NOTHING, "'c' is cut off" },
	{ "ctxt 1x\n", -ENODATA, NOTHING, "'ctxt' is malformed" },
	{ "", -ENODATA, NOTHING, NULL },
	{ "\n\n", -ENODATA, NOTHING, NULL },
	{ "cpu0 1 2 3 4\n", -ENODATA, NOTHING, NULL },
	{ "ctxt\n", -ENODATA, NOTHING, NULL },
};

static void fault_is(const struct fault *fault, const char *want)
{
	char words[128];

	fault_print(words, sizeof(words), fault);
	ck_assert_int_eq(fault->n != 0, want != NULL);
	if (want)
		ck_assert_str_eq(words, want);
}

START_TEST(parse)
{
	struct cpustat st, untouched;
	const struct cpustat *want = &cases[_i].st;
	struct fault fault;
	int err;

	memset(&st, 0x55, sizeof(st));
	untouched = st;
	err = cpustat_parse(cases[_i].text, strlen(cases[_i].text), &st, &fault);
	ck_assert_msg(err == cases[_i].err, "'%s': %d, not %d", cases[_i].text, err, cases[_i].err);
	fault_is(&fault, cases[_i].fault);
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
}
END_TEST

/* Of a text that was cut the last line is not taken, unless it was cut between two lines. */
START_TEST(truncated)
{
	static const char text[] = "cpu  11 22 33 44 55\ncpu0 11 22 33 44 55\n" REST;

	for (size_t len = 1; len < sizeof(text) - 1; len++) {
		struct cpustat st;
		struct fault fault;
		int err = cpustat_parse(text, len, &st, &fault);

		ck_assert_int_eq(fault.kind, text[len - 1] == '\n' ? FAULT_NONE : FAULT_TRUNCATED);
		ck_assert_int_eq(err, len < 20 ? -ENODATA : 0);
		if (len < sizeof(text) - 1 - strlen("procs_blocked 15\n") && !err)
			ck_assert(st.procs_running == NA || st.procs_running == 14);
	}
}
END_TEST

static const struct {
	const char *text;
	int err;
	int64_t span[LOADAVG_SPANS];
	const char *fault;
} loads[] = {
	{ "0.13 0.18 0.20 2/94 8748\n", 0, { 13, 18, 20 }, NULL },
	{ "4999.99 1.00 0.05 \n", 0, { 499999, 100, 5 }, NULL },
	{ "", -ENODATA, { 0 }, "'' is cut off, and 2 more" },
	{ "0.13 0.18 0.2", 0, { 13, 18, NA }, "'0.2' is cut off" },
	{ "0.13 0.18 0.20", 0, { 13, 18, NA }, "'0.20' is cut off" },
	{ "0.13 0.18", 0, { 13, NA, NA }, "'0.18' is cut off, and 1 more" },
	{ "0.13 0.18 0.20\n", 0, { 13, 18, 20 }, NULL },
	{ "0.13 0.18\n", 0, { 13, 18, NA }, "'' is malformed" },
	{ "0.1 0.18 0.20 2/94\n", 0, { NA, 18, 20 }, "'0.1' is malformed" },
	{ "0.13 0,18 0.20 2/94\n", 0, { 13, NA, 20 }, "'0,18' is malformed" },
	{ "1 2 3 2/94\n", -ENODATA, { 0 }, "'1' is malformed, and 2 more" },
	{ "-0.13 0.18 0.20 2/94\n", 0, { NA, 18, 20 }, "'-0.13' is negative" },
	{ "92233720368547758.08 0.18 0.20 2/94\n", 0, { NA, 18, 20 }, "'92233720368547758.08' is too large" },
	{ "99999999999999999999.08 0.18 0.20 2/94\n", 0, { NA, 18, 20 }, "'99999999999999999999.08' is too large" },
};

START_TEST(parse_load)
{
	struct loadavg load = { { 1, 2, 3 } };
	const struct loadavg untouched = load;
	struct fault fault;
	int err = loadavg_parse(loads[_i].text, strlen(loads[_i].text), &load, &fault);

	ck_assert_msg(err == loads[_i].err, "'%s': %d, not %d", loads[_i].text, err, loads[_i].err);
	ck_assert_mem_eq(load.span, err ? untouched.span : loads[_i].span, sizeof(load.span));
	fault_is(&fault, loads[_i].fault);
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
