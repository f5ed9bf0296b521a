/* SPDX-License-Identifier: MIT */
/* The service on a root that can only be polled. */
#include "unit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "procroot.h"
#include "process/table.h"
#include "services.h"

#define SECOND QMEM_SECOND

static const struct qmem_service *const services[] = { &vmstat_service, &pressure_service, NULL };
static struct recorder *const r = &procroot_host;

static void put_memory(int64_t some, int64_t full)
{
	procroot_put("proc/pressure/memory",
		     "some avg10=1.00 avg60=2.00 avg300=3.00 total=%" PRId64
		     "\nfull avg10=4.00 avg60=5.00 avg300=6.00 total=%" PRId64 "\n",
		     some * 1000, full * 1000);
}

static void setup(void)
{
	procroot_begin(services);
	put_memory(1000, 0);
	procroot_put("proc/vmstat",
		     "workingset_refault_anon 10\nworkingset_refault_file 20\npgscan_direct 0\nallocstall_normal 5\n"
		     "allocstall_movable 5\npswpin 0\npswpout 7\noom_kill 0\n");
	procroot_set("vmstat", "Enabled", "no");
}

static void set(const char *option, const char *value)
{
	procroot_set("pressure", option, value);
}

static struct qmem_status status(void)
{
	struct qmem_status s;

	ck_assert(qmem_status(r->q, 1, &s));
	return s;
}

static void begin(uint64_t now)
{
	ck_assert_int_eq(qmem_start(r->q, SECOND, SECOND, now), 0);
}

START_TEST(values)
{
	const char *text;

	procroot_put("proc/pressure/cpu", "some avg10=0.00 avg60=0.50 avg300=0.05 total=123456\n");
	procroot_put("proc/pressure/irq", "full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n");
	set("Trigger", "memory some 200ms 2s");
	set("Trigger", "io full 200ms 2s");
	set("Trigger", "memory some 0.2s 2000ms");
	begin(100 * SECOND);
	text = recorder_take(r);
	HAS(text, "log warning pressure: trigger io_full_200ms_2s is off: this kernel does not report it\n");
	HAS(text, "log warning pressure: trigger memory_some_200ms_2s is given twice\n");
	HAS(text,
	    "log info pressure: trigger memory_some_200ms_2s is polled: /proc/pressure/memory is not of procfs\n");
	ck_assert(status().on);
	ck_assert_str_eq(status().reason, "memory_some_200ms_2s polled: /proc/pressure/memory is not of procfs; "
					  "io_full_200ms_2s off: this kernel does not report it");
	ck_assert_int_eq(qmem_collect(r->q, 100 * SECOND), 0);
	ck_assert_str_eq(recorder_take(r), "pressure.avg.some_avg10[memory] 1.00 percent\n"
					   "pressure.avg.some_avg60[memory] 2.00 percent\n"
					   "pressure.avg.some_avg300[memory] 3.00 percent\n"
					   "pressure.avg.full_avg10[memory] 4.00 percent\n"
					   "pressure.avg.full_avg60[memory] 5.00 percent\n"
					   "pressure.avg.full_avg300[memory] 6.00 percent\n"
					   "pressure.stall.some[memory] 1.000000 seconds total\n"
					   "pressure.stall.full[memory] 0.000000 seconds total\n"
					   "pressure.avg.some_avg10[cpu] 0.00 percent\n"
					   "pressure.avg.some_avg60[cpu] 0.50 percent\n"
					   "pressure.avg.some_avg300[cpu] 0.05 percent\n"
					   "pressure.avg.full_avg10[cpu] - percent\n"
					   "pressure.avg.full_avg60[cpu] - percent\n"
					   "pressure.avg.full_avg300[cpu] - percent\n"
					   "pressure.stall.some[cpu] 0.123456 seconds total\n"
					   "pressure.stall.full[cpu] - seconds total\n"
					   "pressure.avg.some_avg10[irq] - percent\n"
					   "pressure.avg.some_avg60[irq] - percent\n"
					   "pressure.avg.some_avg300[irq] - percent\n"
					   "pressure.avg.full_avg10[irq] 0.00 percent\n"
					   "pressure.avg.full_avg60[irq] 0.00 percent\n"
					   "pressure.avg.full_avg300[irq] 0.00 percent\n"
					   "pressure.stall.some[irq] - seconds total\n"
					   "pressure.stall.full[irq] 0.000007 seconds total\n"
					   "pressure.trigger.state[memory_some] 0 state\n"
					   "pressure.severity.severity[memory_some] 0 level\n"
					   "pressure.events.events[memory_some] 0 events total\n"
					   "pressure.events.rejected[memory_some] 0 events total\n"
					   "collected pressure every 1000 ms\n");
}
END_TEST

