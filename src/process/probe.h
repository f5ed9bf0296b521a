/* SPDX-License-Identifier: MIT */
/*
 * Files of processes that take the process's own lock: read by the worker, one process at a time, within a budget of CPU
 * time. What costs more than predicted is paid back before the next one. One that is stuck is left alone, and the others have their
 * turn: it is not asked again before it is back, nor, where two of a user's are, are others of this user, who may have made
 * very many so. Root's are.
 */
#ifndef QMEM_PROCESS_PROBE_H
#define QMEM_PROCESS_PROBE_H

#include "qmem.h"

/* The memory of a process, as the table has it. */
struct probe_memory {
	int64_t rss, swap, vmsize; /* bytes */
	int64_t vm_changes;
};

struct probe_target {
	uint32_t slot, generation;
	int32_t pid;
	uint32_t uid;
	int64_t score;              /* which one is first: the greatest */
	int64_t predicted;          /* CPU ns */
	uint64_t when;              /* it was offered */
	struct probe_memory memory; /* that it had then */
};

struct root; /* engine/root.h */

struct probe_kind {
	const char *what; /* the file */
	size_t result_size;
	/* on the worker; `result` is zeroed. 0 or -errno */
	int (*read)(const struct root *root, int32_t pid, bool brief, void *result);
	/* in the engine; `cost` in CPU ns */
	void (*take)(void *arg, const struct probe_target *target, int err, const void *result, int64_t cost);
};

struct probe;

/* Is the process to be left alone, for one of these reasons? */
bool probe_shuns(const struct qmem *q, int32_t pid, uint32_t uid);

/* `budget` is CPU ns per second. `brief` is handed to read(). -ENOMEM. */
int probe_new(struct qmem *q, const struct probe_kind *kind, int64_t budget, bool brief, void *arg, struct probe **ret);
void probe_free(struct probe *p);

/* Once a round: offers until probe_go(), each slot at most once, which starts with the best of them. While the worker is at
 * one of an earlier round, offers are passed over. -ENOMEM. */
int probe_begin(struct probe *p, size_t slots, uint64_t now);
void probe_offer(struct probe *p, const struct probe_target *target);
void probe_go(struct qmem *q, struct probe *p);

#endif
