/* SPDX-License-Identifier: MIT */
#include "engine/event.h"

#include <stdlib.h>
#include <string.h>

#include "util/escape.h"

static size_t key_of(char *dst, size_t size, const struct qmem_event *event)
{
	const char *parts[] = { event->service, event->name, event->instance ? event->instance : "" };
	size_t len = 0;

	for (size_t i = 0; i < 3; i++) {
		/* an instance longer than any kernel name is cut; the parts stay strings */
		size_t n = strnlen(parts[i], size / 3 - 1);

		memcpy(dst + len, parts[i], n);
		dst[len + n] = '\0';
		len += n + 1;
	}
	return len;
}

static struct qmem_condition *find(const struct qmem_events *events, const char *name, size_t len)
{
	for (size_t i = 0; i < events->n; i++)
		if (events->items[i]->name_len == len && memcmp(events->items[i]->name, name, len) == 0)
			return events->items[i];
	return NULL;
}

static void drop(struct qmem *q, size_t i)
{
	struct qmem_condition *c = q->events.items[i];

	qmem_timer_cancel(q, &c->timer);
	free(c->name);
	free(c);
	q->events.items[i] = q->events.items[--q->events.n];
}

/* Room for one more: the one that has been quiet longest goes, one that is in order rather than one that is not. */
static void make_room(struct qmem *q)
{
	struct qmem_events *events = &q->events;
	size_t oldest = 0;

	if (events->n < QMEM_EVENT_KEYS)
		return;
	for (size_t i = 1; i < events->n; i++) {
		const struct qmem_condition *a = events->items[i], *b = events->items[oldest];
		bool in_order = a->sent == QMEM_OKAY, other = b->sent == QMEM_OKAY;

		if (in_order != other ? in_order : a->last < b->last)
			oldest = i;
	}
	drop(q, oldest);
}

static struct qmem_condition *add(struct qmem *q, const char *name, size_t len)
{
	struct qmem_events *events = &q->events;
	struct qmem_condition *c, **items;

	make_room(q);
	items = realloc(events->items, (events->n + 1) * sizeof(*items));
	if (!items)
		return NULL;
	events->items = items;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->name = malloc(len);
	if (!c->name) {
		free(c);
		return NULL;
	}
	memcpy(c->name, name, len);
	c->name_len = len;
	c->sent = QMEM_OKAY;
	c->tokens = QMEM_EVENT_BURST;
	c->refilled = q->now;
	items[events->n++] = c;
	return c;
}

static bool take_token(struct qmem *q, struct qmem_condition *c)
{
	uint64_t due = (q->now - c->refilled) / QMEM_EVENT_REFILL;

	c->refilled += due * QMEM_EVENT_REFILL;
	if (due > QMEM_EVENT_BURST - c->tokens) {
		c->tokens = QMEM_EVENT_BURST;
		c->refilled = q->now;
	} else {
		c->tokens += (unsigned)due;
	}
	if (!c->tokens)
		return false;
	c->tokens--;
	return true;
}

static void deliver(struct qmem *q, struct qmem_condition *c, const struct qmem_event *event)
{
	struct qmem_event shown = *event;

	qmem_timer_cancel(q, &c->timer);
	c->sent = event->severity;
	c->state = event->state;
	c->last = q->now;
	q->totals.raised[event->severity]++;
	/* whatever names are in it */
	escape_text(shown.message, sizeof(shown.message), event->message);
	if (q->host->event)
		q->host->event(q->arg, &shown);
}

static void waited(struct qmem *q, struct qmem_timer *timer)
{
	struct qmem_condition *c = timer->arg;

	if (take_token(q, c))
		deliver(q, c, &c->waiting);
	else
		qmem_timer_set(q, timer, c->refilled + QMEM_EVENT_REFILL);
}

/* The latest word is sent when there is room for it again. Its fields are the caller's, and are not kept: the message has
 * all a human must know. The names in `waiting` are those of the key, so that they last. */
static void hold(struct qmem *q, struct qmem_condition *c, const struct qmem_event *event)
{
	const char *instance;

	c->waiting = *event;
	c->waiting.fields = NULL;
	c->waiting.service = c->name;
	c->waiting.name = c->name + strlen(c->name) + 1;
	instance = c->waiting.name + strlen(c->waiting.name) + 1;
	c->waiting.instance = event->instance ? instance : NULL;
	c->timer.expired = waited;
	c->timer.arg = c;
	qmem_timer_set(q, &c->timer, c->refilled + QMEM_EVENT_REFILL);
}

void qmem_raise(struct qmem *q, const struct qmem_event *event)
{
	char name[3 * 256];
	size_t len = key_of(name, sizeof(name), event);
	struct qmem_condition *c = find(&q->events, name, len);

	if (q->current)
		q->current->events++;
	if (!c && (event->severity != QMEM_OKAY || event->state))
		c = add(q, name, len);
	if (!c)
		return;
	if (event->severity == c->sent && event->state == c->state) {
		/* what waited said otherwise, and is no longer true */
		qmem_timer_cancel(q, &c->timer);
		if (event->severity == QMEM_OKAY || !event->repeat || q->now - c->last < event->repeat)
			return;
	}
	if (take_token(q, c)) {
		deliver(q, c, event);
		return;
	}
	q->totals.withheld++;
	hold(q, c, event);
}

void qmem_events_release(struct qmem *q)
{
	while (q->events.n)
		drop(q, q->events.n - 1);
	free(q->events.items);
	q->events.items = NULL;
}
