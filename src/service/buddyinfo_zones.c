/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/instances.h"
#include "service/buddyinfo.h"
#include "util/room.h"
#include "util/value.h"

#define MARGIN 25 /* percent more to take another's place */

int buddyzones_init(struct buddyzones *s, int64_t max, int64_t page_size)
{
	*s = (struct buddyzones){ .page_size = page_size };
	return top_init(&s->top, (size_t)max, MARGIN);
}

void buddyzones_release(struct buddyzones *s)
{
	free(s->all);
	free(s->scores);
	top_release(&s->top);
	*s = (struct buddyzones){ 0 };
}

void buddyzones_begin(struct buddyzones *s)
{
	s->round++;
	s->line = 0;
}

static bool is(const struct buddyzone *z, int64_t node, const char *name, size_t len)
{
	return z->node == node && strncmp(z->name + z->zone_at, name, len) == 0 && !z->name[z->zone_at + len];
}

/* The order of the lines is the same in every round. NULL: it is new. */
static struct buddyzone *find(struct buddyzones *s, int64_t node, const char *name, size_t len)
{
	for (size_t i = 0; i < s->n; i++) {
		size_t at = (s->line + i) % s->n;

		if (is(&s->all[at], node, name, len)) {
			s->line = at + 1;
			return &s->all[at];
		}
	}
	return NULL;
}

static int add(struct buddyzones *s, const struct buddy *b, struct buddyzone **ret)
{
	int err = room_make(&s->all, &s->all_room, s->n + 1, sizeof(*s->all));
	struct buddyzone *z;

	if (!err)
		err = room_make(&s->scores, &s->scores_room, s->n + 1, sizeof(*s->scores));
	if (err)
		return err;
	z = &s->all[s->n];
	*z = (struct buddyzone){ .node = b->node };
	z->zone_at = (size_t)snprintf(z->name, sizeof(z->name), "%d_", (int)b->node);
	snprintf(z->name + z->zone_at, sizeof(z->name) - z->zone_at, "%.*s", (int)b->zone_len, b->zone);
	for (int i = 0; i < ZONE_VALUES; i++)
		z->mark[i] = QMEM_NA;
	s->scores[s->n++] = (struct top_item){ 0 };
	*ret = z;
	return 0;
}

int buddyzones_put(struct buddyzones *s, const struct buddy *b)
{
	struct buddyzone *z = find(s, b->node, b->zone, b->zone_len);
	int err;

	if (!z && s->n == BUDDYZONES_MOST)
		return 0;
	if (!z) {
		err = add(s, b, &z);
		if (err)
			return err;
	} else if (buddyzone_there(s, z)) {
		return 0;
	}
	z->round = s->round;
	z->orders = b->orders;
	memcpy(z->blocks, b->blocks, sizeof(z->blocks));
	z->free = buddy_pages(z->blocks, z->orders);
	return 0;
}

void buddyzones_mark(struct buddyzones *s, const struct zone *zone)
{
	struct buddyzone *z = find(s, zone->node, zone->name, zone->name_len);

	if (z)
		memcpy(z->mark, zone->value, sizeof(z->mark));
}

void buddyzones_forget_marks(struct buddyzones *s)
{
	for (size_t i = 0; i < s->n; i++)
		for (int k = 0; k < ZONE_VALUES; k++)
			s->all[i].mark[k] = QMEM_NA;
}

/* ---- what is told of one ---- */

int64_t buddyzone_above(const struct buddyzone *z, enum zone_value mark)
{
	return value_minus(value_minus(z->free, z->mark[mark]), z->mark[ZONE_RESERVE]);
}

int64_t buddyzone_largest(const struct buddyzone *z)
{
	int64_t above = buddyzone_above(z, ZONE_MIN);

	if (z->free == QMEM_NA)
		return QMEM_NA;
	/* the mark holds with all of the block gone but one page: __zone_watermark_ok() */
	for (int order = z->orders - 1; order >= 0; order--)
		if (z->blocks[order])
			for (; order >= 0; order--)
				if (above == QMEM_NA || above > (INT64_C(1) << order) - 1)
					return order;
	return -1;
}

static void add_mark(int64_t *sum, int64_t pages, int64_t page_size)
{
	value_add(sum, value_times(pages, page_size));
}

static void clear(struct buddyzone_sample *m)
{
	int64_t *value = (int64_t *)(void *)m;

	for (size_t i = 0; i < sizeof(*m) / sizeof(*value); i++)
		value[i] = QMEM_NA;
}

static void add_zone(struct buddyzone_sample *m, const struct buddyzone *z, int64_t page_size)
{
	add_mark(&m->free, z->free, page_size);
	add_mark(&m->reserve, z->mark[ZONE_RESERVE], page_size);
	add_mark(&m->min, z->mark[ZONE_MIN], page_size);
	add_mark(&m->low, z->mark[ZONE_LOW], page_size);
	add_mark(&m->high, z->mark[ZONE_HIGH], page_size);
	add_mark(&m->kswapd, buddyzone_above(z, ZONE_LOW), page_size);
	add_mark(&m->direct, buddyzone_above(z, ZONE_MIN), page_size);
	for (int order = 0; order < z->orders; order++)
		value_add(&m->blocks[order], z->blocks[order]);
}

static void emit(struct qmem *q, const struct qmem_family *families, const char *name, struct buddyzone_sample *m,
		 int orders)
{
	const struct qmem_instance instance = { .name = name };

	for (int order = 0; order < orders; order++) {
		m->unusable[order] = buddy_unusable(m->blocks, orders, order);
		m->extfrag[order] = buddy_fragmentation(m->blocks, orders, order);
		/* of hardly any memory: the kernel's formula goes below, and means 0 */
		if (m->extfrag[order] != QMEM_NA && m->extfrag[order] < 0)
			m->extfrag[order] = 0;
	}
	for (const struct qmem_family *f = families; f->id; f++)
		if (f->label)
			qmem_emit(q, f, &instance, m);
}

/* By size: what is there most of. Without /proc/zoneinfo by what is free at first. */
static int64_t score(const struct buddyzones *s, const struct buddyzone *z)
{
	int64_t size = z->mark[ZONE_MANAGED];

	if (!buddyzone_there(s, z))
		return -1;
	if (size == QMEM_NA)
		size = z->mark[ZONE_PRESENT];
	if (size == QMEM_NA)
		size = s->round == 1 ? z->free : 0;
	return value_or(size, 0);
}

void buddyzones_emit(struct qmem *q, struct buddyzones *s, const struct qmem_family *families)
{
	bool others = false;
	int orders = 0;

	for (size_t i = 0; i < s->n; i++) {
		s->scores[i].score = score(s, &s->all[i]);
		/* offline memory */
		if (s->scores[i].score < 0)
			s->scores[i].in = false;
	}
	(void)top_update(&s->top, s->scores, s->n, qmem_now(q));
	for (size_t i = 0; i < s->n; i++) {
		if (!s->scores[i].in)
			continue;
		clear(&s->sample);
		add_zone(&s->sample, &s->all[i], s->page_size);
		emit(q, families, s->all[i].name, &s->sample, s->all[i].orders);
	}
	clear(&s->sample);
	for (size_t i = 0; i < s->n; i++) {
		if (!buddyzone_there(s, &s->all[i]) || s->scores[i].in)
			continue;
		others = true;
		add_zone(&s->sample, &s->all[i], s->page_size);
		if (s->all[i].orders > orders)
			orders = s->all[i].orders;
	}
	if (others)
		emit(q, families, INSTANCES_OTHER, &s->sample, orders);
}
