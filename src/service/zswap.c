/* SPDX-License-Identifier: MIT */
/*
 * The compressed cache in front of swap: how good it is, how full, and what of swap is really on a device. Two sources tell of the
 * same: /proc/meminfo since Linux 5.19, and debugfs, which only root may read, and where pool_total_size is in bytes and all else
 * in pages. What meminfo and vmstat show of it is not shown again.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernel/kvfile.h"
#include "kernel/sound.h"
#include "proc/columns.h"
#include "rows.h"
#include "services.h"
#include "util/value.h"
#include "util/words.h"

#define DEBUG_RETRY 60 /* collections between looks for debugfs */

enum number {
	/* parameters of the module */
	ENABLED,
	MAX_POOL_PERCENT,
	/* debugfs */
	STORED_PAGES,
	POOL_TOTAL_SIZE,
	SAME_FILLED_PAGES,
	STORED_INCOMPRESSIBLE_PAGES,
	WRITTEN_BACK_PAGES,
	POOL_LIMIT_HIT,
	REJECT_COMPRESS_POOR,
	REJECT_COMPRESS_FAIL,
	REJECT_ALLOC_FAIL,
	REJECT_KMEMCACHE_FAIL,
	REJECT_RECLAIM_FAIL,
	DECOMPRESS_FAIL,
	NUMBERS
};
#define FIRST_DEBUG STORED_PAGES

static const struct {
	const char *name[1], *path;
} numbers[NUMBERS] = {
#define PARAMETER(index_, name_) [index_] = { { name_ }, "sys/module/zswap/parameters/" name_ }
#define DEBUG(index_, name_) [index_] = { { name_ }, "sys/kernel/debug/zswap/" name_ }
	PARAMETER(ENABLED, "enabled"),
	PARAMETER(MAX_POOL_PERCENT, "max_pool_percent"),
	DEBUG(STORED_PAGES, "stored_pages"),
	DEBUG(POOL_TOTAL_SIZE, "pool_total_size"),
	DEBUG(SAME_FILLED_PAGES, "same_filled_pages"),
	DEBUG(STORED_INCOMPRESSIBLE_PAGES, "stored_incompressible_pages"),
	DEBUG(WRITTEN_BACK_PAGES, "written_back_pages"),
	DEBUG(POOL_LIMIT_HIT, "pool_limit_hit"),
	DEBUG(REJECT_COMPRESS_POOR, "reject_compress_poor"),
	DEBUG(REJECT_COMPRESS_FAIL, "reject_compress_fail"),
	DEBUG(REJECT_ALLOC_FAIL, "reject_alloc_fail"),
	DEBUG(REJECT_KMEMCACHE_FAIL, "reject_kmemcache_fail"),
	DEBUG(REJECT_RECLAIM_FAIL, "reject_reclaim_fail"),
	DEBUG(DECOMPRESS_FAIL, "decompress_fail"),
#undef PARAMETER
#undef DEBUG
};

struct sample {
	int64_t MemTotal, SwapTotal, SwapFree, Zswap, Zswapped; /* bytes */
	int64_t now[NUMBERS];
	int64_t pool, stored, same, incompressible, disk; /* bytes */
	int64_t compression;                              /* 1/100 */
	int64_t fill;                                     /* 1/100 percent */
};

struct zswap {
	struct kvfile meminfo;
	struct {
		struct qmem_file file;
		struct qmem_complaint faulty;
		bool lacking;
	} files[NUMBERS];
	unsigned wait;     /* collections until debugfs is looked for again */
	int debug;         /* what has come of that: 0 or -errno */
	bool writes_known; /* vmstat tells what is written back */
	bool noted, waits;
	int noted_debug;
};

static const struct qmem_metric ratio_metrics[] = {
	METRIC(sample, "compression", NULL, compression, "stored / pool: how many times its cost it holds"),
	{ 0 },
};

