/* SPDX-License-Identifier: MIT */
/* What the engine waits for: descriptors, times, and jobs at the worker. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "engine/engine.h"

#define STUCK_AFTER (30 * QMEM_SECOND)

int wait_init(struct qmem *q)
{
	q->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return q->epoll_fd < 0 ? -errno : 0;
}

void wait_release(struct qmem *q)
{
	if (q->epoll_fd >= 0)
		close(q->epoll_fd);
	free(q->watches);
}

/* ---- descriptors ---- */

static struct qmem_watch *find_watch(struct qmem *q, int fd)
{
	for (size_t i = 0; i < q->watches_n; i++)
		if (q->watches[i].fd == fd)
			return &q->watches[i];
	return NULL;
}

static struct qmem_watch *free_watch(struct qmem *q)
{
	struct qmem_watch *w = find_watch(q, -1), *watches;

	if (w)
		return w;
	watches = realloc(q->watches, (q->watches_n + 1) * sizeof(*watches));
	if (!watches)
		return NULL;
	q->watches = watches;
	w = &watches[q->watches_n++];
	*w = (struct qmem_watch){ .fd = -1 };
	return w;
}

static int control(struct qmem *q, int op, const struct qmem_watch *w, uint32_t events)
{
	struct epoll_event event = {
		.events = events,
		/* a watch may be gone, and its place taken, between the host's wait and its dispatch */
		.data.u64 = (uint64_t)w->generation << 32 | (uint64_t)(w - q->watches),
	};

	return epoll_ctl(q->epoll_fd, op, w->fd, &event) < 0 ? -errno : 0;
}

int qmem_watch(struct qmem *q, int fd, uint32_t events, void (*ready)(struct qmem *, int, uint32_t, void *), void *arg)
{
	struct qmem_watch *w;
	int err;

	if (fd < 0)
		return -EBADF;
	if (find_watch(q, fd))
		return -EEXIST;
	w = free_watch(q);
	if (!w)
		return -ENOMEM;
	*w = (struct qmem_watch){
		.fd = fd, .generation = w->generation + 1, .ready = ready, .arg = arg, .owner = q->current
	};
	err = control(q, EPOLL_CTL_ADD, w, events);
	if (err)
		w->fd = -1;
	return err;
}

int qmem_watch_events(struct qmem *q, int fd, uint32_t events)
{
	struct qmem_watch *w = fd < 0 ? NULL : find_watch(q, fd);

	return w ? control(q, EPOLL_CTL_MOD, w, events) : -ENOENT;
}

int qmem_unwatch(struct qmem *q, int fd)
{
	struct qmem_watch *w = fd < 0 ? NULL : find_watch(q, fd);
	int err;

	if (!w)
		return -ENOENT;
	err = control(q, EPOLL_CTL_DEL, w, 0);
	w->fd = -1;
	return err;
}

int qmem_fd(const struct qmem *q)
{
	return q->epoll_fd;
}

/* ---- times ---- */

void qmem_timer_set(struct qmem *q, struct qmem_timer *timer, uint64_t when)
{
	struct qmem_timer **at = &q->timers;

	qmem_timer_cancel(q, timer);
	while (*at && (*at)->when <= when)
		at = &(*at)->next;
	timer->when = when;
	timer->owner = q->current;
	timer->next = *at;
	timer->set = true;
	*at = timer;
}

void qmem_timer_cancel(struct qmem *q, struct qmem_timer *timer)
{
	struct qmem_timer **at = &q->timers;

	if (!timer->set)
		return;
	while (*at != timer)
		at = &(*at)->next;
	*at = timer->next;
	timer->set = false;
}

uint64_t qmem_next(const struct qmem *q)
{
	return q->timers ? q->timers->when : QMEM_NEVER;
}

uint64_t qmem_now(const struct qmem *q)
{
	return q->now;
}

