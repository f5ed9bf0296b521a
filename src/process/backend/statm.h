/* SPDX-License-Identifier: MIT */
/* How far the RSS of /proc/PID/statm and status is to be trusted. */
#ifndef QMEM_PROCESS_BACKEND_STATM_H
#define QMEM_PROCESS_BACKEND_STATM_H

#include "proc/pidstat.h"
#include "qmem.h"

/* Does it have at once what is touched? 1, or 0: it comes in larger steps; -errno: our own process is not in this /proc. */
int statm_is_exact(struct qmem *q, const struct pidstat_units *units);

#endif
