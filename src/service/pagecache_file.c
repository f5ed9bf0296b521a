/* SPDX-License-Identifier: MIT */
#include "service/pagecache_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/root.h"
#include "process/probe.h"
#include "process/table.h"
#include "service/pagecache_open.h"
#include "service/pagecache_scan.h"
#include "util/escape.h"
#include "util/room.h"
#include "util/value.h"
#include "util/words.h"

#define SLICE 5000000                  /* CPU ns of a job, about */
#define SAVED_MOST 2                   /* seconds of the budget */
#define STUCK_MOST 2                   /* while so many are, what has never been seen to end is not begun */
#define LEFT_MOST (QMEM_LEFT_MOST - 1) /* while so many are, nothing is: another service needs a thread, too */
#define PASS_MOST (600 * QMEM_SECOND)  /* what has not come to an end by then is cut */
#define LOOK_EVERY 64                  /* files that are summed up from one look at the clock to the next */
#define LOST (300 * QMEM_SECOND)       /* so long after the age what is stuck is not known any more */

/* Of a pattern, at the worker or not. It owns the scan, and outlives its watch while it is there. */
struct slicing {
	struct qmem_job job;
	struct scan *scan;
	struct watch *watch; /* NULL: it has gone */
	bool over;
	/* of files that processes have open */
	struct open_files *open;
	struct root *root;
	struct file_reader *left_by; /* stuck at a process, and not waited for; NULL: it is not */
};

struct watch {
	struct file_reader *reader;
	const char *pattern;
	struct slicing *slicing;
	bool out, stuck;
	bool running;   /* a pass is */
	bool over;      /* it is, and its list waits to be taken */
	bool failed;    /* it could not go on: no worker, no processes */
	bool complete;  /* one has been */
	uint64_t began; /* the pass that is running, or the last */
	uint64_t made;  /* the list was begun then; 0: there is none */
	struct scan_list list;
	struct scan_devices devices; /* of the last pass */
};

static const struct instances_kind kind = {
	.what = "files",
	.columns = FILE_COLUMNS,
	.gauges = (UINT64_C(1) << FILE_COLUMNS) - 1,
	.score = UINT64_C(1) << FILE_RESIDENT,
	.most = 200000,
};

const struct qmem_option file_block_rows[] = {
	{ .name = "Depth",
	  .type = QMEM_INT,
	  .offset = offsetof(struct file_block, depth),
	  .def = "1",
	  .min = 0,
	  .max = 32,
	  .help = "of a directory that the pattern finds: 1: the files in it, 2: also those of its directories, and so on; 0: none" },
	{ 0 },
};

bool file_check(const char *pattern, char *why, size_t size)
{
	return scan_check(pattern, why, size);
}

/* ---- jobs ---- */

static void run(struct qmem_job *job)
{
	struct slicing *slicing = (struct slicing *)(void *)job;

	slicing->over = scan_slice(slicing->scan, SLICE);
}

/* First their names, a process at a time. */
static void run_open(struct qmem_job *job)
{
	struct slicing *slicing = (struct slicing *)(void *)job;
	struct open_files *open = slicing->open;

	slicing->over = false;
	if (open->at < open->n) {
		const struct open_process *next = &open->processes[open->at];

		QMEM_JOB_AT(job, next->pid, next->uid);
		(void)open_next(open, slicing->root, slicing->scan);
		QMEM_JOB_AT(job, 0, 0);
		return;
	}
	slicing->over = scan_slice(slicing->scan, SLICE);
}

static void release(struct slicing *slicing)
{
	if (!slicing)
		return;
	scan_free(slicing->scan);
	if (slicing->open)
		open_release(slicing->open);
	free(slicing->open);
	root_drop(slicing->root);
	free(slicing);
}

static void go(struct qmem *q, struct file_reader *r);

static void come_back(struct file_reader *r, const struct slicing *slicing)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->n_left; i++)
		if (r->left[i] != slicing)
			r->left[kept++] = r->left[i];
	r->n_left = kept;
}

