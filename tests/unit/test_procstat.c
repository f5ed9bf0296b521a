/* SPDX-License-Identifier: MIT */
/* The service on made-up processes. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "procroot.h"
#include "process/table.h"
#include "process/stuckevent.h"
#include "services.h"

static const struct qmem_service *const services[] = { &proctable_service, &cpuload_service, &procstat_service, NULL };
static const char *text;

static void put_stat(long forks)
{
	procroot_put("proc/stat",
		     "cpu  1 2 3 4 5 6 7 8 9 10\nctxt 5\nbtime 6\nprocesses %ld\nprocs_running 1\nprocs_blocked 0\n",
		     forks);
	procroot_put("proc/loadavg", "0.10 0.20 0.30 1/2 3\n");
}

static void setup(void)
{
	procroot_begin(services);
	put_stat(100);
	procroot_set("cpuload", "Enabled", "no");
}

#define PROCESSES(...) procroot_processes((const struct process[]){ __VA_ARGS__{ 0 } })
#define is(name, value) ck_assert_int_eq(procroot_value("procstat." name), (value)*1000)
#define absent(name) ck_assert_int_eq(procroot_value("procstat." name), -1)

static bool said(const char *what)
{
	return strstr(text, what) != NULL;
}

/* ---- */

/* Process 10 in another state, and what schedstat says of it. */
static int64_t stopped_at(char state, int threads, const char *schedstat)
{
	PROCESSES({ .pid = 10, .comm = "a", .state = state, .threads = threads, .start = 5 }, );
	if (schedstat)
		procroot_put("proc/10/schedstat", "%s 7 3\n", schedstat);
	text = procroot_tick();
	return procroot_value("procstat.states.stopped") / 1000;
}

/* A process that has not run is in the state it was in: schedstat is asked in place of stat, but not for ever. */
START_TEST(sleepers)
{
	int rounds = 0;

	PROCESSES({ .pid = 10, .comm = "a", .state = 'S', .start = 5 }, );
	procroot_start();
	for (int i = 0; i < 8; i++)
		ck_assert_int_eq(stopped_at('S', 1, "1000"), 0);
	/* the kernel's own files agree: this shows which one was read */
	ck_assert_int_eq(stopped_at('T', 1, "1000"), 0);
	ck_assert_int_eq(stopped_at('T', 1, "1001"), 1);
	/* for one that has just run stat is read */
	ck_assert_int_eq(stopped_at('S', 1, "1001"), 0);
	ck_assert_int_eq(stopped_at('T', 1, "1001"), 1);
	for (int i = 0; i < 24; i++)
		ck_assert_int_eq(stopped_at('T', 1, "1001"), 1);
	while (stopped_at('S', 1, "1001"))
		ck_assert_int_lt(rounds++, 64);
	ck_assert_int_gt(rounds, 0);
}
END_TEST

/* The first thread's time is not that of all; and a kernel that does not count says nothing, or 0. */
START_TEST(sleepers_not_known)
{
	static const char *const says[] = { NULL, "0", "x", "1000" };
	const char *schedstat = says[_i];
	int threads = schedstat && strcmp(schedstat, "1000") == 0 ? 2 : 1;

	PROCESSES({ .pid = 10, .comm = "a", .state = 'S', .threads = threads, .start = 5 }, );
	procroot_start();
	for (int i = 0; i < 30; i++)
		ck_assert_int_eq(stopped_at(i % 3 ? 'S' : 'T', threads, schedstat), !(i % 3));
}
END_TEST

START_TEST(states)
{
	static const char letters[] = "RRSDTtZXPIWRS";

	for (size_t i = 0; letters[i]; i++) {
		char name[64];

		snprintf(name, sizeof(name), "proc/%zu/stat", i + 10);
		procroot_put(name, "%zu (a) S) %c 1 1 1 0 -1 0 5 0 6 0 1 1 0 0 20 0 2 0 9 4096000 100 0\n", i + 10,
			     letters[i]);
		snprintf(name, sizeof(name), "proc/%zu/statm", i + 10);
		procroot_put(name, "1000 100 50 1 0 200 0\n");
	}
	procroot_start();
	text = procroot_tick();
	is("states.running", 3);
	is("states.sleeping", 2);
	is("states.blocked", 1);
	is("states.stopped", 1);
	is("states.traced", 1);
	is("states.zombie", 1);
	is("states.dying", 1);
	is("states.parked", 1);
	is("states.idle", 1);
	is("states.other", 1);
	is("tasks.processes", 13);
	is("tasks.threads", 26);
	is("tasks.left_out", 0);
	/* files do not show all threads' states */
	absent("threads.running");
}
END_TEST