void qmem_dispatch(struct qmem *q, const struct epoll_event *events, int n, uint64_t now)
{
	q->now = now;
	for (int i = 0; i < n; i++) {
		size_t slot = (uint32_t)events[i].data.u64;
		struct qmem_watch *w = slot < q->watches_n ? &q->watches[slot] : NULL;
		struct qmem_watch watch;

		if (!w || w->fd < 0 || w->generation != events[i].data.u64 >> 32)
			continue;
		watch = *w; /* the table may move meanwhile */
		ENGINE_AS(q, watch.owner, watch.ready(q, watch.fd, events[i].events, watch.arg));
	}
	while (q->timers && q->timers->when <= now) {
		struct qmem_timer *timer = q->timers;

		q->timers = timer->next;
		timer->set = false;
		ENGINE_AS(q, timer->owner, timer->expired(q, timer));
	}
}

/* ---- jobs ---- */

static void raise_stuck(struct qmem *q, const struct qmem_job *job, enum qmem_severity severity)
{
	int32_t pid = __atomic_load_n(&job->pid, __ATOMIC_RELAXED);
	char at[32] = "";
	struct qmem_event event = {
		.severity = severity,
		.service = job->owner ? job->owner->service->name : "self",
		.name = "worker",
		.instance = job->what,
	};

	if (pid)
		snprintf(at, sizeof(at), ", now at pid %d,", pid);
	if (severity == QMEM_OKAY)
		snprintf(event.message, sizeof(event.message), "%s has come back after %llu s", job->what,
			 (unsigned long long)((q->now - job->since) / QMEM_SECOND));
	else
		snprintf(event.message, sizeof(event.message),
			 "%s%s has not come back for %llu s: the worker waits for it, all else goes on", job->what, at,
			 (unsigned long long)((q->now - job->since) / QMEM_SECOND));
	qmem_raise(q, &event);
}

static void look_at_head(struct qmem *q);

static void stuck(struct qmem *q, struct qmem_timer *timer)
{
	struct qmem_job *job = q->jobs;

	(void)timer;
	if (job && !job->stuck && q->now - job->since >= job->stuck_after) {
		job->stuck = true;
		q->totals.stuck++;
		raise_stuck(q, job, QMEM_WARNING);
	}
	look_at_head(q);
}

/* The worker takes jobs in their order: only the first can be running. */
static void look_at_head(struct qmem *q)
{
	qmem_timer_cancel(q, &q->stuck);
	if (!q->jobs || q->jobs->stuck)
		return;
	q->stuck.expired = stuck;
	qmem_timer_set(q, &q->stuck, q->jobs->since + q->jobs->stuck_after);
}

int qmem_work(struct qmem *q, struct qmem_job *job)
{
	struct qmem_job **at = &q->jobs;
	int err;

	if (!q->host->work)
		return -ENOSYS;
	while (*at)
		at = &(*at)->peer;
	job->next = NULL;
	job->peer = NULL;
	job->owner = q->current;
	job->since = q->now;
	job->stuck = false;
	if (!job->stuck_after)
		job->stuck_after = STUCK_AFTER;
	*at = job;
	q->totals.jobs++;
	err = q->host->work(q->arg, job);
	if (err) {
		*at = NULL;
		q->totals.jobs--;
		return err;
	}
	if (q->jobs == job)
		look_at_head(q);
	return 0;
}

void qmem_worked(struct qmem *q, struct qmem_job *job, uint64_t now)
{
	struct qmem_job **at;
	struct qmem_run *owner = job->owner;

	if (!q) {
		job->done(NULL, job);
		return;
	}
	q->now = now;
	q->totals.back++;
	/* a host that runs jobs at once does it within the turn of a service, on the same clock */
	if (owner && !q->current)
		owner->cpu_ns += job->cpu_ns;
	for (at = &q->jobs; *at && *at != job; at = &(*at)->peer)
		;
	if (*at)
		*at = job->peer;
	if (job->stuck)
		raise_stuck(q, job, QMEM_OKAY);
	if (q->jobs)
		q->jobs->since = q->now;
	look_at_head(q);
	ENGINE_AS(q, owner, job->done(q, job));
}
