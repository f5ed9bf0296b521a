/* SPDX-License-Identifier: MIT */
/* Things with a level and a counter each, by a service that has nothing but them. */
#include "kernel/instances.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "procroot.h"
#include "rows.h"
#include "unit.h"

#define MOST 6000

enum { LEVEL, COUNT, COLUMNS };

struct thing {
	int64_t v[COLUMNS];
};

static const struct qmem_metric level[] = { METRIC(thing, "level", NULL, v[LEVEL], "a level"), { 0 } };
static const struct qmem_metric count[] = { METRIC(thing, "count", NULL, v[COUNT], "a count"), { 0 } };
static const struct qmem_family families[] = {
	FAMILY("level", "Levels", "menu", "line", level, GAUGE("bytes", 1, "bytes"), .label = "thing"),
	FAMILY("count", "Counts", "menu", "line", count, EVENTS, .label = "thing"),
	FAMILY("whole", "All of them", "menu", "line", count, EVENTS),
	{ 0 },
};

/* The lines of the next round. */
static struct line {
	char name[32];
	struct thing thing;
} lines[MOST + 8];
static size_t n;
static struct instances_kind kind;
static struct instances all;
static int64_t shown;
static struct qmem_list rules;
static const char *the_main;

static void line(const char *name, int64_t a_level, int64_t a_count)
{
	snprintf(lines[n].name, sizeof(lines[n].name), "%s", name);
	lines[n++].thing = (struct thing){ { a_level, a_count } };
}

static int start(struct qmem *q, void *state)
{
	(void)q;
	(void)state;
	return instances_init(&all, &kind, &rules, false, shown);
}

static void stop(struct qmem *q, void *state)
{
	(void)q;
	(void)state;
	instances_release(&all);
}

static int collect(struct qmem *q, void *state)
{
	int err = 0;

	(void)state;
	instances_begin(&all);
	for (size_t i = 0; i < n && !err; i++)
		err = instances_put(&all, lines[i].name, strlen(lines[i].name), lines[i].thing.v);
	(void)instances_measure(&all);
	for (size_t k = 0; k < all.n; k++)
		all.all[k]->main = the_main && strcmp(all.all[k]->name, the_main) == 0;
	instances_choose(&all, qmem_now(q));
	instances_emit(q, &all, families);
	n = 0;
	return err;
}

static const struct qmem_service things = {
	.name = "things",
	.families = families,
	.start = start,
	.collect = collect,
	.stop = stop,
};
static const struct qmem_service *const services[] = { &things, NULL };

static void setup(void)
{
	n = 0;
	shown = 2;
	the_main = NULL;
	rules = (struct qmem_list){ 0 };
	kind = (struct instances_kind){
		.what = "things",
		.columns = COLUMNS,
		.gauges = 1 << LEVEL,
		.score = 1 << LEVEL,
		.most = MOST,
	};
	procroot_begin(services);
}

static const char *begin(void)
{
	procroot_start();
	return procroot_tick();
}

static int64_t get(const char *name)
{
	int64_t value = procroot_value(name);

	return value == QMEM_NA || value == -1 ? value : value / 1000;
}

