/* SPDX-License-Identifier: MIT */
/* The threads for work that may block, with an engine on a scripted clock: a job that hangs is one whose gate is closed. */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "program/clock.h"
#include "program/worker.h"

#define JOBS 8
#define BOUND 30000 /* ms, for what must come */

struct task {
	struct qmem_job job;
	sem_t gate;
	atomic_int begun, done, given_back;
	bool late;         /* it was left behind, and has come back */
	bool recalled;     /* it has come back unrun */
	char thread[16];   /* its name */
	bool masked;       /* no signal can reach it */
	unsigned finished; /* the how many-th */
};

static struct task tasks[JOBS];
static struct worker *worker;
static struct qmem *q;
static uint64_t now;
static unsigned finished;
static atomic_int threads_left, begun;

static int on_work(void *arg, struct qmem_job *job)
{
	(void)arg;
	return worker_add(worker, job);
}

static int on_leave(void *arg, struct qmem_job *job)
{
	(void)arg;
	return worker_leave(worker, job);
}

static int on_recall(void *arg, struct qmem_job *job)
{
	(void)arg;
	return worker_recall(worker, job);
}

static int create(pthread_t *ret, void *(*run)(void *), void *arg, const char *name)
{
	int err;

	if (threads_left-- <= 0)
		return ENOMEM;
	ck_assert_uint_lt(strlen(name), 16);
	begun++;
	err = pthread_create(ret, NULL, run, arg);
	return err ? err : pthread_setname_np(*ret, name);
}

static void setup(void)
{
	static const struct worker_calls calls = { .create = create };
	static const struct qmem_service *const none[] = { NULL };
	static const struct qmem_host host = {
		.work = on_work, .leave = on_leave, .recall = on_recall, .cpu_ns = clock_cpu_ns
	};

	memset(tasks, 0, sizeof(tasks));
	now = 0;
	finished = 0;
	begun = 0;
	threads_left = 100;
	q = qmem_new(&host, NULL, none);
	ck_assert_int_eq(worker_new(&calls, &worker), 0);
	ck_assert_int_eq(qmem_watch(q, worker_fd(worker), EPOLLIN, worker_ready, worker), 0);
	worker_go(worker);
	for (int i = 0; i < JOBS; i++)
		sem_init(&tasks[i].gate, 0, 0);
}

static void end(void)
{
	qmem_free(q);
	q = NULL;
	worker_free(worker);
	worker = NULL;
}

static void run(struct qmem_job *job)
{
	struct task *task = (struct task *)(void *)job;
	sigset_t mask;

	prctl(PR_GET_NAME, task->thread);
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	task->masked = sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGCHLD) == 1;
	task->begun = 1;
	while (sem_wait(&task->gate) < 0)
		;
}

static void done(struct qmem *engine, struct qmem_job *job)
{
	struct task *task = (struct task *)(void *)job;

	if (!engine) {
		task->given_back = 1;
		return;
	}
	task->late = job->left;
	task->recalled = job->recalled;
	task->finished = ++finished;
	task->done = 1;
}

static void start(int i, enum qmem_lane lane)
{
	struct qmem_job *job = &tasks[i].job;

	job->run = run;
	job->done = done;
	job->lane = lane;
	snprintf(job->what, sizeof(job->what), "job %d", i);
	ck_assert_int_eq(qmem_work(q, job), 0);
}

static void open_gate(int i)
{
	sem_post(&tasks[i].gate);
}

/* Until the flag is set by a thread, or by the engine, which is given what is ready; the clock stands still. */
static void wait_for(const atomic_int *flag)
{
	uint64_t until = clock_now() + BOUND * UINT64_C(1000000);

	while (!*flag && clock_now() < until) {
		struct epoll_event events[4];
		int n = q ? epoll_wait(qmem_fd(q), events, 4, 1) : usleep(1000);

		if (q)
			qmem_dispatch(q, events, n > 0 ? n : 0, now);
	}
	ck_assert_int_eq(*flag, 1);
}

static void pass(uint64_t seconds)
{
	now += seconds * QMEM_SECOND;
	qmem_dispatch(q, NULL, 0, now);
}

static uint64_t left(enum qmem_lane lane)
{
	struct qmem_totals totals;

	qmem_totals(q, &totals);
	return totals.left[lane];
}

/* Workers, by their names: a sanitizer has threads, too. */
static int threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	int n = 0;

	while ((entry = readdir(dir))) {
		char path[300], name[16] = "";
		FILE *file;

		snprintf(path, sizeof(path), "/proc/self/task/%s/comm", entry->d_name);
		file = fopen(path, "r");
		if (!file)
			continue;
		n += fgets(name, sizeof(name), file) && strncmp(name, "qmem ", 5) == 0;
		fclose(file);
	}
	closedir(dir);
	return n;
}

