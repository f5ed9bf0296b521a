/* SPDX-License-Identifier: MIT */
#include "service/shmem_look.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "engine/root.h"
#include "proc/mapfile.h"
#include "proc/text.h"
#include "util/room.h"
#include "util/value.h"

#define NAMES (LOOK_FILES * 64)
#define BLOCK 512 /* of st_blocks */

struct look *look_new(struct root *root, void *owner)
{
	struct look *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->mounts = calloc(LOOK_MOUNTS, sizeof(*l->mounts));
	l->files = calloc(LOOK_FILES, sizeof(*l->files));
	l->names = malloc(NAMES);
	l->root = root_hold(root);
	l->owner = owner;
	if (l->mounts && l->files && l->names)
		return l;
	look_free(l);
	return NULL;
}

void look_free(struct look *l)
{
	if (!l)
		return;
	root_drop(l->root);
	inodes_release(&l->seen);
	free(l->mounts);
	free(l->files);
	free(l->names);
	free(l->shunned);
	free(l);
}

void look_shun_none(struct look *l)
{
	l->n_shunned = 0;
}

int look_shun(struct look *l, int32_t pid)
{
	int err = room_make(&l->shunned, &l->shunned_room, l->n_shunned + 1, sizeof(*l->shunned));

	if (!err)
		l->shunned[l->n_shunned++] = pid;
	return err;
}

/* ---- files ---- */

struct listing {
	struct look *look;
	bool keep; /* the names, too */
	dev_t device;
	int64_t held;
	size_t n;
	bool more;
	bool linked; /* there has been a file of several names */
	char path[LOOK_PATH];
};

/* One that has several names counts once. */
static bool is_known(struct listing *s, const struct stat *st)
{
	if (st->st_nlink < 2)
		return false;
	if (!s->linked && inodes_begin(&s->look->seen, LOOK_FILES)) {
		s->more = true;
		return true;
	}
	s->linked = true;
	return !inodes_add(&s->look->seen, st->st_dev, st->st_ino);
}

static void keep_file(struct listing *s, const struct stat *st)
{
	struct look *l = s->look;
	size_t len = strlen(s->path) + 1;

	if (l->n_files == LOOK_FILES || l->names_len + len > NAMES) {
		s->more = true;
		return;
	}
	memcpy(l->names + l->names_len, s->path, len);
	l->files[l->n_files++] = (struct look_file){
		.name = (uint32_t)l->names_len,
		.major = major(st->st_dev),
		.minor = minor(st->st_dev),
		.inode = st->st_ino,
		.held = (int64_t)st->st_blocks * BLOCK,
		.uid = st->st_uid,
		.mapped = QMEM_NA,
	};
	l->names_len += len;
}

static void list(struct listing *s, int fd, int depth);

static void list_entry(struct listing *s, int fd, const char *name, int depth)
{
	size_t len = strlen(s->path);
	struct stat st;
	int below;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) || st.st_dev != s->device)
		return;
	if (S_ISREG(st.st_mode) && is_known(s, &st))
		return;
	if (snprintf(s->path + len, sizeof(s->path) - len, "%s%s", len ? "/" : "", name) >=
	    (int)(sizeof(s->path) - len)) {
		s->more = true;
	} else if (S_ISREG(st.st_mode)) {
		value_add(&s->held, (int64_t)st.st_blocks * BLOCK);
		if (s->keep)
			keep_file(s, &st);
	} else if (S_ISDIR(st.st_mode)) {
		below = depth < LOOK_DEPTH ? openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
		s->more |= below < 0;
		if (below >= 0)
			list(s, below, depth + 1);
	}
	s->path[len] = '\0';
}

/* Closes it. */
static void list(struct listing *s, int fd, int depth)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		close(fd);
		s->more = true;
		return;
	}
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (s->n++ >= LOOK_FILES) {
			s->more = true;
			break;
		}
		list_entry(s, dirfd(dir), entry->d_name, depth);
	}
	closedir(dir);
}

/* ---- mounts ---- */

static void list_mount(struct look *l, struct look_mount *m, const struct stat *st)
{
	struct listing s = { .look = l, .keep = m->shm, .device = st->st_dev };
	int fd = root_open(l->root, m->path + 1, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return;
	list(&s, fd, 1);
	if (m->shm) {
		l->listed = true;
		l->more = s.more;
	}
	/* a file system without a limit does not say what is used */
	if (m->used == QMEM_NA && !s.more)
		m->used = s.held;
}

static int look_at_mount(struct look *l, struct look_mount *m)
{
	long magic = m->huge ? HUGETLBFS_MAGIC : TMPFS_MAGIC;
	struct statfs fs;
	struct stat st;
	int fd = root_open(l->root, m->path[1] ? m->path + 1 : ".", O_PATH), err = 0;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) || fstatfs(fd, &fs))
		err = -errno;
	close(fd);
	if (err)
		return err;
	/* mounted over, or of a mount namespace that is not ours */
	if (major(st.st_dev) != m->major || minor(st.st_dev) != m->minor || fs.f_type != magic)
		return -EXDEV;
	m->uid = st.st_uid;
	if (fs.f_blocks > 0 && fs.f_blocks >= fs.f_bfree) {
		m->size = value_times((int64_t)fs.f_blocks, fs.f_bsize);
		m->used = value_times((int64_t)(fs.f_blocks - fs.f_bfree), fs.f_bsize);
	}
	if (m->shm || m->used == QMEM_NA)
		list_mount(l, m, &st);
	return 0;
}

