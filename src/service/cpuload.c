/* SPDX-License-Identifier: MIT */
/* What the CPUs do, and for whom: time by mode, load, run queue, and the time of groups of processes. */
#include "service/cpuload.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/root.h"
#include "kernel/sound.h"
#include "process/cputime.h"
#include "rows.h"
#include "service/procmem.h"
#include "services.h"
#include "util/value.h"

#define USECS 1000000
#define RESET_AFTER 10 /* seconds by which a counter falls that has begun anew */

enum mode { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, STEAL, GUEST, MODES };

struct sample {
	int64_t time[MODES]; /* microseconds: with nanoseconds, a thousand CPUs would be beyond int64 in months */
	int64_t load[LOADAVG_SPANS];
	int64_t running, blocked;
	int64_t switches;
};

struct cpuload {
	int64_t max;

	struct qmem_file stat_file, load_file;
	int64_t ticks; /* in a second */
	struct cpustat stat;
	uint64_t when; /* that was read */
	bool read;
	uint64_t taken;      /* the `when` of last */
	unsigned seen;       /* bit i: the kernel has said enum cpustat_mode i */
	int64_t last[MODES]; /* ticks */
	int64_t sum[MODES];  /* microseconds: the sample's, also while the file does not say */
	int64_t cpus;        /* the most that have been online */
	struct sample sample;
	struct cputime groups;
	struct fault fault;
	struct qmem_complaint faulty, load_failed, load_faulty;
};

static const struct qmem_metric cpu_metrics[] = {
	METRIC(sample, "user", NULL, time[USER], "programs; without what guests have run"),
	METRIC(sample, "nice", NULL, time[NICE], "programs of low priority; without what guests have run"),
	METRIC(sample, "system", NULL, time[SYSTEM], "the kernel for programs"),
	METRIC(sample, "iowait", NULL, time[IOWAIT], "nothing, while a task waited for a disk"),
	METRIC(sample, "irq", NULL, time[IRQ], "interrupts"),
	METRIC(sample, "softirq", NULL, time[SOFTIRQ], "what interrupts have left to do"),
	METRIC(sample, "steal", NULL, time[STEAL], "other machines, while this one would have run"),
	METRIC(sample, "guest", NULL, time[GUEST], "programs of virtual machines"),
	METRIC(sample, "idle", NULL, time[IDLE], "nothing"),
	{ 0 },
};

static const struct qmem_metric load_metrics[] = {
	METRIC(sample, "shortterm", NULL, load[LOADAVG_1], "over 1 minute"),
	METRIC(sample, "midterm", NULL, load[LOADAVG_5], "over 5 minutes"),
	METRIC(sample, "longterm", NULL, load[LOADAVG_15], "over 15 minutes"),
	{ 0 },
};

static const struct qmem_metric queue_metrics[] = {
	METRIC(sample, "running", "procs_running", running, "run or could"),
	METRIC(sample, "blocked", "procs_blocked", blocked, "wait for a disk"),
	{ 0 },
};

static const struct qmem_metric switches_metrics[] = {
	METRIC(sample, "switches", "ctxt", switches, "from one task to another"),
	{ 0 },
};

static const struct qmem_metric time_metrics[] = {
	METRIC(cputime_counters, "user", NULL, user, "by its programs"),
	METRIC(cputime_counters, "syst", NULL, syst, "by the kernel for them"),
	{ 0 },
};

enum family { CPU, LOAD, QUEUE, CONTEXT, TIME };

static const struct qmem_family families[] = {
	FAMILY("cpu", "CPU time of all CPUs by what it is used for", "processes/cpu", "stacked", cpu_metrics,
	       COUNTER("cpu-seconds", USECS, "total_time_in_ms"), .flags = QMEM_OVERLAP | QMEM_PARTS),
	FAMILY("load", "Load average", "processes/cpu", "line", load_metrics, GAUGE("threads", 100, "load"),
	       .flags = QMEM_OVERLAP),
	FAMILY("queue", "Threads that run, and that wait for a disk", "processes/cpu", "line", queue_metrics,
	       GAUGE("threads", 1, "threads")),
	FAMILY("context", "Context switches", "processes/cpu", "line", switches_metrics,
	       COUNTER("switches", 1, "contextswitch")),
	FAMILY("time", "CPU time of processes by group", "processes/cpu", "stacked", time_metrics,
	       COUNTER("cpu-seconds", 1000000000, "ps_cputime"), .label = "group"),
	{ 0 },
};

