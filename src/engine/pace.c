/* SPDX-License-Identifier: MIT */
#include "engine/pace.h"

#include <stdio.h>

#include "engine/number.h"
#include "engine/run.h"
#include "engine/turn.h"

#define MULTIPLE_MOST 60
#define TRIALS 4               /* of a shared service, at most */
#define TRIALS_CPU QMEM_SECOND /* and no further one when they have used that much */
#define STRETCH_MOST 16
#define LOADS_FIRST 4 /* collections before the budget is looked at again: they open files and fill tables */
#define LOAD_WEIGHT 8

/* ---- turns ---- */

/* Others that need it have it no more often than this: one whose turns are all for others has no other brake. 0: as they like. */
static uint64_t brake(const struct qmem_run *run)
{
	uint64_t least = run->least ? run->least : run->shortest;

	return run->stretch > 1 ? least * run->stretch : run->least;
}

uint64_t pace_every(const struct qmem *q, const struct qmem_run *run)
{
	uint64_t every = run->interval * run->stretch;

	for (const struct qmem_run *needs = run; (needs = run_needs(q, needs));) {
		uint64_t step = brake(needs);

		for (unsigned i = 0; step && every % step && i < MULTIPLE_MOST; i++)
			every += run->interval;
	}
	return every;
}

/*
 * Multiples of an interval since the start: services of one interval, or of two and four times as much, have their turns
 * together, and share what they need. The one after that which it has had, early or late: wherever between two of them the
 * host's ticks fall, each of these is a turn.
 */
static void plan(const struct qmem *q, struct qmem_run *run)
{
	uint64_t every = pace_every(q, run);

	run->due = q->began + ((run->turn - q->began) / every + 1) * every;
}

void pace_plan(const struct qmem *q, struct qmem_run *run)
{
	run->turn = q->now > run->due ? q->now : run->due;
	plan(q, run);
}

static void plan_all(struct qmem *q)
{
	for (size_t i = 0; i < q->n; i++)
		if (q->runs[i].turn)
			plan(q, &q->runs[i]);
}

/* ---- what is declared ---- */

static uint64_t round_up(uint64_t interval, uint64_t step)
{
	return (interval + step - 1) / step * step;
}

/* Of it and of what needs it, and has not been seen yet, the intervals become multiples of what it can afford. */
static void pass_on(struct qmem *q, const struct qmem_run *run)
{
	char every[32];

	for (size_t i = 0; i < q->n; i++) {
		struct qmem_run *other = &q->runs[i];
		const struct qmem_run *needs = other;

		while (needs && needs != run)
			needs = run_needs(q, needs);
		if (!needs || !other->started || other->declared || !(other->interval % run->least))
			continue;
		other->interval = round_up(other->interval, run->least);
		if (other == run)
			continue;
		qmem_print_duration(every, sizeof(every), (int64_t)other->interval);
		snprintf(other->paced, sizeof(other->paced), "every %s, since it needs %s", every, run->service->name);
	}
}

static void settle(struct qmem *q, struct qmem_run *run)
{
	double budget = (double)run->common.budget, spent = (double)run->tried * 1e9 / (double)run->shortest;
	uint64_t multiple = (uint64_t)(spent / budget) + 1;
	char asked[32], every[32];

	run->pace = PACE_SETTLED;
	if (spent <= budget || run->declared)
		return;
	run->least = run->shortest * (multiple < MULTIPLE_MOST ? multiple : MULTIPLE_MOST);
	qmem_print_duration(asked, sizeof(asked), (int64_t)run->shortest);
	qmem_print_duration(every, sizeof(every), (int64_t)run->least);
	snprintf(run->paced, sizeof(run->paced),
		 "every %s, not %s: it takes %.1f ms of CPU, its Budget is %.1f ms a second", every, asked,
		 (double)run->tried / 1e6, budget / 1e6);
	qmem_log(q, QMEM_LOG_NOTICE, "is collected %s; a larger Budget or Interval%s%s will do", run->paced,
		 run->service->relief ? ", or " : "", run->service->relief ? run->service->relief : "");
	pass_on(q, run);
	plan_all(q);
}

/* A collection, or all of it but what it hands out, that has used so much CPU time. */
static void judge(struct qmem *q, struct qmem_run *run, uint64_t cost)
{
	bool first = run->pace == PACE_NEW;

	if (!first && run->tried < cost)
		cost = run->tried;
	run->tried = cost;
	run->tried_in = q->round;
	if (!run->common.budget || (double)cost * 1e9 <= (double)run->common.budget * (double)run->shortest)
		run->pace = PACE_SETTLED;
	else if (first)
		run->pace = PACE_TRIED;
	else if (!run->service->shared)
		settle(q, run);
}

bool pace_shows(struct qmem *q, struct qmem_run *run)
{
	if (run->pace == PACE_NEW || (run->pace == PACE_TRIED && run->tried_in != q->round))
		judge(q, run, turn_cost(q) - run->cpu_begun);
	for (const struct qmem_run *needs = run; needs; needs = run_needs(q, needs))
		if (needs->pace == PACE_TRIED)
			return false;
	run->declared = true;
	return true;
}

bool pace_tries(struct qmem *q, struct qmem_run *run, int err)
{
	uint64_t cost;

	/* those that need it are not to wait for it */
	if (err && run->pace == PACE_TRIED)
		settle(q, run);
	if (err)
		return false;
	/* the values that it has emitted have told */
	if (run->pace == PACE_SETTLED ||
	    (!run->service->shared && run->pace == PACE_TRIED && run->tried_in == q->round))
		return false;
	cost = turn_cost(q) - run->cpu_begun;
	judge(q, run, cost);
	if (run->pace == PACE_SETTLED || !run->service->shared)
		return false;
	run->trials += cost;
	if (++run->trials_n < TRIALS && run->trials < TRIALS_CPU)
		return true;
	settle(q, run);
	return false;
}

/* ---- what becomes dear later ---- */

static void set_stretch(struct qmem *q, struct qmem_run *run, unsigned stretch)
{
	uint64_t before = pace_every(q, run), load = run->load;
	bool more = stretch > run->stretch;
	char interval[32];

	run->stretch = stretch;
	run->changed = true;
	run->load = (uint64_t)((double)load * (double)before / (double)pace_every(q, run));
	qmem_print_duration(interval, sizeof(interval), (int64_t)pace_every(q, run));
	plan_all(q);
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

/* ---- what is asked for ---- */

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

		if (!run_wanted(q, run))
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
	run->shortest = run->interval;
	if (!run_wanted(q, run) || run->interval == own)
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
		if (!run_wanted(q, r) && (!r->lent || run->interval < r->interval))
			r->interval = r->shortest = run->interval;
		if (run->interval < r->shortest)
			r->shortest = run->interval;
		r->lent = true;
	}
}
