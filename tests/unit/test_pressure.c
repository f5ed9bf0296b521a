/* SPDX-License-Identifier: MIT */
/* Triggers on a scripted clock; then the service on a root that can only be polled. */
#include "unit.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "procroot.h"
#include "service/pressure_trigger.h"
#include "services.h"

#define MS UINT64_C(1000000)
#define SECOND QMEM_SECOND

/* ---- what a user writes ---- */

START_TEST(good_triggers)
{
	static const struct {
		const char *text, *name;
		struct trigger_spec spec;
	} cases[] = {
		{ "memory some 200ms 2s",
		  "memory_some_200ms_2s",
		  { PSI_MEMORY, PSI_SOME, 200 * MS, 2 * SECOND, QMEM_WARNING } },
		{ "memory full 100ms 2s",
		  "memory_full_100ms_2s",
		  { PSI_MEMORY, PSI_FULL, 100 * MS, 2 * SECOND, QMEM_FAILURE } },
		{ "  io\tfull   1s  10s ", "io_full_1s_10s", { PSI_IO, PSI_FULL, SECOND, 10 * SECOND, QMEM_FAILURE } },
		{ "cpu some 0.5s 500ms",
		  "cpu_some_500ms_500ms",
		  { PSI_CPU, PSI_SOME, 500 * MS, 500 * MS, QMEM_WARNING } },
		{ "irq full 1us 2", "irq_full_1us_2s", { PSI_IRQ, PSI_FULL, 1000, 2 * SECOND, QMEM_FAILURE } },
		{ "cpu some 1s 2s failure", "cpu_some_1s_2s", { PSI_CPU, PSI_SOME, SECOND, 2 * SECOND, QMEM_FAILURE } },
		{ "cpu full 1s 2s warning", "cpu_full_1s_2s", { PSI_CPU, PSI_FULL, SECOND, 2 * SECOND, QMEM_WARNING } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct trigger_spec spec;
		const char *why = NULL;
		char name[TRIGGER_NAME];

		ck_assert_msg(!trigger_parse(cases[i].text, &spec, &why), "'%s' %s", cases[i].text, why);
		ck_assert_int_eq(spec.resource, cases[i].spec.resource);
		ck_assert_int_eq(spec.kind, cases[i].spec.kind);
		ck_assert_int_eq(spec.stall, cases[i].spec.stall);
		ck_assert_int_eq(spec.window, cases[i].spec.window);
		ck_assert_int_eq(spec.severity, cases[i].spec.severity);
		trigger_name(name, sizeof(name), &spec);
		ck_assert_str_eq(name, cases[i].name);
		ck_assert_ptr_null(trigger_check(cases[i].text));
	}
}
END_TEST

START_TEST(bad_triggers)
{
	static const char *const cases[] = {
		"",
		" ",
		"memory",
		"memory some 200ms",
		"memory some 200ms 2s warning now",
		"disk some 200ms 2s",
		"Memory some 200ms 2s",
		"memory most 200ms 2s",
		"irq some 200ms 2s",
		"memory some much 2s",
		"memory some 200ms long",
		"memory some -200ms 2s",
		"memory some 0 2s",
		"memory some 1ns 2s",
		"memory some 2001ms 2s",
		"memory some 200ms 400ms",
		"memory some 200ms 11s",
		"memory some 200ms 2s okay",
		"memory some 200ms 2s loud",
		"memory some 200ms 9999999999999999999999s",
		"memory some 200ms 2s\n",
		"memory some 200ms 2s too_long_for_any_word_that_a_user_may_have_meant_to_write_here_whatever_it_is_and_longer_than_127_bytes",
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct trigger_spec spec = { .stall = 42 };
		const char *why = NULL;

		ck_assert_msg(trigger_parse(cases[i], &spec, &why) == -EINVAL, "'%s'", cases[i]);
		ck_assert_ptr_nonnull(why);
		ck_assert_int_eq(spec.stall, 42);
		ck_assert_str_eq(trigger_check(cases[i]), why);
	}
}
END_TEST

/* ---- what becomes of it ---- */

static struct trigger make(const char *text)
{
	struct trigger t = { .hold = 10 * SECOND };
	const char *why;

	ck_assert_int_eq(trigger_parse(text, &t.spec, &why), 0);
	return t;
}

START_TEST(episode)
{
	/* time in ms, total in ms */
	static const struct {
		enum trigger_cause cause;
		uint64_t now;
		int64_t total;
		enum trigger_change change;
		enum trigger_state state;
	} steps[] = {
		{ TRIGGER_TICK, 100000, 5000, TRIGGER_NOTHING, TRIGGER_INACTIVE },
		{ TRIGGER_TICK, 101000, 5000, TRIGGER_NOTHING, TRIGGER_INACTIVE },
		{ TRIGGER_TICK, 102000, 5100, TRIGGER_NOTHING, TRIGGER_INACTIVE },
		/* a lie: 199 ms since 101000 */
		{ TRIGGER_EVENT, 103000, 5199, TRIGGER_REJECTED, TRIGGER_INACTIVE },
		{ TRIGGER_EVENT, 104000, 5300, TRIGGER_EXCEEDED, TRIGGER_ACTIVE },
		/* however much is stalled: the kernel has its own limit, and only its word counts */
		{ TRIGGER_TICK, 105000, 6000, TRIGGER_NOTHING, TRIGGER_ACTIVE },
		{ TRIGGER_EVENT, 106000, 6900, TRIGGER_EXCEEDED, TRIGGER_ACTIVE },
		{ TRIGGER_TICK, 115999, 6900, TRIGGER_NOTHING, TRIGGER_ACTIVE },
		{ TRIGGER_TICK, 116000, 6900, TRIGGER_EASED, TRIGGER_EASING },
		{ TRIGGER_TICK, 117000, 6900, TRIGGER_NOTHING, TRIGGER_EASING },
		/* it is back */
		{ TRIGGER_EVENT, 118000, 7200, TRIGGER_EXCEEDED, TRIGGER_ACTIVE },
		/* a lie does not keep it going */
		{ TRIGGER_EVENT, 127500, 7200, TRIGGER_REJECTED, TRIGGER_ACTIVE },
		{ TRIGGER_EVENT, 128500, 7200, TRIGGER_EASED, TRIGGER_EASING },
		{ TRIGGER_TICK, 138000, 7200, TRIGGER_OVER, TRIGGER_INACTIVE },
		{ TRIGGER_TICK, 139000, 7200, TRIGGER_NOTHING, TRIGGER_INACTIVE },
	};
	struct trigger t = make("memory some 200ms 2s");

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		enum trigger_change change = trigger_step(&t, steps[i].cause, steps[i].now * MS, steps[i].total * 1000);

		ck_assert_msg(change == steps[i].change && t.state == steps[i].state, "step %zu: change %d state %d", i,
			      (int)change, (int)t.state);
		if (steps[i].now == 104000) {
			/* reference: 102000, just a window old */
			ck_assert_int_eq(t.share_stall, 200000);
			ck_assert_uint_eq(t.share_span, 2 * SECOND);
			ck_assert_uint_eq(t.since, 102 * SECOND);
			ck_assert_uint_eq(trigger_deadline(&t), 114 * SECOND);
		}
	}
	ck_assert_int_eq(t.events, 3);
	ck_assert_int_eq(t.rejected, 3);
	ck_assert_uint_eq(t.last - t.since, 16 * SECOND);
	ck_assert_int_eq(t.stalled, 2100000);
	ck_assert_uint_eq(trigger_deadline(&t), QMEM_NEVER);
}
END_TEST

