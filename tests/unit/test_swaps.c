/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "proc/swaps.h"
#include "qmem.h"

#define K 1024

static const struct {
	const char *line;
	int err;
	const char *name;
	bool file, deleted;
	int64_t size, used, priority;
	unsigned faults;
} cases[] = {
	{ "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority", -ENODATA, NULL, 0, 0, 0, 0, 0, 0 },
	/* before Linux 5.8 */
	{ "Filename\t\t\t\tType\t\tSize\tUsed\tPriority", -ENODATA, NULL, 0, 0, 0, 0, 0, 0 },
	{ "/dev/zram0                              partition\t131068\t41472\t-2", 0, "/dev/zram0", 0, 0, 131068 * K,
	  41472 * K, -2, 0 },
	{ "/dev/zram0                              partition\t2097148\t\t1228800\t\t100", 0, "/dev/zram0", 0, 0,
	  2097148l * K, 1228800l * K, 100, 0 },
	{ "/swapfile                               file\t\t1048572\t\t0\t\t-3", 0, "/swapfile", 1, 0, 1048572 * K, 0,
	  -3, 0 },
	{ "/a\\040b\\011c\\012d\\134e\\040(deleted)             file\t\t4\t\t4\t\t0", 0, "/a b\tc\nd\\e (deleted)", 1,
	  1, 4 * K, 4 * K, 0, 0 },
	/* escapes that the kernel does not make stay */
	{ "/a\\04 file 4 4 0", 0, "/a\\04", 1, 0, 4 * K, 4 * K, 0, 0 },
	{ "/a\\777 file 4 4 0", 0, "/a\\777", 1, 0, 4 * K, 4 * K, 0, 0 },
	{ "/a\\ file 4 4 0", 0, "/a\\", 1, 0, 4 * K, 4 * K, 0, 0 },
	{ "/ file 4 4 0", 0, "/", 1, 0, 4 * K, 4 * K, 0, 0 },
	{ "/swap file 4 x 0", 0, "/swap", 1, 0, 4 * K, QMEM_NA, 0, 1 },
	{ "/swap file 4", 0, "/swap", 1, 0, 4 * K, QMEM_NA, QMEM_NA, 0 },
	{ "/swap file 4 -4 --1", 0, "/swap", 1, 0, 4 * K, QMEM_NA, QMEM_NA, 2 },
	{ "/swap file 9007199254740993 9007199254740991 1 more", 0, "/swap", 1, 0, QMEM_NA, 9007199254740991 * K, 1,
	  1 },
	{ "/swap file x y z", -EINVAL, NULL, 0, 0, 0, 0, 0, 1 },
	{ "/swap file", -EINVAL, NULL, 0, 0, 0, 0, 0, 1 },
	{ "/swap", -EINVAL, NULL, 0, 0, 0, 0, 0, 1 },
	{ "swap file 4 4 0", -EINVAL, NULL, 0, 0, 0, 0, 0, 1 },
	{ "/a\\000b file 4 4 0", -EINVAL, NULL, 0, 0, 0, 0, 0, 1 },
	{ " \t ", -EINVAL, NULL, 0, 0, 0, 0, 0, 1 },
	{ "", -EINVAL, NULL, 0, 0, 0, 0, 0, 1 },
};

START_TEST(parse)
{
	static struct swaps_area area;
	struct fault fault = { .n = 0 };
	int err = swaps_parse(cases[_i].line, strlen(cases[_i].line), &area, &fault);

	ck_assert_msg(err == cases[_i].err, "'%s': %d", cases[_i].line, err);
	ck_assert_msg(fault.n == cases[_i].faults, "'%s': %u faults", cases[_i].line, fault.n);
	if (err)
		return;
	ck_assert_str_eq(area.name, cases[_i].name);
	ck_assert_int_eq(area.file, cases[_i].file);
	ck_assert_int_eq(area.deleted, cases[_i].deleted);
	ck_assert_msg(area.size == cases[_i].size && area.used == cases[_i].used && area.priority == cases[_i].priority,
		      "'%s'", cases[_i].line);
}
END_TEST

START_TEST(long_names)
{
	static struct swaps_area area;
	static char line[3 * SWAPS_NAME];
	struct fault fault = { .n = 0 };

	for (size_t len = SWAPS_NAME - 1; len <= SWAPS_NAME; len++) {
		memset(line, 'a', len);
		*line = '/';
		strcpy(line + len, " file 4 4 0");
		ck_assert_int_eq(swaps_parse(line, strlen(line), &area, &fault), len < SWAPS_NAME ? 0 : -EINVAL);
	}
	ck_assert_uint_eq(strlen(area.name), SWAPS_NAME - 1);
}
END_TEST

/* The first of them, however much of the text is there. */
START_TEST(cut)
{
	static const char text[] = "Filename Type Size Used Priority\n/dev/a partition 100 20 -2\n/b file 300 40 -3\n";
	static struct swaps_area area;

	for (size_t len = 0; len <= strlen(text); len++) {
		char *copy = malloc(len ? len : 1);
		struct swaps_walk walk = { .at = copy, .end = copy + len };
		int n = 0, whole = 0;

		memcpy(copy, text, len);
		for (size_t i = 0; i < len; i++)
			whole += text[i] == '\n';
		for (; swaps_next(&walk, &area); n++)
			ck_assert_int_eq(area.used, (n ? 40 : 20) * K);
		ck_assert_int_eq(n, whole > 1 ? whole - 1 : 0);
		ck_assert_uint_eq(walk.fault.n, len && text[len - 1] != '\n');
		free(copy);
	}
}
END_TEST

SUITE(swaps)
{
	Suite *s = suite_create("swaps");
	TCase *t = tcase_create("swaps");

	tcase_add_loop_test(t, parse, 0, sizeof(cases) / sizeof(*cases));
	tcase_add_test(t, long_names);
	tcase_add_test(t, cut);
	suite_add_tcase(s, t);
	return s;
}
