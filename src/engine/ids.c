/* SPDX-License-Identifier: MIT */
#include "engine/ids.h"

#include <stdlib.h>
#include <string.h>

#include "util/sip.h"

/* 98 kB for 4096 ids, which are ten times what hosts show by default, and only altered names are among them */
#define ROWS 512
#define SEATS 8 /* of a row */

struct ids {
	struct sip_key key;
	uint64_t clock;
	struct ids_seat rows[ROWS][SEATS];
};

struct ids *ids_new(void)
{
	struct ids *ids = calloc(1, sizeof(*ids));

	if (ids)
		ids->key = sip_key_new();
	return ids;
}

void ids_free(struct ids *ids)
{
	free(ids);
}

struct ids_seat *ids_take(struct ids *ids, const char *id, const char *name)
{
	const uint64_t id_hash = sip(&ids->key, id, strlen(id)), name_hash = sip(&ids->key, name, strlen(name));
	struct ids_seat *row = ids->rows[id_hash % ROWS], *oldest = row;

	for (struct ids_seat *seat = row; seat < row + SEATS; seat++) {
		if (seat->used && seat->id == id_hash) {
			if (seat->name != name_hash)
				return NULL;
			ids_use(ids, seat);
			return seat;
		}
		if (seat->used < oldest->used)
			oldest = seat;
	}
	*oldest = (struct ids_seat){ .id = id_hash, .name = name_hash };
	ids_use(ids, oldest);
	return oldest;
}

void ids_use(struct ids *ids, struct ids_seat *seat)
{
	seat->used = ++ids->clock;
}
