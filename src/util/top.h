/* SPDX-License-Identifier: MIT */
/*
 * The N greatest of many, without two of nearly the same size changing places at every look. Who has won a place keeps it for
 * TOP_KEEP at least. So does who has one and is gone: what comes and goes does not make others come and go.
 */
#ifndef QMEM_UTIL_TOP_H
#define QMEM_UTIL_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOP_KEEP UINT64_C(60000000000) /* ns */

struct top_item {
	int64_t score; /* below 0: it is not there, and not to be chosen */
	bool in;       /* is it among them? */
	/* its own, ns */
	uint64_t won;   /* when it came in; 0: with the first choice */
	uint64_t there; /* when it was there last */
};

struct top {
	size_t max;
	unsigned margin; /* percent by which a newcomer must exceed the one whose place it takes */
	size_t *heap;
	bool chosen; /* has anything been? */
};

/* -ENOMEM. */
int top_init(struct top *top, size_t max, unsigned margin);
void top_release(struct top *top);

/*
 * Chooses anew: `in` is read (who was among them) and written. Free places go to the greatest, among equals to the first; a
 * place that is taken changes hands only by the margin. The first choice is made of what is hardly known: its places may be
 * taken at once. `now` is in ns. No allocation; n * log(max) at most. Returns how many changed.
 */
size_t top_update(struct top *top, struct top_item *items, size_t n, uint64_t now);

#endif