static const struct qmem_option options[] = {
	{ .name = "Top",
	  .type = QMEM_INT,
	  .offset = offsetof(struct cpuload, max),
	  .def = "10",
	  .min = 0,
	  .max = 10000,
	  .help = "groups of procmem shown, those that use most CPU time; " PROCGROUP_REST },
	{ 0 },
};

static const struct qmem_renamed renamed[] = {
	{ "Groups", "Top" },
	{ 0 },
};

/* ---- the whole machine ---- */

/* What the kernel has ever said it says always: where it is malformed it is not nothing. */
static bool is_lost(const struct cpuload *s, enum cpustat_mode mode)
{
	return s->stat.mode[mode] == QMEM_NA && s->seen >> mode & 1;
}

/* `part` is in `whole` already. Both are not read at the same instant: never below 0. */
static int64_t without(const struct cpuload *s, enum cpustat_mode whole, enum cpustat_mode part)
{
	if (s->stat.mode[part] == QMEM_NA)
		return is_lost(s, part) ? QMEM_NA : s->stat.mode[whole];
	return value_minus(s->stat.mode[whole], s->stat.mode[part]);
}

static int64_t guests(const struct cpuload *s)
{
	if (is_lost(s, CPUSTAT_GUEST) || is_lost(s, CPUSTAT_GUEST_NICE))
		return QMEM_NA;
	return value_sum(s->stat.mode[CPUSTAT_GUEST], s->stat.mode[CPUSTAT_GUEST_NICE]);
}

/*
 * The kernel's own counters fall: iowait and idle by some ticks, as its manual says, and by a lot when a CPU goes or the
 * machine was restored from an image. What has fallen a little is waited for; else it goes on from where it is. So it does
 * when one has risen by more than there was time for: before 71fee48fb772 ("tick-sched: Fix idle and iowait sleeptime
 * accounting vs CPU hotplug", 6.8 and 6.1.75) that of a CPU that goes rises by all that was lost when it came.
 */
static void add_time(struct cpuload *s, enum mode mode, int64_t ticks, double most)
{
	int64_t *last = &s->last[mode], *time = &s->sum[mode], delta;

	if (ticks == QMEM_NA)
		return;
	if (*time == QMEM_NA) {
		*last = ticks;
		if (__builtin_mul_overflow(ticks, USECS / s->ticks, time))
			*time = 0;
		return;
	}
	if (ticks < *last) {
		if (*last - ticks > RESET_AFTER * s->ticks)
			*last = ticks;
		return;
	}
	if ((double)(ticks - *last) <= most && (__builtin_mul_overflow(ticks - *last, USECS / s->ticks, &delta) ||
						__builtin_add_overflow(*time, delta, time)))
		*time = 0;
	*last = ticks;
}

/* Ticks that one mode can have had since the time before: all CPUs, with a second for what is booked late. */
static double most_ticks(struct cpuload *s)
{
	double seconds = (double)(s->when - s->taken) / (double)QMEM_SECOND + 1;

	s->taken = s->when;
	if (s->stat.cpus > s->cpus)
		s->cpus = s->stat.cpus;
	return seconds * (double)s->ticks * (double)(s->cpus > 0 ? s->cpus : sysconf(_SC_NPROCESSORS_CONF));
}

static void take_stat(struct cpuload *s)
{
	const int64_t *mode = s->stat.mode;
	double most = most_ticks(s);

	const int64_t ticks[MODES] = {
		[USER] = without(s, CPUSTAT_USER, CPUSTAT_GUEST),
		[NICE] = without(s, CPUSTAT_NICE, CPUSTAT_GUEST_NICE),
		[SYSTEM] = mode[CPUSTAT_SYSTEM],
		[IDLE] = mode[CPUSTAT_IDLE],
		[IOWAIT] = mode[CPUSTAT_IOWAIT],
		[IRQ] = mode[CPUSTAT_IRQ],
		[SOFTIRQ] = mode[CPUSTAT_SOFTIRQ],
		[STEAL] = mode[CPUSTAT_STEAL],
		[GUEST] = guests(s),
	};

	for (int m = 0; m < CPUSTAT_MODES; m++)
		s->seen |= (unsigned)(mode[m] != QMEM_NA) << m;

	for (int m = 0; m < MODES; m++) {
		add_time(s, (enum mode)m, ticks[m], most);
		s->sample.time[m] = ticks[m] == QMEM_NA ? QMEM_NA : s->sum[m];
	}
	s->sample.running = s->stat.procs_running;
	s->sample.blocked = s->stat.procs_blocked;
	s->sample.switches = s->stat.ctxt;
}

