/* SPDX-License-Identifier: MIT */
/* What the CPUs do, and for whom. */
#ifndef QMEM_SERVICE_CPULOAD_H
#define QMEM_SERVICE_CPULOAD_H

#include "proc/cpustat.h"
#include "qmem.h"

/* /proc/stat as it was read in this very tick, for services collected after this one; NULL: it was not. */
const struct cpustat *cpuload_now(struct qmem *q);

#endif
