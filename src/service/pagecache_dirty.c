/* SPDX-License-Identifier: MIT */
#include "service/pagecache_dirty.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "proc/text.h"
#include "util/escape.h"
#include "util/value.h"
#include "util/words.h"

#define SMOOTH 10e9           /* ns over which the pace is averaged */
#define LONGEST (1e18)        /* ns: who would wait longer */
#define PAGES_MOST UINT32_MAX /* the kernel takes no limit to be more (mm/page-writeback.c, 6.11) */

static const struct kv_key keys[] = {
	KV_KEY(dirty_pages, "nr_dirty", dirty, 0),
	KV_KEY(dirty_pages, "nr_unstable", unstable, 0), /* written, but not for good: before 5.8 as good as dirty */
	KV_KEY(dirty_pages, "nr_writeback", writeback, 0),
	KV_KEY(dirty_pages, "nr_written", written, KV_GROWS),
	KV_KEY(dirty_pages, "nr_dirty_threshold", hard, 0),
	KV_KEY(dirty_pages, "nr_dirty_background_threshold", background, 0),
	KV_KEY(dirty_pages, "nr_free_pages", free, 0),
	KV_KEY(dirty_pages, "nr_active_file", active_file, 0),
	KV_KEY(dirty_pages, "nr_inactive_file", inactive_file, 0),
	{ 0 },
};

static const char *const paths[] = {
	"proc/sys/vm/dirty_bytes",
	"proc/sys/vm/dirty_ratio",
	"proc/sys/vm/dirty_background_bytes",
	"proc/sys/vm/dirty_background_ratio",
};

int dirty_kv_init(struct kv *kv)
{
	return kv_init(kv, KV_PLAIN, NULL, keys);
}

/* As domain_dirty_limits() does; pages. */
static int64_t limit(int64_t bytes, int64_t ratio, int64_t available, int64_t page)
{
	if (bytes != QMEM_NA && bytes > 0)
		return bytes / page + (bytes % page != 0);
	if (ratio == QMEM_NA || available == QMEM_NA || ratio > 100)
		return QMEM_NA;
	return value_least(available / 100 * ratio + available % 100 * ratio / 100, PAGES_MOST);
}

static int64_t available(const struct dirty_pages *p)
{
	int64_t sum;

	if (p->free == QMEM_NA || p->active_file == QMEM_NA || p->inactive_file == QMEM_NA ||
	    __builtin_add_overflow(p->free, p->active_file, &sum) ||
	    __builtin_add_overflow(sum, p->inactive_file, &sum))
		return QMEM_NA;
	return sum;
}

/* More than all of it is possible, and told. */
static int64_t share(int64_t part, int64_t whole)
{
	double ratio;

	if (part == QMEM_NA || whole == QMEM_NA || whole <= 0)
		return QMEM_NA;
	ratio = (double)part * 10000 / (double)whole;
	return ratio < 1e9 ? (int64_t)ratio : (int64_t)1e9;
}

void dirty_derive(struct dirty *d, const struct dirty_pages *p, const struct dirty_settings *s, int64_t page)
{
	int64_t hard = p->hard, background = p->background, dirty = p->dirty;

	if (hard == QMEM_NA || background == QMEM_NA) {
		hard = limit(s->bytes, s->ratio, available(p), page);
		background = limit(s->background_bytes, s->background_ratio, available(p), page);
		if (hard != QMEM_NA && background != QMEM_NA && background >= hard)
			background = hard / 2;
	}
	if (dirty != QMEM_NA)
		dirty = value_sum(dirty, p->unstable);
	d->dirty = value_times(dirty, page);
	d->backlog = dirty == QMEM_NA || p->writeback == QMEM_NA ? QMEM_NA :
								   value_times(value_sum(dirty, p->writeback), page);
	d->background = value_times(background, page);
	d->hard = value_times(hard, page);
	/* dirty_freerun_ceiling() */
	d->throttle = hard == QMEM_NA || background == QMEM_NA ? QMEM_NA : value_times(hard / 2 + background / 2, page);
	d->of_background = share(d->dirty, d->background);
	d->of_throttle = share(d->backlog, d->throttle);
	d->of_hard = share(d->backlog, d->hard);
}

