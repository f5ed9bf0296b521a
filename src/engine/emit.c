/* SPDX-License-Identifier: MIT */
#include "engine/emit.h"

#include "engine/pace.h"
#include "engine/run.h"
#include "engine/turn.h"

struct qmem_round emit_round(const struct qmem *q, const struct qmem_run *run)
{
	return (struct qmem_round){
		.service = run->service, .now = q->now, .interval = run->interval, .every = pace_every(q, run)
	};
}

uint64_t qmem_interval(const struct qmem *q)
{
	return q->current->interval;
}

bool qmem_muted(const struct qmem *q)
{
	return q->muted;
}

/* Bit i: metric i has a value. */
static uint64_t present(const struct qmem_family *family, const void *sample)
{
	uint64_t bits = 0;

	for (size_t i = 0; family->metrics[i].id; i++)
		if (qmem_value(&family->metrics[i], sample) != QMEM_NA)
			bits |= UINT64_C(1) << i;
	return bits;
}

void qmem_emit(struct qmem *q, const struct qmem_family *family, const struct qmem_instance *instance,
	       const void *sample)
{
	struct qmem_run *run = q->current;
	struct qmem_round round;
	uint64_t bits, *seen;

	if (q->muted || !pace_shows(q, run))
		return;
	bits = present(family, sample);
	seen = &run->seen[family - run->service->families];
	*seen |= bits;
	round = emit_round(q, run);
	round.seen = *seen;
	if (run_shows(q, run, family)) {
		run->values += (uint64_t)__builtin_popcountll(bits);
		if (q->host->values)
			q->host->values(q->arg, &round, family, instance, sample);
	}
	for (size_t i = 0; i < q->n; i++) {
		struct qmem_run *other = &q->runs[i];

		if (other->started && other->service->values && other != run)
			TURN_OF(q, other, other->service->values(q, other->state, &round, family, instance, sample));
	}
}

void qmem_emit_all(struct qmem *q, const void *sample)
{
	for (const struct qmem_family *f = q->current->service->families; f && f->id; f++)
		if (!f->label)
			qmem_emit(q, f, NULL, sample);
}
