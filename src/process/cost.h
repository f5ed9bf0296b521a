/* SPDX-License-Identifier: MIT */
/*
 * What it will cost to read a file of a process, by what that has cost. The last time says more than other processes do. But it
 * may have been dear by accident, and a process that is not read for that tells nothing better: after a while, which is longer
 * each time, it is taken for one like the others.
 */
#ifndef QMEM_PROCESS_COST_H
#define QMEM_PROCESS_COST_H

#include <stdint.h>

#define COST_MB (INT64_C(1) << 20)

struct cost {
	int64_t ns, rss; /* CPU time of the last reading, and the bytes it was for */
	uint64_t when;   /* ns; 0: never */
	unsigned dear;   /* how many times in a row it was more than the ceiling, up to some */
};

void cost_take(struct cost *c, int64_t ns, int64_t rss, uint64_t when, int64_t ceiling);
/* CPU ns. `others`: of any process with this RSS; `patience`: ns that an own cost counts that was not too dear. */
int64_t cost_predict(const struct cost *c, int64_t others, int64_t rss, uint64_t now, uint64_t patience);

#endif
