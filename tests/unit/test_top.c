/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "util/top.h"

#define LATER (10 * TOP_KEEP) /* places have been had for long */

static size_t count(const struct top_item *items, size_t n)
{
	size_t in = 0;

	for (size_t i = 0; i < n; i++)
		in += items[i].in;
	return in;
}

/* "+" and "-" for each. */
static const char *who(const struct top_item *items, size_t n)
{
	static char text[64];

	for (size_t i = 0; i < n; i++)
		text[i] = items[i].in ? '+' : '-';
	text[n] = '\0';
	return text;
}

START_TEST(chooses)
{
	static const struct {
		const char *before;
		int64_t scores[6];
		size_t max;
		const char *after;
		size_t changes;
	} cases[] = {
		{ "------", { 1, 2, 3, 4, 5, 6 }, 3, "---+++", 3 },
		{ "------", { 6, 5, 4, 3, 2, 1 }, 3, "+++---", 3 },
		{ "------", { 1, 2, 3, 4, 5, 6 }, 6, "++++++", 6 },
		{ "------", { 1, 2, 3, 4, 5, 6 }, 9, "++++++", 6 },
		{ "------", { 1, 2, 3, 4, 5, 6 }, 0, "------", 0 },
		/* among equals the first, and who is in stays */
		{ "------", { 7, 7, 7, 7, 7, 7 }, 2, "++----", 2 },
		{ "----++", { 7, 7, 7, 7, 7, 7 }, 2, "----++", 0 },
		{ "------", { 0, 0, 0, 0, 0, 0 }, 2, "++----", 2 },
		/* a little more is not enough */
		{ "++----", { 100, 100, 110, 119, 120, 0 }, 2, "++----", 0 },
		{ "++----", { 100, 90, 110, 119, 120, 0 }, 2, "+---+-", 2 },
		{ "++----", { 0, 0, 1, 0, 0, 0 }, 2, "+-+---", 2 },
		/* the least goes, for the greatest */
		{ "+++---", { 50, 10, 30, 100, 200, 5 }, 3, "+--++-", 4 },
		/* who must not be chosen leaves, and its place is free for any */
		{ "++----", { -1, 100, 5, 4, 3, 2 }, 2, "-++---", 2 },
		{ "------", { -1, -1, -1, -1, -1, -1 }, 2, "------", 0 },
	};

	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		struct top_item items[6];
		struct top top;
		size_t changes;

		ck_assert_int_eq(top_init(&top, cases[k].max, 20), 0);
		for (int i = 0; i < 6; i++)
			items[i] = (struct top_item){ .score = cases[k].scores[i], .in = cases[k].before[i] == '+' };
		changes = top_update(&top, items, 6, LATER);
		ck_assert_msg(strcmp(who(items, 6), cases[k].after) == 0, "case %zu: %s, not %s", k, who(items, 6),
			      cases[k].after);
		ck_assert_uint_eq(changes, cases[k].changes);
		ck_assert_uint_eq(top_update(&top, items, 6, LATER + 2 * TOP_KEEP), 0);
		ck_assert_str_eq(who(items, 6), cases[k].after);
		top_release(&top);
	}
}
END_TEST

static int descending(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? 1 : x > y ? -1 : 0;
}

/* Thousands, against sorting them all; and afterwards each of those outside exceeds none inside by the margin. */
START_TEST(many)
{
	enum { N = 5000, MAX = 37, MARGIN = 25, ROUNDS = 20 };
	static struct top_item items[N];
	static int64_t sorted[N];
	uint64_t now = LATER;
	struct top top;

	srandom(1);
	memset(items, 0, sizeof(items));
	ck_assert_int_eq(top_init(&top, MAX, MARGIN), 0);
	for (int round = 0; round < ROUNDS; round++) {
		int64_t least_in = INT64_MAX, most_out = -1, total = 0, best = 0;

		for (int i = 0; i < N; i++)
			sorted[i] = items[i].score = random() % 10 ? random() % 100000 : -1;
		(void)top_update(&top, items, N, now += TOP_KEEP);
		ck_assert_uint_eq(count(items, N), MAX);
		qsort(sorted, N, sizeof(*sorted), descending);
		for (int i = 0; i < N; i++) {
			ck_assert(!items[i].in || items[i].score >= 0);
			if (items[i].in && items[i].score < least_in)
				least_in = items[i].score;
			if (!items[i].in && items[i].score > most_out)
				most_out = items[i].score;
			total += items[i].in ? items[i].score : 0;
			best += i < MAX ? sorted[i] : 0;
		}
		ck_assert_int_le(most_out * 100, least_in * (100 + MARGIN));
		if (!round)
			ck_assert_int_eq(total, best);
	}
	top_release(&top);
}
END_TEST

