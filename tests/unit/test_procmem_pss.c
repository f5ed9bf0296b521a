/* SPDX-License-Identifier: MIT */
/* PSS of made-up processes: who is measured when, what it may cost, and what is said of those that cannot be. */
#include "unit.h"

#include <string.h>

#include "memory.h"
#include "process/probe.h"

START_TEST(proportional)
{
	const struct memory big = { 1, "a", .anon = 400, .pss = 300, .uss = 200 };
	const struct memory small = { 2, "a", .anon = 400, .pss = 30, .uss = 20 };

	procroot_set("procmem", "PssBudget", "1s");
	procroot_set("procmem", "PssAge", "20s");
	PUT(big, small, { 3, "b", .anon = 400 }, );
	procroot_start();
	procroot_tick();
	empty("pss.pss[a]");
	procroot_tick();
	is("pss.pss[a]", 330 * K);
	is("pss.uss[a]", 220 * K);
	empty("pss.pss[b]"); /* cannot be read */
	is("age.oldest[a]", 1);
	empty("age.oldest[b]");
	/* one more, that cannot be measured: it counts from the round after the one that it is first seen in */
	procroot_host.hold_jobs = true;
	PUT(big, small, { 4, "a", .anon = 400 }, );
	procroot_tick();
	is("pss.pss[a]", 330 * K);
	procroot_tick();
	empty("pss.pss[a]");
	PUT(big, small, );
	procroot_tick();
	is("pss.pss[a]", 330 * K);
	/* the worker is stuck: it gets too old */
	for (int i = 0; i < 21; i++)
		procroot_tick();
	empty("pss.pss[a]");
	is("rss.anon[a]", 800 * K);
}
END_TEST

/* What is true of a group is true of those that share a sum. */
START_TEST(proportional_others)
{
	const struct memory a = { 1, "a", .anon = 4000, .pss = 3000, .uss = 2000 };
	const struct memory b = { 2, "b", .anon = 400, .pss = 300, .uss = 200 };

	procroot_set("procmem", "Top", "1");
	procroot_set("procmem", "PssBudget", "1s");
	procroot_set("procmem", "PssAge", "8s");
	PUT(a, b, { 3, "c", .anon = 400 }, );
	procroot_start();
	for (int i = 0; i < 3; i++)
		procroot_tick();
	is("pss.pss[a]", 3000 * K);
	empty("pss.pss[other]"); /* one of them cannot be read */
	PUT(a, b, { 3, "c", .anon = 400, .pss = 30, .uss = 20 }, );
	for (int i = 0; i < 16 && procroot_value("procmem.pss.pss[other]") == QMEM_NA; i++)
		procroot_tick();
	is("pss.pss[other]", 330 * K);
	is("pss.uss[other]", 220 * K);
	ck_assert_int_gt(procroot_value("procmem.age.oldest[other]"), 0);
}
END_TEST

START_TEST(too_dear)
{
	int told = 0;

	procroot_set("procmem", "PssBudget", "1s");
	procroot_set("procmem", "PssCeiling", "1ms");
	procroot_set("procmem", "PssAge", "20s");
	PUT({ 1, "a", .anon = 1 << 20, .pss = 300, .uss = 200 }, { 2, "b", .anon = 400, .pss = 300, .uss = 200 }, );
	procroot_start();
	for (int i = 0; i < 60; i++)
		told += strstr(procroot_tick(),
			       "log notice procmem: no PSS of 1 group, of 'a' for one: smaps_rollup of pid 1 is expected "
			       "to cost more CPU time than the ceiling\n") != NULL;
	is("pss.pss[b]", 300 * K);
	empty("pss.pss[a]");
	ck_assert_int_eq(told, 1);
}
END_TEST

/* A group that has been away for long goes on counting where it was. */
START_TEST(comes_back)
{
	PUT({ 1, "a", .anon = 4, .faults = 10 }, { 2, "b", .anon = 4 }, );
	procroot_start();
	procroot_tick();
	PUT({ 1, "a", .anon = 4, .faults = 1010 }, { 2, "b", .anon = 4 }, );
	procroot_tick();
	is("faults.minflt[a]", 1000);
	PUT({ 2, "b", .anon = 4 }, );
	for (int i = 0; i < 200; i++)
		procroot_tick();
	ck_assert_int_eq(procroot_value("procmem.faults.minflt[a]"), -1);
	PUT({ 3, "a", .anon = 4, .faults = 7 }, { 2, "b", .anon = 4 }, );
	procroot_tick();
	ck_assert_int_ge(procroot_value("procmem.faults.minflt[a]"), 1000 * 1000);
}
END_TEST

