/* SPDX-License-Identifier: MIT */
/* Which group a process is in, seen by what procmem counts. */
#include "unit.h"

#include <inttypes.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "process/group.h"
#include "procroot.h"
#include "service/procmem.h"
#include "process/table.h"
#include "services.h"

static const struct qmem_service *const services[] = { &proctable_service, &procmem_service, NULL };

static void setup(void)
{
	procroot_begin(services);
	procroot_set("procmem", "Top", "100");
}

/* Jobs that come back when the engine has gone. */
static void teardown(void)
{
	qmem_free(procroot_host.q);
	procroot_host.q = NULL;
	while (recorder_work(&procroot_host))
		;
	procroot_end();
}

#define PROCESSES(...) procroot_processes((const struct process[]){ __VA_ARGS__{ 0 } })
#define members(group, n) ck_assert_int_eq(procroot_value("procmem.processes.count[" group "]"), (n)*1000)
/* it may have its place still */
#define absent(group) ck_assert_int_le(procroot_value("procmem.processes.count[" group "]"), 0)
#define KTHREAD 0x00200000

static void rule(const char *group, const char *option, const char *value)
{
	struct qmem_error error;

	ck_assert_msg(!qmem_set(procroot_host.q, "procmem", "Group", group, option, value, &error), "%s", error.text);
}

static struct proc *proc_of(int32_t pid)
{
	return (struct proc *)(uintptr_t)proctable_find(qmem_state(procroot_host.q, &proctable_service), pid);
}

/* What --check says of procmem. */
static const char *note(void)
{
	struct qmem_status status;

	for (size_t i = 0; qmem_status(procroot_host.q, i, &status); i++)
		if (status.service == &procmem_service)
			return status.reason;
	return "";
}

/* A group that nobody can be in is a mistake. */
START_TEST(no_rule)
{
	rule("web", "Comm", "a");
	ck_assert_int_eq(
		qmem_set(procroot_host.q, "procmem", "Group", "empty", "Comm", "/[/", &(struct qmem_error){ 0 }),
		-EINVAL);
	PROCESSES({ .pid = 3, .comm = "a", .state = 'S' }, { .pid = 4, .comm = "b", .state = 'S' }, );
	ck_assert_ptr_nonnull(strstr(procroot_start(), "log warning procmem: Group 'empty' has no rule that says which "
						       "processes are in it: none are\n"));
	procroot_tick();
	members("web", 1);
	members("empty", 0);
	members("b", 1);
}
END_TEST

START_TEST(by_comm)
{
	PROCESSES({ .pid = 1, .comm = "init", .state = 'S' },
		  { .pid = 2, .comm = "kthreadd", .state = 'S', .flags = KTHREAD },
		  { .pid = 3, .comm = "a", .state = 'S' }, { .pid = 4, .comm = "a", .state = 'Z' }, );
	procroot_start();
	procroot_tick();
	members("init", 1);
	members("a", 2);
	members("kernel", 1);
	absent("kthreadd");
	absent("other");
	/* an exec: another name, another group */
	PROCESSES({ .pid = 1, .comm = "init", .state = 'S' }, { .pid = 3, .comm = "b", .state = 'S' }, );
	procroot_tick();
	members("b", 1);
	members("kernel", 0);
	absent("a");
	HAS_NOT(note(), "number");
}
END_TEST

/* Processes cannot pass for the kernel's threads, for the rest, or for a group of the configuration. */
START_TEST(names_of_others)
{
	rule("web", "Comm", "nginx");
	PROCESSES({ .pid = 1, .comm = "kernel", .state = 'S' }, { .pid = 2, .comm = "other", .state = 'S' },
		  { .pid = 3, .comm = "web", .state = 'S' }, { .pid = 4, .comm = "nginx", .state = 'S' },
		  { .pid = 5, .comm = "other (group)", .state = 'S' },
		  { .pid = 7, .comm = "k", .state = 'S', .flags = KTHREAD }, );
	procroot_start();
	procroot_tick();
	members("kernel", 1);
	members("kernel (processes)", 1);
	members("other (processes)", 1);
	members("web", 1);
	members("web (processes)", 1);
	members("other (group)", 1);
	absent("other");
}
END_TEST

/* What a rule is in vain for a minute is told, once; what has matched is not. */
START_TEST(rules_in_vain)
{
	const char *log;

	rule("web", "Comm", "nginx");
	rule("web", "Comm", "ngnix");
	rule("web", "Comm", "/^apache/");
	rule("db", "User", "7");
	PROCESSES({ .pid = 1, .comm = "nginx", .state = 'S' }, { .pid = 2, .comm = "x", .state = 'S' }, );
	procroot_start();
	for (int i = 0; i < 59; i++)
		ck_assert_ptr_null(strstr(procroot_tick(), "has matched nothing"));
	for (int i = 0; i < 3; i++) {
		log = procroot_tick();
		if (strstr(log, "has matched nothing"))
			break;
	}
	ck_assert_ptr_nonnull(
		strstr(log, "log notice procmem: Group 'web': Comm 'ngnix' has matched nothing for a minute\n"));
	ck_assert_ptr_nonnull(strstr(log, "Comm '/^apache/' has matched nothing"));
	ck_assert_ptr_null(strstr(log, "'nginx' has"));
	ck_assert_ptr_null(strstr(log, "User"));
	for (int i = 0; i < 100; i++)
		ck_assert_ptr_null(strstr(procroot_tick(), "has matched nothing"));
}
END_TEST

