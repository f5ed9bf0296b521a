/* SPDX-License-Identifier: MIT */
/* Swap by device and file, of which meminfo has the totals: how full each is, and what is read from it and written to it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/instances.h"
#include "kernel/sound.h"
#include "proc/columns.h"
#include "proc/swaps.h"
#include "rows.h"
#include "services.h"
#include "util/escape.h"
#include "util/select.h"
#include "util/value.h"
#include "util/words.h"

#define MOST 64         /* areas; the kernel allows for half of that */
#define STAT_RETRY 60   /* collections between looks for the statistics of a device that had none */
#define SECTOR 512      /* bytes, whatever the device has */
#define DEVICES "/dev/" /* where they are */
#define NONE "none so far: nothing is swapped to"

enum column { USED, FREE, PRIORITY, READ, WRITTEN, READ_TIME, WRITE_TIME, COLUMNS };

struct sample {
	int64_t v[COLUMNS];
};

/* Of a device's stat. */
enum { READ_SECTORS = 2, READ_TICKS, WRITE_SECTORS = 6, WRITE_TICKS, STAT_COLUMNS };
static const char *const stat_names[STAT_COLUMNS] = {
	"reads",  "reads merged",  "sectors read",    "read ticks",
	"writes", "writes merged", "sectors written", "write ticks",
};
static const struct columns stat_columns = { .names = stat_names, .n = STAT_COLUMNS };

/* Swapped to in the last round. */
struct area {
	char *name; /* as in the file */
	const char *shown;
	char *paths[2]; /* of its statistics: of a whole device, of a partition; NULL: it has none */
	struct qmem_file stat;
	unsigned wait; /* collections until that is looked for again */
	struct qmem_complaint faulty;
	int64_t size, used, priority;
	bool there, deleted;
};

struct swap {
	struct qmem_list devices;
	bool ignore_selected;
	int64_t max;

	struct qmem_file file;
	struct qmem_complaint faulty, crowded;
	struct area areas[MOST];
	size_t n;
	size_t deleted; /* as the note says; SIZE_MAX: it says that there is none */
	struct instances all;
};

static const struct instances_kind kind = {
	.what = "swap areas",
	.columns = COLUMNS,
	.gauges = UINT64_C(1) << USED | UINT64_C(1) << FREE | UINT64_C(1) << PRIORITY,
	.score = UINT64_C(1) << USED,
	.most = 1024,
	.sparse = true,
};

static const struct qmem_metric space_metrics[] = {
	METRIC(sample, "used", "Used", v[USED], "swapped out to it; what has come back may keep its place"),
	METRIC(sample, "free", NULL, v[FREE], "Size - Used"),
	{ 0 },
};

static const struct qmem_metric io_metrics[] = {
	METRIC(sample, "read", "sectors read", v[READ],
	       "from the device, of /sys/class/block; not known of a file. Of a partition it is only its own"),
	METRIC(sample, "write", "sectors written", v[WRITTEN], "to the device"),
	{ 0 },
};

static const struct qmem_metric wait_metrics[] = {
	METRIC(sample, "read", "read ticks", v[READ_TIME],
	       "that all requests together have waited for the device: who needs a page waits so long for it"),
	METRIC(sample, "write", "write ticks", v[WRITE_TIME], "the same of writing"),
	{ 0 },
};

static const struct qmem_metric order_metrics[] = {
	METRIC(sample, "priority", "Priority", v[PRIORITY],
	       "the highest is filled first, and those of one priority in turn; below 0: chosen by the kernel"),
	{ 0 },
};

static const struct qmem_family families[] = {
	FAMILY("space", "Swap by device", "memory/swap devices", "stacked", space_metrics, BYTES, .label = "device"),
	FAMILY("io", "I/O of swap devices", "memory/swap devices", "area", io_metrics,
	       COUNTER("bytes", 1, "disk_octets"), .label = "device"),
	FAMILY("wait", "Time of requests to swap devices", "memory/swap devices", "line", wait_metrics,
	       COUNTER("seconds", 1000, "total_time_in_ms"), .label = "device", .flags = QMEM_DETAIL),
	FAMILY("order", "Priority of swap devices", "memory/swap devices", "line", order_metrics,
	       GAUGE("level", 1, "gauge"), .label = "device", .flags = QMEM_DETAIL),
	{ 0 },
};

