/* SPDX-License-Identifier: MIT */
/* How many pages the caches of the slab allocator hold, by a BPF iterator: Linux 6.13. It does not tell how many objects are in use. */
#ifndef QMEM_SERVICE_SLABINFO_ITER_H
#define QMEM_SERVICE_SLABINFO_ITER_H

#include <stddef.h>
#include <stdint.h>

#include "qmem.h"

struct slab_iter {
	int link; /* -1: it is not open */
	char *text;
	size_t have;
};

/* 0, or -errno with the reason in words. Close it also then. */
int slab_iter_open(struct qmem *q, struct slab_iter *it, char *why, size_t size);
void slab_iter_close(struct slab_iter *it);
/* What it tells of a cache. */
struct slab_iter_cache {
	const char *name;
	size_t len;
	int64_t held;    /* bytes; QMEM_NA: a node could not be read */
	int64_t objects; /* that have room there; likewise */
	int64_t objsize; /* bytes */
};

/* Hands out all caches. -errno. */
int slab_iter_read(struct slab_iter *it, void (*take)(void *arg, const struct slab_iter_cache *cache), void *arg);

#endif
