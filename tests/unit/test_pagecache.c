/* SPDX-License-Identifier: MIT */
/* What is to be written: the arithmetic, and the service on a root that changes from tick to tick. */
#include "unit.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "procroot.h"
#include "service/pagecache_dirty.h"
#include "services.h"

#define NA QMEM_NA
#define PAGE INT64_C(4096)
#define MB (INT64_C(1) << 20)
#define SETTINGS_NONE ((struct dirty_settings){ NA, NA, NA, NA })
#define PAGES_NONE ((struct dirty_pages){ NA, NA, NA, NA, NA, NA, NA, NA, NA })

static const struct qmem_service *const services[] = { &pagecache_service, NULL };
static struct recorder *const r = &procroot_host;

/* ---- limits ---- */

static struct dirty derive(const struct dirty_pages *pages, const struct dirty_settings *settings)
{
	struct dirty d;

	memset(&d, 0x55, sizeof(d));
	dirty_derive(&d, pages, settings, PAGE);
	return d;
}

/* What the kernel says counts, whatever is set. */
START_TEST(kernels_own)
{
	struct dirty_pages p = PAGES_NONE;
	struct dirty_settings s = { 1, 1, 1, 1 };
	struct dirty d;

	p.hard = 1000;
	p.background = 500;
	p.dirty = 600;
	p.writeback = 300;
	d = derive(&p, &s);
	ck_assert_int_eq(d.hard, 1000 * PAGE);
	ck_assert_int_eq(d.background, 500 * PAGE);
	ck_assert_int_eq(d.throttle, 750 * PAGE);
	ck_assert_int_eq(d.backlog, 900 * PAGE);
	ck_assert_int_eq(d.of_background, 12000);
	ck_assert_int_eq(d.of_throttle, 12000);
	ck_assert_int_eq(d.of_hard, 9000);
	/* NFS before 5.8: written, and not for good */
	p.unstable = 100;
	d = derive(&p, &s);
	ck_assert_int_eq(d.backlog, 1000 * PAGE);
	ck_assert_int_eq(d.of_background, 14000);
}
END_TEST

static const struct {
	int64_t free, active, inactive;
	struct dirty_settings settings;
	int64_t hard, background; /* pages */
} settings_cases[] = {
	{ 6000, 3000, 1000, { 0, 20, 0, 10 }, 2000, 1000 },
	{ 6050, 3000, 1009, { 0, 20, 0, 10 }, 2011, 1005 },
	/* bytes go before a ratio, and are rounded up to pages */
	{ 6000, 3000, 1000, { 8192, 0, 4097, 0 }, 2, 2 / 2 },
	{ 6000, 3000, 1000, { 4096 * 100, 0, 0, 10 }, 100, 50 },
	{ NA, 3000, 1000, { 4096 * 100, 0, 4096, 0 }, 100, 1 },
	/* background is below the limit, or half of it */
	{ 6000, 3000, 1000, { 0, 10, 0, 10 }, 1000, 500 },
	{ 6000, 3000, 1000, { 0, 10, 0, 90 }, 1000, 500 },
	{ 6000, 3000, 1000, { 0, 0, 0, 0 }, 0, 0 },
	/* of what is not known there is no ratio */
	{ NA, 3000, 1000, { 0, 20, 0, 10 }, NA, NA },
	{ 6000, NA, 1000, { 0, 20, 0, 10 }, NA, NA },
	{ 6000, 3000, 1000, { NA, NA, NA, NA }, NA, NA },
	{ 6000, 3000, 1000, { 0, 101, 0, 10 }, NA, 1000 },
	/* no limit is more than 2^32 pages, nothing overflows */
	{ INT64_MAX, INT64_MAX, INT64_MAX, { 0, 20, 0, 10 }, NA, NA },
	{ INT64_MAX / 2, 0, 0, { 0, 20, 0, 10 }, UINT32_MAX, UINT32_MAX / 2 },
	{ 6000, 3000, 1000, { INT64_MAX, 0, INT64_MAX, 0 }, INT64_MAX / PAGE + 1, (INT64_MAX / PAGE + 1) / 2 },
};

