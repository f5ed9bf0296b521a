/* SPDX-License-Identifier: MIT */
/* The mappings of made-up processes: which groups, and when they are read again. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "procroot.h"
#include "service/procmem.h"
#include "process/table.h"
#include "services.h"

static const struct qmem_service *const services[] = { &proctable_service, &procmem_service, &heapmon_service, NULL };

#define K 1024
#define is(name, value) ck_assert_int_eq(procroot_value("heapmon." name), (int64_t)(value)*1000)
#define absent(name) ck_assert_int_eq(procroot_value("heapmon." name), -1)
#define empty(name) ck_assert(procroot_value("heapmon." name) == QMEM_NA)
#define PROCESSES(...) procroot_processes((const struct process[]){ __VA_ARGS__{ 0 } })

static void setup(void)
{
	procroot_begin(services);
}

static void put_smaps(int pid, long heap, long anon)
{
	char name[64];

	snprintf(name, sizeof(name), "proc/%d/status", pid);
	procroot_put(name, "Name:\tx\nUid:\t7\t7\t7\t7\nVmSize:\t4000 kB\nVmRSS:\t400 kB\nRssAnon:\t200 kB\n"
			   "RssFile:\t200 kB\nRssShmem:\t0 kB\nVmData:\t800 kB\nVmPTE:\t40 kB\nVmSwap:\t0 kB\n");
	snprintf(name, sizeof(name), "proc/%d/smaps", pid);
	procroot_put(
		name,
		"1000-2000 r-xp 00000000 fe:01 12 /usr/bin/x\nSize: 8 kB\nRss: 4 kB\nPss: 2 kB\n"
		"3000-5000 rw-p 00000000 00:00 0 [heap]\nSize: %ld kB\nRss: %ld kB\nPss: %ld kB\nPrivate_Dirty: 4 kB\n"
		"7000-8000 rw-p 00000000 00:00 0\nSize: %ld kB\nRss: %ld kB\nPss: %ld kB\nSwap: 12 kB\n",
		heap * 2, heap, heap, anon * 2, anon, anon);
}

/* The group "a", of one process that has been read. */
static void begin(void)
{
	procroot_set("heapmon", "Group", "a");
	PROCESSES({ .pid = 1, .comm = "a", .state = 'S' }, );
	put_smaps(1, 40, 400);
	procroot_start();
	procroot_tick();
	procroot_tick();
	is("rss.heap[a]", 40 * K);
}

/* Its RSS is another, and more. */
static void move(int pid)
{
	char name[64];

	snprintf(name, sizeof(name), "proc/%d/statm", pid);
	procroot_put(name, "1000 200 50 1 0 200 0\n");
	snprintf(name, sizeof(name), "proc/%d/status", pid);
	procroot_put(name, "Name:\tx\nUid:\t7\t7\t7\t7\nVmSize:\t4000 kB\nVmRSS:\t800 kB\nRssAnon:\t600 kB\n"
			   "RssFile:\t200 kB\nRssShmem:\t0 kB\nVmData:\t800 kB\nVmPTE:\t40 kB\n");
}

START_TEST(off_by_default)
{
	PROCESSES({ .pid = 1, .comm = "a", .state = 'S' }, );
	put_smaps(1, 40, 80);
	procroot_start();
	for (int i = 0; i < 3; i++)
		procroot_tick();
	absent("rss.heap[a]");
	ck_assert_ptr_null(qmem_state(procroot_host.q, &heapmon_service));
}
END_TEST

START_TEST(named_groups)
{
	procroot_set("heapmon", "Group", "a");
	procroot_set("procmem", "Enabled", "no"); /* its groups are there all the same */
	PROCESSES({ .pid = 1, .comm = "a", .state = 'S' }, { .pid = 2, .comm = "a", .state = 'S' },
		  { .pid = 3, .comm = "b", .state = 'S' }, );
	for (int pid = 1; pid <= 3; pid++)
		put_smaps(pid, 40 * pid, 400 * pid);
	procroot_start();
	procroot_tick();
	empty("rss.heap[a]");
	empty("age.moved[a]");
	empty("age.oldest[a]");
	procroot_tick();
	is("rss.heap[a]", 120 * K);
	is("rss.anon[a]", 1200 * K);
	is("rss.file[a]", 8 * K);
	is("size.heap[a]", 240 * K);
	is("dirty.heap[a]", 8 * K);
	is("swap.anon[a]", 24 * K);
	is("pss.file[a]", 4 * K);
	is("rss.huge[a]", 0);
	is("swap.huge[a]", 0);
	empty("pss.huge[a]"); /* not said by the kernel */
	empty("dirty.huge[a]");
	absent("rss.heap[b]");
}
END_TEST

/* What has not moved is not read again. */
START_TEST(only_what_moved)
{
	begin();
	put_smaps(1, 44, 400);
	for (int i = 0; i < 3; i++)
		procroot_tick();
	is("rss.heap[a]", 40 * K);
	move(1);
	procroot_tick();
	procroot_tick();
	is("rss.heap[a]", 44 * K);
}
END_TEST

