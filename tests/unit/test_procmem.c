/* SPDX-License-Identifier: MIT */
/* The memory of made-up processes: what is summed, and what is shown. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"
#include "process/table.h"
#include "services.h"

START_TEST(sums)
{
	procroot_set("procmem", "Detail", "yes");
	PUT({ 1, "a", .anon = 400, .file = 80, .shmem = 40, .swap = 16 },
	    { 2, "a", .anon = 4000, .file = 800, .shmem = 400, .swap = 160 },
	    { 3, "b", .anon = 40, .file = 8, .shmem = 4 }, );
	procroot_start();
	procroot_tick();
	is("rss.anon[a]", 4400 * K);
	is("rss.file[a]", 880 * K);
	is("rss.shmem[a]", 440 * K);
	is("swap.used[a]", 176 * K);
	is("processes.count[a]", 2);
	is("threads.count[a]", 3);
	is("virtual.size[a]", 8000 * K);
	is("peak.rss[a]", 18000 * K);
	is("pgtables.size[a]", 80 * K);
	is("virtual.data[a]", 1600 * K);
	is("rss.anon[b]", 40 * K);
	is("swap.used[b]", 0);
	absent("rss.anon[other]");
	absent("pss.pss[a]");
}
END_TEST

/* One bad number of a process costs one value; what is not told of who has memory is absent, not 0. */
START_TEST(bad_numbers)
{
	const int64_t page = sysconf(_SC_PAGESIZE);

	procroot_set("procmem", "Detail", "yes");
	PUT({ 1, "a", .anon = 400, .file = 80, .shmem = 40, .swap = 16 }, { 2, "b", .anon = 400, .file = 80 },
	    { 3, "c", .anon = 400, .file = 80 }, { 4, "k", .flags = KTHREAD }, );
	procroot_put("proc/2/stat", "2 (b) S 0 1 1 0 -1 0 -7 0 6x 0 99999999999999999999 1 0 0 20 0 2 0 2 x 100 0\n");
	procroot_put("proc/2/statm", "many 30 10y 1 0 200 0\n");
	procroot_put("proc/2/status",
		     "Name:\tb\nUid:\tx\nVmSize:\t4000 kB\nVmHWM:\t-1 kB\nVmRSS:\t480\nRssAnon:\t400 kB\n"
		     "RssFile:\t80 kB\nRssShmem:\t\nVmData:\t800 kB\nVmSwap:\t4 kB\n");
	/* Linux before 4.5 */
	procroot_put("proc/3/statm", "1000 30 10 1 0 200 0\n");
	procroot_put("proc/3/status", "Name:\tc\nUid:\t7\t7\t7\t7\nVmSize:\t4000 kB\nVmRSS:\t%ld kB\nVmSwap:\t4 kB\n",
		     (long)(30 * page / K));
	procroot_start();
	procroot_tick();
	is("rss.anon[b]", 400 * K);
	is("rss.file[b]", 80 * K);
	empty("rss.shmem[b]");
	is("swap.used[b]", 4 * K);
	is("virtual.size[b]", 4000 * K);
	is("virtual.data[b]", 800 * K);
	empty("peak.rss[b]");
	empty("pgtables.size[b]");
	is("threads.count[b]", 2);
	is("rss.anon[c]", 20 * page);
	empty("rss.file[c]");
	empty("rss.shmem[c]");
	is("processes.count[kernel]", 1);
}
END_TEST

static int64_t total(const char *metric)
{
	static const char *const groups[] = { "own", "a", "other", "kernel" };
	int64_t sum = 0;
	char name[64];

	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++) {
		int64_t value;

		snprintf(name, sizeof(name), "procmem.%s[%s]", metric, groups[i]);
		value = procroot_value(name);
		sum += value > 0 ? value : 0;
	}
	return sum / 1000;
}