START_TEST(of_settings)
{
	struct dirty_pages p = PAGES_NONE;
	struct dirty d;

	p.free = settings_cases[_i].free;
	p.active_file = settings_cases[_i].active;
	p.inactive_file = settings_cases[_i].inactive;
	d = derive(&p, &settings_cases[_i].settings);
	/* 2^51 pages are more than an int64 has bytes */
	if (settings_cases[_i].hard > INT64_MAX / PAGE)
		ck_assert(d.hard == NA);
	else
		ck_assert(d.hard == (settings_cases[_i].hard == NA ? NA : settings_cases[_i].hard * PAGE));
	ck_assert(d.background == (settings_cases[_i].background == NA ? NA : settings_cases[_i].background * PAGE));
	ck_assert(d.of_hard == NA && d.of_background == NA && d.of_throttle == NA && d.backlog == NA);
}
END_TEST

START_TEST(shares)
{
	struct dirty_pages p = PAGES_NONE;
	struct dirty d;

	p.hard = 0;
	p.background = 0;
	p.dirty = 5;
	p.writeback = 5;
	d = derive(&p, &SETTINGS_NONE);
	ck_assert(d.of_hard == NA && d.of_background == NA && d.hard == 0);
	p.hard = 1;
	p.dirty = INT64_MAX / PAGE / 2;
	d = derive(&p, &SETTINGS_NONE);
	ck_assert_int_eq(d.of_hard, 1000000000);
	p.writeback = NA;
	d = derive(&p, &SETTINGS_NONE);
	ck_assert(d.of_hard == NA && d.backlog == NA);
}
END_TEST

/* ---- how long it takes ---- */

static void pace(struct dirty_pace *w, int64_t written, int64_t writeback, uint64_t seconds)
{
	struct dirty_pages p = PAGES_NONE;

	p.written = written;
	p.writeback = writeback;
	dirty_pace(w, &p, seconds * QMEM_SECOND);
}

START_TEST(paces)
{
	struct dirty_pace w = { .when = 0 };

	ck_assert(dirty_time(&w, 1) == NA);
	ck_assert_int_eq(dirty_time(&w, 0), 0);
	ck_assert(dirty_time(&w, NA) == NA);
	pace(&w, 1000, 0, 1);
	ck_assert(dirty_time(&w, 1) == NA);
	/* nothing to write tells nothing */
	pace(&w, 1000, 0, 2);
	ck_assert(dirty_time(&w, 1) == NA);
	pace(&w, 1100, 0, 3);
	ck_assert_int_eq(dirty_time(&w, 200), 2 * (int64_t)QMEM_SECOND);
	pace(&w, 1100, 0, 300);
	ck_assert_int_eq(dirty_time(&w, 200), 2 * (int64_t)QMEM_SECOND);
	/* what is being written and does not come to an end does */
	for (uint64_t t = 301; t < 400; t++)
		pace(&w, 1100, 7, t);
	ck_assert_int_gt(dirty_time(&w, 200), 1000 * (int64_t)QMEM_SECOND);
	/* it follows */
	for (uint64_t t = 400; t < 600; t++)
		pace(&w, 1100 + 50 * (int64_t)(t - 399), 7, t);
	ck_assert_int_gt(dirty_time(&w, 200), (int64_t)(3.9 * 1e9));
	ck_assert_int_lt(dirty_time(&w, 200), (int64_t)(4.1 * 1e9));
	/* a counter that fell, or was not there, is no pace */
	pace(&w, 5, 7, 600);
	pace(&w, NA, 7, 601);
	pace(&w, 50, 7, 602);
	ck_assert_int_lt(dirty_time(&w, 200), (int64_t)(4.1 * 1e9));
	pace(&w, 60, 7, 602);
	ck_assert_int_lt(dirty_time(&w, 200), (int64_t)(4.1 * 1e9));
}
END_TEST

/* ---- the service ---- */

static void vmstat(int64_t dirty, int64_t writeback, int64_t written)
{
	procroot_put("proc/vmstat",
		     "nr_free_pages 1000\nnr_dirty %lld\nnr_writeback %lld\nnr_written %lld\n"
		     "nr_dirty_threshold 1000\nnr_dirty_background_threshold 500\n",
		     (long long)dirty, (long long)writeback, (long long)written);
}

