/* SPDX-License-Identifier: MIT */
/* Work that may block: lanes, and jobs that are stuck. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../recorder.h"
#include "procroot.h"
#include "services.h"

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

static int work(enum qmem_lane lane, const char *what, int32_t pid)
{
	struct qmem_job *job = new_job(what);

	job->lane = lane;
	job->pid = pid;
	return qmem_work(r.q, job);
}

static struct qmem_totals totals(void)
{
	struct qmem_totals totals;

	qmem_totals(r.q, &totals);
	return totals;
}

/* It is named and left behind; what is behind it in its lane has its own time from then on. */
START_TEST(a_stuck_job_is_an_event)
{
	r.hold_jobs = true;
	qmem_dispatch(r.q, NULL, 0, 100 * QMEM_SECOND);
	ck_assert_int_eq(work(QMEM_TARGETS, "smaps", 17), 0);
	ck_assert_int_eq(work(QMEM_TARGETS, "cmdline", 18), 0);
	ck_assert_int_eq(work(QMEM_TARGETS, "passwd", 0), 0);
	qmem_dispatch(r.q, NULL, 0, 129 * QMEM_SECOND);
	ck_assert_str_eq(recorder_take(&r), "");
	ck_assert(!qmem_is_stuck(r.q, "smaps", 17));
	qmem_dispatch(r.q, NULL, 0, qmem_next(r.q));
	ck_assert_str_eq(recorder_take(&r),
			 "event WARNING self.worker[smaps_17] file is stuck, all else goes on: smaps of pid 17, for "
			 "30 s; thread 1 of at most 4 is left behind; see what pid 17 waits for\n");
	ck_assert(r.left->left);
	ck_assert(qmem_is_stuck(r.q, "smaps", 17));
	ck_assert(qmem_is_stuck(r.q, NULL, 17));
	ck_assert(!qmem_is_stuck(r.q, "another", 17));
	ck_assert(!qmem_is_stuck(r.q, "smaps", 18));
	ck_assert_uint_eq(totals().left[QMEM_TARGETS], 1);
	ck_assert_uint_eq(totals().left[QMEM_STORE], 0);
	qmem_dispatch(r.q, NULL, 0, 159 * QMEM_SECOND);
	/* a job for many processes says which one it is at */
	QMEM_JOB_AT(r.jobs, 42, 7);
	qmem_dispatch(r.q, NULL, 0, 160 * QMEM_SECOND);
	ck_assert_str_eq(recorder_take(&r),
			 "event WARNING self.worker[cmdline_42] file is stuck, all else goes on: cmdline of pid 42, "
			 "for 30 s; thread 2 of at most 4 is left behind; see what pid 42 waits for\n");
	/* it may have gone on meanwhile: what was said of it is over, no other thing */
	QMEM_JOB_AT(r.left, 43, 8);
	ck_assert_uint_eq(qmem_stuck_of(r.q, 7), 1);
	ck_assert_uint_eq(qmem_stuck_of(r.q, 8), 0);
	ck_assert(recorder_come_back(&r));
	ck_assert_str_eq(
		recorder_take(&r),
		"event OKAY self.worker[cmdline_42] file is no longer stuck: cmdline of pid 42, it was for 30 s\n");
	ck_assert(!qmem_is_stuck(r.q, "cmdline", 42));
	ck_assert_uint_eq(totals().late, 60 * QMEM_SECOND);
	qmem_dispatch(r.q, NULL, 0, 190 * QMEM_SECOND);
	ck_assert_str_eq(recorder_take(&r),
			 "event WARNING self.worker[passwd] file is stuck, all else goes on: passwd, for "
			 "30 s; thread 2 of at most 4 is left behind\n");
	ck_assert(qmem_is_stuck(r.q, "passwd", 0));
	ck_assert(!qmem_is_stuck(r.q, "another", 0));
	while (recorder_come_back(&r))
		continue;
	ck_assert_str_eq(calls, "run done run done run done ");
	ck_assert_uint_eq(totals().jobs, 3);
	ck_assert_uint_eq(totals().back, 3);
	ck_assert_uint_eq(totals().stuck, 3);
	ck_assert_uint_eq(totals().left[QMEM_TARGETS], 0);
	ck_assert_uint_eq(totals().late, 0);
	ck_assert_uint_eq(qmem_next(r.q), QMEM_NEVER);
}
END_TEST

