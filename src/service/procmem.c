/* SPDX-License-Identifier: MIT */
/* The memory of processes by group: the groups with most, those of the configuration, all others as one sum. */
#include "service/procmem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/room.h"
#include "process/lack.h"
#include "process/table.h"
#include "process/pss.h"
#include "rows.h"
#include "services.h"
#include "util/top.h"
#include "util/value.h"

#define FINE 1024 /* parts of a fault */
#define MARGIN 25 /* percent more to take another's place */

enum gauge { ANON, FILE_, SHMEM, SWAP, RSS, VMSIZE, VMDATA, PEAK, PGTABLES, GAUGES };
enum counter { MINFLT, MAJFLT, VM_CHANGES, COUNTERS };

struct sample {
	int64_t gauge[GAUGES];
	int64_t counter[COUNTERS];
	int64_t processes, threads;
	struct pss_amounts pss;
};

struct process {
	uint32_t generation;
	int64_t last[COUNTERS];
};

struct group {
	uint32_t generation;
	struct lack lack; /* of PSS */
	bool headless;    /* a member's first thread has ended: nobody tells what the others have */
	bool resident;    /* a member has memory: what is not told of any is not nothing */
	struct sample sample;
	int64_t delta[COUNTERS];
};

enum pss_state { PSS_OFF, PSS_READ, PSS_REFUSED, PSS_LACKING };

enum by { BY_RSS, BY_ANON, BY_SWAP, BY_FAULTS, BY_PROCESSES };

struct procmem {
	int group_by, top_by;
	struct qmem_blocks blocks;
	int64_t max;
	struct pss_limits limits;

	struct procgroups *groups;
	struct top top;
	struct process *processes;
	size_t processes_room;
	struct group *sums;
	struct top_item *items;
	size_t sums_room, items_room;
	struct group other;
	struct lacks lacks; /* of PSS */
	bool others;        /* has there been a group that was not shown? */
	bool known[GAUGES], counted[COUNTERS];
	uint64_t when;        /* the last round was */
	uint64_t table_round; /* of the last round; 0: none yet */
	bool newborn;         /* have those that are new begun since? */
	struct pss *pss;      /* NULL: it is not asked for, or this kernel has none */
	enum pss_state noted; /* what the note tells, with no_exe */
	bool no_exe, any_note;
};

static const struct pss_amounts no_pss = { QMEM_NA, QMEM_NA, QMEM_NA };

static const size_t gauge_of[GAUGES] = {
	[ANON] = offsetof(struct proc, anon),         [FILE_] = offsetof(struct proc, file),
	[SHMEM] = offsetof(struct proc, shmem),       [SWAP] = offsetof(struct proc, swap),
	[RSS] = offsetof(struct proc, rss),           [VMSIZE] = offsetof(struct proc, vmsize),
	[VMDATA] = offsetof(struct proc, vmdata),     [PEAK] = offsetof(struct proc, hwm),
	[PGTABLES] = offsetof(struct proc, pgtables),
};

static const size_t counter_of[COUNTERS] = {
	[MINFLT] = offsetof(struct proc, minflt),
	[MAJFLT] = offsetof(struct proc, majflt),
	[VM_CHANGES] = offsetof(struct proc, vm_changes),
};

static const struct qmem_metric rss_metrics[] = {
	METRIC(sample, "anon", "RssAnon", gauge[ANON], "anonymous memory: heap, stacks, private data"),
	METRIC(sample, "file", "RssFile", gauge[FILE_], "pages of files, shared by all who map them"),
	METRIC(sample, "shmem", "RssShmem", gauge[SHMEM], "shared memory, counted for each who has touched it"),
	{ 0 },
};

static const struct qmem_metric swap_metrics[] = {
	METRIC(sample, "used", "VmSwap", gauge[SWAP], "anonymous memory that has been swapped out"),
	{ 0 },
};

static const struct qmem_metric processes_metrics[] = {
	METRIC(sample, "count", NULL, processes, "processes, zombies included"),
	{ 0 },
};

