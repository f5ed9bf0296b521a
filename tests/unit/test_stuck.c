/* SPDX-License-Identifier: MIT */
/* The census of tasks in state D, and the tally, on a scripted clock. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "process/stuck.h"
#include "process/tally.h"

#define SECOND QMEM_SECOND
#define AFTER 60
#define ROOM 8

static struct stuck s;
static uint64_t now; /* seconds */
static int ended;    /* raised ones */
static uint64_t ended_lasted;

static void over(void *arg, const struct stuck_task *task)
{
	ck_assert_ptr_eq(arg, &s);
	ended++;
	ended_lasted = (task->seen - task->since) / SECOND;
}

static void setup(void)
{
	now = 1000;
	ended = 0;
	ck_assert_int_eq(stuck_init(&s, ROOM, AFTER * SECOND, over, &s), 0);
}

static void teardown(void)
{
	stuck_release(&s);
}

/* A task in D: what a look at it would find. */
struct in_d {
	int32_t tid;
	bool kthread;
	const char *channel;
	int64_t switches;
};

static int looks;

/* A round, `apart` seconds after the one before, with at most `most` looks. */
static void round_of(const struct in_d *tasks, uint64_t apart, int most)
{
	struct stuck_task *t;

	now += apart;
	stuck_begin(&s, now * SECOND);
	for (const struct in_d *d = tasks; d->tid; d++)
		stuck_enter(&s, &(struct proc_task){ .pid = d->tid, .tid = d->tid, .start = 5 }, d->kthread);
	stuck_settle(&s);
	for (looks = 0; looks < most && (t = stuck_next(&s)); looks++) {
		const struct in_d *d = tasks;

		while (d->tid && d->tid != t->id.tid)
			d++;
		/* only those that are there are looked at */
		ck_assert_int_ne(d->tid, 0);
		if (strcmp(d->channel, "frozen") == 0)
			stuck_freeze(&s, t);
		else
			stuck_look(&s, t, d->channel, d->switches);
	}
	stuck_end(&s);
	for (size_t i = 0; i < s.n; i++)
		if (s.tasks[i].stuck)
			s.tasks[i].told = s.now;
}
#define ROUND(apart, ...) round_of((const struct in_d[]){ __VA_ARGS__{ 0 } }, apart, 32)
#define TASK(tid, channel, switches) { tid, false, channel, switches },
#define KTHREAD(tid, channel, switches) { tid, true, channel, switches },

#define counts(waiting_, stuck_, usual_)                                                                               \
	do {                                                                                                           \
		ck_assert_uint_eq(s.waiting, (waiting_));                                                              \
		ck_assert_uint_eq(s.stuck_n, (stuck_));                                                                \
		ck_assert_uint_eq(s.usual_n, (usual_));                                                                \
	} while (0)

START_TEST(becomes_stuck)
{
	ROUND(0, );
	counts(0, 0, 0);
	ROUND(1, TASK(7, "nfs_wait", 3));
	counts(1, 0, 0);
	ck_assert_uint_eq(s.longest, 0);
	for (int i = 1; i < AFTER; i++) {
		ROUND(1, TASK(7, "nfs_wait", 3));
		counts(1, 0, 0);
		ck_assert_uint_eq(s.longest, (uint64_t)i * SECOND);
	}
	ROUND(1, TASK(7, "nfs_wait", 3));
	counts(0, 1, 0);
	ROUND(100, TASK(7, "nfs_wait", 3));
	counts(0, 1, 0);
	ck_assert_uint_eq(s.longest, (AFTER + 100) * SECOND);
	ck_assert_int_eq(ended, 0);
	ROUND(1, );
	counts(0, 0, 0);
	ck_assert_int_eq(ended, 1);
	ck_assert_uint_eq(ended_lasted, AFTER + 100);
	ck_assert_uint_eq(s.longest, 0);
	ck_assert_uint_eq(s.n, 0);
}
END_TEST

