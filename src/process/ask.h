/* SPDX-License-Identifier: MIT */
/*
 * What only the worker may ask of processes: the program and the command line, for which a process's own lock is taken, and
 * the user's name, from /etc/passwd. Once a round:
 *
 *	n = procask_take(ask, &answers);	// of those that an earlier round has asked for
 *	if (procask_add(q, ask, p)) ...		// for each process of which something is wanted
 *	procask_go(q, ask);
 */
#ifndef QMEM_PROCESS_ASK_H
#define QMEM_PROCESS_ASK_H

#include "qmem.h"

enum procask_want { PROCASK_EXE = 1, PROCASK_CMDLINE = 2, PROCASK_USER = 4 };

/* What is known of a process; NULL: it is not. */
struct procask_facts {
	const char *exe;     /* without " (deleted)" */
	const char *cmdline; /* its words separated by blanks */
	const char *user;    /* the number where there is no name */
};

struct procask_answer {
	uint32_t slot, generation;
	uint32_t uid; /* when it was asked for */
	int32_t pid;
	bool answered; /* false: there was no worker, it is stuck, or there was no room for what it may say */
	bool refused;  /* its exe was */
	struct procask_facts facts;
};

struct proc;
struct procask;

/* `want` is of enum procask_want. -ENOMEM. */
int procask_new(struct qmem *q, unsigned want, struct procask **ret);
void procask_free(struct procask *ask);

/* How many answers have come since the last call; they are valid until procask_add(). */
size_t procask_take(struct procask *ask, const struct procask_answer **ret);
/* false: not in this round, as there are many of them, the worker has not come back, or it would be stuck. */
bool procask_add(const struct qmem *q, struct procask *ask, const struct proc *p);
/* Gives the worker those that were added. If there is no worker they come back unanswered. */
void procask_go(struct qmem *q, struct procask *ask);

/* The name of a user that an answer has told; NULL: it is not known yet. */
const char *procask_user(const struct procask *ask, uint32_t uid);
/* The same, harmless, as part of a text: "root", the name, the number where it is not known, "?" for nobody. `ask` may be NULL. */
void procask_user_text(const struct procask *ask, char *dst, size_t size, uint32_t uid);
/* Has every exe of another user's process been refused? */
bool procask_refused(const struct procask *ask);

#endif