static const struct qmem_metric faults_metrics[] = {
	METRIC(sample, "minflt", NULL, counter[MINFLT], "page faults without a read"),
	METRIC(sample, "majflt", NULL, counter[MAJFLT], "page faults that had to read"),
	{ 0 },
};

static const struct qmem_metric pss_metrics[] = {
	METRIC(sample, "pss", "Pss", pss.pss, "resident memory, shared pages divided by those who share them"),
	METRIC(sample, "uss", NULL, pss.uss,
	       "resident memory that no other process has; with hugetlbfs, which neither RSS nor PSS counts"),
	{ 0 },
};

static const struct qmem_metric age_metrics[] = {
	METRIC(sample, "oldest", NULL, pss.age, "how old the oldest PSS is that the sum is made of"),
	{ 0 },
};

static const struct qmem_metric virtual_metrics[] = {
	METRIC(sample, "size", "VmSize", gauge[VMSIZE], "address space"),
	METRIC(sample, "data", "VmData", gauge[VMDATA], "private writable address space"),
	{ 0 },
};

static const struct qmem_metric peak_metrics[] = {
	METRIC(sample, "rss", "VmHWM", gauge[PEAK], "the most that each has had resident, summed"),
	{ 0 },
};

static const struct qmem_metric pgtables_metrics[] = {
	METRIC(sample, "size", "VmPTE", gauge[PGTABLES], "page tables"),
	{ 0 },
};

static const struct qmem_metric threads_metrics[] = {
	METRIC(sample, "count", NULL, threads, "threads"),
	{ 0 },
};

static const struct qmem_metric changes_metrics[] = {
	METRIC(sample, "count", NULL, counter[VM_CHANGES], "changes of address spaces: mmap, munmap, mprotect, brk"),
	{ 0 },
};

enum { F_RSS, F_SWAP, F_PROCESSES, F_FAULTS, F_PSS, F_AGE, F_VIRTUAL, F_PEAK, F_PGTABLES, F_THREADS, F_CHANGES };

static const struct qmem_family families[] = {
	[F_RSS] = FAMILY("rss", "Resident memory of processes", "processes/memory", "stacked", rss_metrics, BYTES,
			 .label = "group"),
	[F_SWAP] = FAMILY("swap", "Swapped memory of processes", "processes/memory", "area", swap_metrics, BYTES,
			  .label = "group"),
	[F_PROCESSES] = FAMILY("processes", "Processes", "processes/memory", "line", processes_metrics,
			       GAUGE("processes", 1, "count"), .label = "group"),
	[F_FAULTS] = FAMILY("faults", "Page faults of processes", "processes/memory", "line", faults_metrics,
			    COUNTER("faults", 1, "ps_pagefaults"), .label = "group"),
	[F_PSS] = FAMILY("pss", "Proportional and unique memory of processes", "processes/memory", "line", pss_metrics,
			 BYTES, .label = "group"),
	[F_AGE] = FAMILY("age", "Age of the proportional memory", "processes/memory", "line", age_metrics,
			 GAUGE("seconds", 1000000000, "duration"), .label = "group"),
	[F_VIRTUAL] = FAMILY("virtual", "Address space of processes", "processes/memory", "line", virtual_metrics,
			     GAUGE("bytes", 1, "bytes"), .label = "group", .flags = QMEM_DETAIL),
	[F_PEAK] = FAMILY("peak", "Peak memory of processes", "processes/memory", "line", peak_metrics, BYTES,
			  .label = "group", .flags = QMEM_DETAIL),
	[F_PGTABLES] = FAMILY("pgtables", "Page tables of processes", "processes/memory", "line", pgtables_metrics,
			      BYTES, .label = "group", .flags = QMEM_DETAIL),
	[F_THREADS] = FAMILY("threads", "Threads of processes", "processes/memory", "line", threads_metrics,
			     GAUGE("threads", 1, "count"), .label = "group", .flags = QMEM_DETAIL),
	[F_CHANGES] = FAMILY("vm_changes", "Changes of address spaces", "processes/memory", "line", changes_metrics,
			     COUNTER("operations", 1, "derive"), .label = "group", .flags = QMEM_DETAIL),
	{ 0 },
};

