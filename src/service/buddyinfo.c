/* SPDX-License-Identifier: MIT */
/*
 * Free memory by the size of its blocks, and how far it is from where the kernel begins to reclaim: for all zones together,
 * and with Detail for each.
 *
 * A zone is short of memory for an allocation when what is free, without what is kept for whoever can only use lower zones
 * (lowmem_reserve), is at a watermark or below: at `low` kswapd is woken, at `min` whoever allocates has to reclaim. It tries
 * one zone after the other, those of other nodes, too: so what is above the mark in all zones together is how much can be
 * allocated before that happens. A process bound to a node, and what needs a lower zone, gets there earlier. Blocks kept for atomic
 * allocations and those of CMA, which only movable memory uses, are counted as if anybody had them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernel/sound.h"
#include "proc/text.h"
#include "rows.h"
#include "service/buddyinfo.h"
#include "services.h"
#include "util/value.h"

#define COSTLY_ORDER 3           /* PAGE_ALLOC_COSTLY_ORDER: up to it the kernel does not give up */
#define ZONEINFO_LONG (64 << 10) /* bytes: with very many CPUs */
#define ZONEINFO_BEAT 10         /* collections from one reading to the next of such a file */

struct buddyinfo {
	int64_t orders[BUDDY_ORDERS];           /* bytes */
	int64_t kswapd, direct;                 /* bytes */
	int64_t unusable_costly, unusable_huge; /* 1/1000 */
	int64_t largest;
};

struct state {
	int64_t max;

	struct qmem_file buddyinfo, zoneinfo;
	struct qmem_complaint buddyinfo_faulty, zoneinfo_faulty, zoneinfo_unread;
	unsigned zoneinfo_wait;
	int huge_order;
	struct buddyzones zones;
	struct buddyinfo sample;
};

/* clang-format off */
#define ORDERS_FROM_1(ROW) \
	ROW(1) ROW(2) ROW(3) ROW(4) ROW(5) ROW(6) ROW(7) ROW(8) ROW(9) ROW(10) ROW(11) ROW(12) ROW(13) ROW(14) ROW(15) ROW(16) \
	ROW(17)
#define ORDERS(ROW) ROW(0) ORDERS_FROM_1(ROW)
/* clang-format on */

static const struct qmem_metric headroom_metrics[] = {
	METRIC(buddyinfo, "kswapd", NULL, kswapd, "what can be allocated before kswapd is woken"),
	METRIC(buddyinfo, "direct", NULL, direct, "what can be allocated before whoever allocates has to reclaim"),
	{ 0 },
};

static const struct qmem_metric orders_metrics[] = {
#define ROW(n_) METRIC(buddyinfo, "order" #n_, NULL, orders[n_], "free memory in blocks of 2^" #n_ " pages"),
	ORDERS(ROW)
#undef ROW
		{ 0 },
};

static const struct qmem_metric unusable_metrics[] = {
	METRIC(buddyinfo, "costly", NULL, unusable_costly,
	       "of free memory, in blocks too small for 8 pages in a row, as slabs and network drivers want them"),
	METRIC(buddyinfo, "huge", NULL, unusable_huge,
	       "of free memory, in blocks too small for a transparent huge page"),
	{ 0 },
};

static const struct qmem_metric largest_metrics[] = {
	METRIC(buddyinfo, "order", NULL, largest,
	       "of the largest block that can be had without reclaim or compaction: 2^order pages; -1: not even one"),
	{ 0 },
};

static const struct qmem_metric watermarks_metrics[] = {
	METRIC(buddyzone_sample, "free", "free", free, "free blocks, without what lies in lists of the CPUs"),
	METRIC(buddyzone_sample, "reserve", NULL, reserve, "kept from whoever could use a higher zone"),
	METRIC(buddyzone_sample, "min", "min", min, "at that and the reserve, whoever allocates has to reclaim"),
	METRIC(buddyzone_sample, "low", "low", low, "at that and the reserve, kswapd is woken"),
	METRIC(buddyzone_sample, "high", "high", high, "at that and the reserve, kswapd sleeps again"),
	{ 0 },
};

static const struct qmem_metric distance_metrics[] = {
	METRIC(buddyzone_sample, "kswapd", NULL, kswapd, "free above low and the reserve"),
	METRIC(buddyzone_sample, "direct", NULL, direct, "free above min and the reserve"),
	{ 0 },
};

