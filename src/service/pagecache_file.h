/* SPDX-License-Identifier: MIT */
/*
 * Files that are watched: how much of each is in the page cache. Each pattern has a scan of its own, which goes on by jobs in the
 * lane of targets, one at a time, within a budget of CPU time. One that a file server holds is left behind, and the others go on, but
 * for those that were on the same device. While two are, patterns that have never come to an end wait, since they may lie on the same
 * server; while three are, all do.
 */
#ifndef QMEM_SERVICE_PAGECACHE_FILE_H
#define QMEM_SERVICE_PAGECACHE_FILE_H

#include "kernel/instances.h"
#include "kernel/kvfile.h"
#include "qmem.h"
#include "service/pagecache_sum.h"

struct file_sample {
	int64_t v[FILE_COLUMNS]; /* bytes */
};
struct file_share {
	int64_t file, cache; /* 1/100 percent */
};
struct file_counts {
	int64_t measured, twice, refused, failed, omitted;
	int64_t age; /* ns */
};

/* A block <File "pattern">. */
struct file_block {
	int64_t depth;
};
extern const struct qmem_option file_block_rows[];
bool file_check(const char *pattern, char *why, size_t size);

struct watch;
struct slicing;
struct file_reader {
	/* of options */
	struct qmem_blocks blocks;
	int64_t top, most, budget, age;
	bool open; /* also those that processes have open */
	int64_t open_processes;

	struct root *root;
	struct watch *watches;
	size_t n;
	size_t turn;                          /* whose it was last */
	int64_t credit;                       /* CPU ns */
	uint64_t when;                        /* it was given last; 0: never */
	bool going;                           /* jobs are being given */
	bool fresh;                           /* a list has come that is not in the sums */
	struct slicing *left[QMEM_LEFT_MOST]; /* that are stuck at a process each, and have no watch any more */
	size_t n_left;
	size_t held;    /* watches that wait for those that are stuck */
	size_t partial; /* files of which only what is resident is known */
	bool cut, no_table;
	struct file_others {
		unsigned refused, elsewhere;
	} others; /* of processes */
	struct instances all;
	struct file_sum sum;
	bool summing;            /* it is not done yet: meanwhile no list is taken */
	size_t at_list, at_file; /* that are next */
	struct kvfile meminfo;
	struct cached {
		int64_t bytes;
	} cached;
	struct file_counts counts;
};

/* 0, also where there is nothing to watch; -ENOMEM, -EINVAL. */
int file_start(struct qmem *q, struct file_reader *r);
/* QMEM_MORE: of so many files it is not done yet. */
int file_collect(struct qmem *q, struct file_reader *r);
/* Of struct file_sample, file_share, and the last two of file_counts. */
enum file_families { FILE_EACH, FILE_SHARES, FILE_COUNTS, FILE_AGE, FILE_FAMILIES };
void file_emit(struct qmem *q, struct file_reader *r, const struct qmem_family families[FILE_FAMILIES]);
/* What --check is to say, added to a text. */
void file_note(const struct file_reader *r, char *text, size_t size);
void file_stop(struct file_reader *r);

#endif
