/* SPDX-License-Identifier: MIT */
/*
 * /proc/sysvipc/shm: the shared memory segments of System V of an IPC namespace, one a line below a line with the names of the
 * columns. These are taken by name: `rss` and `swap` have come with Linux 2.6.32, and who knows what else will. A number that is
 * malformed costs its own value; a line without a sound shmid and size costs itself; one that is cut is not taken.
 */
#ifndef QMEM_PROC_SYSVIPC_H
#define QMEM_PROC_SYSVIPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proc/fault.h"

enum sysvipc_column {
	SYSVIPC_SHMID,
	SYSVIPC_SIZE,   /* bytes */
	SYSVIPC_CPID,   /* who made it; 0: not of the reader's pid namespace */
	SYSVIPC_NATTCH, /* how often it is attached */
	SYSVIPC_CUID,   /* the user who made it */
	SYSVIPC_CTIME,  /* when it was made or its rights were changed last, seconds since 1970 */
	SYSVIPC_RSS,    /* bytes */
	SYSVIPC_SWAP,   /* bytes */
	SYSVIPC_COLUMNS,
};
#define SYSVIPC_WORDS 32 /* columns that are looked at */

struct sysvipc_shm {
	int64_t key;                     /* 32 bits, with its sign; 0: private; QMEM_NA */
	int64_t column[SYSVIPC_COLUMNS]; /* QMEM_NA: there is none, or it is malformed */
};

struct sysvipc_walk {
	const char *at, *end;
	struct fault fault;
	/* its own */
	bool begun;
	int8_t what[SYSVIPC_WORDS]; /* which column each word is */
};

/* The next sound line; false: there is none. */
bool sysvipc_next(struct sysvipc_walk *walk, struct sysvipc_shm *ret);

#endif
