/* SPDX-License-Identifier: MIT */
/* What qmem itself costs, and what it has sent and lost. */
#include "qmem.h"
#include "services.h"

struct service_values {
	int64_t cpu, collections, failures, values, events, interval;
};

struct self_values {
	int64_t okay, warning, failure;
	int64_t withheld, dropped, ticks;
	int64_t collections, failures;
	int64_t jobs, stuck, late;
};

#define OF_SERVICE(id_, member_, help_)                                                                                \
	{                                                                                                              \
		id_, NULL, offsetof(struct service_values, member_), help_                                             \
	}
#define OF_ALL(id_, member_, help_)                                                                                    \
	{                                                                                                              \
		id_, NULL, offsetof(struct self_values, member_), help_                                                \
	}

static const struct qmem_metric cost_metrics[] = {
	OF_SERVICE("cpu", cpu, "CPU time of the service, user and system, its jobs at the worker included"),
	{ 0 },
};

static const struct qmem_metric events_metrics[] = {
	OF_ALL("okay", okay, "that something is over"),
	OF_ALL("warning", warning, "that something should be looked at"),
	OF_ALL("failure", failure, "that something has gone wrong"),
	{ 0 },
};

static const struct qmem_metric lost_metrics[] = {
	OF_ALL("withheld", withheld, "events of conditions that flap: the last word is sent later"),
	OF_ALL("dropped", dropped, "events the agent did not take"),
	{ 0 },
};

static const struct qmem_metric collections_metrics[] = {
	OF_ALL("collections", collections, "of all services"),
	OF_ALL("failures", failures, "of them that failed"),
	OF_ALL("lost", ticks, "ticks whose values the agent did not take"),
	{ 0 },
};

static const struct qmem_metric jobs_metrics[] = {
	OF_ALL("started", jobs, "handed to the worker: work that may block"),
	OF_ALL("stuck", stuck, "of them that were not back in time"),
	{ 0 },
};

static const struct qmem_metric worker_metrics[] = {
	OF_ALL("late", late, "time that the worker has spent on a job that should be back by now; 0: there is none"),
	{ 0 },
};

static const struct qmem_metric rounds_metrics[] = {
	OF_SERVICE("collections", collections, "of the service"),
	OF_SERVICE("failures", failures, "of them that failed"),
	{ 0 },
};

static const struct qmem_metric output_metrics[] = {
	OF_SERVICE("values", values, "sent by the service"),
	OF_SERVICE("events", events, "raised by the service, sent or not"),
	{ 0 },
};

static const struct qmem_metric interval_metrics[] = {
	OF_SERVICE("interval", interval, "between two collections, longer than configured if the budget is exceeded"),
	{ 0 },
};

static const struct qmem_family families[] = {
	{ .id = "cost",
	  .title = "CPU time of qmem",
	  .unit = "seconds",
	  .kind = QMEM_COUNTER,
	  .divisor = 1000000000,
	  .type = "total_time_in_ms",
	  .menu = "qmem",
	  .style = "line",
	  .label = "service",
	  .metrics = cost_metrics },
	{ .id = "events",
	  .title = "Events sent by qmem",
	  .unit = "events",
	  .kind = QMEM_COUNTER,
	  .divisor = 1,
	  .type = "total_events",
	  .menu = "qmem",
	  .style = "line",
	  .metrics = events_metrics },
	{ .id = "lost",
	  .title = "Events not sent by qmem",
	  .unit = "events",
	  .kind = QMEM_COUNTER,
	  .divisor = 1,
	  .type = "total_events",
	  .menu = "qmem",
	  .style = "line",
	  .metrics = lost_metrics },
	{ .id = "collections",
	  .title = "Collections of qmem",
	  .unit = "operations",
	  .kind = QMEM_COUNTER,
	  .divisor = 1,
	  .type = "total_operations",
	  .menu = "qmem",
	  .style = "line",
	  .metrics = collections_metrics },
	{ .id = "worker",
	  .title = "Lateness of qmem's worker",
	  .unit = "seconds",
	  .kind = QMEM_GAUGE,
	  .divisor = 1000000000,
	  .type = "duration",
	  .menu = "qmem",
	  .style = "line",
	  .metrics = worker_metrics },
	{ .id = "jobs",
	  .title = "Jobs of qmem's worker",
	  .unit = "operations",
	  .kind = QMEM_COUNTER,
	  .divisor = 1,
	  .type = "total_operations",
	  .menu = "qmem",
	  .style = "line",
	  .flags = QMEM_DETAIL,
	  .metrics = jobs_metrics },
	{ .id = "rounds",
	  .title = "Collections of a service",
	  .unit = "operations",
	  .kind = QMEM_COUNTER,
	  .divisor = 1,
	  .type = "total_operations",
	  .menu = "qmem",
	  .style = "line",
	  .label = "service",
	  .flags = QMEM_DETAIL,
	  .metrics = rounds_metrics },
	{ .id = "output",
	  .title = "Values and events of a service",
	  .unit = "values",
	  .kind = QMEM_COUNTER,
	  .divisor = 1,
	  .type = "total_values",
	  .menu = "qmem",
	  .style = "line",
	  .label = "service",
	  .flags = QMEM_DETAIL,
	  .metrics = output_metrics },
	{ .id = "interval",
	  .title = "Interval of a service",
	  .unit = "seconds",
	  .kind = QMEM_GAUGE,
	  .divisor = 1000000000,
	  .type = "duration",
	  .menu = "qmem",
	  .style = "line",
	  .label = "service",
	  .flags = QMEM_DETAIL,
	  .metrics = interval_metrics },
	{ 0 },
};

static int start(struct qmem *q, void *state)
{
	(void)state;
	qmem_note(q, "the engine's own counts");
	return 0;
}

static void emit_service(struct qmem *q, const struct qmem_status *status)
{
	const struct qmem_instance instance = { status->service->name, NULL };
	const struct service_values values = {
		.cpu = (int64_t)status->cpu_ns,
		.collections = (int64_t)status->collections,
		.failures = (int64_t)status->failures,
		.values = (int64_t)status->values,
		.events = (int64_t)status->events,
		.interval = (int64_t)status->interval,
	};

	for (const struct qmem_family *f = families; f->id; f++)
		if (f->label)
			qmem_emit(q, f, &instance, &values);
}

static int collect(struct qmem *q, void *state)
{
	struct qmem_totals totals;
	struct qmem_status status;
	struct self_values values;

	(void)state;
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
	};
	for (size_t i = 0; qmem_status(q, i, &status); i++) {
		values.collections += (int64_t)status.collections;
		values.failures += (int64_t)status.failures;
		/* one that is off, but that others need, costs as well */
		if (status.on || status.collections)
			emit_service(q, &status);
	}
	qmem_emit_all(q, &values);
	return 0;
}

const struct qmem_service self_service = {
	.name = "self",
	.help = "what qmem itself costs, and the events it has sent",
	.kernel = "any",
	.privilege = "none",
	.families = families,
	.start = start,
	.collect = collect,
};
