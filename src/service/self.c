/* SPDX-License-Identifier: MIT */
/* What qmem itself costs, and what it has sent and lost. */
#include <string.h>

#include "kernel/instances.h"
#include "rows.h"
#include "services.h"

#define SERVICES 256 /* at most */

enum column { CPU, COLLECTIONS, FAILURES, VALUES, EVENTS_RAISED, INTERVAL, COLUMNS };

struct service_values {
	int64_t v[COLUMNS];
};

struct self {
	int64_t top;
	struct instances all;
};

static const struct instances_kind kind = {
	.what = "services",
	.columns = COLUMNS,
	.gauges = UINT64_C(1) << INTERVAL,
	.score = UINT64_C(1) << CPU,
	.most = SERVICES,
};

struct self_values {
	int64_t okay, warning, failure;
	int64_t withheld, dropped, ticks;
	int64_t collections, failures;
	int64_t jobs, stuck, late;
	int64_t hold;
	int64_t left[QMEM_LANES];
};

static const struct qmem_metric cost_metrics[] = {
	METRIC(service_values, "cpu", NULL, v[CPU],
	       "CPU time of the service, user and system, its jobs at the workers included"),
	{ 0 },
};

static const struct qmem_metric events_metrics[] = {
	METRIC(self_values, "okay", NULL, okay, "that something is over"),
	METRIC(self_values, "warning", NULL, warning, "that something should be looked at"),
	METRIC(self_values, "failure", NULL, failure, "that something has gone wrong"),
	{ 0 },
};

static const struct qmem_metric lost_metrics[] = {
	METRIC(self_values, "withheld", NULL, withheld, "events of conditions that flap: the last word is sent later"),
	METRIC(self_values, "dropped", NULL, dropped, "events the agent did not take"),
	{ 0 },
};

static const struct qmem_metric collections_metrics[] = {
	METRIC(self_values, "collections", NULL, collections, "of all services"),
	METRIC(self_values, "failures", NULL, failures, "of them that failed"),
	METRIC(self_values, "lost", NULL, ticks, "ticks whose values the agent did not take"),
	{ 0 },
};

static const struct qmem_metric jobs_metrics[] = {
	METRIC(self_values, "started", NULL, jobs, "handed to the workers: work that may block"),
	METRIC(self_values, "stuck", NULL, stuck, "of them that were not back in time"),
	{ 0 },
};

static const struct qmem_metric worker_metrics[] = {
	METRIC(self_values, "late", NULL, late,
	       "how long the oldest job has run that should be back by now; 0: there is none"),
	{ 0 },
};

static const struct qmem_metric left_metrics[] = {
	METRIC(self_values, "targets", NULL, left[QMEM_TARGETS],
	       "stuck at a file of a process, or of a file system of users; 4 at most"),
	METRIC(self_values, "store", NULL, left[QMEM_STORE], "stuck at a file of qmem's own; 4 at most"),
	{ 0 },
};

static const struct qmem_metric hold_metrics[] = {
	METRIC(self_values, "longest", NULL, hold, "the longest since the start, for which events have waited"),
	{ 0 },
};

static const struct qmem_metric rounds_metrics[] = {
	METRIC(service_values, "collections", NULL, v[COLLECTIONS], "of the service"),
	METRIC(service_values, "failures", NULL, v[FAILURES], "of them that failed"),
	{ 0 },
};

static const struct qmem_metric output_metrics[] = {
	METRIC(service_values, "values", NULL, v[VALUES], "sent by the service"),
	METRIC(service_values, "events", NULL, v[EVENTS_RAISED], "raised by the service, sent or not"),
	{ 0 },
};

static const struct qmem_metric interval_metrics[] = {
	METRIC(service_values, "interval", NULL, v[INTERVAL],
	       "between two collections, longer than configured where that is more than the budget allows"),
	{ 0 },
};

