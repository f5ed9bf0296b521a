/* SPDX-License-Identifier: MIT */
#include "service/sockstat_counter.h"

#include "util/value.h"

void sockstat_counters_init(struct sockstat_counters *c)
{
	sockstat_counters_anew(c);
	for (int i = 0; i < COUNTERS; i++)
		c->total[i] = QMEM_NA;
}

void sockstat_counters_anew(struct sockstat_counters *c)
{
	for (int i = 0; i < COUNTERS; i++)
		c->last[i] = QMEM_NA;
}

void sockstat_counters_add(struct sockstat_counters *c, int64_t *counters)
{
	for (int i = 0; i < COUNTERS; i++) {
		int64_t now = counters[i];

		if (now == QMEM_NA)
			continue;
		if (c->total[i] == QMEM_NA)
			c->total[i] = now;
		else if (c->last[i] != QMEM_NA)
			value_add(&c->total[i], value_minus(now, c->last[i]));
		c->last[i] = now;
		counters[i] = c->total[i];
	}
}
