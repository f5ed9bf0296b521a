/* SPDX-License-Identifier: MIT */
/* Counters that never fall: those of another namespace go on from what there was, and have not grown when they are first seen. */
#ifndef QMEM_SERVICE_SOCKSTAT_COUNTER_H
#define QMEM_SERVICE_SOCKSTAT_COUNTER_H

#include "service/sockstat_sample.h"

struct sockstat_counters {
	int64_t last[COUNTERS];  /* as the kernel said it last; QMEM_NA: not yet */
	int64_t total[COUNTERS]; /* likewise, of all */
};

void sockstat_counters_init(struct sockstat_counters *c);
/* Other ones are read from now on. */
void sockstat_counters_anew(struct sockstat_counters *c);
/* Makes totals, in their place, of what the kernel says. */
void sockstat_counters_add(struct sockstat_counters *c, int64_t *counters);

#endif
