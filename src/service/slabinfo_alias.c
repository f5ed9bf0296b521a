/* SPDX-License-Identifier: MIT */
#include "service/slabinfo_alias.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/room.h"
#include "util/words.h"

#define TARGET 32 /* ":0001024", ":a-0000104" */
#define LINKS 8192

struct alias {
	char name[SLABINFO_FAMILY], target[TARGET];
};

struct aliases {
	struct alias *all;
	size_t n, room;
};

static void read_links(struct aliases *a, DIR *dir)
{
	struct dirent *entry;

	while (a->n < LINKS && (entry = readdir(dir))) {
		struct alias *alias;
		ssize_t len;

		if (entry->d_type == DT_DIR || strlen(entry->d_name) >= sizeof(alias->name) ||
		    room_make(&a->all, &a->room, a->n + 1, sizeof(*a->all)))
			continue;
		alias = &a->all[a->n];
		len = readlinkat(dirfd(dir), entry->d_name, alias->target, sizeof(alias->target));
		if (len <= 0 || (size_t)len >= sizeof(alias->target))
			continue;
		alias->target[len] = '\0';
		strcpy(alias->name, entry->d_name);
		a->n++;
	}
}

static int by_name(const void *x, const void *y)
{
	return strcmp(((const struct alias *)x)->name, ((const struct alias *)y)->name);
}

static const struct alias *find(const struct aliases *a, const char *name)
{
	struct alias key;

	if (!a->n || strlen(name) >= sizeof(key.name))
		return NULL;
	strcpy(key.name, name);
	return bsearch(&key, a->all, a->n, sizeof(*a->all), by_name);
}

static void tell(const struct aliases *a, struct slab_cache *cache)
{
	const struct alias *own = find(a, cache->first);
	size_t more = 0;

	*cache->aliases = '\0';
	for (size_t i = 0; own && i < a->n; i++) {
		const struct alias *other = &a->all[i];

		/* room is kept for ", and 100 more" */
		if (other == own || strcmp(other->target, own->target) != 0)
			continue;
		if (more || !words_add_whole(cache->aliases, sizeof(cache->aliases) - 16, "%s%s",
					     *cache->aliases ? ", " : "", other->name))
			more++;
	}
	if (more)
		words_add(cache->aliases, sizeof(cache->aliases), ", and %zu more", more);
}

void slab_aliases_look(struct qmem *q, struct slab_caches *c)
{
	int fd = qmem_open(q, O_RDONLY | O_DIRECTORY, "sys/kernel/slab");
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct aliases aliases = { 0 };

	if (dir) {
		read_links(&aliases, dir);
		closedir(dir);
	} else if (fd >= 0) {
		close(fd);
	}
	if (aliases.n)
		qsort(aliases.all, aliases.n, sizeof(*aliases.all), by_name);
	for (size_t i = 0; i < c->n; i++) {
		if (c->all[i].looked)
			continue;
		c->all[i].looked = true;
		tell(&aliases, &c->all[i]);
	}
	free(aliases.all);
}

/* Of most machines; only root may read what the kernel says. */
static bool is_known_reclaimable(const char *name)
{
	static const char *const names[] = {
		"dentry",     "inode_cache",      "proc_inode_cache", "ext4_inode_cache", "ext4_extent_status",
		"xfs_inode",  "xfs_ili",          "btrfs_inode",      "f2fs_inode_cache", "nfs_inode_cache",
		"fuse_inode", "cifs_inode_cache", "ovl_inode",        "radix_tree_node",  "buffer_head",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return strncmp(name, "kmalloc-rcl-", strlen("kmalloc-rcl-")) == 0;
}

int slab_reclaimable(struct qmem *q, const struct slab_cache *cache)
{
	char text[8];

	/* a name is a part of a path */
	if (strchr(cache->first, '/') || cache->first[0] == '.' ||
	    qmem_read_once(q, text, sizeof(text), "sys/kernel/slab/%s/reclaim_account", cache->first) <= 0)
		return is_known_reclaimable(cache->name) ? 1 : -1;
	return text[0] == '1' ? 1 : text[0] == '0' ? 0 : -1;
}
