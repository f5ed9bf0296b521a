/* SPDX-License-Identifier: MIT */
/* The memory of processes by group. */
#ifndef QMEM_SERVICE_PROCMEM_H
#define QMEM_SERVICE_PROCMEM_H

#include "process/group.h"
#include "qmem.h"

/* The groups, for services that need procmem: up to date in their collect(). NULL: it is not running. */
const struct procgroups *procmem_groups(struct qmem *q);

#endif
