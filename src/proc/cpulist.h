/* SPDX-License-Identifier: MIT */
/* /sys/devices/system/cpu/online and other lists of numbers: "0-3,8,10-11". */
#ifndef QMEM_PROC_CPULIST_H
#define QMEM_PROC_CPULIST_H

#include <stddef.h>
#include <stdint.h>

/* The numbers, in the order of the text. -EINVAL: malformed or cut; -ERANGE: more than `room`, or beyond 2^20. */
int cpulist_parse(const char *text, size_t len, uint32_t *ret, size_t room, size_t *ret_n);

#endif