/* A recorded root is never written to. */
START_TEST(root_stays_as_it_is)
{
	char text[256];
	ssize_t len;

	begin(100 * SECOND);
	len = qmem_read_once(r->q, text, sizeof(text) - 1, "proc/pressure/memory");
	ck_assert_int_gt(len, 0);
	text[len] = '\0';
	ck_assert_str_eq(text, "some avg10=1.00 avg60=2.00 avg300=3.00 total=1000000\n"
			       "full avg10=4.00 avg60=5.00 avg300=6.00 total=0\n");
}
END_TEST

/* The whole way by ticks and timers: the event, what reclaim did, reminders, the end. */
START_TEST(event_and_end)
{
	uint64_t now = 100 * SECOND, end;
	int64_t total = 1000;
	const char *text;

	set("Trigger", "memory some 200ms 2s");
	set("NotifyInterval", "30s");
	begin(now);
	ck_assert_int_eq(qmem_collect(r->q, now), 0);
	recorder_take(r);
	r->no_values = true;
	for (int i = 1; i <= 2; i++) {
		now += SECOND;
		put_memory(total += 90, 0);
		ck_assert_int_eq(qmem_collect(r->q, now), 0);
	}
	ck_assert_str_eq(recorder_take(r), "");
	procroot_put(
		"proc/vmstat",
		"workingset_refault_anon 110\nworkingset_refault_file 3020\npgscan_direct 0\nallocstall_normal 10\n"
		"allocstall_movable 10\npswpin 0\npswpout 10007\noom_kill 0\n");
	now += SECOND;
	put_memory(total += 800, 0);
	ck_assert_int_eq(qmem_collect(r->q, now), 0);
	text = recorder_take(r);
	ck_assert_int_eq(count_of(text, "event "), 1);
	HAS(text,
	    "event WARNING pressure.pressure[memory_some] memory pressure: some tasks stalled 44.5 % of the "
	    "last 2.0 s (limit 200ms in 2s), for 2.0 s; nothing is reclaimed; refaults 1550/s; allocation stalls 5.0/s; "
	    "swap in 0/s, out 5000/s; see procmem.rss\n");
	HAS(text,
	    "  resource=memory\n  kind=some\n  threshold=200ms\n  window=2s\n  share=44.5\n  duration=2.0 s\n"
	    "  state=active\n  refaults=1550\n  scan_direct=0\n  allocation_stalls=5.0\n  swap_in=0\n  swap_out=5000\n");
	/* it lasts: a reminder each 30 s, not one an event */
	for (int i = 0; i < 65; i++) {
		now += SECOND;
		put_memory(total += 500, 0);
		ck_assert_int_eq(qmem_collect(r->q, now), 0);
	}
	text = recorder_take(r);
	ck_assert_int_eq(count_of(text, "event WARNING"), 2);
	ck_assert_int_eq(count_of(text, "event "), 2);
	HAS(text, "of the last 2.0 s (limit 200ms in 2s), for 32 s; ");
	/* quiet, by timers alone; the first of them still sees the last second's stall */
	end = now + 60 * SECOND;
	while (qmem_next(r->q) < end) {
		now = qmem_next(r->q);
		qmem_dispatch(r->q, NULL, 0, now);
		text = recorder_take(r);
		if (strstr(text, "event "))
			break;
	}
	HAS(text, "event OKAY pressure.pressure[memory_some] memory pressure is over: some tasks stalled 33 s within "
		  "68 s (limit 200ms in 2s), then nothing for 20 s\n");
	/* and then the timer only polls */
	ck_assert_uint_gt(qmem_next(r->q), now);
	ck_assert_uint_le(qmem_next(r->q), now + 2 * SECOND);
}
END_TEST