/* Without a tick in between, one late step goes straight to the end. */
START_TEST(late_step)
{
	struct trigger t = make("memory some 200ms 2s");

	(void)trigger_step(&t, TRIGGER_TICK, 100 * SECOND, 0);
	ck_assert_int_eq(trigger_step(&t, TRIGGER_EVENT, 101 * SECOND, 900000), TRIGGER_EXCEEDED);
	ck_assert_uint_eq(t.share_span, SECOND);
	ck_assert_int_eq(trigger_step(&t, TRIGGER_TICK, 500 * SECOND, 900000), TRIGGER_OVER);
}
END_TEST

/* The kernel may notify at once after the trigger is made, with nothing stalled: it counts from the wrong total. */
START_TEST(lies_at_the_beginning)
{
	struct trigger t = make("memory some 1900ms 2s");

	ck_assert_int_eq(trigger_step(&t, TRIGGER_EVENT, 99 * SECOND, 7000000), TRIGGER_REJECTED);
	(void)trigger_step(&t, TRIGGER_TICK, 100 * SECOND, 7000000);
	ck_assert_int_eq(trigger_step(&t, TRIGGER_EVENT, 101 * SECOND, 7039000), TRIGGER_REJECTED);
	ck_assert_int_eq(trigger_step(&t, TRIGGER_EVENT, 103 * SECOND, 7039000), TRIGGER_REJECTED);
	/* a total that cannot be read proves nothing */
	ck_assert_int_eq(trigger_step(&t, TRIGGER_EVENT, 105 * SECOND, QMEM_NA), TRIGGER_REJECTED);
	ck_assert_int_eq(t.rejected, 4);
	ck_assert_int_eq(t.events, 0);
	ck_assert_int_eq(t.state, TRIGGER_INACTIVE);
	ck_assert_int_eq(trigger_step(&t, TRIGGER_EVENT, 107 * SECOND, 8939000), TRIGGER_EXCEEDED);
}
END_TEST

