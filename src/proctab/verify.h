/* SPDX-License-Identifier: MIT */
/* Is what a back end says of some processes what /proc says? Its own reading of the kernel's structures may be wrong, /proc
 * may show another pid namespace, or be a recording. */
#ifndef QMEM_PROCTAB_VERIFY_H
#define QMEM_PROCTAB_VERIFY_H

#include "proctab/backend.h"

/* -EBADMSG: it is not, and why. The table is used, and empty afterwards. */
int verify(struct qmem *q, struct table *table, const struct backend *backend, void *data, struct backend_reason *why);

#endif
