/* SPDX-License-Identifier: MIT */
/*
 * Memory of sockets by cgroup: `sock` of its memory.stat (v2), without that of the cgroups below it that are shown themselves, so that
 * all together are what there is. The worker looks, every half minute. How many there are is anyone's who may make some: what lies too
 * deep, has too long a path, or is beyond the number that there may be, is a part of the one above it.
 */
#ifndef QMEM_SERVICE_SOCKSTAT_CGROUP_H
#define QMEM_SERVICE_SOCKSTAT_CGROUP_H

#include "kernel/instances.h"
#include "qmem.h"

struct sockstat_cgroups {
	struct instances all;
	int64_t max;
	/* its own */
	struct sockstat_cgroup_job *job;
	uint64_t due;
	bool looked, fresh, told;
	struct qmem_complaint faulty, crowded;
};

/* `max` are shown; 0: none, and they are not looked at. -ENOMEM; release it also then. */
int sockstat_cgroups_init(struct sockstat_cgroups *c, int64_t max);
void sockstat_cgroups_release(struct sockstat_cgroups *c);
/* Once a round; may start the worker. */
void sockstat_cgroups_look(struct qmem *q, struct sockstat_cgroups *c);
void sockstat_cgroups_emit(struct qmem *q, struct sockstat_cgroups *c, const struct qmem_family *families);

#endif
