/* SPDX-License-Identifier: MIT */
/*
 * Free pages on the lists of CPUs, which are not in MemFree: the lines "count: 17" below "pagesets" in /proc/zoneinfo, one for
 * each CPU of each zone, in pages. All else in that file is skipped.
 */
#ifndef QMEM_PROC_PAGESETS_H
#define QMEM_PROC_PAGESETS_H

#include <stddef.h>
#include <stdint.h>

#include "proc/fault.h"

/* The sum of all, in pages; QMEM_NA where there is no such line, one that is no number, or the text is cut. */
int64_t pagesets_parse(const char *text, size_t len, struct fault *fault);

#endif
