/* SPDX-License-Identifier: MIT */
/*
 * Compressed block devices in memory: what is stored in them, and what that costs. What is meant is told by mm_stat alone: the size of
 * the device, and what /proc/swaps says is in use, is of what is stored, and the fifth column is the most that it has ever cost.
 *
 * While a device is reset the kernel lets nobody read its files until it has freed all that was stored: a second or so for many
 * GiB. Nobody resets one that is in use.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/instances.h"
#include "kernel/sound.h"
#include "proc/columns.h"
#include "rows.h"
#include "services.h"
#include "util/select.h"
#include "util/value.h"
#include "util/words.h"

#define MOST 256                /* devices */
#define SCAN (10 * QMEM_SECOND) /* between looks for new ones */
#define BACKING_PAGE 4096       /* what bd_stat counts in, whatever a page is */
#define NONE "none so far: no device of zram has a size"

enum column {
	STORED,
	COMPRESSED,
	COST,
	LIMIT,
	PEAK,
	SAME,
	COMPACTED,
	INCOMPRESSIBLE,
	SIZE,
	WRITTEN_BACK,
	BACKING_READ,
	BACKING_WRITE,
	FAILED_READ,
	FAILED_WRITE,
	RATIO,
	COLUMNS
};
#define BIT(column_) (UINT64_C(1) << (column_))

struct sample {
	int64_t v[COLUMNS];
};

struct total {
	int64_t stored, compressed, cost, compression, effective, failed_read, failed_write;
};

/* The files of a device, and where their numbers go. */
enum file { DISKSIZE, MM_STAT, BD_STAT, IO_STAT, FILES };

static const char *const size_names[] = { "disksize" };
static const char *const mm_names[] = {
	"orig_data_size", "compr_data_size", "mem_used_total",  "mem_limit",
	"mem_used_max",   "same_pages",      "pages_compacted", "huge_pages",
};
static const char *const bd_names[] = { "bd_count", "bd_reads", "bd_writes" };
static const char *const io_names[] = { "failed_reads", "failed_writes" };

static const struct {
	const char *name;
	struct columns columns;
	enum column first; /* the others follow it */
} files[FILES] = {
	[DISKSIZE] = { "disksize", { size_names, 1, 0 }, SIZE },
	[MM_STAT] = { "mm_stat", { mm_names, 8, 0 }, STORED },
	[BD_STAT] = { "bd_stat", { bd_names, 3, 0 }, WRITTEN_BACK },
	[IO_STAT] = { "io_stat", { io_names, 2, 0 }, FAILED_READ },
};

struct device {
	char name[16];
	struct {
		char path[48];
		struct qmem_file file;
		bool lacking; /* this kernel does not have it */
		struct qmem_complaint faulty;
	} files[FILES];
	char algorithm[24]; /* "": not known */
	int64_t size;       /* bytes; 0: it has none, and holds nothing */
	bool there;         /* in the last look */
};

struct zram {
	struct qmem_list devices_wanted;
	bool ignore_selected;
	int64_t max;

	DIR *dir; /* sys/block */
	uint64_t looked;
	struct device **devices;
	size_t n;
	bool changed; /* what the note says */
	struct qmem_complaint crowded;
	struct instances all;
	int64_t failed_read, failed_write; /* since the start */
};

static const struct instances_kind kind = {
	.what = "zram devices",
	.columns = COLUMNS,
	.gauges = ~(BIT(COMPACTED) | BIT(BACKING_READ) | BIT(BACKING_WRITE) | BIT(FAILED_READ) | BIT(FAILED_WRITE)),
	.score = BIT(COST),
	.most = 1024,
	.sparse = true,
};

static const struct qmem_metric total_metrics[] = {
	METRIC(total, "stored", NULL, stored, "in all devices, as large as it was written"),
	METRIC(total, "compressed", NULL, compressed, "what it has become"),
	METRIC(total, "cost", NULL, cost, "the memory it takes: with what the allocator of zram cannot use"),
	{ 0 },
};

