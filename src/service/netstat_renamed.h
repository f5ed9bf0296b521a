/* SPDX-License-Identifier: MIT */
/* Interfaces that have changed names: the lifetime of traffic that comes with a name is no traffic. */
#ifndef QMEM_SERVICE_NETSTAT_RENAMED_H
#define QMEM_SERVICE_NETSTAT_RENAMED_H

#include "kernel/instances.h"

/* Corrects what the interfaces, with the columns of netdev.h, have grown by: when instances_measure() says that one fell or went. */
void netstat_find_renamed(struct instances *all);

#endif