static const struct qmem_metric fill_metrics[] = {
	METRIC(sample, "pool", NULL, fill,
	       "of what max_pool_percent allows of memory; at the end of it pages are moved to the device"),
	{ 0 },
};

static const struct qmem_metric disk_metrics[] = {
	METRIC(sample, "used", NULL, disk, "of swap in use: what is not in the cache, and so has really been written"),
	{ 0 },
};

static const struct qmem_metric memory_metrics[] = {
	METRIC(sample, "pool", "pool_total_size", pool,
	       "memory the compressed pages take (before 5.19; then meminfo.zswap)"),
	METRIC(sample, "stored", "stored_pages", stored, "what they would take uncompressed (before 5.19)"),
	{ 0 },
};

static const struct qmem_metric pages_metrics[] = {
	METRIC(sample, "same_filled", "same_filled_pages", same,
	       "of what is stored, pages of one repeated word, which take no memory (4.16 to 6.11)"),
	METRIC(sample, "incompressible", "stored_incompressible_pages", incompressible,
	       "of what is stored, pages that are kept as they are (6.18)"),
	{ 0 },
};

static const struct qmem_metric rejected_metrics[] = {
	METRIC(sample, "compress_poor", "reject_compress_poor", now[REJECT_COMPRESS_POOR],
	       "compressing it would save nothing"),
	METRIC(sample, "compress_fail", "reject_compress_fail", now[REJECT_COMPRESS_FAIL],
	       "it could not be compressed"),
	METRIC(sample, "alloc", "reject_alloc_fail", now[REJECT_ALLOC_FAIL], "no memory for it"),
	METRIC(sample, "kmemcache", "reject_kmemcache_fail", now[REJECT_KMEMCACHE_FAIL], "no memory for its entry"),
	METRIC(sample, "reclaim", "reject_reclaim_fail", now[REJECT_RECLAIM_FAIL],
	       "the pool was full, and nothing could be moved out of it"),
	METRIC(sample, "limit", "pool_limit_hit", now[POOL_LIMIT_HIT], "the pool was full"),
	{ 0 },
};

static const struct qmem_metric failed_metrics[] = {
	METRIC(sample, "decompress", "decompress_fail", now[DECOMPRESS_FAIL], "what was stored could not be had back"),
	{ 0 },
};

static const struct qmem_metric written_metrics[] = {
	METRIC(sample, "pages", "written_back_pages", now[WRITTEN_BACK_PAGES],
	       "moved from the cache to the device (before 6.8; then vmstat.swap_cache)"),
	{ 0 },
};

enum { F_RATIO, F_FILL, F_DISK, F_MEMORY, F_PAGES, F_REJECTED, F_WRITTEN, F_FAILED };

static const struct qmem_family families[] = {
	[F_RATIO] = FAMILY("ratio", "What zswap is good for", "memory/zswap", "line", ratio_metrics,
			   GAUGE("ratio", 100, "gauge")),
	[F_FILL] = FAMILY("fill", "How full zswap is", "memory/zswap", "area", fill_metrics,
			  GAUGE("percent", 100, "percent")),
	[F_DISK] = FAMILY("disk", "Swap behind zswap", "memory/zswap", "area", disk_metrics, BYTES),
	[F_MEMORY] =
		FAMILY("memory", "Compressed swap cache, by debugfs", "memory/zswap", "line", memory_metrics, BYTES),
	[F_PAGES] = FAMILY("pages", "Special pages in zswap", "memory/zswap", "line", pages_metrics, BYTES),
	[F_REJECTED] =
		FAMILY("rejected", "Pages that zswap did not take", "memory/zswap", "line", rejected_metrics, EVENTS),
	[F_WRITTEN] = FAMILY("written_back", "Pages moved from zswap to the device", "memory/zswap", "line",
			     written_metrics, PAGES),
	[F_FAILED] = FAMILY("failed", "Pages lost in zswap", "memory/zswap", "line", failed_metrics, EVENTS,
			    .flags = QMEM_DETAIL),
	{ 0 },
};

