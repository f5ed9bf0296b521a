/* SPDX-License-Identifier: MIT */
/*
 * Shared memory by owner: file systems in memory, files of /dev/shm, segments of System V. What is in /proc/sysvipc/shm is read at
 * each tick; what may block is looked at by the worker, every Age.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/root.h"
#include "kernel/instances.h"
#include "kernel/sound.h"
#include "proc/mountinfo.h"
#include "proc/sysvipc.h"
#include "process/probe.h"
#include "process/table.h"
#include "rows.h"
#include "service/meminfo.h"
#include "service/shmem_creator.h"
#include "service/shmem_huge.h"
#include "service/shmem_look.h"
#include "services.h"
#include "util/room.h"
#include "util/value.h"
#include "util/words.h"

/* One for all kinds of things: each has values in its own columns only. */
enum column {
	MOUNT_USED,
	MOUNT_SIZE,
	SEGMENT_SIZE,
	SEGMENT_RSS,
	SEGMENT_SWAP,
	SEGMENT_ATTACHED,
	FILE_HELD,
	FILE_MAPPED,
	COLUMNS
};

struct thing {
	int64_t v[COLUMNS];
};

struct totals {
	int64_t tmpfs, sysv, other;
	int64_t orphaned_sysv, orphaned_files;
	int64_t mounts, unreachable, segments, files;
	int64_t age, mapped_age;
	int64_t huge; /* of sysv */
};

static const struct qmem_metric total[] = {
	METRIC(totals, "tmpfs", NULL, tmpfs, "in file systems of tmpfs that can be looked at, what is swapped too"),
	METRIC(totals, "sysv", NULL, sysv,
	       "in segments of System V, without what is swapped; with huge pages, which are not in Shmem"),
	METRIC(totals, "other", NULL, other,
	       "the rest of Shmem: memfd, anonymous shared mappings, GPU objects, tmpfs out of reach; at least"),
	{ 0 },
};

static const struct qmem_metric orphaned[] = {
	METRIC(totals, "sysv", NULL, orphaned_sysv, "in memory and swap, of segments that nobody has attached"),
	METRIC(totals, "files", NULL, orphaned_files, "of files in /dev/shm that nobody maps; absent if not known"),
	{ 0 },
};

static const struct qmem_metric mount[] = {
	METRIC(thing, "used", NULL, v[MOUNT_USED], "by its files, what is swapped and what is unlinked too"),
	METRIC(thing, "size", NULL, v[MOUNT_SIZE], "what it may hold; absent if it has no limit"),
	{ 0 },
};

static const struct qmem_metric segment[] = {
	METRIC(thing, "size", "size", v[SEGMENT_SIZE], "as it was asked for"),
	METRIC(thing, "rss", "rss", v[SEGMENT_RSS], "in memory"),
	METRIC(thing, "swap", "swap", v[SEGMENT_SWAP], "in swap"),
	{ 0 },
};

static const struct qmem_metric file[] = {
	METRIC(thing, "held", NULL, v[FILE_HELD], "by a file of /dev/shm, in memory and swap"),
	{ 0 },
};

static const struct qmem_metric attached[] = {
	METRIC(thing, "attached", "nattch", v[SEGMENT_ATTACHED], "how often the segment is attached; 0: an orphan"),
	{ 0 },
};

static const struct qmem_metric mapped[] = {
	METRIC(thing, "mapped", NULL, v[FILE_MAPPED], "processes that map the file; absent if not known"),
	{ 0 },
};

static const struct qmem_metric count[] = {
	METRIC(totals, "mounts", NULL, mounts, "file systems of tmpfs and hugetlbfs"),
	METRIC(totals, "unreachable", NULL, unreachable, "of those, which cannot be looked at from here"),
	METRIC(totals, "segments", NULL, segments, "segments of System V"),
	METRIC(totals, "files", NULL, files, "files in /dev/shm"),
	{ 0 },
};

static const struct qmem_metric age[] = {
	METRIC(totals, "looked", NULL, age, "since file systems and files were looked at"),
	METRIC(totals, "mapped", NULL, mapped_age, "since it was looked who maps the files"),
	{ 0 },
};

