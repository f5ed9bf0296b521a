/* SPDX-License-Identifier: MIT */
/* The page cache: what is to be written, and how long that takes; which files are in it; who hits it and who misses. */
#include "service/pagecache.h"

#include <errno.h>
#include <string.h>

#include "engine/root.h"
#include "process/group.h"
#include "rows.h"
#include "service/pagecache_open.h"
#include "services.h"
#include "util/words.h"

static const struct qmem_metric limit_metrics[] = {
	METRIC(dirty, "background", "nr_dirty_background_threshold", background,
	       "dirty, at which the kernel begins to write in the background"),
	METRIC(dirty, "throttle", NULL, throttle,
	       "dirty and being written, beyond which who writes has to wait now and then: half way between the two"),
	METRIC(dirty, "hard", "nr_dirty_threshold", hard, "likewise, of which there is never to be more"),
	{ 0 },
};

static const struct qmem_metric dirty_metrics[] = {
	METRIC(dirty, "background", NULL, of_background, "what is dirty, of limit.background; it may be more than 100"),
	METRIC(dirty, "throttle", NULL, of_throttle, "what is dirty or being written, of limit.throttle; likewise"),
	METRIC(dirty, "hard", NULL, of_hard, "what is dirty or being written, of limit.hard"),
	{ 0 },
};

static const struct qmem_metric backlog_metrics[] = {
	METRIC(dirty, "time", NULL, time,
	       "that writing all of it takes at the rate, averaged over 10 s, at which something was written last; absent until something was"),
	{ 0 },
};

static const struct qmem_metric throttled_metrics[] = {
	METRIC(dirty, "state", NULL, state, "1: who writes has been made to wait for ThrottledAfter"),
	{ 0 },
};

static const struct qmem_metric device_metrics[] = {
	METRIC(bdi_sample, "dirty", "BdiReclaimable", v[BDI_VALUE_DIRTY], "waits to be written"),
	METRIC(bdi_sample, "writeback", "BdiWriteback", v[BDI_VALUE_WRITEBACK], "is being written"),
	METRIC(bdi_sample, "limit", "BdiDirtyThresh", v[BDI_VALUE_LIMIT],
	       "its share of limit.hard: the more it writes, the more"),
	{ 0 },
};

static const struct qmem_metric write_metrics[] = {
	METRIC(bdi_sample, "written", "BdiWritten", v[BDI_VALUE_WRITTEN], "written back"),
	{ 0 },
};

static const struct qmem_metric drain_metrics[] = {
	METRIC(bdi_sample, "time", NULL, v[BDI_VALUE_TIME],
	       "that writing all of it takes at the rate that the kernel expects of it (BdiWriteBandwidth); absent until it has been written to"),
	{ 0 },
};

static const struct qmem_metric file_metrics[] = {
	METRIC(file_sample, "resident", "nr_cache", v[FILE_RESIDENT], "in the page cache; whole pages"),
	METRIC(file_sample, "dirty", "nr_dirty", v[FILE_DIRTY], "of that, waits to be written"),
	METRIC(file_sample, "writeback", "nr_writeback", v[FILE_WRITEBACK], "is being written"),
	METRIC(file_sample, "evicted", "nr_evicted", v[FILE_EVICTED],
	       "has been in the page cache and was reclaimed, as far as the kernel remembers; of a tmpfs, is in swap"),
	METRIC(file_sample, "recently_evicted", "nr_recently_evicted", v[FILE_RECENTLY_EVICTED],
	       "of that, so lately that it would be found in use if it were read again: what does not fit"),
	{ 0 },
};

static const struct qmem_metric share_metrics[] = {
	METRIC(file_share, "file", NULL, file, "what is resident, of the size of the file"),
	METRIC(file_share, "cache", NULL, cache, "what is resident, of the page cache of the machine (Cached)"),
	{ 0 },
};

