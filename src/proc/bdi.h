/* SPDX-License-Identifier: MIT */
/*
 * /sys/kernel/debug/bdi/NAME/stats: what is to be written to a block device, or to another thing that files lie on. Lines of a key,
 * a number and its unit, "kB" or "kBps"; those without a unit are of no interest. A key that is not known is passed over, one whose
 * number is malformed is absent and told; of a key that comes twice the first one counts.
 */
#ifndef QMEM_PROC_BDI_H
#define QMEM_PROC_BDI_H

#include <stddef.h>
#include <stdint.h>

#include "proc/fault.h"

/* Bytes, QMEM_NA where there is no sound number. */
enum bdi_columns {
	BDI_WRITEBACK,
	BDI_RECLAIMABLE, /* dirty */
	BDI_THRESH,      /* its share of the limit: hardly anything while nothing is written */
	BDI_DIRTIED,     /* since it is there */
	BDI_WRITTEN,
	BDI_BANDWIDTH, /* a second, as the kernel has estimated it; before anything has been written it is a guess of 100 MiB */
	BDI_COLUMNS
};

/* How many of them the text has. */
size_t bdi_parse(const char *text, size_t len, int64_t ret[BDI_COLUMNS], struct fault *ret_fault);

#endif
