/* SPDX-License-Identifier: MIT */
#include "engine/root.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "engine/openat2.h"

#define PROC "proc"
#define PROC_INODE 1 /* of the root of each procfs */
#define DEPTH 64     /* directories */
#define LINKS 40     /* as many as the kernel follows */

struct root {
	int fd;
	int proc;        /* -1: it is no procfs */
	bool foreign;    /* the way to it is the caller's */
	bool single;     /* the kernel has no openat2() for us: one name at a time */
	unsigned shared; /* by how many */
};

/* ---- one name at a time ---- */

/* Where we are: the directories down to there. */
struct way {
	int dirs[DEPTH];
	size_t n, lent; /* the first ones are not ours to close */
	const char *todo;
	unsigned links;
	char text[PATH_MAX]; /* what a link has made of it */
};

static void way_back(struct way *w, size_t n)
{
	while (w->n > n && w->n > w->lent)
		close(w->dirs[--w->n]);
	w->n = n;
	if (w->lent > n)
		w->lent = n;
}

/* What a link says takes its place. */
static int way_turn(struct way *w, int link, const char *rest)
{
	char target[PATH_MAX];
	struct statfs fs;
	size_t len = strlen(rest);
	ssize_t n;

	if (++w->links > LINKS)
		return -ELOOP;
	n = readlinkat(link, "", target, sizeof(target));
	if (n <= 0)
		return n < 0 ? -errno : -ENOENT;
	if ((size_t)n + len + 2 > sizeof(target))
		return -ENAMETOOLONG;
	if (*target == '/') {
		/* procfs says a path there, and means what was opened, which may have another by now */
		if (fstatfs(link, &fs) || fs.f_type == PROC_SUPER_MAGIC)
			return -ELOOP;
		way_back(w, 1);
	}
	target[n] = '/';
	memcpy(target + n + 1, rest, len + 1);
	memcpy(w->text, target, (size_t)n + len + 2);
	w->todo = w->text;
	return 0;
}

/* Into the directory, or where the link turns to: 0 or -errno; 1: it is neither of them, or the last name and no link. */
static int way_on(struct way *w, const char *name, const char *rest)
{
	int fd = openat(w->dirs[w->n - 1], name, O_PATH | O_NOFOLLOW | O_CLOEXEC), err;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0) {
		err = -errno;
	} else if (S_ISLNK(st.st_mode)) {
		err = way_turn(w, fd, rest);
	} else if (!*rest) {
		err = 1;
	} else if (!S_ISDIR(st.st_mode)) {
		err = -ENOTDIR;
	} else if (w->n == DEPTH) {
		err = -ENAMETOOLONG;
	} else {
		w->dirs[w->n++] = fd;
		w->todo = rest;
		return 0;
	}
	close(fd);
	return err;
}