static void wait_for_threads(int n)
{
	uint64_t until = clock_now() + BOUND * UINT64_C(1000000);

	while (threads() != n && clock_now() < until)
		usleep(1000);
	ck_assert_int_eq(threads(), n);
}

/* Nothing is left for the next one, which may be in the same process. */
static void teardown(void)
{
	if (q)
		end();
	for (int i = 0; i < JOBS; i++)
		open_gate(i);
	wait_for_threads(0);
}

START_TEST(in_their_order)
{
	ck_assert_int_eq(threads(), 0);
	for (int i = 0; i < 3; i++)
		start(i, QMEM_TARGETS);
	for (int i = 2; i >= 0; i--)
		open_gate(i);
	for (int i = 0; i < 3; i++)
		wait_for(&tasks[i].done);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_uint_eq(tasks[i].finished, i + 1);
		ck_assert(tasks[i].masked);
		ck_assert(!tasks[i].late);
	}
	ck_assert_int_eq(begun, 1);
	ck_assert_int_eq(threads(), 1);
	end();
	wait_for_threads(0);
}
END_TEST

/* Capabilities are a thread's own: none is made before the host has dropped what it does not need. */
START_TEST(not_before_it_goes)
{
	static const struct worker_calls calls = { .create = create };

	qmem_unwatch(q, worker_fd(worker));
	worker_free(worker);
	ck_assert_int_eq(worker_new(&calls, &worker), 0);
	ck_assert_int_eq(qmem_watch(q, worker_fd(worker), EPOLLIN, worker_ready, worker), 0);
	start(0, QMEM_TARGETS);
	start(1, QMEM_TARGETS);
	ck_assert_int_eq(begun, 0);
	/* there is none to be had: the next job tries again */
	threads_left = 0;
	worker_go(worker);
	ck_assert_int_eq(begun, 0);
	threads_left = 1;
	start(2, QMEM_TARGETS);
	for (int i = 0; i < 3; i++) {
		open_gate(i);
		wait_for(&tasks[i].done);
	}
	ck_assert_int_eq(begun, 1);
}
END_TEST

/* Where the host does not make them. */
START_TEST(without_calls)
{
	static const struct worker_calls calls = { NULL };

	qmem_unwatch(q, worker_fd(worker));
	worker_free(worker);
	ck_assert_int_eq(worker_new(&calls, &worker), 0);
	ck_assert_int_eq(qmem_watch(q, worker_fd(worker), EPOLLIN, worker_ready, worker), 0);
	worker_go(worker);
	start(0, QMEM_STORE);
	open_gate(0);
	wait_for(&tasks[0].done);
	ck_assert_str_eq(tasks[0].thread, "qmem store");
	ck_assert(tasks[0].masked);
}
END_TEST

/* Nor does the other lane need anybody to find out that the first hangs: no time passes. */
START_TEST(the_store_does_not_wait_for_targets)
{
	start(0, QMEM_TARGETS);
	wait_for(&tasks[0].begun);
	start(1, QMEM_STORE);
	open_gate(1);
	wait_for(&tasks[1].done);
	ck_assert(!tasks[0].done);
	start(2, QMEM_STORE);
	wait_for(&tasks[2].begun);
	open_gate(0);
	wait_for(&tasks[0].done);
	open_gate(2);
}
END_TEST

/* Those behind it go on, and it ends quietly. */
START_TEST(left_behind)
{
	start(0, QMEM_TARGETS);
	start(1, QMEM_TARGETS);
	wait_for(&tasks[0].begun);
	pass(29);
	ck_assert_uint_eq(left(QMEM_TARGETS), 0);
	pass(1);
	ck_assert_uint_eq(left(QMEM_TARGETS), 1);
	open_gate(1);
	wait_for(&tasks[1].done);
	ck_assert(!tasks[1].late);
	ck_assert_int_eq(threads(), 2);
	open_gate(0);
	wait_for(&tasks[0].done);
	ck_assert(tasks[0].late);
	ck_assert_uint_eq(left(QMEM_TARGETS), 0);
	wait_for_threads(1);
	start(2, QMEM_TARGETS);
	open_gate(2);
	wait_for(&tasks[2].done);
	ck_assert_int_eq(threads(), 1);
	ck_assert_int_eq(begun, 2);
}
END_TEST

