/* SPDX-License-Identifier: MIT */
#include "program/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/name.h"
#include "program/ini.h"

#ifndef NETDATA_USER_CONFDIR
#define NETDATA_USER_CONFDIR "/etc/netdata"
#endif
#ifndef NETDATA_STOCK_CONFDIR
#define NETDATA_STOCK_CONFDIR "/usr/lib/netdata/conf.d"
#endif

#define FILE_NAME "qmem.conf"
#define FILE_MAX (16 << 20) /* nobody writes that much: it is some other file */

struct reading {
	struct qmem *q;
	const char *path;
	struct config_errors *errors;
	int err;
};

static void complain(struct reading *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void complain(struct reading *r, const char *fmt, ...)
{
	char **items = realloc(r->errors->items, (r->errors->n + 1) * sizeof(*items));
	char *text = NULL;
	va_list args;
	int n;

	if (items)
		r->errors->items = items;
	va_start(args, fmt);
	n = items ? vasprintf(&text, fmt, args) : -1;
	va_end(args);
	if (n < 0)
		r->err = -ENOMEM;
	else
		r->errors->items[r->errors->n++] = text;
}

void config_errors_release(struct config_errors *errors)
{
	for (size_t i = 0; i < errors->n; i++)
		free(errors->items[i]);
	free(errors->items);
	*errors = (struct config_errors){ 0 };
}

static void set(void *arg, const struct ini_key *key)
{
	struct reading *r = arg;
	const char *service = key->section;
	struct qmem_error error;
	int err;

	if (service && !key->block && qmem_name_same(service, "global"))
		service = NULL;
	if (key->block && !key->name) {
		complain(r, "%s:%u: %s: block '%s' has no name", r->path, key->line, service, key->block);
		return;
	}
	err = qmem_set(r->q, service, key->block, key->name, key->key, key->value, &error);
	if (err == -ENOMEM)
		r->err = err;
	else if (err)
		complain(r, "%s:%u: %s", r->path, key->line, error.text);
}

static void bad(void *arg, unsigned line, const char *why)
{
	struct reading *r = arg;

	complain(r, "%s:%u: %s", r->path, line, why);
}

static int read_all(int fd, char **ret_text, size_t *ret_len)
{
	size_t size = 4096, len = 0;
	char *text = malloc(size + 1), *more;

	while (text) {
		ssize_t n = read(fd, text + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || len > FILE_MAX) {
			int err = n < 0 ? -errno : -EFBIG;

			free(text);
			return err;
		}
		if (!n) {
			*ret_text = text;
			*ret_len = len;
			return 0;
		}
		len += (size_t)n;
		if (len < size)
			continue;
		size *= 2;
		more = realloc(text, size + 1);
		if (!more)
			free(text);
		text = more;
	}
	return -ENOMEM;
}

/* -errno only for what could not be opened or read. */
static int read_file(struct reading *r)
{
	static const struct ini_reader reader = { .key = set, .bad = bad };
	/* a FIFO of that name must not hold us up */
	int fd = open(r->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), err = 0;
	struct stat st;
	size_t len = 0;
	char *text = NULL;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		err = -errno;
	else if (S_ISDIR(st.st_mode))
		err = -EISDIR;
	else if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode))
		err = -EINVAL;
	else
		err = read_all(fd, &text, &len);
	close(fd);
	if (!err) {
		ini_read(text, len, &reader, r);
		free(text);
	}
	return err;
}

static void say_unreadable(struct reading *r, int err)
{
	char words[128];

	if (err == -ENOMEM)
		r->err = err;
	else
		complain(r, "cannot read '%s': %s", r->path, strerror_r(-err, words, sizeof(words)));
}

static const char *directory(const char *variable, const char *otherwise)
{
	const char *dir = getenv(variable);

	return dir && *dir ? dir : otherwise;
}

int config_read(struct qmem *q, const char *path, struct config_errors *errors)
{
	const char *const dirs[] = { directory("NETDATA_USER_CONFIG_DIR", NETDATA_USER_CONFDIR),
				     directory("NETDATA_STOCK_CONFIG_DIR", NETDATA_STOCK_CONFDIR) };
	const char *prefix = getenv("NETDATA_HOST_PREFIX");
	struct reading r = { .q = q, .path = path, .errors = errors };
	struct qmem_error error;
	char *name;
	int err;

	if (prefix && *prefix && qmem_set(q, NULL, NULL, NULL, "HostRoot", prefix, &error) < 0)
		complain(&r, "NETDATA_HOST_PREFIX: %s", error.text);
	if (path) {
		err = read_file(&r);
		if (err)
			say_unreadable(&r, err);
		return r.err;
	}
	for (size_t i = 0; i < 2; i++) {
		if (asprintf(&name, "%s/" FILE_NAME, dirs[i]) < 0)
			return -ENOMEM;
		r.path = name;
		err = read_file(&r);
		if (err && err != -ENOENT && err != -ENOTDIR)
			say_unreadable(&r, err);
		free(name);
		/* a file of the user's that cannot be read must not be answered with another one */
		if (err != -ENOENT && err != -ENOTDIR)
			break;
	}
	return r.err;
}
