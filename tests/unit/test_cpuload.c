/* SPDX-License-Identifier: MIT */
/* The service on made-up processes and a made-up /proc/stat. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "process/group.h"
#include "procroot.h"
#include "process/cputime.h"
#include "process/table.h"
#include "services.h"

static const struct qmem_service *const services[] = { &proctable_service, &cpuload_service, NULL };
static const char *text;

static const struct qmem_service *const with_groups[] = { &proctable_service, &procmem_service, &cpuload_service,
							  NULL };

static void put_files(void)
{
	procroot_put("proc/loadavg", "0.13 1.18 22.20 2/94 8748\n");
	procroot_put("proc/stat", "cpu  100 200 300 400 500 600 700 800 20 30\nctxt 11\nprocesses 13\nprocs_running 2\n"
				  "procs_blocked 3\n");
}

static void setup(void)
{
	procroot_begin(services);
	put_files();
}

static void setup_time(void)
{
	procroot_begin(with_groups);
	put_files();
}

#define PROCESSES(...) procroot_processes((const struct process[]){ __VA_ARGS__{ 0 } })
#define is(name, thousandths) ck_assert_int_eq(procroot_value("cpuload." name), (thousandths))

static void put_cpu(const char *columns)
{
	procroot_put("proc/stat", "cpu  %s\ncpu0 %s\n", columns, columns);
}

/* In ticks of 1/100 s. */
START_TEST(modes)
{
	procroot_start();
	text = procroot_tick();
	/* without what guests have run: it is counted twice */
	is("cpu.user", 800);
	is("cpu.nice", 1700);
	is("cpu.system", 3000);
	is("cpu.idle", 4000);
	is("cpu.iowait", 5000);
	is("cpu.irq", 6000);
	is("cpu.softirq", 7000);
	is("cpu.steal", 8000);
	is("cpu.guest", 500);
	is("load.shortterm", 130);
	is("load.midterm", 1180);
	is("load.longterm", 22200);
	is("queue.running", 2000);
	is("queue.blocked", 3000);
	is("context.switches", 11000);
}
END_TEST

START_TEST(old_kernel)
{
	put_cpu("100 200 300 400");
	procroot_start();
	text = procroot_tick();
	is("cpu.user", 1000);
	is("cpu.idle", 4000);
	is("cpu.iowait", QMEM_NA);
	is("cpu.steal", QMEM_NA);
	is("cpu.guest", QMEM_NA);
	is("context.switches", QMEM_NA);
}
END_TEST

/* iowait and idle fall by some ticks at times: they are waited for. A restored machine begins anew. */
START_TEST(falls)
{
	put_cpu("100 200 300 5000 500");
	procroot_start();
	text = procroot_tick();
	put_cpu("100 200 300 4990 480");
	text = procroot_tick();
	is("cpu.idle", 50000);
	is("cpu.iowait", 5000);
	put_cpu("100 200 300 5010 490");
	text = procroot_tick();
	is("cpu.idle", 50100);
	is("cpu.iowait", 5000);
	put_cpu("100 200 300 7 510");
	text = procroot_tick();
	is("cpu.idle", 50100);
	is("cpu.iowait", 5100);
	put_cpu("100 200 300 107 510");
	text = procroot_tick();
	is("cpu.idle", 51100);
}
END_TEST

/* idle of a machine on which a CPU is switched on and off again, as commit 71fee48fb772 of Linux tells it. */
START_TEST(rises)
{
	put_cpu("100 200 300 226681 500");
	procroot_start();
	text = procroot_tick();
	is("cpu.idle", 2266810);
	put_cpu("100 200 300 114431 500");
	text = procroot_tick();
	is("cpu.idle", 2266810);
	put_cpu("100 200 300 228956 500");
	text = procroot_tick();
	is("cpu.idle", 2266810);
	put_cpu("100 200 300 229056 500");
	text = procroot_tick();
	is("cpu.idle", 2267810);
	/* after a pause there is more time to have been idle in, and with more CPUs */
	procroot_now += 9 * QMEM_SECOND;
	put_cpu("100 200 300 230056 500");
	text = procroot_tick();
	is("cpu.idle", 2277810);
	procroot_put("proc/stat", "cpu  100 200 300 230456 500\ncpu0 1 1 1 1 1\ncpu1 1 1 1 1 1\n");
	text = procroot_tick();
	is("cpu.idle", 2281810);
	put_cpu("100 200 300 230856 500");
	text = procroot_tick();
	is("cpu.idle", 2285810);
	put_cpu("100 200 300 231257 500");
	text = procroot_tick();
	is("cpu.idle", 2285810);
}
END_TEST

