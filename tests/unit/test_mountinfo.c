/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "proc/mountinfo.h"
#include "qmem.h"

static char point[256], source[256];

static int parse(const char *line, struct mountinfo *ret)
{
	int err = mountinfo_parse(line, strlen(line), ret);

	if (!err) {
		ck_assert_int_ge(mountinfo_name(point, sizeof(point), &ret->point), 1);
		ck_assert_int_ge(mountinfo_name(source, sizeof(source), &ret->source), 0);
	}
	return err;
}

START_TEST(sound)
{
	struct mountinfo m;

	ck_assert_int_eq(parse("36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue", &m),
			 0);
	ck_assert_uint_eq(m.major, 98);
	ck_assert_uint_eq(m.minor, 0);
	ck_assert(mountinfo_is(&m.root, "/mnt1") && mountinfo_is(&m.type, "ext3") && !mountinfo_is(&m.type, "ext33"));
	ck_assert(mountinfo_is(&m.super, "rw,errors=continue"));
	ck_assert_str_eq(point, "/mnt2");
	/* without and with many optional words */
	ck_assert_int_eq(parse("1 0 0:2 / / rw - rootfs rootfs rw", &m), 0);
	ck_assert_str_eq(point, "/");
	ck_assert_int_eq(
		parse("25 1 0:1048575 / /dev/shm rw shared:2 master:3 propagate_from:4 x:- - tmpfs shm rw,size=4k", &m),
		0);
	ck_assert_uint_eq(m.minor, 1048575);
	ck_assert_str_eq(source, "shm");
	/* blanks, tabs, line feeds, backslashes; bytes that are no text */
	ck_assert_int_eq(parse("9 1 0:9 / /srv/a\\040b\\011c\\012d\\134e\\043\xff rw - tmpfs my\\040fs rw", &m), 0);
	ck_assert_str_eq(point, "/srv/a b\tc\nd\\e#\xff");
	ck_assert_str_eq(source, "my fs");
	/* a source that is empty is a word, too */
	ck_assert_int_eq(parse("9 1 0:9 / /a rw - tmpfs  rw", &m), 0);
	ck_assert_str_eq(source, "");
	ck_assert(mountinfo_is(&m.super, "rw"));
	/* what is called "-" */
	ck_assert_int_eq(parse("9 1 0:9 - /- rw - - - -", &m), 0);
	ck_assert(mountinfo_is(&m.type, "-"));
	/* what one day may be behind it */
	ck_assert_int_eq(parse("9 1 0:9 / /a rw - tmpfs x rw more", &m), 0);
}
END_TEST

START_TEST(refused)
{
	static const char *const lines[] = {
		"",
		"36",
		"36 35 98:0 /a /b rw",
		"36 35 98:0 /a /b rw shared:1",
		"36 35 98:0 /a /b rw - tmpfs",
		"36 35 98:0 /a /b rw - tmpfs x",
		"x 35 98:0 / /b rw - tmpfs x rw",
		"36 -1 98:0 / /b rw - tmpfs x rw",
		"36 35 98 / /b rw - tmpfs x rw",
		"36 35 :0 / /b rw - tmpfs x rw",
		"36 35 98: / /b rw - tmpfs x rw",
		"36 35 4294967296:0 / /b rw - tmpfs x rw",
		"36 35 98:0 / b rw - tmpfs x rw",
		"36 35 98:0  /b rw - tmpfs x rw",
		"36 35 98:0 / /b rw -  x rw",
		"36  35 98:0 / /b rw - tmpfs x rw",
		"99999999999999999999 35 98:0 / /b rw - tmpfs x rw",
	};
	struct mountinfo m;

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		ck_assert_msg(parse(lines[i], &m) == -EINVAL, "%zu: '%s'", i, lines[i]);
}
END_TEST

START_TEST(names)
{
	static const struct {
		const char *word;
		int len;
	} rows[] = {
		{ "/a\\040b", 4 },
		{ "\\", -EINVAL },
		{ "a\\04", -EINVAL },
		{ "a\\08x", -EINVAL },
		{ "a\\000b", -EINVAL },
		{ "a\\400b", -EINVAL },
		{ "a\\x20", -EINVAL },
		{ "1234567", 7 },
		{ "12345678", -ENAMETOOLONG },
		{ "\\134\\134", 2 },
		{ "", 0 },
	};
	struct mountinfo_word nul = { "a\0b", 3 };
	char name[8];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct mountinfo_word word = { rows[i].word, strlen(rows[i].word) };

		ck_assert_msg(mountinfo_name(name, sizeof(name), &word) == rows[i].len, "%s", rows[i].word);
	}
	ck_assert_int_eq(mountinfo_name(name, sizeof(name), &nul), -EINVAL);
}
END_TEST

START_TEST(walk)
{
	static const char text[] =
		"1 0 0:2 / / rw - rootfs rootfs rw\nnonsense\n2 1 0:3 / /x rw - tmpfs t rw\n3 1 0:4 / /y rw - tmp";
	struct mountinfo_walk w = { .at = text, .end = text + sizeof(text) - 1 };
	struct mountinfo m;

	ck_assert(mountinfo_next(&w, &m) && m.minor == 2);
	ck_assert(mountinfo_next(&w, &m) && m.minor == 3);
	ck_assert(!mountinfo_next(&w, &m));
	ck_assert_uint_eq(w.fault.n, 2);
	ck_assert_int_eq(w.fault.kind, FAULT_MALFORMED);
	/* cut anywhere */
	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		struct mountinfo_walk cut = { .at = text, .end = text + len };
		int n = 0;

		while (mountinfo_next(&cut, &m))
			n++;
		ck_assert_int_eq(n, (len >= 34) + (len >= 72));
	}
}
END_TEST

SUITE(mountinfo)
{
	Suite *s = suite_create("mountinfo");
	TCase *t = tcase_create("mountinfo");

	tcase_add_test(t, sound);
	tcase_add_test(t, refused);
	tcase_add_test(t, names);
	tcase_add_test(t, walk);
	suite_add_tcase(s, t);
	return s;
}