static const struct qmem_metric files_metrics[] = {
	METRIC(file_counts, "measured", NULL, measured, "looked at, each once however many names it has"),
	METRIC(file_counts, "twice", NULL, twice, "further names of these: links, and mounts of the same directory"),
	METRIC(file_counts, "refused", NULL, refused, "and directories, that only their owner may know of"),
	METRIC(file_counts, "failed", NULL, failed, "and directories, that could not be opened or looked at"),
	METRIC(file_counts, "omitted", NULL, omitted, "beyond MaxFiles"),
	{ 0 },
};

static const struct qmem_metric age_metrics[] = {
	METRIC(file_counts, "oldest", NULL, age,
	       "how long ago the look at files began that is the oldest of those that are shown"),
	{ 0 },
};

static const struct qmem_metric lookup_metrics[] = {
	METRIC(hits_machine, "read_hit", "mm_filemap_get_pages", read_hit,
	       "steps of reads, of up to 31 folios each, whose first page was there"),
	METRIC(hits_machine, "read_miss", "mm_filemap_get_pages", read_miss, "that had to bring it in"),
	METRIC(hits_machine, "fault_hit", "mm_filemap_fault", fault_hit, "faults on mapped files whose page was there"),
	METRIC(hits_machine, "fault_miss", "mm_filemap_fault", fault_miss, "that had to bring it in"),
	{ 0 },
};

static const struct qmem_metric ratio_metrics[] = {
	METRIC(hits_machine, "hit", NULL, ratio, "of all of these since the round before; absent where there was none"),
	{ 0 },
};

static const struct qmem_metric added_metrics[] = {
	METRIC(hits_machine, "added", "mm_filemap_add_to_page_cache", added,
	       "read, read ahead, or written for the first time"),
	{ 0 },
};

static const struct qmem_metric access_metrics[] = {
	METRIC(hits_group, "hit", NULL, hit, "steps of reads and faults whose page was there"),
	METRIC(hits_group, "miss", NULL, miss, "that had to bring it in"),
	{ 0 },
};

static const struct qmem_metric fill_metrics[] = {
	METRIC(hits_group, "added", NULL, added, "read, read ahead, or written for the first time"),
	{ 0 },
};

/* Whose families begin where. */
enum { OF_DIRTY, OF_DEVICES = 4, OF_FILES = 7, OF_HITS = 11 };

static const struct qmem_family families[] = {
	FAMILY("limit", "Limits of what is dirty", "page cache/writing", "line", limit_metrics, BYTES),
	FAMILY("dirty", "Dirty memory against its limits", "page cache/writing", "line", dirty_metrics,
	       GAUGE("percent", 100, "percent")),
	FAMILY("backlog", "Time to write what is dirty", "page cache/writing", "line", backlog_metrics,
	       GAUGE("seconds", 1000000000, "duration")),
	FAMILY("throttled", "Who writes has to wait", "page cache/writing", "line", throttled_metrics,
	       GAUGE("state", 1, "gauge")),
	FAMILY("device", "What is to be written, by device", "page cache/devices", "line", device_metrics, BYTES,
	       .label = "device"),
	FAMILY("write", "Written back, by device", "page cache/devices", "line", write_metrics,
	       COUNTER("bytes", 1, "total_bytes"), .label = "device", .flags = QMEM_DETAIL),
	FAMILY("drain", "Time to write what is dirty, by device", "page cache/devices", "line", drain_metrics,
	       GAUGE("seconds", 1000000000, "duration"), .label = "device"),
	FAMILY("file", "Watched files in the page cache", "page cache/files", "line", file_metrics, BYTES,
	       .label = "file"),
	FAMILY("share", "Watched files, share of file and cache", "page cache/files", "line", share_metrics,
	       GAUGE("percent", 100, "percent"), .label = "file"),
	FAMILY("files", "Watched files", "page cache/files", "line", files_metrics, GAUGE("files", 1, "count")),
	FAMILY("age", "Age of what is known of files", "page cache/files", "line", age_metrics,
	       GAUGE("seconds", 1000000000, "duration")),
	FAMILY("lookup", "Hits and misses of the page cache", "page cache/hits", "line", lookup_metrics,
	       COUNTER("operations", 1, "total_operations")),
	FAMILY("ratio", "Hits of the page cache", "page cache/hits", "line", ratio_metrics,
	       GAUGE("percent", 100, "percent")),
	FAMILY("added", "Pages added to the page cache", "page cache/hits", "line", added_metrics, PAGES),
	FAMILY("access", "Hits and misses of the page cache by group", "page cache/hits", "line", access_metrics,
	       COUNTER("operations", 1, "total_operations"), .label = "group"),
	FAMILY("fill", "Pages added to the page cache by group", "page cache/hits", "line", fill_metrics, PAGES,
	       .label = "group"),
	{ 0 },
};