/* Who has no place in the table is counted all the same. */
START_TEST(left_out)
{
	struct process many[21] = { { 0 } };

	for (int i = 0; i < 20; i++)
		many[i] = (struct process){ 100 + i, 1, "a", 'S', .start = 1 };
	procroot_set("proctable", "MaxProcesses", "16");
	procroot_processes(many);
	procroot_start();
	text = procroot_tick();
	is("tasks.left_out", 4);
	is("tasks.processes", 16);
	ck_assert(said("4 more are left out (MaxProcesses)"));
}
END_TEST

START_TEST(turnover)
{
	PROCESSES({ 10, 1, "a", 'S', .start = 1 }, { 11, 1, "b", 'S', .start = 1 }, );
	procroot_start();
	text = procroot_tick();
	/* what was there before us was not born */
	is("turnover.born", 0);
	is("turnover.died", 0);
	is("started.forks", 100);
	put_stat(105);
	PROCESSES({ 10, 1, "a", 'S', .start = 1 }, { 12, 1, "c", 'S', .start = 5 }, { 13, 1, "d", 'S', .start = 5 }, );
	text = procroot_tick();
	is("turnover.born", 2);
	is("turnover.died", 1);
	is("started.forks", 105);
	/* a pid given again is another process */
	PROCESSES({ 10, 1, "a", 'S', .start = 7 }, { 12, 1, "c", 'S', .start = 5 }, { 13, 1, "d", 'S', .start = 5 }, );
	text = procroot_tick();
	is("turnover.born", 3);
	is("turnover.died", 2);
	PROCESSES({ 12, 1, "c", 'S', .start = 5 }, );
	text = procroot_tick();
	is("turnover.born", 3);
	is("turnover.died", 4);
	/* forks alone may be missing */
	procroot_put("proc/stat", "processes x\n");
	text = procroot_tick();
	absent("started.forks");
	is("turnover.born", 3);
	ck_assert(said("log warning procstat: '/proc/stat': 'processes' is malformed\n"));
	put_stat(106);
	text = procroot_tick();
	is("started.forks", 106);
}
END_TEST

/* `n` processes from number `first` on. */
static void put_many(int first, int n)
{
	struct process many[33] = { { 0 } };

	for (int i = 0; i < n; i++)
		many[i] = (struct process){ first + i, 1, "a", 'S', .start = 1 };
	procroot_processes(many);
	text = procroot_tick();
}

/* Who comes to light when the table has room again was not born then. */
START_TEST(turnover_of_the_left_out)
{
	procroot_set("proctable", "MaxProcesses", "16");
	procroot_start();
	put_many(100, 16);
	put_many(100, 17);
	is("turnover.born", 0);
	/* places become free a round later */
	put_many(110, 16);
	put_many(110, 16);
	is("tasks.left_out", 0);
	is("turnover.born", 0);
	is("turnover.died", 0);
	put_many(112, 14);
	put_many(112, 15);
	is("turnover.born", 1);
	is("turnover.died", 2);
}
END_TEST

/* Nor who was there before a round in which processes could not be read. */
START_TEST(turnover_after_a_failure)
{
	procroot_start();
	put_many(100, 3);
	put_many(100, 4);
	is("turnover.born", 1);
	procroot_allow_descriptors(0);
	text = procroot_tick();
	ck_assert_msg(said("cannot read processes by 'files'"), "%s", text);
	absent("turnover.born");
	procroot_allow_descriptors(64);
	text = procroot_tick();
	is("turnover.born", 1);
	is("turnover.died", 0);
	put_many(101, 4);
	is("turnover.born", 2);
	is("turnover.died", 1);
}
END_TEST

START_TEST(forks_shared)
{
	procroot_set("cpuload", "Enabled", "yes");
	PROCESSES({ 10, 1, "a", 'S', .start = 1 }, );
	procroot_start();
	text = procroot_tick();
	is("started.forks", 100);
	put_stat(105);
	text = procroot_tick();
	is("started.forks", 105);
}
END_TEST

