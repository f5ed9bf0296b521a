/* SPDX-License-Identifier: MIT */
/*
 * What has been counted already of each process that hits or misses the page cache, by its pid and start time. One that is not seen in a
 * round is remembered for two more; nothing is allocated once it is there.
 */
#ifndef QMEM_SERVICE_PAGECACHE_HITS_LEDGER_H
#define QMEM_SERVICE_PAGECACHE_HITS_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/cachehits.h"
#include "util/sip.h"

struct ledger_entry {
	uint32_t pid;
	uint32_t group,
		generation; /* whose it was when the table of processes had it last; generation 0: it never had */
	uint8_t unseen;     /* rounds */
	bool ended;         /* it is all counted, and the kernel counts it no more */
	uint64_t start;
	uint64_t missing; /* the round of the table that did not have it; 0: it is there */
	__u64 n[CACHEHITS_KINDS];
};

/* Zeroed at first. */
struct ledger {
	struct ledger_page {
		struct ledger_entry *entries;
		uint32_t n;
		uint32_t *index; /* 1 + its entry; 0: vacant */
	} now, before;
	uint32_t most, mask;
	struct sip_key key;
};

/* For so many processes. -ENOMEM; release it also then. */
int ledger_init(struct ledger *l, uint32_t most);
void ledger_release(struct ledger *l);

/* Once a round: what is put until the end is there. */
void ledger_begin(struct ledger *l);
/* With what is known of it, or nothing. NULL: there is no room. */
struct ledger_entry *ledger_put(struct ledger *l, uint32_t pid, uint64_t start);
void ledger_end(struct ledger *l);

#endif
