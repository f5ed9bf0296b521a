/* SPDX-License-Identifier: MIT */
/* The service on a root that changes from tick to tick. */
#include "unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "procroot.h"
#include "services.h"

#define M 1000 /* as procroot_value() has it */
#define NOTHING "        0        0        0        0        0        0        0        0        0"

static const struct qmem_service *const services[] = { &zram_service, NULL };

static void setup(void)
{
	procroot_begin(services);
	procroot_put("sys/block/vda/stat", "0\n");
}

static const char *note(void)
{
	static struct qmem_status status;

	ck_assert(qmem_status(procroot_host.q, 0, &status));
	return status.reason;
}

static void put(int n, const char *file, const char *text)
{
	char name[64];

	snprintf(name, sizeof(name), "sys/block/zram%d/%s", n, file);
	procroot_put(name, "%s\n", text);
}

static void device(int n, int64_t size, const char *mm_stat)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64, size);
	put(n, "disksize", text);
	put(n, "mm_stat", mm_stat);
}

/* ---- */

/* Number 2 is missing, number 1 is of an older kernel, number 4 is not set up. */
START_TEST(gap)
{
	device(0, 2147483648, "419430400 104857600 115343360        0 209715200    25600       12       40       41");
	device(1, 1073741824, "209715200 52428800 56623104        0 60817408      100        5");
	device(3, 1073741824, "104857600 26214400 28311552        0 28311552        0        0        0        0");
	device(4, 0, NOTHING);
	procroot_set("zram", "Detail", "yes");
	procroot_start();
	procroot_tick();
	ck_assert_int_eq(procroot_value("zram.total.stored"), 734003200ll * M);
	ck_assert_int_eq(procroot_value("zram.total.compressed"), 183500800ll * M);
	ck_assert_int_eq(procroot_value("zram.total.cost"), 200278016ll * M);
	ck_assert_int_eq(procroot_value("zram.ratio.compression"), 4 * M);
	ck_assert_int_eq(procroot_value("zram.ratio.effective"), 3660);
	/* the peak is apart */
	ck_assert_int_eq(procroot_value("zram.limit.peak[zram0]"), 209715200ll * M);
	ck_assert_int_eq(procroot_value("zram.data.cost[zram0]"), 115343360ll * M);
	ck_assert_int_eq(procroot_value("zram.compression.ratio[zram1]"), 4 * M);
	ck_assert(procroot_value("zram.limit.limit[zram0]") == QMEM_NA);
	ck_assert_int_eq(procroot_value("zram.limit.size[zram0]"), 2147483648ll * M);
	ck_assert_int_eq(procroot_value("zram.pages.incompressible[zram0]"), 40 * sysconf(_SC_PAGESIZE) * M);
	ck_assert_int_eq(procroot_value("zram.pages.same[zram0]"), 25600 * sysconf(_SC_PAGESIZE) * M);
	ck_assert(procroot_value("zram.pages.incompressible[zram1]") == QMEM_NA);
	ck_assert_int_eq(procroot_value("zram.pages.same[zram1]"), 100 * sysconf(_SC_PAGESIZE) * M);
	ck_assert_int_eq(procroot_value("zram.data.stored[zram4]"), -1);
	ck_assert_str_eq(note(), "zram0, zram1, zram3");
}
END_TEST

START_TEST(all_files)
{
	device(0, 1 << 30, "40960 8192 12288 65536 16384 0 7 2 3");
	put(0, "bd_stat", "       5       10       20");
	put(0, "io_stat", "       1        2 0       99");
	put(0, "comp_algorithm", "lzo [lzo-rle] lz4 ");
	procroot_set("zram", "Detail", "yes");
	procroot_start();
	procroot_tick();
	ck_assert_int_eq(procroot_value("zram.pages.written_back[zram0]"), 5 * 4096 * M);
	ck_assert_int_eq(procroot_value("zram.backing.read[zram0]"), 10 * 4096 * M);
	ck_assert_int_eq(procroot_value("zram.backing.write[zram0]"), 20 * 4096 * M);
	ck_assert_int_eq(procroot_value("zram.limit.limit[zram0]"), 65536 * M);
	ck_assert_int_eq(procroot_value("zram.compaction.freed[zram0]"), 7 * M);
	/* what had failed before is not told as of now */
	ck_assert_int_eq(procroot_value("zram.failed.read"), 0);
	ck_assert_str_eq(note(), "zram0 lzo-rle");
	put(0, "io_stat", "       1        5 0       99");
	procroot_tick();
	ck_assert_int_eq(procroot_value("zram.failed.write"), 3 * M);
	/* it is made anew, and nothing falls */
	put(0, "io_stat", "       0        1 0        0");
	procroot_tick();
	ck_assert_int_eq(procroot_value("zram.failed.write"), 3 * M);
	put(0, "io_stat", "       0        2 0        0");
	procroot_tick();
	ck_assert_int_eq(procroot_value("zram.failed.write"), 4 * M);
}
END_TEST