static const struct qmem_metric ratio_metrics[] = {
	METRIC(total, "compression", NULL, compression, "stored / compressed: how well it can be compressed"),
	METRIC(total, "effective", NULL, effective,
	       "stored / cost: what it is good for; below 1 it costs more than it saves"),
	{ 0 },
};

static const struct qmem_metric failed_metrics[] = {
	METRIC(total, "read", NULL, failed_read, "requests that failed"),
	METRIC(total, "write", NULL, failed_write, "the same: there was no memory, or the limit was reached"),
	{ 0 },
};

static const struct qmem_metric data_metrics[] = {
	METRIC(sample, "stored", "orig_data_size", v[STORED], "as large as it was written"),
	METRIC(sample, "compressed", "compr_data_size", v[COMPRESSED], "what it has become"),
	METRIC(sample, "cost", "mem_used_total", v[COST],
	       "the memory it takes: with what the allocator of zram cannot use"),
	{ 0 },
};

static const struct qmem_metric pages_metrics[] = {
	METRIC(sample, "same", "same_pages", v[SAME], "of that, pages of one repeated word, which take no memory"),
	METRIC(sample, "incompressible", "huge_pages", v[INCOMPRESSIBLE],
	       "of that, pages that are kept as they are, since compressing them saves nothing (4.19)"),
	METRIC(sample, "written_back", "bd_count", v[WRITTEN_BACK],
	       "moved to the backing device, where they take no memory (5.0, CONFIG_ZRAM_WRITEBACK)"),
	{ 0 },
};

static const struct qmem_metric compression_metrics[] = {
	METRIC(sample, "ratio", NULL, v[RATIO], "stored / compressed"),
	{ 0 },
};

static const struct qmem_metric limit_metrics[] = {
	METRIC(sample, "peak", "mem_used_max", v[PEAK], "the most that it has ever cost, since it was set up"),
	METRIC(sample, "limit", "mem_limit", v[LIMIT], "what it may cost; absent: no limit is set"),
	METRIC(sample, "size", "disksize", v[SIZE], "what may be stored in it"),
	{ 0 },
};

static const struct qmem_metric backing_metrics[] = {
	METRIC(sample, "read", "bd_reads", v[BACKING_READ], "from the backing device"),
	METRIC(sample, "write", "bd_writes", v[BACKING_WRITE], "to the backing device"),
	{ 0 },
};

static const struct qmem_metric compaction_metrics[] = {
	METRIC(sample, "freed", "pages_compacted", v[COMPACTED], "freed by compacting what is stored"),
	{ 0 },
};

static const struct qmem_family families[] = {
	FAMILY("total", "Compressed memory of zram", "memory/zram", "line", total_metrics, BYTES),
	FAMILY("ratio", "What zram is good for", "memory/zram", "line", ratio_metrics, GAUGE("ratio", 100, "gauge")),
	FAMILY("failed", "Failed requests to zram", "memory/zram", "line", failed_metrics, EVENTS),
	FAMILY("data", "Compressed memory by device", "memory/zram", "line", data_metrics, BYTES, .label = "device"),
	FAMILY("pages", "Special pages by device", "memory/zram", "line", pages_metrics, BYTES, .label = "device"),
	FAMILY("compression", "Compression by device", "memory/zram", "line", compression_metrics,
	       GAUGE("ratio", 100, "gauge"), .label = "device", .flags = QMEM_DETAIL),
	FAMILY("limit", "Limits by device", "memory/zram", "line", limit_metrics, BYTES, .label = "device",
	       .flags = QMEM_DETAIL),
	FAMILY("backing", "I/O of backing devices", "memory/zram", "area", backing_metrics,
	       COUNTER("bytes", 1, "disk_octets"), .label = "device", .flags = QMEM_DETAIL),
	FAMILY("compaction", "Compaction of zram", "memory/zram", "line", compaction_metrics, PAGES, .label = "device",
	       .flags = QMEM_DETAIL),
	{ 0 },
};

