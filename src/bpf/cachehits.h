/* SPDX-License-Identifier: MIT */
/* What the BPF programs that count hits and misses of the page cache share with their reader. */
#ifndef QMEM_BPF_CACHEHITS_H
#define QMEM_BPF_CACHEHITS_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/*
 * Looks of read(2) and the like, each for the pages of one step of a read; page faults on mapped files. A miss is one whose first page
 * was brought in by that very call. (A look is counted before it is known to be a miss.)
 */
enum cachehits_kind {
	CACHEHITS_READS,
	CACHEHITS_READ_MISSES,
	CACHEHITS_FAULTS,
	CACHEHITS_FAULT_MISSES,
	CACHEHITS_ADDED, /* pages: read, read ahead, or written for the first time */
	CACHEHITS_KINDS
};

/* Of a process, by its pid. */
struct cachehits_process {
	__u64 start; /* of its first thread, since boot */
	__u64 n[CACHEHITS_KINDS];
};

/* Of a CPU, by its number; `lost` are those of the counts for which there was no room by process. */
#define CACHEHITS_CPUS 1024 /* a power of two: CPUs beyond share the lines of others */
struct cachehits_machine {
	__u64 n[CACHEHITS_KINDS];
	__u64 lost[CACHEHITS_KINDS];
} __attribute__((aligned(64)));

#endif