START_TEST(total_that_falls)
{
	struct trigger t = make("memory some 200ms 2s");

	(void)trigger_step(&t, TRIGGER_TICK, 100 * SECOND, 7000000);
	ck_assert_int_eq(trigger_step(&t, TRIGGER_EVENT, 102 * SECOND, 7500000), TRIGGER_EXCEEDED);
	ck_assert_int_eq(trigger_step(&t, TRIGGER_EVENT, 104 * SECOND, 1000), TRIGGER_REJECTED);
	ck_assert_int_eq(trigger_step(&t, TRIGGER_EVENT, 106 * SECOND, 301000), TRIGGER_EXCEEDED);
	ck_assert_int_eq(t.stalled, 800000);
	ck_assert_int_eq(trigger_step(&t, TRIGGER_TICK, 200 * SECOND, 301000), TRIGGER_OVER);
}
END_TEST

/* However many samples there are, the ring reaches back a whole window. */
START_TEST(many_samples)
{
	struct trigger t = make("memory some 200ms 10s");
	uint64_t now = 1000 * SECOND;

	/* 21 ms in each second, 1000 samples in each */
	for (int i = 0; i < 30000; i++)
		(void)trigger_step(&t, TRIGGER_TICK, now + (uint64_t)i * MS, (int64_t)i * 21);
	now += 30000 * MS;
	ck_assert_int_eq(trigger_step(&t, TRIGGER_EVENT, now, 30000 * 21), TRIGGER_EXCEEDED);
	ck_assert_uint_ge(t.share_span, 10 * SECOND);
	ck_assert_uint_le(t.share_span, 12 * SECOND);
	ck_assert_int_eq((uint64_t)t.share_stall, t.share_span / MS * 21);
}
END_TEST

START_TEST(polled)
{
	/* 200 ms in 2 s, looked at each second */
	static const struct {
		uint64_t now;
		int64_t total;
		enum trigger_change change;
	} steps[] = {
		{ 100000, 0, TRIGGER_NOTHING },
		{ 101000, 100, TRIGGER_NOTHING },
		{ 102000, 199, TRIGGER_NOTHING },
		{ 103000, 299, TRIGGER_NOTHING },
		{ 104000, 399, TRIGGER_EXCEEDED },
		/* the same stall is not counted twice */
		{ 105000, 600, TRIGGER_NOTHING },
		{ 106000, 600, TRIGGER_EXCEEDED },
		{ 107000, 600, TRIGGER_NOTHING },
		{ 108000, 600, TRIGGER_NOTHING },
		{ 116000, 700, TRIGGER_EASED },
		/* long not looked: what happened in 8 s is not what happened in 2 s */
		{ 124000, 1000, TRIGGER_NOTHING },
		{ 126000, 1000, TRIGGER_OVER },
	};
	struct trigger t = make("memory some 200ms 2s");

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		enum trigger_change change = trigger_step(&t, TRIGGER_POLL, steps[i].now * MS, steps[i].total * 1000);

		ck_assert_msg(change == steps[i].change, "step %zu: %d", i, (int)change);
	}
	ck_assert_int_eq(t.events, 2);
	ck_assert_int_eq(t.rejected, 0);
}
END_TEST

