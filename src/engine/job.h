/* SPDX-License-Identifier: MIT */
/* Work that is at the host. */
#ifndef QMEM_ENGINE_JOB_H
#define QMEM_ENGINE_JOB_H

#include "qmem.h"

/* When the oldest of the jobs that are stuck now began; QMEM_NEVER: none is. */
uint64_t jobs_stuck_since(const struct qmem *q);

#endif
