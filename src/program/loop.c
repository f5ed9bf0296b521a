/* SPDX-License-Identifier: MIT */
#include "program/loop.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "program/capabilities.h"
#include "program/clock.h"
#include "program/standard.h"
#include "util/right.h"

#define EVENTS 32
#define ROUNDS 5         /* of loop_settle(), at most */
#define WAIT_MAX 3600000 /* ms; what is due later is waited for again */

int loop_init(struct loop *l, const struct qmem_host *host)
{
	static const struct worker_calls worker_calls = { 0 };
	int err = capabilities_lower();

	if (err)
		return err;
	l->permitted = right_permitted();
	l->q = qmem_new(host, l, qmem_services);
	if (!l->q)
		return -ENOMEM;
	if (!host->work)
		return 0;
	err = worker_new(&worker_calls, &l->worker);
	if (!err)
		err = qmem_watch(l->q, worker_fd(l->worker), EPOLLIN, worker_ready, l->worker);
	if (err)
		log_printf(&l->log, QMEM_LOG_WARNING, "no worker: %s", strerror(-err));
	return 0;
}

int loop_configure(struct loop *l, const struct request *r, struct config *config)
{
	int err = config_read(l->q, r->config, config);

	for (size_t i = 0; !err && i < r->n_settings; i++) {
		struct qmem_error error;

		qmem_at(l->q, r->settings[i]);
		err = config_set(l->q, r->settings[i], &error);
		if (!err || err == -ENOMEM)
			continue;
		standard_line(stderr, "%s: option '%s': %s", r->program, r->settings[i], error.text);
		err = -EINVAL;
	}
	qmem_at(l->q, NULL);
	return err;
}

void loop_complain(struct loop *l, struct config *config)
{
	for (size_t i = 0; i < config->n; i++)
		log_line(&l->log, QMEM_LOG_ERROR, config->errors[i]);
	config_release(config);
}

int loop_start(struct loop *l, uint64_t interval)
{
	/* without rights: it is the caller who says where it is */
	int real = qmem_open_root(l->q), err = real > 0 ? capabilities_raise(l->q) : capabilities_drop();

	if (err)
		log_printf(&l->log, QMEM_LOG_WARNING, "cannot %s capabilities: %s", real > 0 ? "raise" : "drop",
			   strerror(-err));
	if (err && real <= 0)
		return err;
	if (!real)
		log_line(&l->log, QMEM_LOG_INFO,
			 "reads without capabilities: HostRoot has no procfs of its own, or the way to it "
			 "is not absolute, or by a link of a process");
	err = qmem_start(l->q, interval, interval, clock_now());
	if (real > 0)
		(void)capabilities_settle(l->q);
	if (l->worker && worker_go(l->worker))
		log_line(&l->log, QMEM_LOG_WARNING, "there is no thread for what may block so far");
	return err;
}

static int milliseconds(uint64_t now, uint64_t until)
{
	uint64_t ms = until <= now ? 0 : (until - now + 999999) / 1000000;

	return ms > WAIT_MAX ? WAIT_MAX : (int)ms;
}

uint64_t loop_wait(struct loop *l, uint64_t until)
{
	struct epoll_event events[EVENTS];
	uint64_t next = qmem_next(l->q), now;
	int n;

	if (next < until)
		until = next;
	n = epoll_wait(qmem_fd(l->q), events, EVENTS, milliseconds(clock_now(), until));
	now = clock_now();
	qmem_dispatch(l->q, events, n < 0 ? 0 : n, now);
	return now;
}

void loop_until(struct loop *l, uint64_t until)
{
	uint64_t now = clock_now();

	while (now < until && !l->interrupted)
		now = loop_wait(l, until);
}

int loop_collect(struct loop *l)
{
	int err = qmem_collect(l->q, clock_now());

	while (err == QMEM_MORE)
		err = qmem_go_on(l->q, loop_wait(l, 0));
	return err;
}

void loop_settle(struct loop *l)
{
	struct qmem_totals totals = { 0 };
	uint64_t asked, now;
	int n = 0;

	do {
		asked = totals.jobs;
		now = clock_now();
		(void)loop_collect(l);
		loop_until(l, now + QMEM_SECOND);
		qmem_totals(l->q, &totals);
	} while (!l->interrupted && (totals.jobs != asked || totals.back != totals.jobs) && ++n < ROUNDS);
}

void loop_release(struct loop *l)
{
	qmem_free(l->q);
	worker_free(l->worker);
}

void loop_log(void *loop, enum qmem_level level, const char *text)
{
	const struct loop *l = loop;

	log_line(&l->log, level, text);
}

int loop_work(void *loop, struct qmem_job *job)
{
	const struct loop *l = loop;

	return l->worker ? worker_add(l->worker, job) : -EMFILE;
}

int loop_leave(void *loop, struct qmem_job *job)
{
	const struct loop *l = loop;

	return worker_leave(l->worker, job);
}

int loop_recall(void *loop, struct qmem_job *job)
{
	const struct loop *l = loop;

	return worker_recall(l->worker, job);
}

uint64_t loop_now(void *loop)
{
	(void)loop;
	return clock_now();
}
