/* SPDX-License-Identifier: MIT */
/*
 * What was wrong with a text: the first thing, and how many. One number that cannot be taken costs its own value and no
 * other one; whoever asked is told which it was.
 */
#ifndef QMEM_PROC_FAULT_H
#define QMEM_PROC_FAULT_H

#include <stdbool.h>
#include <stddef.h>

enum fault_kind {
	FAULT_NONE,
	FAULT_MALFORMED, /* a known key, but no number of its format behind it: absent */
	FAULT_NEGATIVE,  /* a number below 0, where there is none: absent */
	FAULT_NO_UNIT,   /* a number without the "kB" that says what it is: absent */
	FAULT_TOO_LARGE, /* beyond int64_t, in the unit of the sample: absent */
	FAULT_TRUNCATED, /* the last line has no newline: what it says is absent, and so is all that should follow */
	FAULT_DUPLICATE, /* a known key again: the first one counts */
};

struct fault {
	enum fault_kind kind;
	unsigned n;
	char key[48]; /* cut, and harmless to print */
};

void fault_add(struct fault *fault, enum fault_kind kind, const char *key, size_t len);
/* "'MemFree' is malformed, and 2 more" */
void fault_print(char *dst, size_t size, const struct fault *fault);

#endif