static void setup(void)
{
	procroot_begin(services);
	vmstat(0, 0, 0);
}

static int64_t pages(int64_t n)
{
	return n * sysconf(_SC_PAGESIZE) * 1000;
}

START_TEST(values)
{
	vmstat(300, 100, 1000);
	procroot_start();
	procroot_tick();
	ck_assert_int_eq(procroot_value("pagecache.limit.background"), pages(500));
	ck_assert_int_eq(procroot_value("pagecache.limit.throttle"), pages(750));
	ck_assert_int_eq(procroot_value("pagecache.limit.hard"), pages(1000));
	ck_assert_int_eq(procroot_value("pagecache.dirty.background"), 60000);
	ck_assert_int_eq(procroot_value("pagecache.dirty.hard"), 40000);
	ck_assert_int_eq(procroot_value("pagecache.throttled.state"), 0);
	ck_assert(procroot_value("pagecache.backlog.time") == NA);
	vmstat(300, 100, 1200);
	procroot_tick();
	ck_assert_int_eq(procroot_value("pagecache.backlog.time"), 2000);
	vmstat(0, 0, 1600);
	procroot_tick();
	ck_assert_int_eq(procroot_value("pagecache.backlog.time"), 0);
}
END_TEST

START_TEST(without_limits)
{
	procroot_put("proc/vmstat",
		     "nr_dirty 10\nnr_writeback 0\nnr_free_pages 800\nnr_active_file 100\nnr_inactive_file 100\n");
	procroot_put("proc/sys/vm/dirty_bytes", "0\n");
	procroot_put("proc/sys/vm/dirty_ratio", "20\n");
	procroot_put("proc/sys/vm/dirty_background_bytes", "%ld\n", 50 * sysconf(_SC_PAGESIZE));
	procroot_put("proc/sys/vm/dirty_background_ratio", "0\n");
	procroot_start();
	procroot_tick();
	ck_assert_int_eq(procroot_value("pagecache.limit.hard"), pages(200));
	ck_assert_int_eq(procroot_value("pagecache.limit.background"), pages(50));
	/* a setting that is cut, or no number, is none */
	procroot_put("proc/sys/vm/dirty_ratio", "20");
	procroot_tick();
	ck_assert(procroot_value("pagecache.limit.hard") == NA);
	procroot_put("proc/sys/vm/dirty_ratio", "-20\n");
	procroot_tick();
	ck_assert(procroot_value("pagecache.limit.hard") == NA);
}
END_TEST

/* Alone as it is, nothing can run then. */
static const char *start_off(void)
{
	ck_assert_int_eq(qmem_start(r->q, QMEM_SECOND, QMEM_SECOND, procroot_now), -ENODEV);
	return recorder_take(r);
}

START_TEST(no_file)
{
	procroot_remove("proc/vmstat");
	ck_assert_ptr_nonnull(strstr(start_off(), "no '/proc/vmstat'"));
}
END_TEST

START_TEST(says_nothing)
{
	procroot_put("proc/vmstat", "pgfault 1\npgmajfault 2\n");
	ck_assert_ptr_nonnull(strstr(start_off(), "'/proc/vmstat' says nothing of what is dirty"));
}
END_TEST

/* Broken at the start may be sound later. */
START_TEST(broken_at_first)
{
	procroot_put("proc/vmstat", "nr_dirty 1");
	procroot_start();
	ck_assert_ptr_nonnull(strstr(procroot_tick(), "cut off"));
	vmstat(300, 100, 1000);
	procroot_tick();
	ck_assert_int_eq(procroot_value("pagecache.dirty.hard"), 40000);
}
END_TEST

/* ---- the event ---- */

static const char *ticks(int n)
{
	const char *text = "";

	while (n-- > 0)
		text = procroot_tick();
	return text;
}

static bool has_event(const char *text)
{
	return strstr(text, "throttled") && strstr(text, "writes");
}

