/* SPDX-License-Identifier: MIT */
/* What programs run an engine with. */
#include "unit.h"

#include <errno.h>

#include "program/loop.h"

static struct qmem_job job;
static int rounds;

static void run_nothing(struct qmem_job *job_)
{
	(void)job_;
}

static void done_nothing(struct qmem *q, struct qmem_job *job_)
{
	(void)q;
	(void)job_;
}

/* Wants something that never comes. */
static int collect(struct qmem *q, void *state)
{
	(void)state;
	rounds++;
	if (job.run)
		return 0;
	job = (struct qmem_job){ .run = run_nothing, .done = done_nothing, .lane = QMEM_TARGETS, .what = "file" };
	return qmem_work(q, &job);
}

static int take(void *loop, struct qmem_job *job_)
{
	(void)loop;
	(void)job_;
	return 0;
}

static const struct qmem_service asker = { .name = "asker", .collect = collect };
static const struct qmem_service *const services[] = { &asker, NULL };
static const struct qmem_host host = { .work = take, .cpu_ns = clock_cpu_ns, .now = loop_now };

/* Who is interrupted waits for no job, and for no other round. */
START_TEST(settle_interrupted)
{
	struct loop l = { .interrupted = true };

	rounds = 0;
	memset(&job, 0, sizeof(job));
	l.q = qmem_new(&host, &l, services);
	ck_assert_ptr_nonnull(l.q);
	ck_assert_int_eq(qmem_start(l.q, QMEM_SECOND, QMEM_SECOND, clock_now()), 0);
	loop_settle(&l);
	ck_assert_int_eq(rounds, 1);
	qmem_free(l.q);
}
END_TEST

SUITE(loop)
{
	Suite *s = suite_create("loop");
	TCase *t = tcase_create("loop");

	tcase_add_test(t, settle_interrupted);
	suite_add_tcase(s, t);
	return s;
}
