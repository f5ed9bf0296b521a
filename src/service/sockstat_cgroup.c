/* SPDX-License-Identifier: MIT */
#include "service/sockstat_cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/root.h"
#include "kernel/cgroupfs.h"
#include "kernel/sound.h"
#include "proc/kv.h"
#include "service/sockstat_sample.h"
#include "util/value.h"

#define EVERY (30 * QMEM_SECOND)
#define COST 200 /* a look takes at most the 200th part of the time to the next */
#define DEPTH 16
#define PATH 256
#define CGROUPS_MOST 1024
#define OUTERMOST 256    /* more, of those that are in no other one */
#define TEXT (16u << 10) /* bytes: more than any memory.stat has */
#define WHAT "memory.stat"

struct cgroup {
	int64_t sock; /* bytes, its own */
	char path[PATH];
};

struct stat_sample {
	int64_t sock; /* with all below it */
};

static const struct kv_key keys[] = {
	KV_KEY(stat_sample, "sock", sock, 0),
	{ 0 },
};

/* Kept from one look to the next, but for one that is stuck. */
struct sockstat_cgroup_job {
	struct qmem_job job;
	struct sockstat_cgroups *owner; /* NULL: it has gone */
	struct root *root;
	struct kv kv;
	bool busy; /* the worker has it */
	char path[PATH];
	char text[TEXT];
	struct fault fault;
	char faulty[PATH + 64]; /* the first file that has one; "": none */
	struct cgroup cgroups[CGROUPS_MOST + OUTERMOST];
	size_t n;
	bool cut; /* there was no room for all that are in no other one */
};

static const struct instances_kind kind = {
	.what = "cgroups",
	.columns = SOCKSTAT_COLUMNS,
	.gauges = UINT64_C(1) << CGROUP_SOCK,
	.score = UINT64_C(1) << CGROUP_SOCK,
	.most = 2 * (CGROUPS_MOST + OUTERMOST), /* those of a look, and some that have gone */
	.sparse = true,
};

/* ---- on the worker ---- */

