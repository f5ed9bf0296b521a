/* SPDX-License-Identifier: MIT */
/*
 * All sockets of a namespace, counted one by one: what no file has totals of. It costs the kernel more than it costs us, so it is
 * done in slices, and not more often than its budget allows; what was counted last stands meanwhile.
 */
#ifndef QMEM_SERVICE_SOCKSTAT_DUMP_H
#define QMEM_SERVICE_SOCKSTAT_DUMP_H

#include "service/sockstat_sample.h"
#include "service/sockstat_open.h"
#include "service/sockstat_port.h"

struct sockstat_dump {
	struct sockstat_dumped last; /* QMEM_NA: not yet, or the kernel does not tell */
	uint64_t when;               /* of that, ns; 0: never */

	/* its own */
	int64_t budget; /* CPU ns per second; 0: none */
	bool detail;
	struct sockstat_opener *opener;
	int fd;
	unsigned refused;
	bool usable; /* it has been asked what it answers */
	int err;     /* what was wrong last; 0: nothing */
	unsigned char *buffer;
	struct sockstat_dumped now;
	struct sockstat_ports *ports;
	int pass; /* that is under way; PASSES: none is */
	uint32_t sequence;
	uint64_t datagrams; /* of this pass */
	uint64_t cost;      /* CPU ns of this dump */
	uint64_t due;
	struct qmem_complaint broken;
	int32_t pid;
};

/* `ports` are the caller's. -ENOMEM; release it also then. */
int sockstat_dump_init(struct sockstat_dump *d, int64_t budget, bool detail, struct sockstat_ports *ports);
void sockstat_dump_release(struct sockstat_dump *d);
/* Whose sockets: see sockstat_open(). */
void sockstat_dump_open(struct qmem *q, struct sockstat_dump *d, int32_t pid);
/* Nobody's any more; what it may cost stays. */
void sockstat_dump_close(struct sockstat_dump *d);
/* 0: done, or it was not its turn; QMEM_MORE; or -errno: why there is nothing, as long as there is none. *ret_new: `last` is new. */
int sockstat_dump_go(struct qmem *q, struct sockstat_dump *d, bool *ret_new);

#endif
