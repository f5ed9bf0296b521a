/* SPDX-License-Identifier: MIT */
/*
 * Looking for files and at what of them is in the page cache, on a worker, a slice at a time: whoever looks goes on where it was. A
 * pass is over when scan_slice() says so; then its list is whole, and the next slice begins a new one.
 *
 * A pattern is absolute, its names those of glob(7); '*' is no '/', and names that begin with '.' are matched by a '.' only. What it
 * finds is a file, or a directory, of which all files are taken, and those of the directories in it as far down as `depth` (1: none
 * of these). Links are followed in the names before the first one with a '*', '?' or '[', but for the last. No walk goes into another
 * file system that is mounted in a directory found: that is for the pattern to name.
 */
#ifndef QMEM_SERVICE_PAGECACHE_SCAN_H
#define QMEM_SERVICE_PAGECACHE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/residency.h"

struct root; /* engine/root.h */

struct scan_file {
	size_t path; /* in the list's text */
	uint64_t dev, ino;
	int64_t size; /* bytes */
	struct residency pages;
};

/* st_dev of the directories that a pass has opened, each once. */
#define SCAN_DEVICES 16
struct scan_devices {
	uint64_t device[SCAN_DEVICES];
	unsigned n;
	bool more; /* than there is room for */
};

struct scan_list {
	struct scan_file *files;
	size_t n, room;
	char *text;
	size_t len, text_room;
	size_t refused; /* files that only their owner may know of */
	size_t failed;  /* that could not be opened or asked */
	size_t omitted; /* beyond the number that there may be */
	size_t partial; /* of which only what is resident is known */
	bool cut;       /* it is not all: too many names, or it took too long */
	struct scan_devices devices;
};

static inline const char *scan_path(const struct scan_list *list, const struct scan_file *file)
{
	return list->text + file->path;
}

struct scan;

/* Is it a pattern? Else `why`. */
bool scan_check(const char *pattern, char *why, size_t size);
/* At most `most` files. -ENOMEM. */
int scan_new(struct root *root, const char *pattern, int depth, size_t most, struct scan **ret);
/* Of a list in place of a pattern: the next pass is of what is added now, paths that begin with '/'. */
int scan_new_list(struct root *root, size_t most, struct scan **ret);
void scan_begin_list(struct scan *s);
void scan_add(struct scan *s, const char *path);
void scan_free(struct scan *s);

/* About so many ns of CPU time. true: the pass is over. */
bool scan_slice(struct scan *s, int64_t ns);
/* While it is at work: the device on which it waits, if it does; 0: that is not known, as where it has not been before. */
uint64_t scan_device(const struct scan *s);
/* What is left of the pass is let be: with the next slice it is over. */
void scan_hurry(struct scan *s);
/* The list of a pass that is over, and an old one to be used for the next, are exchanged. */
void scan_swap(struct scan *s, struct scan_list *list);
/* Nothing is in it, and nothing is counted. */
void scan_list_clear(struct scan_list *list);
void scan_list_release(struct scan_list *list);
/* For tests: bytes for what waits to be looked at. */
size_t scan_room(const struct scan *s);
/* For tests: as if the kernel had no cachestat(2). */
void scan_without_cachestat(struct scan *s);

#endif
