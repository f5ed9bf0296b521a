/* SPDX-License-Identifier: MIT */
/* Descriptors, times, jobs. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "../recorder.h"
#include "procroot.h"
#include "services.h"

static struct recorder r;
static const struct qmem_service *const none[] = { NULL };
static int pipes[2][2];
static char calls[256];

static void setup(void)
{
	recorder_init(&r, NULL);
	r.q = qmem_new(&recorder_host, &r, none);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pipe(pipes[i]), 0);
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

static void ready(struct qmem *q, int fd, uint32_t events, void *arg)
{
	char byte;

	(void)q;
	ck_assert_uint_ne(events & (EPOLLIN | EPOLLHUP), 0);
	ck_assert_int_eq(read(fd, &byte, 1), 1);
	note(arg);
}

/* Closes the other one: its event, already taken, must not be delivered. */
static void closer(struct qmem *q, int fd, uint32_t events, void *arg)
{
	const int *other = arg;

	ready(q, fd, events, "c");
	ck_assert_int_eq(qmem_unwatch(q, *other), 0);
	close(*other);
	/* its number, and its place in the table, are used again */
	ck_assert_int_eq(dup2(pipes[0][0], *other), *other);
	ck_assert_int_eq(qmem_watch(q, *other, EPOLLIN, ready, "new"), 0);
}

START_TEST(descriptors)
{
	int fd = pipes[0][0];

	ck_assert_int_eq(qmem_watch(r.q, fd, EPOLLIN, ready, "a"), 0);
	ck_assert_int_eq(qmem_watch(r.q, fd, EPOLLIN, ready, "b"), -EEXIST);
	ck_assert_int_eq(recorder_wait(&r, 0, 1), 0);
	ck_assert_int_eq(write(pipes[0][1], "xy", 2), 2);
	ck_assert_int_eq(recorder_wait(&r, 0, 2), 1);
	ck_assert_int_eq(qmem_watch_events(r.q, fd, 0), 0);
	ck_assert_int_eq(recorder_wait(&r, 0, 3), 0);
	ck_assert_int_eq(qmem_watch_events(r.q, fd, EPOLLIN), 0);
	ck_assert_int_eq(recorder_wait(&r, 0, 4), 1);
	ck_assert_int_eq(qmem_unwatch(r.q, fd), 0);
	ck_assert_int_eq(qmem_unwatch(r.q, fd), -ENOENT);
	ck_assert_int_eq(qmem_watch_events(r.q, fd, 0), -ENOENT);
	ck_assert_str_eq(calls, "aa");
}
END_TEST

START_TEST(what_cannot_be_waited_for)
{
	int fd = open("/dev/null", O_RDONLY);

	ck_assert_int_eq(qmem_watch(r.q, fd, EPOLLIN, ready, "a"), -EPERM);
	ck_assert_int_eq(qmem_watch(r.q, -1, EPOLLIN, ready, "a"), -EBADF);
	close(fd);
	ck_assert_int_eq(qmem_watch(r.q, fd, EPOLLIN, ready, "a"), -EBADF);
}
END_TEST

START_TEST(a_watch_that_went_between_wait_and_dispatch)
{
	struct epoll_event events[4];
	int n;

	ck_assert_int_eq(qmem_watch(r.q, pipes[0][0], EPOLLIN, closer, &pipes[1][0]), 0);
	ck_assert_int_eq(qmem_watch(r.q, pipes[1][0], EPOLLIN, ready, "old"), 0);
	ck_assert_int_eq(write(pipes[0][1], "x", 1), 1);
	ck_assert_int_eq(write(pipes[1][1], "y", 1), 1);
	n = epoll_wait(qmem_fd(r.q), events, 4, 0);
	ck_assert_int_eq(n, 2);
	if (events[0].data.u64 & 1) { /* the one that closes comes first */
		struct epoll_event event = events[0];

		events[0] = events[1];
		events[1] = event;
	}
	qmem_dispatch(r.q, events, n, 1);
	ck_assert_str_eq(calls, "c");
}
END_TEST

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

static void job_run(struct qmem_job *job)
{
	(void)job;
	note("run ");
}

static void job_done(struct qmem *q, struct qmem_job *job)
{
	note(q ? "done " : "gone ");
	free(job);
}

static struct qmem_job *new_job(const char *what)
{
	struct qmem_job *job = calloc(1, sizeof(*job));

	job->run = job_run;
	job->done = job_done;
	snprintf(job->what, sizeof(job->what), "%s", what);
	return job;
}