static const struct qmem_option options[] = {
	{ .name = "ThrottledAfter",
	  .type = QMEM_DURATION,
	  .offset = offsetof(struct pagecache, dirty.after),
	  .def = "10s",
	  .max = INT64_C(3600000000000),
	  .help = "how long there is to be more dirty than limit.throttle until that is an event" },
	{ .name = "NotifyInterval",
	  .type = QMEM_DURATION,
	  .offset = offsetof(struct pagecache, dirty.notify_interval),
	  .def = "0",
	  .max = INT64_C(86400000000000),
	  .help = "time between two reminders while it lasts; 0: none" },
	{ .name = "TopDevices",
	  .type = QMEM_INT,
	  .offset = offsetof(struct pagecache, bdi.max),
	  .def = "3",
	  .max = 500,
	  .help = "devices shown, those with most to be written; the others are summed as '" INSTANCES_OTHER
		  "'; 0: none, and not looked at" },
	{ .name = "File",
	  .type = QMEM_BLOCK,
	  .offset = offsetof(struct pagecache, file.blocks),
	  .check = file_check,
	  .sub = file_block_rows,
	  .sub_size = sizeof(struct file_block),
	  .help = "files whose share of the page cache is shown: a path, or a pattern with '*', '?' and '[', of files or directories",
	  .example = "/var/lib/db/*.ibd" },
	{ .name = "TopFiles",
	  .type = QMEM_INT,
	  .offset = offsetof(struct pagecache, file.top),
	  .def = "3",
	  .max = 10000,
	  .help = "files shown, those of which most is resident; the others are summed as '" INSTANCES_OTHER "'" },
	{ .name = "MaxFiles",
	  .type = QMEM_INT,
	  .offset = offsetof(struct pagecache, file.most),
	  .def = "10000",
	  .min = 1,
	  .max = 50000,
	  .help = "files that one block looks at; a hundred times as many names" },
	{ .name = "FileAge",
	  .type = QMEM_DURATION,
	  .offset = offsetof(struct pagecache, file.age),
	  .def = "30s",
	  .min = 1,
	  .max = INT64_C(86400000000000),
	  .help = "time from one look at a block's files to the next; between two, values are repeated" },
	{ .name = "FileBudget",
	  .type = QMEM_DURATION,
	  .offset = offsetof(struct pagecache, file.budget),
	  .def = "10ms",
	  .min = 1,
	  .max = INT64_C(1000000000),
	  .help = "CPU time a second for that; where it is not enough, looks take longer than FileAge" },
	{ .name = "OpenFiles",
	  .type = QMEM_BOOL,
	  .offset = offsetof(struct pagecache, file.open),
	  .def = "no",
	  .help = "also files that the processes with most memory have open or mapped; of other users' processes it needs CAP_SYS_PTRACE" },
	{ .name = "OpenProcesses",
	  .type = QMEM_INT,
	  .offset = offsetof(struct pagecache, file.open_processes),
	  .def = "5",
	  .min = 1,
	  .max = OPEN_PROCESSES,
	  .help = "how many processes these are" },
	{ .name = "Hits",
	  .type = QMEM_BOOL,
	  .offset = offsetof(struct pagecache, hits.wanted),
	  .def = "no",
	  .help = "hits and misses of the page cache, in all and by group, counted by BPF programs (Linux 6.12): each read of a file costs some 300 ns more" },
	{ .name = "TopGroups",
	  .type = QMEM_INT,
	  .offset = offsetof(struct pagecache, hits.top_groups),
	  .def = "3",
	  .max = 10000,
	  .help = "groups of procmem whose hits and misses are shown, those that read most; the others are summed as '" PROCGROUP_OTHER
		  "'" },
	{ 0 },
};