/* Whoever is shown by name: all groups together are all processes. */
START_TEST(adds_up)
{
	struct qmem_error error;

	procroot_set("procmem", "Top", "1");
	procroot_set("procmem", "Detail", "yes");
	ck_assert_int_eq(qmem_set(procroot_host.q, "procmem", "Group", "own", "Comm", "d", &error), 0);
	PUT({ 1, "a", .anon = 40000, .file = 8000, .shmem = 4000, .swap = 400 },
	    { 2, "b", .anon = 4000, .file = 800, .shmem = 400, .swap = 40 },
	    { 3, "c", .anon = 400, .file = 80, .shmem = 40, .swap = 8 },
	    { 4, "d", .anon = 40, .file = 12, .shmem = 4, .swap = 4 }, { 5, "kthreadd", .flags = KTHREAD }, );
	procroot_start();
	procroot_tick();
	is("processes.count[kernel]", 1);
	absent("rss.anon[kernel]");
	is("processes.count[own]", 1);
	is("processes.count[other]", 2);
	is("threads.count[other]", 2 + 3);
	ck_assert_int_eq(total("processes.count"), 5);
	ck_assert_int_eq(total("threads.count"), 1 + 2 + 3 + 4);
	ck_assert_int_eq(total("rss.anon"), 44440 * K);
	ck_assert_int_eq(total("rss.file"), 8892 * K);
	ck_assert_int_eq(total("rss.shmem"), 4444 * K);
	ck_assert_int_eq(total("swap.used"), 452 * K);
	ck_assert_int_eq(total("virtual.size"), 4 * 4000 * K);
	ck_assert_int_eq(total("virtual.data"), 4 * 800 * K);
	ck_assert_int_eq(total("peak.rss"), 4 * 9000 * K);
	ck_assert_int_eq(total("pgtables.size"), 4 * 40 * K);
}
END_TEST

/* The same processes, and who is at the top by what is asked for. */
START_TEST(top_by)
{
	static const char *const words[] = { "rss", "anon", "swap", "faults", "processes" };
	const char *by = words[_i];

	procroot_set("procmem", "Top", "1");
	procroot_set("procmem", "SortBy", by);
	for (int faults = 0; faults < 20000; faults += 1000) {
		PUT({ 1, "rss", .file = 40000 }, { 2, "anon", .anon = 4000 }, { 3, "swap", .anon = 400, .swap = 400 },
		    { 4, "faults", .anon = 40, .faults = faults }, { 5, "processes", .anon = 40 },
		    { 6, "processes", .anon = 40 }, );
		if (!faults)
			procroot_start();
		procroot_tick();
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		char name[64];

		snprintf(name, sizeof(name), "procmem.processes.count[%s]", words[i]);
		ck_assert_int_eq(procroot_value(name), words[i] != by ? -1 : i == 4 ? 2000 : 1000);
	}
}
END_TEST

/* A burst of faults does not count for ever. */
START_TEST(quiet_again)
{
	procroot_set("procmem", "Top", "1");
	procroot_set("procmem", "SortBy", "faults");
	for (int i = 0; i < 100; i++) {
		PUT({ 1, "steady", .anon = 40, .faults = i }, { 2, "burst", .anon = 40, .faults = i < 2 ? 0 : 7 }, );
		if (!i)
			procroot_start();
		procroot_tick();
		if (i == 3)
			is("processes.count[burst]", 1);
	}
	is("processes.count[steady]", 1);
	ck_assert_int_eq(procroot_value("procmem.processes.count[burst]"), -1);
}
END_TEST

/* In each round ten names come, and go at once; cc1 is among them if it has faults. */
static void others_pass(int rounds, int cc1, int faults)
{
	static int n;

	for (int i = 0; i < rounds; i++) {
		struct memory many[12] = { { 0 } };
		char names[10][32];

		for (int k = 0; k < 10; k++, n++) {
			snprintf(names[k], sizeof(names[k]), "passing%d", n);
			many[k] = (struct memory){ .pid = 1000 + n, .comm = names[k], .anon = 40 };
		}
		if (cc1)
			many[10] = (struct memory){ .pid = cc1, .comm = "cc1", .anon = 40000, .faults = faults };
		memory_put(many);
		procroot_tick();
	}
}

