/* SPDX-License-Identifier: MIT */
#include "engine/job.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/turn.h"
#include "util/words.h"

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
	char instance[96], file[96], span[WORDS_NUMBER];
	struct qmem_event event = {
		.severity = severity,
		.service = job->owner ? job->owner->service->name : "self",
		.name = "worker",
		.instance = instance,
	};

	/* a name that no host has to alter, and words */
	snprintf(instance, sizeof(instance), "%s", *job->id ? job->id : job->what);
	snprintf(file, sizeof(file), "%s", job->what);
	if (job->at) {
		words_add(instance, sizeof(instance), "_%" PRId32, job->at);
		words_add(file, sizeof(file), " of pid %" PRId32, job->at);
	}
	words_span(span, q->now - job->since);
	if (severity == QMEM_OKAY) {
		snprintf(event.message, sizeof(event.message), "file is no longer stuck: %s, it was for %s", file,
			 span);
	} else if (job->left) {
		event.state = LEFT;
		snprintf(event.message, sizeof(event.message),
			 "file is stuck, all else goes on: %s, for %s; thread %" PRIu64 " of at most %d is left behind",
			 file, span, q->totals.left[job->lane], QMEM_LEFT_MOST);
	} else {
		event.state = WAITS;
		snprintf(event.message, sizeof(event.message),
			 "file is stuck, and the lane '%s' waits: %s, for %s; %" PRIu64
			 " threads are left behind already",
			 names[job->lane], file, span, q->totals.left[job->lane]);
	}
	if (severity != QMEM_OKAY && job->at)
		words_add(event.message, sizeof(event.message), "; see what pid %" PRId32 " waits for", job->at);
	qmem_raise(q, &event);
}

/* Those behind the first of the lane that are wary, and have not begun. */
static struct qmem_job *recall(struct qmem *q, struct qmem_lane_jobs *lane)
{
	struct qmem_job *list = NULL, **end = &list, **at = &lane->waiting->peer, *job;

	while ((job = *at)) {
		if (!job->wary || !q->host->recall || q->host->recall(q->arg, job)) {
			at = &job->peer;
			continue;
		}
		*at = job->peer;
		job->peer = NULL;
		*end = job;
		end = &job->peer;
	}
	return list;
}

/* They may be given to the host again by this. */
static void give_back(struct qmem *q, struct qmem_job *list)
{
	while (list) {
		struct qmem_job *job = list;

		list = job->peer;
		job->recalled = true;
		job->cpu_ns = 0;
		q->totals.back++;
		TURN_OF(q, job->owner, job->done(q, job));
	}
}

/* The first of the lane, which is stuck, is left behind if it can be; before another thread takes the others, they are asked. */
static void leave(struct qmem *q, struct qmem_lane_jobs *lane)
{
	struct qmem_job *job = lane->waiting, *recalled = NULL;
	int err = q->totals.left[job->lane] < QMEM_LEFT_MOST && q->host->leave ? 0 : -EAGAIN;

	if (!err) {
		recalled = recall(q, lane);
		err = q->host->leave(q->arg, job);
	}
	if (!err) {
		job->left = true;
		lane->waiting = job->peer;
		job->peer = lane->left;
		lane->left = job;
		q->totals.left[job->lane]++;
		if (lane->waiting)
			lane->waiting->since = q->now;
	}
	if (err != -EALREADY)
		raise_stuck(q, job, job->left ? QMEM_WARNING : QMEM_FAILURE);
	give_back(q, recalled);
}

static void look_at_first(struct qmem *q, struct qmem_lane_jobs *lane);

static void expired(struct qmem *q, struct qmem_timer *timer)
{
	struct qmem_lane_jobs *lane = timer->arg;
	struct qmem_job *job = lane->waiting;

	if (!job->stuck) {
		job->stuck = true;
		job->at = __atomic_load_n(&job->pid, __ATOMIC_RELAXED);
		job->of = __atomic_load_n(&job->uid, __ATOMIC_RELAXED);
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
	job->stuck = job->left = job->recalled = false;
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

/* The jobs that are stuck, those that are left behind and then the first of their lane: job NULL begins, NULL ends. */
static const struct qmem_job *next_stuck(const struct qmem *q, const struct qmem_job *job)
{
	size_t lane = job ? (size_t)job->lane : 0;

	if (job && job->left && job->peer)
		return job->peer;
	for (bool left = !job; lane < QMEM_LANES; lane++, left = true) {
		const struct qmem_job *first = q->lanes[lane].waiting;

		if (left && q->lanes[lane].left)
			return q->lanes[lane].left;
		if (first && first->stuck && first != job)
			return first;
	}
	return NULL;
}

bool qmem_is_stuck(const struct qmem *q, const char *what, int32_t pid)
{
	for (const struct qmem_job *job = NULL; (job = next_stuck(q, job));)
		if (job->at == pid && (!what || strcmp(job->what, what) == 0))
			return true;
	return false;
}

unsigned qmem_stuck_of(const struct qmem *q, uint32_t uid)
{
	unsigned n = 0;

	for (const struct qmem_job *job = NULL; (job = next_stuck(q, job));)
		n += job->at && job->of == uid;
	return n;
}

uint64_t jobs_stuck_since(const struct qmem *q)
{
	uint64_t since = QMEM_NEVER;

	for (const struct qmem_job *job = NULL; (job = next_stuck(q, job));)
		if (job->since < since)
			since = job->since;
	return since;
}
