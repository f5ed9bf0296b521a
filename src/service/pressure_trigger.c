/* SPDX-License-Identifier: MIT */
#include "service/pressure_trigger.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/number.h"

#define WINDOW_LEAST INT64_C(500000000) /* the kernel's own limits */
#define WINDOW_MOST INT64_C(10000000000)
#define WORDS 5

static int find(const char *const *names, int n, const char *word)
{
	for (int i = 0; i < n; i++)
		if (strcmp(names[i], word) == 0)
			return i;
	return -1;
}

static int split(char *text, char **words)
{
	int n = 0;

	for (char *rest = text, *word; (word = strtok_r(rest, " \t", &rest));) {
		if (n == WORDS)
			return -1;
		words[n++] = word;
	}
	return n;
}

/* What is wrong, or NULL. */
static const char *parse(char *text, struct trigger_spec *spec)
{
	static const char *const severities[] = { "okay", "warning", "failure" };
	char *words[WORDS];
	int n = split(text, words), resource, kind, severity;

	if (n < 4)
		return "is not 'RESOURCE some|full STALL WINDOW [warning|failure]'";
	resource = find(psi_resources, PSI_RESOURCES, words[0]);
	if (resource < 0)
		return "has a resource other than memory, io, cpu, irq";
	kind = find(psi_kinds, PSI_KINDS, words[1]);
	if (kind < 0)
		return "has neither some nor full as its second word";
	if (resource == PSI_IRQ && kind == PSI_SOME)
		return "is about irq, which has only full";
	if (qmem_parse_duration(words[2], &spec->stall))
		return "has a stall that is no duration, such as 200ms";
	if (qmem_parse_duration(words[3], &spec->window))
		return "has a window that is no duration, such as 2s";
	severity = n < 5 ? QMEM_WARNING + (kind == PSI_FULL) : find(severities, 3, words[4]);
	if (severity < QMEM_WARNING)
		return "has neither warning nor failure as its fifth word";
	spec->resource = (enum psi_resource)resource;
	spec->kind = (enum psi_kind)kind;
	spec->severity = (enum qmem_severity)severity;
	return NULL;
}

/* False: what was read is out of range, and how it was read is said. */
static bool is_possible(const struct trigger_spec *spec, char *why, size_t size)
{
	char stall[24], window[24];

	qmem_print_duration(stall, sizeof(stall), spec->stall);
	qmem_print_duration(window, sizeof(window), spec->window);
	if (spec->window < WINDOW_LEAST || spec->window > WINDOW_MOST)
		snprintf(why, size, "has a window of %s, which is not within 500ms and 10s", window);
	/* the kernel counts in microseconds */
	else if (spec->stall < 1000)
		snprintf(why, size, "has a stall of %s, which is less than 1us", stall);
	else if (spec->stall > spec->window)
		snprintf(why, size, "has a stall of %s, which is longer than its window of %s", stall, window);
	else
		return true;
	return false;
}

int trigger_parse(const char *text, struct trigger_spec *ret, char *why, size_t why_size)
{
	char copy[128];
	struct trigger_spec spec = { 0 };
	const char *wrong = "is too long";

	if ((size_t)snprintf(copy, sizeof(copy), "%s", text) < sizeof(copy))
		wrong = parse(copy, &spec);
	if (wrong)
		snprintf(why, why_size, "%s", wrong);
	if (wrong || !is_possible(&spec, why, why_size))
		return -EINVAL;
	*ret = spec;
	return 0;
}

void trigger_name(char *dst, size_t size, const struct trigger_spec *spec)
{
	char stall[24], window[24];

	qmem_print_duration(stall, sizeof(stall), spec->stall);
	qmem_print_duration(window, sizeof(window), spec->window);
	snprintf(dst, size, "%s_%s_%s_%s", psi_resources[spec->resource], psi_kinds[spec->kind], stall, window);
}

