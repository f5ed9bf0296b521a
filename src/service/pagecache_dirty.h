/* SPDX-License-Identifier: MIT */
/*
 * What is dirty against the limits at which the kernel writes, and holds those up who write. It says them itself in /proc/vmstat
 * (nr_dirty_threshold, nr_dirty_background_threshold; 2.6.37), as it has computed them for this moment: of vm.dirty_bytes or, where
 * that is 0, vm.dirty_ratio of what is free or page cache. What says neither is taken from the settings, as far as it is known: of the
 * memory that the kernel holds in reserve nothing is, and a ratio gives a limit that is a little too high.
 */
#ifndef QMEM_SERVICE_PAGECACHE_DIRTY_H
#define QMEM_SERVICE_PAGECACHE_DIRTY_H

#include <stdbool.h>

#include "kernel/kvfile.h"
#include "qmem.h"

/* Of /proc/vmstat, pages; and of /proc/sys/vm, as they are there. */
struct dirty_pages {
	int64_t dirty, unstable, writeback, written;
	int64_t hard, background;
	int64_t free, active_file, inactive_file;
};
struct dirty_settings {
	int64_t bytes, ratio, background_bytes, background_ratio;
};

/* The sample: bytes, 1/100 percent, ns. */
struct dirty {
	int64_t background, throttle, hard;
	int64_t of_background, of_throttle, of_hard;
	int64_t time;
	int64_t state;
	/* what the shares are of */
	int64_t dirty, backlog;
};

int dirty_kv_init(struct kv *kv); /* of vmstat, into struct dirty_pages. -ENOMEM */

/* Limits and shares; where `pages` has no limits they are made of `settings`. `page` is the size of one. */
void dirty_derive(struct dirty *d, const struct dirty_pages *pages, const struct dirty_settings *settings,
		  int64_t page);

/* How fast is written, of the rounds in which there was something to write. */
struct dirty_pace {
	int64_t written; /* pages, in the round before; QMEM_NA */
	uint64_t when;
	double rate; /* pages a second */
	bool known;
};
void dirty_pace(struct dirty_pace *pace, const struct dirty_pages *pages, uint64_t now);
/* The time, ns, that so many pages take; QMEM_NA: nobody knows. */
int64_t dirty_time(const struct dirty_pace *pace, int64_t pages);

struct dirty_reader {
	struct kvfile keys;
	struct qmem_file files[4];
	int64_t after, notify_interval; /* of options */
	struct dirty_pace pace;
	struct dirty sample;
	struct dirty_settings settings;
	uint64_t since; /* those who write have to wait; 0: they have not */
	bool raised;
};

int dirty_start(struct qmem *q, struct dirty_reader *r);
/* `device` is the thing that has most to write, NULL: not known. */
int dirty_collect(struct qmem *q, struct dirty_reader *r);
void dirty_conclude(struct qmem *q, struct dirty_reader *r, const char *device, int64_t of_device);
void dirty_stop(struct dirty_reader *r);

#endif
