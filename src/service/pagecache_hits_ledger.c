/* SPDX-License-Identifier: MIT */
#include "service/pagecache_hits_ledger.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define UNSEEN_MOST 2 /* rounds */

/* Where it is in the index, or would be: that is twice as large as what there may be. */
static uint32_t *find(const struct ledger *l, const struct ledger_page *page, uint32_t pid, uint64_t start)
{
	const uint64_t id[2] = { pid, start };
	uint32_t at = (uint32_t)sip(&l->key, id, sizeof(id)) & l->mask;

	for (; page->index[at]; at = (at + 1) & l->mask) {
		const struct ledger_entry *e = &page->entries[page->index[at] - 1];

		if (e->pid == pid && e->start == start)
			break;
	}
	return &page->index[at];
}

static struct ledger_entry *append(struct ledger *l, uint32_t *place, const struct ledger_entry *entry)
{
	if (l->now.n == l->most)
		return NULL;
	l->now.entries[l->now.n++] = *entry;
	*place = l->now.n;
	return &l->now.entries[l->now.n - 1];
}

void ledger_begin(struct ledger *l)
{
	struct ledger_page spare = l->before;

	l->before = l->now;
	l->now = spare;
	l->now.n = 0;
	memset(l->now.index, 0, ((size_t)l->mask + 1) * sizeof(*l->now.index));
}

struct ledger_entry *ledger_put(struct ledger *l, uint32_t pid, uint64_t start)
{
	uint32_t *place = find(l, &l->now, pid, start), had;
	struct ledger_entry entry = { .pid = pid, .start = start };

	if (*place)
		return &l->now.entries[*place - 1];
	had = *find(l, &l->before, pid, start);
	if (had) {
		const struct ledger_entry *e = &l->before.entries[had - 1];

		/* one that was not at its end after all is counted from nothing again */
		if (!e->ended)
			entry = *e;
	}
	entry.unseen = 0;
	return append(l, place, &entry);
}

void ledger_end(struct ledger *l)
{
	for (uint32_t i = 0; i < l->before.n; i++) {
		struct ledger_entry *e = &l->before.entries[i];
		uint32_t *place = find(l, &l->now, e->pid, e->start);

		if (*place || e->ended || ++e->unseen > UNSEEN_MOST)
			continue;
		(void)append(l, place, e);
	}
}

/* ---- life ---- */

static int init_page(struct ledger_page *page, uint32_t most, uint32_t places)
{
	page->entries = calloc(most, sizeof(*page->entries));
	page->index = calloc(places, sizeof(*page->index));
	return page->entries && page->index ? 0 : -ENOMEM;
}

static void release_page(struct ledger_page *page)
{
	free(page->entries);
	free(page->index);
}

int ledger_init(struct ledger *l, uint32_t most)
{
	uint32_t places = 2;
	int err;

	while (places < 2 * most)
		places *= 2;
	l->most = most;
	l->mask = places - 1;
	l->key = sip_key_new();
	err = init_page(&l->now, most, places);
	return err ? err : init_page(&l->before, most, places);
}

void ledger_release(struct ledger *l)
{
	release_page(&l->now);
	release_page(&l->before);
	*l = (struct ledger){ .most = 0 };
}
