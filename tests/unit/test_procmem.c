/* SPDX-License-Identifier: MIT */
/* The memory of made-up processes: what is summed, what is shown, and what is measured when. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "procroot.h"
#include "service/procmem.h"
#include "service/proctable.h"
#include "services.h"

static const struct qmem_service *const services[] = { &proctable_service, &procmem_service, NULL };

#define K 1024
#define is(name, value) ck_assert_int_eq(procroot_value("procmem." name), (int64_t)(value)*1000)
#define absent(name) ck_assert_int_eq(procroot_value("procmem." name), -1)
#define empty(name) ck_assert(procroot_value("procmem." name) == QMEM_NA)
#define PROCESSES(...) procroot_processes((const struct process[]){ __VA_ARGS__{ 0 } })

static void setup(void)
{
	procroot_begin(services);
}

/* Jobs that come back when the engine has gone. */
static void teardown(void)
{
	procroot_end();
	procroot_host.q = NULL;
	while (recorder_work(&procroot_host))
		;
}

/* kB, and the number of page faults. */
static void put_memory(int pid, const char *comm, long anon, long file, long shmem, long swap, long faults)
{
	long page = sysconf(_SC_PAGESIZE) / K;
	char name[64];

	snprintf(name, sizeof(name), "proc/%d/stat", pid);
	procroot_put(name, "%d (%s) S 0 1 1 0 -1 0 %ld 0 6 0 1 1 0 0 20 0 1 0 %d 4096000 100 0\n", pid, comm, faults,
		     pid);
	snprintf(name, sizeof(name), "proc/%d/statm", pid);
	procroot_put(name, "1000 %ld %ld 1 0 200 0\n", (anon + file + shmem) / page, (file + shmem) / page);
	snprintf(name, sizeof(name), "proc/%d/status", pid);
	procroot_put(
		name,
		"Name:\t%s\nUid:\t7\t7\t7\t7\nVmSize:\t4000 kB\nVmHWM:\t9000 kB\nVmRSS:\t%ld kB\nRssAnon:\t%ld kB\n"
		"RssFile:\t%ld kB\nRssShmem:\t%ld kB\nVmData:\t800 kB\nVmPTE:\t40 kB\nVmSwap:\t%ld kB\n",
		comm, anon + file + shmem, anon, file, shmem, swap);
}

static void put_rollup(int pid, long pss, long private)
{
	char name[64];

	snprintf(name, sizeof(name), "proc/%d/smaps_rollup", pid);
	procroot_put(
		name,
		"1-2 ---p 00000000 00:00 0 [rollup]\nRss: 99 kB\nPss: %ld kB\nPrivate_Clean: 0 kB\nPrivate_Dirty: %ld kB\n",
		pss, private);
}

START_TEST(sums)
{
	procroot_set("procmem", "Detail", "yes");
	PROCESSES({ .pid = 1, .comm = "a", .state = 'S' }, { .pid = 2, .comm = "a", .state = 'S' },
		  { .pid = 3, .comm = "b", .state = 'S' }, );
	put_memory(1, "a", 400, 80, 40, 16, 5);
	put_memory(2, "a", 4000, 800, 400, 160, 5);
	put_memory(3, "b", 40, 8, 4, 0, 5);
	procroot_start();
	procroot_tick();
	is("rss.anon[a]", 4400 * K);
	is("rss.file[a]", 880 * K);
	is("rss.shmem[a]", 440 * K);
	is("swap.used[a]", 176 * K);
	is("processes.count[a]", 2);
	is("threads.count[a]", 2);
	is("peak.rss[a]", 18000 * K);
	is("pgtables.size[a]", 80 * K);
	is("virtual.data[a]", 1600 * K);
	is("rss.anon[b]", 40 * K);
	is("swap.used[b]", 0);
	absent("rss.anon[other]");
	absent("pss.pss[a]");
}
END_TEST