START_TEST(broken)
{
	procroot_start();
	text = procroot_tick();
	procroot_put("proc/loadavg", "nothing\n");
	text = procroot_tick();
	ck_assert_ptr_nonnull(strstr(text, "log warning cpuload: '/proc/loadavg': 'nothing' is malformed, and 2 more"));
	is("load.midterm", QMEM_NA);
	is("cpu.user", 800);
	procroot_put("proc/stat", "cpu  1 2\n");
	text = procroot_tick();
	is("cpu.user", -1);
	ck_assert_ptr_nonnull(strstr(text, "log warning cpuload: '/proc/stat' has no value: 'cpu' is malformed"));
	put_cpu("100 200 300 99999999999999999999");
	text = procroot_tick();
	is("cpu.idle", QMEM_NA);
	is("cpu.system", 3000);
	ck_assert_ptr_nonnull(strstr(text, "'/proc/stat': 'cpu idle' is too large"));
	/* a part that is malformed is not nothing */
	put_cpu("500 200 300 5000 10 0 0 0 400 100");
	text = procroot_tick();
	is("cpu.user", 1000);
	is("cpu.guest", 500);
	put_cpu("500 200 300 5000 10 0 0 0 x 100");
	text = procroot_tick();
	is("cpu.user", QMEM_NA);
	is("cpu.nice", 1700);
	is("cpu.guest", QMEM_NA);
	put_cpu("510 200 300 5000 10 0 0 0 400 100");
	text = procroot_tick();
	is("cpu.user", 1100);
	is("cpu.guest", 500);
	/* a counter of 32 bits with a sign is one; what has been absent goes on */
	procroot_put("proc/stat", "cpu 100 200 300 5000 -1\nctxt -1294967289\nprocs_running 3\n");
	text = procroot_tick();
	is("cpu.system", 3000);
	is("cpu.iowait", QMEM_NA);
	is("context.switches", 3000000007000);
	is("queue.running", 3000);
	is("load.midterm", QMEM_NA);
}
END_TEST

/* ---- groups: by comm, the two greatest ---- */

static struct procgroups *groups;
static struct cputime cputime;

static int collect_groups(struct qmem *q, void *state)
{
	const struct proctable *table = qmem_state(q, &proctable_service);

	(void)state;
	ck_assert_int_eq(procgroups_update(q, groups, table), 0);
	ck_assert_int_eq(cputime_update(&cputime, table, groups, qmem_now(q)), 0);
	return 0;
}

static const struct qmem_service grouper_service = {
	.name = "grouper",
	.help = "has groups",
	.needs = &proctable_service,
	.collect = collect_groups,
};

static const struct qmem_service *const grouping[] = { &proctable_service, &grouper_service, NULL };
static const struct qmem_blocks no_blocks;

static void setup_groups(void)
{
	procroot_begin(grouping);
	ck_assert_int_eq(procgroups_new(procroot_host.q, PROCGROUP_COMM, &no_blocks, &groups), 0);
	ck_assert_int_eq(cputime_init(&cputime, 2), 0);
}

static void teardown_groups(void)
{
	cputime_release(&cputime);
	procgroups_free(groups);
	procroot_end();
}

