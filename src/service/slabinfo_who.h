/* SPDX-License-Identifier: MIT */
/*
 * Who allocates from a cache: for two seconds the kernel counts allocations by process and function, which takes BPF and Linux 6.1.
 * Loading and attaching take a worker's time, not the host's. One cache at a time.
 */
#ifndef QMEM_SERVICE_SLABINFO_WHO_H
#define QMEM_SERVICE_SLABINFO_WHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proc/slabs.h"
#include "qmem.h"

#define SLAB_WHO_TEXT 160
#define SLAB_WHO_TIME (2 * QMEM_SECOND)

struct slab_who_answer {
	char processes[SLAB_WHO_TEXT]; /* "'find' (pid 4711) 81 %, 'tar' (pid 12) 9 %", "": not known */
	char functions[SLAB_WHO_TEXT]; /* "ext4_alloc_inode 100 %" */
	char why[SLAB_WHO_TEXT];       /* it is not known */
	int64_t bytes;                 /* allocated meanwhile, freed again or not */
};

struct slab_who {
	char cache[SLABINFO_FAMILY]; /* the family; "": nobody is being looked for */
	struct slab_tracing *tracing;
	struct qmem_timer timer;
	uint64_t since;
	bool ready;
	struct slab_who_answer answer;
};

/* What is to be counted. */
struct slab_who_question {
	char cache[SLABINFO_FAMILY]; /* the family */
	char first[SLABINFO_FAMILY]; /* the kernel's name of the first of its caches */
	int64_t objsize;             /* bytes */
};

/* Begins, unless it is busy: false. The answer is there when slab_who_take() says so, within ten seconds in any case. */
bool slab_who_ask(struct qmem *q, struct slab_who *w, const struct slab_who_question *question);
/* Is there one for this family? It is taken once, and another may be asked for then. */
bool slab_who_take(struct qmem *q, struct slab_who *w, const char *cache, struct slab_who_answer *ret);
void slab_who_release(struct qmem *q, struct slab_who *w);

#endif