/* In how many of the next rounds this is said. */
static int said(const char *what, int rounds)
{
	int times = 0;

	while (rounds--)
		times += strstr(procroot_tick(), what) != NULL;
	return times;
}

/* What a group lacks is told once it has lasted, and that it is over, too, each time anew. */
START_TEST(lacking)
{
	/* a name is one in a log, too, and forges no line of it */
	static const char b[] = "b'\nlog error";
	static const char no[] =
		"log notice procmem: no PSS of 1 group, of 'b'\\x0alog error' for one: smaps_rollup of pid 2 has not been read in time";
	static const char again[] = "log info procmem: all groups have PSS again; up to 1 at once had none\n";
	const struct memory a = { 1, "a", .anon = 400, .pss = 300, .uss = 200 };

	procroot_set("procmem", "PssBudget", "1s");
	procroot_set("procmem", "PssAge", "8s");
	PUT(a, { 2, b, .anon = 400 }, );
	procroot_start();
	for (int times = 0; times < 3; times++) {
		ck_assert_int_eq(said(no, 40), 1);
		ck_assert_int_eq(said(no, 40), 0);
		PUT(a, { 2, b, .anon = 400, .pss = 30, .uss = 20 }, );
		ck_assert_int_eq(said(again, 60), 1);
		ck_assert_int_eq(said(again, 40), 0);
		procroot_remove("proc/2/smaps_rollup");
	}
}
END_TEST

/* Groups that come, go and lack it in turn are one line, and one when all of that is over. */
START_TEST(lacking_in_turn)
{
	int no = 0, again = 0;

	procroot_set("procmem", "PssBudget", "1s");
	procroot_set("procmem", "PssAge", "8s");
	for (int round = 0; round < 300; round++) {
		/* each lacks it for 20 s, one behind the other */
		bool a = round / 20 % 2;
		const char *text;

		PUT({ 1, "a", .anon = 400, .pss = a ? 0 : 300, .uss = 200 },
		    { 2, "b", .anon = 400, .pss = a ? 300 : 0, .uss = 200 }, );
		if (a)
			procroot_remove("proc/1/smaps_rollup");
		else
			procroot_remove("proc/2/smaps_rollup");
		if (!round)
			procroot_start();
		text = procroot_tick();
		no += strstr(text, "log notice procmem: no PSS of ") != NULL;
		again += strstr(text, "again; up to ") != NULL;
	}
	ck_assert_int_eq(no, 1);
	ck_assert_int_eq(again, 0);
	PUT({ 1, "a", .anon = 400, .pss = 300, .uss = 200 }, { 2, "b", .anon = 400, .pss = 300, .uss = 200 }, );
	ck_assert_int_eq(said("procmem: all groups have PSS again; up to ", 60), 1);
}
END_TEST

/* A kernel before 4.14 has no smaps_rollup of any process: none is blamed for it. */
START_TEST(no_rollup)
{
	static const char said[] = "no PSS: there is no smaps_rollup before Linux 4.14";
	struct qmem_status status;
	int told = 0;

	procroot_set("procmem", "PssBudget", "1s");
	procroot_set("procmem", "PssAge", "2s");
	procroot_put("proc/self/smaps", "\n");
	PUT({ 1, "a", .anon = 400 }, );
	procroot_start();
	for (int i = 0; i < 10; i++) {
		const char *text = procroot_tick();

		told += strstr(text, said) != NULL;
		ck_assert_ptr_null(strstr(text, "pid 1"));
	}
	ck_assert_int_eq(told, 1);
	ck_assert(qmem_status(procroot_host.q, 1, &status));
	ck_assert_str_eq(status.reason, said);
	is("rss.anon[a]", 400 * K);
}
END_TEST

/* No worker just then: what was not done is not paid for. */
START_TEST(refused_job)
{
	procroot_set("procmem", "PssBudget", "1ms");
	PUT({ 1, "a", .anon = 4000L * 1024, .pss = 300, .uss = 200 }, ); /* 40 ms by the first guess */
	procroot_start();
	procroot_host.no_jobs = true;
	procroot_tick();
	procroot_host.no_jobs = false;
	procroot_tick();
	procroot_tick();
	is("pss.pss[a]", 300 * K);
}
END_TEST

