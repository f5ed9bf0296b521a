/* SPDX-License-Identifier: MIT */
/* The mappings of processes. */
#ifndef QMEM_SERVICE_HEAPMON_H
#define QMEM_SERVICE_HEAPMON_H

#include <stdbool.h>
#include <stdint.h>

struct root; /* engine/root.h */

/* /proc/PID/smaps into a struct smaps, at most up to behind the heap. It may block. 0 or -errno. */
int heapmon_read(const struct root *root, int32_t pid, bool heap_only, void *ret_smaps);

#endif
