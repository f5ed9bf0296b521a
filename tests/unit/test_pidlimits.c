/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "proc/pidlimits.h"
#include "qmem.h"

#define HEAD "Limit                     Soft Limit           Hard Limit           Units     \n"
#define STACK "Max stack size            8388608              unlimited            bytes     \n"

static const struct {
	const char *text;
	int err;
	const char *fault; /* NULL: none */
	int64_t files;
} cases[] = {
	{ HEAD STACK "Max open files            1024                 524288               files     \n", 0, NULL,
	  1024 },
	{ HEAD "Max open files            0                    0                    files     \n" STACK, 0, NULL, 0 },
	{ "Max open files            unlimited            unlimited            files     \n", 0, NULL,
	  PIDLIMITS_UNLIMITED },
	{ "Max open files 7\n", 0, NULL, 7 },
	/* another limit that begins like it */
	{ "Max open filesystems      3                    3                    \n", -ENODATA, NULL, 0 },
	{ "Max open files            unlimitedx           1                    files\n", 0,
	  "'Max open files' is malformed", QMEM_NA },
	{ "Max open files            -1                   1                    files\n", 0,
	  "'Max open files' is negative", QMEM_NA },
	{ "Max open files            18446744073709551615 1                    files\n", 0,
	  "'Max open files' is too large", QMEM_NA },
	{ "Max open files \n", 0, "'Max open files' is malformed", QMEM_NA },
	{ "Max open files 5\nMax open files 6\n", 0, "'Max open files' is there twice", 5 },
	{ HEAD STACK, -ENODATA, NULL, 0 },
	{ "", -ENODATA, NULL, 0 },
	{ "Max open files 10", -ENODATA, "'Max open files 10' is cut off", 0 },
};

START_TEST(parse)
{
	const char *text = cases[_i].text;
	struct pidlimits limits = { 0 };
	struct fault fault;
	char words[128] = "";

	ck_assert_int_eq(pidlimits_parse(text, strlen(text), &limits, &fault), cases[_i].err);
	fault_print(words, sizeof(words), &fault);
	ck_assert_str_eq(fault.n ? words : "", cases[_i].fault ? cases[_i].fault : "");
	ck_assert_int_eq(limits.files, cases[_i].files);
}
END_TEST

SUITE(pidlimits)
{
	Suite *suite = suite_create("pidlimits");
	TCase *tests = tcase_create("pidlimits");

	tcase_add_loop_test(tests, parse, 0, sizeof(cases) / sizeof(*cases));
	suite_add_tcase(suite, tests);
	return suite;
}
