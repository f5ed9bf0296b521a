/* SPDX-License-Identifier: MIT */
/* Caches of the slab allocator: the largest and those that grow each, the rest as one sum. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/root.h"
#include "kernel/instances.h"
#include "kernel/kvfile.h"
#include "kernel/sound.h"
#include "proc/slabs.h"
#include "rows.h"
#include "service/slabinfo_alias.h"
#include "service/slabinfo_cache.h"
#include "service/slabinfo_event.h"
#include "service/slabinfo_growth.h"
#include "service/slabinfo_iter.h"
#include "services.h"
#include "util/value.h"

#define ALIASES_APART (60 * QMEM_SECOND) /* between two looks at the links, if there are new caches */

enum column { HELD, ACTIVE, OBJECTS, OBJECTS_ACTIVE, OBJSIZE, COLUMNS };

struct columns {
	int64_t v[COLUMNS];
};

/* What stands for all. */
struct sample {
	int64_t held, active, waste, age, growing;
};

struct growth {
	int64_t rate;
};

struct slabinfo_service {
	int64_t top, growers;
	int64_t window, active_age;
	int64_t growth_limit, growth_limit_reclaimable; /* 1/100 percent of all memory */
	struct slab_events events;

	struct qmem_file file;
	struct qmem_complaint unreadable, faulty;
	struct slab_iter iter;
	struct slab_caches caches;
	struct slab_growth growth;
	struct instances all;
	struct sample sample;
	bool readable;      /* the file has been read */
	uint64_t when;      /* last */
	uint64_t looked_at; /* for aliases */
	uint64_t looked;    /* how many caches had been made by then */
	struct qmem_complaint crowded;
	int64_t page;
};

static const struct instances_kind kind = {
	.what = "slab caches",
	.columns = COLUMNS,
	.gauges = (UINT64_C(1) << COLUMNS) - 1,
	.score = UINT64_C(1) << HELD,
	.most = 2 * SLAB_CACHES, /* those of late are forgotten later than their places are given away */
};

static const struct qmem_metric total_metrics[] = {
	METRIC(sample, "held", NULL, held, "pages of slabs, used or not"),
	METRIC(sample, "active", NULL, active,
	       "objects in use; those in the slabs of CPUs are counted as such by the kernel, used or not"),
	METRIC(sample, "waste", NULL, waste,
	       "held and not in use: slabs that are not full, and what is lost between objects"),
	{ 0 },
};

static const struct qmem_metric age_metrics[] = {
	METRIC(sample, "active", NULL, age, "how old the numbers of active objects are"),
	{ 0 },
};

static const struct qmem_metric growing_metrics[] = {
	METRIC(sample, "caches", NULL, growing, "caches of which an event tells that they grow"),
	{ 0 },
};

static const struct qmem_metric growth_metrics[] = {
	METRIC(growth, "rate", NULL, rate, "by which the cache has grown in a window, below 0 if it has shrunk"),
	{ 0 },
};

static const struct qmem_metric cache_metrics[] = {
	METRIC(columns, "held", "num_slabs", v[HELD], "pages of its slabs, used or not"),
	METRIC(columns, "active", NULL, v[ACTIVE], "its objects in use"),
	{ 0 },
};

static const struct qmem_metric objects_metrics[] = {
	METRIC(columns, "total", "num_objs", v[OBJECTS], "objects that its slabs have room for"),
	METRIC(columns, "active", "active_objs", v[OBJECTS_ACTIVE], "objects in use"),
	{ 0 },
};

static const struct qmem_metric object_metrics[] = {
	METRIC(columns, "size", "objsize", v[OBJSIZE], "of an object, with what the allocator puts around it"),
	{ 0 },
};

/* Those of which each cache has one stand together, at the end. */
enum { F_TOTAL, F_AGE, F_GROWING, F_GROWTH, F_CACHE };

