/* SPDX-License-Identifier: MIT */
/*
 * The tables inside README, docs/, the man pages and the configuration files are printed from the code. They stand between
 *	<!-- table: PART [SERVICE] -->	and	<!-- end -->	in Markdown,
 *	.\" table: PART [SERVICE]	and	.\" end		in man pages,
 *	.\" table: qmemctl PART	and	.\" end		in that of qmemctl,
 *	# table: skeleton HOST		and	# end		in configuration files,
 *	# table: unit HOST		and	# end		in the drop-ins of units.
 * `docs update FILE...` fills them, `docs check FILE...` compares them, one TAP test each.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/describe.h"
#include "control/privilege.h"
#include "control/skeleton.h"
#include "qmemctl/commands.h"
#include "qmemctl/help.h"

struct part {
	const char *word;
	unsigned int parts;
};

static const struct part parts[] = {
	{ "services", QMEM_DESCRIBE_SERVICES },
	{ "families", QMEM_DESCRIBE_FAMILIES },
	{ "global", QMEM_DESCRIBE_GLOBAL },
	{ "common", QMEM_DESCRIBE_COMMON },
	{ "options", QMEM_DESCRIBE_OPTIONS },
	{ "metrics", QMEM_DESCRIBE_METRICS },
	{ "metrics-collectd", QMEM_DESCRIBE_METRICS | QMEM_DESCRIBE_COLLECTD },
	{ "capabilities", QMEM_DESCRIBE_CAPABILITIES },
	{ "metrics-netdata", QMEM_DESCRIBE_METRICS | QMEM_DESCRIBE_NETDATA },
};

static int tests, failures;

static void result(bool passed, const char *path, const char *table, const char *why)
{
	printf("%s %d - %s: %s\n", passed ? "ok" : "not ok", ++tests, path, table);
	if (!passed) {
		failures++;
		printf("# %s\n", why);
	}
}

static bool has_suffix(const char *text, const char *suffix)
{
	size_t n = strlen(text), m = strlen(suffix);

	return n >= m && strcmp(text + n - m, suffix) == 0;
}

/* What stands between `before` and `after` on one line. */
static bool marker(const char *line, size_t n, const char *before, const char *after, char *ret, size_t size)
{
	size_t b = strlen(before), a = strlen(after);

	if (n < b + a || memcmp(line, before, b) != 0 || memcmp(line + n - a, after, a) != 0 || n - b - a >= size)
		return false;
	memcpy(ret, line + b, n - b - a);
	ret[n - b - a] = '\0';
	return true;
}

/* What kind of file it is, by the end of its name. */
static const struct kind {
	const char *suffix, *before, *after, *end;
	enum qmem_describe_form form;
} kinds[] = {
	{ ".md", "<!-- table: ", " -->", "<!-- end -->", QMEM_DESCRIBE_MARKDOWN },
	{ ".conf", "# table: ", "", "# end", QMEM_DESCRIBE_TEXT },
	{ "", ".\\\" table: ", "", ".\\\" end", QMEM_DESCRIBE_MAN },
};

static const struct kind *kind_of(const char *path)
{
	const struct kind *kind = kinds;

	while (!has_suffix(path, kind->suffix))
		kind++;
	return kind;
}

static int print_skeleton(FILE *out, const char *host)
{
	if (strcmp(host, "collectd") == 0)
		return qmem_skeleton(out, QMEM_SKELETON_COLLECTD, qmem_services);
	if (strcmp(host, "netdata") == 0)
		return qmem_skeleton(out, QMEM_SKELETON_NETDATA, qmem_services);
	return -EINVAL;
}

static int print_unit(FILE *out, const char *host)
{
	if (strcmp(host, "collectd") == 0)
		return privilege_unit(out, PRIVILEGE_COLLECTD, qmem_services);
	if (strcmp(host, "netdata") == 0)
		return privilege_unit(out, PRIVILEGE_NETDATA, qmem_services);
	return -EINVAL;
}

static int print_qmemctl(FILE *out, const char *part)
{
	if (strcmp(part, "commands") == 0)
		return help_commands(out, &form_man, commands);
	if (strcmp(part, "options") == 0)
		return help_options(out, &form_man, NULL);
	return -EINVAL;
}

