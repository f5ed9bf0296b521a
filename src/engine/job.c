/* SPDX-License-Identifier: MIT */
/* Work that is at the host, and what of it does not come back. */
#include <errno.h>
#include <stdio.h>

#include "engine/turn.h"

#define STUCK_AFTER (30 * QMEM_SECOND)

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
	TURN_OF(q, owner, job->done(q, job));
}
