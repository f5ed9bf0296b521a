/* SPDX-License-Identifier: MIT */
/*
 * Hits and misses of the page cache, counted in the kernel by BPF programs at its tracepoints (Linux 6.12), in all and by process;
 * by group where procmem runs. Off by default: each read of a file and each fault on one costs more while it is on.
 */
#ifndef QMEM_SERVICE_PAGECACHE_HITS_H
#define QMEM_SERVICE_PAGECACHE_HITS_H

#include "bpf/cachehits.h"
#include "qmem.h"
#include "service/pagecache_hits_ledger.h"
#include "service/pagecache_hits_load.h"
#include "util/top.h"

/* The samples. */
struct hits_machine {
	int64_t read_hit, read_miss, fault_hit, fault_miss, added;
	int64_t ratio; /* 1/100 percent of the looks since the round before */
};
struct hits_group {
	int64_t hit, miss, added;
};

struct hits_of_group;
struct hits_reader {
	/* of options */
	bool wanted;
	int64_t top_groups;

	bool on, grouped;
	char why[160]; /* it is not on */
	struct hits_programs programs;
	struct hits_machine machine, before;
	__u64 lost[CACHEHITS_KINDS];  /* by no process */
	struct ledger_entry lost_had; /* of that */
	bool any;

	uint32_t *keys;
	struct cachehits_process *values;
	struct hits_of_group *groups;
	struct top_item *items;
	size_t groups_room, items_room, n_groups;
	struct ledger ledger;
	struct hits_group other;
	bool others;
	struct top top;
	uint64_t when;
	uint64_t rounds;
};

/* 0, also where it cannot be had: then `why` says so. -ENOMEM. */
int hits_start(struct hits_reader *r);
int hits_collect(struct qmem *q, struct hits_reader *r);
/* Of struct hits_machine, three of them, and of struct hits_group. */
enum hits_families { HITS_LOOKS, HITS_RATIO, HITS_ADDED, HITS_GROUPS, HITS_GROUPS_ADDED, HITS_FAMILIES };
void hits_emit(struct qmem *q, struct hits_reader *r, const struct qmem_family families[HITS_FAMILIES]);
void hits_note(const struct hits_reader *r, char *text, size_t size);
void hits_stop(struct hits_reader *r);

/* Room for all that is kept by process and group. -ENOMEM. */
int hits_room(struct hits_reader *r);
/* What the first `n` of keys and values say of processes goes to groups. -ENOMEM. */
int hits_take(struct qmem *q, struct hits_reader *r, uint32_t n);
/* The counters of `n` CPUs make the sample of the machine. */
void hits_sum(struct hits_reader *r, const struct cachehits_machine *cpus, unsigned n);

#endif
