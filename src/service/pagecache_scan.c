/* SPDX-License-Identifier: MIT */
#include "service/pagecache_scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "engine/root.h"
#include "qmem.h"
#include "util/room.h"
#include "util/sip.h"
#include "util/value.h"

/* What things cost, in ns, as far as it can be foreseen; what they have cost is paid for by whoever has asked. */
#define COST_ENTRY 300
#define COST_LOOK 3000
#define COST_OPEN 10000
#define COST_ASK 3000
#define COST_PAGE 60
#define CHUNK                                                                                                          \
	(INT64_C(128)                                                                                                  \
	 << 20) /* bytes that are asked for at a time; where hardly any are there twice as many the next time */
#define CHUNK_MOST (INT64_C(1) << 60)
#define FEW_PAGES 512

#define ENTRIES_EACH 100 /* names looked at for each file that there may be */
#define COMPONENTS 64
#define HOMES 1024 /* directories of which it is remembered where they are; a power of two */
#define BELOW -1   /* in place of a component: all files */
#define ONE -2     /* the one that the path ends with */

/* A directory that is to be read. */
struct node {
	size_t path; /* in `names`, without the first '/' */
	int component;
	int depth;
	size_t name;     /* of ONE, likewise */
	uint64_t device; /* 0: not known */
};

/* Where a directory was that was opened by its path; another one may take the place. */
struct home {
	uint64_t path; /* a hash */
	uint64_t device;
};

struct scan {
	struct root *root;
	char *pattern; /* its components end in NUL */
	const char *component[COMPONENTS];
	int components;
	int first; /* the first that is looked for; those before are `start` */
	char start[PATH_MAX];
	int depth;
	size_t most;
	struct residency_way way;
	struct home homes[HOMES];
	struct sip_key key;
	uint64_t device; /* it is at; the engine may look meanwhile */

	struct scan_list list;
	bool running, hurry;
	struct node *queue; /* of a tree the last one is next, so that few wait; of a list the first */
	size_t queue_n, queue_room, head;
	char *names;
	size_t names_len, names_room;
	uint64_t entries;

	struct node at; /* is being read */
	int dir_fd;     /* -1: none */
	DIR *dir;       /* NULL: one name only */
	int fd;         /* of the file that is being asked; -1: none */
	uid_t owner;
	int64_t offset, chunk;
};

/* ---- patterns ---- */

static bool is_wild(const char *component)
{
	return strpbrk(component, "*?[") != NULL;
}

bool scan_check(const char *pattern, char *why, size_t size)
{
	size_t n = 0;

	if (*pattern != '/')
		snprintf(why, size, "does not begin with '/'");
	else if (strlen(pattern) >= PATH_MAX)
		snprintf(why, size, "is longer than a path may be");
	else {
		for (const char *at = pattern; (at = strchr(at, '/')); n++) {
			size_t len = strcspn(++at, "/");

			if ((len == 1 && *at == '.') || (len == 2 && strncmp(at, "..", 2) == 0)) {
				snprintf(why, size, "has a '.' or '..' for a name");
				return false;
			}
		}
		if (strspn(pattern, "/") == strlen(pattern))
			snprintf(why, size, "is all there is: name a directory");
		else if (n > COMPONENTS)
			snprintf(why, size, "has more than %d names", COMPONENTS);
		else
			return true;
	}
	return false;
}

/* The last one is always looked for, so that it is not followed if it is a link. */
static void split(struct scan *s)
{
	char *save = NULL;
	size_t len = 0;

	for (char *at = strtok_r(s->pattern, "/", &save); at && s->components < COMPONENTS;
	     at = strtok_r(NULL, "/", &save))
		s->component[s->components++] = at;
	while (s->first < s->components - 1 && !is_wild(s->component[s->first])) {
		len += (size_t)snprintf(s->start + len, sizeof(s->start) - len, "%s%s", len ? "/" : "",
					s->component[s->first]);
		s->first++;
	}
}

/* ---- lists ---- */

static int keep(char **text, size_t *len, size_t *room, const char *lead, const char *dir, const char *name,
		size_t *ret)
{
	size_t lead_len = strlen(lead), dir_len = strlen(dir), name_len = strlen(name);
	int err = room_make(text, room, *len + lead_len + dir_len + name_len + 2, 1);
	char *to;

	if (err)
		return err;
	*ret = *len;
	to = *text + *len;
	memcpy(to, lead, lead_len);
	to += lead_len;
	memcpy(to, dir, dir_len);
	to += dir_len;
	if (dir_len)
		*to++ = '/';
	memcpy(to, name, name_len + 1);
	*len += lead_len + dir_len + (dir_len != 0) + name_len + 1;
	return 0;
}