/* Ten seconds from tick to tick: a timer looks in between. */
START_TEST(found_between_ticks)
{
	uint64_t now = 100 * SECOND;
	int looks = 0;

	set("Trigger", "memory full 100ms 2s");
	ck_assert_int_eq(qmem_start(r->q, 10 * SECOND, 10 * SECOND, now), 0);
	ck_assert_int_eq(qmem_collect(r->q, now), 0);
	recorder_take(r);
	put_memory(1000, 150);
	ck_assert_uint_ne(qmem_next(r->q), QMEM_NEVER);
	while (qmem_next(r->q) < now + 10 * SECOND && looks++ < 3) {
		qmem_dispatch(r->q, NULL, 0, qmem_next(r->q));
		if (strstr(recorder_take(r), "event FAILURE pressure.pressure[memory_full]"))
			return;
	}
	ck_abort_msg("not found");
}
END_TEST

/* Ticks that are close enough save the wakeups. */
START_TEST(ticks_are_looks)
{
	uint64_t now = 100 * SECOND;

	set("Trigger", "memory some 200ms 2s");
	begin(now);
	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(qmem_collect(r->q, now), 0);
		now += SECOND;
		ck_assert_uint_gt(qmem_next(r->q), now);
	}
}
END_TEST

START_TEST(no_triggers)
{
	set("Trigger", "none");
	begin(100 * SECOND);
	ck_assert_int_eq(qmem_collect(r->q, 100 * SECOND), 0);
	HAS_NOT(recorder_take(r), "trigger");
	ck_assert_uint_eq(qmem_next(r->q), QMEM_NEVER);
	ck_assert_str_eq(status().reason, "");
}
END_TEST

START_TEST(option_errors)
{
	struct qmem_error error = { "" };

	ck_assert_int_eq(qmem_set(r->q, "pressure", NULL, NULL, "Trigger", "memory some 20s 2s", &error), -EINVAL);
	ck_assert_str_eq(
		error.text,
		"pressure: Trigger 'memory some 20s 2s' has a stall of 20s, which is longer than its window of 2s");
	ck_assert_int_eq(qmem_set(r->q, "pressure", NULL, NULL, "Trigger", "cpu full 1s 2s", &error), -EINVAL);
	ck_assert_str_eq(error.text,
			 "pressure: Trigger 'cpu full 1s 2s' never fires: cpu full is always 0 for the whole machine");
	ck_assert_int_eq(qmem_set(r->q, "pressure", NULL, NULL, "Trigger", "memory some 200 2", &error), -EINVAL);
	ck_assert_str_eq(
		error.text,
		"pressure: Trigger 'memory some 200 2' has a stall of 200s, which is longer than its window of 2s");
	/* the defaults stay */
	begin(100 * SECOND);
	ck_assert_int_eq(qmem_collect(r->q, 100 * SECOND), 0);
	ck_assert_int_eq(count_of(recorder_take(r), "pressure.trigger.state"), 2);
}
END_TEST

/* A file that cannot be read any more is absent, not zero; one complaint, one word when it is over. */
START_TEST(unreadable)
{
	uint64_t now = 100 * SECOND;
	const char *text;

	procroot_put("proc/pressure/io", "some avg10=0.00 avg60=0.00 avg300=0.00 total=5\n");
	begin(now);
	ck_assert_int_eq(qmem_collect(r->q, now), 0);
	recorder_take(r);
	procroot_put("proc/pressure/io", "some avg10=0.00 avg60=0.0");
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(qmem_collect(r->q, now += SECOND), 0);
	text = recorder_take(r);
	ck_assert_int_eq(count_of(text, "log "), 1);
	HAS(text, "log warning pressure: '/proc/pressure/io': 'some avg10=0.00 avg60=0.0' is cut off\n");
	HAS_NOT(text, "[io]");
	ck_assert_int_eq(count_of(text, "pressure.stall.some[memory] 1.000000"), 3);
	procroot_put("proc/pressure/io", "some avg10=0.00 avg60=0.00 avg300=0.00 total=99999999999999999999\n");
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(qmem_collect(r->q, now += SECOND), 0);
	text = recorder_take(r);
	/* it is another fault of the same file */
	ck_assert_int_eq(count_of(text, "log "), 0);
	ck_assert_int_eq(count_of(text, "pressure.stall.some[io] - seconds total\n"), 3);
	procroot_put("proc/pressure/io", "some avg10=0.00 avg60=0.00 avg300=0.00 total=6\n");
	ck_assert_int_eq(qmem_collect(r->q, now += SECOND), 0);
	text = recorder_take(r);
	HAS(text, "log info pressure: '/proc/pressure/io' is sound again\n");
	HAS(text, "pressure.stall.some[io] 0.000006 seconds total\n");
	/* all of them: the collection has failed */
	procroot_put("proc/pressure/io", "%s", "");
	procroot_put("proc/pressure/memory", "%s", "");
	ck_assert_int_ne(qmem_collect(r->q, now += SECOND), 0);
	HAS_NOT(recorder_take(r), "[memory] ");
}
END_TEST