static void keep(struct trigger *t, uint64_t now, int64_t total)
{
	/* it never falls, but for another root below us */
	if (t->n && total < t->samples[0].total) {
		t->n = 0;
		t->base = total - t->stalled;
	}
	if (t->n && now - t->samples[0].when < (uint64_t)t->spec.window / 8)
		return;
	if (t->n < TRIGGER_SAMPLES)
		t->n++;
	memmove(t->samples + 1, t->samples, (t->n - 1) * sizeof(*t->samples));
	t->samples[0] = (struct trigger_sample){ now, total };
}

/* The newest that is at least a window old, else the oldest. */
static const struct trigger_sample *before_window(const struct trigger *t, uint64_t now)
{
	size_t i = 0;

	while (i + 1 < t->n && now - t->samples[i].when < (uint64_t)t->spec.window)
		i++;
	return t->n ? &t->samples[i] : NULL;
}

/* The oldest that is within the window, or little older: a timer comes late, never early. */
static const struct trigger_sample *within_window(const struct trigger *t, uint64_t now)
{
	const struct trigger_sample *found = NULL;

	for (size_t i = 0; i < t->n; i++)
		if (now - t->samples[i].when <= (uint64_t)t->spec.window / 4 * 5)
			found = &t->samples[i];
	return found;
}

/* A poll that came late has seen more than a window. */
static int64_t share_of_window(const struct trigger *t, enum trigger_cause cause, const struct trigger_sample *from,
			       uint64_t now, int64_t stall)
{
	uint64_t span = from ? now - from->when : 0;

	if (cause != TRIGGER_POLL || span <= (uint64_t)t->spec.window)
		return stall;
	return (int64_t)((double)stall * (double)t->spec.window / (double)span);
}

static enum trigger_change look(struct trigger *t, enum trigger_cause cause, uint64_t now, int64_t total)
{
	const struct trigger_sample *from;
	int64_t stall = 0;

	if (cause == TRIGGER_TICK)
		return TRIGGER_NOTHING;
	from = cause == TRIGGER_EVENT ? before_window(t, now) : within_window(t, now);
	if (from && total != QMEM_NA)
		stall = total - from->total;
	if (share_of_window(t, cause, from, now, stall) < t->spec.stall / 1000) {
		t->rejected += cause == TRIGGER_EVENT;
		return cause == TRIGGER_EVENT ? TRIGGER_REJECTED : TRIGGER_NOTHING;
	}
	if (cause == TRIGGER_POLL && t->events && now - t->last < (uint64_t)t->spec.window)
		return TRIGGER_NOTHING;
	if (t->state == TRIGGER_INACTIVE) {
		t->since = now - (now < (uint64_t)t->spec.window ? now : (uint64_t)t->spec.window);
		t->base = from->total;
	}
	t->state = TRIGGER_ACTIVE;
	t->stalled = total - t->base;
	t->last = now;
	t->events++;
	t->share_stall = stall;
	t->share_span = now - from->when;
	return TRIGGER_EXCEEDED;
}

static enum trigger_change age(struct trigger *t, uint64_t now)
{
	uint64_t quiet = now - t->last;

	if (t->state != TRIGGER_INACTIVE && quiet >= 2 * t->hold) {
		t->state = TRIGGER_INACTIVE;
		return TRIGGER_OVER;
	}
	if (t->state == TRIGGER_ACTIVE && quiet >= t->hold) {
		t->state = TRIGGER_EASING;
		return TRIGGER_EASED;
	}
	return TRIGGER_NOTHING;
}

enum trigger_change trigger_step(struct trigger *t, enum trigger_cause cause, uint64_t now, int64_t total)
{
	enum trigger_change change = look(t, cause, now, total);

	if (total != QMEM_NA)
		keep(t, now, total);
	if (change == TRIGGER_EXCEEDED)
		return change;
	/* an event that is no event does not keep the rest from getting older */
	if (age(t, now) == TRIGGER_NOTHING)
		return change;
	return t->state == TRIGGER_INACTIVE ? TRIGGER_OVER : TRIGGER_EASED;
}

uint64_t trigger_deadline(const struct trigger *t)
{
	switch (t->state) {
	case TRIGGER_ACTIVE:
		return t->last + t->hold;
	case TRIGGER_EASING:
		return t->last + 2 * t->hold;
	default:
		return QMEM_NEVER;
	}
}
