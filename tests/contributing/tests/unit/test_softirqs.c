/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>

#include "proc/softirqs.h"
#include "procroot.h"
#include "services.h"

#define HEADING "                    CPU0       CPU1\n"

static const struct {
	const char *line;
	int err;
	int64_t runs;
} cases[] = {
	{ "                    CPU0       CPU1", -ENODATA, 0 },
	{ "      HI:          1          2", 0, 3 },
	{ "HI:1", 0, 1 },
	{ "HI: 9223372036854775808", -EINVAL, 0 },
	{ "HI:", -EINVAL, 0 },
	{ ": 1", -EINVAL, 0 },
	{ "HI: 1x", -EINVAL, 0 },
	{ "HI: -1", -EINVAL, 0 },
};

START_TEST(parse)
{
	struct softirq irq = { 0 };

	ck_assert_int_eq(softirqs_parse(cases[_i].line, strlen(cases[_i].line), &irq), cases[_i].err);
	if (cases[_i].err)
		return;
	ck_assert_mem_eq(irq.name, "HI", irq.name_len);
	ck_assert_int_eq(irq.runs, cases[_i].runs);
}
END_TEST

START_TEST(service)
{
	static const struct qmem_service *const services[] = { &softirqs_service, NULL };

	procroot_begin(services);
	procroot_put("proc/softirqs", HEADING "HI: 1 2\nTIMER: 30 40\n");
	procroot_start();
	procroot_tick();
	ck_assert_int_eq(procroot_value("softirqs.runs.runs[HI]"), 3000);
	ck_assert_int_eq(procroot_value("softirqs.runs.runs[TIMER]"), 70000);
	procroot_put("proc/softirqs", HEADING "HI: 1 2\nTIMER: x\n");
	HAS(procroot_tick(), "a line is malformed");
	ck_assert_int_eq(procroot_value("softirqs.runs.runs[TIMER]"), -1);
	procroot_end();
}
END_TEST

SUITE(softirqs)
{
	Suite *suite = suite_create("softirqs");
	TCase *tests = tcase_create("softirqs");

	tcase_add_loop_test(tests, parse, 0, sizeof(cases) / sizeof(*cases));
	tcase_add_test(tests, service);
	suite_add_tcase(suite, tests);
	return suite;
}