static const char *const top_words[] = { "rss", "anon", "swap", "faults", "processes", NULL };

static const struct qmem_option options[] = {
	{ .name = "GroupBy",
	  .type = QMEM_ENUM,
	  .offset = offsetof(struct procmem, group_by),
	  .def = "comm",
	  .words = procgroup_words,
	  .help = "what processes in one group have in common: name, program, user, cgroup, systemd's unit; also for cpuload "
		  "and heapmon" },
	{ .name = "Group",
	  .type = QMEM_BLOCK,
	  .offset = offsetof(struct procmem, blocks),
	  .check = procgroup_check_name,
	  .sub = procgroup_rows,
	  .sub_size = sizeof(struct procgroup_rules),
	  .help = "a group of your own, always shown: the processes that match each of its options; one that matches several groups is in the first",
	  .example = "web" },
	{ .name = "Top",
	  .type = QMEM_INT,
	  .offset = offsetof(struct procmem, max),
	  .def = "10",
	  .min = 0,
	  .max = 10000,
	  .help = "groups shown beside your own; " PROCGROUP_REST },
	{ .name = "SortBy",
	  .type = QMEM_ENUM,
	  .offset = offsetof(struct procmem, top_by),
	  .def = "rss",
	  .words = top_words,
	  .help = "which groups are shown: those with most of it" },
	{ .name = "PssBudget",
	  .type = QMEM_DURATION,
	  .offset = offsetof(struct procmem, limits.budget),
	  .def = "0",
	  .min = 0,
	  .max = INT64_C(1000000000),
	  .help = "CPU time a second to measure PSS and USS; 0: they are not measured. While the kernel adds up smaps_rollup, the process may wait for memory that it maps or frees" },
	{ .name = "PssCeiling",
	  .type = QMEM_DURATION,
	  .offset = offsetof(struct procmem, limits.ceiling),
	  .def = "50ms",
	  .min = 0,
	  .max = INT64_C(10000000000),
	  .help = "a process whose PSS is expected to cost more CPU time is not measured, and its group has no PSS; it is tried again after twice PssAge, then each time after twice as long, up to 256 times PssAge" },
	{ .name = "PssAge",
	  .type = QMEM_DURATION,
	  .offset = offsetof(struct procmem, limits.age),
	  .def = "5m",
	  .min = INT64_C(1000000000),
	  .max = INT64_C(86400000000000),
	  .help = "how old the PSS of a member may be, three intervals at least; a group has a PSS if each member has one that was there a round before" },
	{ 0 },
};

static const struct qmem_renamed renamed[] = {
	{ "Groups", "Top" },
	{ "TopBy", "SortBy" },
	{ 0 },
};

struct procgroups *procmem_groups(struct qmem *q)
{
	const struct procmem *s = qmem_state(q, &procmem_service);

	return s ? s->groups : NULL;
}

uint64_t procmem_when(struct qmem *q)
{
	const struct procmem *s = qmem_state(q, &procmem_service);

	return s ? s->when : 0;
}

size_t procmem_capacity(struct qmem *q)
{
	const struct procmem *s = qmem_state(q, &procmem_service);

	return s ? s->sums_room : 0;
}

bool procmem_amounts(struct qmem *q, size_t index, struct procmem_amounts *ret)
{
	const struct procmem *s = qmem_state(q, &procmem_service);
	const struct procgroup *group = s && index < s->sums_room ? procgroups_at(s->groups, index) : NULL;

	if (!group || group->generation != s->sums[index].generation)
		return false;
	*ret = (struct procmem_amounts){ group->generation, s->sums[index].sample.gauge[RSS],
					 s->sums[index].sample.counter[MAJFLT] };
	return true;
}

static int64_t member_of(const struct proc *p, size_t offset)
{
	return *(const int64_t *)(const void *)((const char *)p + offset);
}