START_TEST(frozen)
{
	ROUND(0, TASK(6, "frozen", 0));
	counts(0, 0, 0);
	ROUND(1, TASK(6, "frozen", 0) TASK(7, "frozen", 0));
	counts(0, 0, 0);
	for (int i = 0; i < 3 * AFTER; i++) {
		ROUND(1, TASK(6, "frozen", 0) TASK(7, "frozen", 0));
		counts(0, 0, 0);
		ck_assert_uint_eq(s.longest, 0);
		ck_assert_int_le(looks, 2);
	}
	/* it thaws, and waits from then on; again it freezes */
	ROUND(AFTER, TASK(7, "nfs_wait", 3));
	counts(1, 0, 0);
	ck_assert_uint_eq(s.longest, 0);
	ROUND(AFTER, TASK(7, "nfs_wait", 3));
	counts(0, 1, 0);
	ROUND(AFTER, TASK(7, "frozen", 3));
	counts(0, 0, 0);
	ck_assert_int_eq(ended, 1);
	ck_assert_uint_eq(ended_lasted, AFTER);
	ROUND(AFTER, );
	ck_assert_int_eq(ended, 1);
}
END_TEST

/* Time in D is not enough: another function, a switch, another task of the same number, a pause are other waits. */
START_TEST(other_waits)
{
	ROUND(0, );
	for (int i = 0; i < 5 * AFTER; i++) {
		ROUND(1, TASK(1, i & 1 ? "a" : "b", 3) TASK(2, "a", i) TASK(3, "a", 1));
		counts(3, 0, 0);
		if (i % (AFTER / 2) == 0)
			ROUND(1, TASK(1, "a", 3) TASK(2, "a", i));
	}
	ck_assert_int_eq(ended, 0);
	/* what cannot be read does not count as a change, nor does it keep from being stuck */
	for (int i = 0; i <= AFTER; i++)
		ROUND(1, TASK(4, "", QMEM_NA) TASK(5, "a", i & 1 ? 4 : QMEM_NA));
	counts(0, 2, 0);
}
END_TEST

START_TEST(number_again)
{
	ROUND(0, );
	for (int i = 0; i < 3 * AFTER; i++) {
		struct stuck_task *t;

		now++;
		stuck_begin(&s, now * SECOND);
		stuck_enter(&s, &(struct proc_task){ .pid = 7, .tid = 7, .start = i / (AFTER / 2) }, false);
		stuck_settle(&s);
		while ((t = stuck_next(&s)))
			stuck_look(&s, t, "a", 1);
		stuck_end(&s);
		counts(1, 0, 0);
	}
}
END_TEST

/* The name is the same in all builds. */
START_TEST(prefix)
{
	ROUND(0, );
	ROUND(1, TASK(1, "io_wait.isra.0", 1) TASK(2, "io_wait+0x1f/0x30", 1));
	ck_assert_str_eq(s.tasks[0].channel, "io_wait");
	ck_assert_str_eq(s.tasks[1].channel, "io_wait");
	ROUND(AFTER, TASK(1, "io_wait.constprop.1", 1) TASK(2, "io_wait", 1));
	counts(0, 2, 0);
	ROUND(AFTER, TASK(1, "0123456789012345678901234567890123456789012345678901234567890123", 1));
	ck_assert_uint_eq(strlen(s.tasks[0].channel), STUCK_CHANNEL - 1);
}
END_TEST

/* What was there before us is not counted, until it ends. */
START_TEST(first_census)
{
	ROUND(0, TASK(1, "a", 1) KTHREAD(2, "b", 1));
	counts(0, 0, 2);
	ROUND(10 * AFTER, TASK(1, "a", 1) KTHREAD(2, "b", 1));
	counts(0, 0, 2);
	ck_assert_uint_eq(s.longest, 0);
	/* the process begins another wait: that one counts */
	ROUND(AFTER, TASK(1, "a", 2) KTHREAD(2, "b", 1));
	counts(1, 0, 1);
	ROUND(AFTER, TASK(1, "a", 2) KTHREAD(2, "b", 1));
	counts(0, 1, 1);
	/* the kernel thread does so by habit */
	ROUND(1, KTHREAD(2, "b", 2));
	ck_assert_int_eq(ended, 1);
	counts(0, 0, 1);
	ROUND(1, );
	ROUND(1, KTHREAD(2, "b", 3));
	counts(0, 0, 1);
	ROUND(10 * AFTER, KTHREAD(2, "b", 3));
	counts(0, 0, 1);
	/* elsewhere it has none */
	ROUND(AFTER / 4, KTHREAD(2, "c", 4));
	counts(1, 0, 0);
	ROUND(AFTER, KTHREAD(2, "c", 4));
	counts(0, 1, 0);
}
END_TEST

