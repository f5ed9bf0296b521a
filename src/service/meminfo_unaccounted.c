/* SPDX-License-Identifier: MIT */
#include "service/meminfo_unaccounted.h"

#include <stdio.h>
#include <string.h>

#include "service/meminfo_sample.h"
#include "util/value.h"
#include "util/words.h"

static void look_anew(struct unaccounted *u, int64_t level, uint64_t now)
{
	u->level[0] = level;
	u->n = 1;
	u->began = now;
	u->least = QMEM_NA;
}

static bool has_grown(const struct unaccounted *u, int64_t step)
{
	for (unsigned i = 1; i < u->n; i++)
		if (u->level[i] - u->level[i - 1] <= step)
			return false;
	return u->n == UNACCOUNTED_PARTS + 1;
}

bool unaccounted_look(struct unaccounted *u, int64_t level, uint64_t now, uint64_t window, int64_t step)
{
	uint64_t part = window / UNACCOUNTED_PARTS;
	bool before = u->growing;

	if (level == QMEM_NA || !part)
		return false;
	if (!u->n || now - u->began >= 2 * part) {
		look_anew(u, level, now);
		u->growing = false;
		return before;
	}
	/* a short peak at its end makes no growth of a part */
	if (u->least == QMEM_NA || now - u->began < part - part / 10)
		u->least = level;
	u->least = value_least(u->least, level);
	if (now - u->began < part)
		return false;
	if (u->n == UNACCOUNTED_PARTS + 1)
		memmove(u->level, u->level + 1, --u->n * sizeof(*u->level));
	u->level[u->n++] = u->least;
	u->began += part;
	u->least = QMEM_NA;
	u->growing = has_grown(u, step);
	if (u->growing && !before) {
		u->since = u->began - window;
		u->from = u->level[0];
	}
	return u->growing != before;
}

int64_t unaccounted_grown(const struct unaccounted *u)
{
	return u->growing ? u->level[u->n - 1] - u->level[0] : 0;
}

/* What, how bad, since when, where to look. Who it is nobody counts. */
void unaccounted_raise(struct qmem *q, const struct unaccounted *u, const struct meminfo *m, uint64_t repeat)
{
	char now[WORDS_NUMBER], total[WORDS_NUMBER], grown[WORDS_NUMBER], span[WORDS_NUMBER], share[WORDS_NUMBER];
	int64_t level = m->accounting.unaccounted, ratio = value_ratio(level, m->MemTotal);
	const struct qmem_label fields[] = {
		{ "unaccounted", now }, { "share_percent", share }, { "grown", grown }, { "duration", span }, { 0 },
	};
	struct qmem_event event = {
		.severity = u->growing ? QMEM_WARNING : QMEM_OKAY,
		.service = "meminfo",
		.name = "unaccounted",
		.repeat = repeat,
		.fields = fields,
	};

	words_bytes(now, level);
	words_bytes(total, m->MemTotal);
	/* what grows is told without the ZFS cache, which is known */
	words_bytes(grown, value_minus(value_minus(level, value_or(m->arc_size, 0)), u->from));
	words_span(span, qmem_now(q) - u->since);
	snprintf(share, sizeof(share), "%u.%02u", (unsigned)(ratio / 100) % 1000, (unsigned)(ratio % 100));
	snprintf(event.message, sizeof(event.message),
		 u->growing ?
			 "memory that no counter explains grows: %s of %s (%s %%), %s more than %s ago, and in each "
			 "part of that; a driver or file system takes pages; see meminfo.accounting, "
			 "/proc/allocinfo, /proc/modules" :
			 "memory that no counter explains has ended growing: %s of %s (%s %%), %s more than %s ago; "
			 "see meminfo.accounting",
		 now, total, share, grown, span);
	qmem_raise(q, &event);
}
