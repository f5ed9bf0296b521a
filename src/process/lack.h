/* SPDX-License-Identifier: MIT */
/*
 * Why a sum over the members of a group is not known: one of them is not. A process is a member from the round on after the
 * one that saw it first, as the worker reads between rounds: else a group that some process is born into at each round would
 * never have a sum.
 */
#ifndef QMEM_PROCESS_LACK_H
#define QMEM_PROCESS_LACK_H

#include "qmem.h"

enum lack_why {
	LACK_NOTHING,
	LACK_TIME,   /* not read yet, or too long ago */
	LACK_STUCK,  /* who reads it waits in the kernel */
	LACK_RIGHTS, /* it may not be read */
	LACK_BUDGET, /* it would take more CPU time than the ceiling */
};

struct lack {
	enum lack_why why; /* in this round */
	int32_t pid;
	uint64_t since; /* it is so; 0: it is not, or was not asked */
};

/* Of all groups together: one line when the first of them lacks it, however many come and go, and one when none does any more. */
struct lacks {
	size_t groups; /* in this round: how many, and the one to be named */
	struct lack lack;
	char name[256];
	size_t most;   /* in any round since it was told */
	uint64_t last; /* when one did */
	bool told;
};

/* Before a round; one of zeros is fine. */
void lack_begin(struct lack *l);
void lack_add(struct lack *l, enum lack_why why, int32_t pid);
/* After it, for each group: it counts once it has lasted for `patience` ns. */
void lacks_add(struct lacks *all, struct lack *l, const char *name, uint64_t now, uint64_t patience);
/* And then, once: `what` is lacking for want of `file`. That it is over is told when it has been so for some times as long. */
void lacks_tell(struct qmem *q, struct lacks *all, const char *what, const char *file, uint64_t patience);

#endif
