/* SPDX-License-Identifier: MIT */
/*
 * Pools of huge pages by size, and by node where there are several. What meminfo has of the pool of the default size is not
 * repeated. A pool is shown from when it has had a page, or a limit.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/instances.h"
#include "kernel/nodes.h"
#include "kernel/smallfile.h"
#include "proc/kv.h"
#include "rows.h"
#include "services.h"
#include "util/value.h"

#define DIRECTORY "sys/kernel/mm/hugepages"
#define SIZES_MOST 16 /* architectures have up to six */
#define POOLS_MOST 4096
#define OPEN_MOST 128

enum file { TOTAL, FREE, SURPLUS, RESERVED, OVERCOMMIT, FILES };
#define NODE_FILES RESERVED /* nodes have the first ones only */

static const char *const names[FILES] = {
	[TOTAL] = "nr_hugepages",
	[FREE] = "free_hugepages",
	[SURPLUS] = "surplus_hugepages",
	[RESERVED] = "resv_hugepages",
	[OVERCOMMIT] = "nr_overcommit_hugepages",
};

/* Bytes. */
struct pool_sample {
	int64_t used, reserved, free;
	int64_t total, surplus, overcommit;
};

struct size {
	int64_t bytes; /* of a page */
	char name[24]; /* "2048kB" */
	bool is_default, shown;
	struct smallfile file[FILES];
	struct pool_sample sample;
};

/* Of a node. */
enum column { NODE_USED, NODE_FREE, NODE_SURPLUS, NODE_TOTAL, COLUMNS };

struct columns {
	int64_t v[COLUMNS];
};

struct pool {
	const struct size *size;
	char name[40]; /* "0_2048kB" */
	bool shown;
	struct smallfile file[NODE_FILES];
};

struct state {
	int64_t max;

	struct size sizes[SIZES_MOST];
	size_t n;
	struct nodes online;
	struct pool *pools;
	size_t n_pools;
	bool noted, told; /* that there is something */
	struct smallfiles files;
	struct instances by_node;
};

static const struct instances_kind kind = {
	.what = "pools",
	.columns = COLUMNS,
	.gauges = (UINT64_C(1) << COLUMNS) - 1,
	.score = UINT64_C(1) << NODE_TOTAL,
	.most = POOLS_MOST,
};

static const struct qmem_metric pool_metrics[] = {
	METRIC(pool_sample, "used", NULL, used,
	       "(nr_hugepages - free_hugepages) * size: mapped, or files of hugetlbfs"),
	METRIC(pool_sample, "reserved", "resv_hugepages", reserved, "promised to a mapping, not yet touched"),
	METRIC(pool_sample, "free", NULL, free, "(free_hugepages - resv_hugepages) * size: to be had"),
	{ 0 },
};

static const struct qmem_metric limits_metrics[] = {
	METRIC(pool_sample, "total", "nr_hugepages", total, "all pages of the pool, those of surplus included"),
	METRIC(pool_sample, "surplus", "surplus_hugepages", surplus,
	       "beyond its fixed size, given back when free; of the default size meminfo has it"),
	METRIC(pool_sample, "overcommit", "nr_overcommit_hugepages", overcommit, "so much surplus there may be"),
	{ 0 },
};

static const struct qmem_metric node_metrics[] = {
	METRIC(columns, "used", NULL, v[NODE_USED], "(nr_hugepages - free_hugepages) * size of the node"),
	METRIC(columns, "free", "free_hugepages", v[NODE_FREE], "free pages of the node, the reserved included"),
	METRIC(columns, "surplus", "surplus_hugepages", v[NODE_SURPLUS], "of all these, beyond the pool's fixed size"),
	{ 0 },
};

static const struct qmem_family families[] = {
	FAMILY("pool", "Huge page pool of the size", "memory/huge page pools", "stacked", pool_metrics, BYTES,
	       .label = "size"),
	FAMILY("limits", "Huge page pool, total and limits", "memory/huge page pools", "line", limits_metrics, BYTES,
	       .label = "size"),
	FAMILY("node", "Huge page pool of the node", "memory/huge page pools", "line", node_metrics, BYTES,
	       .label = "pool"),
	{ 0 },
};

/* Of these each instance is a pool of a node. */
static const struct qmem_family *const node_families = &families[2];