/* ---- how long it takes ---- */

/* Where nothing is being written, that says nothing of how fast it could be. */
void dirty_pace(struct dirty_pace *pace, const struct dirty_pages *p, uint64_t now)
{
	int64_t before = pace->when ? pace->written : QMEM_NA, grown;
	double elapsed = (double)(now - pace->when), rate, weight;

	pace->written = p->written;
	pace->when = now;
	if (p->written == QMEM_NA || before == QMEM_NA || p->written < before || elapsed <= 0)
		return;
	grown = p->written - before;
	if (!grown && value_or(p->writeback, 0) == 0)
		return;
	rate = (double)grown * 1e9 / elapsed;
	weight = pace->known ? elapsed / (elapsed + SMOOTH) : 1;
	pace->rate += (rate - pace->rate) * weight;
	pace->known = true;
}

int64_t dirty_time(const struct dirty_pace *pace, int64_t pages)
{
	double time;

	if (pages == QMEM_NA)
		return QMEM_NA;
	if (!pages)
		return 0;
	if (!pace->known || pace->rate <= 0)
		return QMEM_NA;
	time = (double)pages / pace->rate * 1e9;
	return time < LONGEST ? (int64_t)time : QMEM_NA;
}

/* ---- an event ---- */

/* "vm.dirty_ratio 20 %" */
static void say_setting(char *dst, size_t size, const struct dirty_settings *s)
{
	char bytes[WORDS_NUMBER];

	if (s->bytes != QMEM_NA && s->bytes > 0) {
		words_bytes(bytes, s->bytes);
		words_add(dst, size, " (vm.dirty_bytes %s)", bytes);
	} else if (s->ratio != QMEM_NA) {
		words_add(dst, size, " (vm.dirty_ratio %" PRId64 " %%)", s->ratio);
	}
}

static void raise_throttled(struct qmem *q, const struct dirty_reader *r, enum qmem_severity severity,
			    const char *device, int64_t of_device)
{
	char backlog[WORDS_NUMBER], hard[WORDS_NUMBER], span[WORDS_NUMBER], time[WORDS_NUMBER], amount[WORDS_NUMBER];
	char name[64] = "", percent[WORDS_NUMBER];
	const struct dirty *d = &r->sample;
	const struct qmem_label fields[] = {
		{ "backlog", backlog },
		{ "limit", hard },
		{ "limit_percent", percent },
		{ "time", time },
		{ "device", device ? device : "" },
		{ 0 },
	};
	struct qmem_event event = {
		.severity = severity,
		.service = "pagecache",
		.name = "throttled",
		.repeat = (uint64_t)r->notify_interval,
		.fields = fields,
	};
	char *text = event.message;
	size_t size = sizeof(event.message);

	words_bytes(backlog, d->backlog);
	words_bytes(hard, d->hard);
	words_span(span, qmem_now(q) - r->since);
	snprintf(percent, sizeof(percent), "%" PRId64, d->of_hard / 100);
	if (d->time == QMEM_NA)
		snprintf(time, sizeof(time), "?");
	else
		words_span(time, (uint64_t)d->time);
	if (device)
		escape_name(name, sizeof(name), device);
	snprintf(text, size, "%s: %s to be written, %s %% of the limit of %s",
		 severity == QMEM_OKAY ? "who writes need not wait any more" : "who writes has to wait", backlog,
		 percent, hard);
	say_setting(text, size, &r->settings);
	words_add(text, size, severity == QMEM_OKAY ? "; it was so for %s" : "; for %s", span);
	if (severity != QMEM_OKAY) {
		if (d->time != QMEM_NA)
			words_add(text, size, "; writing it takes %s", time);
		if (*name) {
			words_bytes(amount, of_device);
			(void)words_add_whole(text, size, "; most is for %s, %s", name, amount);
		}
		words_add(text, size, "; see vmstat.writeout, procstat.blocked");
	}
	qmem_raise(q, &event);
}