/* A total that jumps further than time has passed, or falls, has no value then, and goes on from there: no stall of hours. */
START_TEST(total_jumps)
{
	uint64_t now = 100 * SECOND;
	const char *text;

	set("Trigger", "memory some 200ms 2s");
	begin(now);
	ck_assert_int_eq(qmem_collect(r->q, now), 0);
	HAS(recorder_take(r), "pressure.stall.some[memory] 1.000000 seconds total\n");
	put_memory(3600001000, 0);
	ck_assert_int_eq(qmem_collect(r->q, now += SECOND), 0);
	text = recorder_take(r);
	HAS(text, "pressure.stall.some[memory] - seconds total\n");
	HAS(text, "pressure.stall.full[memory] 0.000000 seconds total\n");
	HAS(text, "pressure.trigger.state[memory_some] 0 state\n");
	put_memory(3600001100, 100);
	ck_assert_int_eq(qmem_collect(r->q, now += SECOND), 0);
	text = recorder_take(r);
	HAS(text, "pressure.stall.some[memory] 1.100000 seconds total\n");
	HAS(text, "pressure.stall.full[memory] 0.100000 seconds total\n");
	put_memory(50, 100);
	ck_assert_int_eq(qmem_collect(r->q, now += SECOND), 0);
	HAS(recorder_take(r), "pressure.stall.some[memory] - seconds total\n");
	put_memory(60, 100);
	ck_assert_int_eq(qmem_collect(r->q, now += SECOND), 0);
	HAS(recorder_take(r), "pressure.stall.some[memory] 1.110000 seconds total\n");
	/* all of the time, with what the kernel has added up late; after a pause there is more of it */
	put_memory(4060, 100);
	ck_assert_int_eq(qmem_collect(r->q, now += SECOND), 0);
	HAS(recorder_take(r), "pressure.stall.some[memory] 5.110000 seconds total\n");
	put_memory(64060, 100);
	ck_assert_int_eq(qmem_collect(r->q, now += 60 * SECOND), 0);
	HAS(recorder_take(r), "pressure.stall.some[memory] 65.110000 seconds total\n");
}
END_TEST

START_TEST(no_psi)
{
	procroot_remove("proc/pressure");
	procroot_put("proc/vmstat", "%s", "oom_kill 0\n");
	ck_assert_int_ne(qmem_start(r->q, SECOND, SECOND, 100 * SECOND), 0);
	ck_assert(!status().on);
	HAS(status().reason, "psi=1");
}
END_TEST

START_TEST(severity)
{
	uint64_t now = 100 * SECOND;
	const char *text;

	set("Trigger", "memory full 100ms 2s");
	set("Trigger", "memory some 100ms 2s");
	begin(now);
	ck_assert_int_eq(qmem_collect(r->q, now), 0);
	recorder_take(r);
	put_memory(1150, 150);
	ck_assert_int_eq(qmem_collect(r->q, now += SECOND), 0);
	text = recorder_take(r);
	HAS(text, "pressure.severity.severity[memory_full] 2 level\n");
	HAS(text, "pressure.severity.severity[memory_some] 1 level\n");
	/* easing is not over */
	ck_assert_int_eq(qmem_collect(r->q, now += 11 * SECOND), 0);
	text = recorder_take(r);
	HAS(text, "pressure.trigger.state[memory_full] 1 state\n");
	HAS(text, "pressure.severity.severity[memory_full] 2 level\n");
	ck_assert_int_eq(qmem_collect(r->q, now += 10 * SECOND), 0);
	text = recorder_take(r);
	HAS(text, "pressure.severity.severity[memory_full] 0 level\n");
	HAS(text, "pressure.severity.severity[memory_some] 0 level\n");
}
END_TEST

