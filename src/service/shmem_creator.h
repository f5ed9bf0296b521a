/* SPDX-License-Identifier: MIT */
/*
 * Who has made a segment of System V: /proc/sysvipc/shm says the process id, and the process may have ended long ago, or another
 * one may have that number now. The name is looked up when a segment is first seen, and kept as long as there is the segment.
 */
#ifndef QMEM_SERVICE_SHMEM_CREATOR_H
#define QMEM_SERVICE_SHMEM_CREATOR_H

#include "proc/pidstat.h"
#include "proc/sysvipc.h"
#include "qmem.h"
#include "util/sip.h"

#define CREATORS_MOST 4096 /* segments; as many as the kernel allows by default */

struct creator {
	int64_t shmid, cpid;
	uint64_t round; /* that has seen it last; 0: free */
	char name[PIDSTAT_COMM +
		  24];           /* of the segment: "postgres:32769"; "pid4711:32769" where the process has ended */
	char comm[PIDSTAT_COMM]; /* "" where it has ended */
	char pid[12], uid[12], key[12]; /* key: "0x0052e2c1", "private" */
	struct qmem_label labels[5];
};

struct creators {
	struct creator *all; /* stay where they are */
	size_t n;            /* up to the last that was ever used */
	size_t unused;       /* before this one all are in use */
	uint16_t *places;    /* by hash: one more than the index in `all`; 0: none */
	struct sip_key key;
	uint64_t round;
	int64_t booted; /* seconds since 1970; QMEM_NA: not known */
	struct pidstat_units units;
	char *text; /* a copy */
	size_t text_room;
};

/* -ENOMEM; release it also then. */
int creators_init(struct qmem *q, struct creators *c);
void creators_release(struct creators *c);
/* Once a round: begin, copy the text, find each, end: those that were not found are forgotten. */
void creators_begin(struct creators *c);
int creators_copy(struct creators *c, const char **text, size_t len);
/* NULL: there is no room. */
const struct creator *creators_find(struct qmem *q, struct creators *c, const struct sysvipc_shm *shm);
void creators_end(struct creators *c);

#endif
