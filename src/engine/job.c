/* SPDX-License-Identifier: MIT */
#include "engine/job.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/turn.h"

enum { LEFT = 1, WAITS }; /* states of the event */

static const char *const names[] = { [QMEM_TARGETS] = "targets", [QMEM_STORE] = "store" };

static void unlink_job(struct qmem_job **at, const struct qmem_job *job)
{
	while (*at && *at != job)
		at = &(*at)->peer;
	if (*at)
		*at = job->peer;
}

static void raise_stuck(struct qmem *q, const struct qmem_job *job, enum qmem_severity severity)
{
	unsigned long long seconds = (q->now - job->since) / QMEM_SECOND;
	const char *lane = names[job->lane];
	char instance[96];
	struct qmem_event event = {
		.severity = severity,
		.service = job->owner ? job->owner->service->name : "self",
		.name = "worker",
		.instance = instance,
	};

	if (job->at)
		snprintf(instance, sizeof(instance), "%s of pid %" PRId32, job->what, job->at);
	else
		snprintf(instance, sizeof(instance), "%s", job->what);
	if (severity == QMEM_OKAY) {
		snprintf(event.message, sizeof(event.message), "%s has come back after %llu s", instance, seconds);
	} else if (job->left) {
		event.state = LEFT;
		snprintf(event.message, sizeof(event.message),
			 "%s has not come back for %llu s: its thread is left behind, %" PRIu64
			 " of at most %d, all else goes on",
			 instance, seconds, q->totals.left[job->lane], QMEM_LEFT_MOST);
	} else {
		event.state = WAITS;
		snprintf(event.message, sizeof(event.message),
			 "%s has not come back for %llu s, with %" PRIu64
			 " threads left behind before: the lane '%s' waits, all else goes on",
			 instance, seconds, q->totals.left[job->lane], lane);
	}
	qmem_raise(q, &event);
}

/* The first of the lane, which is stuck, is left behind if it can be. */
static void leave(struct qmem *q, struct qmem_lane_jobs *lane)
{
	struct qmem_job *job = lane->waiting;

	if (q->totals.left[job->lane] < QMEM_LEFT_MOST && q->host->leave && !q->host->leave(q->arg, job)) {
		job->left = true;
		lane->waiting = job->peer;
		job->peer = lane->left;
		lane->left = job;
		q->totals.left[job->lane]++;
		if (lane->waiting)
			lane->waiting->since = q->now;
	}
	raise_stuck(q, job, job->left ? QMEM_WARNING : QMEM_FAILURE);
}

static void look_at_first(struct qmem *q, struct qmem_lane_jobs *lane);

static void expired(struct qmem *q, struct qmem_timer *timer)
{
	struct qmem_lane_jobs *lane = timer->arg;
	struct qmem_job *job = lane->waiting;

	if (!job->stuck) {
		job->stuck = true;
		job->at = __atomic_load_n(&job->pid, __ATOMIC_RELAXED);
		q->totals.stuck++;
	}
	leave(q, lane);
	look_at_first(q, lane);
}

/* The lane takes jobs in their order: only the first can be running. One for which there was no thread is looked at again. */
static void look_at_first(struct qmem *q, struct qmem_lane_jobs *lane)
{
	const struct qmem_job *job = lane->waiting;

	qmem_timer_cancel(q, &lane->timer);
	if (!job)
		return;
	lane->timer.expired = expired;
	lane->timer.arg = lane;
	qmem_timer_set(q, &lane->timer, (job->stuck ? q->now : job->since) + job->stuck_after);
}

int qmem_work(struct qmem *q, struct qmem_job *job)
{
	struct qmem_lane_jobs *lane = &q->lanes[job->lane];
	struct qmem_job **at = &lane->waiting;
	int err;

	if (!q->host->work)
		return -ENOSYS;
	while (*at)
		at = &(*at)->peer;
	job->next = NULL;
	job->peer = NULL;
	job->owner = q->current;
	job->since = q->now;
	job->at = 0;
	job->stuck = job->left = false;
	if (!job->stuck_after)
		job->stuck_after = (uint64_t)q->global.stuck_after;
	*at = job;
	q->totals.jobs++;
	err = q->host->work(q->arg, job);
	if (err) {
		*at = NULL;
		q->totals.jobs--;
		return err;
	}
	if (lane->waiting == job)
		look_at_first(q, lane);
	return 0;
}

/* A place is free for the first of the lane, if it is stuck as well, or the lane has a new first one. */
static void take_back(struct qmem *q, struct qmem_job *job)
{
	struct qmem_lane_jobs *lane = &q->lanes[job->lane];
	bool first = lane->waiting == job;

	unlink_job(job->left ? &lane->left : &lane->waiting, job);
	if (job->left)
		q->totals.left[job->lane]--;
	if (first && lane->waiting)
		lane->waiting->since = q->now;
	else if (lane->waiting && lane->waiting->stuck)
		leave(q, lane);
	look_at_first(q, lane);
}

void qmem_worked(struct qmem *q, struct qmem_job *job, uint64_t now)
{
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
	if (job->stuck)
		raise_stuck(q, job, QMEM_OKAY);
	take_back(q, job);
	TURN_OF(q, owner, job->done(q, job));
}

static const struct qmem_job *first_stuck(const struct qmem_lane_jobs *lane)
{
	return lane->waiting && lane->waiting->stuck ? lane->waiting : NULL;
}

static bool is_at(const struct qmem_job *job, const char *what, int32_t pid)
{
	return job->at == pid && (!what || strcmp(job->what, what) == 0);
}

bool qmem_is_stuck(const struct qmem *q, const char *what, int32_t pid)
{
	for (size_t i = 0; i < QMEM_LANES; i++) {
		const struct qmem_job *first = first_stuck(&q->lanes[i]);

		if (first && is_at(first, what, pid))
			return true;
		for (const struct qmem_job *job = q->lanes[i].left; job; job = job->peer)
			if (is_at(job, what, pid))
				return true;
	}
	return false;
}

uint64_t jobs_stuck_since(const struct qmem *q)
{
	uint64_t since = QMEM_NEVER;

	for (size_t i = 0; i < QMEM_LANES; i++) {
		const struct qmem_job *first = first_stuck(&q->lanes[i]);

		if (first && first->since < since)
			since = first->since;
		for (const struct qmem_job *job = q->lanes[i].left; job; job = job->peer)
			if (job->since < since)
				since = job->since;
	}
	return since;
}
