/* SPDX-License-Identifier: MIT */
#include "process/probe.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/root.h"
#include "util/room.h"

#define STUCK_MOST 2  /* of a user's processes */
#define SAVED_MOST 60 /* seconds of the budget: else a long pause would be followed by a burst */

/* Of one process. It owns all it needs: it outlives its probe while it is at the worker. */
struct reading {
	struct qmem_job job;
	const struct probe_kind *kind;
	struct probe *probe; /* NULL: it has gone, or does not wait for this any more */
	struct root *root;
	bool brief;
	struct probe_target target;
	int err;
	_Alignas(16) char result[];
};

struct probe {
	const struct probe_kind *kind;
	void *arg;
	struct root *root;
	bool brief;
	struct reading *reading;      /* NULL: none yet, or the last one is stuck */
	struct probe_target *targets; /* from probe_go() on a heap: the best first */
	size_t n, room;
	bool busy; /* the reading is at the worker */
	bool offering;
	int64_t budget, credit; /* CPU ns; below 0: to be paid back */
	uint64_t now;
};

static void run(struct qmem_job *job)
{
	struct reading *r = (struct reading *)(void *)job;

	memset(r->result, 0, r->kind->result_size);
	r->err = r->kind->read(r->root, r->target.pid, r->brief, r->result);
}

static void release(struct reading *r)
{
	if (!r)
		return;
	root_drop(r->root);
	free(r);
}

static struct reading *new_reading(struct probe *p)
{
	struct reading *r = calloc(1, sizeof(*r) + p->kind->result_size);

	if (!r)
		return NULL;
	r->root = root_hold(p->root);
	r->kind = p->kind;
	r->brief = p->brief;
	r->probe = p;
	return r;
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
	struct reading *r = (struct reading *)(void *)job;
	int64_t cost = (int64_t)job->cpu_ns;
	struct probe *p = r->probe;

	if (!q || !p) {
		release(r);
		return;
	}
	p->busy = false;
	p->credit += r->target.predicted - cost;
	if (!job->recalled)
		p->kind->take(p->arg, &r->target, r->err, r->result, cost);
	next(q, p);
}

bool probe_shuns(const struct qmem *q, int32_t pid, uint32_t uid)
{
	return qmem_is_stuck(q, NULL, pid) || (uid && qmem_stuck_of(q, uid) >= STUCK_MOST);
}

static struct probe_target take_first(struct probe *p)
{
	struct probe_target first = p->targets[0];

	p->targets[0] = p->targets[--p->n];
	if (p->n)
		sink(p, 0);
	return first;
}

static void next(struct qmem *q, struct probe *p)
{
	struct reading *r;

	/* since they were offered */
	while (p->n && probe_shuns(q, p->targets[0].pid, p->targets[0].uid))
		(void)take_first(p);
	if (!p->n || p->credit <= 0)
		return;
	if (!p->reading)
		p->reading = new_reading(p);
	r = p->reading;
	if (!r)
		return;
	r->target = take_first(p);
	r->job.run = run;
	r->job.done = done;
	r->job.lane = QMEM_TARGETS;
	r->job.wary = true;
	r->job.pid = r->target.pid;
	r->job.uid = r->target.uid;
	snprintf(r->job.what, sizeof(r->job.what), "%s", p->kind->what);
	/* it may be back at once */
	p->credit -= r->target.predicted;
	p->busy = true;
	if (qmem_work(q, &r->job)) {
		p->busy = false;
		p->credit += r->target.predicted;
	}
}

/* What is stuck is not waited for: it comes back to nobody. Its process is not offered meanwhile. */
static void leave(struct probe *p)
{
	p->credit += p->reading->target.predicted;
	p->reading->probe = NULL;
	p->reading = NULL;
	p->busy = false;
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
	if (p->busy && p->reading->job.left)
		leave(p);
	p->offering = !p->busy;
	if (!p->offering)
		return 0;
	p->n = 0;
	return room_fit(&p->targets, &p->room, slots, sizeof(*p->targets));
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
	struct probe *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->root = root_of(q);
	p->kind = kind;
	p->arg = arg;
	p->budget = budget;
	p->brief = brief;
	*ret = p;
	return 0;
}

void probe_free(struct probe *p)
{
	if (!p)
		return;
	if (p->busy)
		p->reading->probe = NULL;
	else
		release(p->reading);
	root_drop(p->root);
	free(p->targets);
	free(p);
}
