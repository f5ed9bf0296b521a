/* SPDX-License-Identifier: MIT */
/*
 * /proc/PID/net/sockstat and sockstat6: lines of a protocol, with words and numbers in pairs.
 *
 *	sockets: used 212
 *	TCP: inuse 41 orphan 2 tw 7 alloc 48 mem 77
 *
 * Some are of the network namespace, some of the whole machine, whichever file they are read from; "mem" is in pages, "memory" in
 * bytes.
 */
#ifndef QMEM_PROC_SOCKSTAT_H
#define QMEM_PROC_SOCKSTAT_H

#include <stddef.h>
#include <stdint.h>

#include "proc/fault.h"

enum sockstat_field {
	SOCKSTAT_USED,    /* sockets of all kinds; of the namespace since Linux 4.16, of the machine before */
	SOCKSTAT_TCP,     /* IPv4; of the namespace; not in TIME_WAIT, and no requests */
	SOCKSTAT_ORPHAN,  /* both families; of the machine */
	SOCKSTAT_TW,      /* both families; of the namespace since Linux 4.10 */
	SOCKSTAT_ALLOC,   /* both families; of the machine */
	SOCKSTAT_TCP_MEM, /* pages; both families; of the machine */
	SOCKSTAT_UDP,
	SOCKSTAT_UDP_MEM, /* pages; both families; of the machine */
	SOCKSTAT_UDPLITE, /* until Linux 7.0 */
	SOCKSTAT_RAW,
	SOCKSTAT_FRAG,        /* queues of fragments; of the namespace */
	SOCKSTAT_FRAG_MEMORY, /* bytes */
	/* sockstat6: all of them of the namespace */
	SOCKSTAT_TCP6,
	SOCKSTAT_UDP6,
	SOCKSTAT_UDPLITE6,
	SOCKSTAT_RAW6,
	SOCKSTAT_FRAG6,
	SOCKSTAT_FRAG6_MEMORY, /* bytes */
	SOCKSTAT_FIELDS
};

struct sockstat {
	int64_t v[SOCKSTAT_FIELDS]; /* QMEM_NA: not in the file, or malformed */
};

void sockstat_clear(struct sockstat *s);
/*
 * What one of the two files says; the fields of the other one stay what they are. Lines and words that are not known are passed
 * over. How many were found.
 */
int sockstat_parse(const char *text, size_t len, struct sockstat *s, struct fault *ret_fault);

#endif
