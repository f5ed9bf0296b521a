/* SPDX-License-Identifier: MIT */
/* Times that are waited for. */
#include "unit.h"

#include <string.h>

#include "../recorder.h"

static struct recorder r;
static const struct qmem_service *const none[] = { NULL };
static char calls[256];

static void setup(void)
{
	recorder_init(&r, NULL);
	r.q = qmem_new(&recorder_host, &r, none);
	calls[0] = '\0';
}

static void teardown(void)
{
	qmem_free(r.q);
	recorder_release(&r);
}

static void note(const char *what)
{
	strncat(calls, what, sizeof(calls) - strlen(calls) - 1);
}

static void expired(struct qmem *q, struct qmem_timer *timer)
{
	note(timer->arg);
	if (strcmp(timer->arg, "again") == 0 && strlen(calls) < 20)
		qmem_timer_set(q, timer, qmem_now(q) + 10);
}

START_TEST(times)
{
	struct qmem_timer a = { .expired = expired, .arg = "a" }, b = { .expired = expired, .arg = "b" },
			  c = { .expired = expired, .arg = "c" };

	ck_assert_uint_eq(qmem_next(r.q), QMEM_NEVER);
	qmem_timer_set(r.q, &b, 20);
	qmem_timer_set(r.q, &a, 10);
	qmem_timer_set(r.q, &c, 20);
	ck_assert_uint_eq(qmem_next(r.q), 10);
	qmem_dispatch(r.q, NULL, 0, 9);
	ck_assert_str_eq(calls, "");
	qmem_dispatch(r.q, NULL, 0, 10);
	ck_assert_str_eq(calls, "a");
	qmem_timer_set(r.q, &a, 15);
	qmem_timer_set(r.q, &a, 30); /* moved, not doubled */
	qmem_dispatch(r.q, NULL, 0, 25);
	ck_assert_str_eq(calls, "abc");
	qmem_timer_cancel(r.q, &a);
	qmem_timer_cancel(r.q, &a);
	qmem_dispatch(r.q, NULL, 0, 100);
	ck_assert_str_eq(calls, "abc");
	ck_assert_uint_eq(qmem_next(r.q), QMEM_NEVER);
}
END_TEST

START_TEST(a_timer_that_sets_itself_again)
{
	struct qmem_timer t = { .expired = expired, .arg = "again" };

	qmem_timer_set(r.q, &t, 10);
	qmem_dispatch(r.q, NULL, 0, 10);
	qmem_dispatch(r.q, NULL, 0, 15);
	ck_assert_str_eq(calls, "again");
	qmem_dispatch(r.q, NULL, 0, 20);
	ck_assert_str_eq(calls, "againagain");
	qmem_timer_cancel(r.q, &t);
}
END_TEST

SUITE(timer)
{
	Suite *s = suite_create("timer");
	TCase *t = tcase_create("timer");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, times);
	tcase_add_test(t, a_timer_that_sets_itself_again);
	suite_add_tcase(s, t);
	return s;
}