static void push(struct scan *s, const char *dir, const char *name, int component, int depth, uint64_t device)
{
	struct node *node;
	size_t path;

	if (s->queue_n - s->head > s->most + 1000 ||
	    room_make(&s->queue, &s->queue_room, s->queue_n + 1, sizeof(*s->queue)) ||
	    keep(&s->names, &s->names_len, &s->names_room, "", dir, name, &path)) {
		s->list.cut = true;
		return;
	}
	node = &s->queue[s->queue_n++];
	*node = (struct node){ .path = path, .component = component, .depth = depth, .device = device };
}

static void end_directory(struct scan *s)
{
	if (s->dir)
		closedir(s->dir);
	else if (s->dir_fd >= 0)
		close(s->dir_fd);
	s->dir = NULL;
	s->dir_fd = -1;
}

static void end_file(struct scan *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

/* ---- devices ---- */

static void be_at(struct scan *s, uint64_t device)
{
	__atomic_store_n(&s->device, device, __ATOMIC_RELAXED);
}

uint64_t scan_device(const struct scan *s)
{
	return __atomic_load_n(&s->device, __ATOMIC_RELAXED);
}

static struct home *home(struct scan *s, const char *path, uint64_t *ret_hash)
{
	*ret_hash = sip(&s->key, path, strlen(path));
	return &s->homes[*ret_hash & (HOMES - 1)];
}

/* Before it is opened: that may never come to an end. */
static void set_out(struct scan *s, const char *path)
{
	const struct home *h;
	uint64_t hash;

	if (!s->at.device) {
		h = home(s, path, &hash);
		s->at.device = h->path == hash ? h->device : 0;
	}
	be_at(s, s->at.device);
}

static void add_device(struct scan_devices *d, uint64_t device)
{
	for (unsigned i = 0; i < d->n; i++)
		if (d->device[i] == device)
			return;
	if (d->n < SCAN_DEVICES)
		d->device[d->n++] = device;
	else
		d->more = true;
}

static void arrive(struct scan *s, const char *path, uint64_t device)
{
	uint64_t hash;
	struct home *h = home(s, path, &hash);

	*h = (struct home){ hash, device };
	s->at.device = device;
	be_at(s, device);
	add_device(&s->list.devices, device);
}

/* ---- files ---- */

/* It is in the list when it is being asked, and goes again when that fails. */
static void drop_file(struct scan *s, int err)
{
	struct scan_list *list = &s->list;

	if (err == -EPERM || err == -EACCES)
		list->refused++;
	else
		list->failed++;
	list->len = list->files[--list->n].path;
	end_file(s);
}

/* cachestat(2) comes by what is there or was evicted, mincore(2) by each page. */
static int64_t looked_at(const struct residency *before, const struct residency *now, int64_t len)
{
	if (now->dirty == QMEM_NA)
		return len / sysconf(_SC_PAGESIZE);
	return now->resident - before->resident + now->evicted - before->evicted;
}

static int64_t ask(struct scan *s)
{
	struct scan_file *file = &s->list.files[s->list.n - 1];
	const struct residency before = file->pages;
	int64_t len = value_least(file->size - s->offset, s->chunk), pages;
	int err = residency_add(&s->way, s->fd, s->owner, s->offset, len, &file->pages);

	if (err) {
		drop_file(s, err);
		return COST_ASK;
	}
	s->offset += len;
	pages = looked_at(&before, &file->pages, len);
	/* a hole may be of any size, and costs its owner nothing */
	s->chunk = pages < FEW_PAGES ? value_least(s->chunk * 2, CHUNK_MOST) : CHUNK;
	if (s->offset == file->size) {
		s->list.partial += file->pages.dirty == QMEM_NA;
		end_file(s);
	}
	return COST_ASK + pages * COST_PAGE;
}

static int64_t begin_file(struct scan *s, const char *dir, const char *name)
{
	struct scan_list *list = &s->list;
	struct scan_file *file;
	struct stat st;
	size_t path;
	int fd;

	if (list->n >= s->most) {
		list->omitted++;
		return 0;
	}
	/* it waits neither for one who has a lease on it nor, should it have become a FIFO, for its other end */
	fd = openat(s->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) {
		list->refused += errno == EACCES || errno == EPERM;
		list->failed += errno != EACCES && errno != EPERM && errno != ENOENT;
		return COST_OPEN;
	}
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) ||
	    room_make(&list->files, &list->room, list->n + 1, sizeof(*list->files)) ||
	    keep(&list->text, &list->len, &list->text_room, "/", dir, name, &path)) {
		list->failed++;
		close(fd);
		return COST_OPEN;
	}
	file = &list->files[list->n++];
	*file = (struct scan_file){
		.path = path,
		.dev = st.st_dev,
		.ino = st.st_ino,
		.size = st.st_size,
		.pages = RESIDENCY_NONE,
	};
	s->fd = fd;
	s->owner = st.st_uid;
	s->offset = 0;
	s->chunk = CHUNK;
	if (!file->size)
		end_file(s);
	return COST_OPEN;
}

