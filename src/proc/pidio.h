/* SPDX-License-Identifier: MIT */
/* /proc/PID/io: a key, a colon and a number a line. Linux 2.6.20; without CONFIG_TASK_IO_ACCOUNTING there is no such file. */
#ifndef QMEM_PROC_PIDIO_H
#define QMEM_PROC_PIDIO_H

#include <stddef.h>
#include <stdint.h>

#include "proc/fault.h"

enum pidio_value {
	PIDIO_RCHAR, /* bytes; and so are all but the calls */
	PIDIO_WCHAR,
	PIDIO_SYSCR, /* calls */
	PIDIO_SYSCW,
	PIDIO_READ_BYTES,
	PIDIO_WRITE_BYTES,
	PIDIO_CANCELLED,
	PIDIO_VALUES
};

struct pidio {
	int64_t value[PIDIO_VALUES]; /* QMEM_NA: not there, or malformed */
};

/* Unknown lines are passed over; of a known key that is malformed the value is QMEM_NA, and told in *ret_fault. -ENODATA: there is
 * no line that is known. */
int pidio_parse(const char *text, size_t len, struct pidio *ret, struct fault *ret_fault);

#endif
