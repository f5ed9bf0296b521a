/* SPDX-License-Identifier: MIT */
/* The rows of capabilities, and what they are for. */
#ifndef QMEM_ENGINE_USES_H
#define QMEM_ENGINE_USES_H

#include "qmem.h"

/* root_open(), with what the rows of the calling service lend for that file; such a one is the kernel's own, or it is opened
 * without. */
int uses_open(struct qmem *q, const char *path, int flags);

#endif