static enum pss_state state_of_pss(const struct procmem *s)
{
	if (!s->limits.budget)
		return PSS_OFF;
	if (!s->pss)
		return PSS_LACKING;
	return pss_refused(s->pss) ? PSS_REFUSED : PSS_READ;
}

static void note(struct qmem *q, struct procmem *s)
{
	static const char *const words[] = {
		[PSS_OFF] = "",
		[PSS_READ] = "PSS by smaps_rollup",
		[PSS_REFUSED] =
			"no PSS of other users' processes: needs CAP_SYS_PTRACE, from Linux 6.15 on CAP_PERFMON",
		[PSS_LACKING] = "no PSS: there is no smaps_rollup before Linux 4.14",
	};
	enum pss_state now = state_of_pss(s);
	bool no_exe = procgroups_refused(s->groups), users = procgroups_want_users(s->groups);

	if (s->any_note && now == s->noted && no_exe == s->no_exe)
		return;
	s->any_note = true;
	if (now != s->noted && now >= PSS_REFUSED)
		qmem_log(q, QMEM_LOG_WARNING, "%s", words[now]);
	s->noted = now;
	s->no_exe = no_exe;
	qmem_note(q, "%s%s%s%s%s", users ? PROCGROUP_USERS : "", users && (no_exe || now) ? "; " : "",
		  no_exe ? PROCGROUP_NO_EXE : "", no_exe && now ? "; " : "", words[now]);
}

/* ---- rounds ---- */

static int make_room(struct procmem *s, size_t processes, size_t groups)
{
	int err = room_fit(&s->processes, &s->processes_room, processes, sizeof(*s->processes));

	if (!err)
		err = room_fit(&s->sums, &s->sums_room, groups, sizeof(*s->sums));
	if (!err)
		err = room_fit(&s->items, &s->items_room, groups, sizeof(*s->items));
	return err;
}

static void begin_group(struct group *g)
{
	for (int k = 0; k < GAUGES; k++)
		g->sample.gauge[k] = QMEM_NA;
	memset(g->delta, 0, sizeof(g->delta));
	g->sample.processes = g->sample.threads = 0;
	g->sample.pss = no_pss;
	g->headless = g->resident = false;
	lack_begin(&g->lack);
}

static void begin_groups(struct procmem *s)
{
	for (size_t i = 0; i < procgroups_capacity(s->groups); i++) {
		const struct procgroup *group = procgroups_at(s->groups, i);
		struct group *g = &s->sums[i];

		if (!group || g->generation != group->generation) {
			*g = (struct group){ .generation = group ? group->generation : 0 };
			s->items[i] = (struct top_item){ .score = -1 };
		}
		begin_group(g);
	}
	begin_group(&s->other);
}

/* Of a process that has begun since the round before, all is new; what others did before they were seen is not. */
static void count(struct procmem *s, const struct proc *p, struct process *m, struct group *g)
{
	bool is_new = m->generation != p->generation;

	if (is_new)
		*m = (struct process){ .generation = p->generation };
	for (int k = 0; k < COUNTERS; k++) {
		int64_t value = member_of(p, counter_of[k]), delta = 0;

		if (value == QMEM_NA)
			continue;
		s->counted[k] = true;
		if (value > m->last[k])
			delta = value - m->last[k];
		m->last[k] = value;
		if (!is_new || s->newborn)
			value_add(&g->delta[k], delta);
	}
}

static void add_pss(struct sample *sample, const struct pss_amounts *amounts)
{
	value_add(&sample->pss.pss, amounts->pss);
	value_add(&sample->pss.uss, amounts->uss);
	if (amounts->age > sample->pss.age)
		sample->pss.age = amounts->age;
}

static void sum_up(const struct qmem *q, struct procmem *s, const struct proctable *table)
{
	const struct proc *p;

	proctable_each(table, p)
	{
		struct group *g = &s->sums[procgroups_of(s->groups, p)];
		struct pss_amounts amounts;

		count(s, p, &s->processes[p->slot], g);
		g->sample.processes++;
		g->sample.threads += p->threads;
		if (p->kthread)
			continue;
		g->headless |= p->rss == QMEM_NA && p->threads > 1;
		g->resident |= p->rss != QMEM_NA;
		for (int k = 0; k < GAUGES; k++) {
			int64_t value = member_of(p, gauge_of[k]);

			s->known[k] |= value != QMEM_NA;
			value_add(&g->sample.gauge[k], value);
		}
		if (s->pss) {
			lack_add(&g->lack, pss_of(q, s->pss, p, &amounts), p->pid);
			add_pss(&g->sample, &amounts);
		}
	}
}

