/* SPDX-License-Identifier: MIT */
/* The engine: which service is due, what becomes of what it emits, and what it costs. */
#include "qmem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/engine.h"
#include "engine/event.h"
#include "engine/name.h"
#include "engine/option.h"
#include "engine/timer.h"
#include "engine/turn.h"
#include "engine/watch.h"

#define STRETCH_MOST 16
#define LOADS_FIRST 4 /* collections before the budget is looked at: the first ones open files and fill tables */
#define LOAD_WEIGHT 8

#define INTERVAL_LEAST (QMEM_SECOND / 10)

static const char *check_interval(const char *text)
{
	int64_t ns = 0;

	(void)qmem_parse_duration(text, &ns);
	return ns && (uint64_t)ns < INTERVAL_LEAST ? "must be 0, or at least 100ms" : NULL;
}

static const char *check_directory(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return "cannot be found";
	return S_ISDIR(st.st_mode) ? NULL : "is not a directory";
}

const struct qmem_option qmem_common_options[] = {
	{ .name = "Enabled",
	  .type = QMEM_TRISTATE,
	  .offset = offsetof(struct qmem_common, enabled),
	  .def = "auto",
	  .help = "yes: it is an error if the service cannot run; auto: then it is off; no: off" },
	{ .name = "Interval",
	  .type = QMEM_DURATION,
	  .offset = offsetof(struct qmem_common, interval),
	  .min = 0,
	  .max = INT64_C(86400000000000),
	  .check = check_interval,
	  .help = "time between two collections, at least 100ms; in Netdata rounded up to a multiple of its own; 0: the agent's" },
	{ .name = "Budget",
	  .type = QMEM_DURATION,
	  .offset = offsetof(struct qmem_common, budget),
	  .def = "20ms",
	  .min = 0,
	  .max = INT64_C(1000000000),
	  .help = "CPU time a second; a service that costs more gets a longer interval until it does not, and so do those that "
		  "need it; 0: no limit" },
	{ .name = "Detail",
	  .type = QMEM_BOOL,
	  .offset = offsetof(struct qmem_common, detail),
	  .def = "no",
	  .help = "also the metrics that are marked as detail" },
	{ 0 },
};

const struct qmem_option qmem_global_options[] = {
	{ .name = "HostRoot",
	  .type = QMEM_STRING,
	  .offset = 0,
	  .def = "/",
	  .check = check_directory,
	  .help = "the directory below which proc and sys of the host are found, such as /host in a container" },
	{ 0 },
};

const char *qmem_version(void)
{
	return QMEM_VERSION;
}

/* ---- whose turn it is ---- */

static struct qmem_run *run_of(const struct qmem *q, const struct qmem_service *service)
{
	for (size_t i = 0; i < q->n; i++)
		if (q->runs[i].service == service)
			return &q->runs[i];
	return NULL;
}

static bool wanted(const struct qmem_run *run)
{
	return run->common.enabled == QMEM_YES || (run->common.enabled == QMEM_AUTO && !run->service->shared);
}

static bool needed(const struct qmem *q, const struct qmem_run *run)
{
	for (size_t i = 0; i < q->n; i++) {
		const struct qmem_run *other = &q->runs[i];

		if (other->service->needs == run->service && (wanted(other) || needed(q, other)))
			return true;
	}
	return false;
}

void *qmem_state(struct qmem *q, const struct qmem_service *service)
{
	struct qmem_run *run = run_of(q, service);

	return run && run->started ? run->state : NULL;
}

/* ---- what they emit ---- */

bool qmem_muted(const struct qmem *q)
{
	return q->muted;
}

/* No more often than what it needs can afford: one whose turns are all for others has no other brake. */
static uint64_t pace(const struct qmem *q, const struct qmem_run *run)
{
	unsigned stretch = run->stretch;

	for (const struct qmem_run *r = run; r->service->needs && (r = run_of(q, r->service->needs));)
		if (r->started && r->stretch > stretch)
			stretch = r->stretch;
	return run->interval * stretch;
}

static bool shown(const struct qmem_run *run, const struct qmem_family *family)
{
	return !(family->flags & QMEM_INTERNAL) && (run->common.detail || !(family->flags & QMEM_DETAIL));
}