static const struct qmem_option options[] = {
	{ .name = "Device",
	  .type = QMEM_LIST,
	  .offset = offsetof(struct swap, devices),
	  .check = select_check,
	  .help = "only these: a device without its /dev/, a file with all of its path, or an extended regular expression between slashes; none: all of them",
	  .example = "zram0" },
	{ .name = "IgnoreSelected",
	  .type = QMEM_BOOL,
	  .offset = offsetof(struct swap, ignore_selected),
	  .def = "no",
	  .help = "all but the devices given" },
	{ .name = "Top",
	  .type = QMEM_INT,
	  .offset = offsetof(struct swap, max),
	  .def = "5",
	  .min = 0,
	  .max = 1000,
	  .help = "devices and files shown: those with most in use; the others are summed as '" INSTANCES_OTHER "'" },
	{ 0 },
};

/* ---- areas ---- */

static void release_area(struct area *area)
{
	qmem_file_close(&area->stat);
	free(area->name);
	free(area->paths[0]);
	free(area->paths[1]);
}

/* Where sysfs has the device: a slash of its name is a '!' there. */
static int find_paths(struct area *area)
{
	char name[256];

	if (area->shown == area->name || strlen(area->shown) >= sizeof(name) || *area->shown == '.')
		return 0;
	strcpy(name, area->shown);
	for (char *slash = name; (slash = strchr(slash, '/')); slash++)
		*slash = '!';
	if (asprintf(&area->paths[0], "sys/block/%s/stat", name) < 0)
		area->paths[0] = NULL;
	if (asprintf(&area->paths[1], "sys/class/block/%s/stat", name) < 0)
		area->paths[1] = NULL;
	return area->paths[0] && area->paths[1] ? 0 : -ENOMEM;
}

static int add_area(struct swap *s, const struct swaps_area *line)
{
	struct area *area = &s->areas[s->n];

	*area = (struct area){ .name = strdup(line->name), .stat.fd = -1 };
	if (!area->name)
		return -ENOMEM;
	area->shown = area->name;
	if (!line->file && strncmp(area->name, DEVICES, strlen(DEVICES)) == 0 && area->name[strlen(DEVICES)])
		area->shown += strlen(DEVICES);
	s->n++;
	return find_paths(area);
}

static struct area *find_area(struct swap *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->areas[i].name, name) == 0)
			return &s->areas[i];
	return NULL;
}

/* Two files that are gone may have had one name: they are one then. */
static int take_line(struct qmem *q, struct swap *s, const struct swaps_area *line)
{
	struct area *area = find_area(s, line->name);
	int err;

	if (!area && s->n == MOST) {
		qmem_complain(q, &s->crowded, "more than %d areas: the rest is left out", MOST);
		return 0;
	}
	if (!area) {
		err = add_area(s, line);
		if (err)
			return err;
		area = &s->areas[s->n - 1];
	}
	if (!area->there) {
		area->size = line->size;
		area->used = line->used;
		area->priority = line->priority;
	} else {
		value_add(&area->size, line->size);
		value_add(&area->used, line->used);
	}
	area->deleted = line->file && line->deleted;
	area->there = true;
	return 0;
}

static void drop_gone(struct swap *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (!s->areas[i].there)
			release_area(&s->areas[i]);
		else
			s->areas[kept++] = s->areas[i];
	}
	s->n = kept;
}

static int read_areas(struct qmem *q, struct swap *s)
{
	struct swaps_walk walk = { 0 };
	struct swaps_area line;
	const char *text;
	ssize_t len = qmem_read(q, &s->file, &text);
	int err = 0;

	if (len < 0)
		return (int)len;
	for (size_t i = 0; i < s->n; i++)
		s->areas[i].there = false;
	walk.at = text;
	walk.end = text + len;
	while (!err && swaps_next(&walk, &line))
		err = take_line(q, s, &line);
	sound_fault(q, &s->faulty, &s->file, 0, &walk.fault);
	drop_gone(s);
	return err;
}