START_TEST(event)
{
	const char *text;

	procroot_put("proc/sys/vm/dirty_bytes", "0\n");
	procroot_put("proc/sys/vm/dirty_ratio", "20\n");
	procroot_start();
	vmstat(700, 0, 1000);
	ck_assert(!has_event(ticks(20)));
	vmstat(700, 100, 1010);
	/* for ten seconds nobody is told */
	for (int i = 0; i < 10; i++)
		ck_assert(!has_event(procroot_tick()));
	text = procroot_tick();
	ck_assert_msg(has_event(text), "%s", text);
	ck_assert_ptr_nonnull(strstr(text, "who writes has to wait: "));
	ck_assert_ptr_nonnull(strstr(text, " 80 % of the limit of "));
	ck_assert_ptr_nonnull(strstr(text, "(vm.dirty_ratio 20 %); for 10 s"));
	ck_assert_ptr_nonnull(strstr(text, "; see vmstat.writeout"));
	ck_assert_int_eq(procroot_value("pagecache.throttled.state"), 1000);
	/* it lasts until it is well below */
	vmstat(630, 0, 1100);
	ck_assert(!has_event(ticks(3)));
	ck_assert_int_eq(procroot_value("pagecache.throttled.state"), 1000);
	/* a value that is missing ends nothing */
	procroot_put("proc/vmstat", "nr_dirty 1\n");
	ck_assert(!has_event(procroot_tick()));
	ck_assert_int_eq(procroot_value("pagecache.throttled.state"), 1000);
	vmstat(620, 0, 1200);
	text = procroot_tick();
	ck_assert_ptr_nonnull(strstr(text, "who writes need not wait any more: "));
	ck_assert_int_eq(procroot_value("pagecache.throttled.state"), 0);
	ck_assert(!has_event(ticks(20)));
}
END_TEST

/* A short burst is no event, and what flaps begins anew. */
START_TEST(bursts)
{
	procroot_start();
	for (int i = 0; i < 10; i++) {
		vmstat(900, 0, 1000);
		ck_assert(!has_event(ticks(8)));
		vmstat(740, 0, 1000);
		ck_assert(!has_event(ticks(1)));
	}
}
END_TEST

/* ---- devices ---- */

static void stats(const char *id, int dirty, int writeback, int written)
{
	char path[64];

	snprintf(path, sizeof(path), "sys/kernel/debug/bdi/%s/stats", id);
	procroot_put(path,
		     "BdiWriteback: %d kB\nBdiReclaimable: %d kB\nBdiDirtyThresh: 77 kB\nBdiDirtied: 1 kB\n"
		     "BdiWritten: %d kB\nBdiWriteBandwidth: 100 kBps\n",
		     writeback, dirty, written);
}

START_TEST(devices)
{
	const char *text;

	stats("8:0", 500, 500, 1000);
	stats("8:16", 400, 0, 0);
	stats("0:52", 300, 0, 10);
	stats("7:0", 1, 0, 10);
	stats("7:1", 2, 0, 10);
	procroot_put("sys/dev/block/8:0/uevent", "MAJOR=8\nMINOR=0\nDEVNAME=sda\nDEVTYPE=disk\n");
	procroot_put("sys/dev/block/8:16/uevent", "DEVNAME=\n");
	procroot_set("pagecache", "Detail", "yes");
	procroot_start();
	procroot_tick();
	ck_assert_int_eq(procroot_value("pagecache.device.dirty[sda]"), 500 * 1024 * 1000);
	ck_assert_int_eq(procroot_value("pagecache.device.writeback[sda]"), 500 * 1024 * 1000);
	ck_assert_int_eq(procroot_value("pagecache.device.limit[sda]"), 77 * 1024 * 1000);
	ck_assert_int_eq(procroot_value("pagecache.write.written[sda]"), 1000 * 1024 * 1000);
	ck_assert_int_eq(procroot_value("pagecache.drain.time[sda]"), 10000);
	/* the rate of what has never been written to is a guess */
	ck_assert_int_eq(procroot_value("pagecache.device.dirty[8:16]"), 400 * 1024 * 1000);
	ck_assert(procroot_value("pagecache.drain.time[8:16]") == NA);
	ck_assert_int_eq(procroot_value("pagecache.device.dirty[0:52]"), 300 * 1024 * 1000);
	ck_assert_int_eq(procroot_value("pagecache.device.dirty[other]"), 3 * 1024 * 1000);
	/* each five seconds */
	stats("8:0", 600, 0, 1100);
	ticks(4);
	ck_assert_int_eq(procroot_value("pagecache.device.dirty[sda]"), 500 * 1024 * 1000);
	procroot_tick();
	ck_assert_int_eq(procroot_value("pagecache.device.dirty[sda]"), 600 * 1024 * 1000);
	ck_assert_int_eq(procroot_value("pagecache.write.written[sda]"), 1100 * 1024 * 1000);
	/* the event names the one that has most */
	vmstat(900, 0, 10);
	text = ticks(11);
	ck_assert_msg(strstr(text, "; most is for sda, 600.0 KiB;") != NULL, "%s", text);
}
END_TEST