/* The table of that name; NULL, and a reason, if there is none. */
static char *table_text(enum qmem_describe_form form, const char *name, const char **ret_why)
{
	char word[32], service[64] = "", rest;
	char *text = NULL;
	size_t size = 0, i;
	bool skeleton, unit, qmemctl;
	FILE *out;
	int err, n = sscanf(name, "%31s %63s %c", word, service, &rest);

	*ret_why = "a table's name is 'PART [SERVICE]'";
	if (n < 1 || n > 2)
		return NULL;
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strcmp(word, parts[i].word) == 0)
			break;
	*ret_why = "no such part";
	skeleton = strcmp(word, "skeleton") == 0;
	unit = strcmp(word, "unit") == 0;
	qmemctl = strcmp(word, "qmemctl") == 0;
	if (!skeleton && !unit && !qmemctl && i == sizeof(parts) / sizeof(parts[0]))
		return NULL;
	out = open_memstream(&text, &size);
	*ret_why = "out of memory";
	if (!out)
		return NULL;
	/* a comment ends the HTML block only at a blank line */
	if (form == QMEM_DESCRIBE_MARKDOWN)
		fputc('\n', out);
	if (skeleton)
		err = print_skeleton(out, service);
	else if (unit)
		err = print_unit(out, service);
	else if (qmemctl)
		err = print_qmemctl(out, service);
	else
		err = qmem_describe(out, form, parts[i].parts, qmem_services, n == 2 ? service : NULL);
	if (form == QMEM_DESCRIBE_MARKDOWN)
		fputc('\n', out);
	if (fclose(out) && !err)
		err = -ENOMEM;
	*ret_why = err == -ENOENT ? "no such service" : strerror(-err);
	if (err) {
		free(text);
		return NULL;
	}
	return text;
}

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	/* no file holds a NUL that we would read on purpose */
	if (!f || getdelim(&text, &size, '\0', f) < 0) {
		free(text);
		text = NULL;
	}
	if (f)
		fclose(f);
	return text;
}

/* In one step: a reader finds the old page or the new one. */
static int write_file(const char *path, const char *text)
{
	char *temporary = NULL;
	struct stat st;
	FILE *f = NULL;
	int err = -1;

	if (asprintf(&temporary, "%s.new", path) < 0)
		return -1;
	f = fopen(temporary, "w");
	if (f && stat(path, &st) == 0 && fchmod(fileno(f), st.st_mode & 07777) == 0 && fputs(text, f) >= 0)
		err = 0;
	if (f && fclose(f))
		err = -1;
	if (!err)
		err = rename(temporary, path);
	if (err)
		unlink(temporary);
	free(temporary);
	return err;
}

/* Says where the two part. */
static void show_difference(const char *in_file, size_t n, const char *expected)
{
	size_t same = 0, start = 0;

	while (same < n && expected[same] && in_file[same] == expected[same]) {
		same++;
		if (in_file[same - 1] == '\n')
			start = same;
	}
	printf("# file: %.*s\n", (int)(n > start ? strcspn(in_file + start, "\n") : 0), in_file + start);
	printf("# code: %.*s\n", (int)strcspn(expected + start, "\n"), expected + start);
}

static void do_file(const char *path, bool update)
{
	const struct kind *kind = kind_of(path);
	const char *before = kind->before, *after = kind->after, *end = kind->end;
	char *old = read_file(path), *new = NULL;
	const char *line, *open_at = NULL;
	char name[128] = "";
	size_t size = 0;
	FILE *out = NULL;
	bool broken = false;

	if (!old) {
		result(false, path, "is read", strerror(errno));
		return;
	}
	out = open_memstream(&new, &size);
	if (!out) {
		result(false, path, "is read", strerror(errno));
		free(old);
		return;
	}
	for (line = old; *line;) {
		size_t n = strcspn(line, "\n"), whole = n + (line[n] == '\n');
		char other[sizeof(name)];

		if (!open_at) {
			fwrite(line, 1, whole, out);
			if (marker(line, n, before, after, name, sizeof(name))) {
				open_at = line + whole;
			} else if (n == strlen(end) && memcmp(line, end, n) == 0) {
				result(false, path, end, "it ends no table");
				broken = true;
			}
		} else if (n == strlen(end) && memcmp(line, end, n) == 0) {
			const char *why;
			char *text = table_text(kind->form, name, &why);
			size_t length = (size_t)(line - open_at);

			if (!text) {
				result(false, path, name, why);
				broken = true;
			} else if (update) {
				fputs(text, out);
			} else {
				bool equal = strlen(text) == length && memcmp(text, open_at, length) == 0;

				result(equal, path, name, "differs from the code: make update-docs");
				if (!equal)
					show_difference(open_at, length, text);
			}
			fwrite(line, 1, whole, out);
			free(text);
			open_at = NULL;
		} else if (marker(line, n, before, after, other, sizeof(other))) {
			break;
		}
		line += whole;
	}
	if (open_at) {
		result(false, path, name, "has no end");
		broken = true;
	}
	if (fclose(out)) {
		result(false, path, "is built", "out of memory");
		broken = true;
	}
	if (update && !broken && strcmp(old, new) != 0) {
		if (write_file(path, new))
			result(false, path, "is written", strerror(errno));
		else
			printf("# %s updated\n", path);
	}
	free(old);
	free(new);
}

int main(int argc, char **argv)
{
	bool update = argc > 1 && strcmp(argv[1], "update") == 0;
	int i;

	if (argc < 3 || (!update && strcmp(argv[1], "check") != 0)) {
		fprintf(stderr, "usage: docs update|check FILE...\n");
		return 2;
	}
	for (i = 2; i < argc; i++)
		do_file(argv[i], update);
	if (!update)
		printf("1..%d\n", tests);
	return failures ? 1 : 0;
}
