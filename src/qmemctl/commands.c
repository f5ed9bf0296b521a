/* SPDX-License-Identifier: MIT */
#include "qmemctl/commands.h"

#include <string.h>

#include "qmemctl/help.h"
#include "util/near.h"

/* It knows all the others, which know of none. */
static int run_help(const struct request *r)
{
	const struct command *command = NULL;

	if (r->n_words > 1)
		return request_wrong(r, "unknown argument", r->words[1]);
	if (r->n_words) {
		command = commands_find(r->words[0]);
		if (!command)
			return commands_unknown(r);
	}
	return help_print(r, commands, command);
}

const struct command help_command = {
	.name = "help",
	.words = "[COMMAND]",
	.summary = "what the commands are, or what one of them does",
	.text = "Print a summary of the commands and options, or what COMMAND does and takes.",
	.run = run_help,
};

#define ROW(name_) &name_##_command,

const struct command *const commands[] = { QMEM_COMMANDS(ROW) NULL };

const struct command *commands_find(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

int commands_unknown(const struct request *r)
{
	struct near near = NEAR(r->words[0]);

	for (size_t i = 0; commands[i]; i++)
		near_try(&near, commands[i]->name);
	return request_unlike(r, "no command", r->words[0], near.name);
}
