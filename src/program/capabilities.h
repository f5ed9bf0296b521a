/* SPDX-License-Identifier: MIT */
/*
 * Capabilities. The program is installed with them permitted, not effective ("=p"): a bounding set that lacks one does not
 * keep it from starting. What is used is raised, all else is dropped, once it is known that HostRoot is a place where they may
 * be lent to whoever runs it; else all of them are dropped.
 */
#ifndef QMEM_PROGRAM_CAPABILITIES_H
#define QMEM_PROGRAM_CAPABILITIES_H

#include <stdbool.h>
#include <stddef.h>

#include "qmem.h"

/* Without libcap nothing is known of them, nothing is dropped, and nothing is said to be missing. */
bool capabilities_known(void);

/* First of all, where the program has rights that its caller does not have: it is the caller's user and group, and none is
 * effective. What is read then, the configuration above all, the caller may read himself. 0 or -errno. */
int capabilities_lower(void);
/* None, for good: 0 or -errno. */
int capabilities_drop(void);

/* Raises what is permitted of those that services name, drops the others: 0 or -errno. */
int capabilities_raise(void);
/* Drops what only qmem_start() needed: 0 or -errno. Capabilities are a thread's own, and a new one has its maker's: a thread
 * that may be made before this was called calls it, too. */
int capabilities_settle(void);

/* The i-th capability of `service` that is not effective, and what it would be good for; NULL: no more. */
const char *capabilities_missing(const struct qmem_service *service, size_t i, const char **ret_why);

#endif
