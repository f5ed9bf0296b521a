/* SPDX-License-Identifier: MIT */
#include "kernel/smallfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proc/text.h"

#define RETRY 60 /* reads between two looks for a file that is not there */

bool smallfile_name(struct smallfile *f, const char *path_fmt, ...)
{
	va_list args;
	int len;

	*f = (struct smallfile){ .file = { .fd = -1, .single = true } };
	va_start(args, path_fmt);
	len = vsnprintf(f->path, sizeof(f->path), path_fmt, args);
	va_end(args);
	if ((size_t)len < sizeof(f->path))
		return true;
	*f->path = '\0';
	return false;
}

ssize_t smallfile_read(struct qmem *q, struct smallfiles *all, struct smallfile *f, const char **ret_text)
{
	bool was_open = f->file.fd >= 0;
	ssize_t len;

	if (!*f->path || f->wait) {
		f->wait -= f->wait > 0;
		return -ENOENT;
	}
	/* it may have moved */
	f->file.path = f->path;
	len = qmem_read(q, &f->file, ret_text);
	if (len == -ENOENT || len == -EACCES || len == -EPERM)
		f->wait = RETRY - 1;
	all->open += (f->file.fd >= 0) - was_open;
	if (f->file.fd >= 0 && all->open > all->most)
		smallfile_close(all, f);
	return len;
}

int64_t smallfile_number(struct qmem *q, struct smallfiles *all, struct smallfile *f)
{
	int64_t value = QMEM_NA;
	const char *text;
	ssize_t len = smallfile_read(q, all, f, &text);

	/* a device that has just gone, or that may not be read: the text is not wrong */
	if (len < 0 && len != -ENODATA)
		return QMEM_NA;
	if (len < 1 || text_alone(text, (size_t)len, &value)) {
		smallfiles_wrong(all, f->path);
		return QMEM_NA;
	}
	return value;
}

void smallfile_close(struct smallfiles *all, struct smallfile *f)
{
	/* one that has never had a name has no descriptor either */
	if (!*f->path || f->file.fd < 0)
		return;
	qmem_file_close(&f->file);
	all->open--;
}

void smallfiles_begin(struct smallfiles *all)
{
	all->wrong = 0;
}

void smallfiles_wrong(struct smallfiles *all, const char *path)
{
	if (!all->wrong++)
		snprintf(all->first, sizeof(all->first), "%s", path);
}

void smallfiles_tell(struct qmem *q, struct smallfiles *all)
{
	if (!all->wrong)
		qmem_release(q, &all->faulty, "'/%s' is sound again", all->first);
	else if (all->wrong == 1)
		qmem_complain(q, &all->faulty, "'/%s' cannot be understood", all->first);
	else
		qmem_complain(q, &all->faulty, "'/%s' cannot be understood, and %u more", all->first, all->wrong - 1);
}

static bool fits(const char *name, const char *prefix, const char *suffix, int64_t *ret)
{
	size_t len = strlen(name), begin = strlen(prefix), end = strlen(suffix);

	return len > begin + end && strncmp(name, prefix, begin) == 0 && strcmp(name + len - end, suffix) == 0 &&
	       text_value(name + begin, name + len - end, false, ret) == FAULT_NONE;
}

int smallfiles_list(struct qmem *q, const char *directory, const char *prefix, const char *suffix,
		    int (*each)(struct qmem *q, const char *name, int64_t number, void *arg), void *arg)
{
	int fd = qmem_open(q, O_RDONLY | O_DIRECTORY, "%s", directory), err = 0;
	const struct dirent *entry;
	int64_t number;
	DIR *dir;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while (!err && (entry = readdir(dir)))
		if (fits(entry->d_name, prefix, suffix, &number))
			err = each(q, entry->d_name, number, arg);
	closedir(dir);
	return err;
}