/* One that has just been born does not count before it could be read; after that, the group has none without it. */
START_TEST(newborn)
{
	begin();
	PROCESSES({ .pid = 1, .comm = "a", .state = 'S' }, { .pid = 2, .comm = "a", .state = 'S' }, );
	put_smaps(2, 8, 80);
	procroot_tick();
	is("rss.heap[a]", 40 * K);
	procroot_tick();
	is("rss.heap[a]", 48 * K);
	procroot_host.hold_jobs = true;
	PROCESSES({ .pid = 1, .comm = "a", .state = 'S' }, { .pid = 2, .comm = "a", .state = 'S' },
		  { .pid = 3, .comm = "a", .state = 'S' }, );
	put_smaps(3, 8, 80);
	procroot_tick();
	is("rss.heap[a]", 48 * K);
	procroot_tick();
	empty("rss.heap[a]");
	empty("age.oldest[a]");
}
END_TEST

/* Another one has found out that a process does not let itself be read: no thread more is lost for it. */
START_TEST(stuck_elsewhere)
{
	procroot_set("procmem", "PssBudget", "1s");
	procroot_set("procmem", "PssAge", "8s");
	procroot_put("proc/1/smaps_rollup", "Rss: 400 kB\nPss: 400 kB\n");
	begin();
	procroot_host.hold_jobs = true;
	while (!procroot_host.jobs)
		procroot_tick();
	ck_assert_str_eq(procroot_host.jobs->what, "smaps_rollup");
	procroot_now += 30 * QMEM_SECOND;
	qmem_dispatch(procroot_host.q, NULL, 0, procroot_now);
	ck_assert_ptr_nonnull(procroot_host.left);
	put_smaps(1, 44, 400);
	move(1);
	for (int i = 0; i < 30; i++) {
		procroot_tick();
		ck_assert_ptr_null(procroot_host.jobs);
	}
	is("rss.heap[a]", 40 * K); /* it has not ended: this is what is known */
	ck_assert(recorder_come_back(&procroot_host));
	procroot_tick();
	while (recorder_work(&procroot_host))
		continue;
	procroot_tick();
	is("rss.heap[a]", 44 * K);
}
END_TEST

/* Nor where it had been asked for already. */
START_TEST(stuck_before)
{
	procroot_set("procmem", "PssBudget", "1s");
	procroot_set("heapmon", "Group", "a");
	PROCESSES({ .pid = 1, .comm = "a", .state = 'S' }, { .pid = 2, .comm = "a", .state = 'S' }, );
	put_smaps(1, 40, 400);
	put_smaps(2, 40, 400);
	move(1);
	procroot_host.hold_jobs = true;
	procroot_start();
	procroot_tick();
	ck_assert_str_eq(procroot_host.jobs->what, "smaps_rollup");
	ck_assert_int_eq(procroot_host.jobs->pid, 1);
	ck_assert_str_eq(procroot_host.jobs->next->what, "smaps");
	ck_assert_int_eq(procroot_host.jobs->next->pid, 1);
	procroot_now += 30 * QMEM_SECOND;
	qmem_dispatch(procroot_host.q, NULL, 0, procroot_now);
	ck_assert_ptr_nonnull(procroot_host.left);
	for (int i = 0; i < 8; i++) {
		ck_assert(!procroot_host.jobs || procroot_host.jobs->pid != 1);
		recorder_work(&procroot_host);
		procroot_tick();
		empty("rss.heap[a]");
	}
	ck_assert(recorder_come_back(&procroot_host));
	procroot_tick();
	while (recorder_work(&procroot_host))
		continue;
	procroot_tick();
	is("rss.heap[a]", 80 * K);
}
END_TEST

/* What has been tried in vain is as old as it was. */
START_TEST(age_of_the_last_success)
{
	begin();
	procroot_put("proc/1/smaps", "broken");
	move(1);
	for (int i = 0; i < 402; i++)
		procroot_tick();
	is("rss.heap[a]", 40 * K);
	ck_assert_int_ge(procroot_value("heapmon.age.moved[a]"), 400 * 1000);
	ck_assert_int_ge(procroot_value("heapmon.age.oldest[a]"), 400 * 1000);
	put_smaps(1, 44, 400);
	move(1);
	for (int i = 0; i < 302; i++)
		procroot_tick();
	is("rss.heap[a]", 44 * K);
	is("age.moved[a]", 0);
	ck_assert_int_le(procroot_value("heapmon.age.oldest[a]"), 302 * 1000);
}
END_TEST

/* Others have given up what they share with it: only its PSS is another. It is seen after a while, and how old it is, always. */
START_TEST(shared)
{
	begin();
	put_smaps(1, 40, 80);
	for (int i = 0; i < 200; i++)
		procroot_tick();
	is("pss.anon[a]", 400 * K);
	is("age.moved[a]", 0);
	ck_assert_int_ge(procroot_value("heapmon.age.oldest[a]"), 200 * 1000);
	for (int i = 0; i < 102; i++)
		procroot_tick();
	is("pss.anon[a]", 80 * K);
	ck_assert_int_le(procroot_value("heapmon.age.oldest[a]"), 3 * 1000);
}
END_TEST