static const struct qmem_family families[] = {
	[F_TOTAL] = FAMILY("total", "Slab memory by use", "slabs", "line", total_metrics, BYTES),
	[F_AGE] = FAMILY("age", "Age of the numbers of active objects", "slabs", "line", age_metrics,
			 GAUGE("seconds", QMEM_SECOND, "duration")),
	[F_GROWING] = FAMILY("growing", "Slab caches that grow too fast", "slabs", "line", growing_metrics,
			     GAUGE("caches", 1, "count")),
	[F_GROWTH] = FAMILY("growth", "Slab caches that grow or shrink", "slabs", "line", growth_metrics,
			    GAUGE("bytes/s", 1, "gauge"), .label = "cache"),
	[F_CACHE] = FAMILY("cache", "Slab caches", "slabs", "line", cache_metrics, BYTES, .label = "cache"),
	FAMILY("objects", "Objects of slab caches", "slabs", "line", objects_metrics, GAUGE("objects", 1, "objects"),
	       .label = "cache", .flags = QMEM_DETAIL),
	FAMILY("object", "Size of objects of slab caches", "slabs", "line", object_metrics, BYTES, .label = "cache",
	       .flags = QMEM_DETAIL),
	{ 0 },
};

static const struct qmem_option options[] = {
	{ .name = "Top",
	  .type = QMEM_INT,
	  .offset = offsetof(struct slabinfo_service, top),
	  .def = "5",
	  .min = 0,
	  .max = SLAB_CACHES,
	  .help = "caches shown: those that hold most; the others are summed as '" INSTANCES_OTHER "'" },
	{ .name = "TopGrowers",
	  .type = QMEM_INT,
	  .offset = offsetof(struct slabinfo_service, growers),
	  .def = "3",
	  .min = 0,
	  .max = SLAB_CACHES,
	  .help = "caches whose growth is shown: those that grow or shrink fastest, however large they are" },
	{ .name = "Window",
	  .type = QMEM_DURATION,
	  .offset = offsetof(struct slabinfo_service, window),
	  .def = "5m",
	  .min = INT64_C(10000000000),
	  .max = INT64_C(86400000000000),
	  .help = "time over which growth is measured" },
	{ .name = "Growth",
	  .type = QMEM_PERCENT,
	  .offset = offsetof(struct slabinfo_service, growth_limit),
	  .def = "1%",
	  .min = 0,
	  .max = 10000,
	  .help = "share of all memory: an event tells of a cache that the kernel cannot reclaim, and that grows by more in Window, and in each fifth of it; 0: of none" },
	{ .name = "GrowthReclaimable",
	  .type = QMEM_PERCENT,
	  .offset = offsetof(struct slabinfo_service, growth_limit_reclaimable),
	  .def = "10%",
	  .min = 0,
	  .max = 10000,
	  .help = "the same of a cache that the kernel can reclaim, such as dentry" },
	{ .name = "Who",
	  .type = QMEM_BOOL,
	  .offset = offsetof(struct slabinfo_service, events.ask),
	  .def = "yes",
	  .help = "before that event, let the kernel count for two seconds which processes allocate from the cache, by BPF (Linux 6.1)" },
	{ .name = "NotifyInterval",
	  .type = QMEM_DURATION,
	  .offset = offsetof(struct slabinfo_service, events.repeat),
	  .def = "0",
	  .min = 0,
	  .max = INT64_C(86400000000000),
	  .help = "time between two reminders while a cache goes on growing; 0: none" },
	{ .name = "ActiveAge",
	  .type = QMEM_DURATION,
	  .offset = offsetof(struct slabinfo_service, active_age),
	  .def = "10s",
	  .min = 0,
	  .max = INT64_C(3600000000000),
	  .help = "how old the numbers of /proc/slabinfo may be before it is read again, which without BPF is in each fifth of Window at the latest; 0: it is read each time" },
	{ 0 },
};

/* ---- sources ---- */

static void take_held(void *arg, const struct slab_iter_cache *told)
{
	struct slabinfo_service *s = arg;
	struct slab_cache *cache = slab_caches_find(&s->caches, SLAB_FROM_ITER, told->name, told->len);

	if (!cache)
		return;
	value_add(&cache->held, told->held);
	if (cache->objsize == QMEM_NA)
		cache->objsize = told->objsize;
	if (!s->readable)
		value_add(&cache->num_objs, told->objects);
}

