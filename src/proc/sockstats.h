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
#ifndef QMEM_PROC_SOCKSTATS_H
#define QMEM_PROC_SOCKSTATS_H

#include <stddef.h>
#include <stdint.h>

#include "proc/fault.h"

enum sockstats_field {
	SOCKSTATS_USED,    /* sockets of all kinds; of the namespace since Linux 4.16, of the machine before */
	SOCKSTATS_TCP,     /* IPv4; of the namespace; not in TIME_WAIT, and no requests */
	SOCKSTATS_ORPHAN,  /* both families; of the machine */
	SOCKSTATS_TW,      /* both families; of the namespace since Linux 4.10 */
	SOCKSTATS_ALLOC,   /* both families; of the machine */
	SOCKSTATS_TCP_MEM, /* pages; both families; of the machine */
	SOCKSTATS_UDP,
	SOCKSTATS_UDP_MEM, /* pages; both families; of the machine */
	SOCKSTATS_UDPLITE, /* until Linux 7.0 */
	SOCKSTATS_RAW,
	SOCKSTATS_FRAG,        /* queues of fragments; of the namespace */
	SOCKSTATS_FRAG_MEMORY, /* bytes */
	/* sockstat6: all of them of the namespace */
	SOCKSTATS_TCP6,
	SOCKSTATS_UDP6,
	SOCKSTATS_UDPLITE6,
	SOCKSTATS_RAW6,
	SOCKSTATS_FRAG6,
	SOCKSTATS_FRAG6_MEMORY, /* bytes */
	SOCKSTATS_FIELDS
};

struct sockstats {
	int64_t v[SOCKSTATS_FIELDS]; /* QMEM_NA: not in the file, or malformed */
};

void sockstats_clear(struct sockstats *s);
/*
 * What one of the two files says; the fields of the other one stay what they are. Lines and words that are not known are passed
 * over. How many were found.
 */
int sockstats_parse(const char *text, size_t len, struct sockstats *s, struct fault *ret_fault);
/* The first numbers of a file of limits, /proc/sys/net/ipv4/tcp_mem (pages) or tcp_max_orphans, which tabs may separate: QMEM_NA
 * for those that it has not. */
void sockstats_limits(const char *text, size_t len, int64_t *ret, size_t n);

#endif