/* With O_NOFOLLOW the last name is what is opened, even if it is a link. */
static int way_walk(struct way *w, int flags)
{
	char name[NAME_MAX + 1];

	for (;;) {
		const char *at = w->todo + strspn(w->todo, "/"), *rest;
		size_t len = strcspn(at, "/");
		int err = 1, fd;

		if (len >= sizeof(name))
			return -ENAMETOOLONG;
		memcpy(name, at, len);
		name[len] = '\0';
		rest = at + len + strspn(at + len, "/");
		if (strcmp(name, "..") == 0 && w->n > 1)
			way_back(w, w->n - 1);
		if (!len || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
			strcpy(name, ".");
			if (*rest) {
				w->todo = rest;
				continue;
			}
		} else if (*rest || !(flags & O_NOFOLLOW)) {
			err = way_on(w, name, rest);
		}
		if (err < 0)
			return err;
		if (!err)
			continue;
		fd = openat(w->dirs[w->n - 1], name, flags | O_NOFOLLOW | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
}

/* ---- below a directory ---- */

static bool in_proc(const char *path)
{
	return strncmp(path, PROC, strlen(PROC)) == 0 && (path[strlen(PROC)] == '/' || !path[strlen(PROC)]);
}

/* What is below proc in it; "." for itself. */
static const char *below_proc(const char *path)
{
	path += strlen(PROC);
	path += strspn(path, "/");
	return *path ? path : ".";
}

static int walk(const struct root *r, const char *path, int flags)
{
	struct way w;
	int fd;

	w.dirs[0] = r->fd;
	w.n = w.lent = 1;
	w.links = 0;
	w.todo = path;
	if (r->proc >= 0 && in_proc(path)) {
		w.dirs[w.n++] = r->proc;
		w.lent = w.n;
		w.todo = below_proc(path);
	}
	fd = way_walk(&w, flags);
	way_back(&w, w.lent);
	return fd;
}

static int open_below(const struct root *r, const char *path, int flags)
{
	bool proc = r->proc >= 0 && in_proc(path);
	int fd = -ELOOP;

	if (!r->single)
		fd = openat2_below(proc ? r->proc : r->fd, proc ? below_proc(path) : path, flags | O_CLOEXEC);
	/* it has a link, or steps back: where to, we see for ourselves */
	if (fd == -ELOOP || fd == -EXDEV || fd == -EAGAIN)
		fd = walk(r, path, flags);
	return fd;
}

/* Is it a file, and one that may be read there? */
static int look(int fd, bool proc)
{
	struct statfs fs;
	struct stat st;
	int err = 0;

	if (fstat(fd, &st) < 0)
		err = -errno;
	else if (S_ISDIR(st.st_mode))
		err = -EISDIR;
	else if (!S_ISREG(st.st_mode))
		err = -ROOT_NO_FILE;
	else if (st.st_size > ROOT_FILE_MOST)
		err = -EFBIG;
	/* a user's link into a real procfs: what is there is read by its own name, as what it is */
	else if (!proc && !fstatfs(fd, &fs) && fs.f_type == PROC_SUPER_MAGIC)
		err = -ELOOP;
	if (!err)
		return fd;
	close(fd);
	return err;
}

int root_open(const struct root *r, const char *path, int flags)
{
	int fd;

	if (flags & (O_PATH | O_DIRECTORY))
		return open_below(r, path, flags);
	fd = open_below(r, path, flags | O_NONBLOCK | O_NOCTTY);
	/* as a FIFO for writing that nobody reads, or a socket */
	if (fd < 0)
		return fd == -ENXIO ? -ROOT_NO_FILE : fd;
	return look(fd, in_proc(path));
}

/* ---- of processes ---- */

/* "proc/PID/NAME": the many that are opened are not worth a printf(). */
#define PROCESS_PATH 64
static void process_path(char *path, int32_t pid, const char *name)
{
	char digits[12];
	size_t len = sizeof(digits);

	do
		digits[--len] = (char)('0' + pid % 10);
	while ((pid /= 10));
	path = stpcpy(path, PROC "/");
	memcpy(path, digits + len, sizeof(digits) - len);
	path += sizeof(digits) - len;
	*path++ = '/';
	strcpy(path, name);
}

int root_open_process(const struct root *r, int32_t pid, const char *name)
{
	char path[PROCESS_PATH];
	int fd;

	process_path(path, pid, name);
	if (!root_is_real(r))
		return root_open(r, path, O_RDONLY);
	/* there is no link on that way */
	fd = openat(r->proc, below_proc(path), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

ssize_t root_read_process(const struct root *r, int32_t pid, const char *name, char *text, size_t size)
{
	int fd = root_open_process(r, pid, name);
	ssize_t len;

	if (fd < 0)
		return fd;
	len = read(fd, text, size);
	if (len < 0)
		len = -errno;
	close(fd);
	return len;
}

ssize_t root_read_link(const struct root *r, int32_t pid, const char *name, char *text, size_t size)
{
	char path[PROCESS_PATH];
	ssize_t n;
	int fd;

	process_path(path, pid, name);
	fd = open_below(r, path, O_PATH | O_NOFOLLOW);
	if (fd < 0)
		return fd;
	n = readlinkat(fd, "", text, size);
	/* it is no link */
	if (n < 0)
		n = errno == ENOENT ? -EINVAL : -errno;
	close(fd);
	return n;
}

int root_open_namespace(const struct root *r, int32_t pid, const char *name)
{
	char path[PROCESS_PATH];
	struct statfs fs;
	int fd;

	if (pid) {
		if (!root_is_real(r))
			return -EPERM;
		process_path(path, pid, "ns/net");
		/* its last part is a link of the kernel's own */
		fd = openat(r->proc, below_proc(path), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (fd < 0)
			return -errno;
	} else {
		int dir = strchr(name, '/') ? -EINVAL : root_open(r, "run/netns", O_PATH | O_DIRECTORY);

		if (dir < 0)
			return dir;
		fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
		fd = fd < 0 ? -errno : fd;
		close(dir);
		if (fd < 0)
			return fd;
	}
	if (!fstatfs(fd, &fs) && fs.f_type == NSFS_MAGIC)
		return fd;
	close(fd);
	return -EINVAL;
}

/* ---- life ---- */

static void look_at_proc(struct root *r)
{
	int fd = open_below(r, PROC, O_PATH | O_DIRECTORY);
	struct statfs fs;
	struct stat st;

	if (fd >= 0 && !fstatfs(fd, &fs) && fs.f_type == PROC_SUPER_MAGIC && !fstat(fd, &st) && st.st_ino == PROC_INODE)
		r->proc = fd;
	else if (fd >= 0)
		close(fd);
}

int root_new(const char *path, struct root **ret)
{
	struct root *r = malloc(sizeof(*r)), top = { .proc = -1 };
	int err = 0, fd;

	if (!r)
		return -ENOMEM;
	*r = (struct root){ .fd = -1, .proc = -1, .shared = 1 };
	top.fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (top.fd < 0) {
		err = -errno;
		goto out;
	}
	fd = openat2_below(top.fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	r->single = top.single = fd == -ENOSYS || fd == -EPERM;
	if (fd >= 0)
		close(fd);
	r->foreign = *path != '/';
	if (!r->foreign) {
		r->fd = open_below(&top, *(path + strspn(path, "/")) ? path + strspn(path, "/") : ".",
				   O_PATH | O_DIRECTORY);
		r->foreign = r->fd == -ELOOP;
	}
	if (r->foreign) {
		r->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (r->fd < 0)
			r->fd = -errno;
	}
	err = r->fd < 0 ? r->fd : 0;
	close(top.fd);
out:
	if (err) {
		free(r);
		return err;
	}
	look_at_proc(r);
	*ret = r;
	return 0;
}

bool root_is_real(const struct root *r)
{
	return r->proc >= 0 && !r->foreign;
}

struct root *root_hold(struct root *r)
{
	__atomic_fetch_add(&r->shared, 1, __ATOMIC_RELAXED);
	return r;
}

void root_drop(struct root *r)
{
	if (!r || __atomic_sub_fetch(&r->shared, 1, __ATOMIC_ACQ_REL))
		return;
	close(r->fd);
	if (r->proc >= 0)
		close(r->proc);
	free(r);
}

const char *root_words(int err, char *buffer, size_t size)
{
	if (err == -ROOT_NO_FILE)
		return "it is a FIFO, a device or a socket, and no file";
	if (err == -EFBIG)
		return "it is longer than any file of the kernel";
	if (err == -ELOOP)
		return "it is a link that leads in a circle, or is not followed";
	return strerror_r(-err, buffer, size);
}
