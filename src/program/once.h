/* SPDX-License-Identifier: MIT */
/*
 * A program that looks at values once: it starts the services that are asked for, which are collected each second whatever it costs,
 * measures, and ends. The struct that it hands to its engine as `arg` begins with one of these.
 */
#ifndef QMEM_PROGRAM_ONCE_H
#define QMEM_PROGRAM_ONCE_H

#include "program/loop.h"

struct once {
	struct loop loop; /* its log is the program's */
	const struct request *request;
	bool failed; /* and it has been said why */
};

struct once_calls {
	bool (*wants)(const struct request *r, const struct qmem_service *service);
	void (*prepare)(struct once *o); /* all is set, nothing has started; may be NULL */
	int (*measure)(struct once *o);  /* all has started: 0 or -errno */
};

/* Is it one of the words? */
bool once_is_named(const struct request *r, const struct qmem_service *service);
/* Says all that is wrong. The exit status. */
int once_run(struct once *o, const struct qmem_host *host, const struct once_calls *calls);

#endif