/* In ticks, -1 if it is not shown. */
static int64_t ticks_of(const char *name, bool user)
{
	for (size_t i = 0; i < cputime.n; i++) {
		const struct procgroup *group = procgroups_at(groups, i);
		const struct cputime_group *g = &cputime.groups[i];

		if (group && strcmp(group->name, name) == 0)
			return g->shown ? (user ? g->total.user : g->total.syst) / 10000000 : -1;
	}
	return -1;
}
#define user_is(name, ticks) ck_assert_int_eq(ticks_of(name, true), ticks)
#define syst_is(name, ticks) ck_assert_int_eq(ticks_of(name, false), ticks)
#define other_is(ticks) ck_assert_int_eq(cputime.other.user / 10000000, ticks)
#define P(pid_, comm_, user_, syst_) { pid_, 1, comm_, 'S', .user = user_, .syst = syst_, .start = pid_ },
#define K(pid_, comm_, user_, syst_)                                                                                   \
	{ pid_, 2, comm_, 'S', .user = user_, .syst = syst_, .start = pid_, .flags = 0x00200000 },

START_TEST(group_counters)
{
	PROCESSES(P(10, "a", 5000, 7000) P(11, "a", 100, 100) P(12, "b", 10, 10) P(13, "c", 5, 5)
			  K(14, "kthread", 0, 50));
	procroot_start();
	procroot_tick();
	/* lives before us do not count */
	user_is("a", 0);
	user_is("b", 0);
	user_is("c", -1);
	syst_is("kernel", 0);
	PROCESSES(P(10, "a", 5010, 7001) P(11, "a", 101, 103) P(12, "b", 14, 10) P(13, "c", 7, 5)
			  K(14, "kthread", 0, 58));
	procroot_tick();
	user_is("a", 11);
	syst_is("a", 4);
	user_is("b", 4);
	other_is(2);
	syst_is("kernel", 8);
	/* one ends: what the group has used stays; one is new: all it has used was just now */
	PROCESSES(P(10, "a", 5010, 7001) P(12, "b", 14, 10) P(13, "c", 7, 5) P(20, "b", 30, 2) K(14, "kthread", 0, 58));
	procroot_tick();
	user_is("a", 11);
	user_is("b", 34);
	syst_is("b", 2);
	/* also if its threads, that have used more than one can have, have ended */
	PROCESSES(P(10, "a", 5010, 7001) P(12, "b", 14, 10) P(13, "c", 7, 5) P(20, "b", 30, 2) P(21, "b", 390, 11));
	procroot_tick();
	user_is("b", 424);
	syst_is("b", 13);
}
END_TEST

/* One comes to light that has been there for long: the table had no room for it. */
START_TEST(group_left_out)
{
	struct process many[18] = { { 0 } };

	for (int i = 0; i < 17; i++)
		many[i] = (struct process){ 100 + i, 1, "b", 'S', .user = 50, .start = 1 };
	procroot_set("proctable", "MaxProcesses", "16");
	procroot_processes(many);
	procroot_start();
	procroot_tick();
	user_is("b", 0);
	many[0] = many[16];
	many[16] = (struct process){ 0 };
	procroot_processes(many);
	/* its place becomes free a round later */
	procroot_tick();
	procroot_tick();
	user_is("b", 0);
	many[0].user = 51;
	many[15] = (struct process){ 0 };
	procroot_processes(many);
	procroot_tick();
	user_is("b", 1);
	many[15] = (struct process){ 200, 1, "b", 'S', .user = 50, .start = 2 };
	procroot_processes(many);
	procroot_tick();
	user_is("b", 51);
}
END_TEST

/* Busy, but gone at once: no line of its own, though there is a place for it. */
START_TEST(group_brief)
{
	char comm[16];

	for (int i = 0; i < 6; i++) {
		PROCESSES(P(10, "a", 10, 0));
		if (!i)
			procroot_start();
		procroot_tick();
	}
	for (int i = 0; i < 6; i++) {
		snprintf(comm, sizeof(comm), "brief%d", i / 2);
		PROCESSES(P(10, "a", 10, 0) P(100 + i / 2, comm, 50u * (1 + i % 2), 0));
		procroot_tick();
		user_is(comm, -1);
		other_is(50 * (i + 1));
	}
	for (int i = 0; i < 4; i++) {
		user_is("stays", -1);
		PROCESSES(P(10, "a", 10, 0) P(200, "stays", 10u * i, 0));
		procroot_tick();
	}
	user_is("stays", 10);
}
END_TEST