/* A parent cannot pass for the sum of the others. */
START_TEST(parent_named_other)
{
	const char *at;
	int n = 0;

	procroot_set("procstat", "TopParents", "1");
	PROCESSES({ 10, 1, "other", 'S', .start = 1 }, { 11, 1, "b", 'S', .start = 1 },
		  { 12, 10, "z", 'Z', .start = 1 }, { 13, 10, "z", 'Z', .start = 1 },
		  { 14, 11, "z", 'Z', .start = 1 }, );
	procroot_start();
	text = procroot_tick();
	for (at = text; (at = strstr(at, "procstat.zombies.zombies[other] ")); at++)
		n++;
	ck_assert_int_eq(n, 1);
	is("zombies.zombies[other]", 1);
	is("zombies.zombies[other (process)]", 2);
}
END_TEST

START_TEST(zombies)
{
	PROCESSES({ 10, 1, "bad", 'S', .start = 1 }, { 11, 10, "z", 'Z', .start = 1 }, { 12, 10, "z", 'Z', .start = 1 },
		  { 13, 99, "z", 'Z', .start = 1 }, { 14, 15, "z", 'Z', .start = 1 },
		  { 15, 1, "other one", 'S', .start = 1 },
		  /* not over: it has threads */
		  { 16, 15, "half", 'Z', .threads = 3, .start = 1 }, );
	procroot_set("procstat", "TopParents", "2");
	procroot_start();
	text = procroot_tick();
	is("states.zombie", 5);
	is("zombies.zombies[bad]", 2);
	is("zombies.zombies[other]", 1);
	ck_assert(procroot_value("procstat.zombies.zombies[unknown]") == 1000 ||
		  procroot_value("procstat.zombies.zombies[other one]") == 1000);
	PROCESSES({ 10, 1, "bad", 'S', .start = 1 }, );
	text = procroot_tick();
	is("zombies.zombies[bad]", 0);
	is("states.zombie", 0);
}
END_TEST

#define OLD                                                                                                            \
	{                                                                                                              \
		9, 2, "old", 'D', .start = 1, .wchan = "old_wait", .switches = 1                                       \
	}
#define WAITS(n)                                                                                                       \
	{                                                                                                              \
		10, 1, "evil\x01", 'D', .start = 1, .wchan = "nfs_wait.isra.0", .switches = (n), .cgroup = "/a.slice"  \
	}

START_TEST(stuck)
{
	procroot_set("procstat", "StuckAfter", "10s");
	PROCESSES(OLD, );
	procroot_start();
	text = procroot_tick();
	is("census.usual", 1);
	PROCESSES(OLD, WAITS(5), );
	for (int i = 0; i < 10; i++) {
		text = procroot_tick();
		is("census.waiting", 1);
		is("census.stuck", 0);
		is("census.usual", 1);
		is("wait.longest", i);
		is("blocked.tasks[nfs_wait]", 1);
		absent("blocked.tasks[old_wait]");
		ck_assert(!said("event"));
	}
	text = procroot_tick();
	is("census.stuck", 1);
	is("census.waiting", 0);
	ck_assert_msg(
		said("event WARNING procstat.stuck[evil\\x01:nfs_wait:7] task is stuck in state D: 'evil\\x01' (pid 10), user 7, cgroup /a.slice, "
		     "for 10 s, in nfs_wait; see the kernel's log\n"),
		"%s", text);
	ck_assert(said(
		"  pid=10\n  tid=10\n  comm=evil\\x01\n  uid=7\n  user=7\n  count=1\n  wchan=nfs_wait\n  cgroup=/a.slice\n  duration=10 s\n"));
	text = procroot_tick();
	ck_assert(!said("event"));
	/* it has been woken, and waits again */
	PROCESSES(OLD, WAITS(6), );
	for (int i = 0; i < 3 && !said("event"); i++)
		text = procroot_tick();
	ck_assert_msg(
		said("event OKAY procstat.stuck[evil\\x01:nfs_wait:7] task is no longer stuck: 'evil\\x01' (pid 10), it was for "),
		"%s", text);
	is("census.stuck", 0);
	is("census.waiting", 1);
	for (int i = 0; i < 10; i++) {
		text = procroot_tick();
	}
	ck_assert(said("event WARNING procstat.stuck[evil\\x01:nfs_wait:7]"));
	PROCESSES(OLD, );
	text = procroot_tick();
	ck_assert(said("event OKAY procstat.stuck[evil\\x01:nfs_wait:7]"));
	is("census.usual", 1);
	is("blocked.tasks[nfs_wait]", 0);
}
END_TEST