/* A timer comes late: 9 % of 2.25 s is more than 200 ms, and still no 10 %. */
START_TEST(polled_late)
{
	struct trigger t = make("memory some 200ms 2s");

	for (int64_t now = 100000; now < 200000; now += 2250)
		ck_assert_int_eq(trigger_step(&t, TRIGGER_POLL, (uint64_t)now * MS, now * 90), TRIGGER_NOTHING);
	ck_assert_int_eq(trigger_step(&t, TRIGGER_POLL, (uint64_t)201250 * MS, 199000 * 90 + 250000), TRIGGER_EXCEEDED);
}
END_TEST

/* ---- the service ---- */

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

/* How often `what` is in `text`. */
static int times(const char *text, const char *what)
{
	int n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

#define HAS(text, what) ck_assert_msg(strstr(text, what) != NULL, "no '%s' in:\n%s", what, text)
#define HAS_NOT(text, what) ck_assert_msg(strstr(text, what) == NULL, "'%s' in:\n%s", what, text)

START_TEST(values)
{
	const char *text;

	procroot_put("proc/pressure/cpu", "some avg10=0.00 avg60=0.50 avg300=0.05 total=123456\n");
	procroot_put("proc/pressure/irq", "full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n");
	set("Trigger", "memory some 200ms 2s");
	set("Trigger", "cpu full 200ms 2s");
	set("Trigger", "memory some 0.2s 2000ms");
	begin(100 * SECOND);
	text = recorder_take(r);
	HAS(text, "log warning pressure: trigger cpu_full_200ms_2s is off: this kernel does not report it\n");
	HAS(text, "log warning pressure: trigger memory_some_200ms_2s is given twice\n");
	HAS(text,
	    "log info pressure: trigger memory_some_200ms_2s is polled: /proc/pressure/memory is not of procfs\n");
	ck_assert(status().on);
	ck_assert_str_eq(status().reason, "memory_some_200ms_2s polled: /proc/pressure/memory is not of procfs; "
					  "cpu_full_200ms_2s off: this kernel does not report it");
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
					   "pressure.trigger.severity[memory_some] 0 state\n"
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
	ck_assert_int_eq(times(text, "event "), 1);
	HAS(text,
	    "event WARNING pressure.pressure[memory_some] memory pressure: some stalled for 890 ms, 44.5 %, of the "
	    "last 2.0 s (limit 200ms in 2s), for 2.0 s; meanwhile per second: refaults 1550 pages, direct scan 0 pages, "
	    "allocation stalls 5.0, swap in 0 out 5000 pages\n");
	HAS(text,
	    "  resource=memory\n  kind=some\n  threshold=200ms\n  window=2s\n  share=44.5\n  duration=2.0 s\n"
	    "  state=active\n  refaults=1550\n  direct_scan=0\n  allocation_stalls=5.0\n  swap_in=0\n  swap_out=5000\n");
	/* it lasts: a reminder each 30 s, not one an event */
	for (int i = 0; i < 65; i++) {
		now += SECOND;
		put_memory(total += 500, 0);
		ck_assert_int_eq(qmem_collect(r->q, now), 0);
	}
	text = recorder_take(r);
	ck_assert_int_eq(times(text, "event WARNING"), 2);
	ck_assert_int_eq(times(text, "event "), 2);
	HAS(text, "of the last 2.0 s (limit 200ms in 2s), for 32 s;");
	/* quiet, by timers alone; the first of them still sees the last second's stall */
	end = now + 60 * SECOND;
	while (qmem_next(r->q) < end) {
		now = qmem_next(r->q);
		qmem_dispatch(r->q, NULL, 0, now);
		text = recorder_take(r);
		if (strstr(text, "event "))
			break;
	}
	HAS(text, "event OKAY pressure.pressure[memory_some] memory pressure is over: some stalled for 33 s within "
		  "68 s (limit 200ms in 2s), and no more for 20 s\n");
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
	ck_assert_str_eq(error.text,
			 "pressure: Trigger 'memory some 20s 2s' has a stall that is zero, or longer than its window");
	/* the defaults stay */
	begin(100 * SECOND);
	ck_assert_int_eq(qmem_collect(r->q, 100 * SECOND), 0);
	ck_assert_int_eq(times(recorder_take(r), "pressure.trigger.state"), 2);
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
	ck_assert_int_eq(times(text, "log "), 1);
	HAS(text, "log warning pressure: '/proc/pressure/io' cannot be read: Invalid argument\n");
	HAS_NOT(text, "[io]");
	ck_assert_int_eq(times(text, "pressure.stall.some[memory] 1.000000"), 3);
	procroot_put("proc/pressure/io", "some avg10=0.00 avg60=0.00 avg300=0.00 total=99999999999999999999\n");
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(qmem_collect(r->q, now += SECOND), 0);
	text = recorder_take(r);
	HAS(text, "log info pressure: '/proc/pressure/io' can be read again\n");
	HAS(text, "log warning pressure: '/proc/pressure/io' has a number beyond 63 bits: it is left out\n");
	ck_assert_int_eq(times(text, "log "), 2);
	ck_assert_int_eq(times(text, "pressure.stall.some[io] - seconds total\n"), 3);
	procroot_put("proc/pressure/io", "some avg10=0.00 avg60=0.00 avg300=0.00 total=6\n");
	ck_assert_int_eq(qmem_collect(r->q, now += SECOND), 0);
	text = recorder_take(r);
	HAS(text, "log info pressure: '/proc/pressure/io' has no number beyond 63 bits any more\n");
	HAS(text, "pressure.stall.some[io] 0.000006 seconds total\n");
	/* all of them: the collection has failed */
	procroot_put("proc/pressure/io", "%s", "");
	procroot_put("proc/pressure/memory", "%s", "");
	ck_assert_int_ne(qmem_collect(r->q, now += SECOND), 0);
	HAS_NOT(recorder_take(r), "[memory] ");
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
	HAS(text, "pressure.trigger.severity[memory_full] 2 state\n");
	HAS(text, "pressure.trigger.severity[memory_some] 1 state\n");
	/* easing is not over */
	ck_assert_int_eq(qmem_collect(r->q, now += 11 * SECOND), 0);
	text = recorder_take(r);
	HAS(text, "pressure.trigger.state[memory_full] 1 state\n");
	HAS(text, "pressure.trigger.severity[memory_full] 2 state\n");
	ck_assert_int_eq(qmem_collect(r->q, now += 10 * SECOND), 0);
	text = recorder_take(r);
	HAS(text, "pressure.trigger.severity[memory_full] 0 state\n");
	HAS(text, "pressure.trigger.severity[memory_some] 0 state\n");
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
	ck_assert_int_eq(times(text, "pressure.trigger.state["), 1);
	HAS(text, "pressure.trigger.state[memory_some] 0 state\n");
	r->no_values = true;

	text = ticks(&now, &total, 3, 105);
	ck_assert_int_eq(times(text, "event "), 1);
	HAS(text, "event WARNING pressure.pressure[memory_some] ");
	HAS(text, "(limit 200ms in 2s)");
	text = ticks(&now, &total, 4, 600);
	ck_assert_int_eq(times(text, "event "), 1);
	HAS(text, "event FAILURE pressure.pressure[memory_some] ");
	HAS(text, "(limit 1s in 4s)");
	/* the severe one ends, the other one goes on; that it fires all the while is no news */
	text = ticks(&now, &total, 20, 110);
	ck_assert_int_eq(times(text, "event "), 1);
	HAS(text, "event WARNING pressure.pressure[memory_some] ");
	HAS(text, "(limit 200ms in 2s)");
	r->no_values = false;
	text = ticks(&now, &total, 1, 110);
	HAS(text, "pressure.trigger.state[memory_some] 2 state\n");
	HAS(text, "pressure.trigger.severity[memory_some] 1 state\n");
	r->no_values = true;
	text = ticks(&now, &total, 20, 0);
	ck_assert_int_eq(times(text, "event "), 1);
	HAS(text, "event OKAY pressure.pressure[memory_some] memory pressure is over: some stalled for 5.0 s within ");
	r->no_values = false;
	text = ticks(&now, &total, 1, 0);
	HAS(text, "pressure.trigger.state[memory_some] 0 state\n");
	HAS(text, "pressure.trigger.severity[memory_some] 0 state\n");
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
	HAS(text, "for 2.0 s; meanwhile per second: swap in 0\n");
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
	event = strstr(text, "memory pressure: full stalled for 1");
	ck_assert_msg(event != NULL, "%s", text);
	HAS(event, " ms, 100.0 %, of the last 1");
	HAS(event,
	    " s (limit 9999ms in 10s), for 2 h 0 min; meanwhile per second: refaults 10000000 pages, direct scan ");
	end = strchr(event, '\n');
	ck_assert_int_lt(end - event, 256);
	ck_assert_msg(!memcmp(end - 6, " pages", 6), "%.*s", (int)(end - event), event);
}
END_TEST

/* The reason is the true one; and the kernel is asked again when it may have passed. */
START_TEST(no_descriptor_at_first)
{
	uint64_t now = 100 * SECOND;
	const char *text;

	set("Trigger", "memory some 200ms 2s");
	procroot_allow_descriptors(1); /* for the root */
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
	ck_assert_int_eq(times(text, "is polled"), 1);
	HAS(text, "trigger memory_some_200ms_2s is polled: /proc/pressure/memory is not of procfs\n");
	ck_assert_str_eq(status().reason, "memory_some_200ms_2s polled: /proc/pressure/memory is not of procfs");
	/* that does not pass */
	for (int i = 0; i < 200; i++)
		ck_assert_int_eq(qmem_collect(r->q, now += SECOND), 0);
	HAS_NOT(recorder_take(r), "trigger");
}
END_TEST

/* ---- the service with the kernel's triggers ---- */

static bool may_have_any_window(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	ck_assert_int_eq(syscall(SYS_capget, &header, data), 0);
	if (data[CAP_TO_INDEX(CAP_SYS_RESOURCE)].effective & CAP_TO_MASK(CAP_SYS_RESOURCE))
		return true;
	printf("# no CAP_SYS_RESOURCE: what it changes is not checked\n");
	return false;
}

static void give_that_up(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	ck_assert_int_eq(syscall(SYS_capget, &header, data), 0);
	data[CAP_TO_INDEX(CAP_SYS_RESOURCE)].effective &= ~CAP_TO_MASK(CAP_SYS_RESOURCE);
	ck_assert_int_eq(syscall(SYS_capset, &header, data), 0);
}

static void setup_kernel(void)
{
	recorder_init(r, NULL);
	r->no_values = true;
	r->q = qmem_new(&recorder_host, r, services);
}

static void teardown_kernel(void)
{
	qmem_free(r->q);
	recorder_release(r);
}

/* False where there is no PSI, or where it cannot be written. */
static bool begin_kernel(const char *trigger, uint64_t tick, uint64_t now)
{
	set("Trigger", trigger);
	if (!qmem_start(r->q, tick, tick, now) && strstr(status().reason, "1 trigger of the kernel"))
		return true;
	printf("# no trigger of the kernel: %s\n", status().reason);
	return false;
}

/* Its word is enough. */
START_TEST(kernel_is_trusted)
{
	if (!may_have_any_window() || !begin_kernel("memory some 1900ms 2s", 10 * SECOND, 100 * SECOND))
		return;
	ck_assert_int_eq(qmem_collect(r->q, 100 * SECOND), 0);
	ck_assert_uint_eq(qmem_next(r->q), QMEM_NEVER);
}
END_TEST

/* Its word is not: there is always a sample that is about a window old. */
START_TEST(kernel_is_verified)
{
	uint64_t now = 100 * SECOND;

	give_that_up();
	if (!begin_kernel("memory some 1900ms 2s", 10 * SECOND, now))
		return;
	ck_assert_int_eq(qmem_collect(r->q, now), 0);
	for (int i = 0; i < 2; i++) {
		uint64_t end = now + 10 * SECOND;
		int looks = 0;

		for (uint64_t next; (next = qmem_next(r->q)) < end; now = next, looks++) {
			ck_assert_uint_gt(next, now);
			ck_assert_uint_le(next, now + 2 * SECOND);
			qmem_dispatch(r->q, NULL, 0, next);
		}
		ck_assert_int_ge(looks, 4);
		ck_assert_int_le(looks, 10);
		ck_assert_int_eq(qmem_collect(r->q, now = end), 0);
	}
}
END_TEST

/* Ticks that are close enough save the wakeups. */
START_TEST(kernel_is_verified_by_ticks)
{
	uint64_t now = 100 * SECOND;

	give_that_up();
	if (!begin_kernel("memory some 1900ms 2s", 2 * SECOND, now))
		return;
	ck_assert_int_eq(qmem_collect(r->q, now), 0);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(qmem_collect(r->q, now += 2 * SECOND), 0);
		ck_assert_uint_eq(qmem_next(r->q), QMEM_NEVER);
	}
}
END_TEST

