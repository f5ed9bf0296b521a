/* SPDX-License-Identifier: MIT */
/* What has changed between two snapshots. */
#ifndef QMEM_CONTROL_DIFF_H
#define QMEM_CONTROL_DIFF_H

#include "control/snapshot.h"
#include "control/table.h"

enum diff_state {
	DIFF_SAME,
	DIFF_CHANGED,
	DIFF_NEW,   /* it had no value before, or was not there */
	DIFF_GONE,  /* it has none any more */
	DIFF_RESET, /* a counter has fallen: what it has counted meanwhile is not known */
};

struct diff_row {
	const struct snapshot_value *before, *after; /* one may be NULL */
	enum diff_state state;
	int64_t change;   /* of a level that is new or gone, all of it; QMEM_NA: not known */
	uint64_t elapsed; /* ns between both; 0: there are not both */
};

struct diff {
	struct diff_row *
		rows; /* levels first, then counters; what has one unit together, the largest change first, then by name */
	size_t n;
	size_t same; /* of them, which are the last ones */
};

/* Both are sealed, and outlive it. -ENOMEM. */
int diff_make(struct diff *diff, const struct snapshot *before, const struct snapshot *after);
void diff_release(struct diff *diff);

/* All but what is the same: name, before, after, change, change a second of counters, and what else there is to say. */
void diff_table(const struct diff *diff, struct table *ret);

#endif