/* As compilers do: its counters go on as long as a host may have its charts. Then it is a new one. */
START_TEST(comes_back)
{
	PUT({ 2, "cc1", .anon = 40000, .faults = 0 }, );
	procroot_start();
	procroot_tick();
	others_pass(5, 2, 70);
	is("faults.minflt[cc1]", 70);
	others_pass(58, 0, 0);
	is("faults.minflt[cc1]", 70);
	is("processes.count[cc1]", 0);
	others_pass(1, 3, 5);
	is("faults.minflt[cc1]", 75);
	others_pass(130, 0, 0);
	ck_assert_int_eq(procroot_value("procmem.processes.count[cc1]"), -1);
	/* it has to be there for three seconds before it has a line again */
	others_pass(4, 4, 9);
	is("faults.minflt[cc1]", 0);
	others_pass(1, 4, 10);
	is("faults.minflt[cc1]", 1);
}
END_TEST

/* Names that come to the top one after the other do not get a line each for ever. */
START_TEST(names_without_end)
{
	enum { ROUNDS = 3000, SECONDS = 30 };
	int names = 0;
	char name[64];

	procroot_set("procmem", "Top", "3");
	PUT({ 1, "steady", .anon = 1000 }, );
	procroot_start();
	for (int i = 0; i < ROUNDS; i++) {
		/* each is there for ten rounds, and has more than all before */
		snprintf(name, sizeof(name), "hostile%d", i / 10);
		PUT({ 1, "steady", .anon = 1000 }, { 1000 + i / 10, name, .anon = 10000 + i }, );
		procroot_now += (SECONDS - 1) * QMEM_SECOND;
		procroot_tick();
		snprintf(name, sizeof(name), "procmem.processes.count[hostile%d]", i / 10);
		names += i % 10 == 9 && procroot_value(name) == 1000;
	}
	ck_assert_int_ge(names, 100);
	ck_assert_int_le(names, 100 + ROUNDS * SECONDS / 600 + 1);
	ck_assert_int_lt(names, ROUNDS / 10);
	is("processes.count[steady]", 1);
}
END_TEST

/* A counter has what was seen of its members while it was shown, and never falls. */
START_TEST(counters)
{
	procroot_set("procmem", "Top", "1");
	PUT({ 1, "a", .anon = 4000, .faults = 1000 }, { 2, "a", .anon = 4000, .faults = 1000 },
	    { 3, "b", .anon = 40, .faults = 1000 }, );
	procroot_start();
	procroot_tick();
	is("faults.minflt[a]", 0); /* what was before does not count */
	is("faults.minflt[other]", 0);
	PUT({ 1, "a", .anon = 4000, .faults = 1010 }, { 2, "a", .anon = 4000, .faults = 1000 },
	    { 3, "b", .anon = 40, .faults = 1003 }, );
	procroot_tick();
	is("faults.minflt[a]", 10);
	is("faults.minflt[other]", 3);
	/* one ends, a new one has had 7 */
	PUT({ 2, "a", .anon = 4000, .faults = 1001 }, { 3, "b", .anon = 40, .faults = 1003 },
	    { 4, "a", .anon = 4, .faults = 7 }, );
	procroot_tick();
	is("faults.minflt[a]", 18);
	is("faults.minflt[other]", 3);
	/* they change places: neither counter moves by it */
	PUT({ 2, "a", .anon = 4000, .faults = 1001 }, { 3, "b", .anon = 400000, .faults = 1004 },
	    { 4, "a", .anon = 4, .faults = 7 }, );
	procroot_tick();
	is("faults.minflt[b]", 1);
	is("faults.minflt[other]", 3);
	absent("faults.minflt[a]");
	is("rss.anon[other]", 4004 * K);
}
END_TEST