/* Containers that are paused, by a freezer that is done, and by one that is not; and a task that only waits. */
START_TEST(frozen)
{
	procroot_set("procstat", "StuckAfter", "5s");
	PROCESSES(OLD, );
	procroot_put("sys/fs/cgroup/freezer/docker/a/freezer.state", "FROZEN\n");
	procroot_put("sys/fs/cgroup/freezer/docker/b/freezer.state", "FREEZING\n");
	procroot_start();
	procroot_tick();
	PROCESSES(OLD, { 10, 1, "a", 'D', .start = 1, .wchan = "hrtimer_nanosleep" },
		  { 11, 1, "b", 'D', .start = 1, .wchan = "__refrigerator" },
		  { 12, 1, "c", 'D', .start = 1, .wchan = "nfs_wait" }, );
	procroot_put("proc/10/task/10/cgroup", "9:cpu:/docker/b\n6:freezer:/docker/a\n0::/\n");
	procroot_put("proc/11/task/11/cgroup", "6:freezer:/docker/b\n0::/\n");
	procroot_put("proc/12/task/12/cgroup", "6:freezer:/docker/b\n0::/\n");
	for (int i = 0; i < 12; i++) {
		text = procroot_tick();
		is("census.waiting", i < 5);
		is("census.stuck", i >= 5);
		is("blocked.tasks[nfs_wait]", 1);
		absent("blocked.tasks[hrtimer_nanosleep]");
		absent("blocked.tasks[__refrigerator]");
		ck_assert(!said("stuck[a:") && !said("stuck[b:") && said("stuck[c:nfs_wait:7]") == (i == 5));
	}
	/* what was a wait for the freezer alone can become one for a disk */
	procroot_put("sys/fs/cgroup/freezer/docker/a/freezer.state", "THAWED\n");
	for (int i = 0; i < 7; i++)
		text = procroot_tick();
	is("census.stuck", 2);
}
END_TEST

/* A user with very many groups: the switches, which stand behind them, show that it is busy. */
START_TEST(many_groups)
{
	char groups[20001];

	procroot_set("procstat", "StuckAfter", "5s");
	PROCESSES(OLD, );
	procroot_start();
	procroot_tick();
	for (int i = 0; i < 2000; i++)
		snprintf(groups + 10 * i, 11, "%d ", 100000000 + i);
	for (int i = 0; i < 20; i++) {
		PROCESSES(OLD, WAITS(5), );
		procroot_put("proc/10/task/10/status", "Name:\ta\nGroups:\t%s\nvoluntary_ctxt_switches:\t%d\n", groups,
			     i);
		text = procroot_tick();
		is("census.stuck", 0);
	}
	is("census.waiting", 1);
}
END_TEST

/* A kernel thread that is often in state D for long is usual there; a process is not. */
START_TEST(habit)
{
	procroot_set("procstat", "StuckAfter", "2s");
	PROCESSES({ 9, 1, "a", 'S', .start = 1 }, );
	procroot_start();
	procroot_tick();
	for (int i = 0; i <= STUCK_HABIT; i++) {
		PROCESSES(
			{ 10, 2, "kworker/0:1", 'D', .start = 1, .wchan = "k_wait", .switches = i, .flags = 0x200000 },
			{ 11, 1, "b", 'D', .start = 1, .wchan = "b_wait", .switches = i }, );
		for (int j = 0; j < 6; j++)
			text = procroot_tick();
		if (i < STUCK_HABIT)
			is("census.stuck", 2);
		PROCESSES({ 10, 2, "kworker/0:1", 'S', .start = 1, .switches = i + 1, .flags = 0x200000 },
			  { 11, 1, "b", 'S', .start = 1, .switches = i + 1 }, );
		if (i < STUCK_HABIT)
			procroot_tick();
	}
	is("census.stuck", 1);
	is("census.usual", 1);
}
END_TEST