/* false: it has no such file. */
static bool read_stat(struct sockstat_cgroup_job *j, int dir, int64_t *ret)
{
	int fd = openat(dir, "memory.stat", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat_sample sample = { QMEM_NA };
	struct fault fault = { 0 };
	size_t len = 0;
	ssize_t n = 0;

	*ret = QMEM_NA;
	if (fd < 0)
		return false;
	while (len < sizeof(j->text) && (n = read(fd, j->text + len, sizeof(j->text) - len)) > 0)
		len += (size_t)n;
	close(fd);
	if (n >= 0)
		(void)kv_parse(&j->kv, j->text, len, &sample, &fault);
	if (fault.n && !*j->faulty) {
		j->fault = fault;
		snprintf(j->faulty, sizeof(j->faulty), "sys/fs/cgroup%s/memory.stat", j->path);
	}
	*ret = sample.sock;
	return true;
}

static int64_t walk(struct sockstat_cgroup_job *j, int fd, size_t len, int depth);

/* One below; what is not gone into stays with the one above. */
static int64_t enter(struct sockstat_cgroup_job *j, int fd, const struct dirent *entry, size_t len, int depth)
{
	size_t name = strlen(entry->d_name);
	int64_t sock;
	int below;

	if (entry->d_type != DT_DIR || entry->d_name[0] == '.' || len + 1 + name >= sizeof(j->path) || depth == DEPTH)
		return QMEM_NA;
	if (j->n >= CGROUPS_MOST && (depth || j->n == CGROUPS_MOST + OUTERMOST)) {
		j->cut |= !depth;
		return QMEM_NA;
	}
	below = cgroupfs_below(fd, entry->d_name);
	if (below < 0)
		return QMEM_NA;
	j->path[len] = '/';
	memcpy(j->path + len + 1, entry->d_name, name + 1);
	sock = walk(j, below, len + 1 + name, depth + 1);
	j->path[len] = '\0';
	return sock;
}

/* What it holds with all below it; QMEM_NA: it does not say. Takes the descriptor. */
static int64_t walk(struct sockstat_cgroup_job *j, int fd, size_t len, int depth)
{
	int64_t sock = QMEM_NA, below = QMEM_NA;
	struct cgroup *own = NULL;
	struct dirent *entry;
	DIR *dir;

	/* of the outermost one the kernel accounts nothing. Where the controller of memory is not, it is nowhere below */
	if (depth && !read_stat(j, fd, &sock)) {
		close(fd);
		return QMEM_NA;
	}
	if (depth) {
		own = &j->cgroups[j->n++];
		memcpy(own->path, j->path, len + 1);
	}
	dir = fdopendir(fd);
	if (!dir)
		close(fd);
	while (dir && (entry = readdir(dir)))
		value_add(&below, enter(j, fd, entry, len, depth));
	if (dir)
		closedir(dir);
	if (!own)
		return below;
	/* the two are not of one instant */
	own->sock = sock == QMEM_NA ? QMEM_NA : value_minus(sock, value_or(below, 0));
	return sock == QMEM_NA ? below : sock;
}

static void run(struct qmem_job *job)
{
	struct sockstat_cgroup_job *j = (struct sockstat_cgroup_job *)(void *)job;
	int fd = cgroupfs_open(j->root);

	if (fd >= 0)
		(void)walk(j, fd, 0, 0);
}

/* ---- in the engine ---- */

/* The kernel may know none, and that is no fault; it may be that none is made yet. */
static void tell(struct qmem *q, struct sockstat_cgroups *c, const struct sockstat_cgroup_job *j, bool any)
{
	struct qmem_file file = QMEM_FILE(j->faulty);

	if (!any && !c->told && !*j->faulty)
		qmem_vain(q, &(struct qmem_vain){ .option = "TopCgroups" },
			  "finds no cgroup of v2 whose memory.stat has 'sock': cgroups of v1 have none");
	c->told |= !any && !*j->faulty;
	if (*j->faulty)
		sound_fault(q, &c->faulty, &file, 0, &j->fault);
	else
		qmem_release(q, &c->faulty, "each memory.stat of a cgroup is sound again");
	if (j->cut)
		qmem_complain(q, &c->crowded, "there are too many cgroups: the memory of sockets of some is left out");
	else
		qmem_release(q, &c->crowded, "there is room for all cgroups again");
}

static void take(struct qmem *q, struct sockstat_cgroups *c, const struct sockstat_cgroup_job *j)
{
	int64_t v[SOCKSTAT_COLUMNS];
	bool any = false;

	for (int i = 0; i < SOCKSTAT_COLUMNS; i++)
		v[i] = QMEM_NA;
	instances_begin(&c->all);
	for (size_t i = 0; i < j->n; i++) {
		v[CGROUP_SOCK] = j->cgroups[i].sock;
		if (v[CGROUP_SOCK] == QMEM_NA)
			continue;
		any = true;
		if (instances_put(&c->all, j->cgroups[i].path, strlen(j->cgroups[i].path), v))
			return;
	}
	c->looked = c->fresh = true;
	tell(q, c, j, any);
}

static void release(struct sockstat_cgroup_job *j)
{
	kv_release(&j->kv);
	root_drop(j->root);
	free(j);
}

static void done(struct qmem *q, struct qmem_job *job)
{
	struct sockstat_cgroup_job *j = (struct sockstat_cgroup_job *)(void *)job;
	uint64_t due;

	j->busy = false;
	if (!q || !j->owner) {
		release(j);
		return;
	}
	if (job->recalled)
		return;
	due = qmem_now(q) + COST * job->cpu_ns;
	if (j->owner->due < due)
		j->owner->due = due;
	take(q, j->owner, j);
}

static struct sockstat_cgroup_job *make(struct qmem *q, struct sockstat_cgroups *c)
{
	struct sockstat_cgroup_job *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	if (kv_init(&j->kv, KV_PLAIN, NULL, keys)) {
		kv_release(&j->kv);
		free(j);
		return NULL;
	}
	j->owner = c;
	j->root = root_of(q);
	j->job.run = run;
	j->job.done = done;
	j->job.lane = QMEM_TARGETS;
	j->job.wary = true;
	snprintf(j->job.what, sizeof(j->job.what), WHAT);
	return j;
}

void sockstat_cgroups_look(struct qmem *q, struct sockstat_cgroups *c)
{
	struct sockstat_cgroup_job *j = c->job;

	if (!c->max)
		return;
	/* one that is stuck comes back to nobody, and what was seen before is old */
	if (j && j->busy && j->job.left) {
		j->owner = NULL;
		c->job = NULL;
		c->looked = false;
	}
	if ((c->job && c->job->busy) || qmem_now(q) < c->due)
		return;
	c->due = qmem_now(q) + EVERY;
	if (qmem_is_stuck(q, WHAT, 0))
		return;
	if (!c->job)
		c->job = make(q, c);
	j = c->job;
	if (!j)
		return;
	j->n = 0;
	j->cut = false;
	j->path[0] = j->faulty[0] = '\0';
	j->busy = true;
	if (qmem_work(q, &j->job))
		j->busy = false;
}

void sockstat_cgroups_emit(struct qmem *q, struct sockstat_cgroups *c, const struct qmem_family *families)
{
	if (!c->looked)
		return;
	if (c->fresh) {
		(void)instances_measure(&c->all);
		instances_choose(&c->all, qmem_now(q));
		c->fresh = false;
	}
	instances_emit(q, &c->all, families);
}

int sockstat_cgroups_init(struct sockstat_cgroups *c, int64_t max)
{
	*c = (struct sockstat_cgroups){ .max = max };
	return instances_init(&c->all, &kind, NULL, false, max);
}

void sockstat_cgroups_release(struct sockstat_cgroups *c)
{
	if (c->job && c->job->busy)
		c->job->owner = NULL;
	else if (c->job)
		release(c->job);
	c->job = NULL;
	instances_release(&c->all);
}
