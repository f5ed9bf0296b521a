/* SPDX-License-Identifier: MIT */
/*
 * The rows of capabilities of all services as one table, whose lines are numbered, where each comes from, and what this process
 * has of them.
 *
 * qmem.plugin has those that `make install` permits its file, as far as the unit of its agent lets them through; a collectd has
 * those of its own process.
 */
#ifndef QMEM_CONTROL_PRIVILEGE_H
#define QMEM_CONTROL_PRIVILEGE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "qmem.h"

struct privilege {
	unsigned line; /* from 1 */
	const struct qmem_service *service;
	const struct qmem_capability *row;
};

/* The next one; one of zeros is before the first. False: there is no more. */
bool privilege_next(struct privilege *p, const struct qmem_service *const *services);

enum privilege_state {
	PRIVILEGE_UNUSED, /* its service or option is off */
	PRIVILEGE_THERE,
	PRIVILEGE_LACKING,
};
/* `permitted` is right_permitted() of the process before it has dropped any. After qmem_start(), of a service that could not
 * start likewise. *ret_why says why not, of a process that may have been given file capabilities; else "". */
enum privilege_state privilege_state(struct qmem *q, const struct privilege *p, uint64_t permitted,
				     const char **ret_why);

/* "/proc/slabinfo", "setns() with Namespace", "/proc/PID/exe with GroupBy exe" */
void privilege_subject(char *dst, size_t size, const struct qmem_capability *row);

/* Where it comes from. */
const char *privilege_of_plugin(const struct qmem_capability *row);
const char *privilege_of_collectd(const struct qmem_capability *row);

/* Lines of a unit's drop-in, for Debian's Netdata or a collectd that is no root: what rows name, and why. -EIO: it cannot be written. */
enum privilege_unit { PRIVILEGE_NETDATA, PRIVILEGE_COLLECTD };
int privilege_unit(FILE *out, enum privilege_unit unit, const struct qmem_service *const *services);

#endif