static int read_stat(struct qmem *q, struct cpuload *s)
{
	const char *text;
	ssize_t len = qmem_read(q, &s->stat_file, &text);
	char words[128];
	int err;

	s->read = false;
	if (len < 0)
		return qmem_fail(q, (int)len, "cannot read '/%s': %s", s->stat_file.path,
				 root_words((int)len, words, sizeof(words)));
	err = cpustat_parse(text, (size_t)len, &s->stat, &s->fault);
	if (err)
		return sound_fail(q, &s->stat_file, err, &s->fault);
	s->when = qmem_now(q);
	s->read = true;
	return 0;
}

static void read_load(struct qmem *q, struct cpuload *s)
{
	struct loadavg load = { { QMEM_NA, QMEM_NA, QMEM_NA } };
	struct fault fault;
	const char *text;
	ssize_t len = qmem_read(q, &s->load_file, &text);

	if (len >= 0) {
		int err = loadavg_parse(text, (size_t)len, &load, &fault);

		sound_fault(q, &s->load_faulty, &s->load_file, err, &fault);
	}
	for (int i = 0; i < LOADAVG_SPANS; i++)
		s->sample.load[i] = load.span[i];
	sound_read(q, &s->load_failed, &s->load_file, len < 0 ? (int)len : 0);
}

const struct cpustat *cpuload_now(struct qmem *q)
{
	const struct cpuload *s = qmem_state(q, &cpuload_service);

	return s && s->read && s->when == qmem_now(q) ? &s->stat : NULL;
}

/* ---- rounds ---- */

static int collect_groups(struct qmem *q, struct cpuload *s)
{
	const struct proctable *table = qmem_state(q, &proctable_service);
	struct procgroups *groups = procmem_groups(q);
	int err;

	if (!table || !groups || !proctable_current(table))
		return 0;
	err = cputime_update(&s->groups, table, groups, qmem_now(q));
	if (err)
		return err;
	for (size_t i = 0; i < s->groups.n; i++) {
		const struct procgroup *group = procgroups_at(groups, i);

		if (group && s->groups.groups[i].shown) {
			const struct qmem_instance instance = procgroup_instance(group);

			procgroups_show(q, groups, i);
			qmem_emit(q, &families[TIME], &instance, &s->groups.groups[i].total);
		}
	}
	if (s->groups.others) {
		const struct qmem_instance instance = procgroup_instance(NULL);

		qmem_emit(q, &families[TIME], &instance, &s->groups.other);
	}
	return 0;
}

static int collect(struct qmem *q, void *state)
{
	struct cpuload *s = state;
	int err = read_stat(q, s), groups_err;

	if (!err) {
		take_stat(s);
		sound_fault(q, &s->faulty, &s->stat_file, 0, &s->fault);
		read_load(q, s);
		qmem_emit_all(q, &s->sample);
	}
	groups_err = collect_groups(q, s);
	return err ? err : groups_err;
}

/* ---- life ---- */

static void stop(struct qmem *q, void *state)
{
	struct cpuload *s = state;

	(void)q;
	qmem_file_close(&s->stat_file);
	qmem_file_close(&s->load_file);
	cputime_release(&s->groups);
}

static int start(struct qmem *q, void *state)
{
	struct cpuload *s = state;
	int err;

	s->stat_file = QMEM_FILE("proc/stat");
	s->load_file = QMEM_FILE_SINGLE("proc/loadavg");
	s->ticks = sysconf(_SC_CLK_TCK);
	if (s->ticks <= 0 || s->ticks > USECS)
		s->ticks = 100;
	for (int i = 0; i < MODES; i++)
		s->sum[i] = QMEM_NA;
	err = read_stat(q, s);
	s->read = false;
	if (!err)
		err = cputime_init(&s->groups, (size_t)s->max);
	if (!err && !procmem_groups(q))
		qmem_note(q, "no groups of processes: procmem does not run");
	return err;
}

const struct qmem_service cpuload_service = {
	.name = "cpuload",
	.help = "CPU time by mode and by group of processes, load, run queue",
	.source = "/proc/stat, /proc/loadavg, the table of processes",
	.kernel = "2.6",
	.privilege = "none",
	.needs = &procmem_service,
	.priority = 4400,
	.families = families,
	.options = options,
	.renamed = renamed,
	.state_size = sizeof(struct cpuload),
	.start = start,
	.collect = collect,
	.stop = stop,
};
