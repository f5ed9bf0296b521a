/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "process/table.h"
#include "procroot.h"
#include "services.h"

/* By files, as BPF has no made-up processes: what is read is there a round after the process has been seen to run. */
static const struct qmem_service *const services[] = { &proctable_service, &procmem_service, &procio_service, NULL };
static const char *text;

#define is(name, thousandths) ck_assert_int_eq(procroot_value("procio." name), (thousandths))

static unsigned long ticks;

static int uid = 7;

static void put_stat(int pid, int ppid, const char *comm, char state, int cminflt)
{
	char name[64];

	snprintf(name, sizeof(name), "proc/%d/stat", pid);
	/* another CPU time each time: it has run */
	procroot_put(name, "%d (%s) %c %d 1 1 0 -1 0 5 %d 6 0 %lu 0 0 0 20 0 1 0 %d 4096000 100 0 1 1 1\n", pid, comm,
		     state, ppid, cminflt, ++ticks, pid);
	snprintf(name, sizeof(name), "proc/%d/statm", pid);
	procroot_put(name, "1000 100 50 1 0 200 0\n");
	snprintf(name, sizeof(name), "proc/%d/status", pid);
	procroot_put(name, "Name:\t%s\nUid:\t%d\t7\t7\t7\n", comm, uid);
}

static void put_io(int pid, int n)
{
	char name[64];

	snprintf(name, sizeof(name), "proc/%d/io", pid);
	procroot_put(
		name,
		"rchar: %d\nwchar: %d\nsyscr: %d\nsyscw: %d\nread_bytes: %d\nwrite_bytes: %d\ncancelled_write_bytes: %d\n",
		1000 * n, 2000 * n, n, 2 * n, 4096 * n, 8192 * n, 512 * n);
}

static void put_limit(int pid, const char *limit)
{
	char name[64];

	snprintf(name, sizeof(name), "proc/%d/limits", pid);
	procroot_put(name,
		     "Limit                     Soft Limit           Hard Limit           Units     \n"
		     "Max open files            %-20s 4096                 files     \n",
		     limit);
}

static void put_fds(int pid, int from, int to)
{
	char name[64];

	for (int i = from; i < to; i++) {
		snprintf(name, sizeof(name), "proc/%d/fd/%d", pid, i);
		procroot_put(name, "%s", "");
	}
}

static void put(int pid, int ppid, const char *comm, int n)
{
	put_stat(pid, ppid, comm, 'S', 0);
	put_io(pid, n);
	put_limit(pid, "1024");
	put_fds(pid, 0, 3);
}

static void setup(void)
{
	ticks = 0;
	procroot_begin(services);
	procroot_put("proc/sys/vm/max_map_count", "65530\n");
	procroot_set("procio", "Files", "yes");
	procroot_set("procio", "Detail", "yes");
}

static void twice(void)
{
	procroot_tick();
	text = procroot_tick();
}

START_TEST(counts)
{
	put(1, 0, "init", 1000);
	put(10, 1, "db", 100);
	put(11, 1, "db", 200);
	procroot_start();
	twice();
	/* what was done before is not counted */
	is("disk.read[db]", 0);
	is("calls.write[db]", 0);
	is("files.open[db]", 6000);
	is("files.most[db]", 3000);
	/* no file has them */
	is("maps.held[db]", -1);
	put_stat(10, 1, "db", 'S', 0);
	put_io(10, 103);
	put_fds(10, 3, 7);
	twice();
	is("disk.read[db]", 3 * 4096000);
	is("disk.write[db]", 3 * 8192000);
	is("calls.read[db]", 3000);
	is("calls.write[db]", 6000);
	is("chars.read[db]", 3000000);
	is("chars.write[db]", 6000000);
	is("cancelled.write[db]", 3 * 512000);
	is("files.open[db]", 10000);
	is("files.most[db]", 7000);
	is("disk.read[init]", 0);
}
END_TEST

/* One that has begun since the round before has done all of it since then. */
START_TEST(newborn)
{
	put(1, 0, "init", 1000);
	procroot_start();
	for (int i = 0; i < 10; i++)
		text = procroot_tick();
	put(20, 1, "db", 5);
	for (int i = 0; i < 6; i++)
		text = procroot_tick();
	is("disk.read[db]", 0);
	/* until it was shown, in the sum of the others */
	is("disk.read[other]", 5 * 4096000);
	put_stat(20, 1, "db", 'S', 0);
	put_io(20, 7);
	twice();
	is("disk.read[db]", 2 * 4096000);
	is("disk.read[other]", 5 * 4096000);
}
END_TEST

