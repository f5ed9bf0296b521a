/* SPDX-License-Identifier: MIT */
/* Which interfaces are the main ones: those of a device, and those through which a default route goes. */
#ifndef QMEM_SERVICE_NETSTAT_MAIN_H
#define QMEM_SERVICE_NETSTAT_MAIN_H

#include "kernel/instances.h"

struct netstat_main {
	uint64_t when; /* the routes were read; 0: never */
};

/* After instances_measure(). `namespace` is a directory, "proc/1/net". Files are opened when there is a new interface, and
 * once a minute. */
void netstat_main_find(struct qmem *q, struct netstat_main *m, struct instances *all, const char *namespace);

#endif
