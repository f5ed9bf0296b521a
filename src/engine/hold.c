/* SPDX-License-Identifier: MIT */
#include "engine/hold.h"

#define ENOUGH (20 * QMEM_SECOND / 1000) /* and no more than 50 ms with what cannot be broken off */

uint64_t hold_now(const struct qmem *q)
{
	uint64_t now = q->host->now ? q->host->now(q->arg) : 0;

	return now > q->held ? now : q->held;
}

void hold_begin(struct qmem *q, uint64_t now)
{
	q->now = q->held = now;
}

void hold_end(struct qmem *q)
{
	uint64_t lasted = hold_now(q) - q->held;

	if (lasted > q->totals.longest_hold)
		q->totals.longest_hold = lasted;
}

bool qmem_enough(const struct qmem *q)
{
	return hold_now(q) - q->held >= ENOUGH;
}
