/* SPDX-License-Identifier: MIT */
/* The service on made-up processes and a made-up /proc/stat. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "procroot.h"
#include "service/proctable.h"
#include "services.h"

static const struct qmem_service *const services[] = { &proctable_service, &cpuload_service, NULL };
static const char *text;

static void setup(void)
{
	procroot_begin(services);
	procroot_put("proc/loadavg", "0.13 1.18 22.20 2/94 8748\n");
	procroot_put("proc/stat", "cpu  100 200 300 400 500 600 700 800 20 30\nctxt 11\nprocesses 13\nprocs_running 2\n"
				  "procs_blocked 3\n");
}

#define PROCESSES(...) procroot_processes((const struct process[]){ __VA_ARGS__ { 0 } })
#define is(name, thousandths) ck_assert_int_eq(procroot_value("cpuload." name), (thousandths))

static void put_cpu(const char *columns)
{
	procroot_put("proc/stat", "cpu  %s\n", columns);
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

START_TEST(broken)
{
	procroot_start();
	text = procroot_tick();
	procroot_put("proc/loadavg", "nothing\n");
	text = procroot_tick();
	ck_assert_ptr_nonnull(strstr(text, "log warning cpuload: cannot read '/proc/loadavg'"));
	is("load.midterm", QMEM_NA);
	is("cpu.user", 800);
	procroot_put("proc/stat", "cpu  1 2\n");
	text = procroot_tick();
	is("cpu.user", -1);
	ck_assert_ptr_nonnull(strstr(text, "log warning cpuload: '/proc/stat' is not understood"));
	put_cpu("100 200 300 99999999999999999999");
	text = procroot_tick();
	is("cpu.idle", QMEM_NA);
	is("cpu.system", 3000);
	ck_assert_ptr_nonnull(strstr(text, "beyond 63 bits"));
}
END_TEST

Suite *cpuload_suite(void)
{
	Suite *suite = suite_create("cpuload");
	TCase *tests = tcase_create("cpuload");

	tcase_add_checked_fixture(tests, setup, procroot_end);
	tcase_add_test(tests, modes);
	tcase_add_test(tests, old_kernel);
	tcase_add_test(tests, falls);
	tcase_add_test(tests, broken);
	suite_add_tcase(suite, tests);
	return suite;
}