static const struct kv_key keys[] = {
	KV_KEY(sample, "MemTotal", MemTotal, 0), KV_KEY(sample, "SwapTotal", SwapTotal, 0),
	KV_KEY(sample, "SwapFree", SwapFree, 0), KV_KEY(sample, "Zswap", Zswap, 0),
	KV_KEY(sample, "Zswapped", Zswapped, 0), { 0 },
};

/* ---- reading ---- */

static int read_number(struct qmem *q, struct zswap *z, enum number which, int64_t *ret)
{
	const struct columns columns = { .names = numbers[which].name, .n = 1 };
	struct fault fault;
	const char *text;
	ssize_t len;

	if (z->files[which].lacking)
		return -ENOENT;
	len = qmem_read(q, &z->files[which].file, &text);
	if (len < 0) {
		z->files[which].lacking = len == -ENOENT;
		return (int)len;
	}
	if (which == ENABLED) {
		*ret = columns_switch(text, (size_t)len);
		return 0;
	}
	(void)columns_parse(text, (size_t)len, &columns, ret, &fault);
	sound_fault(q, &z->files[which].faulty, &z->files[which].file, 0, &fault);
	return 0;
}

/* All of debugfs or nothing: one who may read a file there may read the others. */
static void read_debug(struct qmem *q, struct zswap *z, struct sample *s)
{
	if (z->wait) {
		z->wait--;
		return;
	}
	z->files[FIRST_DEBUG].lacking = false;
	z->debug = read_number(q, z, FIRST_DEBUG, &s->now[FIRST_DEBUG]);
	if (z->debug) {
		z->wait = DEBUG_RETRY - 1;
		return;
	}
	for (int i = FIRST_DEBUG + 1; i < NUMBERS; i++)
		(void)read_number(q, z, (enum number)i, &s->now[i]);
}

static void derive(struct sample *s)
{
	int64_t page = sysconf(_SC_PAGESIZE), limit;

	s->pool = s->Zswap == QMEM_NA ? s->now[POOL_TOTAL_SIZE] : s->Zswap;
	s->stored = s->Zswapped == QMEM_NA ? value_times(s->now[STORED_PAGES], page) : s->Zswapped;
	s->same = value_times(s->now[SAME_FILLED_PAGES], page);
	s->incompressible = value_times(s->now[STORED_INCOMPRESSIBLE_PAGES], page);
	/* each page in the cache has its place on the device, too */
	s->disk = value_minus(value_minus(s->SwapTotal, s->SwapFree), s->stored);
	s->compression = value_times(s->stored, 100);
	s->compression =
		s->compression == QMEM_NA || s->pool == QMEM_NA || !s->pool ? QMEM_NA : s->compression / s->pool;
	limit = value_times(s->MemTotal, s->now[MAX_POOL_PERCENT]);
	s->fill = value_ratio(s->pool, limit == QMEM_NA ? QMEM_NA : limit / 100);
}

/* Nothing is in it, and nothing comes into it. */
static bool is_idle(const struct sample *s)
{
	if (value_or(s->stored, 0) || value_or(s->pool, 0))
		return false;
	return s->now[ENABLED] != 1 || value_or(s->SwapTotal, 0) == 0;
}

static int read_all(struct qmem *q, struct zswap *z, struct sample *s)
{
	const char *text;
	ssize_t len;

	*s = (struct sample){ 0 };
	for (int i = 0; i < NUMBERS; i++)
		s->now[i] = QMEM_NA;
	len = kvfile_read(q, &z->meminfo, false, s, &text);
	if (len < 0)
		return (int)len;
	(void)read_number(q, z, ENABLED, &s->now[ENABLED]);
	(void)read_number(q, z, MAX_POOL_PERCENT, &s->now[MAX_POOL_PERCENT]);
	/* the rest is worth its files only where there is something in it, or nobody else tells whether */
	if (s->Zswap == QMEM_NA || s->Zswap || s->now[ENABLED] == 1)
		read_debug(q, z, s);
	derive(s);
	return 0;
}