static const struct qmem_family families[] = {
	FAMILY("total", "Shared memory by kind", "memory/shared", "stacked", total, BYTES),
	FAMILY("orphaned", "Shared memory that nobody uses", "memory/shared", "stacked", orphaned, BYTES),
	FAMILY("mount", "File system in memory", "memory/shared", "line", mount, BYTES, .label = "mount"),
	FAMILY("segment", "Segment of System V", "memory/shared", "line", segment, BYTES, .label = "segment"),
	FAMILY("file", "File of /dev/shm", "memory/shared", "line", file, BYTES, .label = "file"),
	FAMILY("attached", "Attached segments", "memory/shared", "line", attached, GAUGE("processes", 1, "count"),
	       .label = "segment", .flags = QMEM_DETAIL),
	FAMILY("mapped", "Mapped files of /dev/shm", "memory/shared", "line", mapped, GAUGE("processes", 1, "count"),
	       .label = "file", .flags = QMEM_DETAIL),
	FAMILY("count", "Owners of shared memory", "memory/shared", "line", count, GAUGE("value", 1, "count"),
	       .flags = QMEM_DETAIL),
	FAMILY("age", "Age of what is known of shared memory", "memory/shared", "line", age,
	       GAUGE("seconds", 1000000000, "duration"), .flags = QMEM_DETAIL),
	{ 0 },
};

static const struct instances_kind mount_kind = {
	.what = "mounts",
	.columns = COLUMNS,
	.gauges = (1u << COLUMNS) - 1,
	.score = 1u << MOUNT_USED,
	.sparse = true,
	.most = LOOK_MOUNTS,
};
static const struct instances_kind segment_kind = {
	.what = "segments",
	.columns = COLUMNS,
	.gauges = (1u << COLUMNS) - 1,
	.score = 1u << SEGMENT_RSS | 1u << SEGMENT_SWAP,
	.sparse = true,
	.most = CREATORS_MOST,
};
static const struct instances_kind file_kind = {
	.what = "files of /dev/shm",
	.columns = COLUMNS,
	.gauges = (1u << COLUMNS) - 1,
	.score = 1u << FILE_HELD,
	.sparse = true,
	.most = LOOK_FILES + 1,
};

/* No file below /dev/shm has a name that begins so. */
#define UNLISTED "/unlisted"

struct labels {
	char uid[24];
	struct qmem_label rows[4];
};

struct known {
	uint64_t inode;
	int64_t mapped;
};

struct shmem {
	int64_t top_mounts, top_segments, top_files, age, mapped_age, maps_most;

	struct qmem_file mountinfo, sysvipc;
	struct qmem_complaint bad_mounts, bad_segments;
	bool has_segments;
	struct root *root;
	struct creators creators;
	struct huge huge;
	struct instances mounts, segments, files;

	struct look *have;    /* the last that has come back; NULL: none has */
	struct look *running; /* at the worker, or not yet given to it; NULL: none */
	bool busy;            /* it is at the worker */
	uint64_t next, next_maps, when, when_maps;
	struct labels *mount_labels, *file_labels;
	struct known *known; /* who maps what, as it was looked last, by inode */
	size_t n_known;
	bool complete;                     /* of all processes */
	bool maps;                         /* it has been looked */
	int64_t refused;                   /* processes that may not be looked at */
	int64_t stuck;                     /* that others are stuck at */
	struct look *left[QMEM_LEFT_MOST]; /* at the worker, which has been left: where they are, none follows */

	struct totals totals;
	char said[256];
};