/* Nobody else adds to it. */
static void forget_objects(struct slabinfo_service *s)
{
	if (!s->readable)
		for (size_t i = 0; i < s->caches.n; i++)
			s->caches.all[i].num_objs = QMEM_NA;
}

static int read_iter(struct qmem *q, struct slabinfo_service *s)
{
	int err;

	if (s->iter.link < 0)
		return -ENOTSUP;
	forget_objects(s);
	slab_caches_begin(&s->caches, SLAB_FROM_ITER);
	err = slab_iter_read(&s->iter, take_held, s);
	if (!err)
		return 0;
	qmem_log(q, QMEM_LOG_WARNING, "the BPF iterator has failed, '/%s' is read instead: %s", s->file.path,
		 strerror(-err));
	slab_iter_close(&s->iter);
	/* what was held is of this source, and is not mixed with the other's */
	s->readable = false;
	return err;
}

static void take_line(struct slabinfo_service *s, const struct slabinfo *line, bool held)
{
	struct slab_cache *cache = slab_caches_find(&s->caches, SLAB_FROM_FILE, line->name, line->name_len);
	const int64_t *c = line->column;

	if (!cache)
		return;
	value_add(&cache->active_objs, c[SLABINFO_ACTIVE_OBJS]);
	value_add(&cache->num_objs, c[SLABINFO_NUM_OBJS]);
	value_add(&cache->active, value_times(c[SLABINFO_ACTIVE_OBJS], c[SLABINFO_OBJSIZE]));
	if (cache->objsize == QMEM_NA)
		cache->objsize = c[SLABINFO_OBJSIZE];
	if (held)
		value_add(&cache->held,
			  value_times(value_times(c[SLABINFO_NUM_SLABS], c[SLABINFO_PAGESPERSLAB]), s->page));
}

/* `held`: what it says of pages counts. */
static int read_file(struct qmem *q, struct slabinfo_service *s, bool held)
{
	struct slabinfo_walk walk;
	struct slabinfo line;
	const char *text;
	ssize_t len = qmem_read(q, &s->file, &text);

	if (len < 0)
		return (int)len;
	walk = (struct slabinfo_walk){ .at = text, .end = text + len };
	slab_caches_begin(&s->caches, SLAB_FROM_FILE);
	if (held)
		for (size_t i = 0; i < s->caches.n; i++)
			s->caches.all[i].held = QMEM_NA;
	while (slabinfo_next(&walk, &line))
		take_line(s, &line, held);
	sound_fault(q, &s->faulty, &s->file, 0, &walk.fault);
	s->readable = true;
	s->when = qmem_now(q);
	return 0;
}

/* `held`: growth is measured by it, and each part of the window is to have a reading of its own. */
static bool is_old(struct qmem *q, const struct slabinfo_service *s, bool held)
{
	uint64_t age = (uint64_t)s->active_age;

	if (held && age > s->growth.part)
		age = s->growth.part;
	return !s->readable || qmem_now(q) - s->when >= age;
}

/* Both, as they are due. -errno: nothing is known of now. */
static int read_sources(struct qmem *q, struct slabinfo_service *s)
{
	bool held = read_iter(q, s) != 0;
	int err = 0;

	if (is_old(q, s, held)) {
		err = read_file(q, s, held);
		/* without its privilege, which is no news */
		if (err && (held || s->readable))
			sound_read(q, &s->unreadable, &s->file, err);
		else if (!err)
			sound_read(q, &s->unreadable, &s->file, 0);
	}
	return held ? err : 0;
}

/* ---- what is shown ---- */

/* Of one moment only where both numbers are. */
static void sum_up(struct qmem *q, struct slabinfo_service *s)
{
	struct sample *sample = &s->sample;

	sample->held = QMEM_NA;
	for (size_t i = 0; i < s->caches.n; i++)
		value_add(&sample->held, s->caches.all[i].held);
	if (!s->readable) {
		sample->active = sample->waste = sample->age = QMEM_NA;
		return;
	}
	sample->age = (int64_t)(qmem_now(q) - s->when);
	if (sample->age)
		return;
	sample->active = QMEM_NA;
	for (size_t i = 0; i < s->caches.n; i++)
		if (slab_cache_there(&s->caches, &s->caches.all[i], SLAB_FROM_FILE))
			value_add(&sample->active, s->caches.all[i].active);
	sample->waste = value_minus(sample->held, sample->active);
}

