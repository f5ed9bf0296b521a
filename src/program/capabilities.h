/* SPDX-License-Identifier: MIT */
/*
 * Capabilities. The program is installed with them permitted, not effective ("=p"): a bounding set that lacks one does not
 * keep it from starting. What is used is raised, all else is dropped, once it is known that HostRoot is a place where they may
 * be lent to whoever runs it; else all of them are dropped.
 */
#ifndef QMEM_PROGRAM_CAPABILITIES_H
#define QMEM_PROGRAM_CAPABILITIES_H

#include "qmem.h"

/* Without libcap none is raised or dropped but by the first two. */

/* First of all, where the program has rights that its caller does not have: it is the caller's user and group, and none is
 * effective. What is read then, the configuration above all, the caller may read himself. 0 or -errno. */
int capabilities_lower(void);
/* None, for good: 0 or -errno. */
int capabilities_drop(void);

/* Before qmem_start(), when all is set: keeps what is permitted of what services use, and raises all of it but what is wide
 * (util/right.h); drops the others: 0 or -errno. */
int capabilities_raise(struct qmem *q);
/* After qmem_start(): drops what only that needed, and what is for services that are off: 0 or -errno. Capabilities are a thread's
 * own, and a new one has its maker's: there is no other thread yet. */
int capabilities_settle(struct qmem *q);

#endif
