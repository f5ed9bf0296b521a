/* SPDX-License-Identifier: MIT */
/*
 * The caches that are one for a user, and how they grow: what the kernel spreads over several caches is summed up here, from
 * whichever source tells it. Numbers are QMEM_NA until a source has told them.
 *
 *	slab_caches_begin(c, SLAB_FROM_FILE);
 *	while (there is a line)
 *		cache = slab_caches_find(c, SLAB_FROM_FILE, name, len);		then add to it
 */
#ifndef QMEM_SERVICE_SLABINFO_CACHE_H
#define QMEM_SERVICE_SLABINFO_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proc/slabs.h"
#include "qmem.h"

#define SLAB_CACHES 4096 /* at most */
#define SLAB_PARTS 5     /* of the window in which one grows */
#define SLAB_ALIASES 128 /* bytes of them all */

enum slab_source { SLAB_FROM_FILE, SLAB_FROM_ITER, SLAB_SOURCES };

struct slab_cache {
	char name[SLABINFO_FAMILY];
	size_t len;
	char first[SLABINFO_FAMILY];   /* what the kernel calls the first of them */
	uint64_t round[SLAB_SOURCES];  /* in which each has told of it last */
	int64_t held;                  /* bytes of its slabs */
	int64_t active;                /* bytes of its objects in use */
	int64_t active_objs, num_objs; /* of the file */
	int64_t objsize;               /* bytes; where caches differ, of the first */

	char aliases[SLAB_ALIASES]; /* other names of the merged cache, "" */
	bool looked;                /* for them */
	struct qmem_label labels[2];

	/* slabinfo_growth.h */
	int64_t marks[SLAB_PARTS + 1]; /* bytes held at the ends of the parts, the oldest first */
	int64_t rate;                  /* bytes a second, below 0 where it shrinks */
	bool grows;                    /* in each part, by more than is usual */
	int64_t since_held;            /* when that began */
	uint64_t since;
	int reclaimable; /* 1, 0; -1: not known */
};

struct slab_caches {
	struct slab_cache *all;
	size_t n, room;
	uint64_t round[SLAB_SOURCES];
	/* whose the i-th line was the last time, which it nearly always is again */
	struct slab_line *lines[SLAB_SOURCES];
	size_t lines_room[SLAB_SOURCES], line[SLAB_SOURCES];
	size_t left_out[SLAB_SOURCES]; /* in the last round of each: there was no room */
	uint64_t made;                 /* caches in all */
};

void slab_caches_begin(struct slab_caches *c, enum slab_source source);
/* Whose this line is: one that is new takes, where there is no room, the place of one that has been gone for a window. Its numbers of this source are QMEM_NA when it is found for the first time in a round. NULL: no room. It moves
 * when there are more. */
struct slab_cache *slab_caches_find(struct slab_caches *c, enum slab_source source, const char *name, size_t len);
/* By its name as a family. */
struct slab_cache *slab_caches_named(const struct slab_caches *c, const char *name);
static inline bool slab_cache_there(const struct slab_caches *c, const struct slab_cache *cache,
				    enum slab_source source)
{
	return cache->round[source] && cache->round[source] == c->round[source];
}
void slab_caches_release(struct slab_caches *c);

#endif