/* ---- who maps the files ---- */

static int by_inode(const void *a, const void *b)
{
	const struct look_file *x = a, *y = b;

	return (x->inode > y->inode) - (x->inode < y->inode);
}

static void take_line(struct look *l, int32_t pid, const char *line, const char *end)
{
	struct look_file *file, key = { 0 };
	struct mapfile at;

	if (!mapfile_parse(line, (size_t)(end - line), &at))
		return;
	key.inode = at.inode;
	file = bsearch(&key, l->files, l->n_files, sizeof(*l->files), by_inode);
	if (!file || file->major != at.major || file->minor != at.minor || file->last == pid)
		return;
	file->last = pid;
	file->mapped = value_or(file->mapped, 0) + 1;
}

/* 0 or -errno; -EFBIG: that was all that may be read. */
static int read_maps(struct look *l, int32_t pid, int fd)
{
	char text[16384];
	size_t have = 0;
	ssize_t n;

	while ((n = read(fd, text + have, sizeof(text) - have)) > 0) {
		const char *at = text, *end = text + have + (size_t)n, *newline;

		l->most -= n;
		while ((newline = memchr(at, '\n', (size_t)(end - at)))) {
			take_line(l, pid, at, newline);
			at = newline + 1;
		}
		/* a line is shorter than this, but for what is no maps */
		have = (size_t)(end - at);
		if (have == sizeof(text))
			return -EINVAL;
		memmove(text, at, have);
		if (l->most <= 0)
			return -EFBIG;
	}
	return n < 0 ? -errno : 0;
}

static int look_at_process(struct look *l, int32_t pid)
{
	struct stat st = { 0 };
	int fd = root_open_process(l->root, pid, "maps"), err;

	if (fd < 0)
		return fd;
	(void)fstat(fd, &st);
	QMEM_JOB_AT(&l->job, pid, st.st_uid);
	err = read_maps(l, pid, fd);
	close(fd);
	return err;
}

static bool is_gone(int err)
{
	return err == -ENOENT || err == -ESRCH;
}

static int by_pid(const void *a, const void *b)
{
	const int32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static bool is_shunned(const struct look *l, int32_t pid)
{
	return l->n_shunned && bsearch(&pid, l->shunned, l->n_shunned, sizeof(pid), by_pid);
}

static void look_at_maps(struct look *l)
{
	int fd = root_open(l->root, "proc", O_RDONLY | O_DIRECTORY);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	qsort(l->files, l->n_files, sizeof(*l->files), by_inode);
	if (l->n_shunned)
		qsort(l->shunned, l->n_shunned, sizeof(*l->shunned), by_pid);
	l->complete = true;
	l->maps = true;
	while ((entry = readdir(dir))) {
		const char *end = entry->d_name + strlen(entry->d_name);
		int64_t pid;
		int err;

		if (text_digits(entry->d_name, end, &pid) != end || pid <= 0 || pid > INT32_MAX)
			continue;
		if (is_shunned(l, (int32_t)pid)) {
			l->complete = false;
			l->stuck++;
			continue;
		}
		err = look_at_process(l, (int32_t)pid);
		if (!err || is_gone(err))
			continue;
		l->complete = false;
		l->refused += err == -EACCES || err == -EPERM;
		if (err == -EFBIG)
			break;
	}
	closedir(dir);
	QMEM_JOB_AT(&l->job, 0, 0);
	/* that nobody has a file is known when all have been looked at */
	for (size_t i = 0; i < l->n_files; i++)
		if (l->complete)
			l->files[i].mapped = value_or(l->files[i].mapped, 0);
}

void look_run(struct qmem_job *job)
{
	struct look *l = (struct look *)(void *)job;

	l->n_files = l->names_len = 0;
	l->listed = l->more = l->maps = l->complete = false;
	l->refused = l->stuck = 0;
	for (size_t i = 0; i < l->n_mounts; i++) {
		struct look_mount *m = &l->mounts[i];

		__atomic_store_n(&l->at, (int)i, __ATOMIC_RELAXED);
		m->used = m->size = m->uid = QMEM_NA;
		m->err = m->err == -EBUSY ? -EBUSY : look_at_mount(l, m);
	}
	__atomic_store_n(&l->at, -1, __ATOMIC_RELAXED);
	if (l->most > 0 && l->n_files)
		look_at_maps(l);
}
