/* SPDX-License-Identifier: MIT */
/* Which events reach the host. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "../recorder.h"
#include "engine/event.h"

static struct recorder r;
static const struct qmem_service *const none[] = { NULL };

static void at(double s)
{
	qmem_dispatch(r.q, NULL, 0, (uint64_t)(s * 1e9));
}

static void setup(void)
{
	recorder_init(&r, NULL);
	r.q = qmem_new(&recorder_host, &r, none);
	at(1000);
}

static void teardown(void)
{
	qmem_free(r.q);
	recorder_release(&r);
}

static void raise_event(enum qmem_severity severity, const char *instance, unsigned repeat_s, const char *message)
{
	const struct qmem_label fields[] = { { "share", "43" }, { 0 } };
	struct qmem_event event = {
		.severity = severity,
		.service = "pressure",
		.name = "memory",
		.instance = instance,
		.repeat = repeat_s * QMEM_SECOND,
		.fields = fields,
	};

	snprintf(event.message, sizeof(event.message), "%s", message);
	qmem_raise(r.q, &event);
}

/* Whatever names are in it; and it is as long as it may be, no character or escape being cut. */
START_TEST(messages_are_one_line)
{
	char text[300];

	raise_event(QMEM_WARNING, "some", 0, "who: a\nb\xe2\x80\xae\xc3\xbc\\");
	ck_assert_str_eq(recorder_take(&r),
			 "event WARNING pressure.memory[some] who: a\\x0ab\\xe2\\x80\\xae\xc3\xbc\\\n  share=43\n");
	memset(text, 'x', 252);
	strcpy(text + 252, "\x01");
	raise_event(QMEM_FAILURE, "some", 0, text);
	text[252] = '\0';
	ck_assert_ptr_nonnull(strstr(recorder_take(&r), text));
	text[251] = '\x01';
	raise_event(QMEM_WARNING, "some", 0, text);
	strcpy(text + 251, "\\x01\n");
	ck_assert_ptr_nonnull(strstr(recorder_take(&r), text));
}
END_TEST

START_TEST(changes_are_sent)
{
	raise_event(QMEM_WARNING, "some", 0, "begins");
	raise_event(QMEM_WARNING, "some", 0, "goes on");
	raise_event(QMEM_FAILURE, "some", 0, "is worse");
	raise_event(QMEM_OKAY, "some", 0, "is over");
	raise_event(QMEM_OKAY, "some", 0, "is over still");
	ck_assert_str_eq(recorder_take(&r), "event WARNING pressure.memory[some] begins\n  share=43\n"
					    "event FAILURE pressure.memory[some] is worse\n  share=43\n"
					    "event OKAY pressure.memory[some] is over\n  share=43\n");
}
END_TEST

START_TEST(what_never_began_does_not_end)
{
	struct qmem_totals totals;

	raise_event(QMEM_OKAY, "some", 0, "is over");
	ck_assert_str_eq(recorder_take(&r), "");
	qmem_totals(r.q, &totals);
	ck_assert_uint_eq(totals.raised[QMEM_OKAY], 0);
	ck_assert_uint_eq(totals.withheld, 0);
}
END_TEST

START_TEST(instances_are_apart)
{
	raise_event(QMEM_WARNING, "some", 0, "a");
	raise_event(QMEM_WARNING, "full", 0, "b");
	raise_event(QMEM_WARNING, NULL, 0, "c");
	raise_event(QMEM_OKAY, "full", 0, "d");
	ck_assert_str_eq(recorder_take(&r), "event WARNING pressure.memory[some] a\n  share=43\n"
					    "event WARNING pressure.memory[full] b\n  share=43\n"
					    "event WARNING pressure.memory[] c\n  share=43\n"
					    "event OKAY pressure.memory[full] d\n  share=43\n");
}
END_TEST

START_TEST(reminders)
{
	raise_event(QMEM_WARNING, "some", 60, "0");
	for (int s = 1; s <= 150; s++) {
		char message[16];

		at(1000 + s);
		snprintf(message, sizeof(message), "%d", s);
		raise_event(QMEM_WARNING, "some", 60, message);
	}
	ck_assert_str_eq(recorder_take(&r), "event WARNING pressure.memory[some] 0\n  share=43\n"
					    "event WARNING pressure.memory[some] 60\n  share=43\n"
					    "event WARNING pressure.memory[some] 120\n  share=43\n");
}
END_TEST

