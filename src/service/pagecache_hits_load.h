/* SPDX-License-Identifier: MIT */
/* The BPF programs of hits and misses, loaded and attached; without libbpf at build time there are none. */
#ifndef QMEM_SERVICE_PAGECACHE_HITS_LOAD_H
#define QMEM_SERVICE_PAGECACHE_HITS_LOAD_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/cachehits.h"

#define HITS_PROGRAMS 5
#define HITS_MOST 16384 /* processes that are told apart */

struct hits_programs {
	int links[HITS_PROGRAMS], processes;  /* descriptors, -1: none */
	const struct cachehits_machine *cpus; /* the kernel's own, CACHEHITS_CPUS of them */
};
#define HITS_PROGRAMS_NONE ((struct hits_programs){ { -1, -1, -1, -1, -1 }, -1, NULL })

/* -errno, and `why` says it. */
int hits_load(struct hits_programs *h, char *why, size_t size);
void hits_unload(struct hits_programs *h);

/* At most *n processes, and how many there were; -errno. */
int hits_read_processes(const struct hits_programs *h, uint32_t *ret_pids, struct cachehits_process *ret, uint32_t *n);
/* One that has ended. 0: it is not there any more; -errno. */
int hits_forget(const struct hits_programs *h, uint32_t pid);

#endif
