/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "util/escape.h"

START_TEST(names_are_shown)
{
	static const struct {
		const char *name, *shown;
	} rows[] = {
		{ "", "" },
		{ "eth0", "eth0" },
		{ "a\"b'c`d=e f", "a\"b'c`d=e f" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "\xe2\x82\xac", "\xe2\x82\xac" },
		{ "\xf0\x9f\x90\xa7", "\xf0\x9f\x90\xa7" },
		/* what is no control character is nobody's escape: it stays, as systemd shows it */
		{ "DOM\\alice", "DOM\\alice" },
		{ "machine-qemu\\x2d1.scope", "machine-qemu\\x2d1.scope" },
		{ "a\\", "a\\" },
		{ "a\\xzz\\x0\\X01\\xC3", "a\\xzz\\x0\\X01\\xC3" },
		/* what would read as one is not taken for one */
		{ "a\\x01", "a\\x5cx01" },
		{ "a\\x5c", "a\\x5cx5c" },
		{ "a\\xc3\\xbc", "a\\x5cxc3\\x5cxbc" },
		{ "a\\\\x01", "a\\\\x5cx01" },
		{ "a\x01", "a\\x01" },
		{ "a\x02", "a\\x02" },
		{ "a\nb\tc\x7f", "a\\x0ab\\x09c\\x7f" },
		{ "\xc3", "\\xc3" },
		{ "\xc0\xaf", "\\xc0\\xaf" },                   /* overlong */
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },          /* surrogate */
		{ "\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80" }, /* beyond Unicode */
		{ "\xc2\x9b", "\\xc2\\x9b" },                   /* C1 control */
		{ "\xe2\x80\xa8", "\\xe2\\x80\\xa8" },          /* line separator */
		{ "\xe2\x80\xa9", "\\xe2\\x80\\xa9" },
		{ "a\xe2\x80\xae"
		  "b",
		  "a\\xe2\\x80\\xaeb" }, /* U+202E, right to left */
		{ "\xe2\x80\x8e", "\\xe2\\x80\\x8e" },
		{ "\xe2\x81\xa6", "\\xe2\\x81\\xa6" },
		{ "\xd8\x9c", "\\xd8\\x9c" },                   /* U+061C */
		{ "\xe2\x80\x8b", "\\xe2\\x80\\x8b" },          /* no width */
		{ "\xc2\xad", "\\xc2\\xad" },                   /* soft hyphen */
		{ "\xef\xbb\xbf", "\\xef\\xbb\\xbf" },          /* byte order mark */
		{ "\xef\xbf\xbf", "\\xef\\xbf\\xbf" },          /* no character */
		{ "\xf3\xa0\x81\x81", "\\xf3\\xa0\\x81\\x81" }, /* a tag */
	};
	char dst[64], again[64];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ck_assert_uint_eq(escape_name(dst, sizeof(dst), rows[i].name), strlen(rows[i].shown));
		ck_assert_str_eq(dst, rows[i].shown);
		/* what may be shown stays as it is when it leaves us */
		ck_assert_uint_eq(escape_text(again, sizeof(again), dst), strlen(dst));
		ck_assert_str_eq(again, dst);
		for (size_t k = 0; k < i; k++) {
			escape_name(again, sizeof(again), rows[k].name);
			ck_assert_str_ne(again, dst);
		}
	}
}
END_TEST

START_TEST(nothing_is_cut_in_two)
{
	char dst[32], name[300], other[300];

	ck_assert_uint_eq(escape_name(dst, 4, "ab\xc3\xbc"), 2);
	ck_assert_str_eq(dst, "ab");
	ck_assert_uint_eq(escape_text(dst, 6, "ab\x01"), 2);
	ck_assert_str_eq(dst, "ab");
	ck_assert_uint_eq(escape_text(dst, 7, "ab\x01"), 6);
	ck_assert_str_eq(dst, "ab\\x01");
	/* two that differ where there is no room for it stay two */
	memset(name, 'x', 299);
	name[299] = '\0';
	memcpy(name + 13, "\xc3\xbc", 2);
	strcpy(other, name);
	other[298] = 'y';
	ck_assert_uint_eq(escape_name(dst, sizeof(dst), name), 13 + ESCAPE_CUT);
	ck_assert_int_eq(strncmp(dst, "xxxxxxxxxxxxx~", 14), 0);
	memcpy(name, dst, sizeof(dst));
	escape_name(dst, sizeof(dst), other);
	ck_assert_str_ne(name, dst);
	/* and a whole one needs no digest */
	memset(name, 'x', 31);
	name[31] = '\0';
	ck_assert_uint_eq(escape_name(dst, sizeof(dst), name), 31);
	ck_assert_str_eq(dst, name);
}
END_TEST

START_TEST(whole_characters)
{
	static const struct {
		const char *text;
		size_t len, whole;
	} rows[] = {
		{ "", 0, 0 },
		{ "ab", 2, 2 },
		{ "a\xc3\xbc", 2, 1 },
		{ "a\xc3\xbc", 3, 3 },
		{ "\xe2\x82\xac", 2, 0 },
		{ "\xe2\x82\xac", 3, 3 },
		{ "\xf0\x9f\x90\xa7", 3, 0 },
		{ "\xf0\x9f\x90\xa7", 4, 4 },
		{ "\xbc\xbc\xbc\xbc", 4, 4 }, /* none at all */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		ck_assert_uint_eq(escape_whole(rows[i].text, rows[i].len), rows[i].whole);
}
END_TEST

START_TEST(units_for_people)
{
	static const struct {
		const char *name, *undone;
	} rows[] = {
		{ "nginx.service", "nginx.service" },
		{ "machine-qemu\\x2d1\\x2dvm.scope", "machine-qemu-1-vm.scope" },
		{ "dev-gr\\xC3\\xbc\\xc3\\x9f.swap", "dev-gr\xc3\xbc\xc3\x9f.swap" },
		{ "a\\x00b\\x4", "a\\x00b\\x4" },
		{ "DOM\\alice", "DOM\\alice" },
	};
	char dst[64];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ck_assert_uint_eq(escape_undo(dst, sizeof(dst), rows[i].name), strlen(rows[i].undone));
		ck_assert_str_eq(dst, rows[i].undone);
	}
	ck_assert_uint_eq(escape_undo(dst, 3, "\\x2da\\x2d"), 2);
	ck_assert_str_eq(dst, "-a");
}
END_TEST

SUITE(escape)
{
	Suite *s = suite_create("escape");
	TCase *t = tcase_create("escape");

	tcase_add_test(t, names_are_shown);
	tcase_add_test(t, nothing_is_cut_in_two);
	tcase_add_test(t, whole_characters);
	tcase_add_test(t, units_for_people);
	suite_add_tcase(s, t);
	return s;
}