static void done(struct qmem *q, struct qmem_job *job)
{
	struct slicing *slicing = (struct slicing *)(void *)job;
	struct watch *w = slicing->watch;

	if (slicing->left_by)
		come_back(slicing->left_by, slicing);
	if (!q || !w) {
		release(slicing);
		return;
	}
	w->out = w->stuck = false;
	w->reader->credit -= (int64_t)job->cpu_ns;
	w->over = !job->recalled && slicing->over;
	go(q, w->reader);
}

/* Those that have come since they were summed up last. */
static void take_lists(struct file_reader *r)
{
	for (size_t i = 0; i < r->n; i++) {
		struct watch *w = &r->watches[i];
		const struct open_files *open = w->slicing->open;

		if (!w->over)
			continue;
		scan_swap(w->slicing->scan, &w->list);
		if (open)
			r->others = (struct file_others){ open->refused, open->elsewhere };
		w->over = w->running = false;
		w->complete = true;
		w->devices = w->list.devices;
		w->made = w->began;
		r->fresh = true;
	}
}

static bool is_due(const struct file_reader *r, const struct watch *w, uint64_t now)
{
	return w->running || !w->began || now - w->began >= (uint64_t)r->age;
}

static bool is_on(const struct watch *w, uint64_t device)
{
	for (unsigned i = 0; i < w->devices.n; i++)
		if (w->devices.device[i] == device)
			return true;
	return w->devices.more;
}

/* Might it be stuck, too? */
static bool is_held(const struct file_reader *r, const struct watch *w)
{
	size_t stuck = r->n_left;

	for (size_t i = 0; i < r->n; i++) {
		const struct watch *other = &r->watches[i];
		uint64_t device;

		if (!other->stuck)
			continue;
		stuck++;
		device = scan_device(other->slicing->scan);
		if (device && is_on(w, device))
			return true;
	}
	return stuck >= LEFT_MOST || (stuck >= STUCK_MOST && !w->complete);
}

/* Whose turn it is; NULL: nobody's. */
static struct watch *choose(struct file_reader *r, uint64_t now)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->watches[i].out && !r->watches[i].stuck)
			return NULL;
	for (size_t i = 1; i <= r->n; i++) {
		size_t at = (r->turn + i) % r->n;
		struct watch *w = &r->watches[at];

		if (w->out || w->over || !is_due(r, w, now) || is_held(r, w))
			continue;
		r->turn = at;
		return w;
	}
	return NULL;
}

/* Those with most memory. false: they are not known. */
static bool choose_processes(struct qmem *q, struct file_reader *r, struct open_files *open)
{
	const struct proctable *table = qmem_state(q, &proctable_service);
	int64_t rss[OPEN_PROCESSES];
	const struct proc *p;

	open->n = 0;
	r->no_table = !table;
	if (!table || !proctable_current(table))
		return false;
	proctable_each(table, p)
	{
		unsigned at = open->n;

		if (p->kthread || p->rss == QMEM_NA || probe_shuns(q, p->pid, p->uid))
			continue;
		while (at && rss[at - 1] < p->rss)
			at--;
		if (at == (unsigned)r->open_processes)
			continue;
		if (open->n < (unsigned)r->open_processes)
			open->n++;
		memmove(rss + at + 1, rss + at, (open->n - 1 - at) * sizeof(*rss));
		memmove(open->processes + at + 1, open->processes + at, (open->n - 1 - at) * sizeof(*open->processes));
		rss[at] = p->rss;
		open->processes[at] = (struct open_process){ p->pid, p->uid };
	}
	return true;
}

static bool begin_open(struct qmem *q, struct file_reader *r, struct slicing *slicing)
{
	if (!choose_processes(q, r, slicing->open) || open_begin(slicing->open, (unsigned)r->most))
		return false;
	scan_begin_list(slicing->scan);
	return true;
}

