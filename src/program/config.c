/* SPDX-License-Identifier: MIT */
#include "program/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/name.h"
#include "program/ini.h"

/* without the Netdata plugin there are none */
#ifndef NETDATA_USER_CONFDIR
#define NETDATA_USER_CONFDIR NULL
#define NETDATA_STOCK_CONFDIR NULL
#endif

#define FILE_NAME "qmem.conf"
#define FILE_MAX (16 << 20) /* nobody writes that much: it is some other file */

struct reading {
	struct qmem *q;
	const char *path;
	struct config *config;
	int err;
};

static void complain(struct reading *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

int config_add(struct config *config, const char *text)
{
	char **items = realloc(config->errors, (config->n + 1) * sizeof(*items));
	char *made = items ? strdup(text) : NULL;

	if (items)
		config->errors = items;
	if (!made)
		return -ENOMEM;
	items[config->n++] = made;
	return 0;
}

static void complain(struct reading *r, const char *fmt, ...)
{
	char *text = NULL;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	if (n < 0 || config_add(r->config, text))
		r->err = -ENOMEM;
	if (n >= 0)
		free(text);
}

void config_release(struct config *config)
{
	for (size_t i = 0; i < config->n; i++)
		free(config->errors[i]);
	free(config->errors);
	free(config->file);
	*config = (struct config){ 0 };
}

/* Key NULL: the section itself. */
static bool set(struct reading *r, const struct ini_key *at)
{
	const char *service = at->section;
	struct qmem_error error;
	char *place;
	int err;

	if (service && !at->block && qmem_name_same(service, "global"))
		service = NULL;
	if (asprintf(&place, "%s:%u", r->path, at->line) < 0) {
		r->err = -ENOMEM;
		return false;
	}
	qmem_at(r->q, place);
	err = qmem_set(r->q, service, at->block, at->name, at->key, at->value, &error);
	qmem_at(r->q, NULL);
	if (err == -ENOMEM)
		r->err = err;
	else if (err)
		complain(r, "%s: %s", place, error.text);
	free(place);
	return !err;
}

static bool section(void *arg, const struct ini_key *at)
{
	return set(arg, at);
}

static void key(void *arg, const struct ini_key *at)
{
	(void)set(arg, at);
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
	static const struct ini_reader reader = { .section = section, .key = key, .bad = bad };
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

/* False: there is no such file. Whatever else is wrong with it is an error, and no other file takes its place. */
static bool read_config(struct reading *r, bool wanted)
{
	char words[128];
	int err = read_file(r);

	if (!wanted && (err == -ENOENT || err == -ENOTDIR))
		return false;
	if (err == -ENOMEM)
		r->err = err;
	else if (err)
		complain(r, "cannot read '%s': %s", r->path, strerror_r(-err, words, sizeof(words)));
	r->config->missing |= err && wanted;
	if (!err) {
		r->config->file = strdup(r->path);
		if (!r->config->file)
			r->err = -ENOMEM;
	}
	return true;
}

static const char *directory(const char *variable, const char *otherwise)
{
	const char *dir = getenv(variable);

	return dir && *dir ? dir : otherwise;
}

static int find_config(struct reading *r)
{
	const char *const dirs[] = { directory("NETDATA_USER_CONFIG_DIR", NETDATA_USER_CONFDIR),
				     directory("NETDATA_STOCK_CONFIG_DIR", NETDATA_STOCK_CONFDIR) };
	bool found = false;

	for (size_t i = 0; !found && i < 2; i++) {
		char *name;

		if (!dirs[i])
			continue;
		if (asprintf(&name, "%s/" FILE_NAME, dirs[i]) < 0)
			return -ENOMEM;
		r->path = name;
		found = read_config(r, false);
		free(name);
	}
	return r->err;
}

int config_read(struct qmem *q, const char *path, struct config *config)
{
	const char *prefix = getenv("NETDATA_HOST_PREFIX");
	struct reading r = { .q = q, .path = path, .config = config };
	struct qmem_error error;

	if (prefix && *prefix && qmem_set(q, NULL, NULL, NULL, "HostRoot", prefix, &error) < 0)
		complain(&r, "NETDATA_HOST_PREFIX: %s", error.text);
	if (!path)
		return find_config(&r);
	read_config(&r, true);
	return r.err;
}

/* Cuts SERVICE.BLOCK.NAME.OPTION; the name may have dots. */
static void cut(char *text, char **service, char **block, char **name, char **option)
{
	char *first = strchr(text, '.'), *last = strrchr(text, '.'), *second;

	*service = *block = *name = NULL;
	*option = text;
	if (!first)
		return;
	*service = text;
	*option = last + 1;
	*first = *last = '\0';
	if (first == last)
		return;
	*block = first + 1;
	second = strchr(*block, '.');
	if (!second)
		return;
	*second = '\0';
	*name = second + 1;
}

int config_set(struct qmem *q, const char *setting, struct qmem_error *error)
{
	const char *value = strchr(setting, '=');
	char *text, *service, *block, *name, *option;
	int err;

	if (!value) {
		snprintf(error->text, sizeof(error->text), "no '='");
		return -EINVAL;
	}
	text = strndup(setting, (size_t)(value - setting));
	if (!text)
		return -ENOMEM;
	cut(text, &service, &block, &name, &option);
	err = qmem_set(q, service, block, name, option, value + 1, error);
	free(text);
	return err;
}