static const struct qmem_option options[] = {
	{ .name = "Device",
	  .type = QMEM_LIST,
	  .offset = offsetof(struct zram, devices_wanted),
	  .check = select_check_plain,
	  .help = "only these devices: a name, or an extended regular expression between slashes; none: all of them. The totals are of all",
	  .example = "zram0" },
	{ .name = "IgnoreSelected",
	  .type = QMEM_BOOL,
	  .offset = offsetof(struct zram, ignore_selected),
	  .def = "no",
	  .help = "all but the devices given" },
	{ .name = "Top",
	  .type = QMEM_INT,
	  .offset = offsetof(struct zram, max),
	  .def = "2",
	  .min = 0,
	  .max = MOST,
	  .help = "devices shown: those that cost most; the others are summed as '" INSTANCES_OTHER "'" },
	{ 0 },
};

/* ---- devices ---- */

static void free_device(struct device *d)
{
	for (int i = 0; i < FILES; i++)
		qmem_file_close(&d->files[i].file);
	free(d);
}

/* "zram" and a number: they need not follow one another. */
static bool is_device(const char *name)
{
	size_t digits;

	if (strncmp(name, "zram", 4) != 0)
		return false;
	digits = strspn(name + 4, "0123456789");
	return digits && !name[4 + digits] && 4 + digits < sizeof(((struct device *)0)->name);
}

static struct device *find_device(const struct zram *z, const char *name)
{
	for (size_t i = 0; i < z->n; i++)
		if (strcmp(z->devices[i]->name, name) == 0)
			return z->devices[i];
	return NULL;
}

static bool is_before(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);

	return a_len == b_len ? strcmp(a, b) < 0 : a_len < b_len;
}

/* In the order of their numbers. */
static int add_device(struct qmem *q, struct zram *z, const char *name)
{
	struct device **devices, *d;
	size_t at;

	if (z->n == MOST) {
		qmem_complain(q, &z->crowded, "more than %d devices: the rest is left out", MOST);
		return 0;
	}
	devices = reallocarray(z->devices, z->n + 1, sizeof(struct device *));
	d = calloc(1, sizeof(*d));
	if (devices)
		z->devices = devices;
	if (!devices || !d) {
		free(d);
		return -ENOMEM;
	}
	strcpy(d->name, name);
	for (int i = 0; i < FILES; i++) {
		snprintf(d->files[i].path, sizeof(d->files[i].path), "sys/block/%s/%s", d->name, files[i].name);
		d->files[i].file = QMEM_FILE_SINGLE(d->files[i].path);
	}
	d->there = true;
	for (at = z->n++; at && is_before(name, z->devices[at - 1]->name); at--)
		z->devices[at] = z->devices[at - 1];
	z->devices[at] = d;
	return 0;
}

/* Which there are: -ENOENT: no block devices at all. */
static int look(struct qmem *q, struct zram *z)
{
	const struct dirent *entry;
	size_t kept = 0;
	int err = 0, fd;

	if (!z->dir) {
		fd = qmem_open(q, O_RDONLY | O_DIRECTORY, "sys/block");
		if (fd < 0)
			return fd;
		z->dir = fdopendir(fd);
		if (!z->dir) {
			close(fd);
			return -ENOMEM;
		}
	}
	z->looked = qmem_now(q);
	for (size_t i = 0; i < z->n; i++)
		z->devices[i]->there = false;
	rewinddir(z->dir);
	while (!err && (entry = readdir(z->dir))) {
		struct device *d = is_device(entry->d_name) ? find_device(z, entry->d_name) : NULL;

		if (d)
			d->there = true;
		else if (is_device(entry->d_name))
			err = add_device(q, z, entry->d_name);
	}
	for (size_t i = 0; i < z->n; i++) {
		if (z->devices[i]->there) {
			z->devices[kept++] = z->devices[i];
			continue;
		}
		free_device(z->devices[i]);
		z->changed = true;
	}
	z->n = kept;
	return err;
}