/* May there be another turn: is it back already, or cannot be begun? */
static bool give(struct qmem *q, struct file_reader *r)
{
	uint64_t now = qmem_now(q);
	struct watch *w = r->credit > 0 ? choose(r, now) : NULL;
	struct qmem_job *job;

	if (!w)
		return false;
	w->failed = false;
	if (!w->running) {
		w->began = now;
		if (w->slicing->open && !begin_open(q, r, w->slicing)) {
			w->failed = true;
			return true;
		}
		w->running = true;
	} else if (now - w->began >= PASS_MOST) {
		scan_hurry(w->slicing->scan);
	}
	job = &w->slicing->job;
	w->out = true;
	if (!qmem_work(q, job))
		return !w->out;
	w->out = false;
	w->failed = true;
	return false;
}

/* A host may do a job at once. */
static void go(struct qmem *q, struct file_reader *r)
{
	if (r->going)
		return;
	r->going = true;
	while (give(q, r))
		;
	r->going = false;
}

static void earn(struct file_reader *r, uint64_t now)
{
	double seconds = r->when ? (double)(now - r->when) / 1e9 : 1;
	int64_t most = r->budget * SAVED_MOST;

	r->credit += (int64_t)((double)r->budget * (seconds < SAVED_MOST ? seconds : SAVED_MOST));
	if (r->credit > most)
		r->credit = most;
	r->when = now;
}

static struct slicing *new_open(struct file_reader *r)
{
	struct slicing *slicing = calloc(1, sizeof(*slicing));

	if (!slicing)
		return NULL;
	slicing->root = root_hold(r->root);
	slicing->open = calloc(1, sizeof(*slicing->open));
	if (!slicing->open || scan_new_list(r->root, (size_t)r->most, &slicing->scan)) {
		release(slicing);
		return NULL;
	}
	/* as it is called for whom others see who read the same */
	snprintf(slicing->job.what, sizeof(slicing->job.what), "maps");
	slicing->job.run = run_open;
	slicing->job.done = done;
	slicing->job.lane = QMEM_TARGETS;
	slicing->job.wary = true;
	return slicing;
}

/* A process that holds up who reads its maps holds up nothing else: the next pass passes it over. */
static void leave_process(struct file_reader *r, struct watch *w)
{
	struct slicing *fresh;

	if (!w->slicing->job.at || r->n_left == LEFT_MOST)
		return;
	fresh = new_open(r);
	if (!fresh)
		return;
	w->slicing->watch = NULL;
	w->slicing->left_by = r;
	r->left[r->n_left++] = w->slicing;
	w->slicing = fresh;
	fresh->watch = w;
	w->out = w->running = false;
}

/* What is stuck, waits for that, or cannot go on, for long says nothing of what is. */
static void look_at_stuck(struct file_reader *r, uint64_t now)
{
	r->held = 0;
	for (size_t i = 0; i < r->n; i++)
		if (r->watches[i].out && r->watches[i].slicing->job.left)
			leave_process(r, &r->watches[i]);
	for (size_t i = 0; i < r->n; i++)
		r->watches[i].stuck = r->watches[i].out && r->watches[i].slicing->job.left;
	for (size_t i = 0; i < r->n; i++) {
		struct watch *w = &r->watches[i];
		bool held = !w->stuck && is_held(r, w);

		r->held += held;
		if ((!w->stuck && !held && !w->failed) || !w->made || now - w->made < (uint64_t)r->age + LOST)
			continue;
		scan_list_clear(&w->list);
		w->made = 0;
		r->fresh = true;
	}
}

/* ---- sums ---- */

static void count_list(struct file_reader *r, const struct scan_list *list)
{
	struct file_counts *c = &r->counts;

	c->refused += (int64_t)list->refused;
	c->failed += (int64_t)list->failed;
	c->omitted += (int64_t)list->omitted;
	r->partial += list->partial;
	r->cut |= list->cut;
}

