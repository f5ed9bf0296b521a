/* SPDX-License-Identifier: MIT */
#include "engine/timer.h"

#include "engine/turn.h"

void qmem_timer_set(struct qmem *q, struct qmem_timer *timer, uint64_t when)
{
	struct qmem_timer **at = &q->timers;

	qmem_timer_cancel(q, timer);
	while (*at && (*at)->when <= when)
		at = &(*at)->next;
	timer->when = when;
	timer->owner = q->current;
	timer->next = *at;
	timer->set = true;
	*at = timer;
}

void qmem_timer_cancel(struct qmem *q, struct qmem_timer *timer)
{
	struct qmem_timer **at = &q->timers;

	if (!timer->set)
		return;
	while (*at != timer)
		at = &(*at)->next;
	*at = timer->next;
	timer->set = false;
}

uint64_t qmem_next(const struct qmem *q)
{
	return q->timers ? q->timers->when : QMEM_NEVER;
}

void timers_expire(struct qmem *q)
{
	while (q->timers && q->timers->when <= q->now) {
		struct qmem_timer *timer = q->timers;

		q->timers = timer->next;
		timer->set = false;
		TURN_OF(q, timer->owner, timer->expired(q, timer));
	}
}
