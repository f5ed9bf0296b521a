/* SPDX-License-Identifier: MIT */
/*
 * What qmemctl can be asked. A command is a file here, whose last object is its row, and a line in commands.h.
 */
#ifndef QMEM_QMEMCTL_COMMAND_H
#define QMEM_QMEMCTL_COMMAND_H

#include "program/request.h"

struct command {
	const char *name;
	const char *words;                   /* what may follow it, as in "[SERVICE]..."; NULL: nothing */
	const char *options;                 /* the letters of those it takes, beside those all take; NULL: none */
	const char *summary;                 /* in half a line */
	const char *text;                    /* in sentences, in lines of 76 characters at most */
	int (*run)(const struct request *r); /* the exit status */
};

#endif