static const struct qmem_label *labels_of(struct slab_cache *cache)
{
	cache->labels[0] = (struct qmem_label){ "aliases", cache->aliases };
	return *cache->aliases ? cache->labels : NULL;
}

static int put(struct slabinfo_service *s)
{
	int err = 0;

	instances_begin(&s->all);
	for (size_t i = 0; !err && i < s->caches.n; i++) {
		struct slab_cache *cache = &s->caches.all[i];
		int64_t columns[COLUMNS] = {
			[HELD] = cache->held,        [ACTIVE] = cache->active,
			[OBJECTS] = cache->num_objs, [OBJECTS_ACTIVE] = cache->active_objs,
			[OBJSIZE] = cache->objsize,
		};

		if (cache->held != QMEM_NA)
			err = instances_put(&s->all, cache->name, cache->len, columns);
		if (!err && cache->held != QMEM_NA && s->all.put)
			s->all.put->labels = labels_of(cache);
	}
	return err;
}

static void emit_growth(struct qmem *q, struct slabinfo_service *s)
{
	for (size_t i = 0; i < s->caches.n; i++) {
		struct slab_cache *cache = &s->caches.all[i];
		const struct qmem_instance instance = { .name = cache->name, .labels = labels_of(cache) };
		const struct growth growth = { cache->rate };

		if (slab_growth_shown(&s->growth, &s->caches, cache))
			qmem_emit(q, &families[F_GROWTH], &instance, &growth);
	}
}

/* Of caches that are new, and again of one that has begun to grow: more may have been merged into it. */
static void look_for_aliases(struct qmem *q, struct slabinfo_service *s)
{
	bool due = s->looked != s->caches.made && (!s->looked || qmem_now(q) - s->looked_at >= ALIASES_APART);

	for (size_t i = 0; !due && i < s->caches.n; i++)
		due = s->caches.all[i].grows && !s->caches.all[i].looked;
	if (!due)
		return;
	slab_aliases_look(q, &s->caches);
	s->looked = s->caches.made;
	s->looked_at = qmem_now(q);
}

static void tell_crowd(struct qmem *q, struct slabinfo_service *s, enum slab_source held)
{
	if (s->caches.left_out[held])
		qmem_complain(q, &s->crowded, "%d slab caches are too many, %zu more are left out", SLAB_CACHES,
			      s->caches.left_out[held]);
	else
		qmem_release(q, &s->crowded, "there is room for all slab caches again");
}

static int reclaimable(void *arg, const struct slab_cache *cache)
{
	return slab_reclaimable(arg, cache);
}

static int collect(struct qmem *q, void *state)
{
	struct slabinfo_service *s = state;
	int err = read_sources(q, s);
	enum slab_source held;

	if (err)
		return err;
	held = s->iter.link >= 0 ? SLAB_FROM_ITER : SLAB_FROM_FILE;
	tell_crowd(q, s, held);
	err = slab_growth_look(&s->growth, &s->caches, held, held == SLAB_FROM_ITER ? qmem_now(q) : s->when,
			       reclaimable, q);
	look_for_aliases(q, s);
	if (!err)
		err = put(s);
	if (err)
		return err;
	sum_up(q, s);
	s->sample.growing = 0;
	for (size_t i = 0; i < s->caches.n; i++)
		s->sample.growing += s->caches.all[i].grows;
	(void)instances_measure(&s->all);
	instances_choose(&s->all, qmem_now(q));
	qmem_emit_all(q, &s->sample);
	emit_growth(q, s);
	/* the size of an object is no sum */
	s->all.other[OBJSIZE] = QMEM_NA;
	instances_emit(q, &s->all, families + F_CACHE);
	slab_events_tell(q, &s->events, &s->caches);
	return 0;
}

/* ---- life ---- */

static void stop(struct qmem *q, void *state)
{
	struct slabinfo_service *s = state;

	slab_events_release(q, &s->events);
	slab_iter_close(&s->iter);
	slab_growth_release(&s->growth);
	slab_caches_release(&s->caches);
	instances_release(&s->all);
	qmem_file_close(&s->file);
}