/* The habit is got by long waits, and lost by half of the time spent otherwise. */
START_TEST(habit)
{
	ROUND(0, );
	for (int i = 0; i < STUCK_HABIT; i++) {
		ROUND(1, KTHREAD(2, "b", i) TASK(3, "b", i));
		ROUND(2 * AFTER, KTHREAD(2, "b", i) TASK(3, "b", i));
		counts(0, 2, 0);
		ROUND(1, );
	}
	ck_assert_int_eq(ended, 2 * STUCK_HABIT);
	ROUND(1, KTHREAD(2, "b", 90) TASK(3, "b", 90));
	counts(1, 0, 1);
	ROUND(2 * AFTER, KTHREAD(2, "b", 90) TASK(3, "b", 90));
	/* a process has none */
	counts(0, 1, 1);
	ROUND(1, );
	ck_assert_uint_eq(s.n, 1);
	ROUND(20 * AFTER, );
	ck_assert_uint_eq(s.n, 0);
	ROUND(1, KTHREAD(2, "b", 91));
	ROUND(AFTER, KTHREAD(2, "b", 91));
	counts(0, 1, 0);
}
END_TEST

/* Short waits make no habit, and are not stuck. */
START_TEST(short_waits)
{
	ROUND(0, );
	for (int i = 0; i < 100; i++) {
		ROUND(1, KTHREAD(2, "b", i));
		counts(1, 0, 0);
		ROUND(AFTER / 2, KTHREAD(2, "b", i));
		counts(1, 0, 0);
	}
	ROUND(1, );
	ck_assert_uint_eq(s.n, 0);
	ck_assert_int_eq(ended, 0);
}
END_TEST

/* With fewer looks than tasks, all are looked at in turn, and none is called stuck unseen. */
START_TEST(few_looks)
{
	static const struct in_d tasks[] = { { 1, false, "a", 1 }, { 2, false, "a", 1 }, { 3, false, "a", 1 },
					     { 4, false, "a", 1 }, { 5, false, "a", 1 }, { 0 } };

	ROUND(0, );
	for (int i = 0; i < 5; i++) {
		round_of(tasks, 1, 1);
		ck_assert_int_eq(looks, 1);
	}
	for (size_t i = 0; i < s.n; i++)
		ck_assert_uint_ne(s.tasks[i].looked, 0);
	round_of(tasks, 10 * AFTER, 0);
	counts(5, 0, 0);
	for (unsigned i = 1; i <= 5; i++) {
		round_of(tasks, 1, 1);
		counts(5 - i, i, 0);
	}
	/* seldom after that */
	round_of(tasks, 1, 32);
	ck_assert_int_eq(looks, 0);
	round_of(tasks, AFTER / 8 + 1, 32);
	ck_assert_int_eq(looks, 5);
}
END_TEST

START_TEST(crowded)
{
	struct in_d tasks[ROOM + 4] = { { 0 } };

	for (int i = 0; i < ROOM + 3; i++)
		tasks[i] = (struct in_d){ i + 1, false, "a", 1 };
	ROUND(0, );
	round_of(tasks, 1, 32);
	ck_assert_uint_eq(s.overflow, 3);
	counts(ROOM, 0, 0);
	round_of(tasks, AFTER, 32);
	counts(0, ROOM, 0);
	/* places are free when all have been entered */
	ROUND(1, TASK(100, "a", 1));
	ck_assert_int_eq(ended, ROOM);
	ROUND(1, TASK(100, "a", 1));
	counts(1, 0, 0);
	ck_assert_uint_eq(s.overflow, 0);
}
END_TEST

/* A past gives way to the present. */
START_TEST(past_makes_room)
{
	struct in_d tasks[ROOM + 1] = { { 0 } };

	for (int i = 0; i < ROOM; i++)
		tasks[i] = (struct in_d){ i + 1, true, "a", 1 };
	round_of(tasks, 0, 32);
	counts(0, 0, ROOM);
	round_of(tasks, 100 * AFTER, 32);
	ROUND(1, );
	ck_assert_uint_eq(s.n, ROOM);
	ROUND(1, TASK(100, "a", 1));
	counts(1, 0, 0);
	ck_assert_uint_eq(s.overflow, 0);
}
END_TEST

/* ---- the tally ---- */

static struct tally tally;

static int64_t tallied(const char *name)
{
	for (size_t i = 0; i < tally.n; i++)
		if (strcmp(tally.names[i], name) == 0)
			return tally.scores[i].in ? tally.counts[i] : -1;
	return -2;
}

