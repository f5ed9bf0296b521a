/* SPDX-License-Identifier: MIT */
/*
 * The ids that a host has given, and to whom: two names never have one of them. The suffix of an altered name is a short hash, and
 * whoever looks for two names with the same one finds them. Who comes second gets a longer one. Which of the two that is may be
 * another one after a restart; all other ids are always the same.
 *
 * Also the ids of those that have gone are remembered, in bounded memory: who was not seen for longest makes room. It is kept by
 * secret hashes: nobody can choose whom he drives out, or make it slow.
 */
#ifndef QMEM_ENGINE_IDS_H
#define QMEM_ENGINE_IDS_H

#include <stdint.h>

struct ids;

/* An id that somebody has. */
struct ids_seat {
	uint64_t id, name; /* hashes */
	uint64_t used;     /* when, as it were; 0: the seat is free */
};

/* NULL: no memory. */
struct ids *ids_new(void);
void ids_free(struct ids *ids);

/* Who sits on the id, or takes it now; NULL: another name does. */
struct ids_seat *ids_take(struct ids *ids, const char *id, const char *name);
/* The id is still in use. */
void ids_use(struct ids *ids, struct ids_seat *seat);

#endif
