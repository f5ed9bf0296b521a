/* SPDX-License-Identifier: MIT */
/*
 * A file of one line of numbers, which their place tells apart: /sys/block/DEVICE/stat, /sys/block/zramN/mm_stat; or of a single
 * one: /sys/kernel/mm/ksm/pages_shared.
 */
#ifndef QMEM_PROC_COLUMNS_H
#define QMEM_PROC_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proc/fault.h"

#define COLUMNS_MOST 32

struct columns {
	const char *const *names; /* for people, in the file's order */
	size_t n;                 /* at most COLUMNS_MOST */
	uint64_t below_zero;      /* bit i: column i may be */
};

/*
 * The numbers of the first line, which are separated by blanks: QMEM_NA for those that it does not have, older kernels having
 * fewer, or that are malformed, which *fault tells. What follows the known ones is passed over. How many there are; -ENODATA: none.
 * A line that has no newline is cut, and none of it is taken.
 */
int columns_parse(const char *text, size_t len, const struct columns *columns, int64_t *ret, struct fault *ret_fault);

/* The word in brackets of those that may be chosen, "lzo [lzo-rle] lz4": false if there is none, or it does not fit. */
bool columns_choice(const char *text, size_t len, char *ret, size_t size);

/* A switch, "Y" or "N" and a newline: 1, 0, or QMEM_NA. */
int64_t columns_switch(const char *text, size_t len);

#endif
