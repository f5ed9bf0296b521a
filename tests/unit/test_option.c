/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/number.h"
#include "engine/option.h"

START_TEST(durations)
{
	static const struct {
		const char *text;
		int64_t ns;
		int err;
	} rows[] = {
		{ "10", INT64_C(10000000000), 0 },
		{ "200ms", 200000000, 0 },
		{ "200 ms", 200000000, 0 },
		{ "0.5", 500000000, 0 },
		{ "0.5s", 500000000, 0 },
		{ "2s", 2000000000, 0 },
		{ "5m", INT64_C(300000000000), 0 },
		{ "5min", INT64_C(300000000000), 0 },
		{ "1h", INT64_C(3600000000000), 0 },
		{ "1d", INT64_C(86400000000000), 0 },
		{ "1us", 1000, 0 },
		{ "7ns", 7, 0 },
		{ "0", 0, 0 },
		{ "0.0000000001s", 0, -EDOM },
		{ "0.5ns", 0, -EDOM },
		{ "0.000s", 0, 0 },
		{ "", 0, -EINVAL },
		{ "-1s", 0, -EINVAL },
		{ "1x", 0, -EINVAL },
		{ "1.s", 0, -EINVAL },
		{ ".5s", 0, -EINVAL },
		{ "ms", 0, -EINVAL },
		{ "1e3", 0, -EINVAL },
		{ "99999999999999999999", 0, -ERANGE },
		{ "9223372037", 0, -ERANGE },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t ns = -1;

		ck_assert_msg(qmem_parse_duration(rows[i].text, &ns) == rows[i].err, "'%s'", rows[i].text);
		ck_assert_int_eq(ns, rows[i].err ? -1 : rows[i].ns);
	}
}
END_TEST

