/* SPDX-License-Identifier: MIT */
#include "process/cost.h"

#define DEAR_MOST 8

void cost_take(struct cost *c, int64_t ns, int64_t rss, uint64_t when, int64_t ceiling)
{
	c->ns = ns;
	c->rss = rss;
	c->when = when;
	c->dear = ns <= ceiling ? 0 : c->dear < DEAR_MOST ? c->dear + 1 : DEAR_MOST;
}

int64_t cost_predict(const struct cost *c, int64_t others, int64_t rss, uint64_t now, uint64_t patience)
{
	int64_t own;

	if (!c->when || c->rss <= 0)
		return others;
	own = (int64_t)((double)c->ns * ((double)rss + COST_MB) / ((double)c->rss + COST_MB));
	return own > others && now - c->when >= patience << c->dear ? others : own;
}
