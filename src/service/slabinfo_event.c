/* SPDX-License-Identifier: MIT */
#include "service/slabinfo_event.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "util/escape.h"
#include "util/value.h"
#include "util/words.h"

/* The longest name that fits counts; those that end in '*' are beginnings, those that begin with one are ends. */
static const struct {
	const char *name, *usually;
} behind[] = {
	{ "dentry", "names of files looked up, many of them not there" },
	{ "inode_cache", "files of proc, sysfs and pipes" },
	{ "*inode_cache", "files of a file system that were opened or listed" },
	{ "*_inode", "files of a file system that were opened or listed" },
	{ "sock_inode_cache", "sockets left open" },
	{ "UNIX*", "Unix sockets left open" },
	{ "TCP*", "TCP sockets left open" },
	{ "tw_sock_*", "connections in TIME_WAIT" },
	{ "request_sock_*", "connections being opened: a flood of SYN" },
	{ "skbuff_*", "packets waiting in queues of sockets or devices" },
	{ "nf_conntrack*", "connections tracked by the firewall" },
	{ "ip_dst_cache", "routes in use by many peers" },
	{ "ip6_dst_cache", "routes in use by many peers" },
	{ "neigh*", "a large neighbour table (ARP, ND)" },
	{ "filp", "open files, of processes that leave them open" },
	{ "files_cache", "many processes" },
	{ "task_struct", "many threads, or zombies" },
	{ "thread_stack", "many threads" },
	{ "signal_cache", "many processes, or zombies" },
	{ "sighand_cache", "many processes, or zombies" },
	{ "pid*", "many processes, or pids kept by pidfds" },
	{ "cred*", "many processes, or credentials that leak" },
	{ "mm_struct", "many processes" },
	{ "vm_area_struct", "processes with very many maps" },
	{ "vma_lock", "processes with very many maps" },
	{ "maple_node", "processes with very many maps" },
	{ "anon_vma*", "forks of processes with many maps" },
	{ "radix_tree_node", "page cache of very many or very large files" },
	{ "xfs_buf", "metadata of XFS being changed" },
	{ "buffer_head", "page cache of block devices and ext4" },
	{ "ext4_*", "metadata of ext4" },
	{ "btrfs_extent_*", "extents of files of Btrfs" },
	{ "bio*", "block I/O under way" },
	{ "ebitmap_node", "rules of SELinux, or a leak there" },
	{ "avc_*", "decisions of SELinux" },
	{ "kernfs_node_cache", "cgroups or devices being made" },
	{ "shmem_inode_cache", "files of tmpfs, memfd and shared memory" },
	{ "fsnotify*", "watches of inotify or fanotify" },
	{ "inotify_*", "watches of inotify" },
	{ "eventpoll*", "descriptors in epoll" },
	{ "ep_*", "descriptors in epoll" },
	{ "fuse_*", "files of FUSE" },
	{ "nfs_*", "files and requests of NFS" },
	{ "kmalloc-cg-*", "what processes have the kernel keep: pipes, messages, filters" },
	{ "kmalloc-rcl-*", "long names of files, and other things that can be reclaimed" },
	{ "kmalloc-*", "drivers and network: who allocates tells more" },
	{ "mnt_cache", "mounts that nobody takes away" },
	{ "names_cache", "many calls with paths at once" },
	{ "percpu_*", "cgroups that were removed and stay" },
	{ "mem_cgroup*", "cgroups that were removed and stay" },
};

static bool fits(const char *cache, const char *name, size_t *ret_len)
{
	size_t len = strlen(name), all = strlen(cache);

	*ret_len = len - 1;
	if (*name == '*')
		return all >= len - 1 && strcmp(cache + all - (len - 1), name + 1) == 0;
	if (name[len - 1] == '*')
		return strncmp(cache, name, len - 1) == 0;
	*ret_len = len + 1;
	return strcmp(cache, name) == 0;
}

const char *slab_usually(const char *cache)
{
	const char *best = NULL;
	size_t longest = 0, len;

	for (size_t i = 0; i < sizeof(behind) / sizeof(*behind); i++) {
		if (!fits(cache, behind[i].name, &len) || len < longest)
			continue;
		longest = len;
		best = behind[i].usually;
	}
	return best;
}

/* ---- conditions ---- */

static const char *reclaim_words(const struct slab_cache *cache)
{
	return cache->reclaimable == 1 ? "reclaimable" : cache->reclaimable == 0 ? "not reclaimable" : "";
}

/* Nobody is told why he has not been told who it is if he did not ask. */
static const char *why_not(const struct slab_events *all, const struct slab_event *e)
{
	return all->ask && all->never ? all->never : e->who.why;
}