static int64_t score_of(const struct procmem *s, const struct group *g)
{
	const int64_t *gauge = g->sample.gauge;

	switch ((enum by)s->top_by) {
	case BY_ANON:
		return value_or(gauge[ANON], 0);
	case BY_SWAP:
		return value_or(gauge[SWAP], 0);
	case BY_FAULTS:
		return g->delta[MINFLT] + g->delta[MAJFLT];
	case BY_PROCESSES:
		return g->sample.processes;
	case BY_RSS:
		break;
	}
	return value_or(gauge[RSS], 0);
}

/* Faults come in bursts: what is chosen by is smoothed, in parts of a fault, so that the quiet come to nothing. */
static void choose(struct procmem *s, uint64_t now)
{
	size_t n = procgroups_capacity(s->groups);

	for (size_t i = 0; i < n; i++) {
		const struct procgroup *group = procgroups_at(s->groups, i);
		int64_t score = score_of(s, &s->sums[i]);

		if (!group || !group->members || !procgroups_competes(s->groups, group))
			s->items[i].score = -1;
		else if (s->top_by == BY_FAULTS && s->items[i].score > 0)
			s->items[i].score += (FINE * score - s->items[i].score) / 8;
		else
			s->items[i].score = s->top_by == BY_FAULTS ? FINE * score : score;
	}
	(void)top_update(&s->top, s->items, n, now);
}

static void add_other(struct procmem *s, const struct group *g)
{
	struct group *other = &s->other;

	s->others = true;
	for (int k = 0; k < GAUGES; k++)
		value_add(&other->sample.gauge[k], g->sample.gauge[k]);
	for (int k = 0; k < COUNTERS; k++)
		value_add(&other->delta[k], g->delta[k]);
	other->sample.processes += g->sample.processes;
	other->sample.threads += g->sample.threads;
	add_pss(&other->sample, &g->sample.pss);
	other->headless |= g->headless;
	other->resident |= g->resident;
	lack_add(&other->lack, g->lack.why, g->lack.pid);
}

/* What the kernel reports, but of none of these processes, is zero, unless one may have it all the same. */
static void finish(const struct procmem *s, struct group *g)
{
	struct sample *sample = &g->sample;

	for (int k = 0; k < GAUGES; k++)
		if (sample->gauge[k] == QMEM_NA && s->known[k] && !g->headless && !g->resident)
			sample->gauge[k] = 0;
	for (int k = 0; k < COUNTERS; k++) {
		if (!s->counted[k])
			sample->counter[k] = QMEM_NA;
		else if (sample->counter[k] == QMEM_NA ||
			 __builtin_add_overflow(sample->counter[k], g->delta[k], &sample->counter[k]))
			sample->counter[k] = 0;
	}
	if (g->lack.why != LACK_NOTHING)
		sample->pss = no_pss;
}

static void emit(struct qmem *q, struct procmem *s, const struct procgroup *group, struct group *g)
{
	const struct qmem_instance instance = procgroup_instance(group);
	bool kernel = group && group->kind == PROCGROUP_KERNEL;

	finish(s, g);
	/* where no process may be read, the note says so, once for all */
	if (s->noted != PSS_REFUSED)
		lacks_add(&s->lacks, &g->lack, instance.name, qmem_now(q), (uint64_t)s->limits.age);
	for (size_t i = 0; families[i].id; i++) {
		/* the kernel's threads have no memory of their own */
		if (kernel && i != F_PROCESSES)
			continue;
		if ((i == F_PSS || i == F_AGE) && !s->pss)
			continue;
		qmem_emit(q, &families[i], &instance, &g->sample);
	}
}

