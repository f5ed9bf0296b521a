/* SPDX-License-Identifier: MIT */
/* The service on a root that changes from tick to tick. */
#include "unit.h"

#include <stdio.h>

#include "procroot.h"
#include "services.h"

#define HEADER "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
#define K 1024000 /* as procroot_value() has it */

static const struct qmem_service *const services[] = { &swap_service, NULL };

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

static void put_stat(const char *path, int sectors)
{
	procroot_put(path, "%8d        0 %8d %8d %8d        0 %8d %8d        0      656      656\n", sectors / 8,
		     sectors, sectors * 2, sectors / 8, 10 * sectors, sectors * 3);
}

/* ---- */

START_TEST(values)
{
	const char *said;

	procroot_put("proc/swaps",
		     HEADER "/dev/zram0                              partition\t2097148\t\t1228800\t\t100\n"
			    "/var/swap\\040file                       file\t\t1000\t\t10\t\t-2\n");
	put_stat("sys/block/zram0/stat", 800);
	procroot_set("swap", "Detail", "yes");
	procroot_start();
	said = procroot_tick();
	ck_assert_str_eq(said, "swap.space.used[zram0] 1258291200 bytes\n"
			       "swap.space.free[zram0] 889188352 bytes\n"
			       "swap.io.read[zram0] 409600 bytes total\n"
			       "swap.io.write[zram0] 4096000 bytes total\n"
			       "swap.wait.read[zram0] 1.600 seconds total\n"
			       "swap.wait.write[zram0] 2.400 seconds total\n"
			       "swap.order.priority[zram0] 100 level\n"
			       "swap.space.used[/var/swap file] 10240 bytes\n"
			       "swap.space.free[/var/swap file] 1013760 bytes\n"
			       "swap.order.priority[/var/swap file] -2 level\n"
			       "collected swap every 1000 ms\n");
	ck_assert_str_eq(note(), "");
	put_stat("sys/block/zram0/stat", 1600);
	procroot_tick();
	ck_assert_int_eq(procroot_value("swap.io.read[zram0]"), 1600 * 512000);
}
END_TEST

/* Nothing, then a device, then nothing again: no chart, no error, no line in the log. */
START_TEST(comes_and_goes)
{
	const char *said;

	procroot_put("proc/swaps", HEADER);
	procroot_start();
	ck_assert_str_eq(note(), "none so far: nothing is swapped to");
	said = procroot_tick();
	ck_assert_str_eq(said, "collected swap every 1000 ms\n");
	procroot_put("proc/swaps", HEADER "/dev/sda2 partition\t100\t\t4\t\t-2\n");
	put_stat("sys/class/block/sda2/stat", 80);
	procroot_tick();
	ck_assert_int_eq(procroot_value("swap.space.used[sda2]"), 4 * K);
	ck_assert_int_eq(procroot_value("swap.io.write[sda2]"), 800 * 512000);
	ck_assert_str_eq(note(), "");
	procroot_put("proc/swaps", HEADER);
	said = procroot_tick();
	ck_assert_str_eq(said, "collected swap every 1000 ms\n");
	ck_assert_str_eq(note(), "none so far: nothing is swapped to");
}
END_TEST

START_TEST(no_swap)
{
	struct qmem_status status;

	ck_assert_int_ne(qmem_start(procroot_host.q, QMEM_SECOND, QMEM_SECOND, procroot_now), 0);
	ck_assert(qmem_status(procroot_host.q, 0, &status));
	ck_assert(!status.on);
	ck_assert_str_eq(status.reason, "this kernel has no swap: no '/proc/swaps'");
}
END_TEST

/* Of two files that are gone under one name neither is lost. */
START_TEST(removed_files)
{
	procroot_put("proc/swaps", HEADER "/swap\\040(deleted) file\t\t100\t\t8\t\t-2\n"
					  "/swap\\040(deleted) file\t\t200\t\t4\t\t-3\n"
					  "/dev/x\\040(deleted) partition\t\t200\t\t4\t\t-4\n");
	procroot_start();
	procroot_tick();
	ck_assert_int_eq(procroot_value("swap.space.used[/swap (deleted)]"), 12 * K);
	ck_assert_int_eq(procroot_value("swap.space.free[/swap (deleted)]"), 288 * K);
	ck_assert_str_eq(note(), "swaps to a removed file: '/swap (deleted)'");
}
END_TEST