/* Nor has one that has just ended. */
START_TEST(ended_meanwhile)
{
	procroot_set("procmem", "PssBudget", "1s");
	procroot_put("proc/self/smaps", "\n");
	procroot_put("proc/self/smaps_rollup", "\n");
	PUT({ 1, "a", .anon = 400 }, );
	procroot_host.hold_jobs = true;
	procroot_start();
	procroot_tick();
	PUT({ 2, "a", .anon = 400, .pss = 300, .uss = 200 }, );
	ck_assert(recorder_work(&procroot_host));
	procroot_tick();
	ck_assert(recorder_work(&procroot_host));
	procroot_tick();
	is("pss.pss[a]", 300 * K);
}
END_TEST

/* Some are born and end between any two rounds: the group has its PSS all the same. */
START_TEST(busy_group)
{
	procroot_set("procmem", "PssBudget", "1s");
	for (int i = 0; i < 12; i++) {
		PUT({ 1, "a", .anon = 400, .pss = 300, .uss = 200 },
		    { 10 + i, "a", .anon = 40, .pss = 30, .uss = 20 }, );
		if (!i)
			procroot_start();
		procroot_tick();
		if (i)
			is("pss.pss[a]", 300 * K);
		else
			empty("pss.pss[a]");
	}
}
END_TEST

/* The pid whose file the worker is to read next; 0: none. */
static int wanted(void)
{
	int pid = 0;

	if (procroot_host.jobs) {
		ck_assert_str_eq(procroot_host.jobs->what, "smaps_rollup");
		pid = procroot_host.jobs->pid;
	}
	return pid;
}

/* 40 processes, and one can be read a second: each of them is before its PSS is too old, the smallest, too. */
START_TEST(none_starves)
{
	struct memory many[41] = { 0 };
	int times[41] = { 0 };

	procroot_set("procmem", "PssBudget", "1s");
	procroot_set("procmem", "PssAge", "1m");
	for (int i = 0; i < 40; i++)
		many[i] = (struct memory){ i + 1, "a", .anon = 8L << (i / 3), .pss = 8, .uss = 8 };
	memory_put(many);
	procroot_start();
	procroot_host.hold_jobs = true;
	for (int round = 0; round < 240; round++) {
		procroot_tick();
		ck_assert_msg((procroot_value("procmem.pss.pss[a]") != QMEM_NA) == (round >= 40), "round %d", round);
		if (!round)
			ck_assert_int_eq(wanted(), 40);
		times[wanted()]++;
		procroot_host.no_jobs = true;
		recorder_work(&procroot_host);
		procroot_host.no_jobs = false;
	}
	ck_assert_int_eq(times[0], 0);
	for (int pid = 1; pid <= 40; pid++)
		ck_assert_msg(times[pid] >= 5 && times[pid] <= 7, "pid %d: %d times", pid, times[pid]);
}
END_TEST

/* However many there are: all that the budget allows are read within a round, if that is long. */
START_TEST(many_in_a_round)
{
	static struct memory many[1501];

	procroot_set("procmem", "PssBudget", "1s");
	procroot_set("procmem", "Interval", "60s");
	for (int i = 0; i < 1500; i++)
		many[i] = (struct memory){ i + 1, "a", .anon = 400, .pss = 3, .uss = 2 };
	memory_put(many);
	procroot_start();
	procroot_host.hold_jobs = true;
	for (int i = 0; i < 121; i++) {
		procroot_tick();
		while (recorder_work(&procroot_host))
			continue;
	}
	is("pss.pss[a]", 4500 * K);
}
END_TEST

/* A second later, if the worker has not come back: what was told of it. */
static const char *tick_and_look(void)
{
	qmem_dispatch(procroot_host.q, NULL, 0, procroot_now);
	return procroot_tick();
}

/* A process does not let itself be read: which one, is told, and the others have their turn. It is not asked for again before
 * the one that has asked is back, nor is what that one says late taken for anything. */
START_TEST(stuck_reader)
{
	const char *at = NULL;

	procroot_set("procmem", "PssBudget", "1s");
	procroot_set("procmem", "PssAge", "20s");
	PUT({ 7, "a", .anon = 4000, .pss = 300, .uss = 200 }, { 8, "b", .anon = 400, .pss = 30, .uss = 20 }, );
	procroot_start();
	procroot_host.hold_jobs = true;
	procroot_tick();
	ck_assert_int_eq(wanted(), 7);
	for (int i = 0; i < 40 && !at; i++)
		at = strstr(tick_and_look(), "event WARNING procmem.worker[smaps_rollup_7]");
	ck_assert_ptr_nonnull(at);
	for (int i = 0; i < 70; i++) {
		tick_and_look();
		ck_assert_int_ne(wanted(), 7);
		recorder_work(&procroot_host);
	}
	is("rss.anon[a]", 4000 * K);
	empty("pss.pss[a]");
	is("pss.pss[b]", 30 * K);
	ck_assert(recorder_come_back(&procroot_host));
	procroot_tick();
	empty("pss.pss[a]");
	ck_assert_int_eq(wanted(), 7);
	recorder_work(&procroot_host);
	procroot_tick();
	is("pss.pss[a]", 300 * K);
}
END_TEST

