/* SPDX-License-Identifier: MIT */
/*
 * The groups of processes by name, at indices that stay: those that have members, and of the others those that a host may have charts
 * of, and as many as had members last. Who comes back finds his counters as they were, but where very many come and go.
 */
#ifndef QMEM_PROCESS_GROUPTABLE_H
#define QMEM_PROCESS_GROUPTABLE_H

#include <stddef.h>
#include <stdint.h>

#include "util/sip.h"

#define PROCGROUP_NAME 208

enum procgroup_kind {
	PROCGROUP_KERNEL = 1, /* the kernel's own threads */
	PROCGROUP_OWN,        /* of the configuration */
	PROCGROUP_NAMED,      /* by what GroupBy says */
	PROCGROUP_SINGLE,     /* by comm, where what GroupBy says is not known */
};

struct procgroup {
	char name[PROCGROUP_NAME]; /* of the instance, unique; any bytes but NUL */
	uint32_t generation;       /* of the index; never 0 */
	uint32_t members;          /* in this round, zombies included */
	enum procgroup_kind kind;
	uint64_t round;        /* that saw a member last */
	uint64_t first, since; /* round and time (ns) that saw a member first */
	uint32_t waiting;      /* members of this round that the worker is asked about */
	uint64_t shown_until;  /* hosts may have its charts until then; 0: it has not been shown */
	uint32_t hash;
};

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