bool qmem_shown(const struct qmem *q, const struct qmem_service *service, const struct qmem_family *family)
{
	const struct qmem_run *run = run_of(q, service);

	return run && shown(run, family);
}

static struct qmem_round round_of(const struct qmem *q, const struct qmem_run *run)
{
	return (struct qmem_round){ .service = run->service, .now = q->now, .interval = pace(q, run) };
}

/* Bit i: metric i has a value. */
static uint64_t present(const struct qmem_family *family, const void *sample)
{
	uint64_t bits = 0;

	for (size_t i = 0; family->metrics[i].id; i++)
		if (qmem_value(&family->metrics[i], sample) != QMEM_NA)
			bits |= UINT64_C(1) << i;
	return bits;
}

void qmem_emit(struct qmem *q, const struct qmem_family *family, const struct qmem_instance *instance,
	       const void *sample)
{
	struct qmem_run *run = q->current;
	struct qmem_round round;
	uint64_t bits, *seen;

	if (q->muted)
		return;
	bits = present(family, sample);
	seen = &run->seen[family - run->service->families];
	*seen |= bits;
	round = round_of(q, run);
	round.seen = *seen;
	if (shown(run, family)) {
		run->values += (uint64_t)__builtin_popcountll(bits);
		if (q->host->values)
			q->host->values(q->arg, &round, family, instance, sample);
	}
	for (size_t i = 0; i < q->n; i++) {
		struct qmem_run *other = &q->runs[i];

		if (other->started && other->service->values && other != run)
			TURN_OF(q, other, other->service->values(q, other->state, &round, family, instance, sample));
	}
}

void qmem_emit_all(struct qmem *q, const void *sample)
{
	for (const struct qmem_family *f = q->current->service->families; f && f->id; f++)
		if (!f->label)
			qmem_emit(q, f, NULL, sample);
}

/* ---- what they cost ---- */

static void set_stretch(struct qmem *q, struct qmem_run *run, unsigned stretch)
{
	uint64_t before = pace(q, run), load = run->load;
	bool more = stretch > run->stretch;
	char interval[32];

	run->stretch = stretch;
	run->changed = true;
	run->load = (uint64_t)((double)load * (double)before / (double)pace(q, run));
	qmem_print_duration(interval, sizeof(interval), (int64_t)pace(q, run));
	/* one line when it begins, one when it is over */
	if (more && stretch == 2)
		qmem_log(q, QMEM_LOG_NOTICE, "needs %.1f ms of CPU a second, its budget is %.1f ms: every %s for now",
			 (double)load / 1e6, (double)run->common.budget / 1e6, interval);
	else if (stretch == 1)
		qmem_log(q, QMEM_LOG_INFO, "is within its budget again: every %s", interval);
}

/* Whoever it was collected for. */
static void weigh(struct qmem *q, struct qmem_run *run, uint64_t cost)
{
	uint64_t elapsed = q->now - run->weighed, load, budget = (uint64_t)run->common.budget;
	bool skip = run->collections == 1 || !elapsed || run->changed;

	run->weighed = q->now;
	run->changed = false;
	/* the first one after a change of pace comes too early for the new, or too late for the old */
	if (skip)
		return;
	load = (uint64_t)((double)cost * 1e9 / (double)elapsed);
	if (!budget || ++run->loads <= LOADS_FIRST) {
		run->load = load;
		return;
	}
	run->load = (run->load * (LOAD_WEIGHT - 1) + load) / LOAD_WEIGHT;
	if (run->load > budget && run->stretch < STRETCH_MOST)
		set_stretch(q, run, run->stretch * 2);
	else if (run->stretch > 1 && run->load * 2 < budget - budget / 5)
		set_stretch(q, run, run->stretch / 2);
}

/* ---- rounds ---- */

static void settle(struct qmem *q, struct qmem_run *run, int err)
{
	char words[128];

	run->result = err;
	run->collections++;
	if (err) {
		run->failures++;
		if (!run->failing++)
			qmem_log(q, QMEM_LOG_WARNING, "%s", engine_words(q, err, words, sizeof(words)));
	} else if (run->failing) {
		qmem_log(q, QMEM_LOG_INFO, "is back after %llu failed collections", (unsigned long long)run->failing);
		run->failing = 0;
	}
}

