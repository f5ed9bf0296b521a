/* SPDX-License-Identifier: MIT */
#include "service/pressure_event.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/number.h"
#include "kernel/kvfile.h"
#include "util/value.h"
#include "util/words.h"

#define RECLAIM_APART QMEM_SECOND /* twelve of them reach back beyond the longest window */

/* What is missing in the types is of memory cgroups; kernels that count it in them leave nothing. */
static int64_t of_cgroups(int64_t anon, int64_t file, const int64_t *types)
{
	int64_t rest = value_sum(anon, file);

	for (int i = 0; i < SCAN_CGROUPS - SCAN_DIRECT; i++)
		if (types[i] != QMEM_NA)
			rest = value_minus(rest, types[i]);
	return rest;
}

static struct reclaim reclaim_of(const struct vmstat *vm, uint64_t when)
{
	struct reclaim r = {
		.when = when,
		.count = {
			[REFAULTS] = value_sum(vm->workingset_refault_anon, vm->workingset_refault_file),
			[SCAN_DIRECT] = vm->pgscan_direct,
			[SCAN_KSWAPD] = vm->pgscan_kswapd,
			[SCAN_KHUGEPAGED] = vm->pgscan_khugepaged,
			[SCAN_PROACTIVE] = vm->pgscan_proactive,
			[STEAL_DIRECT] = vm->pgsteal_direct,
			[STEAL_KSWAPD] = vm->pgsteal_kswapd,
			[STEAL_KHUGEPAGED] = vm->pgsteal_khugepaged,
			[STEAL_PROACTIVE] = vm->pgsteal_proactive,
			[ALLOCATION_STALLS] = vm->allocstall,
			[SWAP_IN] = vm->pswpin,
			[SWAP_OUT] = vm->pswpout,
		},
	};