START_TEST(a_finer_state_is_a_change)
{
	struct qmem_event event = { .severity = QMEM_WARNING, .service = "meminfo", .name = "level", .message = "low" };

	event.state = 1;
	qmem_raise(r.q, &event);
	qmem_raise(r.q, &event);
	event.state = 2;
	strcpy(event.message, "medium");
	qmem_raise(r.q, &event);
	qmem_raise(r.q, &event);
	ck_assert_str_eq(recorder_take(&r), "event WARNING meminfo.level[] low\n"
					    "event WARNING meminfo.level[] medium\n");
	/* also where nobody need be woken */
	event.severity = QMEM_OKAY;
	event.instance = "other";
	event.state = 1;
	qmem_raise(r.q, &event);
	event.state = 0;
	qmem_raise(r.q, &event);
	qmem_raise(r.q, &event);
	ck_assert_str_eq(recorder_take(&r), "event OKAY meminfo.level[other] medium\n"
					    "event OKAY meminfo.level[other] medium\n");
}
END_TEST

/* A condition that flaps is heard a few times, then in its last state only. */
START_TEST(flapping_is_bounded)
{
	struct qmem_totals totals;
	int lines = 0;

	for (int i = 0; i < 1000; i++)
		raise_event(i % 2 ? QMEM_OKAY : QMEM_WARNING, "some", 0, i % 2 ? "over" : "on");
	for (const char *s = recorder_take(&r); (s = strstr(s, "event ")); s++)
		lines++;
	ck_assert_int_eq(lines, QMEM_EVENT_BURST);
	/* the last word was OKAY, and the host knows that already: nothing waits */
	at(2000);
	ck_assert_str_eq(recorder_take(&r), "");
	qmem_totals(r.q, &totals);
	ck_assert_uint_eq(totals.withheld, 1000 / 2 - QMEM_EVENT_BURST / 2);
}
END_TEST

START_TEST(the_last_word_is_not_lost)
{
	for (int i = 0; i < 1001; i++)
		raise_event(i % 2 ? QMEM_OKAY : QMEM_WARNING, "some", 0, i % 2 ? "over" : "on");
	recorder_take(&r);
	at(1014);
	ck_assert_str_eq(recorder_take(&r), "");
	ck_assert_uint_ne(qmem_next(r.q), QMEM_NEVER);
	at(1015.1);
	ck_assert_str_eq(recorder_take(&r), "event WARNING pressure.memory[some] on\n");
	ck_assert_uint_eq(qmem_next(r.q), QMEM_NEVER);
}
END_TEST

START_TEST(many_conditions_are_bounded)
{
	char name[32];

	for (int i = 0; i < 3 * QMEM_EVENT_KEYS; i++) {
		snprintf(name, sizeof(name), "pid %d", i);
		raise_event(QMEM_WARNING, name, 0, "x");
	}
	recorder_take(&r);
	/* the latest is still known */
	raise_event(QMEM_OKAY, name, 0, "over");
	ck_assert_str_eq(recorder_take(&r), "event OKAY pressure.memory[pid 3071] over\n  share=43\n");
}
END_TEST

START_TEST(long_instances_do_no_harm)
{
	char name[2000];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	raise_event(QMEM_WARNING, name, 0, "on");
	ck_assert_ptr_nonnull(strstr(recorder_take(&r), "event WARNING"));
	raise_event(QMEM_OKAY, name, 0, "over");
	ck_assert_ptr_nonnull(strstr(recorder_take(&r), "event OKAY"));
}
END_TEST

SUITE(event)
{
	Suite *s = suite_create("event");
	TCase *t = tcase_create("event");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, changes_are_sent);
	tcase_add_test(t, messages_are_one_line);
	tcase_add_test(t, what_never_began_does_not_end);
	tcase_add_test(t, instances_are_apart);
	tcase_add_test(t, reminders);
	tcase_add_test(t, a_finer_state_is_a_change);
	tcase_add_test(t, flapping_is_bounded);
	tcase_add_test(t, the_last_word_is_not_lost);
	tcase_add_test(t, many_conditions_are_bounded);
	tcase_add_test(t, long_instances_do_no_harm);
	suite_add_tcase(s, t);
	return s;
}
