/* SPDX-License-Identifier: MIT */
/*
 * Things of which a file of the kernel has a line each, by name: interfaces, disks, slabs, cgroups. The service reads the
 * lines; this knows who was there before, makes totals that never fall of counters, chooses whom to show, and sums up the
 * rest as `other`, so that all series together are what the kernel says. In each round:
 *
 *	instances_begin(&s->all);
 *	while (the parser has a line)
 *		err = instances_put(&s->all, name, len, columns);
 *	instances_measure(&s->all);		a service may correct now what a counter has grown by
 *	instances_choose(&s->all, qmem_now(q));
 *	instances_emit(q, &s->all, families);
 *
 * The sample of a family is an array of columns: `struct disk { int64_t v[DISK_COLUMNS]; }`. Which of the lines are wanted
 * (the rules of a list option), and how many are shown, is configured; among those that are, places change hands with
 * hysteresis. A service may say, before they are chosen, which are the main ones: they have their places first. A thing that is not there for a minute of rounds is forgotten, and starts anew. Nothing is allocated while no
 * new name comes; there are never more names than the kind allows, in a hash that nobody can foresee.
 */
#ifndef QMEM_KERNEL_INSTANCES_H
#define QMEM_KERNEL_INSTANCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "qmem.h"
#include "util/select.h"
#include "util/sip.h"
#include "util/top.h"

#define INSTANCES_OTHER "other" /* a thing that is called so is one of the others */
#define INSTANCES_COLUMNS 64    /* at most */

struct instances_kind {
	const char *what; /* they are, for people: "interfaces" */
	size_t columns;
	uint64_t gauges; /* bit i: column i is a level, not a counter */
	uint64_t
		score; /* bit i: column i counts when those are chosen that are shown: the level, or how fast the counter grows */
	size_t most; /* names there may be */
	bool sparse; /* not each has all that there is: a family of which one has no value is left out for it */
};

/* One of them. Columns are QMEM_NA where they are not known. */
struct instance {
	char *name;
	int64_t *now;   /* as the kernel says it in the round that has seen it last */
	int64_t *last;  /* of a counter, in the round before */
	int64_t *grown; /* of a counter, since then; else the level */
	int64_t *total; /* of a counter, for hosts: it never falls; else the level */
	uint64_t round; /* that has seen it last */
	bool before;    /* the round before that one had it, too */
	bool wanted;    /* by the rules */
	bool main;      /* the service's: it is shown before those that are not, however much these do */
	unsigned mark;  /* the service's */
	int64_t rate;   /* of what the score counts, smoothed */
	const struct qmem_label *labels; /* the service's: further ones, up to one without a name; NULL: none */
	struct instance_entry *entry;
};

struct instances {
	const struct instances_kind *kind;
	struct instance **all; /* in the order of their first appearance */
	size_t n;
	uint64_t round; /* the first one is 1 */
	int64_t other[INSTANCES_COLUMNS];
	bool others;          /* is there one in this round that is not shown? */
	struct instance *put; /* whose the line was that was put last; NULL: there was no room for it */

	/* its own */
	struct top_item *scores; /* one each */
	struct top_item *mains;  /* of those that are `main` */
	size_t all_room, scores_room, mains_room;
	struct instance **order; /* whose line was the i-th */
	size_t order_room, line;
	struct instance_entry *by_name;
	struct sip_key key;
	struct select select;
	struct top top, main_top;
	uint64_t when, began;
	bool told; /* of rules that are in vain */
	size_t left_out;
	struct qmem_complaint crowded;
};

/* `rules` as for select_init(), NULL: all are wanted; `max` are shown. -ENOMEM, -EINVAL; release it also then. */
int instances_init(struct instances *s, const struct instances_kind *kind, const struct qmem_list *rules, bool ignore,
		   int64_t max);
void instances_release(struct instances *s);

void instances_begin(struct instances *s);
/* A line's name and its columns, which are copied. Of two lines of one name the first one counts. -ENOMEM. */
int instances_put(struct instances *s, const char *name, size_t len, const int64_t *columns);
/* What all have grown by. Has a counter been set back, or has somebody gone that was there in the round before? */
bool instances_measure(struct instances *s);
void instances_choose(struct instances *s, uint64_t now);
/* Is the k-th of `all` shown, since they were chosen? */
bool instances_shown(const struct instances *s, size_t k);
/* All families that have a label, for those that are shown and for the others as one. Then who is long gone is forgotten. */
void instances_emit(struct qmem *q, struct instances *s, const struct qmem_family *families);
/* The same for the first `n` of these families, where a service has several kinds of things. */
void instances_emit_some(struct qmem *q, struct instances *s, const struct qmem_family *families, size_t n);

/* For a service that corrects what counters have grown by. */
static inline bool instance_there(const struct instances *s, const struct instance *i)
{
	return i->round == s->round;
}
static inline bool instance_gone(const struct instances *s, const struct instance *i)
{
	return i->round + 1 == s->round;
}
/* Has a counter been set back? It has not if it had 32 bits, and has gone round: alone, and where none has more bits. */
bool instance_fell(const struct instances *s, const struct instance *i);
/* Measures one from other columns than its own of the round before. */
void instance_measure(const struct instances *s, struct instance *i, const int64_t *from);

#endif
