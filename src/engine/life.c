/* SPDX-License-Identifier: MIT */
/* The life of an engine, and what may be asked of it. */
#include "engine/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/event.h"
#include "engine/hold.h"
#include "engine/job.h"
#include "engine/log.h"
#include "engine/option.h"
#include "engine/pace.h"
#include "engine/place.h"
#include "engine/root.h"
#include "engine/run.h"
#include "engine/timer.h"
#include "engine/turn.h"
#include "engine/watch.h"

const char *qmem_version(void)
{
	return QMEM_VERSION;
}

uint64_t qmem_now(const struct qmem *q)
{
	return q->now;
}

void qmem_dispatch(struct qmem *q, const struct epoll_event *events, int n, uint64_t now)
{
	hold_begin(q, now);
	watches_dispatch(q, events, n);
	timers_expire(q);
	hold_end(q);
}

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

static int start_run(struct qmem *q, struct qmem_run *run)
{
	int err = run->service->start ? run->service->start(q, run->state) : 0;
	char words[128];

	if (!err) {
		run->started = true;
		return 0;
	}
	snprintf(run->reason, sizeof(run->reason), "%s", log_words(q, err, words, sizeof(words)));
	if (run->service->stop)
		run->service->stop(q, run->state);
	if (run->common.enabled == QMEM_YES)
		qmem_log(q, QMEM_LOG_ERROR, "cannot run: %s", run->reason);
	else
		qmem_log(q, QMEM_LOG_INFO, "is off: %s", run->reason);
	return err;
}

int qmem_open_root(struct qmem *q)
{
	int err = q->root ? 0 : root_new(q->global.host_root, &q->root);

	return err ? err : root_is_real(q->root);
}

struct root *root_of(struct qmem *q)
{
	return root_hold(q->root);
}

/* Why it does not run for itself. */
static void say_unwanted(struct qmem *q, struct qmem_run *run)
{
	const struct qmem_run *barred = run_barred(q, run);
	const char *why = "the agent's own plugins show what it does, and Overlap is no";
	char text[128];

	if (run->common.enabled == QMEM_NO) {
		why = run_needed(q, run) ? "Enabled is no, but others need it" : "Enabled is no";
	} else if (barred) {
		why = text;
		snprintf(text, sizeof(text), "it needs %s, and Enabled of that is no", barred->service->name);
		qmem_log(q, run->common.enabled == QMEM_YES ? QMEM_LOG_ERROR : QMEM_LOG_NOTICE, "%s is off: %s",
			 run->service->name, text);
	} else if (run->service->shared) {
		why = "no service needs it";
	}
	snprintf(run->reason, sizeof(run->reason), "%s", why);
}

int qmem_start(struct qmem *q, uint64_t tick, uint64_t interval, uint64_t now)
{
	char words[128];
	bool any = false;
	int err;

	q->started = true;
	q->tick = tick ? tick : QMEM_SECOND;
	q->now = q->held = q->began = now;
	err = qmem_open_root(q);
	if (err < 0) {
		qmem_log(q, QMEM_LOG_ERROR, "cannot open HostRoot '%s': %s", q->global.host_root,
			 root_words(err, words, sizeof(words)));
		for (size_t i = 0; i < q->n; i++)
			snprintf(q->runs[i].reason, sizeof(q->runs[i].reason), "cannot open HostRoot '%s'",
				 q->global.host_root);
		return err;
	}
	for (size_t i = 0; i < q->n; i++) {
		struct qmem_run *run = &q->runs[i];

		pace_set(q, run, interval);
		run->due = now;
		if (!run_wanted(q, run))
			say_unwanted(q, run);
		if (run_wanted(q, run) || run_needed(q, run))
			TURN_OF(q, run, (void)start_run(q, run));
		any |= run->started && run_wanted(q, run);
	}
	for (size_t i = 0; i < q->n; i++)
		if (q->runs[i].started && run_wanted(q, &q->runs[i]))
			pace_lend(q, &q->runs[i]);
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
	places_release(q);
	qmem_events_release(q);
	qmem_option_release(qmem_global_options, &q->global);
	root_drop(q->root);
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
		.interval = run->interval,
		.every = pace_every(q, run),
		.paced = run->paced,
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
	if (jobs_stuck_since(q) < q->now)
		ret->late = q->now - jobs_stuck_since(q);
}