static void collect(struct qmem *q, struct qmem_run *run, bool muted)
{
	struct qmem_run *before = run->service->needs ? run_of(q, run->service->needs) : NULL;
	bool outer_muted = q->muted;
	uint64_t cost = run->cpu_ns;
	struct qmem_round round;

	if (before && before->started && before->round != q->round)
		collect(q, before, true);
	round = round_of(q, run);
	run->round = q->round;
	q->muted = muted;
	TURN_OF(q, run, settle(q, run, run->service->collect(q, run->state)));
	if (!run->result && !muted && q->host->collected)
		q->host->collected(q->arg, &round);
	q->muted = outer_muted;
	TURN_OF(q, run, weigh(q, run, run->cpu_ns - cost));
}

/* A host's clock jitters: half a tick early is in time, and whole intervals that were missed are left out. */
static bool is_due(const struct qmem *q, const struct qmem_run *run)
{
	return run->started && wanted(run) && run->service->collect && q->now + q->tick / 2 >= run->due;
}

/* Multiples of an interval since the start: services of one interval, or of two and four times as much, have their turns
 * together, and share what they need. The one after that which it has had, early or late: wherever between two of them the
 * host's ticks fall, each of these is a turn. */
static void plan(const struct qmem *q, struct qmem_run *run)
{
	uint64_t interval = pace(q, run), had = q->now > run->due ? q->now : run->due;

	run->due = q->began + ((had - q->began) / interval + 1) * interval;
}

int qmem_collect(struct qmem *q, uint64_t now)
{
	bool any = false, all = true;

	q->now = now;
	q->round++;
	for (size_t i = 0; i < q->n; i++) {
		struct qmem_run *run = &q->runs[i];

		if (!is_due(q, run))
			continue;
		collect(q, run, false);
		plan(q, run);
	}
	/* those that need no file always succeed, and prove nothing */
	for (size_t i = 0; i < q->n; i++) {
		const struct qmem_run *run = &q->runs[i];

		if (!run->started || !wanted(run) || !run->service->collect || !run->service->source)
			continue;
		any = true;
		all &= run->result != 0;
	}
	return any && all ? -EIO : 0;
}

uint64_t qmem_now(const struct qmem *q)
{
	return q->now;
}

void qmem_dispatch(struct qmem *q, const struct epoll_event *events, int n, uint64_t now)
{
	q->now = now;
	watches_dispatch(q, events, n);
	timers_expire(q);
}

/* ---- life ---- */

static size_t families_of(const struct qmem_service *service)
{
	size_t n = 0;

	while (service->families && service->families[n].id)
		n++;
	return n;
}

struct qmem *qmem_new(const struct qmem_host *host, void *arg, const struct qmem_service *const *services)
{
	struct qmem *q = calloc(1, sizeof(*q));
	int err;

	if (!q)
		return NULL;
	q->host = host;
	q->arg = arg;
	q->root_fd = -1;
	err = watches_init(q);
	while (services[q->n])
		q->n++;
	q->runs = calloc(q->n ? q->n : 1, sizeof(*q->runs));
	if (!q->runs) {
		q->n = 0;
		err = -ENOMEM;
	}
	for (size_t i = 0; i < q->n; i++) {
		struct qmem_run *run = &q->runs[i];

		run->service = services[i];
		run->stretch = 1;
		run->state = calloc(1, services[i]->state_size ? services[i]->state_size : 1);
		run->seen = calloc(families_of(services[i]) + 1, sizeof(*run->seen));
		if (!run->state || !run->seen)
			err = -ENOMEM;
		if (!err)
			err = qmem_option_defaults(qmem_common_options, &run->common);
		if (!err)
			err = qmem_option_defaults(services[i]->options, run->state);
	}
	if (!err)
		err = qmem_option_defaults(qmem_global_options, &q->global);
	if (!err)
		return q;
	qmem_free(q);
	return NULL;
}

