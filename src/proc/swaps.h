/* SPDX-License-Identifier: MIT */
/* /proc/swaps: the devices and files that are swapped to, one a line. */
#ifndef QMEM_PROC_SWAPS_H
#define QMEM_PROC_SWAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proc/fault.h"

#define SWAPS_NAME 4096 /* of the kernel's longest path, its NUL included */

struct swaps_area {
	char name
		[SWAPS_NAME]; /* as it was swapped on, the kernel's escapes undone; of a file that is gone the kernel adds " (deleted)" */
	bool file;          /* and no device */
	bool deleted;       /* by its name: a file may be called so */
	int64_t size, used; /* bytes; QMEM_NA: malformed */
	int64_t priority;   /* the higher one is filled first; below 0: the kernel has chosen it; QMEM_NA: malformed */
};

/*
 * One line, without its newline. The name is a path, in which blanks, tabs, newlines and backslashes are octal escapes (\040). A
 * number that is malformed costs itself, and is told in *fault, which has what is wrong so far. -ENODATA: the heading; -EINVAL:
 * malformed, none of them is a number, or the name is no path or too long.
 */
int swaps_parse(const char *line, size_t len, struct swaps_area *ret, struct fault *fault);

/* A walk over the text. */
struct swaps_walk {
	const char *at, *end;
	struct fault fault; /* numbers and lines that are malformed, and the last line if the text ends within it */
};

bool swaps_next(struct swaps_walk *walk, struct swaps_area *ret);

#endif
