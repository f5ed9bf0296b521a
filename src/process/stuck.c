/* SPDX-License-Identifier: MIT */
#include "process/stuck.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX
#define LOOKS 8 /* at a wait, within `after` */

int stuck_init(struct stuck *s, size_t room, uint64_t after, void (*over)(void *arg, const struct stuck_task *task),
	       void *arg)
{
	*s = (struct stuck){ .after = after, .room = room, .over = over, .arg = arg };
	s->tasks = calloc(room, sizeof(*s->tasks));
	s->slots = malloc(2 * room * sizeof(*s->slots));
	if (!s->tasks || !s->slots) {
		stuck_release(s);
		return -ENOMEM;
	}
	memset(s->slots, 0xff, 2 * room * sizeof(*s->slots));
	return 0;
}

void stuck_release(struct stuck *s)
{
	free(s->tasks);
	free(s->slots);
	*s = (struct stuck){ 0 };
}

/* ---- the tasks ---- */

/* Where it is, or would be. */
static uint32_t *slot_of(struct stuck *s, const struct proc_task *id)
{
	size_t n = 2 * s->room, at = (uint32_t)id->tid * UINT32_C(2654435761) % n;

	for (; s->slots[at] != NONE; at = at + 1 < n ? at + 1 : 0) {
		const struct stuck_task *t = &s->tasks[s->slots[at]];

		if (t->id.tid == id->tid && t->id.start == id->start)
			break;
	}
	return &s->slots[at];
}

static void enter_all(struct stuck *s)
{
	memset(s->slots, 0xff, 2 * s->room * sizeof(*s->slots));
	for (size_t i = 0; i < s->n; i++)
		*slot_of(s, &s->tasks[i].id) = (uint32_t)i;
}

static bool half(const struct stuck *s, const struct stuck_task *t, uint64_t waited)
{
	return waited >= (s->now - t->appeared) / 2;
}

/* Those who are away are only kept for their past, until they have done something else for half of the time. */
static void drop(struct stuck *s, bool all)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct stuck_task *t = &s->tasks[i];

		if (t->away && (all || !t->waits || !half(s, t, t->waited)))
			continue;
		if (kept != i)
			s->tasks[kept] = *t;
		kept++;
	}
	if (kept == s->n)
		return;
	s->n = kept;
	enter_all(s);
}

/* ---- waits ---- */

static void begin_wait(const struct stuck *s, struct stuck_task *t)
{
	t->away = t->frozen = false;
	t->since = t->seen = s->now;
	t->looked = 0;
	t->switches = QMEM_NA;
}

static void end_wait(struct stuck *s, struct stuck_task *t)
{
	uint64_t lasted = t->seen - t->since;

	if (t->told)
		s->over(s->arg, t);
	if (t->kthread && t->first)
		t->waits = STUCK_HABIT;
	else if (t->kthread && t->waits < STUCK_HABIT && lasted >= s->after)
		t->waits++;
	if (t->waits)
		t->waited += lasted;
	t->first = t->stuck = false;
	t->told = 0;
	t->owner = 0;
	t->away = true;
}

/* It has ended some time since the look before, and another one begins. */
static void renew(struct stuck *s, struct stuck_task *t)
{
	if (t->looked)
		t->seen = t->looked;
	end_wait(s, t);
	begin_wait(s, t);
}

static void forget_past(const struct stuck *s, struct stuck_task *t)
{
	t->appeared = s->now;
	t->waited = 0;
	t->waits = 0;
}

/* ---- a round ---- */

void stuck_begin(struct stuck *s, uint64_t now)
{
	s->now = now;
	s->overflow = 0;
	for (size_t i = 0; i < s->n; i++)
		s->tasks[i].there = false;
}

void stuck_enter(struct stuck *s, const struct proc_task *id, bool kthread)
{
	uint32_t *slot = slot_of(s, id);
	struct stuck_task *t;

	if (*slot == NONE) {
		if (s->n == s->room) {
			drop(s, true);
			slot = slot_of(s, id);
		}
		if (s->n == s->room) {
			s->overflow++;
			return;
		}
		*slot = (uint32_t)s->n;
		t = &s->tasks[s->n++];
		*t = (struct stuck_task){ .id = *id, .kthread = kthread, .away = true, .first = !s->begun };
		t->appeared = s->now;
	}
	t = &s->tasks[*slot];
	if (t->away)
		begin_wait(s, t);
	t->there = true;
	t->seen = s->now;
}

void stuck_settle(struct stuck *s)
{
	bool any = false;

	for (size_t i = 0; i < s->n; i++) {
		struct stuck_task *t = &s->tasks[i];

		if (!t->there && !t->away)
			end_wait(s, t);
		any |= t->away;
	}
	if (any)
		drop(s, false);
}

/* The earlier the better; UINT64_MAX: not now. */
static uint64_t rank(const struct stuck *s, const struct stuck_task *t)
{
	uint64_t due = t->since + s->after;

	if (!t->there || t->asked == s->now)
		return UINT64_MAX;
	if (!t->looked)
		return 1;
	if (!t->usual && s->now >= due && t->looked < due)
		return 0;
	return s->now - t->looked >= s->after / LOOKS ? t->looked + 2 : UINT64_MAX;
}

struct stuck_task *stuck_next(struct stuck *s)
{
	uint64_t best = UINT64_MAX;
	struct stuck_task *found = NULL;

	for (size_t i = 0; i < s->n && best; i++) {
		uint64_t its = rank(s, &s->tasks[i]);

		if (its >= best)
			continue;
		best = its;
		found = &s->tasks[i];
	}
	if (found)
		found->asked = s->now;
	return found;
}

void stuck_look(struct stuck *s, struct stuck_task *t, const char *channel, int64_t switches)
{
	size_t len = strcspn(channel, ".+");
	char now[STUCK_CHANNEL];
	bool same;

	if (len >= sizeof(now))
		len = sizeof(now) - 1;
	memcpy(now, channel, len);
	now[len] = '\0';
	same = strcmp(now, t->channel) == 0;
	if (t->frozen)
		begin_wait(s, t);
	if (t->looked && (!same || (switches != QMEM_NA && t->switches != QMEM_NA && switches != t->switches)))
		renew(s, t);
	/* it has just been woken: there is nothing to be learnt of where it will be */
	if (!*now && *t->channel)
		return;
	if (!same && *t->channel)
		forget_past(s, t);
	if (!t->looked && !t->first)
		t->since = s->now;
	memcpy(t->channel, now, sizeof(now));
	t->switches = switches;
	t->looked = s->now;
}

void stuck_freeze(struct stuck *s, struct stuck_task *t)
{
	if (!t->frozen)
		renew(s, t);
	t->frozen = true;
	t->usual = false;
	t->since = t->looked = s->now;
}

void stuck_end(struct stuck *s)
{
	s->waiting = s->stuck_n = s->usual_n = 0;
	s->longest = 0;
	for (size_t i = 0; i < s->n; i++) {
		struct stuck_task *t = &s->tasks[i];
		uint64_t lasted = s->now - t->since;

		if (!t->there || t->frozen)
			continue;
		/* what has been called stuck stays so until it is over */
		t->usual = !t->stuck && (t->first || (t->waits >= STUCK_HABIT && half(s, t, t->waited + lasted)));
		t->stuck = !t->usual && t->looked && t->looked >= t->since + s->after;
		if (t->usual) {
			s->usual_n++;
			continue;
		}
		if (lasted > s->longest)
			s->longest = lasted;
		if (t->stuck)
			s->stuck_n++;
		else
			s->waiting++;
	}
	s->begun = true;
}