START_TEST(long_windows_are_verified_seldom)
{
	uint64_t now = 100 * SECOND;

	give_that_up();
	if (!begin_kernel("memory some 9900ms 10s", 60 * SECOND, now))
		return;
	ck_assert_int_eq(qmem_collect(r->q, now), 0);
	ck_assert_uint_ge(qmem_next(r->q), now + 5 * SECOND);
	ck_assert_uint_le(qmem_next(r->q), now + 10 * SECOND);
}
END_TEST

/* What could not be had at first is had later. */
START_TEST(kernel_is_asked_again)
{
	uint64_t now = 100 * SECOND;
	const char *text;

	if (!begin_kernel("memory some 1900ms 2s", SECOND, now))
		return;
	teardown_kernel();
	setup_kernel();
	procroot_allow_descriptors(1);
	ck_assert(!begin_kernel("memory some 1900ms 2s", SECOND, now));
	HAS(status().reason, "memory_some_1900ms_2s polled: cannot read /proc/pressure/memory: Too many open files");
	procroot_allow_descriptors(32);
	recorder_take(r);
	for (int i = 0; i < 60; i++)
		ck_assert_int_eq(qmem_collect(r->q, now += SECOND), 0);
	text = recorder_take(r);
	ck_assert_int_eq(times(text, "log info pressure: trigger memory_some_1900ms_2s is the kernel's now\n"), 1);
	HAS(status().reason, "1 trigger of the kernel");
}
END_TEST