static int begin_sum(struct file_reader *r)
{
	size_t total = 0;
	int err;

	for (size_t i = 0; i < r->n; i++)
		total += r->watches[i].list.n;
	err = sum_begin(&r->sum, &r->all, total, (size_t)r->top);
	if (err)
		return err;
	r->counts = (struct file_counts){ .measured = 0 };
	r->partial = 0;
	r->cut = r->fresh = false;
	for (size_t i = 0; i < r->n; i++)
		count_list(r, &r->watches[i].list);
	r->at_list = r->at_file = 0;
	r->summing = true;
	return 0;
}

/* As far as it goes in one hold. */
static int go_on(struct qmem *q, struct file_reader *r)
{
	const char *text;
	size_t n = 0;
	int err;

	while (r->at_list < r->n) {
		const struct scan_list *list = &r->watches[r->at_list].list;

		if (r->at_file == list->n) {
			r->at_list++;
			r->at_file = 0;
			continue;
		}
		if (++n % LOOK_EVERY == 0 && qmem_enough(q))
			return QMEM_MORE;
		if (sum_add(&r->sum, list, &list->files[r->at_file++]))
			r->counts.measured++;
		else
			r->counts.twice++;
	}
	r->summing = false;
	err = sum_end(&r->sum, &r->all, qmem_now(q));
	if (!err && kvfile_read(q, &r->meminfo, false, &r->cached, &text) < 0)
		r->cached.bytes = QMEM_NA;
	return err;
}

int file_collect(struct qmem *q, struct file_reader *r)
{
	uint64_t now = qmem_now(q);
	int err;

	if (!r->n)
		return 0;
	if (!r->summing) {
		look_at_stuck(r, now);
		earn(r, now);
		take_lists(r);
		go(q, r);
		take_lists(r);
		if (!r->fresh)
			return 0;
		err = begin_sum(r);
		if (err)
			return err;
	}
	return go_on(q, r);
}

/* ---- what is shown ---- */

static void emit_share(struct qmem *q, const struct file_reader *r, const struct qmem_family *family, const char *name,
		       const int64_t *columns)
{
	const struct qmem_instance instance = { .name = name };
	/* the last page of a file is whole, and a file in use may have grown */
	const struct file_share share = {
		.file = value_ratio(columns[FILE_RESIDENT], columns[FILE_SIZE]),
		.cache = value_ratio(columns[FILE_RESIDENT], r->cached.bytes),
	};

	qmem_emit(q, family, &instance, &share);
}

void file_emit(struct qmem *q, struct file_reader *r, const struct qmem_family families[FILE_FAMILIES])
{
	uint64_t oldest = QMEM_NEVER;

	if (!r->n)
		return;
	for (size_t i = 0; i < r->n; i++)
		if (r->watches[i].made && r->watches[i].made < oldest)
			oldest = r->watches[i].made;
	/* nothing has been looked at yet */
	if (oldest == QMEM_NEVER)
		return;
	r->counts.age = (int64_t)(qmem_now(q) - oldest);
	qmem_emit(q, &families[FILE_COUNTS], NULL, &r->counts);
	qmem_emit(q, &families[FILE_AGE], NULL, &r->counts);
	for (size_t k = 0; k < r->all.n; k++)
		if (instances_shown(&r->all, k))
			emit_share(q, r, &families[FILE_SHARES], r->all.all[k]->name, r->all.all[k]->now);
	if (r->all.others)
		emit_share(q, r, &families[FILE_SHARES], INSTANCES_OTHER, r->all.other);
	instances_emit_some(q, &r->all, &families[FILE_EACH], 1);
}

