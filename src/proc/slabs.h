/* SPDX-License-Identifier: MIT */
/*
 * /proc/slabinfo: the caches of the slab allocator, one a line, "version: 2.1" since Linux 2.6.10. SLUB and SLAB write the same
 * columns; SLAB with CONFIG_DEBUG_SLAB has more behind them. A name may hold blanks and numbers, and stand on several lines.
 */
#ifndef QMEM_PROC_SLABS_H
#define QMEM_PROC_SLABS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proc/fault.h"

/* In the file's order, without the tunables. */
enum slabinfo_column {
	SLABINFO_ACTIVE_OBJS, /* SLUB counts those in the slabs of CPUs as active */
	SLABINFO_NUM_OBJS,
	SLABINFO_OBJSIZE, /* bytes, with what the allocator puts around an object */
	SLABINFO_OBJPERSLAB,
	SLABINFO_PAGESPERSLAB,
	SLABINFO_ACTIVE_SLABS,
	SLABINFO_NUM_SLABS,
	SLABINFO_COLUMNS
};

struct slabinfo {
	const char *name;                 /* in the text, without a NUL */
	size_t name_len;                  /* at least 1 */
	int64_t column[SLABINFO_COLUMNS]; /* QMEM_NA: malformed, or not in the line */
};

/*
 * One line, without its newline. What is malformed costs itself, and is told in *fault, which has what is wrong so far. -ENODATA:
 * not a cache (the two heading lines); -EINVAL: malformed, or without a name.
 */
int slabinfo_parse(const char *line, size_t len, struct slabinfo *ret, struct fault *fault);

struct slabinfo_walk {
	const char *at, *end;
	struct fault fault;
};

bool slabinfo_next(struct slabinfo_walk *walk, struct slabinfo *ret);

/*
 * The family of caches that one is of: `*len` of the name's bytes, or another name. Kernels make several caches where a user
 * knows one: kmalloc-rnd-07-192 of Linux 6.6 is kmalloc-192, a cache of one device or mount is that of all of them:
 * "req_cache (dev 3)", "zspage-zram0", "nfs_direct_cache(4:25)". Where it is not the beginning of the name it is written to
 * `buffer`.
 */
#define SLABINFO_FAMILY 64
const char *slabinfo_family(const char *name, size_t *len, char buffer[SLABINFO_FAMILY]);

#endif
