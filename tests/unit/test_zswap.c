/* SPDX-License-Identifier: MIT */
/* The service on a root that changes from tick to tick. */
#include "unit.h"

#include <stdio.h>
#include <unistd.h>

#include "procroot.h"
#include "services.h"

#define M 1000 /* as procroot_value() has it */
#define PAGE sysconf(_SC_PAGESIZE)
#define MEMINFO "MemTotal: 8000000 kB\nSwapTotal: 8388604 kB\nSwapFree: 8183804 kB\n"

static const struct qmem_service *const services[] = { &zswap_service, NULL };

static void setup(void)
{
	procroot_begin(services);
}

static const char *note(void)
{
	static struct qmem_status status;

	ck_assert(qmem_status(procroot_host.q, 0, &status));
	return status.reason;
}

static void put_debug(const char *file, long number)
{
	char name[64];

	snprintf(name, sizeof(name), "sys/kernel/debug/zswap/%s", file);
	procroot_put(name, "%ld\n", number);
}

static void put_parameters(const char *enabled)
{
	procroot_put("sys/module/zswap/parameters/enabled", "%s\n", enabled);
	procroot_put("sys/module/zswap/parameters/max_pool_percent", "20\n");
}

/* ---- */

/* pool_total_size is in bytes, stored_pages in pages. */
START_TEST(units)
{
	procroot_put("proc/meminfo", MEMINFO "Zswap: 25600 kB\nZswapped: 102400 kB\n");
	procroot_put("proc/vmstat", "zswpout 1\nzswpwb 128\n");
	put_parameters("Y");
	put_debug("stored_pages", 25600);
	put_debug("pool_total_size", 26214400);
	put_debug("written_back_pages", 128);
	put_debug("pool_limit_hit", 3);
	put_debug("reject_compress_poor", 61);
	procroot_start();
	procroot_tick();
	ck_assert_int_eq(procroot_value("zswap.ratio.compression"), 4 * M);
	ck_assert_int_eq(procroot_value("zswap.disk.used"), 102400 * 1024l * M);
	ck_assert_int_eq(procroot_value("zswap.fill.pool"), 1600);
	ck_assert_int_eq(procroot_value("zswap.rejected.compress_poor"), 61 * M);
	ck_assert_int_eq(procroot_value("zswap.rejected.limit"), 3 * M);
	ck_assert(procroot_value("zswap.rejected.alloc") == QMEM_NA);
	ck_assert(procroot_value("zswap.pages.same_filled") == QMEM_NA);
	/* meminfo and vmstat show it */
	ck_assert_int_eq(procroot_value("zswap.memory.pool"), -1);
	ck_assert_int_eq(procroot_value("zswap.written_back.pages"), -1);
	ck_assert_str_eq(note(), "");
}
END_TEST

START_TEST(old)
{
	procroot_put("proc/meminfo", MEMINFO);
	put_debug("stored_pages", 25600);
	put_debug("pool_total_size", 26214400);
	put_debug("same_filled_pages", 5120);
	put_debug("written_back_pages", 128);
	procroot_start();
	procroot_tick();
	ck_assert_int_eq(procroot_value("zswap.memory.pool"), 26214400l * M);
	ck_assert_int_eq(procroot_value("zswap.memory.stored"), 25600 * PAGE * M);
	ck_assert_int_eq(procroot_value("zswap.pages.same_filled"), 5120 * PAGE * M);
	ck_assert_int_eq(procroot_value("zswap.written_back.pages"), 128 * M);
	ck_assert_int_eq(procroot_value("zswap.disk.used"), (204800 * 1024l - 25600 * PAGE) * M);
	/* what it may take is not known */
	ck_assert(procroot_value("zswap.fill.pool") == QMEM_NA);
}
END_TEST

/* Without rights, all but what only debugfs has. */
START_TEST(no_debugfs)
{
	procroot_put("proc/meminfo", MEMINFO "Zswap: 25600 kB\nZswapped: 102400 kB\n");
	put_parameters("Y");
	procroot_start();
	ck_assert_str_eq(note(),
			 "not why pages are rejected: /sys/kernel/debug/zswap cannot be read: debugfs is not mounted");
	procroot_tick();
	ck_assert_int_eq(procroot_value("zswap.ratio.compression"), 4 * M);
	ck_assert(procroot_value("zswap.rejected.limit") == QMEM_NA);
	put_debug("stored_pages", 25600);
	put_debug("pool_limit_hit", 3);
	for (int i = 0; i < 61; i++)
		procroot_tick();
	ck_assert_int_eq(procroot_value("zswap.rejected.limit"), 3 * M);
	ck_assert_str_eq(note(), "");
}
END_TEST

/* Not enabled; enabled without swap; with it; full, and disabled, while what is in it stays. */
START_TEST(comes_and_goes)
{
	const char *said;

	procroot_put("proc/meminfo",
		     "MemTotal: 8000000 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\nZswap: 0 kB\nZswapped: 0 kB\n");
	put_parameters("N");
	procroot_start();
	ck_assert_str_eq(note(), "none so far: zswap is not enabled");
	said = procroot_tick();
	ck_assert_str_eq(said, "collected zswap every 1000 ms\n");
	put_parameters("Y");
	said = procroot_tick();
	ck_assert_str_eq(said, "collected zswap every 1000 ms\n");
	ck_assert_str_eq(note(), "none so far: there is no swap");
	procroot_put("proc/meminfo", MEMINFO "Zswap: 0 kB\nZswapped: 0 kB\n");
	procroot_tick();
	ck_assert_int_eq(procroot_value("zswap.disk.used"), 204800 * 1024l * M);
	ck_assert(procroot_value("zswap.ratio.compression") == QMEM_NA);
	ck_assert_int_eq(procroot_value("zswap.fill.pool"), 0);
	procroot_put("proc/meminfo", MEMINFO "Zswap: 2000000 kB\nZswapped: 200 kB\n");
	put_parameters("N");
	procroot_tick();
	/* more than there may be is all of it */
	ck_assert_int_eq(procroot_value("zswap.fill.pool"), 100 * M);
	ck_assert_int_eq(procroot_value("zswap.ratio.compression"), 0);
	procroot_put("proc/meminfo", MEMINFO "Zswap: 0 kB\nZswapped: 0 kB\n");
	said = procroot_tick();
	ck_assert_str_eq(said, "collected zswap every 1000 ms\n");
}
END_TEST

START_TEST(no_zswap)
{
	struct qmem_status status;

	procroot_put("proc/meminfo", MEMINFO);
	ck_assert_int_ne(qmem_start(procroot_host.q, QMEM_SECOND, QMEM_SECOND, procroot_now), 0);
	ck_assert(qmem_status(procroot_host.q, 0, &status));
	ck_assert_str_eq(status.reason, "this kernel has no zswap: no '/sys/module/zswap/parameters/enabled'");
}
END_TEST

SUITE(zswap)
{
	Suite *s = suite_create("zswap");
	TCase *t = tcase_create("zswap");

	tcase_add_checked_fixture(t, setup, procroot_end);
	tcase_add_test(t, units);
	tcase_add_test(t, old);
	tcase_add_test(t, no_debugfs);
	tcase_add_test(t, comes_and_goes);
	tcase_add_test(t, no_zswap);
	suite_add_tcase(s, t);
	return s;
}
