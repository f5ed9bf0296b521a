/* SPDX-License-Identifier: MIT */
#include "root.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char copy[PATH_MAX / 2];
static size_t from_len;

static void die(const char *what)
{
	fprintf(stderr, "root: %s: %s\n", what, strerror(errno));
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

bool root_lay(const char *root, int tick)
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

const char *root_copy(const char *root)
{
	const char *place = getenv("TMPDIR");

	snprintf(copy, sizeof(copy), "%s/qmem-host-XXXXXX", place ? place : "/tmp");
	if (!mkdtemp(copy))
		die(copy);
	if (!root_lay(root, 1))
		die(root);
	return copy;
}

void root_remove(void)
{
	nftw(copy, remove_one, 16, FTW_PHYS | FTW_DEPTH);
}