/* Tasks of one program in one function are one thing, and more of them are one word for each doubling. */
START_TEST(many_alike)
{
	struct process many[21] = { { 0 } };

	procroot_set("procstat", "StuckAfter", "5s");
	PROCESSES({ 9, 1, "a", 'S', .start = 1 }, );
	procroot_start();
	text = procroot_tick();
	for (int i = 0; i < 20; i++)
		many[i] = (struct process){ 100 + i, 1, "hung", 'D', .start = 1, .wchan = i & 1 ? "a_wait" : "b_wait" };
	procroot_processes(many);
	for (int i = 0; i < 6; i++)
		text = procroot_tick();
	ck_assert_msg(
		said("event WARNING procstat.stuck[hung:b_wait:7] tasks are stuck in state D: 'hung' (pid 100) and 9 "
		     "more like it, user 7, cgroup /, for 5.0 s, in b_wait; see the kernel's log\n"),
		"%s", text);
	ck_assert_msg(
		said("event WARNING procstat.stuck[hung:a_wait:7] tasks are stuck in state D: 'hung' (pid 101) and 9 "),
		"%s", text);
	ck_assert_msg(said("\n  count=10\n"), "%s", text);
	ck_assert(!said("stuck[other]"));
	is("census.stuck", 20);
	is("blocked.tasks[a_wait]", 10);
	is("blocked.tasks[b_wait]", 10);
	text = procroot_tick();
	ck_assert(!said("event"));
	/* one that ends is no news, nor is another in its place */
	many[19] = (struct process){ 0 };
	procroot_processes(many);
	text = procroot_tick();
	many[19] = (struct process){ 300, 1, "hung", 'D', .start = 9, .wchan = "a_wait" };
	procroot_processes(many);
	for (int i = 0; i < 7; i++) {
		ck_assert_msg(!said("event"), "%s", text);
		text = procroot_tick();
	}
	is("census.stuck", 20);
	PROCESSES({ 9, 1, "a", 'S', .start = 1 }, );
	text = procroot_tick();
	is("census.stuck", 0);
	ck_assert_msg(
		said("event OKAY procstat.stuck[hung:b_wait:7] tasks are no longer stuck: 'hung' (pid 100) and those like "
		     "it, it was for "),
		"%s", text);
	ck_assert_msg(said("event OKAY procstat.stuck[hung:a_wait:7]"), "%s", text);
}
END_TEST

#define CROWD 60

/* One user's many tasks, with many names, were there first: root's and a service's have their events all the same, and so has
 * another user's. What is summed up says whose it is. */
START_TEST(hidden_in_a_crowd)
{
	static char names[CROWD][16], channels[4][16];
	struct process many[CROWD + 4] = { { 0 } };
	int n = 0;

	procroot_set("procstat", "StuckAfter", "5s");
	procroot_put("etc/passwd",
		     "toor:x:0:0::/:/bin/sh\nmallory:x:1000:1000::/:/bin/sh\nalice:x:1001:1001::/:/bin/sh\n");
	PROCESSES({ 9, 1, "a", 'S', .start = 1 }, );
	procroot_start();
	text = procroot_tick();
	for (; n < CROWD; n++) {
		snprintf(names[n], sizeof(names[n]), "evil%d", n);
		snprintf(channels[n % 4], sizeof(channels[n % 4]), "wait%d", n % 4);
		many[n] = (struct process){ 100 + n,     1,
					    names[n],    'D',
					    .start = 1,  .wchan = channels[n % 4],
					    .uid = 1000, .cgroup = "/user.slice" };
	}
	procroot_processes(many);
	for (int i = 0; i < 12; i++)
		text = procroot_tick();
	is("census.stuck", CROWD);
	many[n++] = (struct process){ 500, 1, "backup", 'D', .start = 1, .wchan = "wait0", .uid = PROCESS_ROOT };
	many[n++] = (struct process){
		501, 1, "db", 'D', .start = 1, .wchan = "wait0", .uid = 33, .cgroup = "/system.slice/db.service"
	};
	many[n++] = (struct process){ 502, 1, "evil0", 'D', .start = 1, .wchan = "wait0", .uid = 1001 };
	procroot_processes(many);
	for (int i = 0; i < 10 && !said("[backup"); i++)
		text = procroot_tick();
	ck_assert_msg(
		said("stuck[backup:wait0] task is stuck in state D: 'backup' (pid 500), user root, cgroup /, for "),
		"%s", text);
	ck_assert_msg(said("stuck[db:wait0:33] task is stuck in state D: 'db' (pid 501), user 33, cgroup "
			   "/system.slice/db.service, for "),
		      "%s", text);
	ck_assert_msg(said("stuck[evil0:wait0:1001] task is stuck in state D: 'evil0' (pid 502), user alice, "), "%s",
		      text);
	is("census.stuck", CROWD + 3);
}
END_TEST

