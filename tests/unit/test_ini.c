/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program/ini.h"

/* What was called, a line each. */
static char got[65536];

static void add_bad(unsigned line, const char *why)
{
	size_t len = strlen(got);

	snprintf(got + len, sizeof(got) - len, "%u bad: %s\n", line, why);
}

static void on_key(void *arg, const struct ini_key *key)
{
	size_t len = strlen(got);

	(void)arg;
	snprintf(got + len, sizeof(got) - len, "%u %s/%s/%s %s=<%s>\n", key->line, key->section ? key->section : "-",
		 key->block ? key->block : "-", key->name ? key->name : "-", key->key, key->value);
}

static void on_bad(void *arg, unsigned line, const char *why)
{
	(void)arg;
	add_bad(line, why);
}

static const char *read_text(const char *text, size_t len)
{
	static const struct ini_reader reader = { .key = on_key, .bad = on_bad };
	char *copy = malloc(len + 1); /* no byte more, for the sanitizers */

	*got = '\0';
	memcpy(copy, text, len);
	ini_read(copy, len, &reader, NULL);
	free(copy);
	return got;
}

static const struct {
	const char *text, *calls;
} rows[] = {
	{ "", "" },
	{ "\n\n  \t\n", "" },
	{ "# a\n ; b\n", "" },
	{ "a = b\n", "1 -/-/- a=<b>\n" },
	{ "a=b", "1 -/-/- a=<b>\n" },
	{ "  long key\t=  long value  \n", "1 -/-/- long key=<long value>\n" },
	{ "a = b\r\nc = d\r\n", "1 -/-/- a=<b>\n2 -/-/- c=<d>\n" },
	{ "\xef\xbb\xbf"
	  "a = b\n",
	  "1 -/-/- a=<b>\n" },
	{ "a =\n", "1 -/-/- a=<>\n" },
	{ "a = \"\"\n", "1 -/-/- a=<>\n" },
	{ "a = b = c\n", "1 -/-/- a=<b = c>\n" },
	{ "a = b # c\na = b#c ;d\na = # c\n", "1 -/-/- a=<b>\n2 -/-/- a=<b#c>\n3 -/-/- a=<>\n" },
	{ "a = \" b # c \" # d\n", "1 -/-/- a=< b # c >\n" },
	{ "a = 'it''\na = 'x y'\n", "1 bad: text after the quotes\n2 -/-/- a=<x y>\n" },
	{ "a = \"b \\\" \\\\ \\n\"\n", "1 -/-/- a=<b \" \\ \\n>\n" },
	{ "a = /^e\\.[0-9]$/\n", "1 -/-/- a=</^e\\.[0-9]$/>\n" },
	{ "a = it's\n", "1 -/-/- a=<it's>\n" },
	{ "[s]\na = 1\na = 2\n", "2 s/-/- a=<1>\n3 s/-/- a=<2>\n" },
	{ " [ s ] # c\na=1\n[t];c\nb=2\n", "2 s/-/- a=<1>\n4 t/-/- b=<2>\n" },
	{ "[s.group \"web\"]\na=1\n", "2 s/group/web a=<1>\n" },
	{ "[s.group 'we\"b]\\'']\na=1\n", "2 s/group/we\"b]' a=<1>\n" },
	{ "[s.group   \"\" ]\na=1\n", "2 s/group/ a=<1>\n" },
	{ "[s.group]\na=1\n", "2 s/group/- a=<1>\n" },
	{ "[a b]\na=1\n", "2 a b/-/- a=<1>\n" },
	/* a section whose head is wrong takes its keys with it, and says so once */
	{ "[s\na=1\n[t]\na=2\n", "1 bad: a section without ']'\n4 t/-/- a=<2>\n" },
	{ "[]\na=1\n", "1 bad: a section without a name\n" },
	{ "[.b \"n\"]\na=1\n", "1 bad: a section without a name\n" },
	{ "[s]x\na=1\n", "1 bad: text after ']'\n" },
	{ "[s \"n\"]\na=1\n", "1 bad: a section with a name, but without a block\n" },
	{ "[s. \"n\"]\na=1\n", "1 bad: a section's dot without a block\n" },
	{ "[s.]\na=1\n", "1 bad: a section's dot without a block\n" },
	{ "[s.g\"n\"]\n", "1 bad: no blank before the quotes\n" },
	{ "[s.g \"n]\n", "1 bad: quotes that are never closed\n" },
	{ "a\nb = 1\n", "1 bad: no '='\n2 -/-/- b=<1>\n" },
	{ "= 1\n", "1 bad: no key before '='\n" },
	{ "a = \"b\n", "1 bad: quotes that are never closed\n" },
	{ "a = \"b\\\"\n", "1 bad: quotes that are never closed\n" },
	{ "a = \"b\" c\n", "1 bad: text after the quotes\n" },
};

START_TEST(texts)
{
	ck_assert_str_eq(read_text(rows[_i].text, strlen(rows[_i].text)), rows[_i].calls);
}
END_TEST

START_TEST(nul_bytes)
{
	static const char text[] = "a = 1\nb = \0002\n\0\nc = 3\n[s\0]\nd = 4\0";

	ck_assert_str_eq(read_text(text, sizeof(text) - 1),
			 "1 -/-/- a=<1>\n2 bad: a NUL byte\n3 bad: a NUL byte\n4 -/-/- c=<3>\n5 bad: a NUL byte\n"
			 "6 bad: a NUL byte\n");
}
END_TEST

/* Cut at every byte, no text does harm; the sanitizers see to that. */
START_TEST(cut)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (size_t len = 0; len <= strlen(rows[i].text); len++)
			read_text(rows[i].text, len);
}
END_TEST

static void keep_length(void *arg, const struct ini_key *key)
{
	*(size_t *)arg = strlen(key->value);
}

START_TEST(long_line)
{
	static const struct ini_reader reader = { .key = keep_length, .bad = on_bad };
	size_t len = 1 << 20, value = 0;
	char *text = malloc(len + 1);

	memset(text, 'x', len);
	memcpy(text, "a = ", 4);
	ini_read(text, len, &reader, &value);
	ck_assert_uint_eq(value, len - 4);
	free(text);
}
END_TEST

SUITE(ini)
{
	Suite *s = suite_create("ini");
	TCase *t = tcase_create("ini");

	tcase_add_loop_test(t, texts, 0, sizeof(rows) / sizeof(*rows));
	tcase_add_test(t, nul_bytes);
	tcase_add_test(t, cut);
	tcase_add_test(t, long_line);
	suite_add_tcase(s, t);
	return s;
}