static const struct qmem_option options[] = {
	{ .name = "TopMounts",
	  .type = QMEM_INT,
	  .offset = offsetof(struct shmem, top_mounts),
	  .def = "3",
	  .max = LOOK_MOUNTS,
	  .help = "file systems shown, those with most in them; the others are summed as '" INSTANCES_OTHER "'" },
	{ .name = "TopSegments",
	  .type = QMEM_INT,
	  .offset = offsetof(struct shmem, top_segments),
	  .def = "2",
	  .max = CREATORS_MOST,
	  .help = "segments of System V shown, the largest; the others are summed as '" INSTANCES_OTHER "'" },
	{ .name = "TopFiles",
	  .type = QMEM_INT,
	  .offset = offsetof(struct shmem, top_files),
	  .def = "2",
	  .max = LOOK_FILES,
	  .help = "files of /dev/shm shown, the largest; the others are summed as '" INSTANCES_OTHER "'" },
	{ .name = "Age",
	  .type = QMEM_DURATION,
	  .offset = offsetof(struct shmem, age),
	  .def = "10s",
	  .min = 1000000000,
	  .max = INT64_C(3600000000000),
	  .help = "how old what is known of file systems and files may be" },
	{ .name = "MappedAge",
	  .type = QMEM_DURATION,
	  .offset = offsetof(struct shmem, mapped_age),
	  .def = "5m",
	  .max = INT64_C(86400000000000),
	  .help = "how old it may be who maps the files of /dev/shm, for which the maps of all processes are read; 0: never" },
	{ .name = "MapsMost",
	  .type = QMEM_SIZE,
	  .offset = offsetof(struct shmem, maps_most),
	  .def = "16MiB",
	  .min = 1 << 16,
	  .max = INT64_C(1) << 30,
	  .help = "so much of maps is read at most; a MiB costs some 4 ms" },
	{ 0 },
};

/* ---- segments ---- */

static int put(struct instances *all, const char *name, const int64_t *columns, const struct qmem_label *labels)
{
	int err = instances_put(all, name, strlen(name), columns);

	if (!err && all->put)
		all->put->labels = labels;
	return err;
}

static struct thing nothing(void)
{
	struct thing t;

	for (int c = 0; c < COLUMNS; c++)
		t.v[c] = QMEM_NA;
	return t;
}

static int take_segment(struct qmem *q, struct shmem *s, const struct sysvipc_shm *shm)
{
	int64_t huge = huge_take(&s->huge, shm), rss = huge ? huge : shm->column[SYSVIPC_RSS];
	int64_t held = value_sum(rss, shm->column[SYSVIPC_SWAP]);
	const struct creator *c = creators_find(q, &s->creators, shm);
	struct thing t = nothing();

	t.v[SEGMENT_SIZE] = shm->column[SYSVIPC_SIZE];
	t.v[SEGMENT_RSS] = rss;
	t.v[SEGMENT_SWAP] = shm->column[SYSVIPC_SWAP];
	t.v[SEGMENT_ATTACHED] = shm->column[SYSVIPC_NATTCH];
	value_add(&s->totals.sysv, rss);
	value_add(&s->totals.huge, huge);
	if (shm->column[SYSVIPC_NATTCH] == 0)
		value_add(&s->totals.orphaned_sysv, held);
	s->totals.segments++;
	return c ? put(&s->segments, c->name, t.v, c->labels) : 0;
}

static int read_segments(struct qmem *q, struct shmem *s)
{
	struct sysvipc_walk walk = { 0 };
	struct sysvipc_shm shm;
	const char *text;
	ssize_t len = s->has_segments ? qmem_read(q, &s->sysvipc, &text) : -ENOENT;
	int err = 0;

	instances_begin(&s->segments);
	creators_begin(&s->creators);
	huge_begin(&s->huge, meminfo_now(q));
	if (len >= 0) {
		/* creators read files, too: the text is the engine's */
		err = creators_copy(&s->creators, &text, (size_t)len);
		walk.at = text;
		walk.end = text + len;
		s->totals.sysv = s->totals.orphaned_sysv = s->totals.segments = 0;
		while (!err && sysvipc_next(&walk, &shm))
			err = take_segment(q, s, &shm);
		sound_fault(q, &s->bad_segments, &s->sysvipc, 0, &walk.fault);
		/* of lines of which none is sound there is no sum */
		if (walk.fault.n && !s->totals.segments)
			s->totals.sysv = s->totals.orphaned_sysv = s->totals.segments = QMEM_NA;
	}
	creators_end(&s->creators);
	(void)instances_measure(&s->segments);
	instances_choose(&s->segments, qmem_now(q));
	return err;
}

/* ---- file systems and files ---- */

/* Those that may be shown are named to `files`, which are the first; all the rest is one of the others. */
static size_t most_named(const struct shmem *s)
{
	return s->top_files ? (size_t)(4 * s->top_files + 16) : 0;
}

