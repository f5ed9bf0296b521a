/* SPDX-License-Identifier: MIT */
/* Does what no counter explains grow, and what is said when it does. */
#ifndef QMEM_SERVICE_MEMINFO_UNACCOUNTED_H
#define QMEM_SERVICE_MEMINFO_UNACCOUNTED_H

#include <stdbool.h>
#include <stdint.h>

#include "qmem.h"

#define UNACCOUNTED_PARTS 6

/* Does a level grow in each part of a window? Zeroed at first. */
struct unaccounted {
	int64_t level[UNACCOUNTED_PARTS +
		      1]; /* at the ends of parts, the last one last; the least of a part's last tenth */
	unsigned n;       /* of them */
	uint64_t began;   /* the part that runs */
	int64_t least;    /* in its last tenth up to now; QMEM_NA: there is none */
	bool growing;
	uint64_t since; /* when the growth began that lasts */
	int64_t from;   /* the level then */
};

/* A look at `now`: has `growing` changed? It is true when each part of `window` has ended higher than it began, by more than
 * `step`; and false when one has not. A gap of more than a part begins anew; a level that is absent is none. */
bool unaccounted_look(struct unaccounted *u, int64_t level, uint64_t now, uint64_t window, int64_t step);
/* By how much the level was higher at the end of the last part than a window before; 0 while it does not grow. */
int64_t unaccounted_grown(const struct unaccounted *u);

struct meminfo;
/* It grows, or has ended growing: as often as one likes. `m` has the accounting. */
void unaccounted_raise(struct qmem *q, const struct unaccounted *u, const struct meminfo *m, uint64_t repeat);

#endif