static void end_child(int faults)
{
	put(1, 0, "init", 1000);
	put(10, 1, "shell", 10);
	put(11, 10, "dd", 50);
	procroot_start();
	twice();
	put_stat(11, 10, "dd", 'S', 0);
	put_io(11, 70);
	twice();
	is("disk.write[dd]", 20 * 8192000);
	is("disk.write[shell]", 0);
	/* it does 5 more, and ends; its parent has done 2 of its own */
	procroot_remove("proc/11");
	put_stat(10, 1, "shell", 'S', faults);
	put_io(10, 10 + (faults ? 75 : 0) + 2);
	for (int i = 0; i < 4; i++)
		text = procroot_tick();
}

/* The kernel adds what a child has done to its parent, who has waited for it. */
START_TEST(inherited)
{
	/* five of the child's own */
	end_child(5);
	is("disk.write[dd]", 20 * 8192000);
	is("disk.write[shell]", 7 * 8192000);
	is("calls.read[shell]", 7000);
}
END_TEST

/* It does not where nobody waits, SIGCHLD being ignored. */
START_TEST(not_inherited)
{
	end_child(0);
	is("disk.write[shell]", 2 * 8192000);
}
END_TEST

/* A child that was too short to be seen is its parent's. */
START_TEST(unseen)
{
	put(1, 0, "init", 1000);
	put(10, 1, "shell", 10);
	procroot_start();
	twice();
	put_stat(10, 1, "shell", 'S', 100);
	put_io(10, 40);
	twice();
	is("disk.write[shell]", 30 * 8192000);
}
END_TEST

/* The parent has ended, too, and the first process waits for both. */
START_TEST(orphans)
{
	put(1, 0, "init", 1000);
	put(10, 1, "shell", 10);
	put(11, 10, "dd", 50);
	procroot_start();
	twice();
	procroot_remove("proc/10");
	procroot_remove("proc/11");
	put_stat(1, 0, "init", 'S', 10);
	put_io(1, 1000 + 10 + 50 + 1);
	twice();
	is("disk.write[init]", 8192000);
}
END_TEST

/* What is not known of one member is not known of all. */
START_TEST(refused)
{
	put(1, 0, "init", 1000);
	put(10, 1, "db", 10);
	put(11, 1, "db", 10);
	procroot_remove("proc/11/io");
	procroot_start();
	for (int i = 0; i < 6; i++)
		text = procroot_tick();
	is("disk.write[db]", QMEM_NA);
	is("files.open[db]", 6000);
	is("disk.write[init]", 0);
}
END_TEST

START_TEST(hostile)
{
	put(1, 0, "init", 1000);
	put(10, 1, "db", 10);
	procroot_put("proc/10/io", "rchar: x\nwchar: 99999999999999999999\nsyscr: 5\nsyscw: -1\nread_bytes: 7\n");
	procroot_put("proc/10/limits", "Max open files\n");
	procroot_start();
	twice();
	procroot_put("proc/10/io",
		     "rchar: x\nwchar: 99999999999999999999\nsyscr: 9223372036854775807\nsyscw: -1\nread_bytes: 3\n");
	put_stat(10, 1, "db", 'S', 0);
	twice();
	/* a counter that has fallen stands still */
	is("disk.read[init]", 0);
	procroot_put("proc/10/io", "%s", "");
	put_stat(10, 1, "db", 'S', 0);
	twice();
	is("calls.read[init]", 0);
}
END_TEST

START_TEST(full)
{
	put(1, 0, "init", 1000);
	put(10, 1, "a\nb", 10);
	put_limit(10, "100");
	put_fds(10, 0, 79);
	procroot_start();
	twice();
	is("fullest.files", 79000);
	is("fullest.maps", QMEM_NA);
	ck_assert_ptr_null(strstr(text, "event "));
	put_fds(10, 79, 81);
	put_stat(10, 1, "a\nb", 'S', 0);
	twice();
	is("fullest.files", 81000);
	ck_assert_msg(
		strstr(text, "event WARNING procio.files[") &&
			strstr(text,
			       "a process has nearly as many files open as it may: 81 of 100 (81 %), 'a\\x0ab' (pid 10), user 7: "
			       "open() will fail with EMFILE; raise its RLIMIT_NOFILE (LimitNOFILE), see /proc/10/fd"),
		"%s", text);
	put_fds(10, 81, 96);
	put_stat(10, 1, "a\nb", 'S', 0);
	twice();
	ck_assert_msg(strstr(text, "event FAILURE procio.files[") && strstr(text, "96 of 100 (96 %)"), "%s", text);
	/* a little below it is not over */
	for (int i = 76; i < 96; i++) {
		char name[64];

		snprintf(name, sizeof(name), "proc/10/fd/%d", i);
		procroot_remove(name);
	}
	put_stat(10, 1, "a\nb", 'S', 0);
	twice();
	ck_assert_msg(strstr(text, "event WARNING procio.files["), "%s", text);
	procroot_remove("proc/10");
	text = procroot_tick();
	ck_assert_msg(strstr(text, "event OKAY procio.files["), "%s", text);
}
END_TEST