static const char *ticks(uint64_t *now, int64_t *total, int n, int64_t stall)
{
	for (int i = 0; i < n; i++) {
		put_memory(*total += stall, 0);
		ck_assert_int_eq(qmem_collect(r->q, *now += SECOND), 0);
	}
	return recorder_take(r);
}

/* Two limits for one thing: the severest that fires is told of, and it is over when neither does. */
START_TEST(several_triggers_are_one_condition)
{
	uint64_t now = 100 * SECOND;
	int64_t total = 1000;
	const char *text;

	set("Trigger", "memory some 200ms 2s");
	set("Trigger", "memory some 1s 4s failure");
	set("Hold", "5s");
	begin(now);
	ck_assert_int_eq(qmem_collect(r->q, now), 0);
	text = recorder_take(r);
	ck_assert_int_eq(count_of(text, "pressure.trigger.state["), 1);
	HAS(text, "pressure.trigger.state[memory_some] 0 state\n");
	r->no_values = true;

	text = ticks(&now, &total, 3, 105);
	ck_assert_int_eq(count_of(text, "event "), 1);
	HAS(text, "event WARNING pressure.pressure[memory_some] ");
	HAS(text, "(limit 200ms in 2s)");
	text = ticks(&now, &total, 4, 600);
	ck_assert_int_eq(count_of(text, "event "), 1);
	HAS(text, "event FAILURE pressure.pressure[memory_some] ");
	HAS(text, "(limit 1s in 4s)");
	/* the severe one ends, the other one goes on; that it fires all the while is no news */
	text = ticks(&now, &total, 20, 110);
	ck_assert_int_eq(count_of(text, "event "), 1);
	HAS(text, "event WARNING pressure.pressure[memory_some] ");
	HAS(text, "(limit 200ms in 2s)");
	r->no_values = false;
	text = ticks(&now, &total, 1, 110);
	HAS(text, "pressure.trigger.state[memory_some] 2 state\n");
	HAS(text, "pressure.severity.severity[memory_some] 1 level\n");
	r->no_values = true;
	text = ticks(&now, &total, 20, 0);
	ck_assert_int_eq(count_of(text, "event "), 1);
	HAS(text,
	    "event OKAY pressure.pressure[memory_some] memory pressure is over: some tasks stalled 5.0 s within ");
	r->no_values = false;
	text = ticks(&now, &total, 1, 0);
	HAS(text, "pressure.trigger.state[memory_some] 0 state\n");
	HAS(text, "pressure.severity.severity[memory_some] 0 level\n");
}
END_TEST

/* Two limits that are exceeded at one look, and are over at one look, are told of once each, whichever is looked at first. */
START_TEST(one_look_is_one_event)
{
	static const char *const limits[] = { "memory some 200ms 2s", "memory some 400ms 2s failure" };
	uint64_t now = 100 * SECOND;
	int64_t total = 1000;
	const char *text;

	set("Trigger", limits[_i]);
	set("Trigger", limits[!_i]);
	begin(now);
	ck_assert_int_eq(qmem_collect(r->q, now), 0);
	recorder_take(r);
	r->no_values = true;
	text = ticks(&now, &total, 1, 600);
	HAS(text, "event FAILURE pressure.pressure[memory_some] ");
	ck_assert_int_eq(count_of(text, "event "), 1);
	text = ticks(&now, &total, 40, 0);
	HAS(text, "event OKAY pressure.pressure[memory_some] memory pressure is over: ");
	ck_assert_int_eq(count_of(text, "event "), 1);
}
END_TEST

/* The kernel tells of a trigger once a window: it is not over before there could have been another word. */
START_TEST(window_longer_than_hold)
{
	uint64_t now = 100 * SECOND;
	int64_t total = 1000;
	const char *text;

	set("Trigger", "memory some 1s 10s");
	set("Hold", "1s");
	begin(now);
	ck_assert_int_eq(qmem_collect(r->q, now), 0);
	recorder_take(r);
	r->no_values = true;
	text = ticks(&now, &total, 60, 500);
	HAS(text, "event WARNING pressure.pressure[memory_some] ");
	ck_assert_int_eq(count_of(text, "event "), 1);
	text = ticks(&now, &total, 40, 0);
	HAS(text, "event OKAY pressure.pressure[memory_some] memory pressure is over: ");
	ck_assert_int_eq(count_of(text, "event "), 1);
}
END_TEST

