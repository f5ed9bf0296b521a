/* SPDX-License-Identifier: MIT */
#include "engine/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/engine.h"
#include "engine/root.h"
#include "engine/uses.h"

#define TEXT_FIRST (16u << 10)

static int open_below(struct qmem *q, int flags, const char *path_fmt, va_list args)
	__attribute__((format(printf, 3, 0)));

static int open_below(struct qmem *q, int flags, const char *path_fmt, va_list args)
{
	char path[PATH_MAX];
	int len = vsnprintf(path, sizeof(path), path_fmt, args);

	if ((size_t)len >= sizeof(path))
		return -ENAMETOOLONG;
	return uses_open(q, path, flags);
}

int qmem_open(struct qmem *q, int flags, const char *path_fmt, ...)
{
	va_list args;
	int fd;

	va_start(args, path_fmt);
	fd = open_below(q, flags, path_fmt, args);
	va_end(args);
	return fd;
}

ssize_t file_read(int fd, char *text, size_t size, bool line)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = pread(fd, text + len, size - len, (off_t)len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			break;
		if (n > 0)
			len += (size_t)n;
		if (line && len && text[len - 1] == '\n')
			break;
	}
	return (ssize_t)len;
}

ssize_t qmem_read_once(struct qmem *q, char *text, size_t size, const char *path_fmt, ...)
{
	va_list args;
	ssize_t len;
	int fd;

	va_start(args, path_fmt);
	fd = open_below(q, O_RDONLY, path_fmt, args);
	va_end(args);
	if (fd < 0)
		return fd;
	len = file_read(fd, text, size, false);
	close(fd);
	return len;
}

static int grow(struct qmem *q)
{
	size_t size = q->text_size ? 2 * q->text_size : TEXT_FIRST;
	char *text;

	if (size > 2 * ROOT_FILE_MOST)
		return -EFBIG;
	text = realloc(q->text, size);
	if (!text)
		return -ENOMEM;
	q->text = text;
	q->text_size = size;
	return 0;
}

/* A seq file hands out what fits its own buffer at a time: only 0 is the end, unless it is a single piece. */
static ssize_t read_all(struct qmem *q, const struct qmem_file *file)
{
	size_t len = 0;

	for (;;) {
		size_t room;
		ssize_t n;

		if (len + 1 >= q->text_size) {
			int err = grow(q);

			if (err)
				return err;
		}
		room = q->text_size - 1 - len;
		n = pread(file->fd, q->text + len, room, (off_t)len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		len += (size_t)n;
		if (!n || (file->single && (size_t)n < room))
			break;
	}
	q->text[len] = '\0';
	return (ssize_t)len;
}

ssize_t qmem_read(struct qmem *q, struct qmem_file *file, const char **ret_text)
{
	char words[128];
	ssize_t len = -EBADF;

	if (file->fd >= 0)
		len = read_all(q, file);
	/* what was opened may have gone: a module, a device, a mount */
	if (len < 0 && len != -ENOMEM && len != -EFBIG) {
		qmem_file_close(file);
		file->fd = qmem_open(q, O_RDONLY, "%s", file->path);
		if (file->fd < 0) {
			int err = file->fd;

			file->fd = -1;
			return qmem_fail(q, err, "cannot open '/%s': %s", file->path,
					 root_words(err, words, sizeof(words)));
		}
		len = read_all(q, file);
	}
	if (len < 0) {
		qmem_file_close(file);
		return qmem_fail(q, (int)len, "cannot read '/%s': %s", file->path,
				 root_words((int)len, words, sizeof(words)));
	}
	if (!len)
		return qmem_fail(q, -ENODATA, "'/%s' is empty", file->path);
	*ret_text = q->text;
	return len;
}

void qmem_file_close(struct qmem_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}
