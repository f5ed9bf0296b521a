/* SPDX-License-Identifier: MIT */
/* /proc/softirqs: how often each kind of work that interrupts leave behind has run, a kind a line, a CPU a column. */
#ifndef QMEM_PROC_SOFTIRQS_H
#define QMEM_PROC_SOFTIRQS_H

#include <stddef.h>
#include <stdint.h>

struct softirq {
	const char *name; /* in the text, without a NUL */
	size_t name_len;  /* at least 1 */
	int64_t runs;     /* of all CPUs */
};

/* One line, without its newline. -ENODATA: the heading, which has no ':'; -EINVAL: malformed. */
int softirqs_parse(const char *line, size_t len, struct softirq *ret);

#endif