static const struct qmem_metric blocks_metrics[] = {
#define ROW(n_) METRIC(buddyzone_sample, "order" #n_, NULL, blocks[n_], "free blocks of 2^" #n_ " pages"),
	ORDERS(ROW)
#undef ROW
		{ 0 },
};

static const struct qmem_metric fragmentation_metrics[] = {
#define ROW(n_) METRIC(buddyzone_sample, "order" #n_, NULL, unusable[n_], "in blocks smaller than 2^" #n_ " pages"),
	ORDERS_FROM_1(ROW)
#undef ROW
		{ 0 },
};

static const struct qmem_metric extfrag_metrics[] = {
#define ROW(n_)                                                                                                        \
	METRIC(buddyzone_sample, "order" #n_, NULL, extfrag[n_],                                                       \
	       "why there is no block of 2^" #n_ " pages: 0 for want of memory, 100 by fragmentation"),
	ORDERS_FROM_1(ROW)
#undef ROW
		{ 0 },
};

#define THOUSANDTHS GAUGE("percent", 10, "percent")

static const struct qmem_family families[] = {
	FAMILY("headroom", "Memory to be had before reclaim", "memory/zones", "line", headroom_metrics, BYTES),
	FAMILY("orders", "Free memory by size of block", "memory/zones", "stacked", orders_metrics, BYTES),
	FAMILY("unusable", "Free memory in blocks too small", "memory/zones", "line", unusable_metrics, THOUSANDTHS),
	FAMILY("largest", "Largest block to be had at once", "memory/zones", "line", largest_metrics,
	       GAUGE("order", 1, "gauge")),
	FAMILY("watermarks", "Watermarks of the zone", "memory/zones", "line", watermarks_metrics, BYTES,
	       .label = "zone", .flags = QMEM_DETAIL),
	FAMILY("distance", "Memory to be had in the zone before reclaim", "memory/zones", "line", distance_metrics,
	       BYTES, .label = "zone", .flags = QMEM_DETAIL),
	FAMILY("blocks", "Free blocks of the zone", "memory/zones", "line", blocks_metrics, GAUGE("blocks", 1, "gauge"),
	       .label = "zone", .flags = QMEM_DETAIL),
	FAMILY("fragmentation", "Free memory of the zone in blocks too small", "memory/zones", "line",
	       fragmentation_metrics, THOUSANDTHS, .label = "zone", .flags = QMEM_DETAIL),
	FAMILY("extfrag", "Why there is no block in the zone", "memory/zones", "line", extfrag_metrics, THOUSANDTHS,
	       .label = "zone", .flags = QMEM_DETAIL),
	{ 0 },
};

static const struct qmem_option options[] = {
	{ .name = "Top",
	  .type = QMEM_INT,
	  .offset = offsetof(struct state, max),
	  .def = "6",
	  .min = 0,
	  .max = 4096,
	  .help = "zones shown with Detail: the largest; the others are summed as 'other'" },
	{ 0 },
};

/* ---- all zones together ---- */

/* What lacks a part is absent. */
static void add_part(int64_t *sum, int64_t part)
{
	if (*sum != QMEM_NA && (part == QMEM_NA || __builtin_add_overflow(*sum, part, sum)))
		*sum = QMEM_NA;
}

static void derive(struct state *s)
{
	struct buddyinfo *m = &s->sample;
	int64_t blocks[BUDDY_ORDERS] = { 0 }, above_low = 0, above_min = 0;
	int orders = 0;

	m->largest = QMEM_NA;
	for (size_t i = 0; i < s->zones.n; i++) {
		const struct buddyzone *z = &s->zones.all[i];
		int64_t largest;

		if (!buddyzone_there(&s->zones, z))
			continue;
		if (z->orders > orders)
			orders = z->orders;
		for (int order = 0; order < z->orders; order++)
			add_part(&blocks[order], z->blocks[order]);
		add_part(&above_low, buddyzone_above(z, ZONE_LOW));
		add_part(&above_min, buddyzone_above(z, ZONE_MIN));
		largest = buddyzone_largest(z);
		if (largest > m->largest)
			m->largest = largest;
	}
	m->kswapd = value_times(above_low, s->zones.page_size);
	m->direct = value_times(above_min, s->zones.page_size);
	for (int order = 0; order < BUDDY_ORDERS; order++)
		m->orders[order] = order < orders ? value_times(value_times(blocks[order], INT64_C(1) << order),
								s->zones.page_size) :
						    QMEM_NA;
	m->unusable_costly = buddy_unusable(blocks, orders, COSTLY_ORDER);
	/* else no block is as large on this kernel, however much is free */
	m->unusable_huge = s->huge_order < orders ? buddy_unusable(blocks, orders, s->huge_order) : QMEM_NA;
}

/* ---- the files ---- */

static int read_blocks(struct qmem *q, struct state *s)
{
	struct buddy_walk walk = { .at = NULL };
	const char *text;
	ssize_t len = qmem_read(q, &s->buddyinfo, &text);
	struct buddy buddy;
	bool any = false;
	int err = 0;

	if (len < 0)
		return (int)len;
	walk.at = text;
	walk.end = text + len;
	buddyzones_begin(&s->zones);
	while (!err && buddy_next(&walk, &buddy)) {
		err = buddyzones_put(&s->zones, &buddy);
		any = true;
	}
	if (err)
		return err;
	if (!any)
		return sound_fail(q, &s->buddyinfo, -ENODATA, &walk.fault);
	sound_fault(q, &s->buddyinfo_faulty, &s->buddyinfo, 0, &walk.fault);
	return 0;
}

static void read_marks(struct qmem *q, struct state *s)
{
	struct zone_walk walk = { .at = NULL };
	const char *text;
	struct zone zone;
	ssize_t len;

	if (s->zoneinfo_wait) {
		s->zoneinfo_wait--;
		return;
	}
	len = qmem_read(q, &s->zoneinfo, &text);
	sound_read(q, &s->zoneinfo_unread, &s->zoneinfo, len < 0 ? (int)len : 0);
	buddyzones_forget_marks(&s->zones);
	if (len < 0)
		return;
	if (len > ZONEINFO_LONG)
		s->zoneinfo_wait = ZONEINFO_BEAT - 1;
	walk.at = text;
	walk.end = text + len;
	s->zones.line = 0;
	while (zone_next(&walk, &zone))
		buddyzones_mark(&s->zones, &zone);
	sound_fault(q, &s->zoneinfo_faulty, &s->zoneinfo, 0, &walk.fault);
}

static int collect(struct qmem *q, void *state)
{
	struct state *s = state;
	int err = read_blocks(q, s);

	if (err)
		return err;
	read_marks(q, s);
	derive(s);
	qmem_emit_all(q, &s->sample);
	buddyzones_emit(q, &s->zones, families);
	return 0;
}

/* ---- life ---- */

static int huge_order(struct qmem *q, int64_t page_size)
{
	char text[32];
	ssize_t len = qmem_read_once(q, text, sizeof(text), "sys/kernel/mm/transparent_hugepage/hpage_pmd_size");
	int64_t bytes;

	if (len > 0 && !text_alone(text, (size_t)len, &bytes) && bytes >= page_size)
		return 63 - __builtin_clzll((unsigned long long)(bytes / page_size));
	/* most often a page table has a page of 8-byte entries, and what it maps is a huge page; not on s390 and powerpc */
	return __builtin_ctzll((unsigned long long)page_size / 8);
}

static void stop(struct qmem *q, void *state)
{
	struct state *s = state;

	(void)q;
	buddyzones_release(&s->zones);
	qmem_file_close(&s->buddyinfo);
	qmem_file_close(&s->zoneinfo);
}

static int start(struct qmem *q, void *state)
{
	struct state *s = state;
	int64_t page_size = sysconf(_SC_PAGESIZE);
	const char *text;
	int err = buddyzones_init(&s->zones, s->max, page_size);

	s->buddyinfo = QMEM_FILE("proc/buddyinfo");
	s->zoneinfo = QMEM_FILE("proc/zoneinfo");
	s->huge_order = huge_order(q, page_size);
	if (!err && qmem_read(q, &s->buddyinfo, &text) == -ENOENT)
		err = qmem_fail(q, -ENOTSUP, "no '/%s'", s->buddyinfo.path);
	return err;
}

const struct qmem_service buddyinfo_service = {
	.name = "buddyinfo",
	.help = "free memory by size of block, and how far it is from reclaim",
	.source = "/proc/{buddyinfo,zoneinfo}",
	.kernel = "2.6",
	.privilege = "none",
	.priority = 900,
	.families = families,
	.options = options,
	.state_size = sizeof(struct state),
	.start = start,
	.collect = collect,
	.stop = stop,
};