static const struct qmem_option options[] = {
	{ .name = "Top",
	  .type = QMEM_INT,
	  .offset = offsetof(struct state, max),
	  .def = "3",
	  .min = 0,
	  .max = POOLS_MOST,
	  .help = "pools of nodes shown: the largest; the others are summed as '" INSTANCES_OTHER "'" },
	{ 0 },
};

/* ---- what there is ---- */

static int add_size(struct qmem *q, const char *name, int64_t number, void *arg)
{
	struct state *s = arg;
	struct size *size = &s->sizes[s->n];

	(void)q;
	/* a page has a size */
	if (s->n == SIZES_MOST || !number || __builtin_mul_overflow(number, 1024, &size->bytes))
		return 0;
	snprintf(size->name, sizeof(size->name), "%s", name + strlen("hugepages-"));
	for (int i = 0; i < FILES; i++)
		(void)smallfile_name(&size->file[i], DIRECTORY "/%s/%s", name, names[i]);
	s->n++;
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	const struct size *x = a, *y = b;

	return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

/* It is one for as long as the kernel runs. */
static int find_default(struct qmem *q, struct state *s)
{
	struct default_size {
		int64_t bytes;
	} found;
	static const struct kv_key keys[] = { KV_KEY(default_size, "Hugepagesize", bytes, 0), { 0 } };
	char text[8192];
	ssize_t len = qmem_read_once(q, text, sizeof(text), "proc/meminfo");
	struct kv kv;
	int err = kv_init(&kv, KV_COLON, NULL, keys);

	if (err)
		return err;
	kv_parse(&kv, text, len > 0 ? (size_t)len : 0, &found, NULL);
	kv_release(&kv);
	for (size_t i = 0; i < s->n; i++)
		s->sizes[i].is_default = s->sizes[i].bytes == found.bytes;
	return 0;
}

static void close_pools(struct state *s)
{
	for (size_t i = 0; i < s->n_pools; i++)
		for (int k = 0; k < NODE_FILES; k++)
			smallfile_close(&s->files, &s->pools[i].file[k]);
	free(s->pools);
	s->pools = NULL;
	s->n_pools = 0;
}

/* With one node they are those of the machine. */
static int name_pools(struct state *s)
{
	size_t nodes = s->online.n > 1 ? s->online.n : 0;

	close_pools(s);
	if (!nodes || !s->n)
		return 0;
	s->pools = calloc(nodes * s->n, sizeof(*s->pools));
	if (!s->pools)
		return -ENOMEM;
	for (size_t i = 0; i < nodes; i++)
		for (size_t k = 0; k < s->n; k++) {
			struct pool *p = &s->pools[s->n_pools++];
			unsigned id = s->online.ids[i];

			p->size = &s->sizes[k];
			snprintf(p->name, sizeof(p->name), "%u_%s", id, p->size->name);
			for (int f = 0; f < NODE_FILES; f++)
				(void)smallfile_name(&p->file[f],
						     "sys/devices/system/node/node%u/hugepages/hugepages-%s/%s", id,
						     p->size->name, names[f]);
		}
	return 0;
}

/* ---- values ---- */

static int64_t pages(struct qmem *q, struct state *s, struct smallfile *f, int64_t total)
{
	/* a pool without a page has no other number than 0 */
	return total == 0 ? 0 : smallfile_number(q, &s->files, f);
}

static void read_size(struct qmem *q, struct state *s, struct size *z)
{
	struct pool_sample *m = &z->sample;
	int64_t total = smallfile_number(q, &s->files, &z->file[TOTAL]);
	int64_t overcommit = smallfile_number(q, &s->files, &z->file[OVERCOMMIT]);
	int64_t free = pages(q, s, &z->file[FREE], total), surplus = pages(q, s, &z->file[SURPLUS], total);
	int64_t reserved = pages(q, s, &z->file[RESERVED], total);

	if (reserved != QMEM_NA && free != QMEM_NA)
		reserved = value_least(reserved, free);
	z->shown |= (total != QMEM_NA && total) || (overcommit != QMEM_NA && overcommit);
	m->total = value_times(total, z->bytes);
	m->overcommit = value_times(overcommit, z->bytes);
	m->surplus = m->used = m->reserved = m->free = QMEM_NA;
	if (z->is_default)
		return;
	m->surplus = value_times(surplus, z->bytes);
	m->used = value_times(value_minus(total, free), z->bytes);
	m->reserved = value_times(reserved, z->bytes);
	m->free = value_times(value_minus(free, reserved), z->bytes);
}

static void emit_size(struct qmem *q, const struct size *z)
{
	const struct qmem_instance instance = { .name = z->name };

	if (!z->is_default)
		qmem_emit(q, &families[0], &instance, &z->sample);
	qmem_emit(q, &families[1], &instance, &z->sample);
}

static int put_pool(struct qmem *q, struct state *s, struct pool *p)
{
	int64_t total = smallfile_number(q, &s->files, &p->file[TOTAL]), bytes = p->size->bytes;
	int64_t free = pages(q, s, &p->file[FREE], total), surplus = pages(q, s, &p->file[SURPLUS], total);
	const int64_t columns[COLUMNS] = {
		[NODE_USED] = value_times(value_minus(total, free), bytes),
		[NODE_FREE] = value_times(free, bytes),
		[NODE_SURPLUS] = value_times(surplus, bytes),
		[NODE_TOTAL] = value_times(total, bytes),
	};

	p->shown |= total != QMEM_NA && total;
	return p->shown ? instances_put(&s->by_node, p->name, strlen(p->name), columns) : 0;
}

static void note(struct qmem *q, struct state *s)
{
	bool any = false;

	for (size_t i = 0; i < s->n; i++)
		any |= s->sizes[i].shown;
	if (any != s->told || !s->noted)
		qmem_note(q, "%s", any ? "" : "none so far: no pool has a page");
	s->told = any;
	s->noted = true;
}

static int collect(struct qmem *q, void *state)
{
	struct state *s = state;
	int err = 0;

	/* a kernel without NUMA has no such file */
	if (s->online.n && nodes_read(q, &s->online) > 0)
		err = name_pools(s);
	if (err)
		return err;
	smallfiles_begin(&s->files);
	for (size_t i = 0; i < s->n; i++) {
		read_size(q, s, &s->sizes[i]);
		if (s->sizes[i].shown)
			emit_size(q, &s->sizes[i]);
	}
	instances_begin(&s->by_node);
	for (size_t i = 0; !err && i < s->n_pools; i++)
		err = put_pool(q, s, &s->pools[i]);
	if (err)
		return err;
	smallfiles_tell(q, &s->files);
	(void)instances_measure(&s->by_node);
	instances_choose(&s->by_node, qmem_now(q));
	instances_emit(q, &s->by_node, node_families);
	note(q, s);
	return 0;
}

/* ---- life ---- */

static void stop(struct qmem *q, void *state)
{
	struct state *s = state;

	(void)q;
	close_pools(s);
	for (size_t i = 0; i < s->n; i++)
		for (int k = 0; k < FILES; k++)
			smallfile_close(&s->files, &s->sizes[i].file[k]);
	nodes_release(&s->online);
	instances_release(&s->by_node);
}

static int start(struct qmem *q, void *state)
{
	struct state *s = state;
	int err = instances_init(&s->by_node, &kind, NULL, false, s->max);

	s->files.most = OPEN_MOST;
	nodes_init(&s->online);
	if (!err)
		err = smallfiles_list(q, DIRECTORY, "hugepages-", "kB", add_size, s);
	if (err)
		return err;
	if (!s->n)
		return qmem_fail(q, -ENOTSUP, "no '/" DIRECTORY "'");
	qsort(s->sizes, s->n, sizeof(*s->sizes), by_bytes);
	err = find_default(q, s);
	if (err)
		return err;
	(void)nodes_read(q, &s->online);
	for (size_t i = 0; i < s->n; i++)
		read_size(q, s, &s->sizes[i]);
	note(q, s);
	return name_pools(s);
}

const struct qmem_service hugepages_service = {
	.name = "hugepages",
	.help = "pools of huge pages by size and node",
	.source = "/" DIRECTORY "/SIZE/{nr,free,surplus,resv,nr_overcommit}_hugepages",
	.kernel = "2.6.27 (CONFIG_HUGETLBFS)",
	.privilege = "none",
	.priority = 500,
	.families = families,
	.options = options,
	.state_size = sizeof(struct state),
	.start = start,
	.collect = collect,
	.stop = stop,
};