/* Those with the highest levels are shown; the others' levels are one sum, and so is what their counters grow by. */
START_TEST(levels_and_counters)
{
	line("a", 100, 5000);
	line("b", 10, 6000);
	line("c", 200, 7000);
	line("d", 20, 8000);
	begin();
	ck_assert_int_eq(get("things.level.level[a]"), 100);
	ck_assert_int_eq(get("things.level.level[c]"), 200);
	ck_assert_int_eq(get("things.level.level[other]"), 30);
	ck_assert_int_eq(get("things.count.count[a]"), 5000);
	/* no lifetime of theirs is in it */
	ck_assert_int_eq(get("things.count.count[other]"), 0);
	ck_assert_int_eq(get("things.level.level[b]"), -1);
	/* a family of the service as a whole is none of theirs */
	ck_assert_int_eq(get("things.whole.count"), -1);
	line("a", 90, 5001);
	line("b", 11, 6020);
	line("c", 210, 7003);
	line("d", 0, 8300);
	procroot_tick();
	ck_assert_int_eq(get("things.level.level[a]"), 90);
	ck_assert_int_eq(get("things.level.level[other]"), 11);
	ck_assert_int_eq(get("things.count.count[a]"), 5001);
	ck_assert_int_eq(get("things.count.count[other]"), 320);
	/* d takes a's place, and no counter moves for that */
	line("a", 90, 5011);
	line("b", 11, 6020);
	line("c", 210, 7003);
	line("d", 500, 8300);
	procroot_tick();
	ck_assert_int_eq(get("things.level.level[a]"), -1);
	ck_assert_int_eq(get("things.level.level[d]"), 500);
	ck_assert_int_eq(get("things.level.level[other]"), 101);
	ck_assert_int_eq(get("things.count.count[d]"), 8300);
	ck_assert_int_eq(get("things.count.count[other]"), 330);
	/* there are no others, and then there are again */
	line("c", 210, 7003);
	line("d", 500, 8300);
	procroot_tick();
	ck_assert_int_eq(get("things.level.level[other]"), -1);
	line("c", 210, 7003);
	line("d", 500, 8300);
	line("e", 1, 999);
	procroot_tick();
	ck_assert_int_eq(get("things.level.level[other]"), 1);
	ck_assert_int_eq(get("things.count.count[other]"), 330);
}
END_TEST

/* By how fast a counter grows, and in the first round by where it is. */
START_TEST(chosen_by_a_counter)
{
	kind.score = 1 << COUNT;
	shown = 1;
	line("a", 1, 1000);
	line("b", 1, 2000);
	begin();
	ck_assert_int_eq(get("things.count.count[b]"), 2000);
	line("a", 1, 1900);
	line("b", 1, 2000);
	procroot_tick();
	ck_assert_int_eq(get("things.count.count[a]"), 1900);
	ck_assert_int_eq(get("things.count.count[b]"), -1);
}
END_TEST

START_TEST(what_is_not_known)
{
	line("a", QMEM_NA, 10);
	line("b", QMEM_NA, QMEM_NA);
	line("c", QMEM_NA, QMEM_NA);
	begin();
	ck_assert(get("things.level.level[a]") == QMEM_NA);
	ck_assert(get("things.count.count[b]") == QMEM_NA);
	ck_assert(get("things.level.level[other]") == QMEM_NA);
	ck_assert(get("things.count.count[other]") == QMEM_NA);
	/* for a round: it goes on from where it was; a lifetime that comes to light is none of the others' */
	line("a", 7, QMEM_NA);
	line("b", QMEM_NA, QMEM_NA);
	line("c", 2, 5000);
	procroot_tick();
	ck_assert_int_eq(get("things.level.level[a]"), 7);
	ck_assert(get("things.count.count[a]") == QMEM_NA);
	line("a", 7, 25);
	line("b", QMEM_NA, QMEM_NA);
	line("c", 2, 5001);
	procroot_tick();
	ck_assert_int_eq(get("things.count.count[a]"), 25);
}
END_TEST

/* Whoever becomes a main one, or is none any more, has one place all the time. */
START_TEST(one_place_each)
{
	line("c", 50, 1);
	line("b", 100, 1);
	line("a", 1, 1);
	begin();
	for (int i = 0; i < 4; i++) {
		the_main = i < 2 ? "c" : NULL;
		line("c", i < 2 ? 50 : 500, 1);
		line("b", 100, 1);
		line("a", 1, 1);
		procroot_tick();
		ck_assert_int_eq(get("things.level.level[b]"), 100);
		ck_assert_int_eq(get("things.level.level[c]"), i < 2 ? 50 : 500);
		ck_assert_int_eq(get("things.level.level[other]"), 1);
	}
	/* what it has kept as a main one it loses, after a minute, to what has more */
	for (int i = 0; i < 61; i++) {
		line("c", 0, 1);
		line("b", 100, 1);
		line("a", 1, 1);
		procroot_tick();
	}
	ck_assert_int_eq(get("things.level.level[a]"), 1);
	ck_assert_int_eq(get("things.level.level[b]"), 100);
	ck_assert_int_eq(get("things.level.level[c]"), -1);
}
END_TEST