	r.count[SCAN_CGROUPS] = of_cgroups(vm->pgscan_anon, vm->pgscan_file, &r.count[SCAN_DIRECT]);
	r.count[STEAL_CGROUPS] = of_cgroups(vm->pgsteal_anon, vm->pgsteal_file, &r.count[STEAL_DIRECT]);
	return r;
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

static const char *const rate_fields[RECLAIM_COUNTS] = {
	[REFAULTS] = "refaults",
	[SCAN_DIRECT] = "scan_direct",
	[SCAN_KSWAPD] = "scan_kswapd",
	[SCAN_KHUGEPAGED] = "scan_khugepaged",
	[SCAN_PROACTIVE] = "scan_proactive",
	[SCAN_CGROUPS] = "scan_cgroups",
	[STEAL_DIRECT] = "steal_direct",
	[STEAL_KSWAPD] = "steal_kswapd",
	[STEAL_KHUGEPAGED] = "steal_khugepaged",
	[STEAL_PROACTIVE] = "steal_proactive",
	[STEAL_CGROUPS] = "steal_cgroups",
	[ALLOCATION_STALLS] = "allocation_stalls",
	[SWAP_IN] = "swap_in",
	[SWAP_OUT] = "swap_out",
};

/* Pages a second, looked at and taken, by who did it. The allocator of the machine counts its stalls: where it has none, those that
 * reclaim directly do it for their cgroup. */
static void say_scans(char *dst, size_t size, const double *rates)
{
	static const char *const types[] = { "direct", "kswapd", "khugepaged", "proactive", "in memory cgroups" };
	const char *joint = "; pages/s scanned/taken: ";
	bool known = false;

	for (int i = 0; i <= SCAN_CGROUPS - SCAN_DIRECT; i++) {
		double scan = rates[SCAN_DIRECT + i], steal = rates[STEAL_DIRECT + i];
		char scanned[WORDS_NUMBER], taken[WORDS_NUMBER] = "?";

		known |= scan >= 0;
		if (scan <= 0)
			continue;
		words_rate(scanned, scan);
		if (steal >= 0)
			words_rate(taken, steal);
		if (words_add_whole(dst, size, "%s%s %s/%s%s", joint, types[i], scanned, taken,
				    i == 0 && rates[ALLOCATION_STALLS] == 0 ? " in memory cgroups" : ""))
			joint = ", ";
	}
	if (known && *joint == ';')
		(void)words_add_whole(dst, size, "; nothing is reclaimed");
}

static void say_rates(char *dst, size_t size, const double *rates, bool no_swap)
{
	char in[WORDS_NUMBER], out[WORDS_NUMBER];

	say_scans(dst, size, rates);
	if (rates[REFAULTS] >= 0) {
		words_rate(in, rates[REFAULTS]);
		(void)words_add_whole(dst, size, "; refaults %s/s", in);
	}
	if (rates[ALLOCATION_STALLS] > 0) {
		words_rate(in, rates[ALLOCATION_STALLS]);
		(void)words_add_whole(dst, size, "; allocation stalls %s/s", in);
	}
	if (no_swap) {
		(void)words_add_whole(dst, size, "; no swap");
	} else if (rates[SWAP_IN] >= 0 && rates[SWAP_OUT] >= 0) {
		words_rate(in, rates[SWAP_IN]);
		words_rate(out, rates[SWAP_OUT]);
		(void)words_add_whole(dst, size, "; swap in %s/s, out %s/s", in, out);
	}
}

void pressure_raise(struct qmem *q, const struct pressure_condition *c, struct reclaim_history *reclaims,
		    const struct pressure_who *suspects, uint64_t repeat)
{
	const struct trigger *t = c->told;
	const char *resource = psi_resources[c->resource], *kind = psi_kinds[c->kind];
	double share = t->share_span ? (double)t->share_stall * 1e5 / (double)t->share_span : 0, rates[RECLAIM_COUNTS];
	char threshold[WORDS_NUMBER], window[WORDS_NUMBER], share_text[WORDS_NUMBER], span[WORDS_NUMBER],
		lasts[WORDS_NUMBER], since[WORDS_NUMBER];
	char texts[RECLAIM_COUNTS][WORDS_NUMBER];
	struct pressure_named named = { .span = 0 };
	struct qmem_label fields[7 + 4 + RECLAIM_COUNTS + 1] = {
		{ "resource", resource }, { "kind", kind },      { "threshold", threshold }, { "window", window },
		{ "share", share_text },  { "duration", lasts }, { "state", "active" },
	};
	size_t n = 7, size;
	struct qmem_event event = {
		.severity = c->severity,
		.service = "pressure",
		.name = "pressure",
		.instance = c->name,
		.repeat = repeat,
		.fields = fields,
	};
	bool no_swap = kvfile_key(q, "proc/meminfo", "SwapTotal") == 0;

	qmem_print_duration(threshold, sizeof(threshold), t->spec.stall);
	qmem_print_duration(window, sizeof(window), t->spec.window);
	snprintf(share_text, sizeof(share_text), "%.1f", share);
	words_span(span, t->share_span);
	words_span(lasts, c->last - c->since);
	reclaim_rates(q, reclaims, t->spec.window, rates);
	if (c->resource == PSI_MEMORY || c->resource == PSI_IO)
		pressure_who_name(q, suspects, &named);
	words_span(since, named.span);
	/* the end is always there */
	size = sizeof(event.message) - strlen("; see ") - strlen(see[c->resource]);
	snprintf(event.message, size, "%s pressure: %s stalled %s %% of the last %s (limit %s in %s)", resource,
		 who[c->kind], share_text, span, threshold, window);
	size -= strlen(", for ") + strlen(lasts);
	if (*named.faults) {
		(void)words_add_whole(event.message, size, "; faults that read: %s", named.faults);
		fields[n++] = (struct qmem_label){ "top_faults", named.faults };
	}
	if (*named.grown) {
		(void)words_add_whole(event.message, size, "; grown in %s: %s", since, named.grown);
		fields[n++] = (struct qmem_label){ "top_growth", named.grown };
	}
	size += strlen(", for ") + strlen(lasts);
	words_add(event.message, size, ", for %s", lasts);
	say_rates(event.message, size, rates, no_swap);
	words_add(event.message, sizeof(event.message), "; see %s", see[c->resource]);
	for (int i = 0; i < RECLAIM_COUNTS; i++) {
		if (rates[i] < 0)
			continue;
		rate_text(texts[i], rates[i]);
		fields[n++] = (struct qmem_label){ rate_fields[i], texts[i] };
	}
	if (no_swap)
		fields[n++] = (struct qmem_label){ "swap", "none" };
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