static int unknown(struct qmem_error *error, const char *where, const char *kind, const char *name)
{
	snprintf(error->text, sizeof(error->text), "%s%sno %s '%.100s'", where, *where ? ": " : "", kind, name);
	return -ENOENT;
}

/* The rows and the state that a name belongs to: a service's own, then those that all have. */
static const struct qmem_option *find_option(struct qmem_run *run, const char *name, void **ret_state)
{
	const struct qmem_option *row = qmem_option_find(run->service->options, name);

	*ret_state = run->state;
	if (row)
		return row;
	*ret_state = &run->common;
	return qmem_option_find(qmem_common_options, name);
}

int qmem_set(struct qmem *q, const char *service, const char *block, const char *block_name, const char *option,
	     const char *value, struct qmem_error *error)
{
	char where[192] = "", why[160] = "", label[100];
	const struct qmem_option *row;
	struct qmem_run *run = NULL;
	void *state = &q->global;
	int err;

	if (service) {
		for (size_t i = 0; i < q->n && !run; i++)
			if (qmem_name_same(q->runs[i].service->name, service))
				run = &q->runs[i];
		if (!run)
			return unknown(error, where, "service", service);
		snprintf(where, sizeof(where), "%s", run->service->name);
	}
	if (q->started) {
		snprintf(error->text, sizeof(error->text), "%s%s'%.100s' cannot be set any more", where,
			 *where ? ": " : "", option);
		return -EBUSY;
	}
	if (block) {
		row = run ? qmem_option_find(run->service->options, block) : NULL;
		if (!row || row->type != QMEM_BLOCK)
			return unknown(error, where, "block", block);
		err = qmem_option_block(row, run->state, block_name, &state);
		if (err) {
			snprintf(error->text, sizeof(error->text), "%s: no memory", where);
			return err;
		}
		qmem_name_label(label, sizeof(label), block_name);
		snprintf(where, sizeof(where), "%s: %s '%s'", run->service->name, row->name, label);
		row = qmem_option_find(row->sub, option);
	} else if (run) {
		row = find_option(run, option, &state);
	} else {
		row = qmem_option_find(qmem_global_options, option);
	}
	if (!row)
		return unknown(error, where, "option", option);
	err = qmem_option_set(row, state, value, why, sizeof(why));
	if (err) {
		qmem_name_label(label, sizeof(label), value);
		snprintf(error->text, sizeof(error->text), "%s%s%s '%s' %s", where, *where ? ": " : "", row->name,
			 label, why);
	}
	return err;
}