/* Without CAP_SYS_RESOURCE its word comes up to 2 s late. */
START_TEST(late_word_is_no_quiet)
{
	uint64_t now = 100 * SECOND;
	int64_t total = 1000;

	set("Trigger", "memory some 200ms 2s");
	set("Hold", "1s");
	begin(now);
	ck_assert_int_eq(qmem_collect(r->q, now), 0);
	recorder_take(r);
	r->no_values = true;
	HAS(ticks(&now, &total, 1, 300), "event WARNING pressure.pressure[memory_some] ");
	for (int i = 0; i < 10; i++) {
		uint64_t late = now + 4 * SECOND + SECOND / 10;

		while (qmem_next(r->q) < late)
			qmem_dispatch(r->q, NULL, 0, qmem_next(r->q));
		put_memory(total += 300, 0);
		ck_assert_int_eq(qmem_collect(r->q, now = late), 0);
	}
	HAS_NOT(recorder_take(r), "event ");
}
END_TEST

/* A reminder has the figures of the limit that was exceeded last, not of the severest, which may be long ago. */
START_TEST(reminder_is_fresh)
{
	uint64_t now = 100 * SECOND;
	int64_t total = 1000;
	const char *text;

	set("Trigger", "memory some 1s 4s failure");
	set("Trigger", "memory some 200ms 2s");
	set("Hold", "1m");
	set("NotifyInterval", "30s");
	begin(now);
	ck_assert_int_eq(qmem_collect(r->q, now), 0);
	recorder_take(r);
	r->no_values = true;
	text = ticks(&now, &total, 5, 600);
	HAS(text, "event FAILURE pressure.pressure[memory_some] memory pressure: some tasks stalled 60.0 % ");
	text = ticks(&now, &total, 32, 110);
	ck_assert_int_eq(count_of(text, "event "), 1);
	HAS(text,
	    "event FAILURE pressure.pressure[memory_some] memory pressure: some tasks stalled 11.0 % of the last 2.0 s "
	    "(limit 200ms in 2s)");
}
END_TEST

/* Sums beyond int64 are not known. */
START_TEST(hostile_vmstat)
{
	uint64_t now = 100 * SECOND;
	const char *text;

	procroot_put("proc/vmstat",
		     "workingset_refault_anon 9223372036854775807\nworkingset_refault_file 9223372036854775807\n"
		     "pswpin 0\n");
	set("Trigger", "memory some 200ms 2s");
	begin(now);
	ck_assert_int_eq(qmem_collect(r->q, now), 0);
	put_memory(1900, 0);
	ck_assert_int_eq(qmem_collect(r->q, now += SECOND), 0);
	text = recorder_take(r);
	HAS(text, "for 2.0 s; see procmem.rss\n");
	HAS_NOT(text, "refaults");
}
END_TEST

/* The busiest that may be is told to its end. */
START_TEST(long_message)
{
	uint64_t now = 100 * SECOND;
	const char *text, *event, *end;

	procroot_put("proc/vmstat",
		     "workingset_refault_anon 0\nworkingset_refault_file 0\npgscan_direct 0\nallocstall_normal 0\n"
		     "pswpin 0\npswpout 0\n");
	set("Trigger", "memory full 9999ms 10s");
	set("Hold", "1h");
	set("NotifyInterval", "2h");
	begin(now);
	for (int64_t i = 0; i <= 7220; i++) {
		if (i == 7205)
			procroot_put("proc/vmstat",
				     "workingset_refault_anon 100000000\nworkingset_refault_file 0\n"
				     "pgscan_direct 200000000\nallocstall_normal 9999999\npswpin 10000000\n"
				     "pswpout 10000000\n");
		if (i == 7205)
			recorder_take(r);
		put_memory(1000 * i, 1000 * i);
		r->no_values = true;
		ck_assert_int_eq(qmem_collect(r->q, now += SECOND), 0);
	}
	text = recorder_take(r);
	event = strstr(text, "memory pressure: all tasks stalled 100.0 % of the last 1");
	ck_assert_msg(event != NULL, "%s", text);
	HAS(event, " s (limit 9999ms in 10s), for 2 h 0 min; pages/s scanned/taken: direct ");
	end = strchr(event, '\n');
	ck_assert_int_lt(end - event, 256);
	ck_assert_msg(!memcmp(end - strlen("; see procmem.rss"), "; see procmem.rss", strlen("; see procmem.rss")),
		      "%.*s", (int)(end - event), event);
}
END_TEST

