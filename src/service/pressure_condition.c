/* SPDX-License-Identifier: MIT */
#include "service/pressure_condition.h"

#include <stdio.h>

void condition_init(struct pressure_condition *c, const struct trigger *t)
{
	const char *resource = psi_resources[t->spec.resource], *kind = psi_kinds[t->spec.kind];

	*c = (struct pressure_condition){
		.resource = t->spec.resource,
		.kind = t->spec.kind,
		.labels = { { "resource", resource }, { "kind", kind } },
	};
	snprintf(c->name, sizeof(c->name), "%s_%s", resource, kind);
}

bool condition_is(const struct pressure_condition *c, const struct trigger *t)
{
	return c->resource == t->spec.resource && c->kind == t->spec.kind;
}

void condition_add(struct pressure_condition *c, struct trigger *t)
{
	t->peer = c->triggers;
	c->triggers = t;
}

/* Of those that fire. */
static enum qmem_severity severest(const struct pressure_condition *c)
{
	enum qmem_severity worst = QMEM_OKAY;

	for (const struct trigger *t = c->triggers; t; t = t->peer)
		if (t->state != TRIGGER_INACTIVE && t->spec.severity > worst)
			worst = t->spec.severity;
	return worst;
}

/* The one of those that fire that fired last, the severest if there are several; NULL: none does. */
static const struct trigger *latest(const struct pressure_condition *c)
{
	const struct trigger *found = NULL;

	for (const struct trigger *t = c->triggers; t; t = t->peer) {
		if (t->state == TRIGGER_INACTIVE)
			continue;
		if (!found || t->last > found->last ||
		    (t->last == found->last && t->spec.severity > found->spec.severity))
			found = t;
	}
	return found;
}

static void account(struct pressure_condition *c, const struct trigger *t)
{
	int64_t total = t->base + t->stalled;

	if (!c->on) {
		c->since = t->since;
		c->stalled = 0;
	} else if (total > c->total) {
		c->stalled += total - c->total;
	}
	c->on = true;
	c->total = total;
	c->last = t->last;
	/* one with a longer window has begun before the one that fired first */
	if (t->since < c->since)
		c->since = t->since;
	if (t->stalled > c->stalled)
		c->stalled = t->stalled;
}

void condition_step(struct pressure_condition *c, const struct trigger *t, enum trigger_change change)
{
	if (change == TRIGGER_EXCEEDED) {
		account(c, t);
		c->exceeded = true;
	}
	c->ended |= change == TRIGGER_OVER;
}

enum condition_change condition_settle(struct pressure_condition *c)
{
	const struct trigger *now = latest(c);
	enum qmem_severity before = c->severity;
	bool exceeded = c->exceeded, ended = c->ended;

	c->exceeded = c->ended = false;
	if (!exceeded && !ended)
		return CONDITION_SAME;
	c->severity = severest(c);
	if (!now) {
		c->on = false;
		return CONDITION_OVER;
	}
	c->told = now;
	return exceeded || c->severity < before ? CONDITION_TELL : CONDITION_SAME;
}

void condition_sum(const struct pressure_condition *c, struct condition_sum *ret)
{
	*ret = (struct condition_sum){ .severity = severest(c) };
	for (const struct trigger *t = c->triggers; t; t = t->peer) {
		if (t->state > ret->state)
			ret->state = t->state;
		ret->events += t->events;
		ret->rejected += t->rejected;
	}
}
