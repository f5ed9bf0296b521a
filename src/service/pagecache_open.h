/* SPDX-License-Identifier: MIT */
/*
 * Files that processes have open or mapped, by their names, for a scan; on a worker, since a process's own lock may hold up who reads
 * its maps. Names are looked for in the namespace of process 1: processes that see other mounts, or another root, are passed over. No
 * link of a process is followed: what another file has meanwhile the name of is that other file.
 */
#ifndef QMEM_SERVICE_PAGECACHE_OPEN_H
#define QMEM_SERVICE_PAGECACHE_OPEN_H

#include <stdint.h>

#include "kernel/inodes.h"

#define OPEN_PROCESSES 100

struct root;
struct scan;

struct open_process {
	int32_t pid;
	uint32_t uid;
};

struct open_files {
	struct open_process processes[OPEN_PROCESSES];
	unsigned n, at;
	struct inodes names; /* hashes of those that have been found */
	/* what could not be had */
	unsigned refused; /* processes of others, without CAP_SYS_PTRACE */
	unsigned elsewhere;
};

/* Begins with the processes that are there now; `most` files. -ENOMEM. */
int open_begin(struct open_files *o, unsigned most);
/* The next process: its files go to the scan. false: there is none. */
bool open_next(struct open_files *o, const struct root *root, struct scan *scan);
void open_release(struct open_files *o);

#endif