/* What a device's statistics say, or nothing. */
static void read_stat(struct qmem *q, struct area *area, int64_t *ret)
{
	struct fault fault;
	const char *text;
	ssize_t len = -ENOENT;

	for (int i = 0; i < STAT_COLUMNS; i++)
		ret[i] = QMEM_NA;
	if (!area->paths[0] || area->wait) {
		area->wait -= area->wait > 0;
		return;
	}
	for (int i = 0; i < 2 && len < 0; i++) {
		if (area->stat.fd < 0)
			area->stat.path = area->paths[i];
		len = qmem_read(q, &area->stat, &text);
	}
	if (len < 0) {
		area->wait = STAT_RETRY - 1;
		return;
	}
	(void)columns_parse(text, (size_t)len, &stat_columns, ret, &fault);
	sound_fault(q, &area->faulty, &area->stat, 0, &fault);
}

static int put_area(struct qmem *q, struct swap *s, struct area *area)
{
	int64_t columns[COLUMNS], stat[STAT_COLUMNS];

	read_stat(q, area, stat);
	columns[USED] = area->used;
	columns[FREE] = value_minus(area->size, area->used);
	columns[PRIORITY] = area->priority;
	columns[READ] = value_times(stat[READ_SECTORS], SECTOR);
	columns[WRITTEN] = value_times(stat[WRITE_SECTORS], SECTOR);
	columns[READ_TIME] = stat[READ_TICKS];
	columns[WRITE_TIME] = stat[WRITE_TICKS];
	return instances_put(&s->all, area->shown, strlen(area->shown), columns);
}

/* ---- rounds ---- */

/* A file that was removed takes its room on the disk, and nobody who looks for it finds it. */
static void note(struct qmem *q, struct swap *s)
{
	char text[256] = "", name[128];
	size_t deleted = 0;

	for (size_t i = 0; i < s->n; i++)
		deleted += s->areas[i].deleted;
	if (!s->n)
		deleted = SIZE_MAX;
	if (deleted == s->deleted)
		return;
	s->deleted = deleted;
	for (size_t i = 0; i < s->n; i++) {
		if (!s->areas[i].deleted)
			continue;
		escape_name(name, sizeof(name), s->areas[i].name);
		(void)words_add_whole(text, sizeof(text), "%s'%s'", *text ? ", " : "swaps to a removed file: ", name);
	}
	qmem_note(q, "%s", s->n ? text : NONE);
}

static int collect(struct qmem *q, void *state)
{
	struct swap *s = state;
	int err = read_areas(q, s);

	if (err)
		return err;
	note(q, s);
	instances_begin(&s->all);
	for (size_t i = 0; !err && i < s->n; i++)
		err = put_area(q, s, &s->areas[i]);
	if (err)
		return err;
	(void)instances_measure(&s->all);
	instances_choose(&s->all, qmem_now(q));
	/* a sum of priorities is none */
	s->all.other[PRIORITY] = QMEM_NA;
	instances_emit(q, &s->all, families);
	return 0;
}

static void stop(struct qmem *q, void *state)
{
	struct swap *s = state;

	(void)q;
	for (size_t i = 0; i < s->n; i++)
		release_area(&s->areas[i]);
	instances_release(&s->all);
	qmem_file_close(&s->file);
}

static int start(struct qmem *q, void *state)
{
	struct swap *s = state;
	int err = instances_init(&s->all, &kind, &s->devices, s->ignore_selected, s->max);

	s->file = QMEM_FILE("proc/swaps");
	if (err)
		return err;
	err = read_areas(q, s);
	if (err == -ENOENT)
		return qmem_fail(q, -ENOTSUP, "this kernel has no swap: no '/%s'", s->file.path);
	/* any other reason may pass */
	if (!err)
		note(q, s);
	return err == -ENOMEM ? err : 0;
}

const struct qmem_service swap_service = {
	.name = "swap",
	.help = "swap by device and file",
	.source = "/proc/swaps; /sys/class/block/DEVICE/stat",
	.kernel = "2.6 (CONFIG_SWAP)",
	.privilege = "none",
	.priority = 1100,
	.families = families,
	.options = options,
	.state_size = sizeof(struct swap),
	.start = start,
	.collect = collect,
	.stop = stop,
};
