/* SPDX-License-Identifier: MIT */
/* What the rows of the commands and options say, for people: qmemctl help, and the tables in its man page. */
#ifndef QMEM_QMEMCTL_HELP_H
#define QMEM_QMEMCTL_HELP_H

#include <stdio.h>

#include "control/form.h"
#include "qmemctl/command.h"

/* A command a row, with what it does. -ENOMEM. */
int help_commands(FILE *out, const struct form *form, const struct command *const *commands);
/* An option a row: those of these letters; NULL: all. -ENOMEM. */
int help_options(FILE *out, const struct form *form, const char *letters);

/* On stdout: of one command, or NULL: of all. The exit status. */
int help_print(const struct request *r, const struct command *const *commands, const struct command *command);

#endif
