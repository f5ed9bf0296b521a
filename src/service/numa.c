/* SPDX-License-Identifier: MIT */
/*
 * Memory by NUMA node, and where it was allocated. On a machine with one node meminfo and vmstat have all of that. A node without
 * memory has no line of memory, one that has no processors either and has never given a page has none at all.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/instances.h"
#include "kernel/nodes.h"
#include "kernel/smallfile.h"
#include "proc/nodeinfo.h"
#include "rows.h"
#include "services.h"
#include "util/value.h"

#define OPEN_MOST 128

enum column {
	USED = NODE_VALUES,
	COUNTERS,
	COLUMNS = COUNTERS + NUMASTAT_VALUES,
};

struct columns {
	int64_t v[COLUMNS];
};

struct imbalance {
	int64_t used, held; /* 1/100 percent */
};

struct node {
	uint32_t id;
	bool has_cpus;
	char name[16];
	struct smallfile meminfo, numastat;
};

struct numa {
	int64_t max;

	struct nodes online;
	struct node *all;
	size_t n;
	struct smallfiles files;
	struct instances by_node;
	struct imbalance sample;
};

static const struct instances_kind kind = {
	.what = "nodes",
	.columns = COLUMNS,
	.gauges = (UINT64_C(1) << COUNTERS) - 1,
	.score = UINT64_C(1) << NODE_TOTAL,
	.most = NODES_MOST,
	.sparse = true,
};

static const struct qmem_metric memory_metrics[] = {
	METRIC(columns, "total", "MemTotal", v[NODE_TOTAL], "all memory of the node"),
	METRIC(columns, "used", NULL, v[USED], "MemTotal - MemFree: the page cache included"),
	METRIC(columns, "free", "MemFree", v[NODE_FREE], "used for nothing"),
	{ 0 },
};

static const struct qmem_metric usage_metrics[] = {
	METRIC(columns, "file", "FilePages", v[NODE_FILE], "the page cache, shared memory included"),
	METRIC(columns, "anon", "AnonPages", v[NODE_ANON], "anonymous memory mapped by processes"),
	METRIC(columns, "shmem", "Shmem", v[NODE_SHMEM], "shared memory and tmpfs"),
	METRIC(columns, "slab_reclaimable", "SReclaimable", v[NODE_SLAB_RECLAIMABLE],
	       "slab caches the kernel can shrink"),
	METRIC(columns, "slab_unreclaimable", "SUnreclaim", v[NODE_SLAB_UNRECLAIMABLE], "objects in use by the kernel"),
	METRIC(columns, "stack", "KernelStack", v[NODE_STACK], "kernel stacks of tasks"),
	METRIC(columns, "page_tables", "PageTables", v[NODE_PAGE_TABLES], "page tables of processes"),
	{ 0 },
};

static const struct qmem_metric allocations_metrics[] = {
	METRIC(columns, "hit", "numa_hit", v[COUNTERS + NUMA_HIT], "allocated here, as was meant"),
	METRIC(columns, "miss", "numa_miss", v[COUNTERS + NUMA_MISS], "allocated here though another node was meant"),
	METRIC(columns, "foreign", "numa_foreign", v[COUNTERS + NUMA_FOREIGN],
	       "meant for here, allocated on another node"),
	METRIC(columns, "interleave", "interleave_hit", v[COUNTERS + NUMA_INTERLEAVE],
	       "interleaved, and allocated here as was meant"),
	METRIC(columns, "local", "local_node", v[COUNTERS + NUMA_LOCAL], "allocated here by a task that ran here"),
	METRIC(columns, "other", "other_node", v[COUNTERS + NUMA_OTHER], "allocated here by a task on another node"),
	{ 0 },
};

static const struct qmem_metric imbalance_metrics[] = {
	METRIC(imbalance, "used", NULL, used,
	       "how much more of the fullest node is used than of the emptiest, of those with processors"),
	METRIC(imbalance, "held", NULL, held, "the same without the page cache of files and reclaimable slabs"),
	{ 0 },
};

static const struct qmem_family families[] = {
	FAMILY("memory", "Memory of the node", "memory/nodes", "line", memory_metrics, BYTES, .label = "node"),
	FAMILY("allocations", "Pages allocated on the node", "memory/nodes", "line", allocations_metrics, PAGES,
	       .label = "node"),
	FAMILY("imbalance", "Nodes filled unevenly", "memory/nodes", "line", imbalance_metrics,
	       GAUGE("percent", 100, "percent")),
	FAMILY("usage", "Memory of the node by use", "memory/nodes", "line", usage_metrics, BYTES, .label = "node",
	       .flags = QMEM_DETAIL),
	{ 0 },
};

static const struct qmem_option options[] = {
	{ .name = "Top",
	  .type = QMEM_INT,
	  .offset = offsetof(struct numa, max),
	  .def = "3",
	  .min = 0,
	  .max = NODES_MOST,
	  .help = "nodes shown: those with most memory; the others are summed as '" INSTANCES_OTHER "'" },
	{ 0 },
};

/* ---- which nodes there are ---- */

static void close_all(struct numa *s)
{
	for (size_t i = 0; i < s->n; i++) {
		smallfile_close(&s->files, &s->all[i].meminfo);
		smallfile_close(&s->files, &s->all[i].numastat);
	}
	free(s->all);
	s->all = NULL;
	s->n = 0;
}

static bool has_cpus(struct qmem *q, uint32_t id)
{
	char text[16] = "";
	ssize_t len = qmem_read_once(q, text, sizeof(text) - 1, "sys/devices/system/node/node%u/cpulist", (unsigned)id);

	return len > 0 && *text != '\n';
}