SUITE(pressure)
{
	Suite *suite = suite_create("pressure");
	TCase *trigger = tcase_create("trigger"), *service = tcase_create("service"), *kernel = tcase_create("kernel");

	tcase_add_test(trigger, good_triggers);
	tcase_add_test(trigger, bad_triggers);
	tcase_add_test(trigger, episode);
	tcase_add_test(trigger, late_step);
	tcase_add_test(trigger, lies_at_the_beginning);
	tcase_add_test(trigger, total_that_falls);
	tcase_add_test(trigger, many_samples);
	tcase_add_test(trigger, polled);
	tcase_add_test(trigger, polled_late);
	suite_add_tcase(suite, trigger);
	tcase_add_checked_fixture(service, setup, procroot_end);
	tcase_add_test(service, values);
	tcase_add_test(service, root_stays_as_it_is);
	tcase_add_test(service, event_and_end);
	tcase_add_test(service, found_between_ticks);
	tcase_add_test(service, ticks_are_looks);
	tcase_add_test(service, no_triggers);
	tcase_add_test(service, option_errors);
	tcase_add_test(service, unreadable);
	tcase_add_test(service, no_psi);
	tcase_add_test(service, severity);
	tcase_add_test(service, several_triggers_are_one_condition);
	tcase_add_test(service, hostile_vmstat);
	tcase_add_test(service, long_message);
	tcase_add_test(service, no_descriptor_at_first);
	suite_add_tcase(suite, service);
	tcase_add_checked_fixture(kernel, setup_kernel, teardown_kernel);
	tcase_add_test(kernel, kernel_is_trusted);
	tcase_add_test(kernel, kernel_is_verified);
	tcase_add_test(kernel, kernel_is_verified_by_ticks);
	tcase_add_test(kernel, long_windows_are_verified_seldom);
	tcase_add_test(kernel, kernel_is_asked_again);
	suite_add_tcase(suite, kernel);
	return suite;
}