/* Each of them has its own result: none is taken for another's. */
START_TEST(stuck_readers)
{
	procroot_set("procmem", "PssBudget", "1s");
	PUT({ 1, "a", .anon = 4000, .pss = 1000, .uss = 1 }, { 2, "b", .anon = 2000, .pss = 500, .uss = 1 },
	    { 3, "c", .anon = 1000, .pss = 300, .uss = 1, .uid = 8 },
	    { 4, "d", .anon = 400, .pss = 30, .uss = 1, .uid = 9 }, );
	procroot_start();
	procroot_host.hold_jobs = true;
	for (int i = 0; i < 110; i++)
		tick_and_look();
	ck_assert_int_eq(wanted(), 4);
	recorder_work(&procroot_host);
	procroot_tick();
	is("pss.pss[d]", 30 * K);
	while (recorder_come_back(&procroot_host))
		empty("pss.pss[a]");
	for (int i = 0; i < 10; i++) {
		procroot_tick();
		while (recorder_work(&procroot_host))
			continue;
	}
	is("pss.pss[a]", 1000 * K);
	is("pss.pss[b]", 500 * K);
	is("pss.pss[c]", 300 * K);
}
END_TEST

/* Whoever makes many processes that do not let themselves be read holds up only himself. */
START_TEST(stuck_user)
{
	procroot_set("procmem", "PssBudget", "1s");
	PUT({ 1, "a", .anon = 5000, .pss = 9, .uss = 1, .uid = 8 },
	    { 2, "a", .anon = 4000, .pss = 9, .uss = 1, .uid = 8 },
	    { 3, "c", .anon = 3000, .pss = 9, .uss = 1, .uid = 8 }, { 4, "d", .anon = 400, .pss = 30, .uss = 1 }, );
	procroot_start();
	procroot_host.hold_jobs = true;
	for (int i = 0; i < 70; i++)
		tick_and_look();
	ck_assert_int_eq(wanted(), 4);
	recorder_work(&procroot_host);
	for (int i = 0; i < 100; i++) {
		tick_and_look();
		ck_assert(wanted() == 0 || wanted() == 4);
		recorder_work(&procroot_host);
	}
	is("pss.pss[d]", 30 * K);
	/* when there is but one of them, the others have their turn again */
	ck_assert(recorder_come_back(&procroot_host));
	for (int i = 0; i < 4; i++) {
		tick_and_look();
		while (recorder_work(&procroot_host))
			continue;
	}
	is("pss.pss[c]", 9 * K);
	empty("pss.pss[a]");
}
END_TEST

/* Of root all are read on, as nobody else can make such ones. */
START_TEST(stuck_root)
{
	static const struct memory locked = { 1, "a", .anon = 4000, .pss = 9, .uss = 1 };
	struct qmem *q;

	procroot_set("procmem", "PssBudget", "1s");
	PUT(locked, );
	procroot_start();
	q = procroot_host.q;
	ck_assert(!probe_shuns(q, 2, 7));
	procroot_host.hold_jobs = true;
	procroot_tick();
	ck_assert_ptr_nonnull(procroot_host.jobs);
	for (int32_t pid = 1; pid <= 3; pid++) {
		if (!procroot_host.jobs)
			procroot_tick();
		QMEM_JOB_AT(procroot_host.jobs, 10 + pid, 0);
		procroot_now += 30 * QMEM_SECOND;
		qmem_dispatch(q, NULL, 0, procroot_now);
	}
	ck_assert_uint_eq(qmem_stuck_of(q, 0), 3);
	ck_assert(!probe_shuns(q, 2, 0));
	ck_assert(probe_shuns(q, 13, 0));
}
END_TEST