static const struct qmem_family families[] = {
	FAMILY("cost", "CPU time of qmem", "self", "line", cost_metrics,
	       COUNTER("seconds", 1000000000, "total_time_in_ms"), .label = "service"),
	FAMILY("events", "Events sent by qmem", "self", "line", events_metrics, EVENTS),
	FAMILY("lost", "Events not sent by qmem", "self", "line", lost_metrics, EVENTS),
	FAMILY("collections", "Collections of qmem", "self", "line", collections_metrics,
	       COUNTER("operations", 1, "total_operations")),
	FAMILY("left", "Threads that qmem has left behind", "self", "line", left_metrics,
	       GAUGE("threads", 1, "threads")),
	FAMILY("worker", "Lateness of qmem's workers", "self", "line", worker_metrics,
	       GAUGE("seconds", 1000000000, "duration")),
	FAMILY("jobs", "Jobs of qmem's workers", "self", "line", jobs_metrics,
	       COUNTER("operations", 1, "total_operations"), .flags = QMEM_DETAIL),
	FAMILY("hold", "Time in one go of qmem", "self", "line", hold_metrics, GAUGE("seconds", 1000000000, "duration"),
	       .flags = QMEM_DETAIL),
	FAMILY("rounds", "Collections of a service", "self", "line", rounds_metrics,
	       COUNTER("operations", 1, "total_operations"), .label = "service", .flags = QMEM_DETAIL),
	FAMILY("output", "Values and events of a service", "self", "line", output_metrics,
	       COUNTER("values", 1, "total_values"), .label = "service", .flags = QMEM_DETAIL),
	FAMILY("interval", "Interval of a service", "self", "line", interval_metrics,
	       GAUGE("seconds", 1000000000, "duration"), .label = "service", .flags = QMEM_DETAIL),
	{ 0 },
};

static const struct qmem_option options[] = {
	{ .name = "Top",
	  .type = QMEM_INT,
	  .offset = offsetof(struct self, top),
	  .def = "5",
	  .min = 0,
	  .max = SERVICES,
	  .help = "services shown: those that use most CPU time; the others are summed as '" INSTANCES_OTHER "'" },
	{ 0 },
};

static int start(struct qmem *q, void *state)
{
	struct self *s = state;

	qmem_note(q, "the engine's own counts");
	return instances_init(&s->all, &kind, NULL, false, s->top);
}

static void stop(struct qmem *q, void *state)
{
	struct self *s = state;

	(void)q;
	instances_release(&s->all);
}

static int put(struct self *s, const struct qmem_status *status)
{
	const int64_t columns[COLUMNS] = {
		[CPU] = (int64_t)status->cpu_ns,           [COLLECTIONS] = (int64_t)status->collections,
		[FAILURES] = (int64_t)status->failures,    [VALUES] = (int64_t)status->values,
		[EVENTS_RAISED] = (int64_t)status->events, [INTERVAL] = (int64_t)status->every,
	};

	return instances_put(&s->all, status->service->name, strlen(status->service->name), columns);
}

static int collect(struct qmem *q, void *state)
{
	struct self *s = state;
	struct qmem_totals totals;
	struct qmem_status status;
	struct self_values values;
	int err = 0;

	qmem_totals(q, &totals);
	values = (struct self_values){
		.okay = (int64_t)totals.raised[QMEM_OKAY],
		.warning = (int64_t)totals.raised[QMEM_WARNING],
		.failure = (int64_t)totals.raised[QMEM_FAILURE],
		.withheld = (int64_t)totals.withheld,
		.dropped = (int64_t)totals.dropped_events,
		.ticks = (int64_t)totals.dropped_ticks,
		.jobs = (int64_t)totals.jobs,
		.stuck = (int64_t)totals.stuck,
		.late = (int64_t)totals.late,
		.hold = totals.longest_hold ? (int64_t)totals.longest_hold : QMEM_NA,
		.left = { [QMEM_TARGETS] = (int64_t)totals.left[QMEM_TARGETS],
			  [QMEM_STORE] = (int64_t)totals.left[QMEM_STORE] },
	};
	instances_begin(&s->all);
	for (size_t i = 0; !err && qmem_status(q, i, &status); i++) {
		values.collections += (int64_t)status.collections;
		values.failures += (int64_t)status.failures;
		/* one that is off, but that others need, costs as well */
		if (status.on || status.collections)
			err = put(s, &status);
	}
	if (err)
		return err;
	(void)instances_measure(&s->all);
	instances_choose(&s->all, qmem_now(q));
	/* an interval is no sum */
	s->all.other[INTERVAL] = QMEM_NA;
	instances_emit(q, &s->all, families);
	qmem_emit_all(q, &values);
	return 0;
}

const struct qmem_service self_service = {
	.name = "self",
	.help = "what qmem itself costs, and the events it has sent",
	.kernel = "any",
	.privilege = "none",
	.priority = 9000,
	.families = families,
	.options = options,
	.state_size = sizeof(struct self),
	.start = start,
	.collect = collect,
	.stop = stop,
};