static void put_dear(const char *group)
{
	bool told = false;

	procroot_set("heapmon", "Group", "a");
	procroot_set("heapmon", "Group", group);
	procroot_set("heapmon", "SmapsCeiling", "370us"); /* of 400 kB: 360 us by the first guess */
	PROCESSES({ .pid = 1, .comm = "a", .state = 'S' }, { .pid = 2, .comm = "b", .state = 'S' }, );
	put_smaps(1, 40, 400);
	put_smaps(2, 40, 400);
	procroot_put("proc/1/statm", "300000 256000 256000 1 0 200 0\n"); /* 1000 MB */
	procroot_put("proc/1/status", "Name:\tx\nUid:\t7\t7\t7\t7\nVmSize:\t1200000 kB\nVmRSS:\t1024000 kB\n"
				      "RssAnon:\t0 kB\nRssFile:\t1024000 kB\nRssShmem:\t0 kB\n");
	procroot_start();
	for (int i = 0; i < 70; i++)
		told |= strstr(procroot_tick(),
			       "log notice heapmon: no mappings of 1 group, of 'a' for one: smaps of pid 1 is expected "
			       "to cost more CPU time than the ceiling\n") != NULL;
	empty("rss.heap[a]");
	ck_assert(told);
}

START_TEST(too_dear)
{
	put_dear("b");
	is("rss.heap[b]", 40 * K);
}
END_TEST

/* It is told also where nothing has ever been read. */
START_TEST(too_dear_alone)
{
	put_dear("a");
}
END_TEST

/* Dear by accident: it is read again some time. */
START_TEST(dear_once)
{
	int rounds = 0;

	procroot_host.hold_jobs = true;
	procroot_set("heapmon", "Group", "a");
	procroot_set("heapmon", "SmapsCeiling", "1ms");
	PROCESSES({ .pid = 1, .comm = "a", .state = 'S' }, );
	put_smaps(1, 40, 400);
	procroot_start();
	procroot_tick();
	ck_assert(procroot_work(30000000));
	procroot_tick();
	is("rss.heap[a]", 40 * K);
	put_smaps(1, 44, 400);
	move(1);
	for (procroot_tick(); !procroot_host.jobs && rounds < 2000; procroot_tick()) {
		empty("rss.heap[a]");
		rounds++;
	}
	ck_assert_int_ge(rounds, 500);
	ck_assert_int_lt(rounds, 700);
	ck_assert(procroot_work(100000));
	procroot_tick();
	is("rss.heap[a]", 44 * K);
}
END_TEST

static int count(const char *text, const char *word)
{
	int n = 0;

	for (; (text = strstr(text, word)); text += strlen(word))
		n++;
	return n;
}

/* A name that no group has is told once, and that it has come, too. */
START_TEST(no_such_group)
{
	static const char vain[] = "log warning heapmon: Group 'b' is no group of processes";
	static const char no[] = "log notice heapmon: there is no group 'b' of processes\n";
	static const char yes[] = "log notice heapmon: there is a group 'b' of processes now\n";
	int there = 0;

	procroot_set("heapmon", "Group", "b");
	PROCESSES({ .pid = 1, .comm = "a", .state = 'S' }, );
	procroot_start();
	ck_assert_int_eq(count(procroot_tick(), vain), 1);
	for (int i = 0; i < 80; i++)
		ck_assert_int_eq(count(procroot_tick(), "no group"), 0);
	PROCESSES({ .pid = 1, .comm = "a", .state = 'S' }, { .pid = 2, .comm = "b", .state = 'S' }, );
	put_smaps(2, 40, 400);
	for (int i = 0; i < 5; i++) {
		const char *text = procroot_tick();

		there += count(text, yes);
		ck_assert_int_eq(count(text, no), 0);
	}
	ck_assert_int_eq(there, 1);
}
END_TEST

START_TEST(heap_only)
{
	procroot_set("heapmon", "HeapOnly", "yes");
	begin();
	empty("rss.anon[a]");
	empty("rss.file[a]");
}
END_TEST

SUITE(heapmon)
{
	Suite *s = suite_create("heapmon");
	TCase *t = tcase_create("heapmon");

	tcase_add_checked_fixture(t, setup, procroot_end);
	tcase_add_test(t, off_by_default);
	tcase_add_test(t, named_groups);
	tcase_add_test(t, only_what_moved);
	tcase_add_test(t, newborn);
	tcase_add_test(t, stuck_elsewhere);
	tcase_add_test(t, stuck_before);
	tcase_add_test(t, age_of_the_last_success);
	tcase_add_test(t, shared);
	tcase_add_test(t, too_dear);
	tcase_add_test(t, too_dear_alone);
	tcase_add_test(t, dear_once);
	tcase_add_test(t, no_such_group);
	tcase_add_test(t, heap_only);
	suite_add_tcase(s, t);
	return s;
}
