/* SPDX-License-Identifier: MIT */
#include "service/slabinfo_cache.h"

#include <stdlib.h>
#include <string.h>

#include "util/room.h"

struct slab_line {
	char name[SLABINFO_FAMILY]; /* of the kernel; longer ones are looked for each time */
	size_t len;
	size_t cache;
};

void slab_caches_begin(struct slab_caches *c, enum slab_source source)
{
	c->round[source]++;
	c->line[source] = 0;
	c->left_out[source] = 0;
}

static size_t find(const struct slab_caches *c, const char *name, size_t len)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->all[i].len == len && memcmp(c->all[i].name, name, len) == 0)
			return i;
	return c->n;
}

/* In this round its line may be still to come; what has no mark was not there in the whole window. */
static bool is_gone(const struct slab_caches *c, const struct slab_cache *cache)
{
	for (int i = 0; i < SLAB_SOURCES; i++)
		if (cache->round[i] && c->round[i] - cache->round[i] <= 1)
			return false;
	for (int i = 0; i <= SLAB_PARTS; i++)
		if (cache->marks[i] != QMEM_NA)
			return false;
	return !cache->grows;
}

/* A place for one more; SLAB_CACHES: there is none. */
static size_t make_place(struct slab_caches *c)
{
	size_t at = 0;

	if (c->n < SLAB_CACHES)
		return room_make(&c->all, &c->room, c->n + 1, sizeof(*c->all)) ? SLAB_CACHES : c->n++;
	while (at < c->n && !is_gone(c, &c->all[at]))
		at++;
	for (int source = 0; at < c->n && source < SLAB_SOURCES; source++)
		for (size_t i = 0; i < c->lines_room[source]; i++)
			if (c->lines[source][i].cache == at)
				c->lines[source][i].len = 0;
	return at;
}

static size_t add(struct slab_caches *c, const char *name, size_t len, const char *first, size_t first_len)
{
	size_t at = make_place(c);
	struct slab_cache *cache;

	if (at == SLAB_CACHES)
		return at;
	cache = &c->all[at];
	*cache = (struct slab_cache){
		.len = len,
		.held = QMEM_NA,
		.active = QMEM_NA,
		.active_objs = QMEM_NA,
		.num_objs = QMEM_NA,
		.objsize = QMEM_NA,
		.rate = QMEM_NA,
		.reclaimable = -1,
	};
	memcpy(cache->name, name, len);
	memcpy(cache->first, first, first_len);
	for (int i = 0; i <= SLAB_PARTS; i++)
		cache->marks[i] = QMEM_NA;
	c->made++;
	return at;
}

/* What is longer than any name of a kernel is cut, and one with others that begin so. */
static size_t look_up(struct slab_caches *c, const char *name, size_t len)
{
	char buffer[SLABINFO_FAMILY];
	size_t family_len = len, at;
	const char *family = slabinfo_family(name, &family_len, buffer);

	if (family_len >= SLABINFO_FAMILY)
		family_len = SLABINFO_FAMILY - 1;
	if (len >= SLABINFO_FAMILY)
		len = SLABINFO_FAMILY - 1;
	at = find(c, family, family_len);
	return at < c->n ? at : add(c, family, family_len, name, len);
}

static size_t locate(struct slab_caches *c, enum slab_source source, const char *name, size_t len)
{
	size_t i = c->line[source]++, at;
	struct slab_line *line;

	if (i >= 2 * SLAB_CACHES || len >= SLABINFO_FAMILY ||
	    room_make(&c->lines[source], &c->lines_room[source], i + 1, sizeof(*line)))
		return look_up(c, name, len);
	line = &c->lines[source][i];
	if (line->len == len && memcmp(line->name, name, len) == 0)
		return line->cache;
	at = look_up(c, name, len);
	if (at < c->n) {
		memcpy(line->name, name, len);
		line->len = len;
		line->cache = at;
	}
	return at;
}

struct slab_cache *slab_caches_find(struct slab_caches *c, enum slab_source source, const char *name, size_t len)
{
	size_t at = len ? locate(c, source, name, len) : SLAB_CACHES;
	struct slab_cache *cache;

	if (at >= c->n) {
		c->left_out[source] += len != 0;
		return NULL;
	}
	cache = &c->all[at];
	if (slab_cache_there(c, cache, source))
		return cache;
	cache->round[source] = c->round[source];
	if (source == SLAB_FROM_FILE)
		cache->active = cache->active_objs = cache->num_objs = cache->objsize = QMEM_NA;
	else
		cache->held = QMEM_NA;
	return cache;
}

struct slab_cache *slab_caches_named(const struct slab_caches *c, const char *name)
{
	size_t at = find(c, name, strlen(name));

	return at < c->n ? &c->all[at] : NULL;
}

void slab_caches_release(struct slab_caches *c)
{
	for (int i = 0; i < SLAB_SOURCES; i++)
		free(c->lines[i]);
	free(c->all);
	*c = (struct slab_caches){ 0 };
}