/* The service itself: seconds, a group of the configuration that uses none, the kernel and the others. */
START_TEST(group_seconds)
{
	struct qmem_error error;

	procroot_set("procmem", "GroupBy", "comm");
	ck_assert_int_eq(qmem_set(procroot_host.q, "procmem", "Group", "own", "Comm", "b", &error), 0);
	procroot_set("cpuload", "Top", "1");
	PROCESSES(P(10, "a", 500, 100) P(11, "b", 5, 5) P(12, "c", 1, 1) K(13, "kthread", 0, 50));
	procroot_start();
	procroot_tick();
	PROCESSES(P(10, "a", 650, 125) P(11, "b", 5, 5) P(12, "c", 3, 2) K(13, "kthread", 0, 60));
	text = procroot_tick();
	is("time.user[a]", 1500);
	is("time.syst[a]", 250);
	is("time.user[own]", 0);
	is("time.user[other]", 20);
	is("time.syst[other]", 10);
	is("time.syst[kernel]", 100);
}
END_TEST

/* Places change, and no counter falls or jumps; together they are all that was used. */
START_TEST(group_places)
{
	int64_t last[3] = { 0 }, last_other = 0, all = 0;
	unsigned long used[3] = { 1000, 500, 100 };

	for (int round = 0; round < 60; round++) {
		const char *const names[] = { "a", "b", "c" };
		unsigned long now[3] = { 10, 10, round < 20 ? 1 : round < 40 ? 90 : 1 };
		int64_t sum = cputime.other.user / 10000000;

		for (int i = 0; round && i < 3; i++)
			used[i] += now[i];
		PROCESSES(P(10, "a", used[0], 0) P(11, "b", used[1], 0) P(12, "c", used[2], 0));
		if (!round)
			procroot_start();
		procroot_tick();
		sum = cputime.other.user / 10000000;
		ck_assert_int_ge(sum, last_other);
		last_other = sum;
		for (int i = 0; i < 3; i++) {
			int64_t is_now = ticks_of(names[i], true);

			for (size_t j = 0; j < cputime.n; j++) {
				const struct procgroup *group = procgroups_at(groups, j);

				if (group && strcmp(group->name, names[i]) == 0)
					sum += cputime.groups[j].total.user / 10000000;
			}
			all += round ? (int64_t)now[i] : 0;
			if (is_now < 0)
				continue;
			ck_assert_int_ge(is_now, last[i]);
			ck_assert_int_le(is_now, last[i] + (int64_t)now[i]);
			last[i] = is_now;
		}
		ck_assert_int_eq(sum, all);
	}
	/* c has been shown, and others before and after */
	ck_assert_int_gt(last[2], 500);
	ck_assert_int_gt(last_other, 0);
}
END_TEST

SUITE(cpuload)
{
	Suite *suite = suite_create("cpuload");
	TCase *tests = tcase_create("cpuload"), *group_tests = tcase_create("groups"),
	      *time_tests = tcase_create("time");

	tcase_set_timeout(tests, 60);
	tcase_set_timeout(group_tests, 60);
	tcase_set_timeout(time_tests, 60);
	tcase_add_checked_fixture(group_tests, setup_groups, teardown_groups);
	tcase_add_test(group_tests, group_counters);
	tcase_add_test(group_tests, group_left_out);
	tcase_add_test(group_tests, group_places);
	tcase_add_test(group_tests, group_brief);
	suite_add_tcase(suite, group_tests);

	tcase_add_checked_fixture(time_tests, setup_time, procroot_end);
	tcase_add_test(time_tests, group_seconds);
	suite_add_tcase(suite, time_tests);

	tcase_add_checked_fixture(tests, setup, procroot_end);
	tcase_add_test(tests, modes);
	tcase_add_test(tests, old_kernel);
	tcase_add_test(tests, falls);
	tcase_add_test(tests, rises);
	tcase_add_test(tests, broken);
	suite_add_tcase(suite, tests);
	return suite;
}