void file_note(const struct file_reader *r, char *text, size_t size)
{
	const char *joint = *text ? "; " : "";

	if (!r->n)
		return;
	if (r->counts.refused)
		words_add(text, size,
			  "%s%" PRId64 " files are absent: only who owns a file, or may write to it, may know of it",
			  joint, r->counts.refused);
	joint = *text ? "; " : "";
	if (r->no_table)
		words_add(text, size, "%sno open files: no service runs that has the table of processes", joint);
	joint = *text ? "; " : "";
	if (r->others.refused)
		words_add(text, size, "%sopen files of %u processes are not seen: needs CAP_SYS_PTRACE", joint,
			  r->others.refused);
	joint = *text ? "; " : "";
	if (r->others.elsewhere)
		words_add(text, size,
			  "%sopen files of %u processes are not seen: they have mounts or a root of their own", joint,
			  r->others.elsewhere);
	joint = *text ? "; " : "";
	if (r->partial)
		words_add(text, size, "%sof %zu files only what is resident: no cachestat(2) (Linux 6.5)", joint,
			  r->partial);
	joint = *text ? "; " : "";
	if (r->held)
		words_add(text, size, "%s%zu patterns wait for one that is stuck on the same device, or for too many",
			  joint, r->held);
	joint = *text ? "; " : "";
	if (r->counts.omitted || r->cut)
		words_add(text, size, "%sthere are more files than MaxFiles, or names to look at", joint);
}

/* ---- life ---- */

static int watch(struct file_reader *r, struct watch *w, size_t at, const struct qmem_block *block)
{
	const struct file_block *options = block->data;
	struct slicing *slicing = calloc(1, sizeof(*slicing));
	char name[48];
	int err;

	if (!slicing)
		return -ENOMEM;
	err = scan_new(r->root, block->name, (int)options->depth, (size_t)r->most, &slicing->scan);
	if (err) {
		free(slicing);
		return err;
	}
	escape_name(name, sizeof(name), block->name);
	snprintf(slicing->job.what, sizeof(slicing->job.what), "files of '%s'", name);
	snprintf(slicing->job.id, sizeof(slicing->job.id), "files_%zu", at + 1);
	slicing->job.run = run;
	slicing->job.done = done;
	slicing->job.lane = QMEM_TARGETS;
	slicing->job.wary = true;
	slicing->watch = w;
	*w = (struct watch){ .reader = r, .pattern = block->name, .slicing = slicing };
	return 0;
}

static int watch_open(struct file_reader *r, struct watch *w)
{
	*w = (struct watch){ .reader = r, .slicing = new_open(r) };
	if (!w->slicing)
		return -ENOMEM;
	w->slicing->watch = w;
	return 0;
}

static const struct kv_key cached_keys[] = {
	KV_KEY(cached, "Cached", bytes, 0),
	{ 0 },
};

int file_start(struct qmem *q, struct file_reader *r)
{
	int err;

	r->meminfo.file = QMEM_FILE_SINGLE("proc/meminfo");
	if (!r->blocks.n && !r->open)
		return 0;
	r->root = root_of(q);
	err = instances_init(&r->all, &kind, NULL, false, r->top);
	if (!err)
		err = kv_init(&r->meminfo.kv, KV_COLON, NULL, cached_keys);
	if (err)
		return err;
	r->watches = calloc(r->blocks.n + 1, sizeof(*r->watches));
	if (!r->watches)
		return -ENOMEM;
	for (size_t i = 0; i < r->blocks.n && !err; i++) {
		err = watch(r, &r->watches[i], i, &r->blocks.items[i]);
		r->n += !err;
	}
	if (!err && r->open) {
		err = watch_open(r, &r->watches[r->n]);
		r->n += !err;
	}
	return err;
}

void file_stop(struct file_reader *r)
{
	for (size_t i = 0; i < r->n_left; i++)
		r->left[i]->left_by = NULL;
	for (size_t i = 0; i < r->n; i++) {
		struct watch *w = &r->watches[i];

		scan_list_release(&w->list);
		if (w->out)
			w->slicing->watch = NULL;
		else
			release(w->slicing);
	}
	free(r->watches);
	sum_release(&r->sum);
	if (r->all.kind)
		instances_release(&r->all);
	kvfile_release(&r->meminfo);
	root_drop(r->root);
}
