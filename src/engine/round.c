/* SPDX-License-Identifier: MIT */
/* Rounds: whose turn it is, in which order, and what becomes of it. */
#include <errno.h>

#include "engine/emit.h"
#include "engine/hold.h"
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

/* A slice of a collection: all of it, as a rule. */
static int slice(struct qmem *q, struct qmem_run *run)
{
	int err;

	for (;;) {
		run->slices = run->begun ? run->slices + 1 : 1;
		err = run->service->collect(q, run->state);
		run->begun = err > 0;
		if (run->begun && qmem_enough(q))
			return QMEM_MORE;
		if (run->begun)
			continue;
		if (!pace_tries(q, run, err))
			break;
		/* a pace that nobody has seen yet is settled by collecting at once again */
		if (qmem_enough(q))
			return QMEM_MORE;
		run->cpu_begun = turn_cost(q);
	}
	settle(q, run, err);
	return 0;
}

/* What it emits is of the time when that was complete which it is made of. */
static uint64_t complete(const struct qmem *q, const struct qmem_run *run)
{
	const struct qmem_run *before = run_needs(q, run);

	if (before)
		return before->when;
	return run->slices > 1 ? hold_now(q) : q->now;
}

static int collect(struct qmem *q, struct qmem_run *run, bool muted)
{
	const struct qmem_run *before = run_needs(q, run);
	uint64_t now = q->now, cost;
	struct qmem_round round;
	int more;

	if (!run->begun) {
		run->muted = muted;
		run->cpu_begun = run->cpu_ns;
	}
	q->muted = run->muted;
	if (before)
		q->now = before->when;
	TURN_OF(q, run, more = slice(q, run));
	cost = run->cpu_ns - run->cpu_begun;
	if (!more) {
		run->round = q->round;
		run->when = complete(q, run);
		round = emit_round(q, run);
		if (!run->result && !run->muted && q->host->collected && pace_shows(q, run))
			q->host->collected(q->arg, &round);
		if (!run->muted)
			run->pending = false;
	}
	q->muted = false;
	q->now = now;
	if (!more)
		TURN_OF(q, run, pace_weigh(q, run, cost));
	return more;
}

/* First what it needs, if that has not been collected since it is this one's turn. */
static int advance(struct qmem *q, struct qmem_run *run, bool muted, uint64_t asked)
{
	struct qmem_run *before = run_needs(q, run);

	if (before && before->round < asked && (advance(q, before, true, asked) || qmem_enough(q)))
		return QMEM_MORE;
	return collect(q, run, muted);
}

/* Does it need what has been begun, and is not done? */
static bool waits(const struct qmem *q, const struct qmem_run *run)
{
	for (; run; run = run_needs(q, run))
		if (run->begun || (run->service->shared && run->pace == PACE_TRIED))
			return true;
	return false;
}

/* As far as it goes in one hold: in the order of the table, but none waits for what it does not need. */
static int go(struct qmem *q)
{
	bool first = true;

	for (int last = 0; last < 2; last++) {
		for (size_t i = 0; i < q->n; i++) {
			struct qmem_run *run = &q->runs[i];

			if (!run->pending || (!last && waits(q, run)))
				continue;
			if (!first && qmem_enough(q))
				return QMEM_MORE;
			first = false;
			(void)advance(q, run, false, run->asked);
		}
	}
	for (size_t i = 0; i < q->n; i++)
		if (q->runs[i].pending)
			return QMEM_MORE;
	return 0;
}

/* Those that need no file always succeed, and prove nothing. */
static int result(const struct qmem *q)
{
	bool any = false, all = true;

	for (size_t i = 0; i < q->n; i++) {
		const struct qmem_run *run = &q->runs[i];

		if (!run->started || !run_wanted(q, run) || !run->service->collect || !run->service->source)
			continue;
		any = true;
		all &= run->result != 0;
	}
	return any && all ? -EIO : 0;
}

int qmem_go_on(struct qmem *q, uint64_t now)
{
	int more;

	hold_begin(q, now);
	more = go(q);
	hold_end(q);
	return more ? QMEM_MORE : result(q);
}

/* A host's clock jitters: half a tick early is in time, and whole intervals that were missed are left out. */
static bool is_due(const struct qmem *q, const struct qmem_run *run)
{
	return run->started && run_wanted(q, run) && run->service->collect && q->now + q->tick / 2 >= run->due;
}

/* Is what it needs still at the turn before, or one that needs the same? */
static bool is_behind(const struct qmem *q, const struct qmem_run *run)
{
	const struct qmem_run *root = run_root(q, run);

	for (size_t i = 0; i < q->n; i++) {
		const struct qmem_run *other = &q->runs[i];

		if (other->pending && other->asked < q->round && run_root(q, other) == root)
			return true;
	}
	return false;
}

int qmem_collect(struct qmem *q, uint64_t now)
{
	q->round++;
	q->now = now;
	for (size_t i = 0; i < q->n; i++) {
		struct qmem_run *run = &q->runs[i];

		/* who is behind has its turn with the next walk: else one of a longer interval might never have one */
		if (!is_due(q, run) || is_behind(q, run))
			continue;
		pace_plan(q, run);
		run->pending = true;
		run->asked = q->round;
	}
	return qmem_go_on(q, now);
}