/* ---- their files ---- */

/* 0; -ENOENT and the like: the device has no such file. */
static int read_file(struct qmem *q, struct device *d, enum file which, int64_t *columns)
{
	struct fault fault;
	const char *text;
	ssize_t len;

	if (d->files[which].lacking)
		return 0;
	len = qmem_read(q, &d->files[which].file, &text);
	if (len < 0)
		return (int)len;
	(void)columns_parse(text, (size_t)len, &files[which].columns, columns + files[which].first, &fault);
	sound_fault(q, &d->files[which].faulty, &d->files[which].file, 0, &fault);
	return 0;
}

/* What it has been set up with; false: it is not. */
static bool read_size(struct qmem *q, struct zram *z, struct device *d, int64_t *columns)
{
	int64_t before = d->size;
	char text[512];
	ssize_t len;

	if (read_file(q, d, DISKSIZE, columns)) {
		z->looked = 0;
		return false;
	}
	d->size = columns[SIZE];
	if (d->size == before)
		return d->size != 0;
	z->changed = true;
	if (!d->size)
		return false;
	len = qmem_read_once(q, text, sizeof(text), "sys/block/%s/comp_algorithm", d->name);
	if (len <= 0 || !columns_choice(text, (size_t)len, d->algorithm, sizeof(d->algorithm)))
		*d->algorithm = '\0';
	return true;
}

/* value / of, in 1/100; nothing of nothing is not known. */
static int64_t ratio(int64_t value, int64_t of)
{
	int64_t hundred = value_times(value, 100);

	return hundred == QMEM_NA || hundred == 0 || of == QMEM_NA || of == 0 ? QMEM_NA : hundred / of;
}

static void derive(const struct device *d, int64_t *columns)
{
	int64_t page = sysconf(_SC_PAGESIZE);

	columns[SIZE] = d->size;
	if (columns[LIMIT] == 0)
		columns[LIMIT] = QMEM_NA;
	columns[SAME] = value_times(columns[SAME], page);
	columns[INCOMPRESSIBLE] = value_times(columns[INCOMPRESSIBLE], page);
	columns[WRITTEN_BACK] = value_times(columns[WRITTEN_BACK], BACKING_PAGE);
	columns[BACKING_READ] = value_times(columns[BACKING_READ], BACKING_PAGE);
	columns[BACKING_WRITE] = value_times(columns[BACKING_WRITE], BACKING_PAGE);
	columns[RATIO] = ratio(columns[STORED], columns[COMPRESSED]);
}

/* Its numbers; false: it has none, being without a size, or gone. */
static bool read_device(struct qmem *q, struct zram *z, struct device *d, int64_t *columns)
{
	for (int i = 0; i < COLUMNS; i++)
		columns[i] = QMEM_NA;
	if (!d->size && !read_size(q, z, d, columns))
		return false;
	if (read_file(q, d, MM_STAT, columns)) {
		/* the next time it is looked who is there */
		z->looked = 0;
		return false;
	}
	/* one that holds nothing may have been reset */
	if (columns[STORED] == 0 && columns[COST] == 0 && !read_size(q, z, d, columns))
		return false;
	for (int i = BD_STAT; i < FILES; i++)
		if (read_file(q, d, (enum file)i, columns) == -ENOENT)
			d->files[i].lacking = true;
	derive(d, columns);
	return true;
}

/* ---- rounds ---- */