/* Nor for one with a blank in its name, whose id has a '_' instead; and no two of these may be one. */
START_TEST(names_with_blanks)
{
	struct qmem_error error;

	rule("web frontend", "Comm", "nginx");
	rule("web_backend", "Comm", "php");
	ck_assert_int_eq(qmem_set(procroot_host.q, "procmem", "Group", "web_frontend", "Comm", "x", &error), -EINVAL);
	ck_assert_str_eq(error.text,
			 "procmem: Group 'web frontend' and 'web_frontend' are one where blanks are '_': one of them "
			 "needs another name");
	rule("web frontend", "Comm", "apache");
	PROCESSES({ .pid = 1, .comm = "nginx", .state = 'S' }, { .pid = 2, .comm = "apache", .state = 'S' },
		  { .pid = 3, .comm = "web frontend", .state = 'S' },
		  { .pid = 4, .comm = "web_frontend", .state = 'S' },
		  { .pid = 5, .comm = "web backend", .state = 'S' }, );
	procroot_start();
	procroot_tick();
	members("web frontend", 2);
	members("web frontend (processes)", 1);
	members("web_frontend (processes)", 1);
	members("web backend (processes)", 1);
	absent("web_frontend");
	absent("web backend");
}
END_TEST

START_TEST(names_of_ones_own)
{
	static const char *const bad[][2] = {
		{ "other", "procmem: Group 'other' is the name of a built-in group" },
		{ "kernel", "procmem: Group 'kernel' is the name of a built-in group" },
		{ "", "procmem: block 'Group' has no name" },
	};
	struct qmem_error error;
	char name[200];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		ck_assert_int_eq(qmem_set(procroot_host.q, "procmem", "Group", bad[i][0], NULL, NULL, &error), -EINVAL);
		ck_assert_str_eq(error.text, bad[i][1]);
	}
	memset(name, 'x', sizeof(name));
	name[177] = '\0';
	ck_assert_int_eq(qmem_set(procroot_host.q, "procmem", "Group", name, NULL, NULL, &error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.text, " is longer than 176 bytes"));
	name[176] = '\0';
	ck_assert_int_eq(qmem_set(procroot_host.q, "procmem", "Group", name, NULL, NULL, &error), 0);
}
END_TEST

START_TEST(rules_that_match_nothing)
{
	static const struct {
		const char *option, *value, *why;
	} rules[] = {
		{ "Comm", "averyverylongname",
		  "is longer than the 15 bytes that the kernel keeps of a name: 'averyverylongna' would match" },
		{ "Comm", "/usr/sbin/nginx", "begins with '/': an expression stands between two, and a name has none" },
		{ "Comm", "fifteen-bytes-x", NULL },
		{ "Comm", "/averyverylongname/", NULL },
		{ "User", "/^www", "begins with '/': an expression stands between two, and a name has none" },
		{ "Cgroup", "system.slice", "does not begin with '/', as the path of a cgroup does" },
		{ "Cgroup", "/sys/fs/cgroup/system.slice/a.service",
		  "begins with /sys/fs/cgroup: the path of a cgroup is what follows, as in /proc/PID/cgroup" },
		{ "Cgroup", "/system.slice/a.service", NULL },
		{ "Cgroup", "/", NULL },
		{ "Cmdline", "/--job \\d+/", "has '\\d', which POSIX has not: write [0-9]" },
	};
	struct qmem_error error;

	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		int err = qmem_set(procroot_host.q, "procmem", "Group", "web", rules[i].option, rules[i].value, &error);

		ck_assert_msg(!err == !rules[i].why, "%s %s", rules[i].value, error.text);
		ck_assert_msg(!err || strstr(error.text, rules[i].why), "%s", error.text);
	}
}
END_TEST

START_TEST(by_rules)
{
	rule("web", "Comm", "nginx");
	rule("web", "Comm", "/^php/");
	rule("jobs", "Cmdline", "/--job [0-9]+$/");
	rule("both", "Comm", "java");
	rule("both", "Cgroup", "/^.system/");
	rule("seven", "User", "alice");
	rule("nothing", "Comm", "nobody");
	procroot_put("etc/passwd", "root:x:0:0::/:\nbroken\nalice:x:7:7::/:\n:x:7:\n");
	PROCESSES({ .pid = 1, .comm = "nginx", .state = 'S' }, { .pid = 2, .comm = "php-fpm", .state = 'S' },
		  { .pid = 3, .comm = "python", .state = 'S' },
		  { .pid = 4, .comm = "java", .state = 'S', .cgroup = "/system.slice/x.service" },
		  { .pid = 5, .comm = "java", .state = 'S', .cgroup = "/user.slice" }, );
	procroot_put("proc/3/cmdline", "python%cx.py%c--job%c12%c", 0, 0, 0, 0);
	procroot_start();
	procroot_tick();
	/* what the worker has not told yet */
	members("web", 2);
	members("both", 1);
	members("python", 1);
	members("java", 1);
	procroot_tick();
	members("web", 2);
	members("jobs", 1);
	members("both", 1);
	members("seven", 1);
	members("nothing", 0);
	absent("python");
	absent("java");
	HAS(note(), "are shown by number"); /* for the rule by user */
}
END_TEST

START_TEST(by_user)
{
	procroot_set("procmem", "GroupBy", "user");
	procroot_put("etc/passwd", "root:x:0:0::/:\nalice:x:7:7::/:\n");
	PROCESSES({ .pid = 1, .comm = "a", .state = 'S' }, { .pid = 2, .comm = "b", .state = 'S' }, );
	procroot_start();
	procroot_tick();
	procroot_tick();
	members("alice", 2);
	/* whose name is known needs no worker */
	procroot_host.hold_jobs = true;
	PROCESSES({ .pid = 1, .comm = "a", .state = 'S' }, { .pid = 3, .comm = "c", .state = 'S', .start = 9 }, );
	procroot_tick();
	members("alice", 2);
}
END_TEST

START_TEST(by_number)
{
	procroot_set("procmem", "GroupBy", "user");
	PROCESSES({ .pid = 1, .comm = "a", .state = 'S' }, );
	procroot_start();
	procroot_tick();
	absent("a");
	members("other", 1);
	procroot_tick();
	members("7", 1);
	absent("a");
	HAS(note(), "users that etc/passwd does not have (LDAP, SSSD) are shown by number");
}
END_TEST