static void note(struct qmem *q, struct zswap *z, const struct sample *s)
{
	bool waits = is_idle(s);
	char text[256] = "";

	if (z->noted && z->waits == waits && z->noted_debug == z->debug)
		return;
	z->noted = true;
	z->waits = waits;
	z->noted_debug = z->debug;
	if (waits)
		words_add(text, sizeof(text), "none so far: %s",
			  s->now[ENABLED] == 1 ? "there is no swap" : "zswap is not enabled");
	else if (z->debug)
		words_add(text, sizeof(text), "not why pages are rejected: /sys/kernel/debug/zswap cannot be read: %s",
			  z->debug == -EACCES || z->debug == -EPERM ? "it needs CAP_DAC_READ_SEARCH" :
								      "debugfs is not mounted");
	qmem_note(q, "%s", text);
}

/* ---- rounds ---- */

static int collect(struct qmem *q, void *state)
{
	struct zswap *z = state;
	struct sample s;
	int err = read_all(q, z, &s);

	if (err)
		return err;
	note(q, z, &s);
	if (is_idle(&s))
		return 0;
	for (int i = 0; families[i].id; i++) {
		if (i == F_MEMORY && s.Zswap != QMEM_NA)
			continue;
		if (i == F_WRITTEN && z->writes_known)
			continue;
		qmem_emit(q, &families[i], NULL, &s);
	}
	return 0;
}

static void stop(struct qmem *q, void *state)
{
	struct zswap *z = state;

	(void)q;
	kvfile_release(&z->meminfo);
	for (int i = 0; i < NUMBERS; i++)
		qmem_file_close(&z->files[i].file);
}

static int start(struct qmem *q, void *state)
{
	struct qmem_file vmstat = QMEM_FILE("proc/vmstat");
	struct zswap *z = state;
	const char *text;
	struct sample s;
	int err;

	for (int i = 0; i < NUMBERS; i++)
		z->files[i].file = QMEM_FILE_SINGLE(numbers[i].path);
	z->meminfo.file = QMEM_FILE_SINGLE("proc/meminfo");
	err = kv_init(&z->meminfo.kv, KV_COLON, NULL, keys);
	if (err)
		return err;
	z->writes_known = qmem_read(q, &vmstat, &text) > 0 && strstr(text, "\nzswpwb ");
	qmem_file_close(&vmstat);
	err = read_all(q, z, &s);
	if (err == -ENOENT)
		return qmem_fail(q, -ENOTSUP, "no '/%s'", z->meminfo.file.path);
	/* any other reason may pass */
	if (err)
		return 0;
	if (s.Zswap == QMEM_NA && s.now[ENABLED] == QMEM_NA && z->debug == -ENOENT)
		return qmem_fail(q, -ENOTSUP, "this kernel has no zswap: no '/%s'", numbers[ENABLED].path);
	note(q, z, &s);
	return 0;
}

static const struct qmem_capability capabilities[] = {
	CAPABILITY(DAC_READ_SEARCH, "which pages zswap did not take, and why", .file = "/sys/kernel/debug/zswap/*",
		   .extra = true),
	{ 0 },
};

const struct qmem_service zswap_service = {
	.name = "zswap",
	.help = "the compressed cache in front of swap: what it is good for, and how full it is",
	.source = "/proc/meminfo, /sys/module/zswap/parameters/{enabled,max_pool_percent}; /sys/kernel/debug/zswap",
	.kernel = "3.11 (CONFIG_ZSWAP)",
	.privilege = "none; for what is rejected CAP_DAC_READ_SEARCH",
	.priority = 1300,
	.capabilities = capabilities,
	.families = families,
	.state_size = sizeof(struct zswap),
	.start = start,
	.collect = collect,
	.stop = stop,
};
