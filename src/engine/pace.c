/* SPDX-License-Identifier: MIT */
#include "engine/pace.h"

#include "engine/option.h"
#include "engine/run.h"

#define STRETCH_MOST 16
#define LOADS_FIRST 4 /* collections before the budget is looked at: the first ones open files and fill tables */
#define LOAD_WEIGHT 8

/* No more often than what it needs can afford: one whose turns are all for others has no other brake. */
uint64_t pace_of(const struct qmem *q, const struct qmem_run *run)
{
	unsigned stretch = run->stretch;

	for (const struct qmem_run *r = run; r->service->needs && (r = run_of(q, r->service->needs));)
		if (r->started && r->stretch > stretch)
			stretch = r->stretch;
	return run->interval * stretch;
}

static void set_stretch(struct qmem *q, struct qmem_run *run, unsigned stretch)
{
	uint64_t before = pace_of(q, run), load = run->load;
	bool more = stretch > run->stretch;
	char interval[32];

	run->stretch = stretch;
	run->changed = true;
	run->load = (uint64_t)((double)load * (double)before / (double)pace_of(q, run));
	qmem_print_duration(interval, sizeof(interval), (int64_t)pace_of(q, run));
	/* one line when it begins, one when it is over */
	if (more && stretch == 2)
		qmem_log(q, QMEM_LOG_NOTICE, "needs %.1f ms of CPU a second, its budget is %.1f ms: every %s for now",
			 (double)load / 1e6, (double)run->common.budget / 1e6, interval);
	else if (stretch == 1)
		qmem_log(q, QMEM_LOG_INFO, "is within its budget again: every %s", interval);
}

/* Whoever it was collected for. */
void pace_weigh(struct qmem *q, struct qmem_run *run, uint64_t cost)
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

		if (!run_wanted(run))
			continue;
		if (own < shortest)
			shortest = own;
		common = greatest_common_divisor(own, common);
	}
	if (shortest == QMEM_NEVER)
		return interval;
	return common >= QMEM_SECOND ? common : shortest;
}

void pace_set(struct qmem *q, struct qmem_run *run, uint64_t fallback)
{
	uint64_t own = run->common.interval ? (uint64_t)run->common.interval : fallback;
	char asked[32], rounded[32];

	run->interval = (own + q->tick - 1) / q->tick * q->tick;
	if (!run->interval)
		run->interval = q->tick;
	if (!run_wanted(run) || run->interval == own)
		return;
	qmem_print_duration(asked, sizeof(asked), (int64_t)own);
	qmem_print_duration(rounded, sizeof(rounded), (int64_t)run->interval);
	qmem_log(q, QMEM_LOG_INFO, "%s: an interval of %s is one of %s here", run->service->name, asked, rounded);
}

/* What runs for others only has the interval of the one that has its turn most often. */
void pace_lend(const struct qmem *q, const struct qmem_run *run)
{
	const struct qmem_service *needs = run->service->needs;

	for (struct qmem_run *r; needs && (r = run_of(q, needs)); needs = r->service->needs) {
		if (!run_wanted(r) && (!r->lent || run->interval < r->interval))
			r->interval = run->interval;
		r->lent = true;
	}
}