/* A counter has what was seen of its members while it was shown, and never falls. */
START_TEST(counters)
{
	procroot_set("procmem", "Groups", "1");
	PROCESSES({ .pid = 1, .comm = "a", .state = 'S' }, { .pid = 2, .comm = "a", .state = 'S' },
		  { .pid = 3, .comm = "b", .state = 'S' }, );
	put_memory(1, "a", 4000, 0, 0, 0, 1000);
	put_memory(2, "a", 4000, 0, 0, 0, 1000);
	put_memory(3, "b", 40, 0, 0, 0, 1000);
	procroot_start();
	procroot_tick();
	is("faults.minflt[a]", 0); /* what was before does not count */
	is("faults.minflt[other]", 0);
	put_memory(1, "a", 4000, 0, 0, 0, 1010);
	put_memory(3, "b", 40, 0, 0, 0, 1003);
	procroot_tick();
	is("faults.minflt[a]", 10);
	is("faults.minflt[other]", 3);
	/* one ends, a new one has had 7 */
	PROCESSES({ .pid = 2, .comm = "a", .state = 'S' }, { .pid = 3, .comm = "b", .state = 'S' },
		  { .pid = 4, .comm = "a", .state = 'S' }, );
	put_memory(2, "a", 4000, 0, 0, 0, 1001);
	put_memory(3, "b", 40, 0, 0, 0, 1003);
	put_memory(4, "a", 4, 0, 0, 0, 7);
	procroot_tick();
	is("faults.minflt[a]", 18);
	is("faults.minflt[other]", 3);
	/* they change places: neither counter moves by it */
	put_memory(3, "b", 400000, 0, 0, 0, 1004);
	procroot_tick();
	is("faults.minflt[b]", 1);
	is("faults.minflt[other]", 3);
	absent("faults.minflt[a]");
	is("rss.anon[other]", 4004 * K);
}
END_TEST

START_TEST(proportional)
{
	procroot_set("procmem", "PssBudget", "1s");
	procroot_set("procmem", "PssAge", "20s");
	PROCESSES({ .pid = 1, .comm = "a", .state = 'S' }, { .pid = 2, .comm = "a", .state = 'S' },
		  { .pid = 3, .comm = "b", .state = 'S' }, );
	put_memory(1, "a", 400, 0, 0, 0, 0);
	put_memory(2, "a", 400, 0, 0, 0, 0);
	put_memory(3, "b", 400, 0, 0, 0, 0);
	put_rollup(1, 300, 200);
	put_rollup(2, 30, 20);
	procroot_start();
	procroot_tick();
	empty("pss.pss[a]");
	procroot_tick();
	is("pss.pss[a]", 330 * K);
	is("pss.uss[a]", 220 * K);
	empty("pss.pss[b]"); /* cannot be read */
	/* a member that has not been measured */
	procroot_host.hold_jobs = true;
	PROCESSES({ .pid = 1, .comm = "a", .state = 'S' }, { .pid = 2, .comm = "a", .state = 'S' },
		  { .pid = 4, .comm = "a", .state = 'S' }, );
	put_memory(1, "a", 400, 0, 0, 0, 0);
	put_memory(2, "a", 400, 0, 0, 0, 0);
	put_memory(4, "a", 400, 0, 0, 0, 0);
	procroot_tick();
	empty("pss.pss[a]");
	PROCESSES({ .pid = 1, .comm = "a", .state = 'S' }, { .pid = 2, .comm = "a", .state = 'S' }, );
	put_memory(1, "a", 400, 0, 0, 0, 0);
	put_memory(2, "a", 400, 0, 0, 0, 0);
	procroot_tick();
	is("pss.pss[a]", 330 * K);
	/* the worker is stuck: it gets too old */
	for (int i = 0; i < 21; i++)
		procroot_tick();
	empty("pss.pss[a]");
	is("rss.anon[a]", 800 * K);
}
END_TEST

START_TEST(too_dear)
{
	procroot_set("procmem", "PssBudget", "1s");
	procroot_set("procmem", "PssCeiling", "1ms");
	PROCESSES({ .pid = 1, .comm = "a", .state = 'S' }, { .pid = 2, .comm = "b", .state = 'S' }, );
	put_memory(1, "a", 1 << 20, 0, 0, 0, 0);
	put_memory(2, "b", 400, 0, 0, 0, 0);
	put_rollup(1, 300, 200);
	put_rollup(2, 300, 200);
	procroot_start();
	for (int i = 0; i < 3; i++)
		procroot_tick();
	is("pss.pss[b]", 300 * K);
	empty("pss.pss[a]");
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
	ck_assert_uint_eq(n, 5 + 1 + 1); /* kernel, other */
	is("processes.count[other]", 55);
}
END_TEST

Suite *procmem_suite(void)
{
	Suite *s = suite_create("procmem");
	TCase *t = tcase_create("procmem");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, sums);
	tcase_add_test(t, counters);
	tcase_add_test(t, proportional);
	tcase_add_test(t, too_dear);
	tcase_add_test(t, bounded);
	suite_add_tcase(s, t);
	return s;
}