/* Reclaim for memory cgroups: where only the sums have it, and where the types have it and the allocator's stalls do not move. */
START_TEST(in_cgroups)
{
	static const char *const after[] = {
		"pgscan_anon 4000000\npgscan_file 4000000\npgsteal_anon 500\npgsteal_file 1500\npgscan_direct 0\n"
		"pgscan_kswapd 20000\npgsteal_direct 0\npgsteal_kswapd 1000\nallocstall_normal 7\n",
		"pgscan_anon 4000000\npgscan_file 4000000\npgsteal_anon 500\npgsteal_file 1500\npgscan_direct 7980000\n"
		"pgscan_kswapd 20000\npgsteal_direct 1000\npgsteal_kswapd 1000\nallocstall_normal 7\n",
	};
	static const char *const said[] = {
		"for 2.0 s; pages/s scanned/taken: kswapd 10k/500, in memory cgroups 4.0M/500; no swap; see procmem.rss\n",
		"for 2.0 s; pages/s scanned/taken: direct 4.0M/500 in memory cgroups, kswapd 10k/500; no swap; see "
		"procmem.rss\n",
	};
	uint64_t now = 100 * SECOND;
	const char *text;

	procroot_put("proc/meminfo", "MemTotal: 1048576 kB\nSwapTotal:             0 kB\nSwapFree: 0 kB\n");
	procroot_put("proc/vmstat",
		     "pgscan_anon 0\npgscan_file 0\npgsteal_anon 0\npgsteal_file 0\npgscan_direct 0\npgscan_kswapd 0\n"
		     "pgsteal_direct 0\npgsteal_kswapd 0\nallocstall_normal 7\n");
	set("Trigger", "memory some 200ms 2s");
	begin(now);
	ck_assert_int_eq(qmem_collect(r->q, now), 0);
	ck_assert_int_eq(qmem_collect(r->q, now += SECOND), 0);
	procroot_put("proc/vmstat", "%s", after[_i]);
	put_memory(1900, 0);
	ck_assert_int_eq(qmem_collect(r->q, now += SECOND), 0);
	text = recorder_take(r);
	HAS(text, said[_i]);
	HAS(text, "\n  scan_kswapd=10000\n");
	HAS(text, "\n  swap=none\n");
}
END_TEST

/* A made up process of so many pages and faults that had to read. */
static void put_process(int pid, const char *comm, int64_t pages, int64_t majflt)
{
	char path[64];

	snprintf(path, sizeof(path), "proc/%d/stat", pid);
	procroot_put(path,
		     "%d (%s) S 1 1 1 0 -1 0 0 0 %" PRId64 " 0 1 1 0 0 20 0 1 0 5 1000000 %" PRId64
		     " 18446744073709551615 0 0 0 0 0 "
		     "0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
		     pid, comm, majflt, pages);
	snprintf(path, sizeof(path), "proc/%d/statm", pid);
	procroot_put(path, "100000 %" PRId64 " 0 1 0 90 0\n", pages);
	snprintf(path, sizeof(path), "proc/%d/status", pid);
	procroot_put(path, "Name:\t%s\nUid:\t7\t7\t7\t7\nVmRSS:\t%" PRId64 " kB\nRssAnon:\t%" PRId64 " kB\n", comm,
		     4 * pages, 4 * pages);
}

