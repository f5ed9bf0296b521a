/* SPDX-License-Identifier: MIT */
#include "service/slabinfo_growth.h"

#include <stdlib.h>
#include <string.h>

#include "util/room.h"

#define MARGIN 25      /* percent more to take another's place */
#define LEAST_RATE 256 /* bytes a second: what moves less is no trend */

int slab_growth_init(struct slab_growth *g, int64_t window, int64_t top)
{
	g->part = (uint64_t)window / SLAB_PARTS;
	return top_init(&g->top, (size_t)top, MARGIN);
}

void slab_growth_release(struct slab_growth *g)
{
	top_release(&g->top);
	free(g->scores);
}

static bool whole(const int64_t *marks)
{
	for (int i = 0; i <= SLAB_PARTS; i++)
		if (marks[i] == QMEM_NA)
			return false;
	return true;
}

static bool in_each_part(const int64_t *marks)
{
	for (int i = 0; i < SLAB_PARTS; i++)
		if (marks[i + 1] <= marks[i])
			return false;
	return true;
}

/* At the end of a part. What has begun goes on until a part without growth, or a window with less than half of the limit. */
static void judge(const struct slab_growth *g, struct slab_cache *cache,
		  int (*reclaimable)(void *arg, const struct slab_cache *cache), void *arg)
{
	const int64_t *marks = cache->marks;
	int64_t grown, limit = g->limit;

	if (!whole(marks)) {
		cache->grows = false;
		return;
	}
	grown = marks[SLAB_PARTS] - marks[0];
	if (cache->grows) {
		limit = cache->reclaimable == 1 ? g->limit_reclaimable : g->limit;
		cache->grows = limit && marks[SLAB_PARTS] > marks[SLAB_PARTS - 1] && grown >= limit / 2;
		return;
	}
	if (!in_each_part(marks))
		return;
	if ((!g->limit || grown < g->limit) && (!g->limit_reclaimable || grown < g->limit_reclaimable))
		return;
	if (cache->reclaimable < 0)
		cache->reclaimable = reclaimable(arg, cache);
	limit = cache->reclaimable == 1 ? g->limit_reclaimable : g->limit;
	if (!limit || grown < limit)
		return;
	cache->grows = true;
	cache->looked = false;
	cache->since = g->times[0];
	cache->since_held = marks[0];
}

/* From the oldest mark there is: before the first part is over there is none. */
static void measure(const struct slab_growth *g, struct slab_cache *cache, uint64_t now)
{
	cache->rate = QMEM_NA;
	if (cache->held == QMEM_NA)
		return;
	for (int i = 0; i <= SLAB_PARTS; i++) {
		if (cache->marks[i] == QMEM_NA)
			continue;
		if (now - g->times[i] >= g->part)
			cache->rate =
				(int64_t)((double)(cache->held - cache->marks[i]) * 1e9 / (double)(now - g->times[i]));
		return;
	}
}

static void end_part(struct slab_growth *g, struct slab_caches *c, uint64_t now,
		     int (*reclaimable)(void *arg, const struct slab_cache *cache), void *arg)
{
	memmove(g->times, g->times + 1, SLAB_PARTS * sizeof(*g->times));
	g->times[SLAB_PARTS] = now;
	for (size_t i = 0; i < c->n; i++) {
		struct slab_cache *cache = &c->all[i];

		memmove(cache->marks, cache->marks + 1, SLAB_PARTS * sizeof(*cache->marks));
		cache->marks[SLAB_PARTS] = cache->held;
		judge(g, cache, reclaimable, arg);
	}
}

int slab_growth_look(struct slab_growth *g, struct slab_caches *c, enum slab_source held, uint64_t now,
		     int (*reclaimable)(void *arg, const struct slab_cache *cache), void *arg)
{
	int err = room_make(&g->scores, &g->scores_room, c->n, sizeof(*g->scores));

	if (err)
		return err;
	for (size_t i = 0; i < c->n; i++)
		if (!slab_cache_there(c, &c->all[i], held))
			c->all[i].held = QMEM_NA;
	if (!g->times[SLAB_PARTS] || now - g->times[SLAB_PARTS] >= g->part)
		end_part(g, c, now, reclaimable, arg);
	for (size_t i = 0; i < c->n; i++) {
		int64_t rate;

		measure(g, &c->all[i], now);
		rate = c->all[i].rate;
		if (rate == QMEM_NA || (rate < LEAST_RATE && rate > -LEAST_RATE))
			g->scores[i].score = -1;
		else
			g->scores[i].score = rate < 0 ? -rate : rate;
	}
	(void)top_update(&g->top, g->scores, c->n, now);
	return 0;
}

bool slab_growth_shown(const struct slab_growth *g, const struct slab_caches *c, const struct slab_cache *cache)
{
	size_t i = (size_t)(cache - c->all);

	return i < g->scores_room && g->scores[i].in && cache->rate != QMEM_NA;
}