static int name_all(struct qmem *q, struct numa *s)
{
	close_all(s);
	s->all = calloc(s->online.n, sizeof(*s->all));
	if (!s->all)
		return -ENOMEM;
	s->n = s->online.n;
	for (size_t i = 0; i < s->n; i++) {
		struct node *node = &s->all[i];

		node->id = s->online.ids[i];
		node->has_cpus = has_cpus(q, node->id);
		snprintf(node->name, sizeof(node->name), "%u", (unsigned)node->id);
		(void)smallfile_name(&node->meminfo, "sys/devices/system/node/node%u/meminfo", (unsigned)node->id);
		(void)smallfile_name(&node->numastat, "sys/devices/system/node/node%u/numastat", (unsigned)node->id);
	}
	return 0;
}

/* ---- a node ---- */

static void read_node(struct qmem *q, struct numa *s, struct node *node, struct columns *ret)
{
	struct fault fault = { .n = 0 };
	const char *text = "";
	ssize_t len = smallfile_read(q, &s->files, &node->meminfo, &text);

	(void)nodeinfo_parse(text, len > 0 ? (size_t)len : 0, node->id, ret->v, &fault);
	if (fault.n)
		smallfiles_wrong(&s->files, node->meminfo.path);
	text = "";
	fault.n = 0;
	len = smallfile_read(q, &s->files, &node->numastat, &text);
	(void)numastat_parse(text, len > 0 ? (size_t)len : 0, ret->v + COUNTERS, &fault);
	if (fault.n)
		smallfiles_wrong(&s->files, node->numastat.path);
	ret->v[USED] = value_minus(ret->v[NODE_TOTAL], ret->v[NODE_FREE]);
}

static void leave_out(int64_t *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		values[i] = QMEM_NA;
}

/* What would be an empty chart. */
static void drop_nothing(const struct node *node, struct columns *c)
{
	int64_t pages = 0;

	if (c->v[NODE_TOTAL] != 0)
		return;
	leave_out(c->v, COUNTERS);
	for (int i = COUNTERS; i < COLUMNS; i++)
		value_add(&pages, c->v[i]);
	if (!node->has_cpus && !pages)
		leave_out(c->v + COUNTERS, NUMASTAT_VALUES);
}

struct range {
	int64_t least, most;
	int n;
};

static void widen(struct range *r, int64_t share)
{
	if (share == QMEM_NA)
		return;
	if (!r->n || share < r->least)
		r->least = share;
	if (!r->n || share > r->most)
		r->most = share;
	r->n++;
}

static int64_t width(const struct range *r)
{
	return r->n < 2 ? QMEM_NA : r->most - r->least;
}

static int collect(struct qmem *q, void *state)
{
	struct numa *s = state;
	struct range used = { .n = 0 }, held = { .n = 0 };
	int err = nodes_read(q, &s->online);

	if (err > 0)
		err = name_all(q, s);
	if (err)
		return err;
	smallfiles_begin(&s->files);
	instances_begin(&s->by_node);
	for (size_t i = 0; !err && i < s->n; i++) {
		struct node *node = &s->all[i];
		struct columns c;
		int64_t cache;

		read_node(q, s, node, &c);
		cache = value_sum(c.v[NODE_ACTIVE_FILE], c.v[NODE_INACTIVE_FILE]);
		if (c.v[NODE_ACTIVE_FILE] == QMEM_NA || c.v[NODE_INACTIVE_FILE] == QMEM_NA)
			cache = QMEM_NA;
		/* memory without processors is filled last */
		if (node->has_cpus) {
			widen(&used, value_ratio(c.v[USED], c.v[NODE_TOTAL]));
			widen(&held, value_ratio(value_minus(value_minus(c.v[USED], cache), c.v[NODE_SLAB_RECLAIMABLE]),
						 c.v[NODE_TOTAL]));
		}
		drop_nothing(node, &c);
		err = instances_put(&s->by_node, node->name, strlen(node->name), c.v);
	}
	if (err)
		return err;
	smallfiles_tell(q, &s->files);
	(void)instances_measure(&s->by_node);
	instances_choose(&s->by_node, qmem_now(q));
	instances_emit(q, &s->by_node, families);
	s->sample = (struct imbalance){ width(&used), width(&held) };
	qmem_emit_all(q, &s->sample);
	return 0;
}

/* ---- life ---- */

static void stop(struct qmem *q, void *state)
{
	struct numa *s = state;

	(void)q;
	close_all(s);
	nodes_release(&s->online);
	instances_release(&s->by_node);
}

static int start(struct qmem *q, void *state)
{
	struct numa *s = state;
	int err = instances_init(&s->by_node, &kind, NULL, false, s->max);

	s->files.most = OPEN_MOST;
	nodes_init(&s->online);
	if (err)
		return err;
	err = nodes_read(q, &s->online);
	if (err == -ENOENT)
		return qmem_fail(q, -ENOTSUP, "no '/%s'", s->online.file.path);
	if (err < 0)
		return err;
	if (s->online.n < 2)
		return qmem_fail(q, -ENOTSUP, "one node only: meminfo and vmstat have all of it");
	return name_all(q, s);
}

const struct qmem_service numa_service = {
	.name = "numa",
	.help = "memory by NUMA node, and where it was allocated",
	.source = "/sys/devices/system/node/nodeN/{meminfo,numastat,cpulist}",
	.kernel = "2.6 (CONFIG_NUMA)",
	.privilege = "none",
	.priority = 700,
	.families = families,
	.options = options,
	.state_size = sizeof(struct numa),
	.start = start,
	.collect = collect,
	.stop = stop,
};
