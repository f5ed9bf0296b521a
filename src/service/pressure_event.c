/* SPDX-License-Identifier: MIT */
#include "service/pressure_event.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/option.h"
#include "util/value.h"
#include "util/words.h"

#define RECLAIM_APART QMEM_SECOND /* twelve of them reach back beyond the longest window */

static struct reclaim reclaim_of(const struct vmstat *vm, uint64_t when)
{
	return (struct reclaim){
		.when = when,
		.count = {
			[REFAULTS] = value_sum(vm->workingset_refault_anon, vm->workingset_refault_file),
			[DIRECT_SCAN] = vm->pgscan_direct,
			[ALLOCATION_STALLS] = vm->allocstall,
			[SWAP_IN] = vm->pswpin,
			[SWAP_OUT] = vm->pswpout,
		},
	};
}

static void keep(struct reclaim_history *h, const struct reclaim *r)
{
	if (h->n && r->when < h->items[0].when + RECLAIM_APART)
		return;
	if (h->n < RECLAIMS)
		h->n++;
	memmove(h->items + 1, h->items, (h->n - 1) * sizeof(*h->items));
	h->items[0] = *r;
}

void reclaim_keep(struct reclaim_history *h, const struct vmstat *vm, uint64_t when)
{
	const struct reclaim r = reclaim_of(vm, when);

	keep(h, &r);
}

/* Counts per second since a window ago or a little longer; -1: not known. */
static void reclaim_rates(struct qmem *q, struct reclaim_history *h, int64_t window, double *ret_rates)
{
	struct reclaim now, *before = NULL;
	struct vmstat vm;

	for (int i = 0; i < RECLAIM_COUNTS; i++)
		ret_rates[i] = -1;
	if (vmstat_now(q, &vm))
		return;
	now = reclaim_of(&vm, qmem_now(q));
	for (size_t i = 0; i < h->n; i++) {
		before = &h->items[i];
		if (now.when - before->when >= (uint64_t)window)
			break;
	}
	if (before && now.when > before->when)
		for (int i = 0; i < RECLAIM_COUNTS; i++)
			if (now.count[i] != QMEM_NA && before->count[i] != QMEM_NA && now.count[i] >= before->count[i])
				ret_rates[i] = (double)(now.count[i] - before->count[i]) * 1e9 /
					       (double)(now.when - before->when);
	keep(h, &now);
}

static void rate_text(char *dst, double rate)
{
	snprintf(dst, WORDS_NUMBER, rate > 0 && rate < 10 ? "%.1f" : "%.0f", rate);
}

/* As the kernel means them: some is one at least, full is all that could run. */
static const char *const who[PSI_KINDS] = { [PSI_SOME] = "some tasks", [PSI_FULL] = "all tasks" };

/* Who it may be. */
static const char *const see[PSI_RESOURCES] = {
	[PSI_MEMORY] = "procmem.rss",
	[PSI_IO] = "procstat.blocked",
	[PSI_CPU] = "cpuload.time",
	[PSI_IRQ] = "cpuload.cpu",
};

void pressure_raise(struct qmem *q, const struct pressure_condition *c, struct reclaim_history *reclaims,
		    uint64_t repeat)
{
	static const struct {
		const char *field, *words;
	} counts[RECLAIM_COUNTS] = {
		[REFAULTS] = { "refaults", "refaults" },
		[DIRECT_SCAN] = { "direct_scan", "direct scan" },
		[ALLOCATION_STALLS] = { "allocation_stalls", "allocation stalls" },
		[SWAP_IN] = { "swap_in", "swap in" },
		[SWAP_OUT] = { "swap_out", "and out" },
	};
	const struct trigger *t = c->told;
	const char *resource = psi_resources[c->resource], *kind = psi_kinds[c->kind];
	double share = t->share_span ? (double)t->share_stall * 1e5 / (double)t->share_span : 0, rates[RECLAIM_COUNTS];
	char threshold[WORDS_NUMBER], window[WORDS_NUMBER], share_text[WORDS_NUMBER], span[WORDS_NUMBER],
		lasts[WORDS_NUMBER];
	char texts[RECLAIM_COUNTS][WORDS_NUMBER];
	struct qmem_label fields[7 + RECLAIM_COUNTS + 1] = {
		{ "resource", resource }, { "kind", kind },      { "threshold", threshold }, { "window", window },
		{ "share", share_text },  { "duration", lasts }, { "state", "active" },
	};
	size_t n = 7;
	struct qmem_event event = {
		.severity = c->severity,
		.service = "pressure",
		.name = "pressure",
		.instance = c->name,
		.repeat = repeat,
		.fields = fields,
	};
	const char *joint = "; per second: ";

	qmem_print_duration(threshold, sizeof(threshold), t->spec.stall);
	qmem_print_duration(window, sizeof(window), t->spec.window);
	snprintf(share_text, sizeof(share_text), "%.1f", share);
	words_span(span, t->share_span);
	words_span(lasts, c->last - c->since);
	snprintf(event.message, sizeof(event.message),
		 "%s pressure: %s stalled %s %% of the last %s (limit %s in %s), for %s; see %s", resource,
		 who[c->kind], share_text, span, threshold, window, lasts, see[c->resource]);
	reclaim_rates(q, reclaims, t->spec.window, rates);
	for (int i = 0; i < RECLAIM_COUNTS; i++) {
		if (rates[i] < 0)
			continue;
		rate_text(texts[i], rates[i]);
		fields[n++] = (struct qmem_label){ counts[i].field, texts[i] };
		words_add(event.message, sizeof(event.message), "%s%s %s%s", joint, counts[i].words, texts[i],
			  i == ALLOCATION_STALLS || i == SWAP_IN ? "" : " pages");
		joint = i == SWAP_IN ? " " : ", ";
	}
	qmem_raise(q, &event);
}

void pressure_raise_over(struct qmem *q, const struct pressure_condition *c)
{
	const struct trigger *t = c->told;
	const char *resource = psi_resources[c->resource], *kind = psi_kinds[c->kind];
	char threshold[WORDS_NUMBER], window[WORDS_NUMBER], lasted[WORDS_NUMBER], stalled[WORDS_NUMBER],
		quiet[WORDS_NUMBER];
	const struct qmem_label fields[] = {
		{ "resource", resource }, { "kind", kind },       { "threshold", threshold }, { "window", window },
		{ "duration", lasted },   { "stalled", stalled }, { "state", "inactive" },    { 0 },
	};
	struct qmem_event event = {
		.severity = QMEM_OKAY,
		.service = "pressure",
		.name = "pressure",
		.instance = c->name,
		.fields = fields,
	};

	qmem_print_duration(threshold, sizeof(threshold), t->spec.stall);
	qmem_print_duration(window, sizeof(window), t->spec.window);
	words_span(lasted, c->last - c->since);
	words_span(stalled, (uint64_t)c->stalled * 1000);
	words_span(quiet, qmem_now(q) - c->last);
	snprintf(event.message, sizeof(event.message),
		 "%s pressure is over: %s stalled %s within %s (limit %s in %s), then nothing for %s", resource,
		 who[c->kind], stalled, lasted, threshold, window, quiet);
	qmem_raise(q, &event);
}
