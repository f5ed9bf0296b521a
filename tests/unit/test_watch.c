/* SPDX-License-Identifier: MIT */
/* Descriptors that are waited for. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "../recorder.h"

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

SUITE(watch)
{
	Suite *s = suite_create("watch");
	TCase *t = tcase_create("watch");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, descriptors);
	tcase_add_test(t, what_cannot_be_waited_for);
	tcase_add_test(t, a_watch_that_went_between_wait_and_dispatch);
	suite_add_tcase(s, t);
	return s;
}
