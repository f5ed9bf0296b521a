/* SPDX-License-Identifier: MIT */
/* In place of the one that programs have. */
#ifndef QMEM_TESTS_UNIT_OPENAT2_H
#define QMEM_TESTS_UNIT_OPENAT2_H

#include "engine/openat2.h"

extern int openat2_refusal;       /* -errno, in place of a descriptor */
extern unsigned openat2_calls;    /* since it was set to 0 */
extern const char *openat2_alive; /* this path is below "/", whatever the root is; NULL: none is */

#endif
