/* SPDX-License-Identifier: MIT */
/* Triggers on a scripted clock; then the kernel's own, where there are any. */
#include "unit.h"

#include <errno.h>
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
		char name[TRIGGER_NAME], why[128] = "";

		ck_assert_msg(!trigger_parse(cases[i].text, &spec, why, sizeof(why)), "'%s' %s", cases[i].text, why);
		ck_assert_int_eq(spec.resource, cases[i].spec.resource);
		ck_assert_int_eq(spec.kind, cases[i].spec.kind);
		ck_assert_int_eq(spec.stall, cases[i].spec.stall);
		ck_assert_int_eq(spec.window, cases[i].spec.window);
		ck_assert_int_eq(spec.severity, cases[i].spec.severity);
		trigger_name(name, sizeof(name), &spec);
		ck_assert_str_eq(name, cases[i].name);
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
		char why[128] = "";

		ck_assert_msg(trigger_parse(cases[i], &spec, why, sizeof(why)) == -EINVAL, "'%s'", cases[i]);
		ck_assert_str_ne(why, "");
		ck_assert_int_eq(spec.stall, 42);
	}
}
END_TEST

/* ---- what becomes of it ---- */

static struct trigger make(const char *text)
{
	struct trigger t = { .hold = 10 * SECOND };
	char why[128];

	ck_assert_int_eq(trigger_parse(text, &t.spec, why, sizeof(why)), 0);
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

/* ---- the kernel's, in the service ---- */

static const struct qmem_service *const services[] = { &vmstat_service, &pressure_service, NULL };
static struct recorder *const r = &procroot_host;

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
	ck_assert_int_eq(qmem_open_root(r->q), 1);
	procroot_allow_descriptors(0);
	ck_assert(!begin_kernel("memory some 1900ms 2s", SECOND, now));
	HAS(status().reason, "memory_some_1900ms_2s polled: cannot read /proc/pressure/memory: Too many open files");
	procroot_allow_descriptors(32);
	recorder_take(r);
	for (int i = 0; i < 60; i++)
		ck_assert_int_eq(qmem_collect(r->q, now += SECOND), 0);
	text = recorder_take(r);
	ck_assert_int_eq(count_of(text, "log info pressure: trigger memory_some_1900ms_2s is the kernel's now\n"), 1);
	HAS(status().reason, "1 trigger of the kernel");
}
END_TEST

SUITE(pressure_trigger)
{
	Suite *suite = suite_create("pressure_trigger");
	TCase *trigger = tcase_create("trigger"), *kernel = tcase_create("kernel");

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
	tcase_add_checked_fixture(kernel, setup_kernel, teardown_kernel);
	tcase_add_test(kernel, kernel_is_trusted);
	tcase_add_test(kernel, kernel_is_verified);
	tcase_add_test(kernel, kernel_is_verified_by_ticks);
	tcase_add_test(kernel, long_windows_are_verified_seldom);
	tcase_add_test(kernel, kernel_is_asked_again);
	suite_add_tcase(suite, kernel);
	return suite;
}
