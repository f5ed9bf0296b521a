/* SPDX-License-Identifier: MIT */
#include "qmemctl/help.h"

#include <string.h>

#include "program/standard.h"
#include "qmemctl/options.h"

/* Writes the sheet, and frees it. */
static int put_sheet(FILE *out, const struct form *form, struct sheet *sheet)
{
	int err = sheet->err;

	if (!err)
		form->sheet(out, sheet);
	sheet_release(sheet);
	return err;
}

static void put_option(struct sheet *sheet, const struct options_row *option)
{
	sheet_printf(sheet, "-%c, --%s%s%s", option->letter, option->name, option->argument ? " " : "",
		     option->argument ? option->argument : "");
}

int help_commands(FILE *out, const struct form *form, const struct command *const *commands)
{
	static const struct column columns[] = { { "Command", LITERAL }, { "What it does", WORDS } };
	struct sheet sheet = SHEET(columns);

	for (; *commands; commands++) {
		const struct command *command = *commands;

		sheet_printf(&sheet, "%s%s%s", command->name, command->words ? " " : "",
			     command->words ? command->words : "");
		sheet_put(&sheet, form->document ? command->text : command->summary);
	}
	return put_sheet(out, form, &sheet);
}

int help_options(FILE *out, const struct form *form, const char *letters)
{
	static const struct column columns[] = { { "Option", LITERAL }, { "Meaning", WORDS } };
	struct sheet sheet = SHEET(columns);

	for (size_t i = 0; i < OPTIONS; i++) {
		if (letters && !strchr(letters, options[i].letter))
			continue;
		put_option(&sheet, &options[i]);
		sheet_put(&sheet, options[i].help);
	}
	return put_sheet(out, form, &sheet);
}

static int print_all(const struct command *const *commands)
{
	int err;

	fputs("Usage: qmemctl COMMAND [OPTION]... [WORD]...\n\n"
	      "Asks qmem what it sees of Linux memory, on an engine of its own: no agent need run.\n\n"
	      "Commands:\n",
	      stdout);
	err = help_commands(stdout, &form_text, commands);
	fputs("\nOptions, of the commands that take them:\n", stdout);
	return err ? err : help_options(stdout, &form_text, NULL);
}

static int print_one(const struct command *command)
{
	printf("Usage: qmemctl %s%s%s%s\n\n%s\n", command->name, command->options ? " [OPTION]..." : "",
	       command->words ? " " : "", command->words ? command->words : "", command->text);
	if (!command->options)
		return 0;
	fputs("\nOptions:\n", stdout);
	return help_options(stdout, &form_text, command->options);
}

int help_print(const struct request *r, const struct command *const *commands, const struct command *command)
{
	int err = command ? print_one(command) : print_all(commands);

	if (err)
		fprintf(stderr, "%s: %s\n", r->program, strerror(-err));
	return standard_finish(r->program, err ? 1 : 0);
}
