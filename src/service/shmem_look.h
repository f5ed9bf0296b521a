/* SPDX-License-Identifier: MIT */
/*
 * What shmem looks at in the lane of targets, since it may block: the mount points of tmpfs and hugetlbfs, the files of /dev/shm,
 * and, now and then, the maps of all processes, for who has those files mapped. It is bounded in files, directories and bytes.
 */
#ifndef QMEM_SERVICE_SHMEM_LOOK_H
#define QMEM_SERVICE_SHMEM_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/inodes.h"
#include "qmem.h"

#define LOOK_MOUNTS 128
#define LOOK_FILES 4096
#define LOOK_PATH 512 /* with its NUL; a longer one is not looked at */
#define LOOK_DEPTH 4  /* directories below one another */

/* A file system, where it is mounted first. */
struct look_mount {
	uint32_t major, minor;
	bool huge; /* hugetlbfs */
	bool shm;  /* /dev/shm: its files are wanted */
	char path[LOOK_PATH];
	char type[16], source[64];
	/* found; bytes, QMEM_NA where it is not known */
	int err; /* -EXDEV: something else is there, as in another mount namespace */
	int64_t used, size;
	int64_t uid; /* whose it is */
};

struct look_file {
	uint32_t name; /* where it begins in `names` */
	uint32_t major, minor;
	uint64_t inode;
	int64_t held; /* bytes */
	int64_t uid;
	int64_t mapped; /* processes that map it; QMEM_NA: not looked */
	int32_t last;   /* process that does */
};

struct root;
struct look {
	struct qmem_job job;
	void *owner; /* NULL: it has gone, or waits for this no longer */
	struct root *root;
	int64_t most; /* bytes of maps that are read; 0: none */
	struct look_mount *mounts;
	size_t n_mounts;
	int at;           /* the mount that it is at, or that it is stuck at; -1: the maps */
	int32_t *shunned; /* processes that others are stuck at, in their order */
	size_t n_shunned, shunned_room;
	/* files of several names of the file system that is listed */
	struct inodes seen;
	/* found, of /dev/shm: names are paths below it */
	struct look_file *files;
	size_t n_files;
	bool listed; /* there is such a mount, and it was listed */
	bool more;   /* not all of it */
	char *names;
	size_t names_len;
	bool maps;       /* were read */
	bool complete;   /* all of them */
	int64_t refused; /* processes whose maps may not be read */
	int64_t stuck;   /* shunned ones */
};

/* NULL: no memory. */
struct look *look_new(struct root *root, void *owner);
void look_free(struct look *look);
/* Whom others are stuck at is not looked at: none, then one more. -ENOMEM. */
void look_shun_none(struct look *look);
int look_shun(struct look *look, int32_t pid);
/* The job's run(). */
void look_run(struct qmem_job *job);

#endif
