/* SPDX-License-Identifier: MIT */
/*
 * The words about a file of the kernel that is not sound: a warning when it begins, an info line when it is over. One
 * complaint for each function that is asked.
 */
#ifndef QMEM_KERNEL_SOUND_H
#define QMEM_KERNEL_SOUND_H

#include "proc/fault.h"
#include "qmem.h"

/* `err`: what qmem_read() has returned, 0: it could be read. */
void sound_read(struct qmem *q, struct qmem_complaint *c, const struct qmem_file *file, int err);
/* What its parser has found wrong, if anything; `err`: what that has returned, which means that there is no value at all. */
void sound_fault(struct qmem *q, struct qmem_complaint *c, const struct qmem_file *file, int err,
		 const struct fault *fault);
/* Likewise in words; NULL: nothing. */
void sound_text(struct qmem *q, struct qmem_complaint *c, const struct qmem_file *file, const char *wrong);
/* The same of an `err`, by qmem_fail(). */
int sound_fail(struct qmem *q, const struct qmem_file *file, int err, const struct fault *fault);

#endif