/* First, last, and between those that stay. */
START_TEST(recalled)
{
	for (int i = 1; i <= 5; i += 2)
		tasks[i].job.wary = true;
	for (int i = 0; i < 6; i++)
		start(i, QMEM_TARGETS);
	wait_for(&tasks[0].begun);
	/* one that has begun stays */
	ck_assert_int_eq(worker_recall(worker, &tasks[0].job), -EALREADY);
	pass(30);
	for (int i = 1; i <= 5; i += 2)
		ck_assert(tasks[i].done && tasks[i].recalled && !tasks[i].begun);
	start(6, QMEM_TARGETS);
	for (int i = 6; i >= 0; i -= 2)
		open_gate(i);
	for (int i = 0; i <= 6; i += 2) {
		wait_for(&tasks[i].done);
		ck_assert(!tasks[i].recalled);
	}
	ck_assert_uint_lt(tasks[2].finished, tasks[4].finished);
	ck_assert_uint_lt(tasks[4].finished, tasks[6].finished);
}
END_TEST

START_TEST(four_at_most)
{
	for (int i = 0; i < 6; i++)
		start(i, QMEM_TARGETS);
	for (int i = 0; i < 4; i++) {
		wait_for(&tasks[i].begun);
		pass(30);
	}
	wait_for(&tasks[4].begun);
	pass(30);
	pass(300);
	ck_assert_uint_eq(left(QMEM_TARGETS), 4);
	ck_assert_int_eq(threads(), 5);
	ck_assert(!tasks[5].begun);
	/* the other lane is none of its business */
	start(6, QMEM_STORE);
	open_gate(6);
	wait_for(&tasks[6].done);
	open_gate(2);
	wait_for(&tasks[2].done);
	ck_assert_uint_eq(left(QMEM_TARGETS), 4);
	open_gate(5);
	wait_for(&tasks[5].done);
	for (int i = 0; i < 5; i++)
		open_gate(i);
	for (int i = 0; i < 5; i++)
		wait_for(&tasks[i].done);
	wait_for_threads(2);
}
END_TEST

/* Whoever hangs: the end does not wait, what has not begun is given back, and so is what comes back later. */
START_TEST(the_end_waits_for_nobody)
{
	for (int i = 0; i < 3; i++)
		start(i, QMEM_TARGETS);
	wait_for(&tasks[0].begun);
	pass(30);
	wait_for(&tasks[1].begun);
	start(3, QMEM_STORE);
	open_gate(3);
	wait_for(&tasks[3].done);
	end();
	ck_assert(tasks[2].given_back);
	ck_assert(!tasks[0].given_back);
	ck_assert(!tasks[1].given_back);
	for (int i = 0; i < 2; i++) {
		open_gate(i);
		wait_for(&tasks[i].given_back);
	}
	wait_for_threads(0);
}
END_TEST

/* Nobody has looked yet when the host goes. */
START_TEST(finished_but_not_looked_at)
{
	start(0, QMEM_TARGETS);
	open_gate(0);
	wait_for_threads(1);
	for (struct epoll_event event; epoll_wait(qmem_fd(q), &event, 1, BOUND) != 1;)
		ck_abort_msg("it does not finish");
	/* it cannot be left behind any more */
	ck_assert_int_eq(worker_leave(worker, &tasks[0].job), -EALREADY);
	ck_assert_int_eq(threads(), 1);
	end();
	ck_assert(tasks[0].given_back);
	ck_assert(!tasks[0].done);
}
END_TEST

START_TEST(no_threads)
{
	threads_left = 0;
	tasks[0].job = (struct qmem_job){ .run = run, .done = done };
	ck_assert_int_eq(qmem_work(q, &tasks[0].job), -EAGAIN);
	threads_left = 1;
	start(0, QMEM_TARGETS);
	start(1, QMEM_TARGETS);
	wait_for(&tasks[0].begun);
	pass(30);
	ck_assert_uint_eq(left(QMEM_TARGETS), 0);
	threads_left = 1;
	pass(30);
	ck_assert_uint_eq(left(QMEM_TARGETS), 1);
	open_gate(1);
	wait_for(&tasks[1].done);
	open_gate(0);
	wait_for(&tasks[0].done);
}
END_TEST

SUITE(worker)
{
	Suite *s = suite_create("worker");
	TCase *t = tcase_create("worker");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, in_their_order);
	tcase_add_test(t, not_before_it_goes);
	tcase_add_test(t, without_calls);
	tcase_add_test(t, the_store_does_not_wait_for_targets);
	tcase_add_test(t, left_behind);
	tcase_add_test(t, recalled);
	tcase_add_test(t, four_at_most);
	tcase_add_test(t, the_end_waits_for_nobody);
	tcase_add_test(t, finished_but_not_looked_at);
	tcase_add_test(t, no_threads);
	suite_add_tcase(s, t);
	return s;
}
