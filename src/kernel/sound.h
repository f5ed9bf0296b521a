/* SPDX-License-Identifier: MIT */
/*
 * The words about a file of the kernel that is not sound: a warning when it begins, an info line when it is over. One
 * complaint for each function that is asked.
 */
#ifndef QMEM_KERNEL_SOUND_H
#define QMEM_KERNEL_SOUND_H

#include "qmem.h"

/* `err`: what reading it, or its parser, has returned. */
void sound_read(struct qmem *q, struct qmem_complaint *c, const struct qmem_file *file, int err);
/* What is wrong in the text; NULL: nothing. */
void sound_text(struct qmem *q, struct qmem_complaint *c, const struct qmem_file *file, const char *wrong);
/* Are there numbers beyond int64? */
void sound_range(struct qmem *q, struct qmem_complaint *c, const struct qmem_file *file, bool beyond);

#endif