/* Who it is: the two that have grown most, and the two whose faults read most, since before it began. */
START_TEST(suspects)
{
	static const struct qmem_service *const all[] = { &vmstat_service, &pressure_service, &proctable_service,
							  &procmem_service, NULL };
	const char *text = "";
	int64_t total = 1000;

	procroot_end();
	procroot_begin(all);
	put_memory(total, 0);
	procroot_put("proc/vmstat", "pgscan_direct 0\n");
	procroot_put("proc/stat", "cpu  1 2 3 4 5 6 7 8 9 10\nbtime 6\nprocesses 9\n");
	set("Trigger", "memory some 200ms 2s");
	procroot_set("procmem", "PssBudget", "0");
	procroot_host.no_values = true;
	procroot_start();
	for (int i = 0; i < 20; i++) {
		int64_t bad = i > 14 ? i - 14 : 0;

		put_process(10, "still", 90000, 7);
		put_process(11, "grower", 1000 + 25600 * bad, 0);
		put_process(12, "second", 1000 + 2560 * bad, 10 * bad);
		put_process(13, "third", 1000 + 256 * bad, 0);
		put_process(14, "evil\x01", 1000, 3000 * bad);
		/* who has come with it has grown by all it has; hardly anything is no growth */
		if (i > 15)
			put_process(15, "newcomer", 400000, 0);
		put_memory(total += i > 16 ? 500 : 0, 0);
		text = procroot_tick();
		if (strstr(text, "event "))
			break;
	}
	text = strstr(text, "event ") ? strstr(text, "event ") : "no event";
	HAS(text, "; faults that read: 'evil\\x01' ");
	HAS(text, "/s; grown in ");
	HAS(text, ": 'newcomer' 1.5 GiB, 'grower' ");
	HAS_NOT(text, "'still'");
	HAS_NOT(text, "'third'");
	HAS(text, "\n  top_growth='newcomer' ");
}
END_TEST

/* The reason is the true one; and the kernel is asked again when it may have passed. */
START_TEST(no_descriptor_at_first)
{
	uint64_t now = 100 * SECOND;
	const char *text;

	set("Trigger", "memory some 200ms 2s");
	ck_assert_int_eq(qmem_open_root(r->q), 0);
	procroot_allow_descriptors(0);
	begin(now);
	ck_assert_str_eq(status().reason,
			 "memory_some_200ms_2s polled: cannot read /proc/pressure/memory: Too many open files");
	recorder_take(r);
	r->no_values = true;
	for (int i = 0; i < 200; i++)
		ck_assert_int_ne(qmem_collect(r->q, now += SECOND), 0);
	/* one failure is one complaint, however often the kernel is asked */
	HAS_NOT(recorder_take(r), "trigger");
	procroot_allow_descriptors(16);
	for (int i = 0; i < 60; i++)
		ck_assert_int_eq(qmem_collect(r->q, now += SECOND), 0);
	text = recorder_take(r);
	ck_assert_int_eq(count_of(text, "is polled"), 1);
	HAS(text, "trigger memory_some_200ms_2s is polled: /proc/pressure/memory is not of procfs\n");
	ck_assert_str_eq(status().reason, "memory_some_200ms_2s polled: /proc/pressure/memory is not of procfs");
	/* that does not pass */
	for (int i = 0; i < 200; i++)
		ck_assert_int_eq(qmem_collect(r->q, now += SECOND), 0);
	HAS_NOT(recorder_take(r), "trigger");
}
END_TEST

SUITE(pressure)
{
	Suite *suite = suite_create("pressure");
	TCase *service = tcase_create("service");

	tcase_add_checked_fixture(service, setup, procroot_end);
	tcase_add_test(service, values);
	tcase_add_test(service, root_stays_as_it_is);
	tcase_add_test(service, event_and_end);
	tcase_add_test(service, found_between_ticks);
	tcase_add_test(service, ticks_are_looks);
	tcase_add_test(service, no_triggers);
	tcase_add_test(service, option_errors);
	tcase_add_test(service, unreadable);
	tcase_add_test(service, total_jumps);
	tcase_add_test(service, no_psi);
	tcase_add_test(service, severity);
	tcase_add_test(service, several_triggers_are_one_condition);
	tcase_add_loop_test(service, one_look_is_one_event, 0, 2);
	tcase_add_test(service, window_longer_than_hold);
	tcase_add_test(service, late_word_is_no_quiet);
	tcase_add_test(service, reminder_is_fresh);
	tcase_add_test(service, hostile_vmstat);
	tcase_add_test(service, long_message);
	tcase_add_loop_test(service, in_cgroups, 0, 2);
	tcase_add_test(service, suspects);
	tcase_add_test(service, no_descriptor_at_first);
	suite_add_tcase(suite, service);
	return suite;
}
