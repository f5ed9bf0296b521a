/* SPDX-License-Identifier: MIT */
/* Memory of sockets by cgroup, on trees of directories. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "procroot.h"
#include "services.h"

static const struct qmem_service *const services[] = { &sockstat_service, NULL };

/* `sock` with all below it, as the kernel has it. */
static void put(const char *path, const char *sock)
{
	char name[1024];

	snprintf(name, sizeof(name), "sys/fs/cgroup%s/memory.stat", path);
	procroot_put(name, "anon 4096\nfile 8192\nkernel 77\nsock %s\nsocket 9\nslab 1\n", sock);
}

static void setup(void)
{
	procroot_begin(services);
	procroot_put("proc/1/net/sockstat", "sockets: used 9\nTCP: inuse 1 orphan 0 tw 0 alloc 1 mem 3\n");
	procroot_put("sys/fs/cgroup/cgroup.controllers", "cpu memory\n");
	procroot_set("sockstat", "TopCgroups", "2");
}

static void teardown(void)
{
	procroot_host.hold_jobs = false;
	procroot_end();
}

static int64_t sock(const char *name)
{
	char metric[512];

	snprintf(metric, sizeof(metric), "sockstat.cgroup.sock[%s]", name);
	return procroot_value(metric);
}

static void wait(int seconds)
{
	while (seconds--)
		procroot_tick();
}

static void put_tree(void)
{
	put("/system.slice", "9000");
	put("/system.slice/web.service", "5000");
	put("/system.slice/db.service", "3000");
	put("/kube", "700");
	put("/kube/pod", "700");
	put("/kube/pod/a", "600");
	put("/kube/pod/b", "100");
	/* without the controller: it is accounted above it */
	procroot_put("sys/fs/cgroup/kube/pod/b/inner/cgroup.procs", "%s", "");
	put("/kube/pod/b/inner/odd", "9999");
}

/* Each its own, so that all together are what there is; the outermost one's file is of no use. */
START_TEST(own)
{
	procroot_put("sys/fs/cgroup/memory.stat", "sock 123456\n");
	put_tree();
	procroot_start();
	procroot_tick();
	ck_assert_int_eq(sock("/system.slice/web.service"), 5000000);
	ck_assert_int_eq(sock("/system.slice/db.service"), 3000000);
	ck_assert_int_eq(sock("other"), 1700000);
	/* one that has more comes to its place, and what is no more is no more */
	procroot_remove("sys/fs/cgroup/system.slice/web.service");
	put("/system.slice", "3100");
	put("/kube", "800000");
	put("/kube/pod", "800000");
	put("/kube/pod/a", "700000");
	wait(29);
	ck_assert_int_eq(sock("/system.slice/web.service"), 5000000);
	wait(2);
	ck_assert_int_eq(sock("/system.slice/web.service"), -1);
	ck_assert_int_eq(sock("/kube/pod/a"), 700000000);
	wait(120);
	ck_assert_int_eq(sock("other") + sock("/kube/pod/a") +
				 (sock("/system.slice/db.service") > 0 ? sock("/system.slice/db.service") : 0) +
				 (sock("/kube/pod") > 0 ? sock("/kube/pod") : 0),
			 803100000);
}
END_TEST

/* What is wrong with one is said once, costs its value alone, and what is below it is as it is. */
START_TEST(malformed)
{
	const char *said;

	put_tree();
	procroot_set("sockstat", "Detail", "no");
	procroot_start();
	put("/kube/pod", "7x");
	said = procroot_tick();
	HAS(said, "'/sys/fs/cgroup/kube/pod/memory.stat': 'sock' is malformed");
	ck_assert_int_eq(sock("/system.slice/web.service") + sock("/system.slice/db.service") + sock("other"), 9700000);
	for (int i = 0; i < 40; i++)
		HAS_NOT(procroot_tick(), "malformed");
	put("/kube/pod", "99999999999999999999");
	wait(31);
	put("/kube/pod", "700");
	for (int i = 0; i < 31; i++) {
		said = procroot_tick();
		if (strstr(said, "is sound again"))
			break;
	}
	HAS(said, "log info sockstat: each memory.stat of a cgroup is sound again");
}
END_TEST

