/* SPDX-License-Identifier: MIT */
#include "service/pressure_total.h"

#include "qmem.h"

#define LATE (2 * 2 * QMEM_SECOND) /* kernels add up every 2 s, and the time before that may come with it */

int64_t pressure_total(struct pressure_total *t, int64_t total, uint64_t now)
{
	int64_t grown;
	bool sound;

	if (total == QMEM_NA)
		return QMEM_NA;
	grown = total - t->last; /* neither is below 0 */
	sound = !t->known || (grown >= 0 && (uint64_t)grown <= (now - t->when + LATE) / 1000);
	if (!sound)
		t->lost += grown;
	t->known = true;
	t->last = total;
	t->when = now;
	return sound ? total - t->lost : QMEM_NA;
}