/* ---- directories ---- */

/* Nobody's file system is asked more than it has said already, where it lets us have that. */
static int look(int dir, const char *name, struct statx *ret)
{
	int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*name ? 0 : AT_EMPTY_PATH);

	if (!statx(dir, name, flags | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_MODE | STATX_INO, ret))
		return 0;
	return -errno;
}

/* Is another file system mounted there? Linux 5.8 says so; before, and where it does not, it has another device. */
static bool is_mount(int dir, const struct statx *sx)
{
	struct stat st;

	if (sx->stx_attributes_mask & STATX_ATTR_MOUNT_ROOT)
		return sx->stx_attributes & STATX_ATTR_MOUNT_ROOT;
	return fstat(dir, &st) || st.st_dev != makedev(sx->stx_dev_major, sx->stx_dev_minor);
}

static const char *path_of(const struct scan *s)
{
	return s->names + s->at.path;
}

/* The names of the queue move when one is added. */
static void push_below(struct scan *s, const char *name, int component, int depth, const struct statx *sx)
{
	char dir[PATH_MAX];

	if (snprintf(dir, sizeof(dir), "%s", path_of(s)) < (int)sizeof(dir))
		push(s, dir, name, component, depth, makedev(sx->stx_dev_major, sx->stx_dev_minor));
}

static int64_t visit(struct scan *s, const char *name)
{
	int at = s->at.component;
	bool last = at < 0 || at == s->components - 1;
	struct statx sx;

	int err = look(s->dir_fd, name, &sx);

	if (err) {
		s->list.failed += err != -ENOENT;
		return COST_LOOK;
	}
	if (S_ISREG(sx.stx_mode) && last)
		return COST_LOOK + begin_file(s, path_of(s), name);
	if (!S_ISDIR(sx.stx_mode) || at == ONE)
		return COST_LOOK;
	if (!last)
		push_below(s, name, at + 1, 0, &sx);
	else if (at != BELOW && s->depth)
		push_below(s, name, BELOW, s->depth, &sx);
	else if (at == BELOW && s->at.depth > 1 && !is_mount(s->dir_fd, &sx))
		push_below(s, name, BELOW, s->at.depth - 1, &sx);
	return COST_LOOK;
}

static bool may_be(unsigned char type)
{
	return type == DT_REG || type == DT_DIR || type == DT_UNKNOWN;
}

