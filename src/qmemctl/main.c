/* SPDX-License-Identifier: MIT */
/* qmemctl: arguments. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program/standard.h"
#include "qmem.h"
#include "qmemctl/commands.h"
#include "qmemctl/help.h"
#include "qmemctl/options.h"

struct line {
	struct request request;
	const char **settings;
	bool given[OPTIONS];
};

static bool given(const struct line *line, char letter)
{
	for (size_t i = 0; i < OPTIONS; i++)
		if (options[i].letter == letter)
			return line->given[i];
	return false;
}

static void take(struct line *line, size_t i)
{
	struct request *r = &line->request;

	line->given[i] = true;
	switch (options[i].letter) {
	case 'c':
		r->config = optarg;
		break;
	case 'o':
		line->settings[r->n_settings++] = optarg;
		break;
	case 'f':
		r->format = optarg;
		break;
	case 't':
		r->span = optarg;
		break;
	}
}

/* Options may stand before, between and behind the words. False: one is wrong, which getopt has said. */
static bool parse(struct line *line, int argc, char **argv)
{
	struct option longs[OPTIONS + 1] = { 0 };
	char shorts[2 * OPTIONS + 1] = "", *at = shorts;
	int c;

	for (size_t i = 0; i < OPTIONS; i++) {
		longs[i] = (struct option){ .name = options[i].name,
					    .has_arg = options[i].argument ? required_argument : no_argument,
					    .val = options[i].letter };
		*at++ = options[i].letter;
		if (options[i].argument)
			*at++ = ':';
	}
	while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		size_t i = 0;

		while (i < OPTIONS && options[i].letter != c)
			i++;
		if (i == OPTIONS)
			return false;
		take(line, i);
	}
	line->request.words = argv + optind;
	line->request.n_words = (size_t)(argc - optind);
	return true;
}

/* The first option that was given and that the command does not take; NULL. */
static const char *foreign(const struct line *line, const struct command *command)
{
	for (size_t i = 0; i < OPTIONS; i++)
		if (line->given[i] && !strchr(OPTIONS_OF_ALL, options[i].letter) &&
		    !(command->options && strchr(command->options, options[i].letter)))
			return options[i].name;
	return NULL;
}

static int run(struct line *line)
{
	struct request *r = &line->request;
	const struct command *command;

	if (given(line, 'V')) {
		printf("%s %s\n", r->program, qmem_version());
		return standard_finish(r->program, 0);
	}
	if (!r->n_words && given(line, 'h'))
		return help_print(r, commands, NULL);
	if (!r->n_words) {
		fprintf(stderr, "%s: no command; see --help\n", r->program);
		return 2;
	}
	command = commands_find(r->words[0]);
	if (!command)
		return commands_unknown(r);
	if (given(line, 'h'))
		return help_print(r, commands, command);
	r->words++;
	r->n_words--;
	if (foreign(line, command)) {
		fprintf(stderr, "%s: %s takes no option '--%s'; see --help\n", r->program, command->name,
			foreign(line, command));
		return 2;
	}
	if (r->n_words && !command->words)
		return request_wrong(r, "unknown argument", r->words[0]);
	return command->run(r);
}

int main(int argc, char **argv)
{
	static const char program[] = "qmemctl";
	struct line line = { .request = { .program = program, .apart = true } };
	int status = 2;

	standard_open();
	/* getopt speaks by this name */
	if (argc > 0)
		argv[0] = (char *)program;
	line.settings = calloc((size_t)argc + 1, sizeof(*line.settings));
	if (!line.settings) {
		fprintf(stderr, "%s: %s\n", program, strerror(ENOMEM));
		return 1;
	}
	line.request.settings = line.settings;
	if (parse(&line, argc, argv))
		status = run(&line);
	free(line.settings);
	return status;
}
