/* SPDX-License-Identifier: MIT */
/* The page cache: what is to be written, and how long that takes; which files are in it; who hits it and who misses. */
#include "service/pagecache.h"

#include <errno.h>
#include <string.h>

#include "engine/root.h"
#include "rows.h"
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
	int err = dirty_collect(q, &s->dirty);

	if (!err)
		err = bdi_collect(q, &s->bdi);
	if (err)
		return err;
	fullest = bdi_fullest(&s->bdi, &most);
	dirty_conclude(q, &s->dirty, fullest, most);
	note(q, s);
	qmem_emit_all(q, &s->dirty.sample);
	bdi_emit(q, &s->bdi, families);
	return 0;
}

/* ---- life ---- */

static void stop(struct qmem *q, void *state)
{
	struct pagecache *s = state;

	(void)q;
	bdi_stop(&s->bdi);
	dirty_stop(&s->dirty);
}

static int start(struct qmem *q, void *state)
{
	struct pagecache *s = state;
	int err = bdi_start(&s->bdi);

	return err ? err : dirty_start(q, &s->dirty);
}

static const struct qmem_capability capabilities[] = {
	CAPABILITY(DAC_READ_SEARCH, "what is to be written, by device", .file = "/sys/kernel/debug/bdi/*/stats",
		   .option = "TopDevices", .extra = true),
	{ 0 },
};

const struct qmem_service pagecache_service = {
	.name = "pagecache",
	.help = "what of the page cache is to be written, and how long that takes",
	.source = "/proc/vmstat",
	.kernel = "2.6.37",
	.privilege = "none; CAP_DAC_READ_SEARCH for what is to be written by device",
	.capabilities = capabilities,
	.priority = 1700,
	.families = families,
	.options = options,
	.state_size = sizeof(struct pagecache),
	.start = start,
	.collect = collect,
	.stop = stop,
};