static void note(struct qmem *q, struct zram *z)
{
	char text[256] = "";

	if (!z->changed)
		return;
	z->changed = false;
	for (size_t i = 0; i < z->n; i++) {
		const struct device *d = z->devices[i];

		if (d->size)
			(void)words_add_whole(text, sizeof(text), "%s%s%s%s", *text ? ", " : "", d->name,
					      *d->algorithm ? " " : "", d->algorithm);
	}
	qmem_note(q, "%s", *text ? text : NONE);
}

static int put_all(struct qmem *q, struct zram *z, struct total *total, bool *ret_any)
{
	int64_t columns[COLUMNS];
	int err = 0;

	*ret_any = false;
	instances_begin(&z->all);
	for (size_t i = 0; !err && i < z->n; i++) {
		struct device *d = z->devices[i];

		if (!read_device(q, z, d, columns))
			continue;
		*ret_any = true;
		value_add(&total->stored, columns[STORED]);
		value_add(&total->compressed, columns[COMPRESSED]);
		value_add(&total->cost, columns[COST]);
		err = instances_put(&z->all, d->name, strlen(d->name), columns);
	}
	return err;
}

static void emit_total(struct qmem *q, struct zram *z, struct total *total)
{
	for (size_t k = 0; k < z->all.n; k++) {
		const struct instance *i = z->all.all[k];

		if (!instance_there(&z->all, i))
			continue;
		value_add(&z->failed_read, i->grown[FAILED_READ]);
		value_add(&z->failed_write, i->grown[FAILED_WRITE]);
	}
	total->compression = ratio(total->stored, total->compressed);
	total->effective = ratio(total->stored, total->cost);
	total->failed_read = z->failed_read;
	total->failed_write = z->failed_write;
	qmem_emit_all(q, total);
}

static int collect(struct qmem *q, void *state)
{
	struct total total = { QMEM_NA, QMEM_NA, QMEM_NA, QMEM_NA, QMEM_NA, QMEM_NA, QMEM_NA };
	struct zram *z = state;
	bool any;
	int err = 0;

	if (!z->looked || qmem_now(q) - z->looked >= SCAN)
		err = look(q, z);
	if (!err)
		err = put_all(q, z, &total, &any);
	note(q, z);
	if (err)
		return err;
	(void)instances_measure(&z->all);
	if (any)
		emit_total(q, z, &total);
	instances_choose(&z->all, qmem_now(q));
	z->all.other[PEAK] = QMEM_NA;
	z->all.other[RATIO] = ratio(z->all.other[STORED], z->all.other[COMPRESSED]);
	instances_emit(q, &z->all, families);
	return 0;
}

static void stop(struct qmem *q, void *state)
{
	struct zram *z = state;

	(void)q;
	for (size_t i = 0; i < z->n; i++)
		free_device(z->devices[i]);
	free(z->devices);
	if (z->dir)
		closedir(z->dir);
	instances_release(&z->all);
}

static int start(struct qmem *q, void *state)
{
	struct zram *z = state;
	int64_t columns[COLUMNS];
	int err = instances_init(&z->all, &kind, &z->devices_wanted, z->ignore_selected, z->max);

	if (err)
		return err;
	z->failed_read = z->failed_write = QMEM_NA;
	z->changed = true;
	err = look(q, z);
	if (err == -ENOENT)
		return qmem_fail(q, -ENOTSUP, "no '/sys/block'");
	for (size_t i = 0; !err && i < z->n; i++)
		(void)read_size(q, z, z->devices[i], columns);
	note(q, z);
	return err == -ENOMEM ? err : 0;
}

const struct qmem_service zram_service = {
	.name = "zram",
	.help = "compressed memory: what zram stores, and what it costs",
	.source = "/sys/block/zramN/{mm_stat,bd_stat,io_stat,disksize}",
	.kernel = "4.1 (CONFIG_ZRAM); backing devices: 5.0",
	.privilege = "none",
	.priority = 1200,
	.families = families,
	.options = options,
	.state_size = sizeof(struct zram),
	.start = start,
	.collect = collect,
	.stop = stop,
};