START_TEST(sizes)
{
	static const struct {
		const char *text;
		int64_t bytes;
		int err;
	} rows[] = {
		{ "0", 0, 0 },
		{ "4096", 4096, 0 },
		{ "64k", 65536, 0 },
		{ "16MiB", 16 << 20, 0 },
		{ "1.5G", 3 << 29, 0 },
		{ "2TB", INT64_C(2) << 40, 0 },
		{ "1 kB", 1024, 0 },
		{ "8m", 8 << 20, 0 },
		{ "x", 0, -EINVAL },
		{ "1Q", 0, -EINVAL },
		{ "9000000T", 0, -ERANGE },
		{ "-1", 0, -EINVAL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t bytes = -1;

		ck_assert_msg(qmem_parse_size(rows[i].text, &bytes) == rows[i].err, "'%s'", rows[i].text);
		ck_assert_int_eq(bytes, rows[i].err ? -1 : rows[i].bytes);
	}
}
END_TEST

START_TEST(percentages)
{
	static const struct {
		const char *text;
		int64_t hundredths;
		int err;
		const char *written;
	} rows[] = {
		{ "10", 1000, 0, "10%" },           { "10%", 1000, 0, "10%" },
		{ "10 %", 1000, 0, "10%" },         { "0.5%", 50, 0, "0.5%" },
		{ "0.25", 25, 0, "0.25%" },         { "2.000", 200, 0, "2%" },
		{ "0.019", 1, 0, "0.01%" },         { "0", 0, 0, "0%" },
		{ "150%", 15000, 0, "150%" },       { "-1", 0, -EINVAL, NULL },
		{ "%", 0, -EINVAL, NULL },          { "10%%", 0, -EINVAL, NULL },
		{ "10 percent", 0, -EINVAL, NULL }, { "99999999999999999999", 0, -ERANGE, NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t hundredths = -1;
		char text[32];

		ck_assert_msg(qmem_parse_percent(rows[i].text, &hundredths) == rows[i].err, "'%s'", rows[i].text);
		ck_assert_int_eq(hundredths, rows[i].err ? -1 : rows[i].hundredths);
		if (rows[i].err)
			continue;
		qmem_print_percent(text, sizeof(text), hundredths);
		ck_assert_str_eq(text, rows[i].written);
	}
}
END_TEST

struct group {
	char *comm;
	struct qmem_list users;
	int64_t most;
};

struct state {
	bool on;
	int mode, tri;
	int64_t n, size, wait, share;
	char *text;
	struct qmem_list list;
	struct qmem_blocks groups;
};

static bool no_spaces(const char *value, char *why, size_t size)
{
	if (!strchr(value, ' '))
		return true;
	snprintf(why, size, "must not hold blanks");
	return false;
}

static const char *const modes[] = { "fast", "exact", NULL };

static const struct qmem_option group_rows[] = {
	{ .name = "Comm", .type = QMEM_STRING, .offset = offsetof(struct group, comm) },
	{ .name = "User", .type = QMEM_LIST, .offset = offsetof(struct group, users), .def = "root\nnobody" },
	{ .name = "Most", .type = QMEM_INT, .offset = offsetof(struct group, most), .def = "7" },
	{ 0 },
};

static const struct qmem_option rows[] = {
	{ .name = "On", .type = QMEM_BOOL, .offset = offsetof(struct state, on), .def = "yes" },
	{ .name = "Mode", .type = QMEM_ENUM, .offset = offsetof(struct state, mode), .def = "exact", .words = modes },
	{ .name = "Tri", .type = QMEM_TRISTATE, .offset = offsetof(struct state, tri), .def = "auto" },
	{ .name = "Count", .type = QMEM_INT, .offset = offsetof(struct state, n), .def = "5", .min = 1, .max = 10 },
	{ .name = "MapSize", .type = QMEM_SIZE, .offset = offsetof(struct state, size), .def = "1MiB" },
	{ .name = "Wait",
	  .type = QMEM_DURATION,
	  .offset = offsetof(struct state, wait),
	  .def = "2s",
	  .max = 10000000000 },
	{ .name = "Share", .type = QMEM_PERCENT, .offset = offsetof(struct state, share), .def = "7%", .max = 10000 },
	{ .name = "Text", .type = QMEM_STRING, .offset = offsetof(struct state, text), .def = "a", .check = no_spaces },
	{ .name = "List",
	  .type = QMEM_LIST,
	  .offset = offsetof(struct state, list),
	  .def = "x\ny",
	  .check = no_spaces },
	{ .name = "Group",
	  .type = QMEM_BLOCK,
	  .offset = offsetof(struct state, groups),
	  .sub = group_rows,
	  .sub_size = sizeof(struct group) },
	{ 0 },
};

static struct state s;

static void setup(void)
{
	memset(&s, 0, sizeof(s));
	ck_assert_int_eq(qmem_option_defaults(rows, &s), 0);
}

static void teardown(void)
{
	qmem_option_release(rows, &s);
}

static const char *set(const char *name, const char *value)
{
	static char why[160];
	const struct qmem_option *row = qmem_option_find(rows, name);

	ck_assert_ptr_nonnull(row);
	return qmem_option_set(row, &s, value, why, sizeof(why)) ? why : NULL;
}

static void all_default(void)
{
	ck_assert(s.on);
	ck_assert_int_eq(s.mode, 1);
	ck_assert_int_eq(s.tri, QMEM_AUTO);
	ck_assert_int_eq(s.n, 5);
	ck_assert_int_eq(s.size, 1 << 20);
	ck_assert_int_eq(s.wait, 2000000000);
	ck_assert_int_eq(s.share, 700);
	ck_assert_str_eq(s.text, "a");
	ck_assert_uint_eq(s.list.n, 2);
	ck_assert(!s.list.given);
	ck_assert_str_eq(s.list.items[1], "y");
}

START_TEST(defaults)
{
	all_default();
}
END_TEST

START_TEST(good_values)
{
	ck_assert_ptr_null(set("ON", "off"));
	ck_assert(!s.on);
	ck_assert_ptr_null(set("mode", "Fast"));
	ck_assert_int_eq(s.mode, 0);
	ck_assert_ptr_null(set("tri", "true"));
	ck_assert_int_eq(s.tri, QMEM_YES);
	ck_assert_ptr_null(set("count", "10.000"));
	ck_assert_int_eq(s.n, 10);
	ck_assert_ptr_null(set("map_size", "64k"));
	ck_assert_int_eq(s.size, 65536);
	ck_assert_ptr_null(set("wait", "200ms"));
	ck_assert_int_eq(s.wait, 200000000);
	ck_assert_ptr_null(set("share", "12.5%"));
	ck_assert_int_eq(s.share, 1250);
	ck_assert_ptr_null(set("text", "b"));
	ck_assert_str_eq(s.text, "b");
}
END_TEST

START_TEST(wrong_values_keep_what_was)
{
	ck_assert_str_eq(set("on", "perhaps"), "must be yes or no");
	ck_assert_str_eq(set("tri", "perhaps"), "must be yes, no or auto");
	ck_assert_str_eq(set("mode", "slow"), "must be one of fast, exact");
	ck_assert_str_eq(set("count", "11"), "must be from 1 to 10");
	ck_assert_str_eq(set("count", "ten"), "is not a whole number");
	ck_assert_str_eq(set("count", "1.5"), "is not a whole number");
	ck_assert_str_eq(set("count", "99999999999999999999"), "must be from 1 to 10");
	ck_assert_str_eq(set("mapsize", "-5"), "is not a size such as 64k, 16MiB");
	ck_assert_str_eq(set("wait", "11s"), "must be from 0 to 10s");
	ck_assert_str_eq(set("wait", "11"), "must be from 0 to 10s: it is read as 11s; ms are milliseconds, m minutes");
	ck_assert_str_eq(set("wait", "0.5h"),
			 "must be from 0 to 10s: it is read as 30m; ms are milliseconds, m minutes");
	ck_assert_str_eq(set("wait", "99999999999999999999"), "must be from 0 to 10s");
	ck_assert_str_eq(set("wait", "0.5ns"), "is finer than 1ns, and would be 0");
	ck_assert_str_eq(set("wait", "5M%"), "is not a duration such as 200ms, 2s, 5m");
	ck_assert_str_eq(set("wait", "64k"), "is a size, not a duration such as 200ms, 2s, 5m");
	ck_assert_str_eq(set("mapsize", "5%"), "is a percentage, not a size such as 64k, 16MiB");
	ck_assert_str_eq(set("count", "5s"), "is a duration, not a whole number");
	ck_assert_str_eq(set("share", "512MiB"), "is a size, not a percentage such as 10, 10%, 0.5%");
	ck_assert_str_eq(set("share", "0.001"), "is finer than 0.01%, and would be 0");
	ck_assert_str_eq(set("share", "0.009999999999%"), "is finer than 0.01%, and would be 0");
	ck_assert_str_eq(set("wait", "soon"), "is not a duration such as 200ms, 2s, 5m");
	ck_assert_str_eq(set("share", "101"), "must be from 0% to 100%");
	ck_assert_str_eq(set("share", "10p"), "is not a percentage such as 10, 10%, 0.5%");
	ck_assert_str_eq(set("text", "a b"), "must not hold blanks");
	ck_assert_str_eq(set("list", "a b"), "must not hold blanks");
	ck_assert_str_eq(set("group", "x"), "is a block, not an option");
	all_default();
}
END_TEST

START_TEST(first_item_replaces_the_default)
{
	ck_assert_ptr_nonnull(set("list", "a b"));
	ck_assert_ptr_null(set("list", "one"));
	ck_assert_ptr_null(set("list", "two"));
	ck_assert_ptr_nonnull(set("list", "three four"));
	ck_assert_uint_eq(s.list.n, 2);
	ck_assert_str_eq(s.list.items[0], "one");
	ck_assert_str_eq(s.list.items[1], "two");
	ck_assert(s.list.given);
}
END_TEST

START_TEST(blocks_have_rows_of_their_own)
{
	const struct qmem_option *row = qmem_option_find(rows, "group");
	struct group *web, *db, *again;
	void *data;
	char why[160];

	ck_assert_int_eq(qmem_option_block(row, &s, "web", &data), 0);
	web = data;
	ck_assert_int_eq(qmem_option_block(row, &s, "db", &data), 0);
	db = data;
	ck_assert_int_eq(qmem_option_block(row, &s, "web", &data), 0);
	again = data;
	ck_assert_ptr_eq(web, again);
	ck_assert_uint_eq(s.groups.n, 2);
	ck_assert_int_eq(web->most, 7);
	ck_assert_uint_eq(web->users.n, 2);
	ck_assert_int_eq(qmem_option_set(qmem_option_find(group_rows, "comm"), db, "postgres", why, sizeof(why)), 0);
	ck_assert_str_eq(db->comm, "postgres");
	ck_assert_ptr_null(web->comm);
}
END_TEST

START_TEST(values_print_as_they_are_written)
{
	static const char *const printed[][2] = {
		{ "on", "yes" },  { "mode", "exact" }, { "tri", "auto" },  { "count", "5" }, { "mapsize", "1MiB" },
		{ "wait", "2s" }, { "text", "a" },     { "list", "x, y" }, { "group", "" },
	};
	char text[64];

	for (size_t i = 0; i < sizeof(printed) / sizeof(*printed); i++) {
		qmem_option_print(text, sizeof(text), qmem_option_find(rows, printed[i][0]), &s);
		ck_assert_str_eq(text, printed[i][1]);
	}
	qmem_print_duration(text, sizeof(text), 1500000000);
	ck_assert_str_eq(text, "1500ms");
	qmem_print_size(text, sizeof(text), 1536);
	ck_assert_str_eq(text, "1536B");
}
END_TEST

SUITE(option)
{
	Suite *suite = suite_create("option");
	TCase *t = tcase_create("option");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, durations);
	tcase_add_test(t, sizes);
	tcase_add_test(t, percentages);
	tcase_add_test(t, defaults);
	tcase_add_test(t, good_values);
	tcase_add_test(t, wrong_values_keep_what_was);
	tcase_add_test(t, first_item_replaces_the_default);
	tcase_add_test(t, blocks_have_rows_of_their_own);
	tcase_add_test(t, values_print_as_they_are_written);
	suite_add_tcase(suite, t);
	return suite;
}