START_TEST(shares)
{
	static char names[CROWD][16];
	struct process many[CROWD + 1] = { { 0 } };

	procroot_set("procstat", "StuckAfter", "5s");
	procroot_put("etc/passwd", "mallory:x:1000:1000::/:/bin/sh\n");
	PROCESSES({ 9, 1, "a", 'S', .start = 1 }, );
	procroot_start();
	text = procroot_tick();
	/* fewer than are looked at in a round */
	for (int i = 0; i < 30; i++) {
		snprintf(names[i], sizeof(names[i]), "evil%d", i);
		many[i] = (struct process){ 100 + i,
					    1,
					    names[i],
					    'D',
					    .start = 1,
					    .wchan = "one_wait",
					    .uid = i < 20 ? 1000 : 2000 + (unsigned)i };
	}
	for (int i = 18; i < 20; i++)
		many[i].uid = PROCESS_ROOT;
	procroot_processes(many);
	for (int i = 0; i < 6; i++)
		text = procroot_tick();
	ck_assert_int_eq(count_of(text, "event WARNING procstat.stuck[evil"), 2 + STUCKEVENT_NAMED);
	ck_assert_int_eq(count_of(text, ":one_wait:1000] "), 2);
	ck_assert_int_eq(count_of(text, ":one_wait] "), 2);
	ck_assert_msg(
		said("event WARNING procstat.stuck[other] tasks are stuck in state D: 20 more (16 of user mallory, 1 of "
		     "user 2026, 1 of user 2027, 1 of user 2028, 1 of user 2029), for longer than 5.0 s, one of them in "
		     "one_wait; see the kernel's log\n  count=20\n  users=16 of user mallory, "),
		"%s", text);
	/* whoever goes frees a place for another */
	many[0] = many[29];
	many[29] = (struct process){ 0 };
	procroot_processes(many);
	text = procroot_tick();
	ck_assert_int_eq(count_of(text, "event OKAY procstat.stuck[evil0:one_wait:1000]"), 1);
	text = procroot_tick();
	ck_assert_int_eq(count_of(text, "event WARNING procstat.stuck[evil2:one_wait:1000]"), 1);
	PROCESSES({ 9, 1, "a", 'S', .start = 1 }, );
	text = procroot_tick();
	ck_assert(said("event OKAY procstat.stuck[other]"));
	is("census.stuck", 0);
}
END_TEST

START_TEST(repeated)
{
	int one[8] = { 0 }, two[8] = { 0 }, ones = 0, twos = 0;

	procroot_set("procstat", "StuckAfter", "5s");
	procroot_set("procstat", "NotifyInterval", "20s");
	PROCESSES({ 9, 1, "a", 'S', .start = 1 }, );
	procroot_start();
	text = procroot_tick();
	for (int i = 0; i < 60; i++) {
		if (i == 0)
			PROCESSES(WAITS(5), );
		if (i == 7)
			PROCESSES(WAITS(5), { 12, 1, "c", 'D', .start = 1, .wchan = "two" }, );
		text = procroot_tick();
		if (ones < 8 && said("event WARNING procstat.stuck[evil\\x01:nfs_wait:7]"))
			one[ones++] = i;
		if (twos < 8 && said("event WARNING procstat.stuck[c:two:7]"))
			two[twos++] = i;
	}
	/* each on its own clock */
	ck_assert_int_eq(ones, 3);
	ck_assert_int_eq(twos, 3);
	ck_assert_int_eq(one[0], 5);
	ck_assert_int_eq(two[0], 12);
	for (int i = 1; i < 3; i++) {
		ck_assert_int_eq(one[i] - one[i - 1], 20);
		ck_assert_int_eq(two[i] - two[i - 1], 20);
	}
}
END_TEST