static int put_files(struct shmem *s, const struct look *l)
{
	int64_t held = 0, used = QMEM_NA;
	struct thing rest = nothing();
	size_t most = most_named(s);
	int err = 0;

	for (size_t i = 0; i < l->n_mounts; i++)
		if (l->mounts[i].shm)
			used = l->mounts[i].used;
	for (size_t i = 0; !err && i < l->n_files; i++) {
		const struct look_file *f = &l->files[i];
		const char *name = l->names + f->name;
		struct thing t = nothing();

		t.v[FILE_HELD] = f->held;
		t.v[FILE_MAPPED] = f->mapped;
		value_add(&held, f->held);
		/* known of all, or of none */
		if (f->mapped == 0)
			value_add(&s->totals.orphaned_files, f->held);
		if (i < most && strcmp(name, INSTANCES_OTHER) != 0) {
			err = put(&s->files, name, t.v, s->file_labels[i].rows);
			continue;
		}
		value_add(&rest.v[FILE_HELD], f->held);
		value_add(&rest.v[FILE_MAPPED], f->mapped);
	}
	if (!err && rest.v[FILE_HELD] != QMEM_NA)
		err = put(&s->files, INSTANCES_OTHER, rest.v, NULL);
	/* those that are unlinked, and open or mapped, and what is beyond the bounds of a look */
	if (!err && l->listed && used != QMEM_NA) {
		struct thing t = nothing();

		t.v[FILE_HELD] = value_minus(used, held);
		err = put(&s->files, UNLISTED, t.v, NULL);
	}
	if (l->listed)
		s->totals.files = (int64_t)l->n_files;
	return err;
}

static int put_mounts(struct shmem *s, const struct look *l)
{
	int err = 0;

	s->totals.mounts = (int64_t)l->n_mounts;
	s->totals.unreachable = 0;
	for (size_t i = 0; !err && i < l->n_mounts; i++) {
		const struct look_mount *m = &l->mounts[i];
		struct thing t = nothing();

		if (m->err) {
			s->totals.unreachable++;
			continue;
		}
		t.v[MOUNT_USED] = m->used;
		t.v[MOUNT_SIZE] = m->size;
		if (!m->huge)
			value_add(&s->totals.tmpfs, m->used);
		err = put(&s->mounts, m->path, t.v, s->mount_labels[i].rows);
	}
	return err;
}

static int take_look(struct qmem *q, struct shmem *s)
{
	int err = 0;

	instances_begin(&s->mounts);
	instances_begin(&s->files);
	if (s->have) {
		if (s->maps && s->complete && s->have->listed)
			s->totals.orphaned_files = 0;
		err = put_mounts(s, s->have);
		if (!err)
			err = put_files(s, s->have);
		s->totals.age = (int64_t)(qmem_now(q) - s->when);
		if (s->maps)
			s->totals.mapped_age = (int64_t)(qmem_now(q) - s->when_maps);
	}
	(void)instances_measure(&s->mounts);
	(void)instances_measure(&s->files);
	instances_choose(&s->mounts, qmem_now(q));
	instances_choose(&s->files, qmem_now(q));
	return err;
}

static void label(struct labels *l, int64_t uid, const char *type, const char *source)
{
	size_t n = 0;

	memset(l, 0, sizeof(*l));
	if (type)
		l->rows[n++] = (struct qmem_label){ "type", type };
	if (source && *source)
		l->rows[n++] = (struct qmem_label){ "source", source };
	if (uid != QMEM_NA) {
		snprintf(l->uid, sizeof(l->uid), "%" PRId64, uid);
		l->rows[n] = (struct qmem_label){ "uid", l->uid };
	}
}

static int by_inode(const void *a, const void *b)
{
	const struct known *x = a, *y = b;

	return (x->inode > y->inode) - (x->inode < y->inode);
}

/* Who maps a file is looked at less often. */
static void remember(struct shmem *s, struct look *l, uint64_t now)
{
	if (l->maps) {
		s->n_known = l->n_files;
		for (size_t i = 0; i < l->n_files; i++)
			s->known[i] = (struct known){ l->files[i].inode, l->files[i].mapped };
		qsort(s->known, s->n_known, sizeof(*s->known), by_inode);
		s->maps = true;
		s->complete = l->complete;
		s->refused = l->refused;
		s->stuck = l->stuck;
		s->when_maps = now;
		return;
	}
	for (size_t i = 0; i < l->n_files; i++) {
		const struct known key = { .inode = l->files[i].inode };
		const struct known *k = bsearch(&key, s->known, s->n_known, sizeof(*s->known), by_inode);

		if (k)
			l->files[i].mapped = k->mapped;
	}
}