/* A name with a slash, as of old RAID controllers; and none that leads out of its directory. */
START_TEST(names)
{
	procroot_put("proc/swaps", HEADER "/dev/cciss/c0d0p2 partition\t100\t\t8\t\t-2\n"
					  "/dev/../sys/kernel partition\t100\t\t7\t\t-3\n"
					  "/dev/ partition\t100\t\t6\t\t-4\n");
	put_stat("sys/class/block/cciss!c0d0p2/stat", 8);
	put_stat("sys/kernel/stat", 8);
	procroot_start();
	procroot_tick();
	ck_assert_int_eq(procroot_value("swap.io.read[cciss/c0d0p2]"), 8 * 512000);
	ck_assert_int_eq(procroot_value("swap.space.used[../sys/kernel]"), 7 * K);
	ck_assert_int_eq(procroot_value("swap.io.read[../sys/kernel]"), -1);
	ck_assert_int_eq(procroot_value("swap.space.used[/dev/]"), 6 * K);
}
END_TEST

START_TEST(top)
{
	procroot_put("proc/swaps", HEADER "/dev/a partition\t100\t\t8\t\t-2\n"
					  "/dev/b partition\t100\t\t30\t\t-3\n"
					  "/dev/c partition\t100\t\t2\t\t-4\n");
	procroot_set("swap", "Top", "1");
	procroot_set("swap", "Detail", "yes");
	procroot_start();
	procroot_tick();
	ck_assert_int_eq(procroot_value("swap.space.used[b]"), 30 * K);
	ck_assert_int_eq(procroot_value("swap.space.used[other]"), 10 * K);
	ck_assert_int_eq(procroot_value("swap.space.free[other]"), 190 * K);
	/* a sum of priorities is none */
	ck_assert_int_eq(procroot_value("swap.order.priority[other]"), -1);
}
END_TEST

/* What is malformed costs its own value; more is used than there is; more areas than a kernel has. */
START_TEST(hostile)
{
	static char text[16384] = HEADER "/dev/a partition\tx\t\t8\t\t-2\n"
					 "/dev/b partition\t100\t\t300\t\t-3\n"
					 "nonsense\n";
	const char *said;

	procroot_put("proc/swaps", "%s", text);
	procroot_put("sys/block/a/stat", "what\n");
	HAS(procroot_start(), "log warning swap: '/proc/swaps': '/dev/a size' is malformed, and 1 more");
	said = procroot_tick();
	HAS(said, "log warning swap: '/sys/block/a/stat': 'reads' is malformed");
	ck_assert_int_eq(procroot_value("swap.space.used[a]"), 8 * K);
	ck_assert(procroot_value("swap.space.free[a]") == QMEM_NA);
	ck_assert_int_eq(procroot_value("swap.space.free[b]"), 0);
	for (int i = 0; i < 100; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "/dev/n%d partition\t100\t\t1\t\t-3\n", i);
	procroot_put("proc/swaps", "%s", text);
	said = procroot_tick();
	HAS(said, "log warning swap: more than 64 areas: the rest is left out");
	ck_assert_int_eq(procroot_value("swap.space.used[other]"), 59 * K);
	procroot_put("proc/swaps", "%s", "");
	procroot_tick();
	ck_assert_int_eq(procroot_value("swap.space.used[a]"), -1);
}
END_TEST

SUITE(swap)
{
	Suite *s = suite_create("swap");
	TCase *t = tcase_create("swap");

	tcase_add_checked_fixture(t, setup, procroot_end);
	tcase_add_test(t, values);
	tcase_add_test(t, comes_and_goes);
	tcase_add_test(t, no_swap);
	tcase_add_test(t, removed_files);
	tcase_add_test(t, names);
	tcase_add_test(t, top);
	tcase_add_test(t, hostile);
	suite_add_tcase(s, t);
	return s;
}
