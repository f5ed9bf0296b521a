/* SPDX-License-Identifier: MIT */
/*
 * The groups of processes by name, at indices that stay: those that have members, and of the others those that a host may have charts
 * of, and as many as had members last. Who comes back finds his counters as they were, but where very many come and go.
 */
#ifndef QMEM_PROCESS_GROUPTABLE_H
#define QMEM_PROCESS_GROUPTABLE_H

#include "process/group.h"
#include "util/sip.h"

#define GROUPTABLE_NONE UINT32_MAX

struct grouptable {
	struct procgroup *groups; /* without a kind: free */
	size_t n;
	struct sip_key key;  /* names are chosen by others: nobody can tell which fall together */
	uint64_t round, now; /* the user's */

	/* its own */
	size_t room;
	uint32_t *free; /* indices below n that no group has */
	size_t free_n;
	uint32_t *slots;     /* hash table, twice `room` */
	uint32_t generation; /* that was given last */
};

void grouptable_release(struct grouptable *t);
uint32_t grouptable_hash(const struct grouptable *t, const char *name);
/* GROUPTABLE_NONE: no memory. */
uint32_t grouptable_find_or_add(struct grouptable *t, const char *name, enum procgroup_kind kind);
/* Once a round, when members have been counted: the oldest without any go, if there are too many. */
void grouptable_forget(struct grouptable *t);

#endif
