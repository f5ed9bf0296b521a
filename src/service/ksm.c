/* SPDX-License-Identifier: MIT */
/*
 * Pages that the kernel merges since they are alike: what that saves, and what it costs. Every page that is offered for it costs
 * some bytes, merged or not; so it may well cost more than it saves, which the kernel's general_profit tells as a number below 0.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "kernel/sound.h"
#include "proc/columns.h"
#include "rows.h"
#include "services.h"
#include "util/value.h"

#define NONE "none so far: nothing is merged, and run is 0"

enum number {
	RUN,
	PAGES_SHARED,
	PAGES_SHARING,
	PAGES_UNSHARED,
	PAGES_VOLATILE,
	KSM_ZERO_PAGES,
	GENERAL_PROFIT,
	FULL_SCANS,
	PAGES_SCANNED,
	PAGES_SKIPPED,
	NUMBERS
};

static const struct {
	const char *name[1], *path;
} numbers[NUMBERS] = {
#define NUMBER(index_, name_) [index_] = { { name_ }, "sys/kernel/mm/ksm/" name_ }
	NUMBER(RUN, "run"),
	NUMBER(PAGES_SHARED, "pages_shared"),
	NUMBER(PAGES_SHARING, "pages_sharing"),
	NUMBER(PAGES_UNSHARED, "pages_unshared"),
	NUMBER(PAGES_VOLATILE, "pages_volatile"),
	NUMBER(KSM_ZERO_PAGES, "ksm_zero_pages"),
	NUMBER(GENERAL_PROFIT, "general_profit"),
	NUMBER(FULL_SCANS, "full_scans"),
	NUMBER(PAGES_SCANNED, "pages_scanned"),
	NUMBER(PAGES_SKIPPED, "pages_skipped"),
#undef NUMBER
};

struct sample {
	int64_t saved, cost, profit;
	int64_t shared, sharing, unshared, volatile_, zero; /* bytes */
	int64_t full_scans, scanned, skipped;
};

struct ksm {
	struct {
		struct qmem_file file;
		struct qmem_complaint faulty;
		bool lacking; /* in this kernel */
	} files[NUMBERS];
	int waits; /* as the note says; -1: it has not said anything */
};

static const struct qmem_metric savings_metrics[] = {
	METRIC(sample, "saved", NULL, saved, "pages that are merged into others, and into the page of zeros"),
	METRIC(sample, "cost", NULL, cost, "saved - profit: what the kernel keeps about all that is offered (6.4)"),
	METRIC(sample, "profit", "general_profit", profit, "what is left; below 0 it costs more than it saves (6.4)"),
	{ 0 },
};

static const struct qmem_metric offered_metrics[] = {
	METRIC(sample, "shared", "pages_shared", shared, "in use for all that are alike"),
	METRIC(sample, "sharing", "pages_sharing", sharing, "that are alike, and take no memory of their own"),
	METRIC(sample, "unshared", "pages_unshared", unshared,
	       "that are like no other, and are looked at again and again"),
	METRIC(sample, "volatile", "pages_volatile", volatile_, "that change too fast"),
	METRIC(sample, "zero", "ksm_zero_pages", zero,
	       "of zeros, that take no memory of their own (6.6; needs use_zero_pages)"),
	{ 0 },
};

static const struct qmem_metric scans_metrics[] = {
	METRIC(sample, "full", "full_scans", full_scans, "of all that is offered"),
	{ 0 },
};

static const struct qmem_metric scanned_metrics[] = {
	METRIC(sample, "scanned", "pages_scanned", scanned, "pages looked at (6.6)"),
	METRIC(sample, "skipped", "pages_skipped", skipped,
	       "of them, not compared, since it has often been in vain (6.7)"),
	{ 0 },
};

static const struct qmem_family families[] = {
	/* collectd's type memory ends at 0 */
	FAMILY("savings", "Merged pages: saved and spent", "memory/ksm", "line", savings_metrics,
	       GAUGE("bytes", 1, "gauge")),
	FAMILY("offered", "Pages offered for merging", "memory/ksm", "stacked", offered_metrics, BYTES),
	FAMILY("scans", "Scans for pages to merge", "memory/ksm", "line", scans_metrics, EVENTS, .flags = QMEM_DETAIL),
	FAMILY("scanned", "Pages scanned to be merged", "memory/ksm", "line", scanned_metrics, PAGES,
	       .flags = QMEM_DETAIL),
	{ 0 },
};