static int by_held(const void *a, const void *b)
{
	const struct look_file *x = a, *y = b;

	return x->held == y->held ? (x->inode > y->inode) - (x->inode < y->inode) : x->held < y->held ? 1 : -1;
}

static bool forget_left(struct shmem *s, const struct look *l)
{
	for (size_t i = 0; i < QMEM_LEFT_MOST; i++)
		if (s->left[i] == l) {
			s->left[i] = NULL;
			return true;
		}
	return false;
}

static void done(struct qmem *q, struct qmem_job *job)
{
	struct look *l = (struct look *)(void *)job;
	struct shmem *s = l->owner;

	if (!q || !s) {
		look_free(l);
		return;
	}
	/* what it says is old, but it may be looked there again */
	if (forget_left(s, l)) {
		look_free(l);
		return;
	}
	s->busy = false;
	if (job->recalled) {
		s->next = s->next_maps = 0;
		return;
	}
	/* two of them take turns */
	s->running = s->have ? s->have : look_new(s->root, s);
	s->have = l;
	s->when = qmem_now(q);
	remember(s, l, s->when);
	qsort(l->files, l->n_files, sizeof(*l->files), by_held);
	for (size_t i = 0; i < l->n_mounts; i++)
		label(&s->mount_labels[i], l->mounts[i].uid, l->mounts[i].type, l->mounts[i].source);
	for (size_t i = 0; i < l->n_files; i++)
		label(&s->file_labels[i], l->files[i].uid, NULL, NULL);
}

/* The others go on without the place where it is. */
static void leave(struct shmem *s)
{
	size_t i = 0;

	while (i < QMEM_LEFT_MOST && s->left[i])
		i++;
	if (i < QMEM_LEFT_MOST)
		s->left[i] = s->running;
	else
		s->running->owner = NULL;
	s->running = NULL;
	s->busy = false;
}

/* Is a look left there? NULL: at the maps. */
static bool is_stuck(const struct shmem *s, const struct mountinfo *m)
{
	for (size_t i = 0; i < QMEM_LEFT_MOST; i++) {
		const struct look *l = s->left[i];
		int at = l ? __atomic_load_n(&l->at, __ATOMIC_RELAXED) : 0;

		if (!l || (at < 0) != !m)
			continue;
		if (!m || (l->mounts[at].major == m->major && l->mounts[at].minor == m->minor))
			return true;
	}
	return false;
}

static struct look_mount *find_mount(struct look *l, const struct mountinfo *m)
{
	for (size_t i = 0; i < l->n_mounts; i++)
		if (l->mounts[i].major == m->major && l->mounts[i].minor == m->minor)
			return &l->mounts[i];
	return NULL;
}

/* Each file system once: where all of it is mounted, and /dev/shm above all. */
static void take_mount(struct shmem *s, struct look *l, const struct mountinfo *m)
{
	bool huge = mountinfo_is(&m->type, "hugetlbfs"), shm = mountinfo_is(&m->point, "/dev/shm");
	struct look_mount *at;
	char path[LOOK_PATH];

	if (!huge && !mountinfo_is(&m->type, "tmpfs") && !mountinfo_is(&m->type, "devtmpfs"))
		return;
	if (!mountinfo_is(&m->root, "/") || mountinfo_name(path, sizeof(path), &m->point) < 0)
		return;
	at = find_mount(l, m);
	if (at ? !shm : l->n_mounts == LOOK_MOUNTS)
		return;
	if (!at)
		at = &l->mounts[l->n_mounts++];
	*at = (struct look_mount){ .major = m->major, .minor = m->minor, .huge = huge, .shm = shm && !huge };
	memcpy(at->path, path, strlen(path) + 1);
	if (mountinfo_name(at->type, sizeof(at->type), &m->type) < 0)
		*at->type = '\0';
	if (mountinfo_name(at->source, sizeof(at->source), &m->source) < 0)
		*at->source = '\0';
	if (is_stuck(s, m))
		at->err = -EBUSY;
}

