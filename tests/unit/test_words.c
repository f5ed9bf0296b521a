/* SPDX-License-Identifier: MIT */
#include "util/words.h"

#include <check.h>
#include <string.h>

#include "qmem.h"
#include "unit.h"

START_TEST(spans)
{
	static const struct {
		uint64_t ns;
		const char *words;
	} cases[] = {
		{ 0, "0.0 s" },
		{ 3 * QMEM_SECOND / 1000, "3 ms" },
		{ QMEM_SECOND / 10 - 1, "99 ms" },
		{ QMEM_SECOND / 10, "0.1 s" },
		{ 1949999999, "1.9 s" },
		{ 10 * QMEM_SECOND - 1, "10.0 s" },
		{ 10 * QMEM_SECOND, "10 s" },
		{ 119 * QMEM_SECOND, "119 s" },
		{ 120 * QMEM_SECOND, "2 min 0 s" },
		{ 7199 * QMEM_SECOND, "119 min 59 s" },
		{ 7200 * QMEM_SECOND, "2 h 0 min" },
		{ 48 * 3600 * QMEM_SECOND - 1, "47 h 59 min" },
		{ 49 * 3600 * QMEM_SECOND, "2 d 1 h" },
		{ UINT64_MAX, "213503 d 23 h" },
	};
	char words[WORDS_NUMBER];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		words_span(words, cases[i].ns);
		ck_assert_str_eq(words, cases[i].words);
	}
}
END_TEST

START_TEST(bytes)
{
	static const struct {
		int64_t bytes;
		const char *words;
	} cases[] = {
		{ QMEM_NA, "?" },
		{ 0, "0 B" },
		{ 1023, "1023 B" },
		{ 1024, "1.0 KiB" },
		{ 1024 * 1024 - 1, "1023.9 KiB" },
		{ 1024 * 1024, "1.0 MiB" },
		{ INT64_C(3584) << 20, "3.5 GiB" },
		{ INT64_C(1) << 50, "1.0 PiB" },
		{ INT64_MAX, "8191.9 PiB" },
	};
	char words[WORDS_NUMBER];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		words_bytes(words, cases[i].bytes);
		ck_assert_str_eq(words, cases[i].words);
	}
}
END_TEST

START_TEST(adds_what_fits)
{
	char text[8] = "";

	words_add(text, sizeof(text), "%s", "abc");
	words_add(text, sizeof(text), "%d", 12345);
	ck_assert_str_eq(text, "abc1234");
	words_add(text, sizeof(text), "more");
	ck_assert_str_eq(text, "abc1234");
	/* at most up to the end of a character */
	strcpy(text, "abcdef");
	words_add(text, sizeof(text), "\xc3\xbc");
	ck_assert_str_eq(text, "abcdef");
}
END_TEST

START_TEST(adds_names_whole)
{
	char text[12] = "who:";

	ck_assert(words_add_whole(text, sizeof(text), " %s", "nginx"));
	ck_assert_str_eq(text, "who: nginx");
	ck_assert(!words_add_whole(text, sizeof(text), ", %s", "postgres"));
	ck_assert_str_eq(text, "who: nginx");
	ck_assert(words_add_whole(text, sizeof(text), "."));
	ck_assert_str_eq(text, "who: nginx.");
}
END_TEST

SUITE(words)
{
	Suite *suite = suite_create("words");
	TCase *tests = tcase_create("words");

	tcase_add_test(tests, spans);
	tcase_add_test(tests, bytes);
	tcase_add_test(tests, adds_what_fits);
	tcase_add_test(tests, adds_names_whole);
	suite_add_tcase(suite, tests);
	return suite;
}
