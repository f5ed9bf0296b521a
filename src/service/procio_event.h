/* SPDX-License-Identifier: MIT */
/*
 * Who is about to reach a limit that has nothing to do with memory, and fails as if it had: maps against vm.max_map_count, behind
 * which mmap() says ENOMEM on a machine with free memory, and open files against RLIMIT_NOFILE, behind which open() says EMFILE.
 *
 * Processes of one name and user are one condition, whatever their number. One user must not hide another's: root's have
 * conditions of their own number, and of the others each user has two at most; who has none is in one event for all.
 */
#ifndef QMEM_SERVICE_PROCIO_EVENT_H
#define QMEM_SERVICE_PROCIO_EVENT_H

#include "process/table.h"
#include "qmem.h"

enum procio_limit { PROCIO_FILES, PROCIO_MAPS, PROCIO_LIMITS };

#define PROCIO_NAMED 8       /* conditions of root's processes of one limit, and as many of the others' */
#define PROCIO_LEAST 64      /* of a limit on files: one that is lower is somebody's sandbox, and meant to be reached */
#define PROCIO_HUNDRED 10000 /* 1/100 percent */

struct procask;

struct procio_condition {
	char comm[sizeof(((struct proc *)0)->comm)];
	uint32_t uid;
	bool on;
	size_t n; /* processes in this round */
	/* the fullest of these */
	int32_t pid;
	int64_t used, limit, share;
	uint64_t since;
	int64_t told; /* the share that was told of last */
	unsigned state;
};

struct procio_event {
	int64_t full;    /* share from which on it is told, 1/100 percent; 0: never */
	uint64_t repeat; /* ns; 0: never */
	struct qmem *q;  /* while there is a round */
	struct procask *ask;
	struct procio_condition conditions[PROCIO_LIMITS][2 * PROCIO_NAMED];
	struct procio_condition others[PROCIO_LIMITS];
	int64_t fullest[PROCIO_LIMITS]; /* share of the fullest process of all, QMEM_NA: there is none */
};

void procio_event_release(struct procio_event *e);
/* Once a round. `max_maps` is vm.max_map_count, or QMEM_NA. */
void procio_event_look(struct qmem *q, struct procio_event *e, const struct proctable *table, int64_t max_maps);

#endif
