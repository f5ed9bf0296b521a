/* SPDX-License-Identifier: MIT */
/*
 * Counts by name: the few names with most each, the rest as one sum. A name that no longer counts stays, at zero, for a
 * while: a line that falls to zero says more than one that ends. Who chooses names does not make lines without end: after
 * TALLY_SHOWN of them new ones are in the sum.
 *
 *	tally_begin(&t);
 *	tally_add(&t, "nfsd");		for each thing
 *	tally_end(&t, now);
 *	for (i = 0; i < t.n; i++)	if (t.scores[i].in) t.names[i], t.counts[i]
 *	t.other				if t.others
 */
#ifndef QMEM_PROCESS_TALLY_H
#define QMEM_PROCESS_TALLY_H

#include "util/top.h"

#define TALLY_NAME 48
#define TALLY_SHOWN 64  /* names that are ever in, in one run: each leaves a file in the agent's database for ever */
#define TALLY_NAMES 128 /* that are told apart; all others are in `other` at once */

struct tally {
	char names[TALLY_NAMES][TALLY_NAME];
	int64_t counts[TALLY_NAMES];
	int64_t peaks[TALLY_NAMES]; /* that the count has had, fading: 1/1000 */
	struct top_item scores[TALLY_NAMES];
	size_t n;
	char shown[TALLY_SHOWN][TALLY_NAME]; /* those that are in, or have been */
	size_t shown_n;
	int64_t other;
	bool others; /* are there names that are not in, or have there been not long ago? */
	unsigned fading;
	struct top top;
};

/* -ENOMEM. `max` names are in. */
int tally_init(struct tally *t, size_t max);
void tally_release(struct tally *t);

void tally_begin(struct tally *t);
/* The name is cut to what fits. */
void tally_add(struct tally *t, const char *name);
/* What has no name. */
void tally_add_other(struct tally *t);
void tally_end(struct tally *t, uint64_t now); /* ns */

#endif