/* ---- rounds ---- */

/* What is missing, and why, where --check asks. */
static void note(struct qmem *q, struct pagecache *s)
{
	char text[sizeof(s->note)] = "", buffer[64];

	if (s->bdi.max && s->bdi.lack == -ENOENT)
		words_add(text, sizeof(text), "no devices: no /sys/kernel/debug/bdi, debugfs may not be mounted");
	else if (s->bdi.max && s->bdi.lack)
		words_add(text, sizeof(text), "no devices: /sys/kernel/debug/bdi: %s",
			  root_words(s->bdi.lack, buffer, sizeof(buffer)));
	file_note(&s->file, text, sizeof(text));
	hits_note(&s->hits, text, sizeof(text));
	if (strcmp(text, s->note) == 0)
		return;
	memcpy(s->note, text, sizeof(text));
	qmem_note(q, "%s", text);
}

static int collect(struct qmem *q, void *state)
{
	struct pagecache *s = state;
	const char *fullest;
	int64_t most;
	/* first what may not be done yet */
	int err = file_collect(q, &s->file);

	if (!err)
		err = dirty_collect(q, &s->dirty);
	if (!err)
		err = bdi_collect(q, &s->bdi);
	if (!err)
		err = hits_collect(q, &s->hits);
	if (err)
		return err;
	fullest = bdi_fullest(&s->bdi, &most);
	dirty_conclude(q, &s->dirty, fullest, most);
	note(q, s);
	for (size_t i = OF_DIRTY; i < OF_DEVICES; i++)
		qmem_emit(q, &families[i], NULL, &s->dirty.sample);
	bdi_emit(q, &s->bdi, &families[OF_DEVICES], OF_FILES - OF_DEVICES);
	file_emit(q, &s->file, &families[OF_FILES]);
	hits_emit(q, &s->hits, &families[OF_HITS]);
	return 0;
}

/* ---- life ---- */

static void stop(struct qmem *q, void *state)
{
	struct pagecache *s = state;

	(void)q;
	bdi_stop(&s->bdi);
	hits_stop(&s->hits);
	file_stop(&s->file);
	dirty_stop(&s->dirty);
}

static int start(struct qmem *q, void *state)
{
	struct pagecache *s = state;
	/* each of them, since stop() ends all: a descriptor that was not set is 0, which is somebody's */
	int bdi = bdi_start(&s->bdi), hits = hits_start(&s->hits), file = file_start(q, &s->file);
	int dirty = dirty_start(q, &s->dirty);

	return bdi ? bdi : dirty ? dirty : file ? file : hits;
}

static const struct qmem_capability capabilities[] = {
	CAPABILITY(DAC_READ_SEARCH, "what is to be written, by device", .file = "/sys/kernel/debug/bdi/*/stats",
		   .option = "TopDevices", .extra = true),
	CAPABILITY(SYS_PTRACE, "files that other users' processes have open", .file = "/proc/PID/fd",
		   .option = "OpenFiles"),
	CAPABILITY(BPF, "hits and misses", .file = "bpf()", .option = "Hits"),
	CAPABILITY(PERFMON, "hits and misses", .file = "bpf()", .option = "Hits"),
	{ 0 },
};

const struct qmem_service pagecache_service = {
	.name = "pagecache",
	.help = "the page cache: what is to be written and how long that takes, which files are in it, hits and misses",
	.source = "/proc/vmstat",
	.kernel = "2.6.37",
	.privilege =
		"none; CAP_DAC_READ_SEARCH for what is to be written by device, CAP_SYS_PTRACE for OpenFiles, CAP_BPF and CAP_PERFMON for Hits",
	.capabilities = capabilities,
	.priority = 1700,
	.families = families,
	.options = options,
	.state_size = sizeof(struct pagecache),
	.start = start,
	.collect = collect,
	.stop = stop,
};
