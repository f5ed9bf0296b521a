/* SPDX-License-Identifier: MIT */
/*
 * What lists of files come to: each file once, the greatest by name, and those that were shown before, which may keep their place; the
 * rest as one. So few names are kept, however many files there are. It is made a file at a time, and lists stay as they are meanwhile.
 */
#ifndef QMEM_SERVICE_PAGECACHE_SUM_H
#define QMEM_SERVICE_PAGECACHE_SUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/inodes.h"
#include "kernel/instances.h"

struct scan_file;
struct scan_list;

enum file_columns {
	FILE_RESIDENT,
	FILE_DIRTY,
	FILE_WRITEBACK,
	FILE_EVICTED,
	FILE_RECENTLY_EVICTED,
	FILE_SIZE,
	FILE_COLUMNS
};

struct sum_file;
/* Zeroed at first. */
struct file_sum {
	struct sum_file *greatest; /* a heap, the least first */
	struct sum_file *shown;    /* before */
	size_t n_greatest, greatest_room, n_shown, shown_room, top;
	size_t n; /* files */
	struct inodes seen;
	struct inodes names; /* hashes of those that were shown */
	struct sip_key key;
	int64_t rest[FILE_COLUMNS];
	bool any_rest;
};

/* At most `files` are to come, and `top` are shown. -ENOMEM. */
int sum_begin(struct file_sum *s, const struct instances *all, size_t files, size_t top);
/* false: it was there by another name. */
bool sum_add(struct file_sum *s, const struct scan_list *list, const struct scan_file *file);
/* A round of `all`. -ENOMEM. */
int sum_end(struct file_sum *s, struct instances *all, uint64_t now);
void sum_release(struct file_sum *s);

#endif