START_TEST(jobs)
{
	ck_assert_int_eq(qmem_work(r.q, new_job("a")), 0);
	ck_assert_str_eq(calls, "run done ");
	r.hold_jobs = true;
	ck_assert_int_eq(qmem_work(r.q, new_job("b")), 0);
	ck_assert_int_eq(qmem_work(r.q, new_job("c")), 0);
	ck_assert_str_eq(calls, "run done ");
	ck_assert(recorder_work(&r));
	ck_assert(recorder_work(&r));
	ck_assert(!recorder_work(&r));
	ck_assert_str_eq(calls, "run done run done run done ");
	ck_assert_uint_eq(qmem_next(r.q), QMEM_NEVER);
}
END_TEST

START_TEST(a_stuck_job_is_an_event)
{
	struct qmem_totals totals;

	r.hold_jobs = true;
	qmem_dispatch(r.q, NULL, 0, 100 * QMEM_SECOND);
	ck_assert_int_eq(qmem_work(r.q, new_job("smaps of pid 17")), 0);
	ck_assert_int_eq(qmem_work(r.q, new_job("smaps of pid 18")), 0);
	ck_assert_int_eq(qmem_work(r.q, new_job("smaps of pid 19")), 0);
	qmem_dispatch(r.q, NULL, 0, 129 * QMEM_SECOND);
	ck_assert_str_eq(recorder_take(&r), "");
	qmem_dispatch(r.q, NULL, 0, qmem_next(r.q));
	ck_assert_str_eq(
		recorder_take(&r),
		"event WARNING self.worker[smaps of pid 17] smaps of pid 17 has not come back for 30 s: the worker "
		"waits for it, all else goes on\n");
	qmem_dispatch(r.q, NULL, 0, 200 * QMEM_SECOND);
	recorder_work(&r);
	ck_assert_str_eq(recorder_take(&r),
			 "event OKAY self.worker[smaps of pid 17] smaps of pid 17 has come back after 100 s\n");
	/* a job for many processes says which one it is at */
	qmem_dispatch(r.q, NULL, 0, 229 * QMEM_SECOND);
	QMEM_JOB_AT(r.jobs, 42);
	qmem_dispatch(r.q, NULL, 0, 230 * QMEM_SECOND);
	ck_assert_str_eq(
		recorder_take(&r),
		"event WARNING self.worker[smaps of pid 18] smaps of pid 18, now at pid 42, has not come back for "
		"30 s: the worker waits for it, all else goes on\n");
	recorder_work(&r);
	ck_assert_str_eq(recorder_take(&r),
			 "event OKAY self.worker[smaps of pid 18] smaps of pid 18 has come back after 30 s\n");
	/* the third was not stuck, only behind it */
	qmem_dispatch(r.q, NULL, 0, 259 * QMEM_SECOND);
	recorder_work(&r);
	ck_assert_str_eq(recorder_take(&r), "");
	qmem_totals(r.q, &totals);
	ck_assert_uint_eq(totals.jobs, 3);
	ck_assert_uint_eq(totals.back, 3);
	ck_assert_uint_eq(totals.stuck, 2);
}
END_TEST

/* Alarms need a value. */
START_TEST(a_late_job_is_a_value)
{
	static const struct qmem_service *const services[] = { &self_service, NULL };

	procroot_begin(services);
	procroot_start();
	procroot_host.hold_jobs = true;
	procroot_tick();
	ck_assert_int_eq(qmem_work(procroot_host.q, new_job("a")), 0);
	procroot_now += 28 * QMEM_SECOND;
	procroot_tick();
	ck_assert_int_eq(procroot_value("self.worker.late"), 0);
	qmem_dispatch(procroot_host.q, NULL, 0, procroot_now);
	procroot_now += 10 * QMEM_SECOND;
	procroot_tick();
	ck_assert_int_eq(procroot_value("self.worker.late"), 40000);
	recorder_work(&procroot_host);
	procroot_tick();
	ck_assert_int_eq(procroot_value("self.worker.late"), 0);
	procroot_end();
}
END_TEST

START_TEST(a_job_outlives_the_engine)
{
	struct qmem_job *job = new_job("a");

	r.hold_jobs = true;
	ck_assert_int_eq(qmem_work(r.q, job), 0);
	qmem_free(r.q);
	r.q = NULL;
	recorder_work(&r);
	ck_assert_str_eq(calls, "run gone ");
}
END_TEST

SUITE(wait)
{
	Suite *s = suite_create("wait");
	TCase *t = tcase_create("wait");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, descriptors);
	tcase_add_test(t, what_cannot_be_waited_for);
	tcase_add_test(t, a_watch_that_went_between_wait_and_dispatch);
	tcase_add_test(t, times);
	tcase_add_test(t, a_timer_that_sets_itself_again);
	tcase_add_test(t, jobs);
	tcase_add_test(t, a_stuck_job_is_an_event);
	tcase_add_test(t, a_late_job_is_a_value);
	tcase_add_test(t, a_job_outlives_the_engine);
	suite_add_tcase(s, t);
	return s;
}