static void describe(char *dst, size_t size, const struct slab_event *e, const struct slab_cache *cache,
		     const char *why, uint64_t now)
{
	char more[WORDS_NUMBER], span[WORDS_NUMBER], held[WORDS_NUMBER], name[SLABINFO_FAMILY + ESCAPE_CUT];
	char aliases[SLAB_ALIASES + ESCAPE_CUT];
	const char *usually = slab_usually(cache->name), *reclaim = reclaim_words(cache);

	words_bytes(more, value_minus(cache->held, e->since_held));
	words_bytes(held, cache->held);
	words_span(span, now - e->since);
	escape_name(name, sizeof(name), cache->name);
	snprintf(dst, size, "slab cache %s grows: %s more in %s, now %s%s%s", name, more, span, held,
		 *reclaim ? ", " : "", reclaim);
	if (*e->who.processes)
		words_add_whole(dst, size, "; allocated by %s", e->who.processes);
	if (*e->who.functions)
		words_add_whole(dst, size, " in %s", e->who.functions);
	escape_name(aliases, sizeof(aliases), cache->aliases);
	if (*aliases)
		words_add_whole(dst, size, "; also called %s", aliases);
	if (usually)
		words_add_whole(dst, size, "; usually: %s", usually);
	words_add_whole(dst, size, "; see slabinfo.growth");
	if (*why && !*e->who.processes)
		words_add_whole(dst, size, "; who allocates is not known: %s", why);
}

static void raise_one(struct qmem *q, const struct slab_events *all, const struct slab_event *e,
		      const struct slab_cache *cache)
{
	char held[WORDS_NUMBER], grown[WORDS_NUMBER], rate[WORDS_NUMBER], since[WORDS_NUMBER];
	const char *usually = slab_usually(cache->name);
	const struct qmem_label fields[] = {
		{ "cache", cache->name },
		{ "aliases", cache->aliases },
		{ "held", held },
		{ "grown", grown },
		{ "seconds", since },
		{ "rate", rate },
		{ "reclaimable", cache->reclaimable < 0 ? "unknown" :
				 cache->reclaimable     ? "yes" :
							  "no" },
		{ "processes", *e->who.processes ? e->who.processes : "unknown" },
		{ "functions", *e->who.functions ? e->who.functions : "unknown" },
		{ "unknown_because", why_not(all, e) },
		{ "usually", usually ? usually : "" },
		{ 0 },
	};
	struct qmem_event event = {
		.severity = QMEM_WARNING,
		.service = "slabinfo",
		.name = "growth",
		.instance = cache->name,
		.repeat = (uint64_t)all->repeat,
		.fields = fields,
	};

	snprintf(held, sizeof(held), "%" PRId64, cache->held);
	snprintf(grown, sizeof(grown), "%" PRId64, value_minus(cache->held, e->since_held));
	snprintf(rate, sizeof(rate), "%" PRId64, value_or(cache->rate, 0));
	snprintf(since, sizeof(since), "%" PRIu64, (qmem_now(q) - e->since) / QMEM_SECOND);
	describe(event.message, sizeof(event.message), e, cache, why_not(all, e), qmem_now(q));
	qmem_raise(q, &event);
}

static void raise_over(struct qmem *q, const struct slab_event *e)
{
	char held[WORDS_NUMBER], name[SLABINFO_FAMILY + ESCAPE_CUT];
	struct qmem_event event = {
		.severity = QMEM_OKAY,
		.service = "slabinfo",
		.name = "growth",
		.instance = e->cache,
	};

	words_bytes(held, e->held);
	escape_name(name, sizeof(name), e->cache);
	snprintf(event.message, sizeof(event.message), "slab cache %s does not grow any more, held %s", name, held);
	qmem_raise(q, &event);
}

static struct slab_event *find(struct slab_events *e, const char *cache)
{
	for (size_t i = 0; i < SLAB_EVENTS; i++)
		if (strcmp(e->all[i].cache, cache) == 0)
			return &e->all[i];
	return NULL;
}

static void begin(struct slab_events *e, const struct slab_cache *cache)
{
	struct slab_event *event = find(e, "");

	if (!event)
		return;
	*event = (struct slab_event){ .since = cache->since, .since_held = cache->since_held };
	memcpy(event->cache, cache->name, sizeof(event->cache));
}

/* The event waits for who it is, so that there is one and not two. */
static bool is_settled(struct qmem *q, struct slab_events *e, struct slab_event *event, const struct slab_cache *cache)
{
	struct slab_who_question question;

	if (!e->ask || e->never || event->known)
		return true;
	if (!event->asked) {
		memcpy(question.cache, cache->name, sizeof(question.cache));
		memcpy(question.first, cache->first, sizeof(question.first));
		question.objsize = cache->objsize;
		event->asked = slab_who_ask(q, &e->who, &question);
	}
	event->known = event->asked && slab_who_take(q, &e->who, cache->name, &event->who);
	return event->known;
}

void slab_events_tell(struct qmem *q, struct slab_events *e, const struct slab_caches *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->all[i].grows && !find(e, c->all[i].name))
			begin(e, &c->all[i]);
	for (size_t i = 0; i < SLAB_EVENTS; i++) {
		struct slab_event *event = &e->all[i];
		const struct slab_cache *cache = *event->cache ? slab_caches_named(c, event->cache) : NULL;

		if (!cache)
			continue;
		if (cache->grows && cache->held != QMEM_NA) {
			event->held = cache->held;
			if (!is_settled(q, e, event, cache))
				continue;
			raise_one(q, e, event, cache);
			event->raised = true;
		} else if (!cache->grows) {
			/* what is being asked for is taken first, so that another may be asked for */
			if (event->asked && !is_settled(q, e, event, cache))
				continue;
			if (event->raised)
				raise_over(q, event);
			*event = (struct slab_event){ .raised = false };
		}
	}
}

void slab_events_release(struct qmem *q, struct slab_events *e)
{
	slab_who_release(q, &e->who);
}