static void emit_groups(struct qmem *q, struct procmem *s)
{
	for (size_t i = 0; i < procgroups_capacity(s->groups); i++) {
		const struct procgroup *group = procgroups_at(s->groups, i);
		struct group *g = &s->sums[i];

		if (!group)
			continue;
		if (group->kind < PROCGROUP_NAMED || s->items[i].in) {
			procgroups_show(q, s->groups, i);
			emit(q, s, group, g);
		} else if (group->members) {
			g->lack.since = 0;
			add_other(s, g);
		}
	}
	if (s->others)
		emit(q, s, NULL, &s->other);
}

static int collect(struct qmem *q, void *state)
{
	const struct proctable *table = qmem_state(q, &proctable_service);
	struct procmem *s = state;
	int err;

	if (!table || !proctable_current(table))
		return qmem_fail(q, -EIO, "there is no table of processes");
	err = procgroups_update(q, s->groups, table);
	/* the groups only: it runs for cpuload or heapmon */
	if (err || qmem_muted(q))
		return err;
	err = make_room(s, proctable_capacity(table), procgroups_capacity(s->groups));
	if (!err && s->pss)
		err = pss_begin(s->pss, proctable_capacity(table), qmem_now(q));
	if (err)
		return err;
	s->newborn = s->table_round >= proctable_whole_since(table);
	s->table_round = proctable_round(table);
	s->when = qmem_now(q);
	begin_groups(s);
	sum_up(q, s, table);
	choose(s, qmem_now(q));
	emit_groups(q, s);
	lacks_tell(q, &s->lacks, "PSS", "smaps_rollup", (uint64_t)s->limits.age);
	if (s->pss)
		pss_go(q, s->pss);
	note(q, s);
	return 0;
}

/* ---- life ---- */

static void stop(struct qmem *q, void *state)
{
	struct procmem *s = state;

	(void)q;
	pss_free(s->pss);
	procgroups_free(s->groups);
	top_release(&s->top);
	free(s->processes);
	free(s->sums);
	free(s->items);
}

static int start(struct qmem *q, void *state)
{
	struct procmem *s = state;
	int err;

	if (!qmem_state(q, &proctable_service))
		return qmem_fail(q, -ENOTSUP, "there is no table of processes");
	err = procgroups_new(q, (enum procgroup_by)s->group_by, &s->blocks, &s->groups);
	if (!err)
		err = top_init(&s->top, (size_t)s->max, MARGIN);
	if (err || !s->limits.budget)
		return err;
	err = pss_new(q, &s->limits, &s->pss);
	/* all but PSS is there, which the note says */
	return err == -ENOTSUP ? 0 : err;
}

static const struct qmem_capability capabilities[] = {
	CAPABILITY(SYS_PTRACE, "programs of other users' processes", .file = "/proc/PID/exe", .option = "GroupBy",
		   .value = "exe"),
	CAPABILITY(SYS_PTRACE, "PSS of other users' processes before Linux 6.15", .file = "/proc/PID/smaps_rollup",
		   .option = "PssBudget"),
	CAPABILITY(PERFMON, "PSS of other users' processes from Linux 6.15 on", .file = "/proc/PID/smaps_rollup",
		   .option = "PssBudget"),
	{ 0 },
};

const struct qmem_service procmem_service = {
	.name = "procmem",
	.help = "the memory of processes by group",
	.source = "the table of processes; /proc/PID/smaps_rollup for PSS",
	.kernel = "4.5 (PSS: 4.14); before 6.2 RSS is approximate, as the kernel's VmRSS is",
	.privilege =
		"none; for other users' processes: PSS CAP_SYS_PTRACE (Linux 6.15: CAP_PERFMON), GroupBy exe CAP_SYS_PTRACE",
	.needs = &proctable_service,
	.capabilities = capabilities,
	.priority = 4000,
	.families = families,
	.options = options,
	.renamed = renamed,
	.state_size = sizeof(struct procmem),
	.start = start,
	.collect = collect,
	.stop = stop,
};