/* Who is back when it is looked at, as after a pause of the whole machine, was late, and is nothing to tell of. */
START_TEST(late_but_back)
{
	r.hold_jobs = r.back = true;
	qmem_dispatch(r.q, NULL, 0, 100 * QMEM_SECOND);
	ck_assert_int_eq(work(QMEM_TARGETS, "smaps", 17), 0);
	ck_assert_int_eq(work(QMEM_TARGETS, "smaps", 18), 0);
	qmem_dispatch(r.q, NULL, 0, 130 * QMEM_SECOND);
	ck_assert_uint_eq(totals().stuck, 1);
	ck_assert(recorder_work(&r));
	ck_assert(recorder_work(&r));
	ck_assert_str_eq(recorder_take(&r), "");
	ck_assert_uint_eq(totals().left[QMEM_TARGETS], 0);
	ck_assert_uint_eq(qmem_next(r.q), QMEM_NEVER);
}
END_TEST

/* A file of ours is not stuck because those before it in the other lane are. */
START_TEST(lanes_do_not_wait_for_each_other)
{
	r.hold_jobs = true;
	ck_assert_int_eq(work(QMEM_TARGETS, "smaps", 17), 0);
	qmem_dispatch(r.q, NULL, 0, 20 * QMEM_SECOND);
	ck_assert_int_eq(work(QMEM_STORE, "backup", 0), 0);
	qmem_dispatch(r.q, NULL, 0, 49 * QMEM_SECOND);
	ck_assert_uint_eq(totals().stuck, 1);
	ck_assert(recorder_work(&r)); /* the one of the store, as the first is left behind */
	ck_assert_uint_eq(qmem_next(r.q), QMEM_NEVER);
	qmem_dispatch(r.q, NULL, 0, 90 * QMEM_SECOND);
	ck_assert_uint_eq(totals().stuck, 1);
	ck_assert_uint_eq(totals().left[QMEM_STORE], 0);
}
END_TEST

/* Then the lane waits, which is said, and has its place as soon as one is back. */
START_TEST(four_are_left_behind_at_most)
{
	r.hold_jobs = true;
	for (int32_t pid = 1; pid <= 6; pid++)
		ck_assert_int_eq(work(QMEM_TARGETS, "smaps", pid), 0);
	for (uint64_t s = 30; s <= 120; s += 30)
		qmem_dispatch(r.q, NULL, 0, s * QMEM_SECOND);
	ck_assert_uint_eq(totals().left[QMEM_TARGETS], 4);
	(void)recorder_take(&r);
	qmem_dispatch(r.q, NULL, 0, 150 * QMEM_SECOND);
	ck_assert_str_eq(recorder_take(&r),
			 "event FAILURE self.worker[smaps_5] file is stuck, and the lane 'targets' waits: smaps of "
			 "pid 5, for 30 s; 4 threads are left behind already; see what pid 5 waits for\n");
	qmem_dispatch(r.q, NULL, 0, 300 * QMEM_SECOND);
	ck_assert_str_eq(recorder_take(&r), "");
	ck_assert_uint_eq(totals().left[QMEM_TARGETS], 4);
	ck_assert_uint_eq(totals().stuck, 5);
	ck_assert(qmem_is_stuck(r.q, "smaps", 5));
	ck_assert(!qmem_is_stuck(r.q, "smaps", 6));
	ck_assert(recorder_come_back(&r));
	ck_assert_str_eq(
		recorder_take(&r),
		"event OKAY self.worker[smaps_4] file is no longer stuck: smaps of pid 4, it was for 3 "
		"min 30 s\n"
		"event WARNING self.worker[smaps_5] file is stuck, all else goes on: smaps of pid 5, for 3 min 0 s; "
		"thread 4 of at most 4 is left behind; see what pid 5 waits for\n");
	ck_assert_uint_eq(totals().left[QMEM_TARGETS], 4);
	ck_assert(recorder_work(&r));
	ck_assert_ptr_null(r.jobs);
	qmem_dispatch(r.q, NULL, 0, 400 * QMEM_SECOND);
	ck_assert_uint_eq(totals().stuck, 5);
}
END_TEST