static int read_mounts(struct qmem *q, struct shmem *s, struct look *l)
{
	struct mountinfo_walk walk = { 0 };
	struct mountinfo m;
	const char *text;
	ssize_t len = qmem_read(q, &s->mountinfo, &text);

	if (len < 0)
		return (int)len;
	walk.at = text;
	walk.end = text + len;
	l->n_mounts = 0;
	while (mountinfo_next(&walk, &m))
		take_mount(s, l, &m);
	sound_fault(q, &s->bad_mounts, &s->mountinfo, 0, &walk.fault);
	return 0;
}

/* Who is stuck at a process has it from the table. */
static int shun(struct qmem *q, struct look *l)
{
	const struct proctable *table = qmem_state(q, &proctable_service);
	const struct proc *p;
	int err = 0;

	look_shun_none(l);
	if (!table)
		return 0;
	proctable_each(table, p)
	{
		if (!err && probe_shuns(q, p->pid, p->uid))
			err = look_shun(l, p->pid);
	}
	return err;
}

static void begin_look(struct qmem *q, struct shmem *s)
{
	uint64_t now = qmem_now(q);
	struct look *l;

	if (s->busy && s->running->job.left)
		leave(s);
	if (s->busy || now < s->next)
		return;
	s->next = now + (uint64_t)s->age;
	if (!s->running)
		s->running = look_new(s->root, s);
	l = s->running;
	if (!l || read_mounts(q, s, l) || !l->n_mounts)
		return;
	l->most = l->at = 0;
	if (s->mapped_age && !is_stuck(s, NULL) && now >= s->next_maps && !shun(q, l)) {
		l->most = s->maps_most;
		s->next_maps = now + (uint64_t)s->mapped_age;
	}
	memset(&l->job, 0, sizeof(l->job));
	l->job.run = look_run;
	l->job.done = done;
	l->job.lane = QMEM_TARGETS;
	l->job.wary = l->most > 0;
	snprintf(l->job.what, sizeof(l->job.what), "%s", l->most ? "maps or mounts of tmpfs" : "mounts of tmpfs");
	snprintf(l->job.id, sizeof(l->job.id), "tmpfs");
	/* it may be back at once */
	s->busy = true;
	if (qmem_work(q, &l->job))
		s->busy = false;
}

/* ---- what is said ---- */

static void note(struct qmem *q, struct shmem *s)
{
	char text[sizeof(s->said)] = "";

	if (s->have)
		words_add(text, sizeof(text), "mounts of %s; those of other mount namespaces are not seen",
			  strstr(s->mountinfo.path, "/1/") ? "process 1" : "the agent");
	if (s->totals.unreachable > 0)
		words_add(text, sizeof(text), ", %" PRId64 " of %" PRId64 " are out of reach", s->totals.unreachable,
			  s->totals.mounts);
	if (!s->has_segments)
		words_add(text, sizeof(text), "%sno segments: no /proc/sysvipc/shm", *text ? "; " : "");
	if (s->maps && !s->complete && s->refused)
		words_add(text, sizeof(text),
			  "; who maps files is not known: the maps of %" PRId64 " processes may not be read",
			  s->refused);
	else if (s->maps && !s->complete && s->stuck)
		words_add(text, sizeof(text),
			  "; who maps files is not known: the maps of %" PRId64
			  " processes are left alone, as files of "
			  "theirs are stuck",
			  s->stuck);
	else if (s->maps && !s->complete)
		words_add(text, sizeof(text), "; who maps files is not known: there are more maps than MapsMost");
	if (strcmp(text, s->said) == 0)
		return;
	memcpy(s->said, text, sizeof(text));
	qmem_note(q, "%s", text);
}

static int64_t rest_of(int64_t whole, const struct totals *t)
{
	int64_t sysv = value_minus(value_or(t->sysv, 0), value_or(t->huge, 0));

	return value_minus(value_minus(whole, value_or(t->tmpfs, 0)), sysv);
}