START_TEST(two_alike_do_not_alternate)
{
	struct top_item items[2] = { { .score = 1000 }, { .score = 1001 } };
	uint64_t now = LATER;
	struct top top;

	ck_assert_int_eq(top_init(&top, 1, 25), 0);
	ck_assert_uint_eq(top_update(&top, items, 2, now), 1);
	ck_assert_str_eq(who(items, 2), "-+");
	for (int i = 0; i < 10; i++) {
		items[i % 2].score = 1200;
		items[1 - i % 2].score = 1000;
		ck_assert_uint_eq(top_update(&top, items, 2, now += TOP_KEEP), 0);
	}
	items[0].score = 2000;
	ck_assert_uint_eq(top_update(&top, items, 2, now += TOP_KEEP), 2);
	ck_assert_str_eq(who(items, 2), "+-");
	items[1].score = INT64_MAX;
	ck_assert_uint_eq(top_update(&top, items, 2, now += TOP_KEEP), 2);
	items[0].score = INT64_MAX;
	ck_assert_uint_eq(top_update(&top, items, 2, now + TOP_KEEP), 0);
	top_release(&top);
}
END_TEST

/* Who has won a place keeps it for a minute, however great others are; but not what was chosen when nothing was known yet. */
START_TEST(a_place_is_kept)
{
	struct top_item items[3] = { { .score = 10 }, { .score = 0 }, { .score = 0 } };
	uint64_t second = TOP_KEEP / 60;
	struct top top;

	ck_assert_int_eq(top_init(&top, 1, 25), 0);
	(void)top_update(&top, items, 3, LATER);
	ck_assert_str_eq(who(items, 3), "+--");
	items[1].score = 100;
	(void)top_update(&top, items, 3, LATER + second);
	ck_assert_str_eq(who(items, 3), "-+-");
	items[2].score = 10000;
	for (uint64_t s = 2; s < 61; s++) {
		(void)top_update(&top, items, 3, LATER + s * second);
		ck_assert_str_eq(who(items, 3), "-+-");
	}
	(void)top_update(&top, items, 3, LATER + 61 * second);
	ck_assert_str_eq(who(items, 3), "--+");
	top_release(&top);
}
END_TEST

/* One that is there for a second in each ten does not make others come and go; one that has gone for good leaves. */
START_TEST(what_comes_and_goes_has_its_place)
{
	struct top_item items[3] = { { .score = 1000 }, { .score = 300 }, { .score = 100 } };
	uint64_t second = TOP_KEEP / 60, s;
	struct top top;

	ck_assert_int_eq(top_init(&top, 2, 25), 0);
	for (s = 0; s < 600; s++) {
		items[1].score = s % 10 ? -1 : 300;
		ck_assert_uint_eq(top_update(&top, items, 3, LATER + s * second), s ? 0 : 2);
		ck_assert_str_eq(who(items, 3), "++-");
	}
	items[1].score = -1;
	for (; s < 650; s++)
		ck_assert_uint_eq(top_update(&top, items, 3, LATER + s * second), 0);
	ck_assert_uint_eq(top_update(&top, items, 3, LATER + s * second), 2);
	ck_assert_str_eq(who(items, 3), "+-+");
	top_release(&top);
}
END_TEST

SUITE(top)
{
	Suite *suite = suite_create("top");
	TCase *tests = tcase_create("top");

	tcase_add_test(tests, chooses);
	tcase_add_test(tests, many);
	tcase_add_test(tests, a_place_is_kept);
	tcase_add_test(tests, what_comes_and_goes_has_its_place);
	tcase_add_test(tests, two_alike_do_not_alternate);
	suite_add_tcase(suite, tests);
	return suite;
}