/* Where it may not be read, it is not known. */
/* Which is said when all that are looked at have none, and once. */
START_TEST(channels_not_told)
{
	struct process waiting[25] = { 0 };
	struct qmem_status status;
	size_t n = 0;

	PROCESSES({ 9, 1, "a", 'S', .start = 1 }, );
	procroot_start();
	procroot_tick();
	for (int i = 0; i < 24; i++)
		waiting[i] = (struct process){ 10 + i, 1, "b", 'D', .start = 1, .wchan = "0" };
	procroot_processes(waiting);
	for (int i = 0; i < 10; i++)
		n += strstr(procroot_tick(), "log notice procstat: no wait channels: ") != NULL;
	ck_assert_uint_eq(n, 1);
	for (size_t i = 0; qmem_status(procroot_host.q, i, &status); i++)
		if (strcmp(status.service->name, "procstat") == 0)
			ck_assert_ptr_nonnull(strstr(status.reason, "not seen without BPF; no wait channels: "));
}
END_TEST

START_TEST(unknown_channel)
{
	procroot_set("procstat", "StuckAfter", "5s");
	PROCESSES({ 9, 1, "a", 'S', .start = 1 }, );
	procroot_start();
	text = procroot_tick();
	PROCESSES({ 10, 1, "b", 'D', .start = 1, .wchan = "0" }, );
	for (int i = 0; i < 6; i++)
		text = procroot_tick();
	is("blocked.tasks[unknown]", 1);
	ck_assert_msg(
		said("event WARNING procstat.stuck[b:unknown:7] task is stuck in state D: 'b' (pid 10), user 7, cgroup /, for 5.0 s, "
		     "in unknown; "),
		"%s", text);
}
END_TEST

/* Whatever its cgroup is called: how long, and where, is told; of the path it is the beginning that gives way, by whole names. */
START_TEST(long_cgroup)
{
	char path[512] = "/machine.slice/", expected[512];
	const char *message;

	for (int i = 0; i < 40; i++)
		strcat(path, "another/");
	strcat(path, "last.scope");
	procroot_set("procstat", "StuckAfter", "5s");
	PROCESSES({ 9, 1, "a", 'S', .start = 1 }, );
	procroot_start();
	text = procroot_tick();
	PROCESSES({ 10, 1, "b", 'D', .start = 1, .wchan = "nfs_wait", .cgroup = path }, );
	for (int i = 0; i < 6; i++)
		text = procroot_tick();
	message = strstr(text, "task is stuck in state D: 'b' (pid 10), user 7, cgroup .../another/another");
	ck_assert_ptr_nonnull(message);
	snprintf(expected, sizeof(expected), "%.*s", (int)strcspn(message, "\n"), message);
	ck_assert_uint_le(strlen(expected), 255);
	ck_assert_uint_gt(strlen(expected), 255 - sizeof("/another"));
	ck_assert_ptr_nonnull(strstr(expected, "/another/last.scope, for 5.0 s, in nfs_wait; see the kernel's log"));
}
END_TEST

SUITE(procstat)
{
	Suite *suite = suite_create("procstat");
	TCase *tests = tcase_create("procstat");

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, setup, procroot_end);
	tcase_add_test(tests, sleepers);
	tcase_add_loop_test(tests, sleepers_not_known, 0, 4);
	tcase_add_test(tests, states);
	tcase_add_test(tests, left_out);
	tcase_add_test(tests, turnover);
	tcase_add_test(tests, turnover_of_the_left_out);
	tcase_add_test(tests, turnover_after_a_failure);
	tcase_add_test(tests, forks_shared);
	tcase_add_test(tests, zombies);
	tcase_add_test(tests, parent_named_other);
	tcase_add_test(tests, stuck);
	tcase_add_test(tests, frozen);
	tcase_add_test(tests, many_groups);
	tcase_add_test(tests, habit);
	tcase_add_test(tests, many_alike);
	tcase_add_test(tests, hidden_in_a_crowd);
	tcase_add_test(tests, shares);
	tcase_add_test(tests, repeated);
	tcase_add_test(tests, unknown_channel);
	tcase_add_test(tests, long_cgroup);
	tcase_add_test(tests, channels_not_told);
	suite_add_tcase(suite, tests);
	return suite;
}
