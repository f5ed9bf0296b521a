/* SPDX-License-Identifier: MIT */
/* A way to fill the table of processes. */
#ifndef QMEM_PROCESS_BACKEND_BACKEND_H
#define QMEM_PROCESS_BACKEND_BACKEND_H

#include "process/backend/records.h"

struct backend_reason {
	char text[192];
};

struct backend {
	const char *name, *help;
	bool verify;     /* what it says is compared with /proc at the start */
	bool wanted;     /* it has what enum proc_want names at hand, and maps */
	bool per_thread; /* it sees every thread's state */
	/* `budget`: how many descriptors it may keep open. `why` gets the reason of an error. */
	int (*open)(struct qmem *q, struct records *records, int64_t budget, void **ret, struct backend_reason *why);
	/* One walk, between records_begin() and records_end(). QMEM_MORE: qmem_enough(), and the next call goes on. On error the
	 * table is as far as it got. -EAGAIN: it must be opened again, for more processes or other CPUs than there were. */
	int (*scan)(struct qmem *q, struct records *records, void *backend);
	/* After records_end() or records_break(): who is gone is known; may be NULL. */
	void (*settle)(struct records *records, void *backend);
	/* Is its RSS a true sum? Else it lags by what threads or CPUs keep to themselves. */
	bool (*exact)(const void *backend);
	/* What a user should know of this one as it runs; `text` is empty before. May be NULL. */
	void (*describe)(const struct records *records, const void *backend, char *text, size_t size);
	void (*close)(void *backend);
};

extern const struct backend backend_bpf, backend_iter, backend_fds, backend_files;

#endif