/* For people it is made harmless, for programs it is as it is. */
START_TEST(device_name)
{
	const char *text;

	stats("8:0", 500, 500, 1000);
	procroot_put("sys/dev/block/8:0/uevent", "DEVNAME=a\tb\n");
	vmstat(900, 0, 10);
	procroot_start();
	text = ticks(11);
	ck_assert_msg(strstr(text, "; most is for a\\x09b, ") != NULL, "%s", text);
	ck_assert_msg(strstr(text, "device=a\\x09b\n") != NULL, "%s", text);
}
END_TEST

START_TEST(device_that_goes)
{
	stats("8:0", 500, 0, 1000);
	stats("8:16", 400, 0, 1000);
	procroot_start();
	procroot_tick();
	ck_assert_int_eq(procroot_value("pagecache.device.dirty[8:16]"), 400 * 1024 * 1000);
	procroot_remove("sys/kernel/debug/bdi/8:16/stats");
	ticks(61);
	ck_assert_int_eq(procroot_value("pagecache.device.dirty[8:0]"), 500 * 1024 * 1000);
	stats("8:32", 5, 0, 1);
	ticks(61);
	ck_assert_int_eq(procroot_value("pagecache.device.dirty[8:32]"), 5 * 1024 * 1000);
}
END_TEST

static const char *reason(void)
{
	struct qmem_status status;

	ck_assert(qmem_status(r->q, 0, &status));
	return status.reason;
}

START_TEST(no_devices)
{
	procroot_start();
	procroot_tick();
	ck_assert_str_eq(reason(), "no devices: no /sys/kernel/debug/bdi, debugfs may not be mounted");
	ck_assert_int_eq(procroot_value("pagecache.device.dirty[other]"), -1);
	ck_assert_int_eq(procroot_value("pagecache.limit.hard"), pages(1000));
}
END_TEST

START_TEST(devices_unwanted)
{
	stats("8:0", 500, 0, 1000);
	procroot_set("pagecache", "TopDevices", "0");
	procroot_start();
	procroot_tick();
	ck_assert_str_eq(reason(), "");
	ck_assert_int_eq(procroot_value("pagecache.device.dirty[8:0]"), -1);
}
END_TEST

SUITE(pagecache)
{
	Suite *s = suite_create("pagecache");
	TCase *t = tcase_create("pagecache");

	tcase_add_checked_fixture(t, setup, procroot_end);
	tcase_add_test(t, values);
	tcase_add_test(t, without_limits);
	tcase_add_test(t, no_file);
	tcase_add_test(t, says_nothing);
	tcase_add_test(t, broken_at_first);
	tcase_add_test(t, event);
	tcase_add_test(t, bursts);
	tcase_add_test(t, devices);
	tcase_add_test(t, device_name);
	tcase_add_test(t, device_that_goes);
	tcase_add_test(t, no_devices);
	tcase_add_test(t, devices_unwanted);
	suite_add_tcase(s, t);

	t = tcase_create("arithmetic");
	tcase_add_test(t, kernels_own);
	tcase_add_loop_test(t, of_settings, 0, sizeof(settings_cases) / sizeof(*settings_cases));
	tcase_add_test(t, shares);
	tcase_add_test(t, paces);
	suite_add_tcase(s, t);
	return s;
}
