/* SPDX-License-Identifier: MIT */
#include "util/top.h"

#include <errno.h>
#include <stdlib.h>

int top_init(struct top *top, size_t max, unsigned margin)
{
	*top = (struct top){ .max = max, .margin = margin };
	/* one half for those inside, one for those who want in */
	top->heap = calloc(2 * max + 1, sizeof(*top->heap));
	return top->heap ? 0 : -ENOMEM;
}

void top_release(struct top *top)
{
	free(top->heap);
	*top = (struct top){ 0 };
}

/* Is a less worth keeping than b? Among equals the later one is. */
static bool less(const struct top_item *items, size_t a, size_t b)
{
	if (items[a].score != items[b].score)
		return items[a].score < items[b].score;
	return a > b;
}

/* A heap of indices with the least worth keeping at the root. */
static void sift_down(const struct top_item *items, size_t *heap, size_t n)
{
	size_t at = 0;

	for (;;) {
		size_t child = 2 * at + 1, index;

		if (child >= n)
			return;
		if (child + 1 < n && less(items, heap[child + 1], heap[child]))
			child++;
		if (!less(items, heap[child], heap[at]))
			return;
		index = heap[at];
		heap[at] = heap[child];
		heap[child] = index;
		at = child;
	}
}

static void push(const struct top_item *items, size_t *heap, size_t n, size_t index)
{
	size_t at = n;

	while (at && less(items, index, heap[(at - 1) / 2])) {
		heap[at] = heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	heap[at] = index;
}

/* The greatest first. */
static void sort(const struct top_item *items, size_t *heap, size_t n)
{
	while (n-- > 1) {
		size_t least = heap[0];

		heap[0] = heap[n];
		sift_down(items, heap, n);
		heap[n] = least;
	}
}

static bool exceeds(int64_t newcomer, int64_t holder, unsigned margin)
{
	return newcomer > holder && (double)newcomer > (double)holder * (1 + margin / 100.0);
}

static void win(struct top_item *item, uint64_t when)
{
	item->in = true;
	item->won = when;
}

size_t top_update(struct top *top, struct top_item *items, size_t n, uint64_t now)
{
	size_t *in = top->heap, *out = top->heap + top->max, n_in = 0, n_out = 0, next = 0, taken = 0, changes = 0;

	for (size_t i = 0; i < n; i++) {
		struct top_item *item = &items[i];

		if (item->score >= 0)
			item->there = now;
		/* more than `max` inside can only be a caller's mistake: they compete like the others */
		if (item->in && (taken == top->max || now - item->there >= TOP_KEEP)) {
			item->in = false;
			changes++;
		}
		if (item->in) {
			taken++;
			if (item->score >= 0 && now - item->won >= TOP_KEEP)
				push(items, in, n_in++, i);
		} else if (item->score < 0) {
			continue;
		} else if (n_out < top->max) {
			push(items, out, n_out++, i);
		} else if (top->max && less(items, out[0], i)) {
			out[0] = i;
			sift_down(items, out, n_out);
		}
	}
	sort(items, out, n_out);
	for (; taken < top->max && next < n_out; next++, taken++) {
		win(&items[out[next]], top->chosen ? now : 0);
		changes++;
	}
	top->chosen = true;
	/* the least of those who may go against the greatest of those outside */
	for (; n_in && next < n_out && exceeds(items[out[next]].score, items[in[0]].score, top->margin); next++) {
		items[in[0]].in = false;
		win(&items[out[next]], now);
		in[0] = in[--n_in];
		sift_down(items, in, n_in);
		changes += 2;
	}
	return changes;
}
