/* SPDX-License-Identifier: MIT */
#include "service/pagecache_open.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/root.h"
#include "proc/maps.h"
#include "service/pagecache_scan.h"

#define LINKS_MOST 20000      /* descriptors of a process that are looked at */
#define MAPS_MOST (16u << 20) /* bytes */

/* None of these is kept in the page cache, or is for anybody to open. */
static bool is_wanted(const char *path, size_t len)
{
	static const char *const not_files[] = { "/proc/", "/sys/", "/dev/" };

	if (!len || *path != '/')
		return false;
	for (size_t i = 0; i < sizeof(not_files) / sizeof(*not_files); i++)
		if (strncmp(path, not_files[i], strlen(not_files[i])) == 0)
			return strncmp(path, "/dev/shm/", 9) == 0;
	return true;
}

static void take(struct open_files *o, struct scan *scan, const char *path, size_t len)
{
	static const struct sip_key
		key; /* of names that one process after the other has: its own set has a better one */

	if (!is_wanted(path, len) || maps_is_deleted(path, len))
		return;
	if (inodes_add(&o->names, sip(&key, path, len), len))
		scan_add(scan, path);
}

static int take_links(struct open_files *o, const struct root *root, int32_t pid, struct scan *scan)
{
	char path[PATH_MAX];
	const struct dirent *entry;
	DIR *dir;
	int fd;

	snprintf(path, sizeof(path), "proc/%" PRId32 "/fd", pid);
	fd = root_open(root, path, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	for (unsigned n = 0; n < LINKS_MOST && (entry = readdir(dir)); n++) {
		ssize_t len = *entry->d_name == '.' ? 0 : readlinkat(fd, entry->d_name, path, sizeof(path) - 1);

		if (len <= 0)
			continue;
		path[len] = '\0';
		take(o, scan, path, (size_t)len);
	}
	closedir(dir);
	return 0;
}

/* What is behind the last newline stays for the next part. */
static size_t take_maps(struct open_files *o, struct scan *scan, char *text, size_t len)
{
	const char *last = memrchr(text, '\n', len), *path;
	size_t whole = last ? (size_t)(last - text) + 1 : 0, path_len;
	struct maps_walk walk = { text, text + whole };
	char name[PATH_MAX];

	while (maps_next_file(&walk, &path, &path_len)) {
		int n = maps_name(name, sizeof(name), path, path_len);

		if (n > 0)
			take(o, scan, name, (size_t)n);
	}
	memmove(text, text + whole, len - whole);
	return len - whole;
}

static void take_mapped(struct open_files *o, const struct root *root, int32_t pid, struct scan *scan)
{
	char text[32768];
	size_t have = 0, total = 0;
	ssize_t n;
	int fd = root_open_process(root, pid, "maps");

	if (fd < 0)
		return;
	while (total < MAPS_MOST && have < sizeof(text) && (n = read(fd, text + have, sizeof(text) - have)) > 0) {
		total += (size_t)n;
		have = take_maps(o, scan, text, have + (size_t)n);
	}
	close(fd);
}

/* Does it see the files of process 1, by the same names? Where nobody may ask of that one, those of our own. */
static int is_elsewhere(const struct root *root, int32_t pid, bool *ret)
{
	char its[64], ours[64], top[PATH_MAX];
	ssize_t len = root_read_link(root, pid, "ns/mnt", its, sizeof(its)), our_len, top_len;

	if (len < 0)
		return (int)len;
	our_len = root_read_link(root, 1, "ns/mnt", ours, sizeof(ours));
	if (our_len < 0)
		our_len = root_read_link(root, (int32_t)getpid(), "ns/mnt", ours, sizeof(ours));
	top_len = root_read_link(root, pid, "root", top, sizeof(top));
	if (top_len < 0)
		return (int)top_len;
	*ret = len != our_len || memcmp(its, ours, (size_t)len) != 0 || top_len != 1 || *top != '/';
	return 0;
}

bool open_next(struct open_files *o, const struct root *root, struct scan *scan)
{
	bool elsewhere = false;
	int32_t pid;
	int err;

	if (o->at == o->n)
		return false;
	pid = o->processes[o->at++].pid;
	err = is_elsewhere(root, pid, &elsewhere);
	if (!err && elsewhere)
		o->elsewhere++;
	else if (!err)
		err = take_links(o, root, pid, scan);
	if (err == -EACCES || err == -EPERM)
		o->refused++;
	if (!err && !elsewhere)
		take_mapped(o, root, pid, scan);
	return true;
}

int open_begin(struct open_files *o, unsigned most)
{
	o->at = o->refused = o->elsewhere = 0;
	return inodes_begin(&o->names, most);
}

void open_release(struct open_files *o)
{
	inodes_release(&o->names);
}
