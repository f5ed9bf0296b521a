/* SPDX-License-Identifier: MIT */
/* Is what a back end says of some processes what /proc says? Its own reading of the kernel's structures may be wrong, /proc
 * may show another pid namespace, or be a recording. */
#ifndef QMEM_PROCESS_BACKEND_VERIFY_H
#define QMEM_PROCESS_BACKEND_VERIFY_H

#include "process/backend/backend.h"

/* Processes that /proc has, and the back end does not see: there are machines that hide some from BPF. */
struct unseen {
	size_t n;
	int32_t pid; /* one of them */
};

/* -EBADMSG: it is not, and why. The table is used, and empty afterwards. */
int verify(struct qmem *q, struct records *records, const struct backend *backend, void *data,
	   struct unseen *ret_unseen, struct backend_reason *why);

#endif