static bool is_wanted(const struct scan *s, const struct dirent *entry)
{
	if (!may_be(entry->d_type) || strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
		return false;
	return s->at.component == BELOW || fnmatch(s->component[s->at.component], entry->d_name, FNM_PERIOD) == 0;
}

/* Where the directory is not read. Names of the queue move. */
static const char *only_name(const struct scan *s, char buffer[NAME_MAX + 1])
{
	if (s->at.component != ONE)
		return s->component[s->at.component];
	snprintf(buffer, NAME_MAX + 1, "%s", s->names + s->at.name);
	return buffer;
}

static int64_t next_name(struct scan *s)
{
	char name[NAME_MAX + 1];
	const struct dirent *entry;
	int64_t cost;

	if (!s->dir) {
		cost = visit(s, only_name(s, name));
		/* of a directory that is not read one name is enough */
		if (s->fd < 0)
			end_directory(s);
		else
			s->at.depth = -1;
		return cost;
	}
	entry = readdir(s->dir);
	if (!entry) {
		end_directory(s);
		return COST_ENTRY;
	}
	if (++s->entries > (uint64_t)s->most * ENTRIES_EACH) {
		s->list.cut = true;
		s->hurry = true;
	}
	return COST_ENTRY + (is_wanted(s, entry) ? visit(s, entry->d_name) : 0);
}

/* What is behind its name was of those that have been taken before. */
static struct node take(struct scan *s)
{
	struct node node;

	if (!s->components)
		return s->queue[s->head++];
	node = s->queue[--s->queue_n];
	s->names_len = node.path + strlen(s->names + node.path) + 1;
	return node;
}

static int64_t next_directory(struct scan *s)
{
	struct statx sx;
	const char *path;

	s->at = take(s);
	path = path_of(s);
	set_out(s, path);
	s->dir_fd = root_open(s->root, *path ? path : ".", O_RDONLY | O_DIRECTORY);
	if (s->dir_fd < 0) {
		s->list.refused += s->dir_fd == -EACCES || s->dir_fd == -EPERM;
		s->list.failed +=
			s->dir_fd != -EACCES && s->dir_fd != -EPERM && s->dir_fd != -ENOENT && s->dir_fd != -ENOTDIR;
		s->dir_fd = -1;
		return COST_OPEN;
	}
	if (!look(s->dir_fd, "", &sx))
		arrive(s, path, makedev(sx.stx_dev_major, sx.stx_dev_minor));
	if (s->at.component != ONE && (s->at.component == BELOW || is_wild(s->component[s->at.component]))) {
		s->dir = fdopendir(s->dir_fd);
		if (!s->dir) {
			s->list.failed++;
			end_directory(s);
		}
	}
	return COST_OPEN;
}

/* ---- passes ---- */

static void begin(struct scan *s)
{
	struct scan_list *list = &s->list;

	scan_list_clear(list);
	s->hurry = false;
	s->queue_n = s->head = s->names_len = 0;
	s->entries = 0;
	s->running = true;
	be_at(s, 0);
	if (s->components)
		push(s, "", s->start, s->first, 0, 0);
}

void scan_begin_list(struct scan *s)
{
	begin(s);
}

void scan_add(struct scan *s, const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	size_t len = (size_t)(name - path), at, n;
	char dir[PATH_MAX];

	if (len > sizeof(dir) || strlen(name) > NAME_MAX || !*name)
		return;
	/* without the first and the last '/' */
	snprintf(dir, sizeof(dir), "%.*s", len > 2 ? (int)len - 2 : 0, path + 1);
	if (keep(&s->names, &s->names_len, &s->names_room, "", "", name, &at)) {
		s->list.cut = true;
		return;
	}
	n = s->queue_n;
	push(s, "", dir, ONE, 0, 0);
	if (s->queue_n > n)
		s->queue[n].name = at;
	else
		s->names_len = at;
}

/* Readers of directories come in any order. */
static int by_path(const void *a, const void *b, void *text)
{
	const struct scan_file *x = a, *y = b;

	return strcmp((const char *)text + x->path, (const char *)text + y->path);
}

static void end(struct scan *s)
{
	if (s->fd >= 0)
		drop_file(s, -EINTR);
	end_directory(s);
	if (s->list.n)
		qsort_r(s->list.files, s->list.n, sizeof(*s->list.files), by_path, s->list.text);
	s->running = false;
}

bool scan_slice(struct scan *s, int64_t ns)
{
	int64_t spent = 0;

	if (!s->running)
		begin(s);
	while (spent < ns && !s->hurry) {
		if (s->fd >= 0)
			spent += ask(s);
		else if (s->dir_fd >= 0 && !s->dir && s->at.depth < 0)
			end_directory(s);
		else if (s->dir_fd >= 0)
			spent += next_name(s);
		else if (s->head < s->queue_n)
			spent += next_directory(s);
		else
			s->hurry = true;
	}
	if (!s->hurry)
		return false;
	end(s);
	return true;
}

void scan_hurry(struct scan *s)
{
	if (!s->running)
		return;
	s->list.cut = s->hurry = true;
}

void scan_swap(struct scan *s, struct scan_list *list)
{
	struct scan_list done = s->list;

	s->list = *list;
	*list = done;
}

void scan_list_clear(struct scan_list *list)
{
	list->n = list->len = list->refused = list->failed = list->omitted = list->partial = 0;
	list->cut = false;
	list->devices = (struct scan_devices){ .n = 0 };
}

size_t scan_room(const struct scan *s)
{
	return s->queue_room * sizeof(*s->queue) + s->names_room;
}

void scan_without_cachestat(struct scan *s)
{
	s->way.no_cachestat = true;
}

/* ---- life ---- */

void scan_list_release(struct scan_list *list)
{
	free(list->files);
	free(list->text);
	*list = (struct scan_list){ .files = NULL };
}

void scan_free(struct scan *s)
{
	if (!s)
		return;
	end_file(s);
	end_directory(s);
	scan_list_release(&s->list);
	root_drop(s->root);
	free(s->pattern);
	free(s->queue);
	free(s->names);
	free(s);
}

int scan_new(struct root *root, const char *pattern, int depth, size_t most, struct scan **ret)
{
	struct scan *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->fd = s->dir_fd = -1;
	s->pattern = strdup(pattern);
	if (!s->pattern) {
		free(s);
		return -ENOMEM;
	}
	s->root = root_hold(root);
	s->key = sip_key_new();
	s->depth = depth;
	s->most = most;
	split(s);
	*ret = s;
	return 0;
}

int scan_new_list(struct root *root, size_t most, struct scan **ret)
{
	return scan_new(root, "", 0, most, ret);
}