static int read_number(struct qmem *q, struct ksm *k, enum number which, int64_t *ret)
{
	const struct columns columns = { .names = numbers[which].name, .n = 1, .below_zero = which == GENERAL_PROFIT };
	struct fault fault;
	const char *text;
	ssize_t len;

	*ret = QMEM_NA;
	if (k->files[which].lacking)
		return 0;
	len = qmem_read(q, &k->files[which].file, &text);
	if (len < 0) {
		k->files[which].lacking = len == -ENOENT;
		return (int)len;
	}
	(void)columns_parse(text, (size_t)len, &columns, ret, &fault);
	sound_fault(q, &k->files[which].faulty, &k->files[which].file, 0, &fault);
	return 0;
}

/* It is off, and what was merged has been parted again. */
static bool is_idle(const int64_t *now)
{
	if (now[RUN] != 0)
		return false;
	for (int i = PAGES_SHARED; i <= KSM_ZERO_PAGES; i++)
		if (now[i] != QMEM_NA && now[i])
			return false;
	return true;
}

static void derive(const int64_t *now, struct sample *s)
{
	int64_t page = sysconf(_SC_PAGESIZE);

	s->shared = value_times(now[PAGES_SHARED], page);
	s->sharing = value_times(now[PAGES_SHARING], page);
	s->unshared = value_times(now[PAGES_UNSHARED], page);
	s->volatile_ = value_times(now[PAGES_VOLATILE], page);
	s->zero = value_times(now[KSM_ZERO_PAGES], page);
	s->saved = s->sharing == QMEM_NA ? QMEM_NA : value_sum(s->sharing, s->zero);
	s->profit = now[GENERAL_PROFIT];
	s->cost = QMEM_NA;
	if (s->saved != QMEM_NA && s->profit != QMEM_NA && s->profit <= s->saved &&
	    __builtin_sub_overflow(s->saved, s->profit, &s->cost))
		s->cost = QMEM_NA;
	s->full_scans = now[FULL_SCANS];
	s->scanned = now[PAGES_SCANNED];
	s->skipped = now[PAGES_SKIPPED];
}

static void note(struct qmem *q, struct ksm *k, bool waits)
{
	if (k->waits == waits)
		return;
	k->waits = waits;
	qmem_note(q, "%s", waits ? NONE : "");
}

static int read_all(struct qmem *q, struct ksm *k, int64_t *now)
{
	int err = read_number(q, k, RUN, &now[RUN]);

	for (int i = RUN + 1; !err && i < NUMBERS; i++)
		(void)read_number(q, k, (enum number)i, &now[i]);
	return err;
}

static int collect(struct qmem *q, void *state)
{
	struct ksm *k = state;
	int64_t now[NUMBERS];
	struct sample sample;
	int err;

	/* it may be given back by a user who takes it away */
	k->files[RUN].lacking = false;
	err = read_all(q, k, now);
	if (err)
		return err;
	note(q, k, is_idle(now));
	if (is_idle(now))
		return 0;
	derive(now, &sample);
	qmem_emit_all(q, &sample);
	return 0;
}

static void stop(struct qmem *q, void *state)
{
	struct ksm *k = state;

	(void)q;
	for (int i = 0; i < NUMBERS; i++)
		qmem_file_close(&k->files[i].file);
}

static int start(struct qmem *q, void *state)
{
	struct ksm *k = state;
	int64_t now[NUMBERS];
	int err;

	for (int i = 0; i < NUMBERS; i++)
		k->files[i].file = QMEM_FILE_SINGLE(numbers[i].path);
	k->waits = -1;
	err = read_all(q, k, now);
	if (err == -ENOENT)
		return qmem_fail(q, -ENOTSUP, "this kernel merges no pages: no '/%s'", numbers[RUN].path);
	if (!err)
		note(q, k, is_idle(now));
	return 0;
}

const struct qmem_service ksm_service = {
	.name = "ksm",
	.help = "merged pages (KSM): what they save, and what that costs",
	.source =
		"/sys/kernel/mm/ksm/{run,pages_shared,pages_sharing,pages_unshared,pages_volatile,ksm_zero_pages,general_profit,full_scans,pages_scanned,pages_skipped}",
	.kernel = "2.6.32 (CONFIG_KSM); cost and profit: 6.4",
	.privilege = "none",
	.priority = 1400,
	.families = families,
	.state_size = sizeof(struct ksm),
	.start = start,
	.collect = collect,
	.stop = stop,
};
