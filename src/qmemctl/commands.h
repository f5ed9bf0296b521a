/* SPDX-License-Identifier: MIT */
/* The commands, one a line, in the order in which they are told of. */
#ifndef QMEM_QMEMCTL_COMMANDS_H
#define QMEM_QMEMCTL_COMMANDS_H

#include "qmemctl/command.h"

/* clang-format off */
#define QMEM_COMMANDS(COMMAND) \
	COMMAND(print) \
	COMMAND(diff) \
	COMMAND(check) \
	COMMAND(describe) \
	COMMAND(help)
/* clang-format on */

/* Each is the last object of its file. */
#define QMEM_DECLARE_COMMAND(name_) extern const struct command name_##_command;
QMEM_COMMANDS(QMEM_DECLARE_COMMAND)
#undef QMEM_DECLARE_COMMAND

/* Up to NULL. */
extern const struct command *const commands[];
/* NULL: there is no such command. */
const struct command *commands_find(const char *name);
/* Says that the first word is none, and returns the exit status for that, 2. */
int commands_unknown(const struct request *r);

#endif
