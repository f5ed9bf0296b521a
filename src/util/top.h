/* SPDX-License-Identifier: MIT */
/* The N greatest of many, without two of nearly the same size changing places at every look. */
#ifndef QMEM_UTIL_TOP_H
#define QMEM_UTIL_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct top_item {
	int64_t score; /* below 0: not to be chosen */
	bool in;       /* is it among them? */
};

struct top {
	size_t max;
	unsigned margin; /* percent by which a newcomer must exceed the one whose place it takes */
	size_t *heap;
};

/* -ENOMEM. */
int top_init(struct top *top, size_t max, unsigned margin);
void top_release(struct top *top);

/*
 * Chooses anew: `in` is read (who was among them) and written. Free places go to the greatest, among equals to the first;
 * a place that is taken changes hands only by the margin. No allocation; n * log(max) at most. Returns how many changed.
 */
size_t top_update(struct top *top, struct top_item *items, size_t n);

#endif