/* A low limit, and one that was lowered below what is open, are meant. */
START_TEST(sandbox)
{
	put(1, 0, "init", 1000);
	put(10, 1, "sandbox", 10);
	put_limit(10, "3");
	put(11, 1, "lowered", 10);
	put_limit(11, "64");
	put_fds(11, 0, 70);
	put(12, 1, "free", 10);
	put_limit(12, "unlimited");
	procroot_start();
	twice();
	is("fullest.files", 290);
	ck_assert_ptr_null(strstr(text, "event "));
}
END_TEST

/* Many of one user, whatever he calls them, are two and one event. */
START_TEST(many)
{
	size_t n = 0;

	put(1, 0, "init", 1000);
	for (int i = 0; i < 20; i++) {
		char comm[16];

		snprintf(comm, sizeof(comm), "p%d", i);
		put(10 + i, 1, comm, 10);
		put_limit(10 + i, "64");
		put_fds(10 + i, 0, 64);
	}
	procroot_start();
	twice();
	for (const char *at = text; (at = strstr(at, "event FAILURE procio.files[")); at++)
		n++;
	ck_assert_uint_eq(n, 3);
	ck_assert_msg(strstr(text, "procio.files[:other]") && strstr(text, "one of 18"), "%s", text);
}
END_TEST

/* Who is told of is the fullest of those that have no event of their own, whoever came last. */
START_TEST(whose_others)
{
	put(1, 0, "init", 1000);
	for (int i = 0; i < 20; i++) {
		char comm[16];

		uid = i == 19 ? 8 : 7;
		snprintf(comm, sizeof(comm), "p%d", i);
		put(10 + i, 1, comm, 10);
		put_limit(10 + i, "64");
		put_fds(10 + i, 0, i == 10 ? 64 : 63);
	}
	uid = 8;
	for (int i = 0; i < 4; i++) {
		char comm[16];

		snprintf(comm, sizeof(comm), "q%d", i);
		put(40 + i, 1, comm, 10);
		put_limit(40 + i, "64");
		put_fds(40 + i, 0, 63);
	}
	uid = 7;
	procroot_start();
	twice();
	ck_assert_ptr_nonnull(strstr(text, "procio.files[:other]"));
	ck_assert_ptr_nonnull(strstr(text, ", pid 20, user 7, one of 20"));
}
END_TEST

START_TEST(no_limit)
{
	put(1, 0, "init", 1000);
	procroot_put("proc/sys/vm/max_map_count", "many\n");
	procroot_start();
	text = procroot_tick();
	ck_assert_msg(strstr(text, "log warning procio: '/proc/sys/vm/max_map_count'"), "%s", text);
	is("fullest.maps", QMEM_NA);
}
END_TEST

START_TEST(unasked)
{
	put(1, 0, "init", 1000);
	procroot_set("procio", "Files", "no");
	text = procroot_start();
	ck_assert_msg(strstr(text, "processes are not read by BPF here, and Files is no"), "%s", text);
}
END_TEST

/* One whose io does not let itself be read: the others are read when its thread has been left. */
START_TEST(stuck)
{
	put(1, 0, "init", 1000);
	put(10, 1, "db", 10);
	procroot_host.hold_jobs = true;
	procroot_start();
	for (int i = 0; i < 40; i++)
		text = procroot_tick();
	is("disk.read[db]", -1);
	procroot_host.hold_jobs = false;
	while (procroot_work(0))
		;
	for (int i = 0; i < 4; i++)
		text = procroot_tick();
	is("files.open[db]", 3000);
}
END_TEST

SUITE(procio)
{
	Suite *suite = suite_create("procio");
	TCase *tests = tcase_create("procio");

	tcase_add_checked_fixture(tests, setup, procroot_end);
	tcase_add_test(tests, counts);
	tcase_add_test(tests, newborn);
	tcase_add_test(tests, inherited);
	tcase_add_test(tests, not_inherited);
	tcase_add_test(tests, unseen);
	tcase_add_test(tests, orphans);
	tcase_add_test(tests, refused);
	tcase_add_test(tests, hostile);
	tcase_add_test(tests, full);
	tcase_add_test(tests, sandbox);
	tcase_add_test(tests, many);
	tcase_add_test(tests, whose_others);
	tcase_add_test(tests, no_limit);
	tcase_add_test(tests, unasked);
	tcase_add_test(tests, stuck);
	suite_add_tcase(suite, tests);
	return suite;
}