static int collect(struct qmem *q, void *state)
{
	struct shmem *s = state;
	const struct meminfo *m = meminfo_now(q);
	int err;

	s->totals = (struct totals){ QMEM_NA, QMEM_NA, QMEM_NA, QMEM_NA, QMEM_NA, QMEM_NA,
				     QMEM_NA, QMEM_NA, QMEM_NA, QMEM_NA, QMEM_NA, QMEM_NA };
	begin_look(q, s);
	err = read_segments(q, s);
	if (!err)
		err = take_look(q, s);
	if (err)
		return err;
	if (m && (s->have || s->totals.sysv != QMEM_NA))
		s->totals.other = rest_of(m->Shmem, &s->totals);
	note(q, s);
	qmem_emit_all(q, &s->totals);
	instances_emit(q, &s->mounts, families);
	instances_emit(q, &s->segments, families);
	instances_emit(q, &s->files, families);
	return 0;
}

/* ---- life ---- */

static void stop(struct qmem *q, void *state)
{
	struct shmem *s = state;

	(void)q;
	instances_release(&s->mounts);
	instances_release(&s->segments);
	instances_release(&s->files);
	creators_release(&s->creators);
	qmem_file_close(&s->mountinfo);
	qmem_file_close(&s->sysvipc);
	if (s->busy)
		s->running->owner = NULL;
	else
		look_free(s->running);
	for (size_t i = 0; i < QMEM_LEFT_MOST; i++)
		if (s->left[i])
			s->left[i]->owner = NULL;
	look_free(s->have);
	root_drop(s->root);
	room_unreserve(s->mount_labels, LOOK_MOUNTS, sizeof(*s->mount_labels));
	room_unreserve(s->file_labels, LOOK_FILES, sizeof(*s->file_labels));
	room_unreserve(s->known, LOOK_FILES, sizeof(*s->known));
}

static int find_files(struct qmem *q, struct shmem *s)
{
	const char *text;

	s->sysvipc = QMEM_FILE("proc/sysvipc/shm");
	s->has_segments = qmem_read(q, &s->sysvipc, &text) >= 0;
	s->mountinfo = QMEM_FILE("proc/1/mountinfo");
	if (qmem_read(q, &s->mountinfo, &text) < 0) {
		s->mountinfo = QMEM_FILE("proc/self/mountinfo");
		if (qmem_read(q, &s->mountinfo, &text) < 0 && !s->has_segments)
			return qmem_fail(q, -ENOTSUP, "neither /proc/1/mountinfo nor /proc/sysvipc/shm");
	}
	return 0;
}

static int start(struct qmem *q, void *state)
{
	struct shmem *s = state;
	int err = 0;

	s->mountinfo.fd = s->sysvipc.fd = -1;
	s->root = root_of(q);
	s->mount_labels = room_reserve(LOOK_MOUNTS, sizeof(*s->mount_labels));
	s->file_labels = room_reserve(LOOK_FILES, sizeof(*s->file_labels));
	s->known = room_reserve(LOOK_FILES, sizeof(*s->known));
	if (!s->mount_labels || !s->file_labels || !s->known)
		err = -ENOMEM;
	if (!err)
		err = instances_init(&s->mounts, &mount_kind, NULL, false, s->top_mounts);
	if (!err)
		err = instances_init(&s->segments, &segment_kind, NULL, false, s->top_segments);
	if (!err)
		err = instances_init(&s->files, &file_kind, NULL, false, s->top_files);
	if (!err)
		err = creators_init(q, &s->creators);
	return err ? err : find_files(q, s);
}

static const struct qmem_capability capabilities[] = {
	CAPABILITY(SYS_PTRACE, "who maps a file of /dev/shm, of other users before Linux 6.15",
		   .file = "/proc/PID/maps", .option = "MappedAge"),
	CAPABILITY(PERFMON, "who maps a file of /dev/shm, of other users from Linux 6.15 on", .file = "/proc/PID/maps",
		   .option = "MappedAge"),
	{ 0 },
};

const struct qmem_service shmem_service = {
	.name = "shmem",
	.help = "shared memory by owner: tmpfs, files of /dev/shm, segments of System V",
	.source = "/proc/sysvipc/shm, /proc/1/mountinfo, /proc/PID/maps",
	.kernel = "2.6.26",
	.privilege = "CAP_SYS_PTRACE for who maps files (Linux 6.15: CAP_PERFMON)",
	.priority = 300,
	.needs = &meminfo_service,
	.relief = "MappedAge",
	.families = families,
	.options = options,
	.capabilities = capabilities,
	.state_size = sizeof(struct shmem),
	.start = start,
	.collect = collect,
	.stop = stop,
};