/* Limits in bytes, of MemTotal; without it there are none. */
static void set_limits(struct qmem *q, struct slabinfo_service *s)
{
	int64_t total = kvfile_key(q, "proc/meminfo", "MemTotal");

	if (total == QMEM_NA)
		return;
	s->growth.limit = (int64_t)((double)total / 10000 * (double)s->growth_limit);
	s->growth.limit_reclaimable = (int64_t)((double)total / 10000 * (double)s->growth_limit_reclaimable);
}

/* What BPF says is of the running kernel: that is not of whom the files are, if these are not its own. */
static int open_iter(struct qmem *q, struct slabinfo_service *s, char *why, size_t size)
{
	struct root *root = root_of(q);
	bool real = root_is_real(root);

	root_drop(root);
	if (real)
		return slab_iter_open(q, &s->iter, why, size);
	s->events.never = "HostRoot is not this kernel's";
	snprintf(why, size, "%s", s->events.never);
	return -ENOTSUP;
}

/* Which sources there are: one of them is enough. */
static int choose(struct qmem *q, struct slabinfo_service *s)
{
	char why[256], buffer[64];
	int iter = open_iter(q, s, why, sizeof(why)), file;
	const char *text, *words;
	ssize_t len = qmem_read(q, &s->file, &text);

	file = len < 0 ? (int)len : 0;
	words = root_words(file, buffer, sizeof(buffer));
	if (iter)
		slab_iter_close(&s->iter);
	if (iter && file == -ENOENT)
		return qmem_fail(q, -ENOTSUP, "this kernel has no '/%s'", s->file.path);
	if (iter && file)
		return qmem_fail(q, file, "'/%s' cannot be read: %s; the BPF iterator: %s", s->file.path, words, why);
	if (file)
		qmem_note(q, "held bytes by a BPF iterator; nothing of active objects: '/%s' cannot be read: %s",
			  s->file.path, words);
	else if (iter)
		qmem_note(q, "all of '/%s', no BPF iterator: %s", s->file.path, why);
	else
		qmem_note(q, "held bytes by a BPF iterator, active objects of '/%s'", s->file.path);
	return 0;
}

static int start(struct qmem *q, void *state)
{
	struct slabinfo_service *s = state;
	int err;

	s->iter.link = -1;
	s->file = QMEM_FILE("proc/slabinfo");
	s->page = sysconf(_SC_PAGESIZE);
	err = instances_init(&s->all, &kind, NULL, false, s->top);
	if (!err)
		err = slab_growth_init(&s->growth, s->window, s->growers);
	if (!err)
		err = choose(q, s);
	if (!err)
		set_limits(q, s);
	return err;
}

static const struct qmem_capability capabilities[] = {
	CAPABILITY(DAC_READ_SEARCH, "active objects; before Linux 6.13 all there is", .file = "/proc/slabinfo",
		   .extra = true),
	CAPABILITY(DAC_READ_SEARCH, "whether a cache that grows can be reclaimed, of those not known by name",
		   .file = "/sys/kernel/slab/*/reclaim_account", .extra = true),
	CAPABILITY(BPF, "who allocates, from Linux 6.1 on; held bytes at each tick, from 6.13 on", .file = "bpf()"),
	CAPABILITY(PERFMON, "who allocates, from Linux 6.1 on; held bytes at each tick, from 6.13 on", .file = "bpf()"),
	{ 0 },
};

const struct qmem_service slabinfo_service = {
	.name = "slabinfo",
	.help = "caches of the slab allocator, and which of them grow",
	.source = "/proc/slabinfo; a BPF iterator of kmem_cache",
	.kernel = "2.6.10; held bytes by BPF: 6.13",
	.privilege = "CAP_DAC_READ_SEARCH; CAP_BPF and CAP_PERFMON for held bytes by BPF, and for who allocates",
	.priority = 1900,
	.families = families,
	.options = options,
	.capabilities = capabilities,
	.state_size = sizeof(struct slabinfo_service),
	.start = start,
	.collect = collect,
	.stop = stop,
};