/* A zombie has no memory. One whose first thread has ended, and the others not, has some, but nobody tells. */
START_TEST(headless)
{
	static const char stat[] = "%d (%s) Z 0 1 1 0 -1 0 5 0 6 0 1 1 0 0 20 0 %d 0 %d 0 0 0\n";

	PUT({ 1, "a", .anon = 400 }, { 2, "b", .anon = 400 }, { 3, "c", .anon = 400 }, { 4, "b", .anon = 400 }, );
	procroot_put("proc/2/stat", stat, 2, "b", 1, 2);
	procroot_put("proc/3/stat", stat, 3, "c", 3, 3);
	procroot_put("proc/4/stat", stat, 4, "b", 1, 4);
	for (int pid = 2; pid <= 4; pid++) {
		char name[32];

		snprintf(name, sizeof(name), "proc/%d/status", pid);
		procroot_put(name, "Name:\tx\nUid:\t7\t7\t7\t7\n");
	}
	procroot_start();
	procroot_tick();
	is("rss.anon[a]", 400 * K);
	is("rss.anon[b]", 0);
	empty("rss.anon[c]");
	is("processes.count[c]", 1);
}
END_TEST

/* Whatever runs on the machine, the defaults draw no more than a few groups. */
START_TEST(bounded)
{
	struct process many[61] = { 0 };
	char names[60][16];
	const char *text, *at;
	size_t n = 0;

	for (int i = 0; i < 60; i++) {
		snprintf(names[i], sizeof(names[i]), "p%d", i);
		many[i] = (struct process){ .pid = i + 1, .comm = names[i], .state = 'S' };
	}
	procroot_processes(many);
	procroot_start();
	procroot_tick();
	text = procroot_tick();
	for (at = text; (at = strstr(at, "procmem.processes.count[")); at++)
		n++;
	ck_assert_uint_eq(n, 10 + 1 + 1); /* kernel, other */
	is("processes.count[other]", 50);
}
END_TEST

/* What had no room in the table has been there before: what it did then does not count. */
START_TEST(late)
{
	struct memory many[18] = { 0 };
	int left_out = 17;

	procroot_set("proctable", "MaxProcesses", "16");
	procroot_set("procmem", "Top", "100");
	for (int i = 0; i < 17; i++)
		many[i] = (struct memory){ i + 1, "a", .anon = 4, .faults = 1000 };
	memory_put(many);
	procroot_start();
	procroot_tick();
	is("processes.count[a]", 16);
	while (proctable_find(qmem_state(procroot_host.q, &proctable_service), left_out))
		left_out--;
	/* another one ends */
	many[left_out == 17 ? 0 : left_out] = many[16];
	many[16].pid = 0;
	memory_put(many);
	procroot_tick();
	procroot_tick();
	is("processes.count[a]", 16);
	is("faults.minflt[a]", 0);
	for (int i = 0; i < 16; i++)
		many[i].faults = 1007;
	memory_put(many);
	procroot_tick();
	is("faults.minflt[a]", 16 * 7);
}
END_TEST

/* When processes cannot be read, there are no numbers of them: not the old ones. */
START_TEST(unread)
{
	procroot_set("procmem", "Top", "100");
	PUT({ 1, "a", .anon = 400 }, );
	procroot_start();
	procroot_tick();
	is("rss.anon[a]", 400 * K);
	procroot_remove("proc");
	procroot_tick();
	absent("rss.anon[a]");
	absent("processes.count[a]");
	absent("processes.count[other]");
}
END_TEST

SUITE(procmem)
{
	Suite *s = suite_create("procmem");
	TCase *t = tcase_create("procmem");

	tcase_add_checked_fixture(t, memory_begin, memory_end);
	tcase_add_test(t, sums);
	tcase_add_test(t, bad_numbers);
	tcase_add_test(t, adds_up);
	tcase_add_loop_test(t, top_by, 0, 5);
	tcase_add_test(t, quiet_again);
	tcase_add_test(t, comes_back);
	tcase_add_test(t, names_without_end);
	tcase_add_test(t, counters);
	tcase_add_test(t, headless);
	tcase_add_test(t, bounded);
	tcase_add_test(t, late);
	tcase_add_test(t, unread);
	suite_add_tcase(s, t);
	return s;
}
