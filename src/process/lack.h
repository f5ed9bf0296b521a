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
	bool told;      /* that it is lacking */
	uint64_t since; /* when it was last as told; 0: not asked yet */
};

/* Before a round; one of zeros is fine. */
void lack_begin(struct lack *l);
void lack_add(struct lack *l, enum lack_why why, int32_t pid);
/* After it: once it has lasted for `patience` ns, one line says what group `name` does not have, and for want of which file;
 * likewise that it is over. */
void lack_tell(struct qmem *q, struct lack *l, const char *what, const char *file, const char *name, uint64_t patience);

#endif
