/* SPDX-License-Identifier: MIT */
#include "engine/turn.h"

static uint64_t cpu(const struct qmem *q)
{
	return q->host->cpu_ns(q->arg);
}

/* The clock runs for the innermost service: what another one does on its behalf is the other's. */
struct qmem_run *turn_begin(struct qmem *q, struct qmem_run *run)
{
	struct qmem_run *outer = q->current;
	uint64_t now = cpu(q);

	if (outer)
		outer->cpu_ns += now - q->cpu_since;
	q->cpu_since = now;
	q->current = run;
	*q->failure = '\0';
	return outer;
}

uint64_t turn_cost(const struct qmem *q)
{
	return q->current->cpu_ns + cpu(q) - q->cpu_since;
}

uint64_t qmem_cpu(const struct qmem *q)
{
	return q->current ? turn_cost(q) : 0;
}

void turn_end(struct qmem *q, struct qmem_run *outer)
{
	uint64_t now = cpu(q);

	if (q->current)
		q->current->cpu_ns += now - q->cpu_since;
	q->cpu_since = now;
	q->current = outer;
}
