/* SPDX-License-Identifier: MIT */
#include "proc/buddy.h"

#include <stdio.h>
#include <string.h>

#include "proc/text.h"
#include "proc/zone.h"
#include "util/value.h"

static void blame(struct fault *fault, enum fault_kind kind, const struct buddy *b, int order)
{
	char key[sizeof(fault->key)];

	if (!fault->n)
		snprintf(key, sizeof(key), "node %d zone %.*s order %d", (int)b->node, (int)b->zone_len, b->zone,
			 order);
	fault_add(fault, kind, key, fault->n ? 0 : strlen(key));
}

/* A column, counted from 0. */
static enum fault_kind put(struct buddy *b, int column, const char *word, const char *end)
{
	int last = BUDDY_ORDERS - 1;
	int64_t blocks = 0;
	enum fault_kind kind = text_value(word, end, false, &blocks);

	if (column <= last) {
		b->orders = column + 1;
		if (!kind)
			b->blocks[column] = blocks;
		return kind;
	}
	if (!kind && blocks &&
	    (column - last > 62 || __builtin_mul_overflow(blocks, INT64_C(1) << (column - last), &blocks) ||
	     __builtin_add_overflow(blocks, value_or(b->blocks[last], 0), &blocks)))
		kind = FAULT_TOO_LARGE;
	if (b->blocks[last] != QMEM_NA)
		b->blocks[last] = kind ? QMEM_NA : blocks ? blocks : b->blocks[last];
	return kind;
}

static void take_blocks(const char *s, const char *end, struct buddy *b, struct fault *fault)
{
	int column = 0;

	for (s = text_blanks(s, end); s < end; s = text_blanks(s, end), column++) {
		const char *word = s;
		enum fault_kind kind;

		s = text_word_end(s, end);
		kind = put(b, column, word, s);
		if (kind)
			blame(fault, kind, b, column);
	}
}

static bool take(const char *line, const char *end, struct buddy *ret, struct fault *fault)
{
	struct buddy b = { .orders = 0 };
	const char *s = zone_heading(line, end, &b.node, &b.zone, &b.zone_len);

	for (int i = 0; i < BUDDY_ORDERS; i++)
		b.blocks[i] = QMEM_NA;
	if (s)
		take_blocks(s, end, &b, fault);
	if (!s || !b.orders) {
		fault_add(fault, FAULT_MALFORMED, line, (size_t)(end - line));
		return false;
	}
	*ret = b;
	return true;
}

bool buddy_next(struct buddy_walk *walk, struct buddy *ret)
{
	const char *line, *newline;

	while ((line = text_next_line(&walk->at, walk->end, &newline, &walk->fault)))
		if (take(line, newline, ret, &walk->fault))
			return true;
	return false;
}

/* Pages of the blocks from one order on. */
static int64_t pages_from(const int64_t *blocks, int orders, int order)
{
	int64_t sum = 0;

	for (; order < orders; order++) {
		int64_t pages;

		if (blocks[order] == QMEM_NA || __builtin_mul_overflow(blocks[order], INT64_C(1) << order, &pages) ||
		    __builtin_add_overflow(sum, pages, &sum))
			return QMEM_NA;
	}
	return sum;
}

int64_t buddy_pages(const int64_t *blocks, int orders)
{
	return pages_from(blocks, orders, 0);
}

/* Rounded down, as the kernel does. */
static int64_t thousandths(int64_t part, int64_t whole)
{
	return (int64_t)((__int128)part * 1000 / whole);
}

int64_t buddy_unusable(const int64_t *blocks, int orders, int order)
{
	int64_t all = buddy_pages(blocks, orders), usable = pages_from(blocks, orders, order);

	if (all == QMEM_NA || all == 0)
		return QMEM_NA;
	return thousandths(all - usable, all);
}

int64_t buddy_fragmentation(const int64_t *blocks, int orders, int order)
{
	int64_t pages = buddy_pages(blocks, orders), n = 0;

	if (pages == QMEM_NA || order >= BUDDY_ORDERS)
		return QMEM_NA;
	for (int i = 0; i < orders; i++)
		n += blocks[i];
	if (pages_from(blocks, orders, order))
		return QMEM_NA;
	if (!n)
		return 0;
	return 1000 - (int64_t)((1000 + (__int128)pages * 1000 / (INT64_C(1) << order)) / n);
}
