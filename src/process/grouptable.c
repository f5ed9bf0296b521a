/* SPDX-License-Identifier: MIT */
#include "process/grouptable.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEPT 256      /* names without members that are remembered, those that had some last */
#define TRIM_EVERY 64 /* rounds: what a burst has left behind goes slowly */
#define ROOM_FIRST 64

uint32_t grouptable_hash(const struct grouptable *t, const char *name)
{
	return (uint32_t)sip(&t->key, name, strlen(name));
}

static size_t after(const struct grouptable *t, size_t at)
{
	return at + 1 < 2 * t->room ? at + 1 : 0;
}

static void enter(struct grouptable *t, uint32_t index)
{
	size_t at = t->groups[index].hash % (2 * t->room);

	while (t->slots[at] != GROUPTABLE_NONE)
		at = after(t, at);
	t->slots[at] = index;
}

static void enter_all(struct grouptable *t)
{
	memset(t->slots, 0xff, 2 * t->room * sizeof(*t->slots));
	for (size_t i = 0; i < t->n; i++)
		if (t->groups[i].kind)
			enter(t, (uint32_t)i);
}

/* Those behind move up, so that no search ends too early. */
static void take_out(struct grouptable *t, uint32_t index)
{
	size_t size = 2 * t->room, at = t->groups[index].hash % size, next;

	while (t->slots[at] != index)
		at = after(t, at);
	for (next = after(t, at); t->slots[next] != GROUPTABLE_NONE; next = after(t, next)) {
		size_t home = t->groups[t->slots[next]].hash % size;

		if ((next + size - home) % size < (next + size - at) % size)
			continue;
		t->slots[at] = t->slots[next];
		at = next;
	}
	t->slots[at] = GROUPTABLE_NONE;
}

static uint32_t find(const struct grouptable *t, const char *name, uint32_t hash)
{
	size_t at;

	if (!t->room)
		return GROUPTABLE_NONE;
	for (at = hash % (2 * t->room); t->slots[at] != GROUPTABLE_NONE; at = after(t, at)) {
		const struct procgroup *group = &t->groups[t->slots[at]];

		if (group->hash == hash && strcmp(group->name, name) == 0)
			return t->slots[at];
	}
	return GROUPTABLE_NONE;
}

/* Arrays that are larger than `room` do no harm. */
static int resize(struct grouptable *t, size_t room)
{
	uint32_t *slots = malloc(2 * room * sizeof(*slots)), *free_;
	struct procgroup *groups;

	if (!slots)
		return -ENOMEM;
	groups = realloc(t->groups, room * sizeof(*groups));
	if (groups)
		t->groups = groups;
	free_ = realloc(t->free, room * sizeof(*free_));
	if (free_)
		t->free = free_;
	if ((!groups || !free_) && room > t->room) {
		free(slots);
		return -ENOMEM;
	}
	free(t->slots);
	t->slots = slots;
	t->room = room;
	enter_all(t);
	return 0;
}

static bool is_protected(const struct grouptable *t, const struct procgroup *group)
{
	return group->kind < PROCGROUP_NAMED || group->members || t->now <= group->shown_until;
}

static void gather_free(struct grouptable *t)
{
	t->free_n = 0;
	for (size_t i = t->n; i-- > 0;)
		if (!t->groups[i].kind)
			t->free[t->free_n++] = (uint32_t)i;
}

/* The first ones are the first to be given again, so that the last ones become free, and room with them. */
static void trim(struct grouptable *t)
{
	while (t->n && !t->groups[t->n - 1].kind)
		t->n--;
	gather_free(t);
	if (t->room > ROOM_FIRST && t->n < t->room / 4)
		(void)resize(t, t->room / 2);
}

static int by_round(const void *a, const void *b, void *groups)
{
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	uint64_t x = ((const struct procgroup *)groups)[i].round, y = ((const struct procgroup *)groups)[k].round;

	/* of equals the last ones, so that room can be given back */
	return x != y ? (x < y ? -1 : 1) : (i > k ? -1 : 1);
}

void grouptable_forget(struct grouptable *t)
{
	uint32_t *spare = t->free + t->free_n; /* has room for all that are not free */
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		if (t->groups[i].kind && !is_protected(t, &t->groups[i]))
			spare[n++] = (uint32_t)i;
	if (n > KEPT) {
		qsort_r(spare, n, sizeof(*spare), by_round, t->groups);
		for (n -= KEPT; n; n--) {
			uint32_t index = t->free[t->free_n++];

			take_out(t, index);
			t->groups[index].kind = 0;
		}
		/* else who comes next would get the last ones again and again, and they would never become free together */
		gather_free(t);
	}
	if (t->round % TRIM_EVERY == 0)
		trim(t);
}

uint32_t grouptable_find_or_add(struct grouptable *t, const char *name, enum procgroup_kind kind)
{
	uint32_t hash = grouptable_hash(t, name), index = find(t, name, hash);
	struct procgroup *group;

	if (index != GROUPTABLE_NONE)
		return index;
	if (!t->free_n && t->n == t->room && resize(t, t->room ? 2 * t->room : ROOM_FIRST))
		return GROUPTABLE_NONE;
	index = t->free_n ? t->free[--t->free_n] : (uint32_t)t->n++;
	group = &t->groups[index];
	if (!++t->generation)
		t->generation = 1;
	*group = (struct procgroup){ .generation = t->generation,
				     .kind = kind,
				     .round = t->round,
				     .first = t->round,
				     .since = t->now,
				     .hash = hash };
	snprintf(group->name, sizeof(group->name), "%s", name);
	enter(t, index);
	return index;
}

void grouptable_release(struct grouptable *t)
{
	free(t->groups);
	free(t->free);
	free(t->slots);
	*t = (struct grouptable){ .key = t->key };
}