/* A small one that has cost a second does not speak for those that have never been read. */
START_TEST(dear_for_one)
{
	procroot_set("procmem", "PssBudget", "1s");
	PUT({ 1, "a", .anon = 2 << 10, .pss = 300, .uss = 200 }, );
	procroot_host.hold_jobs = true;
	procroot_start();
	procroot_tick();
	ck_assert(procroot_work(1000000000));
	PUT({ 2, "b", .anon = 200 << 10, .pss = 300, .uss = 200 }, );
	for (int i = 0; i < 3 && wanted() != 2; i++)
		procroot_tick();
	ck_assert_int_eq(wanted(), 2);
}
END_TEST

/* One that was dear is tried again, later each time that it still is; once it is not, it is like the others. */
START_TEST(dear_by_accident)
{
	int due = 0, pause = 2;

	procroot_set("procmem", "PssBudget", "1s");
	procroot_set("procmem", "PssAge", "3s");
	PUT({ 1, "a", .anon = 100 << 10, .pss = 300, .uss = 200 }, );
	procroot_host.hold_jobs = true;
	procroot_start();
	for (int round = 0; round < 1024; round++) {
		procroot_tick();
		ck_assert_msg((wanted() == 1) == (round == due), "round %d", round);
		if (!procroot_work(200000000))
			continue;
		due += 3 * pause;
		pause = pause < 256 ? 2 * pause : 256;
	}
	ck_assert_int_eq(due, 3 * (2 + 4 + 8 + 16 + 32 + 64 + 128 + 256));
	for (int i = 0; i < 3 * 256 && !procroot_work(1000000); i++)
		procroot_tick();
	for (int i = 0; i < 20; i++) {
		procroot_tick();
		is("pss.pss[a]", 300 * K);
		ck_assert(procroot_work(1000000));
	}
}
END_TEST

/* The budget is CPU time a second, also where a round comes every ten: what was too much is paid back by all of them. */
START_TEST(seldom)
{
	struct memory many[21] = { 0 };
	int n = 0;

	procroot_set("procmem", "Interval", "10s");
	procroot_set("procmem", "PssBudget", "1ms");
	for (int i = 0; i < 20; i++)
		many[i] = (struct memory){ i + 1, "a", .anon = 400, .pss = 8, .uss = 8 };
	memory_put(many);
	procroot_host.hold_jobs = true;
	procroot_start();
	procroot_tick();
	ck_assert(procroot_work(6000000)); /* of 1 ms */
	ck_assert(!procroot_work(0));
	for (int i = 0; i < 10; i++)
		procroot_tick();
	while (procroot_work(500000))
		n++;
	ck_assert_int_eq(n, 10); /* the rest of 10 ms */
	/* after a long pause, no more than a minute's */
	procroot_now += 100000 * QMEM_SECOND;
	procroot_tick();
	for (n = 0; procroot_work(5000000); n++)
		;
	ck_assert_int_eq(n, 12);
}
END_TEST

/* What is offered in one round is known in the next: an age below that would be none at all. */
START_TEST(short_age)
{
	procroot_set("procmem", "Interval", "2s");
	procroot_set("procmem", "PssBudget", "1s");
	procroot_set("procmem", "PssAge", "1s");
	PUT({ 1, "a", .anon = 400, .pss = 300, .uss = 200 }, );
	procroot_start();
	procroot_tick();
	for (int i = 0; i < 5; i++) {
		procroot_now += QMEM_SECOND;
		procroot_tick();
		is("pss.pss[a]", 300 * K);
	}
}
END_TEST

SUITE(procmem_pss)
{
	Suite *s = suite_create("procmem_pss");
	TCase *t = tcase_create("procmem_pss");

	tcase_add_checked_fixture(t, memory_begin, memory_end);
	tcase_add_test(t, proportional);
	tcase_add_test(t, proportional_others);
	tcase_add_test(t, too_dear);
	tcase_add_test(t, lacking);
	tcase_add_test(t, lacking_in_turn);
	tcase_add_test(t, comes_back);
	tcase_add_test(t, no_rollup);
	tcase_add_test(t, refused_job);
	tcase_add_test(t, ended_meanwhile);
	tcase_add_test(t, busy_group);
	tcase_add_test(t, none_starves);
	tcase_add_test(t, many_in_a_round);
	tcase_add_test(t, stuck_reader);
	tcase_add_test(t, stuck_readers);
	tcase_add_test(t, stuck_user);
	tcase_add_test(t, stuck_root);
	tcase_add_test(t, dear_for_one);
	tcase_add_test(t, dear_by_accident);
	tcase_add_test(t, seldom);
	tcase_add_test(t, short_age);
	suite_add_tcase(s, t);
	return s;
}