START_TEST(first_of_two_lines)
{
	line("a", 1, 10);
	line("a", 2, 20);
	begin();
	ck_assert_int_eq(get("things.level.level[a]"), 1);
	ck_assert_int_eq(get("things.count.count[a]"), 10);
}
END_TEST

START_TEST(only_the_wanted)
{
	char *items[] = { (char *)"/^sd/" };

	rules = (struct qmem_list){ .items = items, .n = 1, .given = true };
	shown = 1;
	line("sda", 5, 0);
	line("sdb", 6, 0);
	line("loop0", 7, 0);
	begin();
	ck_assert_int_eq(get("things.level.level[sdb]"), 6);
	ck_assert_int_eq(get("things.level.level[other]"), 5);
}
END_TEST

/* What it has no place for is said, and all who are there are found, whatever line they are on. */
START_TEST(many)
{
	char name[32], whole[64];
	const char *text;

	shown = MOST;
	for (int i = 0; i < MOST + 3; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		line(name, i, 1);
	}
	text = begin();
	ck_assert_ptr_nonnull(strstr(text, "log warning things: 6000 things are too many, 3 more are left out\n"));
	ck_assert_int_eq(get("things.level.level[n5999]"), 5999);
	ck_assert_int_eq(get("things.level.level[n6000]"), -1);
	for (int i = MOST; i-- > 0;) {
		snprintf(name, sizeof(name), "n%d", i);
		line(name, 2 * i, 1 + i);
	}
	text = procroot_tick();
	ck_assert_ptr_nonnull(strstr(text, "log info things: there is room for all things again\n"));
	for (int i = 0; i < MOST; i += 599) {
		snprintf(whole, sizeof(whole), "things.level.level[n%d]", i);
		ck_assert_int_eq(get(whole), 2 * i);
		snprintf(whole, sizeof(whole), "things.count.count[n%d]", i);
		ck_assert_int_eq(get(whole), 1 + i);
	}
	ck_assert_uint_eq(all.n, MOST);
}
END_TEST

/* Who was away for a minute starts anew, and others have their place. */
START_TEST(forgotten)
{
	line("a", 1, 1000);
	begin();
	for (int i = 0; i < 60; i++) {
		ck_assert_uint_eq(all.n, 1 + !!i);
		line("b", 1, 7);
		procroot_tick();
	}
	ck_assert_uint_eq(all.n, 2);
	line("b", 1, 7);
	procroot_tick();
	ck_assert_uint_eq(all.n, 1);
	line("a", 1, 3);
	line("b", 1, 8);
	procroot_tick();
	ck_assert_int_eq(get("things.count.count[a]"), 3);
	ck_assert_int_eq(get("things.count.count[b]"), 8);
}
END_TEST

SUITE(instances)
{
	Suite *s = suite_create("instances");
	TCase *t = tcase_create("instances");

	tcase_add_checked_fixture(t, setup, procroot_end);
	tcase_add_test(t, levels_and_counters);
	tcase_add_test(t, chosen_by_a_counter);
	tcase_add_test(t, what_is_not_known);
	tcase_add_test(t, one_place_each);
	tcase_add_test(t, first_of_two_lines);
	tcase_add_test(t, only_the_wanted);
	tcase_add_test(t, many);
	tcase_add_test(t, forgotten);
	suite_add_tcase(s, t);
	return s;
}
