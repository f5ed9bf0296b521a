/* SPDX-License-Identifier: MIT */
/* /proc/PID/limits: what a limit is called, its soft and its hard value, and its unit, in columns. Linux 2.6.24. */
#ifndef QMEM_PROC_PIDLIMITS_H
#define QMEM_PROC_PIDLIMITS_H

#include <stddef.h>
#include <stdint.h>

#include "proc/fault.h"

#define PIDLIMITS_UNLIMITED INT64_MAX

struct pidlimits {
	int64_t files; /* "Max open files": the soft one; QMEM_NA: not there, or malformed */
};

/* Only whole lines are taken; what is malformed is QMEM_NA, and told in *ret_fault. -ENODATA: there is no line that is known. */
int pidlimits_parse(const char *text, size_t len, struct pidlimits *ret, struct fault *ret_fault);

#endif