/* Its owner may give it again at once. */
static void again(struct qmem *q, struct qmem_job *job)
{
	note(job->recalled ? "recalled " : "done ");
	if (job->recalled)
		ck_assert_int_eq(qmem_work(q, job), 0);
	else
		free(job);
}

/* Those that are wary come back before a fresh thread takes them. */
START_TEST(wary)
{
	struct qmem_job *job;

	r.hold_jobs = true;
	ck_assert_int_eq(work(QMEM_TARGETS, "smaps", 17), 0);
	for (int i = 0; i < 3; i++) {
		job = new_job("wary");
		job->wary = i != 1;
		job->done = again;
		ck_assert_int_eq(qmem_work(r.q, job), 0);
	}
	qmem_dispatch(r.q, NULL, 0, 29 * QMEM_SECOND);
	ck_assert_str_eq(calls, "");
	qmem_dispatch(r.q, NULL, 0, 30 * QMEM_SECOND);
	ck_assert_str_eq(calls, "recalled recalled ");
	while (recorder_work(&r))
		continue;
	ck_assert_str_eq(calls, "recalled recalled run done run done run done ");
	ck_assert_uint_eq(totals().jobs, 6);
	ck_assert_uint_eq(totals().back, 5);
	ck_assert_uint_eq(totals().stuck, 1);
	ck_assert_uint_eq(qmem_next(r.q), QMEM_NEVER);
}
END_TEST

/* It waits, and the next time there may be one. */
START_TEST(no_thread_to_take_over)
{
	r.hold_jobs = r.no_threads = true;
	ck_assert_int_eq(work(QMEM_STORE, "backup", 0), 0);
	qmem_dispatch(r.q, NULL, 0, 30 * QMEM_SECOND);
	ck_assert_str_eq(
		recorder_take(&r),
		"event FAILURE self.worker[backup] file is stuck, and the lane 'store' waits: backup, for 30 s; "
		"0 threads are left behind already\n");
	ck_assert(!r.jobs->left);
	r.no_threads = false;
	qmem_dispatch(r.q, NULL, 0, 60 * QMEM_SECOND);
	ck_assert(r.left->left);
	ck_assert(recorder_come_back(&r));
	ck_assert_uint_eq(totals().left[QMEM_STORE], 0);
}
END_TEST

START_TEST(stuck_after)
{
	struct qmem_error error;

	ck_assert_int_eq(qmem_set(r.q, NULL, NULL, NULL, "StuckAfter", "5s", &error), 0);
	r.hold_jobs = true;
	ck_assert_int_eq(work(QMEM_TARGETS, "smaps", 1), 0);
	qmem_dispatch(r.q, NULL, 0, 5 * QMEM_SECOND - 1);
	ck_assert_uint_eq(totals().stuck, 0);
	qmem_dispatch(r.q, NULL, 0, 5 * QMEM_SECOND);
	ck_assert_uint_eq(totals().stuck, 1);
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
	ck_assert_int_eq(procroot_value("self.left.targets"), 1000);
	ck_assert_int_eq(procroot_value("self.left.store"), 0);
	recorder_come_back(&procroot_host);
	procroot_tick();
	ck_assert_int_eq(procroot_value("self.worker.late"), 0);
	ck_assert_int_eq(procroot_value("self.left.targets"), 0);
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

SUITE(job)
{
	Suite *s = suite_create("job");
	TCase *t = tcase_create("job");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, jobs);
	tcase_add_test(t, a_stuck_job_is_an_event);
	tcase_add_test(t, late_but_back);
	tcase_add_test(t, lanes_do_not_wait_for_each_other);
	tcase_add_test(t, four_are_left_behind_at_most);
	tcase_add_test(t, wary);
	tcase_add_test(t, no_thread_to_take_over);
	tcase_add_test(t, stuck_after);
	tcase_add_test(t, a_late_job_is_a_value);
	tcase_add_test(t, a_job_outlives_the_engine);
	suite_add_tcase(s, t);
	return s;
}