/* On v1, and where the kernel does not tell: nothing, which is said once. */
START_TEST(none)
{
	static const char *const trees[] = { "sys/fs/cgroup/memory/a/memory.stat", "sys/fs/cgroup/a/memory.stat",
					     "sys/fs/cgroup/a/cgroup.procs" };
	const char *said;

	if (_i == 0)
		procroot_remove("sys/fs/cgroup/cgroup.controllers");
	procroot_put(trees[_i], "anon 1\nsocket 5\n");
	procroot_start();
	said = procroot_tick();
	HAS(said, "TopCgroups");
	HAS(said, "finds no cgroup of v2 whose memory.stat has 'sock'");
	ck_assert_int_eq(sock("other"), -1);
	ck_assert_int_eq(procroot_value("sockstat.sockets.tcp"), 1000);
	for (int i = 0; i < 65; i++)
		HAS_NOT(procroot_tick(), "memory.stat");
}
END_TEST

/* They are not looked at unless that is asked for. */
START_TEST(off)
{
	put_tree();
	procroot_set("sockstat", "TopCgroups", "0");
	procroot_host.hold_jobs = true;
	procroot_start();
	procroot_tick();
	ck_assert_ptr_null(procroot_host.jobs);
	ck_assert_int_eq(sock("other"), -1);
}
END_TEST

/* More than there may be, deeper than that and with longer names: the sum is what there is all the same. */
START_TEST(bounds)
{
	char path[1024] = "/a", name[600];
	long sum = 0, held;
	const char *said;

	for (int i = 0; i < 40; i++) {
		put(path, "1000");
		strcat(path, "/d");
	}
	for (int i = 0; i < 1200; i++) {
		snprintf(name, sizeof(name), "/many/%d", i);
		put(name, "1");
	}
	put("/many", "1200");
	memset(name, 'x', 200);
	name[0] = '/';
	name[200] = '\0';
	put(name, "50");
	snprintf(name + 200, sizeof(name) - 200, "%s", "/");
	memset(name + 201, 'y', 100);
	name[301] = '\0';
	put(name, "40");
	procroot_set("sockstat", "TopCgroups", "1000");
	procroot_start();
	said = procroot_tick();
	for (const char *at = said; (at = strstr(at, "sockstat.cgroup.sock[")); at++) {
		held = strtol(strchr(at, ' ') + 1, NULL, 10);
		ck_assert_int_ge(held, 0);
		sum += held;
	}
	ck_assert_int_eq(sum, 2250);
	ck_assert_ptr_null(strstr(said, "left out"));
	ck_assert_ptr_null(strstr(said, "yyy"));
}
END_TEST

/* Those that are in no other one are each their own: of very many some are left out, and that is said once. */
START_TEST(very_many)
{
	char name[64];

	for (int i = 0; i < 1500; i++) {
		snprintf(name, sizeof(name), "/%d", i);
		put(name, "1");
	}
	procroot_start();
	HAS(procroot_tick(), "some is left out");
	ck_assert_int_eq(sock("other"), 1280000 - 2000);
	for (int i = 0; i < 31; i++)
		HAS_NOT(procroot_tick(), "left out");
}
END_TEST

/* A look that does not come back: nothing old is shown, and it is asked for once. */
START_TEST(stuck)
{
	put_tree();
	procroot_start();
	procroot_tick();
	ck_assert_int_eq(sock("/system.slice/web.service"), 5000000);
	procroot_host.hold_jobs = true;
	for (int i = 0; i < 150; i++) {
		qmem_dispatch(procroot_host.q, NULL, 0, procroot_now);
		procroot_tick();
	}
	ck_assert_int_eq(sock("/system.slice/web.service"), -1);
	ck_assert_ptr_nonnull(procroot_host.left);
	ck_assert_ptr_null(procroot_host.left->next);
	ck_assert_ptr_null(procroot_host.jobs);
	ck_assert(recorder_come_back(&procroot_host));
	procroot_host.hold_jobs = false;
	wait(31);
	ck_assert_int_eq(sock("/system.slice/web.service"), 5000000);
}
END_TEST

/* One that took long is not made again so soon. */
START_TEST(cost)
{
	put_tree();
	procroot_host.hold_jobs = true;
	procroot_start();
	procroot_tick();
	ck_assert(procroot_work(QMEM_SECOND));
	wait(190);
	ck_assert_ptr_null(procroot_host.jobs);
	wait(20);
	ck_assert_ptr_nonnull(procroot_host.jobs);
}
END_TEST

SUITE(sockstat_cgroup)
{
	Suite *s = suite_create("sockstat_cgroup");
	TCase *t = tcase_create("sockstat_cgroup");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, own);
	tcase_add_test(t, malformed);
	tcase_add_loop_test(t, none, 0, 3);
	tcase_add_test(t, off);
	tcase_add_test(t, bounds);
	tcase_add_test(t, very_many);
	tcase_add_test(t, stuck);
	tcase_add_test(t, cost);
	suite_add_tcase(s, t);
	return s;
}
