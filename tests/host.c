/* SPDX-License-Identifier: MIT */
/*
 * The third host: two ticks on a scripted clock below a recorded root, printed.
 *	host ROOT [service.Option=value ...]
 * ROOT/1 is what is there at the first tick, ROOT/2 holds what has changed at the second. A golden transcript is what it
 * prints.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recorder.h"

static char copy[] = "/tmp/qmem-host-XXXXXX";
static size_t from_len;

static void die(const char *what)
{
	fprintf(stderr, "host: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* Written in place: the engine keeps its files open, as it does with the kernel's. */
static void write_file(const char *from, const char *to)
{
	char buffer[65536];
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	ssize_t n;

	if (in < 0 || out < 0)
		die(from);
	while ((n = read(in, buffer, sizeof(buffer))) > 0)
		if (write(out, buffer, (size_t)n) != n)
			die(to);
	close(in);
	close(out);
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	char to[PATH_MAX], target[PATH_MAX];
	ssize_t n;

	(void)st;
	(void)ftw;
	snprintf(to, sizeof(to), "%s%s", copy, path + from_len);
	switch (type) {
	case FTW_D:
		if (mkdir(to, 0755) < 0 && errno != EEXIST)
			die(to);
		break;
	case FTW_SL:
		n = readlink(path, target, sizeof(target) - 1);
		if (n < 0)
			die(path);
		target[n] = '\0';
		if (symlink(target, to) < 0 && errno != EEXIST)
			die(to);
		break;
	default:
		write_file(path, to);
	}
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* Lays root/tick over the copy; false if there is no such tick. */
static bool lay(const char *root, int tick)
{
	char from[PATH_MAX];

	snprintf(from, sizeof(from), "%s/%d", root, tick);
	from_len = strlen(from);
	if (access(from, X_OK) < 0)
		return false;
	if (nftw(from, visit, 16, FTW_PHYS) < 0)
		die(from);
	return true;
}

static void set(struct qmem *q, const char *service, const char *option, const char *value)
{
	struct qmem_error error;

	if (qmem_set(q, service, NULL, NULL, option, value, &error))
		printf("option error %s\n", error.text);
}

static void set_argument(struct qmem *q, char *argument)
{
	char *value = strchr(argument, '='), *dot = strchr(argument, '.');

	if (!value || !dot || dot > value) {
		fprintf(stderr, "host: '%s' is not service.Option=value\n", argument);
		exit(2);
	}
	*value++ = '\0';
	*dot++ = '\0';
	set(q, argument, dot, value);
}

int main(int argc, char **argv)
{
	uint64_t now = 1000 * QMEM_SECOND;
	struct recorder r;
	struct qmem *q;

	if (argc < 2) {
		fprintf(stderr, "usage: host ROOT [service.Option=value ...]\n");
		return 2;
	}
	if (!mkdtemp(copy))
		die(copy);
	if (!lay(argv[1], 1))
		die(argv[1]);
	recorder_init(&r, stdout);
	r.cpu_step = 1000;
	q = r.q = qmem_new(&recorder_host, &r, qmem_services);
	if (!q)
		die("engine");
	set(q, NULL, "HostRoot", copy);
	for (int i = 2; i < argc; i++)
		set_argument(q, argv[i]);
	if (qmem_start(q, 10 * QMEM_SECOND, 10 * QMEM_SECOND, now))
		printf("nothing can run\n");
	for (int tick = 1; tick <= 2; tick++) {
		struct qmem_status status;

		printf("# tick %d\n", tick);
		if (tick > 1)
			lay(argv[1], tick);
		if (qmem_collect(q, now))
			printf("nothing could be read\n");
		qmem_dispatch(q, NULL, 0, now);
		now += 10 * QMEM_SECOND;
		for (size_t i = 0; tick == 2 && qmem_status(q, i, &status); i++)
			printf("status %s %s %s\n", status.service->name, status.on ? "on" : "off", status.reason);
	}
	qmem_free(q);
	recorder_release(&r);
	nftw(copy, remove_one, 16, FTW_PHYS | FTW_DEPTH);
	return 0;
}
