/* SPDX-License-Identifier: MIT */
#include "service/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SAVED_MOST 60 /* seconds of the budget: else a long pause would be followed by a burst */

/* It owns all it needs: it outlives its service while it is at the worker. */
struct probe {
	struct qmem_job job;
	const struct probe_kind *kind;
	void *arg; /* NULL: the service has gone */
	int root_fd;
	bool brief;
	struct probe_target targets[PROBE_TARGETS]; /* while they are offered, a heap: the worst first */
	size_t n;
	bool busy, offering;
	int64_t budget, credit; /* CPU ns; below 0: to be paid back */
	uint64_t now;
	struct probe_target target; /* at the worker */
	int err;
	_Alignas(16) char result[];
};

static void run(struct qmem_job *job)
{
	struct probe *p = (struct probe *)(void *)job;

	memset(p->result, 0, p->kind->result_size);
	p->err = p->kind->read(p->root_fd, p->target.pid, p->brief, p->result);
}

static void release(struct probe *p)
{
	close(p->root_fd);
	free(p);
}

static void next(struct qmem *q, struct probe *p);

static void done(struct qmem *q, struct qmem_job *job)
{
	struct probe *p = (struct probe *)(void *)job;
	int64_t cost = (int64_t)job->cpu_ns;

	if (!q || !p->arg) {
		release(p);
		return;
	}
	p->busy = false;
	p->credit += p->target.predicted - cost;
	p->kind->take(p->arg, &p->target, p->err, p->result, cost);
	next(q, p);
}

static void next(struct qmem *q, struct probe *p)
{
	size_t best = 0;

	if (!p->n || p->credit <= 0)
		return;
	for (size_t i = 1; i < p->n; i++)
		if (p->targets[i].score > p->targets[best].score)
			best = i;
	p->target = p->targets[best];
	p->targets[best] = p->targets[--p->n];
	p->credit -= p->target.predicted;
	p->job.run = run;
	p->job.done = done;
	snprintf(p->job.what, sizeof(p->job.what), "%s %" PRId32, p->kind->what, p->target.pid);
	p->busy = true;
	if (qmem_work(q, &p->job)) {
		p->busy = false;
		p->credit += p->target.predicted;
	}
}

void probe_begin(struct probe *p, uint64_t now)
{
	double seconds = p->now ? (double)(now - p->now) / 1e9 : 1;
	int64_t earned = (int64_t)((double)p->budget * (seconds < SAVED_MOST ? seconds : SAVED_MOST));
	int64_t most = earned > p->budget ? earned : p->budget;

	/* what is left over is not saved, but for a second's where rounds come more often */
	p->credit += earned;
	if (p->credit > most)
		p->credit = most;
	p->now = now;
	p->offering = !p->busy;
	if (p->offering)
		p->n = 0;
}

/* Takes the place of the worst one. */
static void sink(struct probe *p, const struct probe_target *target)
{
	size_t at = 0, child;

	for (; (child = 2 * at + 1) < p->n; at = child) {
		if (child + 1 < p->n && p->targets[child + 1].score < p->targets[child].score)
			child++;
		if (p->targets[child].score >= target->score)
			break;
		p->targets[at] = p->targets[child];
	}
	p->targets[at] = *target;
}

bool probe_offer(struct probe *p, const struct probe_target *target)
{
	size_t at;

	if (!p->offering || (p->n == PROBE_TARGETS && p->targets[0].score >= target->score))
		return false;
	if (p->n == PROBE_TARGETS) {
		sink(p, target);
		return true;
	}
	for (at = p->n++; at && p->targets[(at - 1) / 2].score > target->score; at = (at - 1) / 2)
		p->targets[at] = p->targets[(at - 1) / 2];
	p->targets[at] = *target;
	return true;
}

void probe_go(struct qmem *q, struct probe *p)
{
	if (p->offering)
		next(q, p);
	p->offering = false;
}

int probe_new(struct qmem *q, const struct probe_kind *kind, int64_t budget, bool brief, void *arg, struct probe **ret)
{
	struct probe *p = calloc(1, sizeof(*p) + kind->result_size);

	if (!p)
		return -ENOMEM;
	p->root_fd = qmem_open(q, O_PATH | O_DIRECTORY, ".");
	if (p->root_fd < 0) {
		int err = p->root_fd;

		free(p);
		return err;
	}
	p->kind = kind;
	p->arg = arg;
	p->budget = budget;
	p->brief = brief;
	*ret = p;
	return 0;
}

void probe_free(struct probe *p)
{
	if (p && p->busy)
		p->arg = NULL;
	else if (p)
		release(p);
}
