/* SPDX-License-Identifier: MIT */
#include "process/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/room.h"

#define SAVED_MOST 60 /* seconds of the budget: else a long pause would be followed by a burst */

/* It owns all it needs: it outlives its service while it is at the worker. */
struct probe {
	struct qmem_job job;
	const struct probe_kind *kind;
	void *arg; /* NULL: the service has gone */
	int root_fd;
	bool brief;
	struct probe_target *targets; /* from probe_go() on a heap: the best first */
	size_t n, room;
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
	free(p->targets);
	free(p);
}

/* What is below this place is a heap already. */
static void sink(struct probe *p, size_t at)
{
	const struct probe_target target = p->targets[at];
	size_t child;

	for (; (child = 2 * at + 1) < p->n; at = child) {
		if (child + 1 < p->n && p->targets[child + 1].score > p->targets[child].score)
			child++;
		if (p->targets[child].score <= target.score)
			break;
		p->targets[at] = p->targets[child];
	}
	p->targets[at] = target;
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
	if (!p->n || p->credit <= 0)
		return;
	p->target = p->targets[0];
	p->targets[0] = p->targets[--p->n];
	if (p->n)
		sink(p, 0);
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

int probe_begin(struct probe *p, size_t slots, uint64_t now)
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
	if (!p->offering)
		return 0;
	p->n = 0;
	return room_make(&p->targets, &p->room, slots, sizeof(*p->targets));
}

void probe_offer(struct probe *p, const struct probe_target *target)
{
	if (p->offering && p->n < p->room)
		p->targets[p->n++] = *target;
}

void probe_go(struct qmem *q, struct probe *p)
{
	if (!p->offering)
		return;
	p->offering = false;
	for (size_t at = p->n / 2; at-- > 0;)
		sink(p, at);
	next(q, p);
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
