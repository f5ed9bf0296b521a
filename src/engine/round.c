/* SPDX-License-Identifier: MIT */
/* Rounds: whose turn it is, in which order, and what becomes of it. */
#include <errno.h>

#include "engine/emit.h"
#include "engine/log.h"
#include "engine/pace.h"
#include "engine/run.h"
#include "engine/turn.h"

static void settle(struct qmem *q, struct qmem_run *run, int err)
{
	char words[128];

	run->result = err;
	run->collections++;
	if (err) {
		run->failures++;
		if (!run->failing++)
			qmem_log(q, QMEM_LOG_WARNING, "%s", log_words(q, err, words, sizeof(words)));
	} else if (run->failing) {
		qmem_log(q, QMEM_LOG_INFO, "is back after %llu failed collections", (unsigned long long)run->failing);
		run->failing = 0;
	}
}

static void collect(struct qmem *q, struct qmem_run *run, bool muted)
{
	struct qmem_run *before = run->service->needs ? run_of(q, run->service->needs) : NULL;
	bool outer_muted = q->muted;
	uint64_t cost = run->cpu_ns;
	struct qmem_round round;

	if (before && before->started && before->round != q->round)
		collect(q, before, true);
	round = emit_round(q, run);
	run->round = q->round;
	q->muted = muted;
	TURN_OF(q, run, settle(q, run, run->service->collect(q, run->state)));
	if (!run->result && !muted && q->host->collected)
		q->host->collected(q->arg, &round);
	q->muted = outer_muted;
	TURN_OF(q, run, pace_weigh(q, run, run->cpu_ns - cost));
}

/* A host's clock jitters: half a tick early is in time, and whole intervals that were missed are left out. */
static bool is_due(const struct qmem *q, const struct qmem_run *run)
{
	return run->started && run_wanted(run) && run->service->collect && q->now + q->tick / 2 >= run->due;
}

/* Multiples of an interval since the start: services of one interval, or of two and four times as much, have their turns
 * together, and share what they need. The one after that which it has had, early or late: wherever between two of them the
 * host's ticks fall, each of these is a turn. */
static void plan(const struct qmem *q, struct qmem_run *run)
{
	uint64_t interval = pace_of(q, run), had = q->now > run->due ? q->now : run->due;

	run->due = q->began + ((had - q->began) / interval + 1) * interval;
}

int qmem_collect(struct qmem *q, uint64_t now)
{
	bool any = false, all = true;

	q->now = now;
	q->round++;
	for (size_t i = 0; i < q->n; i++) {
		struct qmem_run *run = &q->runs[i];

		if (!is_due(q, run))
			continue;
		collect(q, run, false);
		plan(q, run);
	}
	/* those that need no file always succeed, and prove nothing */
	for (size_t i = 0; i < q->n; i++) {
		const struct qmem_run *run = &q->runs[i];

		if (!run->started || !run_wanted(run) || !run->service->collect || !run->service->source)
			continue;
		any = true;
		all &= run->result != 0;
	}
	return any && all ? -EIO : 0;
}
