/* SPDX-License-Identifier: MIT */
/* qmem.plugin: arguments. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/describe.h"
#include "qmem.h"
#include "plugin.h"
#include "program/check.h"
#include "program/print.h"
#include "program/standard.h"

#define EVERY_MAX 86400

static const char help[] =
	"Usage: qmem.plugin [--config FILE] [SECONDS]            as Netdata runs it\n"
	"       qmem.plugin [--config FILE] --print [SERVICE...] values, twice collected\n"
	"       qmem.plugin [--config FILE] --check              what is on, and what is wrong\n"
	"       qmem.plugin --describe [SERVICE...]              services, options, families, metrics\n"
	"\n"
	"Eyes for Linux memory: a collector plugin for Netdata.\n"
	"\n"
	"  SECONDS              between two collections; default: $NETDATA_UPDATE_EVERY, or 1\n"
	"  -c, --config FILE    instead of qmem.conf in Netdata's directories\n"
	"  -p, --print          two collections, a second apart, up to four more while processes are\n"
	"                       asked for what takes longer (PSS, GroupBy exe, heapmon); a value a line:\n"
	"                       name, value, unit, separated by tabs; counters as rates per second,\n"
	"                       absent values as '-'\n"
	"  -C, --check          a service a line: name, on or off, why or by what; then the errors in\n"
	"                       the configuration; exit status 0 if there are none and every service\n"
	"                       set to 'yes' is on\n"
	"  -d, --describe       what there is to configure and to see\n"
	"      --format FORM    of --describe: text, markdown, man\n"
	"  -V, --version\n"
	"  -h, --help\n";

static int wrong(const char *what, const char *word)
{
	fprintf(stderr, "qmem.plugin: %s '%s'; see --help\n", what, word);
	return 2;
}

static int describe(const char *form, char *const *services, int n)
{
	static const char *const forms[] = {
		[QMEM_DESCRIBE_TEXT] = "text", [QMEM_DESCRIBE_MARKDOWN] = "markdown", [QMEM_DESCRIBE_MAN] = "man"
	};
	enum qmem_describe_form f = QMEM_DESCRIBE_TEXT;
	int err = 0;

	while (f <= QMEM_DESCRIBE_MAN && strcmp(forms[f], form) != 0)
		f++;
	if (f > QMEM_DESCRIBE_MAN)
		return wrong("no format", form);
	for (int i = 0; !err && i < (n ? n : 1); i++) {
		if (i && f != QMEM_DESCRIBE_MAN)
			putchar('\n');
		err = qmem_describe(stdout, f, QMEM_DESCRIBE_ALL, qmem_services, n ? services[i] : NULL);
		if (err == -ENOENT)
			return wrong("no service", services[i]);
	}
	if (!err && fflush(stdout) != 0)
		err = -errno;
	if (err)
		fprintf(stderr, "qmem.plugin: %s\n", strerror(-err));
	return err ? 1 : 0;
}

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

static int run(const char *config, char *const *words, int n)
{
	const char *environment = getenv("NETDATA_UPDATE_EVERY");
	unsigned every = 1;

	if (environment && seconds(environment))
		every = seconds(environment);
	if (n > 0) {
		every = seconds(words[0]);
		if (!every)
			return wrong("no number of seconds", words[0]);
	}
	if (n > 1)
		return wrong("unknown argument", words[1]);
	return plugin_run(config, every);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' }, { "print", no_argument, NULL, 'p' },
		{ "check", no_argument, NULL, 'C' },        { "describe", no_argument, NULL, 'd' },
		{ "format", required_argument, NULL, 'f' }, { "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },         { 0 },
	};
	const char *config = NULL, *format = "text";
	int mode = 0, c, n;

	standard_open();
	while ((c = getopt_long(argc, argv, "c:pCdVh", options, NULL)) != -1) {
		if (c == '?')
			return 2;
		if (c == 'c')
			config = optarg;
		else if (c == 'f')
			format = optarg;
		else if (mode && mode != c)
			return wrong("one thing at a time, not also", argv[optind - 1]);
		else
			mode = c;
	}
	n = argc - optind;
	switch (mode) {
	case 'p':
		return print_values(config, argv + optind, (size_t)n);
	case 'd':
		return describe(format, argv + optind, n);
	case 'C':
		return n ? wrong("unknown argument", argv[optind]) : check_services(config);
	case 'V':
		return printf("qmem.plugin %s\n", qmem_version()) < 0;
	case 'h':
		return fputs(help, stdout) < 0;
	default:
		return run(config, argv + optind, n);
	}
}
