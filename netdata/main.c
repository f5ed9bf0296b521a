/* SPDX-License-Identifier: MIT */
/* qmem.plugin: arguments. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "plugin.h"
#include "program/check.h"
#include "program/describe.h"
#include "program/difference.h"
#include "program/print.h"
#include "program/standard.h"
#include "qmem.h"

#define EVERY_MAX 86400

static const char help[] =
	"Usage: qmem.plugin [--config FILE] [SECONDS]            as Netdata runs it\n"
	"       qmem.plugin [--config FILE] --print [SERVICE...] values, twice collected\n"
	"       qmem.plugin [--config FILE] --diff [--for TIME] [NAME...] what changes meanwhile\n"
	"       qmem.plugin [--config FILE] --check              what is on, and what is wrong\n"
	"       qmem.plugin --describe [SERVICE...]              services, options, families, metrics\n"
	"\n"
	"Eyes for Linux memory: a collector plugin for Netdata.\n"
	"\n"
	"  SECONDS              between two collections; default: $NETDATA_UPDATE_EVERY, or 1\n"
	"  -c, --config FILE    instead of qmem.conf in Netdata's directories\n"
	"  -p, --print          as 'qmemctl print'\n"
	"  -D, --diff           as 'qmemctl diff'\n"
	"      --for TIME       of --diff: 10s, 5m\n"
	"  -C, --check          as 'qmemctl check', with the rights that the plugin has\n"
	"  -d, --describe       as 'qmemctl describe'\n"
	"      --format FORM    of --describe: text, markdown, man\n"
	"  -V, --version\n"
	"  -h, --help\n";

/* Seconds between ticks, 0 if it is not a sound number. */
static unsigned seconds(const char *text)
{
	char *end;
	unsigned long n;

	if (*text < '0' || *text > '9')
		return 0;
	n = strtoul(text, &end, 10);
	return *end || n < 1 || n > EVERY_MAX ? 0 : (unsigned)n;
}

static int run(const struct request *r)
{
	const char *environment = getenv("NETDATA_UPDATE_EVERY");
	unsigned every = 1;

	if (environment && seconds(environment))
		every = seconds(environment);
	if (r->n_words) {
		every = seconds(r->words[0]);
		if (!every)
			return request_wrong(r, "no number of seconds", r->words[0]);
	}
	if (r->n_words > 1)
		return request_wrong(r, "unknown argument", r->words[1]);
	return plugin_run(r, every);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' }, { "print", no_argument, NULL, 'p' },
		{ "check", no_argument, NULL, 'C' },        { "describe", no_argument, NULL, 'd' },
		{ "diff", no_argument, NULL, 'D' },         { "for", required_argument, NULL, 't' },
		{ "format", required_argument, NULL, 'f' }, { "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },         { 0 },
	};
	struct request r = { .program = "qmem.plugin" };
	int mode = 0, c;

	standard_open();
	while ((c = getopt_long(argc, argv, "c:pCdDVh", options, NULL)) != -1) {
		if (c == '?')
			return 2;
		if (c == 'c')
			r.config = optarg;
		else if (c == 'f')
			r.format = optarg;
		else if (c == 't')
			r.span = optarg;
		else if (mode && mode != c)
			return request_wrong(&r, "one thing at a time, not also", argv[optind - 1]);
		else
			mode = c;
	}
	r.words = argv + optind;
	r.n_words = (size_t)(argc - optind);
	switch (mode) {
	case 'p':
		return print_values(&r);
	case 'D':
		return show_difference(&r);
	case 'd':
		return describe_services(&r);
	case 'C':
		return r.n_words ? request_wrong(&r, "unknown argument", r.words[0]) : check_services(&r);
	case 'V':
		printf("qmem.plugin %s\n", qmem_version());
		return standard_finish(r.program, 0);
	case 'h':
		fputs(help, stdout);
		return standard_finish(r.program, 0);
	default:
		return run(&r);
	}
}