static void tally_round(const char *letters)
{
	static uint64_t minutes;

	tally_begin(&tally);
	for (; *letters; letters++)
		tally_add(&tally, (const char[]){ *letters, '\0' });
	tally_end(&tally, minutes += TOP_KEEP);
}

START_TEST(tally_top)
{
	ck_assert_int_eq(tally_init(&tally, 2), 0);
	tally_round("");
	ck_assert(!tally.others);
	tally_round("aaabbc");
	ck_assert_int_eq(tallied("a"), 3);
	ck_assert_int_eq(tallied("b"), 2);
	ck_assert_int_eq(tallied("c"), -1);
	ck_assert_int_eq(tally.other, 1);
	/* those at zero stay for a while */
	tally_round("");
	ck_assert_int_eq(tallied("a"), 0);
	ck_assert(tally.others);
	ck_assert_int_eq(tally.other, 0);
	/* one that has far more takes a place */
	tally_round("ccccc");
	ck_assert_int_eq(tallied("c"), 5);
	for (int i = 0; i < 500; i++)
		tally_round("");
	ck_assert_uint_eq(tally.n, 0);
	ck_assert(!tally.others);
	tally_release(&tally);
}
END_TEST

START_TEST(tally_bounds)
{
	char name[TALLY_NAME + 10];

	ck_assert_int_eq(tally_init(&tally, 3), 0);
	tally_begin(&tally);
	for (int i = 0; i < TALLY_NAMES + 5; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		tally_add(&tally, name);
	}
	tally_add_other(&tally);
	tally_end(&tally, 1);
	ck_assert_uint_eq(tally.n, TALLY_NAMES);
	ck_assert_int_eq(tally.other, TALLY_NAMES + 5 - 3 + 1);
	tally_begin(&tally);
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	tally_add(&tally, name);
	tally_end(&tally, 1);
	tally_release(&tally);
	ck_assert_int_eq(tally_init(&tally, 3), 0);
	for (int i = 0; i < 2; i++) {
		tally_begin(&tally);
		tally_add(&tally, name);
		tally_add(&tally, name);
		tally_add(&tally, "x");
		tally_end(&tally, 1);
		ck_assert_uint_eq(tally.n, 2);
		ck_assert_int_eq(tally.counts[0], 2);
		ck_assert_int_eq(tallied("x"), 1);
	}
	tally_release(&tally);
}
END_TEST

/* Whoever takes another name each time has a line for the first of them only; what was known before keeps its own. */
START_TEST(tally_of_renamed)
{
	static char seen[2000][TALLY_NAME];
	char name[TALLY_NAME];
	size_t n = 0;

	ck_assert_int_eq(tally_init(&tally, 2), 0);
	for (int round = 0; round < 2000; round++) {
		snprintf(name, sizeof(name), "evil%d", round);
		tally_begin(&tally);
		for (int i = 0; i < 100 + round; i++)
			tally_add(&tally, name);
		tally_add(&tally, "known");
		tally_end(&tally, (uint64_t)(round + 1) * 100 * SECOND);
		for (size_t i = 0; i < tally.n; i++) {
			size_t at = 0;

			if (!tally.scores[i].in)
				continue;
			while (at < n && strcmp(seen[at], tally.names[i]) != 0)
				at++;
			if (at == n)
				strcpy(seen[n++], tally.names[i]);
		}
	}
	ck_assert_uint_eq(n, TALLY_SHOWN);
	ck_assert_int_eq(tallied("known"), 1);
	ck_assert_int_eq(tally.other, 100 + 1999);
	tally_release(&tally);
}
END_TEST

SUITE(stuck)
{
	Suite *suite = suite_create("stuck");
	TCase *tests = tcase_create("stuck"), *tallies = tcase_create("tally");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, becomes_stuck);
	tcase_add_test(tests, frozen);
	tcase_add_test(tests, other_waits);
	tcase_add_test(tests, number_again);
	tcase_add_test(tests, prefix);
	tcase_add_test(tests, first_census);
	tcase_add_test(tests, habit);
	tcase_add_test(tests, short_waits);
	tcase_add_test(tests, few_looks);
	tcase_add_test(tests, crowded);
	tcase_add_test(tests, past_makes_room);
	suite_add_tcase(suite, tests);
	tcase_add_test(tallies, tally_top);
	tcase_add_test(tallies, tally_bounds);
	tcase_add_test(tallies, tally_of_renamed);
	suite_add_tcase(suite, tallies);
	return suite;
}