static uint64_t greatest_common_divisor(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

uint64_t qmem_tick(const struct qmem *q, uint64_t interval)
{
	uint64_t shortest = QMEM_NEVER, common = 0;

	for (size_t i = 0; i < q->n; i++) {
		const struct qmem_run *run = &q->runs[i];
		uint64_t own = run->common.interval ? (uint64_t)run->common.interval : interval;

		if (!wanted(run))
			continue;
		if (own < shortest)
			shortest = own;
		common = greatest_common_divisor(own, common);
	}
	if (shortest == QMEM_NEVER)
		return interval;
	return common >= QMEM_SECOND ? common : shortest;
}

static int start_run(struct qmem *q, struct qmem_run *run)
{
	int err = run->service->start ? run->service->start(q, run->state) : 0;
	char words[128];

	if (!err) {
		run->started = true;
		return 0;
	}
	snprintf(run->reason, sizeof(run->reason), "%s", engine_words(q, err, words, sizeof(words)));
	if (run->service->stop)
		run->service->stop(q, run->state);
	if (run->common.enabled == QMEM_YES)
		qmem_log(q, QMEM_LOG_ERROR, "cannot run: %s", run->reason);
	else
		qmem_log(q, QMEM_LOG_INFO, "is off: %s", run->reason);
	return err;
}

static void set_interval(struct qmem *q, struct qmem_run *run, uint64_t fallback)
{
	uint64_t own = run->common.interval ? (uint64_t)run->common.interval : fallback;
	char asked[32], rounded[32];

	run->interval = (own + q->tick - 1) / q->tick * q->tick;
	if (!run->interval)
		run->interval = q->tick;
	if (!wanted(run) || run->interval == own)
		return;
	qmem_print_duration(asked, sizeof(asked), (int64_t)own);
	qmem_print_duration(rounded, sizeof(rounded), (int64_t)run->interval);
	qmem_log(q, QMEM_LOG_INFO, "%s: an interval of %s is one of %s here", run->service->name, asked, rounded);
}

/* What runs for others only has the interval of the one that has its turn most often. */
static void lend_interval(const struct qmem *q, const struct qmem_run *run)
{
	const struct qmem_service *needs = run->service->needs;

	for (struct qmem_run *r; needs && (r = run_of(q, needs)); needs = r->service->needs) {
		if (!wanted(r) && (!r->lent || run->interval < r->interval))
			r->interval = run->interval;
		r->lent = true;
	}
}

int qmem_start(struct qmem *q, uint64_t tick, uint64_t interval, uint64_t now)
{
	char words[128];
	bool any = false;

	q->started = true;
	q->tick = tick ? tick : QMEM_SECOND;
	q->now = q->began = now;
	q->root_fd = open(q->global.host_root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (q->root_fd < 0) {
		int err = -errno;

		qmem_log(q, QMEM_LOG_ERROR, "cannot open HostRoot '%s': %s", q->global.host_root,
			 strerror_r(-err, words, sizeof(words)));
		for (size_t i = 0; i < q->n; i++)
			snprintf(q->runs[i].reason, sizeof(q->runs[i].reason), "cannot open HostRoot '%s'",
				 q->global.host_root);
		return err;
	}
	for (size_t i = 0; i < q->n; i++) {
		struct qmem_run *run = &q->runs[i];

		set_interval(q, run, interval);
		run->due = now;
		if (!wanted(run))
			snprintf(run->reason, sizeof(run->reason),
				 run->common.enabled == QMEM_NO ? "Enabled is no" : "no service needs it");
		if (wanted(run) || needed(q, run))
			TURN_OF(q, run, (void)start_run(q, run));
		any |= run->started && wanted(run);
	}
	for (size_t i = 0; i < q->n; i++)
		if (q->runs[i].started && wanted(&q->runs[i]))
			lend_interval(q, &q->runs[i]);
	return any ? 0 : -ENODEV;
}

void qmem_dropped(struct qmem *q, uint64_t ticks, uint64_t events)
{
	q->totals.dropped_ticks += ticks;
	q->totals.dropped_events += events;
}

void qmem_free(struct qmem *q)
{
	if (!q)
		return;
	for (size_t i = q->n; i-- > 0;) {
		struct qmem_run *run = &q->runs[i];

		if (run->started && run->service->stop)
			TURN_OF(q, run, run->service->stop(q, run->state));
		if (run->started && q->host->stopped)
			q->host->stopped(q->arg, run->service);
		run->started = false;
		if (run->state)
			qmem_option_release(run->service->options, run->state);
		free(run->state);
		free(run->seen);
		qmem_option_release(qmem_common_options, &run->common);
	}
	qmem_events_release(q);
	qmem_option_release(qmem_global_options, &q->global);
	if (q->root_fd >= 0)
		close(q->root_fd);
	watches_release(q);
	free(q->text);
	free(q->runs);
	free(q);
}

/* ---- what may be asked ---- */

bool qmem_status(const struct qmem *q, size_t i, struct qmem_status *ret)
{
	const struct qmem_run *run;

	if (i >= q->n)
		return false;
	run = &q->runs[i];
	*ret = (struct qmem_status){
		.service = run->service,
		.common = &run->common,
		.on = run->started && run->common.enabled != QMEM_NO,
		.reason = run->reason,
		.interval = pace(q, run),
		.cpu_ns = run->cpu_ns,
		.collections = run->collections,
		.failures = run->failures,
		.values = run->values,
		.events = run->events,
	};
	return true;
}

void qmem_totals(const struct qmem *q, struct qmem_totals *ret)
{
	*ret = q->totals;
	if (q->jobs && q->jobs->stuck)
		ret->late = q->now - q->jobs->since;
}