/* It begins where the kernel begins to hold them up, and ends half way down to where it only writes in the background. */
void dirty_conclude(struct qmem *q, struct dirty_reader *r, const char *device, int64_t of_device)
{
	struct dirty *d = &r->sample;
	int64_t end;

	d->state = r->raised ? 1 : QMEM_NA;
	if (d->backlog == QMEM_NA || d->throttle == QMEM_NA || d->background == QMEM_NA)
		return;
	end = d->throttle / 2 + d->background / 2;
	if (d->backlog >= d->throttle && d->throttle > 0) {
		if (!r->since)
			r->since = qmem_now(q);
	} else if (r->since && d->backlog < (r->raised ? end : d->throttle)) {
		if (r->raised)
			raise_throttled(q, r, QMEM_OKAY, NULL, 0);
		r->since = 0;
		r->raised = false;
	}
	if (r->since && qmem_now(q) - r->since >= (uint64_t)r->after)
		r->raised = true;
	if (r->raised)
		raise_throttled(q, r, QMEM_WARNING, device, of_device);
	d->state = r->raised;
}

/* ---- reading ---- */

static int64_t setting(struct qmem *q, struct qmem_file *file)
{
	const char *text;
	ssize_t len = qmem_read(q, file, &text);
	int64_t value;

	if (len < 1 || text_alone(text, (size_t)len, &value))
		return QMEM_NA;
	return value;
}

int dirty_collect(struct qmem *q, struct dirty_reader *r)
{
	struct dirty_settings *s = &r->settings;
	int64_t *const into[] = { &s->bytes, &s->ratio, &s->background_bytes, &s->background_ratio };
	int64_t page = sysconf(_SC_PAGESIZE);
	struct dirty_pages pages;
	const char *text;
	ssize_t len = kvfile_read(q, &r->keys, true, &pages, &text);

	if (len < 0)
		return (int)len;
	if (pages.hard == QMEM_NA || pages.background == QMEM_NA || r->since)
		for (size_t i = 0; i < sizeof(into) / sizeof(*into); i++)
			*into[i] = setting(q, &r->files[i]);
	dirty_derive(&r->sample, &pages, s, page);
	dirty_pace(&r->pace, &pages, qmem_now(q));
	r->sample.time = r->sample.backlog == QMEM_NA ? QMEM_NA : dirty_time(&r->pace, r->sample.backlog / page);
	return 0;
}

int dirty_start(struct qmem *q, struct dirty_reader *r)
{
	struct dirty_pages pages;
	struct fault fault;
	const char *text;
	ssize_t len;
	int err;

	r->keys.file = QMEM_FILE("proc/vmstat");
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		r->files[i] = QMEM_FILE(paths[i]);
	r->settings = (struct dirty_settings){ QMEM_NA, QMEM_NA, QMEM_NA, QMEM_NA };
	err = dirty_kv_init(&r->keys.kv);
	if (err)
		return err;
	len = qmem_read(q, &r->keys.file, &text);
	if (len == -ENOENT)
		return qmem_fail(q, -ENOTSUP, "no '/%s'", r->keys.file.path);
	/* OpenVZ shows a container a few of the keys */
	if (len > 0 && !kv_parse(&r->keys.kv, text, (size_t)len, &pages, &fault) && !fault.n)
		return qmem_fail(q, -ENOTSUP, "'/%s' says nothing of what is dirty", r->keys.file.path);
	return 0;
}

void dirty_stop(struct dirty_reader *r)
{
	kvfile_release(&r->keys);
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		qmem_file_close(&r->files[i]);
}