/* No module; then a device without a size, with one, with something in it; reset; gone. */
START_TEST(comes_and_goes)
{
	const char *said;

	procroot_start();
	ck_assert_str_eq(note(), "none so far: no device of zram has a size");
	said = procroot_tick();
	ck_assert_str_eq(said, "collected zram every 1000 ms\n");
	device(7, 0, NOTHING);
	for (int i = 0; i < 12; i++)
		said = procroot_tick();
	ck_assert_str_eq(said, "collected zram every 1000 ms\n");
	device(7, 1 << 20, NOTHING);
	procroot_tick();
	ck_assert_int_eq(procroot_value("zram.total.stored"), 0);
	ck_assert(procroot_value("zram.ratio.compression") == QMEM_NA);
	ck_assert_int_eq(procroot_value("zram.data.cost[zram7]"), 0);
	ck_assert_str_eq(note(), "zram7");
	device(7, 1 << 20, "8192 4096 4096 0 4096 0 0 0 0");
	procroot_tick();
	ck_assert_int_eq(procroot_value("zram.ratio.effective"), 2 * M);
	device(7, 0, NOTHING);
	said = procroot_tick();
	ck_assert_str_eq(said, "collected zram every 1000 ms\n");
	ck_assert_str_eq(note(), "none so far: no device of zram has a size");
	procroot_remove("sys/block/zram7");
	for (int i = 0; i < 12; i++)
		said = procroot_tick();
	ck_assert_str_eq(said, "collected zram every 1000 ms\n");
}
END_TEST

START_TEST(top)
{
	for (int i = 0; i < 6; i++) {
		char text[64];

		snprintf(text, sizeof(text), "%d %d %d 0 90000 0 0 0 0", 40960 * i, 8192 * i, 10240 * i);
		device(i, 1 << 30, text);
	}
	/* like them, but not of them */
	procroot_put("sys/block/zram/mm_stat", "1 1 1 1 1 1 1 1\n");
	procroot_put("sys/block/zram1x/mm_stat", "1 1 1 1 1 1 1 1\n");
	procroot_put("sys/block/xzram1/mm_stat", "1 1 1 1 1 1 1 1\n");
	procroot_set("zram", "Top", "2");
	procroot_set("zram", "Detail", "yes");
	procroot_start();
	procroot_tick();
	ck_assert_int_eq(procroot_value("zram.total.cost"), 153600 * M);
	ck_assert_int_eq(procroot_value("zram.data.cost[zram5]"), 51200 * M);
	ck_assert_int_eq(procroot_value("zram.data.cost[zram3]"), -1);
	ck_assert_int_eq(procroot_value("zram.data.cost[other]"), 61440 * M);
	/* a ratio of the others' sums, and no sum of ratios */
	ck_assert_int_eq(procroot_value("zram.compression.ratio[other]"), 5 * M);
	ck_assert(procroot_value("zram.limit.peak[other]") == QMEM_NA);
}
END_TEST

START_TEST(hostile)
{
	const char *said;

	device(0, 1 << 20, "4096 x -1 0 99999999999999999999 0");
	put(1, "mm_stat", "4096 4096 4096 0 4096 0 0");
	procroot_start();
	said = procroot_tick();
	HAS(said, "log warning zram: '/sys/block/zram0/mm_stat': 'compr_data_size' is malformed, and 2 more");
	ck_assert_int_eq(procroot_value("zram.data.stored[zram0]"), 4096 * M);
	ck_assert(procroot_value("zram.data.cost[zram0]") == QMEM_NA);
	/* of a device whose size is not told nothing is */
	ck_assert_int_eq(procroot_value("zram.data.stored[zram1]"), -1);
	device(0, 1 << 20, "4096 4096 8192 0 4096 0 0 0 0 1 2 3");
	said = procroot_tick();
	HAS(said, "log info zram: '/sys/block/zram0/mm_stat' is sound again");
	ck_assert_int_eq(procroot_value("zram.ratio.effective"), 500);
}
END_TEST

START_TEST(no_block_devices)
{
	struct qmem_status status;

	procroot_remove("sys");
	ck_assert_int_ne(qmem_start(procroot_host.q, QMEM_SECOND, QMEM_SECOND, procroot_now), 0);
	ck_assert(qmem_status(procroot_host.q, 0, &status));
	ck_assert_str_eq(status.reason, "no '/sys/block'");
}
END_TEST

SUITE(zram)
{
	Suite *s = suite_create("zram");
	TCase *t = tcase_create("zram");

	tcase_add_checked_fixture(t, setup, procroot_end);
	tcase_add_test(t, gap);
	tcase_add_test(t, all_files);
	tcase_add_test(t, comes_and_goes);
	tcase_add_test(t, top);
	tcase_add_test(t, hostile);
	tcase_add_test(t, no_block_devices);
	suite_add_tcase(s, t);
	return s;
}