/* Users whose names are known need no worker, whatever numbers they have. */
START_TEST(many_users)
{
	char comm[2][16];

	procroot_set("procmem", "GroupBy", "user");
	for (int i = 0; i < 200; i++) {
		struct process processes[] = { { .pid = 1, .comm = "a", .state = 'S' },
					       { .pid = 2, .comm = "a", .state = 'S', .uid = 263 },
					       { .pid = 1000 + i, .comm = comm[0], .state = 'S' },
					       { .pid = 2000 + i, .comm = comm[1], .state = 'S', .uid = 263 },
					       { .pid = 3000, .comm = "c", .state = 'S', .uid = 1000 },
					       { 0 } };

		snprintf(comm[0], sizeof(comm[0]), "new%d", i);
		snprintf(comm[1], sizeof(comm[1]), "new%d_2", i);
		procroot_processes(processes);
		if (!i)
			procroot_start();
		procroot_tick();
		if (i < 2)
			continue;
		members("7", 2);
		members("263", 2);
		members("1000", 1);
	}
	/* more of them than there is room for at first */
	for (unsigned i = 0; i < 300; i++) {
		PROCESSES({ .pid = 1, .comm = "a", .state = 'S' },
			  { .pid = 4000 + (int)i, .comm = "d", .state = 'S', .uid = 5000 + 3 * i }, );
		procroot_tick();
		procroot_tick();
		absent("d");
	}
	PROCESSES({ .pid = 1, .comm = "a", .state = 'S' }, { .pid = 9000, .comm = "e", .state = 'S', .uid = 5000 }, );
	for (int i = 0; i < 4; i++)
		procroot_tick();
	members("5000", 1);
}
END_TEST

START_TEST(by_unit)
{
	procroot_set("procmem", "GroupBy", "unit");
	PROCESSES({ .pid = 1, .comm = "a", .state = 'S', .cgroup = "/system.slice/ssh.service" },
		  { .pid = 2, .comm = "b", .state = 'S', .cgroup = "/user.slice/user@1.service/app.slice/x.scope" },
		  { .pid = 3, .comm = "c", .state = 'S', .cgroup = "/user.slice" },
		  { .pid = 4, .comm = "d", .state = 'S', .cgroup = "/.service/ssh.service/payload" }, );
	procroot_start();
	procroot_tick();
	members("ssh.service", 1);
	members("user@1.service/x.scope", 1);
	members("c", 1);
	members(".service/ssh.service", 1);
}
END_TEST

