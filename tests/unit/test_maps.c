/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proc/maps.h"

#define LINE "55d0c8a00000-55d0c8a21000 r-xp 00002000 fd:01 1234                       "

static const struct {
	const char *line, *name; /* NULL: it has none */
	bool deleted;
} cases[] = {
	{ LINE "/usr/bin/cat\n", "/usr/bin/cat", false },
	{ LINE "/opt/my app/bin/tool\n", "/opt/my app/bin/tool", false },
	{ LINE "/tmp/gone (deleted)\n", "/tmp/gone (deleted)", true },
	{ LINE "/ (deleted)\n", "/ (deleted)", true },
	{ LINE "/tmp/(deleted)\n", "/tmp/(deleted)", false },
	{ LINE "/tmp/two\\012lines\n", "/tmp/two\nlines", false },
	{ LINE "/tmp/one\\01\n", "/tmp/one\\01", false },
	{ LINE "/tmp/end\\012\n", "/tmp/end\n", false },
	{ "7f00-7f01 rw-s 0 00:01 5 /dev/zero (deleted)\n", "/dev/zero (deleted)", true },
	{ "7f00-7f01 rw-p 00000000 00:00 0 \n", NULL, false },
	{ "7f00-7f01 rw-p 00000000 00:00 0    [heap]\n", NULL, false },
	{ "7f00-7f01 rw-p 00000000 00:00 0    [anon:/not a path]\n", NULL, false },
	{ "7f00-7f01 rw-p 00000000 00:00 0    /anonymous\n", NULL, false },
	{ "7f00-7f01 rw-p 00000000 00:0e 77   anon_inode:[perf_event]\n", NULL, false },
	{ "7f00-7f01 rw-p 00000000 00:0e 77\n", NULL, false },
	{ "7f00-7f01 rw-p 00000000 00:0e 7x7 /bad\n", NULL, false },
	{ "7f00-7f01 rw-p /short\n", NULL, false },
	{ "\n", NULL, false },
	{ LINE "/cut", NULL, false },
};

START_TEST(lines)
{
	const char *text = cases[_i].line, *path;
	struct maps_walk walk = { text, text + strlen(text) };
	char name[64];
	size_t len;

	ck_assert(maps_next_file(&walk, &path, &len) == (cases[_i].name != NULL));
	if (cases[_i].name) {
		ck_assert_int_eq(maps_name(name, sizeof(name), path, len), (int)strlen(cases[_i].name));
		ck_assert_str_eq(name, cases[_i].name);
		ck_assert(maps_is_deleted(path, len) == cases[_i].deleted);
		ck_assert(!maps_next_file(&walk, &path, &len));
	}
	ck_assert_ptr_eq(walk.at, walk.end);
}
END_TEST

START_TEST(text)
{
	static const char all[] = LINE "/a\n\nnonsense\n7f-8f r 0 0:0 0 [stack]\n" LINE "/b\n" LINE "/c";
	struct maps_walk walk = { all, all + strlen(all) };
	const char *path;
	size_t len;

	ck_assert(maps_next_file(&walk, &path, &len));
	ck_assert(len == 2 && memcmp(path, "/a", 2) == 0);
	ck_assert(maps_next_file(&walk, &path, &len));
	ck_assert(len == 2 && memcmp(path, "/b", 2) == 0);
	ck_assert(!maps_next_file(&walk, &path, &len));
}
END_TEST

START_TEST(long_names)
{
	char name[8];

	ck_assert_int_eq(maps_name(name, sizeof(name), "/123456", 7), 7);
	ck_assert_str_eq(name, "/123456");
	ck_assert_int_eq(maps_name(name, sizeof(name), "/1234567", 8), -ENAMETOOLONG);
	ck_assert_int_eq(maps_name(name, sizeof(name), "/12345\\012", 10), 7);
}
END_TEST

SUITE(maps)
{
	Suite *s = suite_create("maps");
	TCase *t = tcase_create("maps");

	tcase_add_loop_test(t, lines, 0, sizeof(cases) / sizeof(*cases));
	tcase_add_test(t, text);
	tcase_add_test(t, long_names);
	suite_add_tcase(s, t);
	return s;
}