/* A machine of both hierarchies, as Ubuntu 18.04 is: units are in systemd's own, memory is accounted by v1. */
#define HYBRID(pid, memory, systemd, v2)                                                                               \
	procroot_put("proc/" #pid "/cgroup", "5:memory:" memory "\n2:cpuset:/\n1:name=systemd:" systemd "\n0::" v2 "\n")
#define SESSION(n) "/user.slice/user-1000.slice/session-" n ".scope"

START_TEST(hybrid_units)
{
	procroot_set("procmem", "GroupBy", "unit");
	PROCESSES({ .pid = 1, .comm = "a", .state = 'S' }, { .pid = 2, .comm = "b", .state = 'S' },
		  { .pid = 3, .comm = "c", .state = 'S' }, { .pid = 4, .comm = "d", .state = 'S' },
		  { .pid = 5, .comm = "e", .state = 'S' }, { .pid = 6, .comm = "f", .state = 'Z' }, );
	HYBRID(1, "/user.slice", SESSION("2"), SESSION("2"));
	HYBRID(2, "/system.slice", "/system.slice/ssh.service", "/system.slice/ssh.service");
	HYBRID(3, "/system.slice/wrong.service", "/", "/system.slice/ssh.service");
	HYBRID(4, "/system.slice/cron.service", "/", "/");
	HYBRID(5, "/", "/", "/");
	HYBRID(6, "/", "/", "/system.slice/gone.service (deleted)");
	procroot_start();
	procroot_tick();
	members("session-2.scope", 1);
	members("ssh.service", 2);
	members("cron.service", 1);
	members("e", 1);
	members("gone.service", 1);
}
END_TEST

START_TEST(hybrid_cgroups)
{
	procroot_set("procmem", "GroupBy", "cgroup");
	rule("sessions", "Cgroup", "/session-/");
	rule("ssh", "Cgroup", "/system.slice/ssh.service");
	rule("limited", "Cgroup", "/limited");
	PROCESSES({ .pid = 1, .comm = "a", .state = 'S' }, { .pid = 2, .comm = "b", .state = 'S' },
		  { .pid = 3, .comm = "c", .state = 'S' }, { .pid = 4, .comm = "d", .state = 'S' },
		  { .pid = 5, .comm = "e", .state = 'S' }, );
	HYBRID(1, "/user.slice", SESSION("2"), SESSION("2"));
	HYBRID(2, "/system.slice", "/system.slice/ssh.service", "/system.slice/ssh.service");
	HYBRID(3, "/limited", "/system.slice/cron.service", "/system.slice/cron.service");
	HYBRID(4, "/other", "/system.slice/cron.service", "/");
	HYBRID(5, "/", "/system.slice/cron.service", "/system.slice/cron.service");
	procroot_start();
	procroot_tick();
	members("sessions", 1);
	members("ssh", 1);
	members("limited", 1);
	members("/other", 1);
	members("/", 1);
}
END_TEST

/* A move is one in the hierarchy that is looked at, whichever that is; and a zombie has not moved to the root. */
START_TEST(hybrid_moves)
{
	int round = 0; /* a group that is new is not shown at once */

	procroot_set("procmem", "GroupBy", "unit");
	PROCESSES({ .pid = 1, .comm = "a", .state = 'S' }, { .pid = 2, .comm = "b", .state = 'S' }, );
	HYBRID(1, "/", SESSION("2"), "/");
	HYBRID(2, "/", SESSION("3"), "/");
	procroot_start();
	procroot_tick();
	members("session-2.scope", 1);
	members("session-3.scope", 1);
	procroot_put("proc/2/stat", "2 (b) Z 1 1 1 0 -1 0 5 0 6 0 1 1 0 0 20 0 1 0 0 0 0 0\n");
	HYBRID(1, "/", SESSION("4"), "/");
	HYBRID(2, "/", "/", "/");
	do
		procroot_tick();
	while (procroot_value("procmem.processes.count[session-4.scope]") != 1000 && ++round < 70);
	ck_assert_int_lt(round, 70);
	for (int i = 0; i < 65; i++)
		procroot_tick();
	members("session-4.scope", 1);
	members("session-3.scope", 1);
}
END_TEST

/* Two users', two containers' units of one name are two. */
START_TEST(nested_units)
{
	procroot_set("procmem", "GroupBy", "unit");
	PROCESSES({ .pid = 1,
		    .comm = "a",
		    .state = 'S',
		    .cgroup = "/user.slice/user-1.slice/user@1.service/a.slice/x.service" },
		  { .pid = 2,
		    .comm = "a",
		    .state = 'S',
		    .cgroup = "/user.slice/user-2.slice/user@2.service/a.slice/x.service" },
		  { .pid = 3, .comm = "a", .state = 'S', .cgroup = "/lxc.payload.one/system.slice/x.service" },
		  { .pid = 4, .comm = "a", .state = 'S', .cgroup = "/lxc.payload.two/system.slice/x.service" },
		  { .pid = 5, .comm = "a", .state = 'S', .cgroup = "/system.slice/x.service" },
		  { .pid = 6,
		    .comm = "a",
		    .state = 'S',
		    .cgroup = "/machine.slice/machine-qemu\\x2d1.scope/libvirt/emulator" },
		  { .pid = 7, .comm = "a", .state = 'S', .cgroup = "/machine.slice/machine-qemu-1.scope" }, );
	procroot_start();
	procroot_tick();
	members("user@1.service/x.service", 1);
	members("user@2.service/x.service", 1);
	members("lxc.payload.one/x.service", 1);
	members("lxc.payload.two/x.service", 1);
	members("x.service", 1);
	members("machine-qemu\\x2d1.scope", 1);
	members("machine-qemu-1.scope", 1);
}
END_TEST

/* Who is in no unit, as in a container, does not pass for one by what he calls himself. */
START_TEST(called_like_a_unit)
{
	procroot_set("procmem", "GroupBy", "unit");
	PROCESSES({ .pid = 1, .comm = "a", .state = 'S', .cgroup = "/system.slice/ssh.service" },
		  { .pid = 2, .comm = "ssh.service", .state = 'S', .cgroup = "/docker/1" },
		  { .pid = 3, .comm = "b/x.scope", .state = 'S', .cgroup = "/docker/1" },
		  { .pid = 4, .comm = "c", .state = 'S', .cgroup = "/docker/1" }, );
	procroot_start();
	procroot_tick();
	members("ssh.service", 1);
	members("ssh.service (processes)", 1);
	members("b/x.scope (processes)", 1);
	members("c", 1);
}
END_TEST

/* Nor for a cgroup or a program, who is in none that is known. */
START_TEST(called_like_a_path)
{
	procroot_set("procmem", "GroupBy", "cgroup");
	PROCESSES({ .pid = 1, .comm = "a", .state = 'S', .cgroup = "/db" },
		  { .pid = 2, .comm = "/db", .state = 'S' }, );
	procroot_start();
	procroot_put("proc/2/cgroup", "%s", "");
	procroot_tick();
	members("/db", 1);
	members("/db (processes)", 1);
}
END_TEST

START_TEST(by_cgroup)
{
	procroot_set("procmem", "GroupBy", "cgroup");
	PROCESSES({ .pid = 1, .comm = "a", .state = 'S', .cgroup = "/system.slice/ssh.service" }, );
	procroot_start();
	procroot_tick();
	members("/system.slice/ssh.service", 1);
}
END_TEST

/* The worker does not come back: all stays where the names have put it, and nothing breaks at the end. */
START_TEST(worker_is_stuck)
{
	procroot_set("procmem", "GroupBy", "user");
	procroot_host.hold_jobs = true;
	PROCESSES({ .pid = 1, .comm = "a", .state = 'S' }, );
	procroot_start();
	for (int i = 0; i < 10; i++) {
		procroot_tick();
		absent("a");
	}
	/* better that than nothing */
	procroot_tick();
	members("a", 1);
	/* its pid is another's when the answer comes */
	PROCESSES({ .pid = 1, .comm = "z", .state = 'S', .start = 77 }, );
	procroot_tick();
	ck_assert(recorder_work(&procroot_host));
	for (int i = 0; i < 10; i++)
		procroot_tick();
	members("z", 1);
}
END_TEST

/* So many seconds pass, and what is stuck is found. */
static void wait_until_stuck(void)
{
	procroot_now += 30 * QMEM_SECOND;
	qmem_dispatch(procroot_host.q, NULL, 0, procroot_now);
	procroot_tick();
}

/* One process does not let its command line be read: the others find their groups, and it is not asked before it is back. */
START_TEST(stuck_at_one)
{
	rule("jobs", "Cmdline", "/job/");
	PROCESSES({ .pid = 3, .comm = "a", .state = 'S' }, { .pid = 4, .comm = "b", .state = 'S' }, );
	procroot_put("proc/3/cmdline", "job");
	procroot_put("proc/4/cmdline", "job");
	procroot_host.hold_jobs = true;
	procroot_start();
	procroot_tick();
	ck_assert_ptr_nonnull(procroot_host.jobs);
	QMEM_JOB_AT(procroot_host.jobs, 3, 7);
	wait_until_stuck();
	ck_assert_ptr_nonnull(procroot_host.left);
	ck_assert(recorder_work(&procroot_host));
	for (int i = 0; i < 5; i++)
		procroot_tick();
	members("jobs", 1);
	ck_assert_ptr_null(procroot_host.jobs);
	ck_assert(recorder_come_back(&procroot_host));
	procroot_tick();
	members("jobs", 1); /* what has come back so late is of nobody's interest */
	ck_assert(recorder_work(&procroot_host));
	procroot_tick();
	members("jobs", 2);
}
END_TEST

/* It is the file of users' names that does not let itself be read. Whoever has one that is known is not held up by it. */
START_TEST(stuck_at_users)
{
	procroot_set("procmem", "GroupBy", "user");
	rule("jobs", "Cmdline", "/job/");
	rule("bobs", "User", "bob");
	procroot_put("etc/passwd", "alice:x:7:7::/:\nbob:x:8:8::/:\n");
	PROCESSES({ .pid = 3, .comm = "a", .state = 'S' }, );
	procroot_start();
	procroot_tick();
	procroot_tick();
	members("alice", 1);
	procroot_host.hold_jobs = true;
	PROCESSES({ .pid = 3, .comm = "a", .state = 'S' }, { .pid = 4, .comm = "b", .state = 'S', .uid = 8 }, );
	procroot_tick();
	recorder_take(&procroot_host);
	procroot_now += 30 * QMEM_SECOND;
	qmem_dispatch(procroot_host.q, NULL, 0, procroot_now);
	/* a name that no host alters, and words */
	ck_assert_ptr_nonnull(strstr(recorder_take(&procroot_host),
				     "event WARNING procmem.worker[cmdline_or_passwd] file is stuck, all else goes on: "
				     "cmdline (or etc/passwd), for 31 s;"));
	procroot_tick();
	ck_assert_ptr_nonnull(procroot_host.left);
	ck_assert_ptr_null(procroot_host.jobs);
	PROCESSES({ .pid = 3, .comm = "a", .state = 'S' }, { .pid = 4, .comm = "b", .state = 'S', .uid = 8 },
		  { .pid = 5, .comm = "c", .state = 'S' }, { .pid = 6, .comm = "d", .state = 'S' }, );
	procroot_put("proc/5/cmdline", "job");
	procroot_put("etc/passwd", "carol:x:7:7::/:\n"); /* it is not looked at now */
	procroot_tick();
	ck_assert(recorder_work(&procroot_host));
	procroot_tick();
	members("jobs", 1);
	members("alice", 2);
	members("bobs", 0);
	procroot_put("etc/passwd", "alice:x:7:7::/:\nbob:x:8:8::/:\n");
	ck_assert_ptr_null(procroot_host.jobs);
	ck_assert(recorder_come_back(&procroot_host));
	procroot_tick();
	ck_assert(recorder_work(&procroot_host));
	procroot_tick();
	members("bobs", 1);
}
END_TEST

/* Of commands that are gone at once each would leave a line in the agent's database for ever. */
START_TEST(brief)
{
	char comm[16], name[64];

	for (int i = 0; i < 12; i++) {
		snprintf(comm, sizeof(comm), "brief%d", i / 3);
		snprintf(name, sizeof(name), "procmem.processes.count[%s]", comm);
		PROCESSES({ .pid = 1, .comm = "a", .state = 'S' },
			  { .pid = 100 + i / 3, .comm = comm, .state = 'S' }, );
		if (!i)
			procroot_start();
		procroot_tick();
		members("a", 1);
		/* what is there at the start is shown at once, as nothing else would be */
		ck_assert_int_eq(procroot_value(name), i < 6 ? 1000 : -1);
		if (i >= 6)
			members("other", 1);
	}
	procroot_tick();
	members("brief3", 1);
	members("other", 0);
}
END_TEST

/* No worker just then: it is asked again. */
START_TEST(worker_comes_later)
{
	procroot_set("procmem", "GroupBy", "user");
	PROCESSES({ .pid = 1, .comm = "a", .state = 'S' }, );
	procroot_start();
	procroot_host.no_jobs = true;
	procroot_tick();
	procroot_host.no_jobs = false;
	procroot_tick();
	absent("a");
	procroot_tick();
	members("7", 1);
	absent("a");
}
END_TEST

static bool is_there(const struct procgroups *groups, const char *name)
{
	for (size_t i = 0; i < procgroups_capacity(groups); i++) {
		const struct procgroup *group = procgroups_at(groups, i);

		if (group && strcmp(group->name, name) == 0)
			return true;
	}
	return false;
}

#define KEPT 256   /* names without members that are remembered */
#define SLOWLY 200 /* rounds */

/* Groups come and go; the array of them does not grow for ever. */
START_TEST(forgotten)
{
	const struct procgroups *groups;

	PROCESSES({ .pid = 1, .comm = "a", .state = 'S' }, );
	procroot_start();
	for (int i = 0; i < 600; i++) {
		char comm[16];

		snprintf(comm, sizeof(comm), "name%d", i);
		procroot_processes((const struct process[]){ { .pid = 10, .comm = comm, .state = 'S' }, { 0 } });
		procroot_tick();
	}
	groups = procmem_groups(procroot_host.q);
	ck_assert_uint_lt(procgroups_capacity(groups), 270);
	/* the oldest have gone, but for those that were shown at the start: hosts have their charts for a minute */
	for (int i = 0; i < 600; i++) {
		char comm[16];

		snprintf(comm, sizeof(comm), "name%d", i);
		ck_assert_msg(is_there(groups, comm) == (i >= 600 - 1 - KEPT), "%s", comm);
	}
}
END_TEST

/* Of two services that show a group, the one with the longer interval needs it for longer. */
START_TEST(shown_by_two)
{
	static const struct qmem_service *const both[] = { &proctable_service, &procmem_service, &cpuload_service,
							   NULL };
	enum { BACK = 241 };
	int64_t before = 0, now = -1;

	procroot_end();
	procroot_begin(both);
	procroot_set("cpuload", "Interval", "30s");
	procroot_put("proc/stat", "cpu 1 2 3 4\n");
	procroot_put("proc/loadavg", "0.00 0.01 0.05 1/209 4711\n");
	for (int i = 0; i < BACK + 60; i++) {
		bool there = i < 40 || i >= BACK;
		char a[16], b[16];

		snprintf(a, sizeof(a), "a%d", i);
		snprintf(b, sizeof(b), "b%d", i);
		PROCESSES({ .pid = 10, .comm = a, .state = 'S' }, { .pid = 11, .comm = b, .state = 'S' },
			  { .pid = there ? i < BACK ? 12 : 13 : 14,
			    .comm = there ? "job" : "rest",
			    .state = 'S',
			    .user = i < 40 ? 100u * (unsigned)i : 0,
			    .start = i < BACK ? 1 : 2 }, );
		if (!i)
			procroot_start();
		procroot_tick();
		now = procroot_value("cpuload.time.user[job]");
		if (i < 100 && now > before)
			before = now;
		if (i > BACK && now >= 0)
			break;
	}
	ck_assert_int_gt(before, 0);
	ck_assert_int_ge(now, before);
}
END_TEST

static size_t groups_n(const struct procgroups *groups)
{
	size_t n = 0;

	for (size_t i = 0; i < procgroups_capacity(groups); i++)
		n += procgroups_at(groups, i) != NULL;
	return n;
}

/* Each process gets a name: of its own, or all the same one. */
static void name_all(const struct proctable *table, const char *name, bool own)
{
	const struct proc *p;

	proctable_each(table, p) snprintf((char *)(uintptr_t)p->comm, sizeof(p->comm), "%s%d", name, own ? p->pid : 0);
}

/* As many groups as there may be processes: no step of a round goes over all of them for each, or this takes minutes. */
START_TEST(many)
{
	enum { MANY = 100000 };
	const struct qmem_blocks none = { 0 };
	const struct proctable *table;
	struct procgroups *groups;
	const struct proc *p;
	size_t n = 0;

	PROCESSES({ .pid = 1, .comm = "a", .state = 'S' }, );
	procroot_links(MANY);
	procroot_start();
	procroot_tick();
	members("a", MANY);
	table = qmem_state(procroot_host.q, &proctable_service);
	ck_assert_int_eq(procgroups_new(procroot_host.q, PROCGROUP_COMM, &none, &groups), 0);
	/* one of before lives on */
	name_all(table, "all", false);
	ck_assert_int_eq(procgroups_update(procroot_host.q, groups, table), 0);
	name_all(table, "name", true);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(procgroups_update(procroot_host.q, groups, table), 0);
	proctable_each(table, p)
	{
		const struct procgroup *group = procgroups_at(groups, procgroups_of(groups, p));

		/* not an assertion for each: libcheck writes each into a file */
		n += group && !strcmp(group->name, p->comm) && group->members == 1;
	}
	ck_assert_uint_eq(n, MANY);
	ck_assert_uint_eq(groups_n(groups), 2 + MANY); /* and the kernel's, and the first one */
	name_all(table, "all", false);
	ck_assert_int_eq(procgroups_update(procroot_host.q, groups, table), 0);
	ck_assert_uint_eq(groups_n(groups), 2 + KEPT);
	p = proctable_first(table);
	ck_assert_uint_eq(procgroups_at(groups, procgroups_of(groups, p))->members, MANY);
	/* others get their places */
	name_all(table, "again", true);
	ck_assert_int_eq(procgroups_update(procroot_host.q, groups, table), 0);
	ck_assert_uint_eq(groups_n(groups), 1 + MANY + KEPT);
	ck_assert_uint_le(procgroups_capacity(groups), 2 + MANY + KEPT);
	/* what they have taken is given back, slowly */
	name_all(table, "all", false);
	for (int i = 0; i < SLOWLY; i++)
		ck_assert_int_eq(procgroups_update(procroot_host.q, groups, table), 0);
	ck_assert_uint_le(procgroups_capacity(groups), 3 * KEPT);
	procgroups_free(groups);
}
END_TEST

static void see(struct grouptable *table, const char *prefix, int i)
{
	struct procgroup *group;
	uint32_t index;
	char name[16];

	snprintf(name, sizeof(name), "%s%d", prefix, i);
	index = grouptable_find_or_add(table, name, PROCGROUP_NAMED);
	group = &table->groups[index];
	group->members++;
	group->round = table->round;
}

/* After a burst the table becomes small again, also while many come and go: they do not hand on the last places to each other. */
START_TEST(burst_among_many)
{
	enum { MANY = 20000, FEW = 300, LIFE = 20 };
	struct grouptable table = { .key = sip_key_new() };

	for (int round = 1; round < 1000; round++) {
		table.round = (uint64_t)round;
		table.now = table.round * QMEM_SECOND;
		for (size_t i = 0; i < table.n; i++)
			table.groups[i].members = 0;
		for (int i = 0; round == 2 && i < MANY; i++)
			see(&table, "burst", i);
		for (int i = 0; i < FEW; i++)
			see(&table, "few", i + FEW * ((round + i) / LIFE));
		grouptable_forget(&table);
	}
	ck_assert_uint_le(table.n, 3 * FEW);
	ck_assert_uint_le(table.room, 4096);
	grouptable_release(&table);
}
END_TEST

/* All have a new name in each round: as many are remembered as there are, and a few. */
START_TEST(all_rename_themselves)
{
	enum { N = 1500 };
	const struct qmem_blocks none = { 0 };
	const struct proctable *table;
	struct procgroups *groups;

	PROCESSES({ .pid = 1, .comm = "a", .state = 'S' }, );
	procroot_links(N);
	procroot_start();
	procroot_tick();
	table = qmem_state(procroot_host.q, &proctable_service);
	ck_assert_int_eq(procgroups_new(procroot_host.q, PROCGROUP_COMM, &none, &groups), 0);
	for (int i = 0; i < 200; i++) {
		const char name[3] = { (char)('a' + i % 26), (char)('a' + i / 26) };
		const struct proc *p;
		size_t wrong = 0;

		name_all(table, name, true);
		ck_assert_int_eq(procgroups_update(procroot_host.q, groups, table), 0);
		ck_assert_uint_le(procgroups_capacity(groups), 2 * N + KEPT + 1);
		ck_assert_uint_le(groups_n(groups), N + KEPT + 1);
		proctable_each(table, p)
		{
			const struct procgroup *group = procgroups_at(groups, procgroups_of(groups, p));

			wrong += !group || strcmp(group->name, p->comm) != 0 || group->members != 1;
		}
		ck_assert_uint_eq(wrong, 0);
	}
	procgroups_free(groups);
}
END_TEST

/* What was read before an exec tells nothing of what came after it. */
START_TEST(exec_while_asked)
{
	rule("old", "Cmdline", "old");
	rule("new", "Cmdline", "new");
	PROCESSES({ .pid = 3, .comm = "sh", .state = 'S' }, );
	procroot_put("proc/3/cmdline", "old");
	procroot_start();
	procroot_host.hold_jobs = true;
	procroot_tick();
	members("sh", 1);
	PROCESSES({ .pid = 3, .comm = "x", .state = 'S' }, );
	procroot_put("proc/3/cmdline", "old"); /* the worker has read it, and has not come back yet */
	procroot_tick();
	members("x", 1);
	ck_assert(recorder_work(&procroot_host));
	procroot_put("proc/3/cmdline", "new");
	procroot_tick();
	members("old", 0);
	members("x", 1);
	ck_assert(recorder_work(&procroot_host));
	procroot_tick();
	members("new", 1);
	absent("x");
}
END_TEST

/* A new parent is no other program. A new name may be one: it stays until that is known. */
START_TEST(reparented)
{
	rule("jobs", "Cmdline", "job");
	rule("named", "Comm", "z");
	PROCESSES({ .pid = 3, .ppid = 2, .comm = "job", .state = 'S' }, );
	procroot_start();
	procroot_tick();
	procroot_tick();
	members("jobs", 1);
	procroot_host.hold_jobs = true;
	PROCESSES({ .pid = 3, .ppid = 1, .comm = "job", .state = 'S' }, );
	procroot_tick();
	members("jobs", 1);
	ck_assert_ptr_null(procroot_host.jobs);
	PROCESSES({ .pid = 3, .ppid = 1, .comm = "x", .state = 'S' }, );
	procroot_tick();
	members("jobs", 1);
	ck_assert(recorder_work(&procroot_host));
	procroot_tick();
	members("jobs", 0);
	members("x", 1);
	PROCESSES({ .pid = 3, .ppid = 1, .comm = "z", .state = 'S' }, );
	procroot_tick();
	members("named", 1);
}
END_TEST

/* What two paths begin with does not make them one, however long that is; nor is a character cut that stands at the border. */
START_TEST(long_paths)
{
	char path[3000] = "/";
	int n = 0;

	procroot_set("procmem", "GroupBy", "exe");
	memset(path + 1, 'x', sizeof(path) - 2);
	memcpy(path + 175, "\xc3\xbc", 2);
	for (int i = 3; i <= 4; i++) {
		path[sizeof(path) - 2] = (char)('0' + i);
		procroot_put(i == 3 ? "proc/3/comm" : "proc/4/comm", "a");
		ck_assert_int_eq(symlink(path, procroot_path(i == 3 ? "proc/3/exe" : "proc/4/exe")), 0);
	}
	PROCESSES({ .pid = 3, .comm = "a", .state = 'S' }, { .pid = 4, .comm = "b", .state = 'S' }, );
	procroot_start();
	procroot_tick();
	for (const char *at = procroot_tick(); (at = strstr(at, "procmem.processes.count[/xxx")); at++, n++)
		ck_assert_int_eq(strncmp(strchr(at, '~') - 1, "x~", 2), 0);
	ck_assert_int_eq(n, 2);
}
END_TEST

/* A thread that names itself after what it does; where execs are counted, that is not even asked about. */
START_TEST(renamed)
{
	procroot_set("procmem", "GroupBy", "exe");
	PROCESSES({ .pid = 3, .comm = "a", .state = 'S' }, );
	ck_assert_int_eq(symlink("/usr/bin/a (deleted)", procroot_path("proc/3/exe")), 0);
	procroot_start();
	procroot_tick();
	absent("a");
	procroot_tick();
	members("/usr/bin/a", 1);
	procroot_host.hold_jobs = true;
	PROCESSES({ .pid = 3, .comm = "b", .state = 'S' }, );
	procroot_tick();
	members("/usr/bin/a", 1);
	absent("b");
	ck_assert(recorder_work(&procroot_host));
	/* as a back end that counts execs does it */
	proc_of(3)->execs = 5;
	PROCESSES({ .pid = 3, .comm = "c", .state = 'S' }, );
	procroot_tick();
	recorder_work(&procroot_host);
	for (int i = 0; i < 3; i++) {
		PROCESSES({ .pid = 3, .comm = i & 1 ? "c" : "d", .state = 'S' }, );
		procroot_tick();
		members("/usr/bin/a", 1);
		ck_assert_ptr_null(procroot_host.jobs);
	}
	proc_of(3)->execs = 6;
	PROCESSES({ .pid = 3, .comm = "e", .state = 'S' }, );
	procroot_tick();
	ck_assert_ptr_nonnull(procroot_host.jobs);
}
END_TEST

/* Where nobody counts execs, another stack tells of one; that there is none any more does not. */
START_TEST(same_name)
{
	procroot_set("procmem", "GroupBy", "exe");
	PROCESSES({ .pid = 3, .comm = "a", .state = 'S', .startstack = 4096 }, );
	ck_assert_int_eq(symlink("/usr/bin/a", procroot_path("proc/3/exe")), 0);
	procroot_start();
	procroot_tick();
	procroot_tick();
	members("/usr/bin/a", 1);
	procroot_tick();
	ck_assert_ptr_null(procroot_host.jobs);
	ck_assert_int_eq(unlink(procroot_path("proc/3/exe")), 0);
	ck_assert_int_eq(symlink("/opt/a", procroot_path("proc/3/exe")), 0);
	procroot_host.hold_jobs = true;
	PROCESSES({ .pid = 3, .comm = "a", .state = 'S', .startstack = 8192 }, );
	procroot_tick();
	members("/usr/bin/a", 1);
	ck_assert(recorder_work(&procroot_host));
	procroot_tick();
	members("/opt/a", 1);
	PROCESSES({ .pid = 3, .comm = "a", .state = 'Z' }, );
	for (int i = 0; i < 3; i++) {
		procroot_tick();
		members("/opt/a", 1);
		ck_assert_ptr_null(procroot_host.jobs);
	}
}
END_TEST

/* A move to another cgroup is seen, also if it was in a round of the table that was not procmem's. */
START_TEST(moved_meanwhile)
{
	procroot_set("procmem", "GroupBy", "cgroup");
	procroot_set("procmem", "Interval", "2s");
	procroot_set("proctable", "Enabled", "yes"); /* every second */
	PROCESSES({ .pid = 1, .comm = "a", .state = 'S', .cgroup = "/one" }, );
	procroot_start();
	procroot_tick();
	members("/one", 1);
	/* as a back end that knows cgroups does it */
	proc_of(1)->cgroups = 7;
	PROCESSES({ .pid = 1, .comm = "a", .state = 'S', .cgroup = "/two" }, );
	procroot_tick();
	absent("/two");
	procroot_tick();
	members("/two", 1);
	absent("/one");
}
END_TEST

/* Back ends that do not know cgroups: a move is seen some time, and once. */
START_TEST(moved_unseen)
{
	int round = 0;

	rule("three", "Cgroup", "/three");
	procroot_set("procmem", "GroupBy", "cgroup");
	PROCESSES({ .pid = 1, .comm = "a", .state = 'S', .cgroup = "/one" },
		  { .pid = 2, .comm = "a", .state = 'S', .cgroup = "/one" }, );
	procroot_start();
	procroot_tick();
	members("/one", 2);
	procroot_put("proc/1/cgroup", "0::/two\n");
	procroot_put("proc/2/cgroup", "0::/three\n");
	do
		procroot_tick();
	while (procroot_value("procmem.processes.count[/one]") > 0 && ++round < 65);
	ck_assert_int_lt(round, 65);
	for (int i = 0; i < 3; i++)
		procroot_tick();
	members("/two", 1);
	members("three", 1);
}
END_TEST

/* So many files are read in a round, and no more. */
START_TEST(many_cgroups)
{
	procroot_set("procmem", "GroupBy", "cgroup");
	PROCESSES({ .pid = 1, .comm = "a", .state = 'S', .cgroup = "/one" }, );
	procroot_start();
	procroot_tick();
	for (int pid = 1001; pid <= 2000; pid++) {
		char name[64];

		snprintf(name, sizeof(name), "proc/%d/stat", pid);
		procroot_put(name, "%d (b) S 1 1 1 0 -1 0 5 0 6 0 1 1 0 0 20 0 1 0 9 4096000 100 0\n", pid);
		snprintf(name, sizeof(name), "proc/%d/cgroup", pid);
		procroot_put(name, "0::/two\n");
	}
	for (int i = 1; i <= 2; i++) {
		int64_t n;

		procroot_tick();
		n = procroot_value("procmem.processes.count[/two]") / 1000;
		/* a few are looked at again */
		ck_assert_msg(n <= 400 * i && n > 400 * i - 40, "%" PRId64, n);
	}
	procroot_tick();
	members("/two", 1000);
	members("/one", 1);
}
END_TEST

SUITE(procgroup)
{
	Suite *s = suite_create("procgroup");
	TCase *t = tcase_create("procgroup");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 300); /* emulated, or under a checker, all is slow */
	tcase_add_test(t, by_comm);
	tcase_add_test(t, no_rule);
	tcase_add_test(t, names_of_others);
	tcase_add_test(t, names_with_blanks);
	tcase_add_test(t, rules_in_vain);
	tcase_add_test(t, names_of_ones_own);
	tcase_add_test(t, rules_that_match_nothing);
	tcase_add_test(t, by_rules);
	tcase_add_test(t, by_user);
	tcase_add_test(t, by_number);
	tcase_add_test(t, many_users);
	tcase_add_test(t, by_unit);
	tcase_add_test(t, hybrid_units);
	tcase_add_test(t, hybrid_cgroups);
	tcase_add_test(t, hybrid_moves);
	tcase_add_test(t, nested_units);
	tcase_add_test(t, called_like_a_unit);
	tcase_add_test(t, called_like_a_path);
	tcase_add_test(t, by_cgroup);
	tcase_add_test(t, worker_is_stuck);
	tcase_add_test(t, stuck_at_one);
	tcase_add_test(t, stuck_at_users);
	tcase_add_test(t, worker_comes_later);
	tcase_add_test(t, brief);
	tcase_add_test(t, forgotten);
	tcase_add_test(t, shown_by_two);
	tcase_add_test(t, many);
	tcase_add_test(t, burst_among_many);
	tcase_add_test(t, all_rename_themselves);
	tcase_add_test(t, exec_while_asked);
	tcase_add_test(t, reparented);
	tcase_add_test(t, long_paths);
	tcase_add_test(t, renamed);
	tcase_add_test(t, same_name);
	tcase_add_test(t, moved_meanwhile);
	tcase_add_test(t, moved_unseen);
	tcase_add_test(t, many_cgroups);
	suite_add_tcase(s, t);
	return s;
}
