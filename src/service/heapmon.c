/* SPDX-License-Identifier: MIT */
/* What the memory of chosen groups of processes is: heap, stacks, files, ... By the worker, from /proc/PID/smaps. */
#include "service/heapmon.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/root.h"
#include "proc/smaps.h"
#include "util/near.h"
#include "util/room.h"
#include "util/value.h"
#include "process/cost.h"
#include "process/lack.h"
#include "process/probe.h"
#include "service/procmem.h"
#include "process/table.h"
#include "rows.h"
#include "services.h"

#define PER_MAPPING 2600 /* CPU ns */
#define BASE 100000
#define PER_MB 10000
#define MAPPING_GUESS 100
#define NEW (60 * QMEM_SECOND)      /* as old as this counts what has never been read */
#define PATIENCE 60                 /* rounds without a group before that is told */
#define RETRY (300 * QMEM_SECOND)   /* of what could not be read, or was too dear */
#define SETTLED (300 * QMEM_SECOND) /* until what has not moved is read again */

struct sample {
	struct smaps_amounts kinds[SMAPS_KINDS];
	int64_t moved, oldest;
};

struct process {
	uint32_t generation;
	bool refused, failed;
	struct smaps_amounts kinds[SMAPS_KINDS];
	struct probe_memory memory; /* when they were so */
	struct cost cost;           /* of reading them */
	uint64_t tried;             /* 0: never */
	uint64_t round;             /* that saw it first */
};

struct group {
	uint32_t generation;
	bool wanted;
	size_t read; /* members that are in the sum */
	struct lack lack;
	struct sample sample;
};

/* A name of the configuration. */
struct named {
	uint64_t round; /* that saw a group of it last */
	bool missing;   /* has been told */
};

struct heapmon {
	struct qmem_list names;
	bool heap_only;
	int64_t budget, ceiling;

	struct probe *probe;
	struct named *named; /* as `names` */
	struct process *processes;
	size_t processes_room;
	struct group *groups;
	size_t groups_room;
	struct lacks lacks;
	uint64_t rounds, measured, refused;
	bool noted;
};

#define KINDS(name_, member_)                                                                                          \
	static const struct qmem_metric name_[] = {                                                                    \
		METRIC(sample, "heap", "[heap]", kinds[SMAPS_HEAP].member_, "what brk has given"),                     \
		METRIC(sample, "stack", "[stack]", kinds[SMAPS_STACK].member_, "stacks of first threads"),             \
		METRIC(sample, "anon", NULL, kinds[SMAPS_ANON].member_, "other anonymous memory"),                     \
		METRIC(sample, "jit", NULL, kinds[SMAPS_JIT].member_, "anonymous and executable"),                     \
		METRIC(sample, "file", NULL, kinds[SMAPS_FILE].member_,                                                \
		       "files, also those of a tmpfs elsewhere than /dev/shm"),                                        \
		METRIC(sample, "shmem", NULL, kinds[SMAPS_SHMEM].member_, "shared memory"),                            \
		METRIC(sample, "huge", NULL, kinds[SMAPS_HUGE].member_, "hugetlbfs; no pss and dirty"),                \
		METRIC(sample, "device", NULL, kinds[SMAPS_DEVICE].member_, "devices"),                                \
		{ 0 },                                                                                                 \
	}

KINDS(rss_metrics, rss);
KINDS(pss_metrics, pss);
KINDS(size_metrics, size);
KINDS(swap_metrics, swap);
KINDS(dirty_metrics, dirty);

static const struct qmem_metric age_metrics[] = {
	METRIC(sample, "moved", NULL, moved,
	       "how long ago the oldest reading was, of members whose own memory has moved since"),
	METRIC(sample, "oldest", NULL, oldest,
	       "how long ago the oldest reading was, of all members; pss and dirty, which others change too, are as old"),
	{ 0 },
};

static const struct qmem_family families[] = {
	FAMILY("rss", "Resident memory by kind", "processes/mappings", "stacked", rss_metrics, BYTES, .label = "group"),
	FAMILY("pss", "Proportional memory by kind", "processes/mappings", "stacked", pss_metrics, BYTES,
	       .label = "group"),
	FAMILY("size", "Address space by kind", "processes/mappings", "line", size_metrics, GAUGE("bytes", 1, "bytes"),
	       .label = "group"),
	FAMILY("swap", "Swapped memory by kind", "processes/mappings", "stacked", swap_metrics, BYTES,
	       .label = "group"),
	FAMILY("dirty", "Dirty memory by kind", "processes/mappings", "stacked", dirty_metrics, BYTES,
	       .label = "group"),
	FAMILY("age", "Age of what is known of mappings", "processes/mappings", "line", age_metrics,
	       GAUGE("seconds", 1000000000, "duration"), .label = "group"),
	{ 0 },
};

static const struct qmem_option options[] = {
	{ .name = "Group",
	  .type = QMEM_LIST,
	  .offset = offsetof(struct heapmon, names),
	  .help = "a group of procmem, by its name, whose mappings are read; none: the service is off",
	  .example = "web" },
	{ .name = "HeapOnly",
	  .type = QMEM_BOOL,
	  .offset = offsetof(struct heapmon, heap_only),
	  .def = "no",
	  .help = "only the heap: reading ends behind it, which is much cheaper" },
	{ .name = "SmapsBudget",
	  .type = QMEM_DURATION,
	  .offset = offsetof(struct heapmon, budget),
	  .def = "10ms",
	  .min = 1,
	  .max = INT64_C(1000000000),
	  .help = "CPU time a second to read smaps" },
	{ .name = "SmapsCeiling",
	  .type = QMEM_DURATION,
	  .offset = offsetof(struct heapmon, ceiling),
	  .def = "200ms",
	  .min = 0,
	  .max = INT64_C(10000000000),
	  .help = "a process whose smaps are expected to cost more CPU time are not read, and its group is not shown" },
	{ 0 },
};

/* ---- on the worker ---- */

#define SMAPS_MOST (1u << 30) /* more than of all the mappings that a process may have */

int heapmon_read(const struct root *root, int32_t pid, bool heap_only, void *result)
{
	struct smaps *smaps = result;
	char text[65536];
	size_t have = 0, total = 0;
	int fd, err = 0;

	fd = root_open_process(root, pid, "smaps");
	if (fd < 0)
		return fd;
	smaps_begin(smaps, heap_only);
	while (!smaps->enough) {
		ssize_t n = read(fd, text + have, sizeof(text) - have);
		int64_t used;

		total += n > 0 ? (size_t)n : 0;
		if (n <= 0 || total > SMAPS_MOST) {
			err = n < 0 ? -errno : n ? -EFBIG : have ? -EINVAL : 0;
			break;
		}
		have += (size_t)n;
		used = smaps_feed(smaps, text, have);
		if (used < 0 || (!used && have == sizeof(text))) {
			err = used < 0 ? (int)used : -EINVAL;
			break;
		}
		have -= (size_t)used;
		memmove(text, text + used, have);
	}
	close(fd);
	smaps_end(smaps);
	/* one that has just ended has no mappings any more */
	return !err && !smaps->mappings ? -ESRCH : err;
}

static void take_smaps(void *arg, const struct probe_target *target, int err, const void *result, int64_t cost)
{
	struct heapmon *s = arg;
	struct process *m = target->slot < s->processes_room ? &s->processes[target->slot] : NULL;
	const struct smaps *smaps = result;

	if (!m || m->generation != target->generation)
		return;
	m->tried = target->when;
	m->refused = err == -EACCES || err == -EPERM;
	m->failed = err && err != -ESRCH;
	s->refused += m->refused;
	if (err)
		return;
	s->measured++;
	m->memory = target->memory;
	cost_take(&m->cost, cost, target->memory.rss, target->when, s->ceiling);
	memcpy(m->kinds, smaps->kinds, sizeof(m->kinds));
}

static const struct probe_kind smaps_kind = {
	.what = "smaps",
	.result_size = sizeof(struct smaps),
	.read = heapmon_read,
	.take = take_smaps,
};

/* ---- rounds ---- */

static bool is_named(const struct heapmon *s, const char *name)
{
	for (size_t i = 0; i < s->names.n; i++)
		if (strcmp(s->names.items[i], name) == 0)
			return true;
	return false;
}

static void begin_groups(struct heapmon *s, const struct procgroups *groups)
{
	for (size_t i = 0; i < procgroups_capacity(groups); i++) {
		const struct procgroup *group = procgroups_at(groups, i);
		struct group *g = &s->groups[i];

		if (group && g->generation != group->generation)
			*g = (struct group){ .generation = group->generation, .wanted = is_named(s, group->name) };
		g->sample = (struct sample){ .moved = 0 };
		g->read = 0;
		lack_begin(&g->lack);
	}
}

/* A sum that lacks a part is no sum. */
static void join(int64_t *sum, int64_t value)
{
	if (*sum == QMEM_NA || value == QMEM_NA)
		*sum = QMEM_NA;
	else
		value_add(sum, value);
}

static void add_kinds(struct smaps_amounts *sum, const struct smaps_amounts *kinds)
{
	for (int k = 0; k < SMAPS_KINDS; k++) {
		join(&sum[k].size, kinds[k].size);
		join(&sum[k].rss, kinds[k].rss);
		join(&sum[k].pss, kinds[k].pss);
		join(&sum[k].swap, kinds[k].swap);
		join(&sum[k].dirty, kinds[k].dirty);
	}
}

static bool has_moved(const struct proc *p, const struct process *m)
{
	return p->rss != m->memory.rss || p->swap != m->memory.swap || p->vmsize != m->memory.vmsize ||
	       p->vm_changes != m->memory.vm_changes;
}

/*
 * A process that has not moved since it was read is read again only after a while, when there is nothing else to read: others
 * may have given up what it shares with them, or written what it had changed. Why it is not known, or not any more.
 */
static enum lack_why offer(const struct qmem *q, struct heapmon *s, const struct proc *p, struct process *m)
{
	uint64_t now = qmem_now(q);
	struct probe_target target = {
		.slot = p->slot,
		.generation = p->generation,
		.pid = p->pid,
		.uid = p->uid,
		.when = now,
		.memory = { p->rss, p->swap, p->vmsize, p->vm_changes },
	};
	uint64_t age = m->tried ? now - m->tried : NEW;
	bool known = m->cost.when, settled = known && !has_moved(p, m);
	enum lack_why why = m->refused ? LACK_RIGHTS : known ? LACK_NOTHING : LACK_TIME;

	if ((m->failed && age < RETRY) || (settled && age < SETTLED))
		return why;
	if (probe_shuns(q, p->pid, p->uid))
		return known ? why : LACK_STUCK;
	target.predicted = cost_predict(&m->cost, BASE + MAPPING_GUESS * PER_MAPPING + p->rss / COST_MB * PER_MB,
					p->rss, now, RETRY);
	if (target.predicted > s->ceiling)
		return settled ? why : LACK_BUDGET;
	/* the stalest first */
	target.score = settled ? 0 : (int64_t)(age / 1000);
	probe_offer(s->probe, &target);
	return why;
}

static void visit(const struct qmem *q, struct heapmon *s, const struct proc *p, struct group *g)
{
	struct process *m = &s->processes[p->slot];
	enum lack_why why;

	if (m->generation != p->generation)
		*m = (struct process){ .generation = p->generation, .round = s->rounds };
	if (p->kthread || p->rss == QMEM_NA || !p->vmsize)
		return;
	why = offer(q, s, p, m);
	if (why == LACK_NOTHING) {
		int64_t age = (int64_t)(qmem_now(q) - m->cost.when);

		add_kinds(g->sample.kinds, m->kinds);
		if (age > g->sample.oldest)
			g->sample.oldest = age;
		if (age > g->sample.moved && has_moved(p, m))
			g->sample.moved = age;
		g->read++;
	} else if (m->round != s->rounds) {
		lack_add(&g->lack, why, p->pid);
	}
}

static void emit(struct qmem *q, struct heapmon *s, const struct procgroup *group, struct group *g)
{
	static const struct smaps_amounts nothing = { QMEM_NA, QMEM_NA, QMEM_NA, QMEM_NA, QMEM_NA };
	struct smaps_amounts *huge = &g->sample.kinds[SMAPS_HUGE];
	const struct qmem_instance instance = procgroup_instance(group);
	bool known = g->read && g->lack.why == LACK_NOTHING;

	for (int k = 0; k < SMAPS_KINDS; k++)
		if (!known || (s->heap_only && k != SMAPS_HEAP))
			g->sample.kinds[k] = nothing;
	/* the kernel does not tell */
	huge->pss = huge->dirty = QMEM_NA;
	if (!known)
		g->sample.moved = g->sample.oldest = QMEM_NA;
	/* where all is refused, that is said once for all */
	if (s->measured || !s->refused)
		lacks_add(&s->lacks, &g->lack, instance.name, qmem_now(q), NEW);
	for (const struct qmem_family *f = families; f->id; f++)
		qmem_emit(q, f, &instance, &g->sample);
}

static void note_named(struct heapmon *s, const char *name)
{
	for (size_t i = 0; i < s->names.n; i++)
		if (strcmp(s->names.items[i], name) == 0)
			s->named[i].round = s->rounds;
}

/* There has never been such a group. */
static void tell_vain(struct qmem *q, const struct procgroups *groups, const char *name)
{
	const struct qmem_vain vain = { .option = "Group", .value = name };
	struct near near = NEAR(name);

	if (strcmp(name, PROCGROUP_OTHER) == 0) {
		qmem_vain(q, &vain, "is no group: all that are not shown are summed under that name");
		return;
	}
	for (size_t i = 0; i < procgroups_capacity(groups); i++)
		if (procgroups_at(groups, i))
			near_try(&near, procgroups_at(groups, i)->name);
	if (near.name)
		qmem_vain(q, &vain, "is no group of processes; did you mean '%.100s'?", near.name);
	else
		qmem_vain(q, &vain, "is no group of processes");
}

/* A name that is wrong would be silent. */
static void tell_missing(struct qmem *q, struct heapmon *s, const struct procgroups *groups)
{
	enum procgroup_by by = procgroups_by(groups);
	/* the worker tells of the others, later */
	bool at_once = by != PROCGROUP_EXE && by != PROCGROUP_USER;

	for (size_t i = 0; i < s->names.n; i++) {
		struct named *n = &s->named[i];
		uint64_t patience = !n->round && at_once ? 0 : PATIENCE;

		if (n->missing == (n->round != s->rounds) || (!n->missing && s->rounds - n->round <= patience))
			continue;
		n->missing = !n->missing;
		if (!n->round)
			tell_vain(q, groups, s->names.items[i]);
		else
			qmem_log(q, QMEM_LOG_NOTICE,
				 n->missing ? "there is no group '%s' of processes" :
					      "there is a group '%s' of processes now",
				 s->names.items[i]);
	}
}

static int collect(struct qmem *q, void *state)
{
	const struct proctable *table = qmem_state(q, &proctable_service);
	struct procgroups *groups = procmem_groups(q);
	struct heapmon *s = state;
	const struct proc *p;
	int err;

	if (!table || !groups || !proctable_current(table))
		return qmem_fail(q, -EIO, "there are no groups of processes");
	err = room_fit(&s->processes, &s->processes_room, proctable_capacity(table), sizeof(*s->processes));
	if (!err)
		err = room_fit(&s->groups, &s->groups_room, procgroups_capacity(groups), sizeof(*s->groups));
	if (!err)
		err = probe_begin(s->probe, proctable_capacity(table), qmem_now(q));
	if (err)
		return err;
	s->rounds++;
	begin_groups(s, groups);
	proctable_each(table, p)
	{
		struct group *g = &s->groups[procgroups_of(groups, p)];

		if (g->wanted)
			visit(q, s, p, g);
	}
	for (size_t i = 0; i < procgroups_capacity(groups); i++) {
		const struct procgroup *group = procgroups_at(groups, i);

		if (!group || !s->groups[i].wanted)
			continue;
		note_named(s, group->name);
		procgroups_show(q, groups, i);
		emit(q, s, group, &s->groups[i]);
	}
	lacks_tell(q, &s->lacks, "mappings", "smaps", NEW);
	tell_missing(q, s, groups);
	probe_go(q, s->probe);
	if (s->refused && !s->measured && !s->noted) {
		static const char text[] =
			"smaps of other users' processes needs CAP_SYS_PTRACE, from Linux 6.15 on CAP_PERFMON";

		qmem_log(q, QMEM_LOG_WARNING, "%s", text);
		qmem_note(q, "%s", text);
		s->noted = true;
	}
	return 0;
}

/* ---- life ---- */

static void stop(struct qmem *q, void *state)
{
	struct heapmon *s = state;

	(void)q;
	probe_free(s->probe);
	free(s->named);
	free(s->processes);
	free(s->groups);
}

static int start(struct qmem *q, void *state)
{
	struct heapmon *s = state;

	if (!s->names.n)
		return qmem_fail(q, -ENOTSUP, "no Group is named");
	if (!procmem_groups(q))
		return qmem_fail(q, -ENOTSUP, "there are no groups of processes");
	s->named = calloc(s->names.n, sizeof(*s->named));
	if (!s->named)
		return -ENOMEM;
	return probe_new(q, &smaps_kind, s->budget, s->heap_only, s, &s->probe);
}

static const struct qmem_capability capabilities[] = {
	CAPABILITY(SYS_PTRACE, "other users' processes before Linux 6.15", .file = "/proc/PID/smaps",
		   .option = "Group"),
	CAPABILITY(PERFMON, "other users' processes from Linux 6.15 on", .file = "/proc/PID/smaps", .option = "Group"),
	{ 0 },
};

const struct qmem_service heapmon_service = {
	.name = "heapmon",
	.help = "what the memory of chosen groups of processes is: heap, stacks, files, shared memory, ...",
	.source = "/proc/PID/smaps",
	.kernel = "4.5",
	.privilege = "CAP_SYS_PTRACE for other users' processes (Linux 6.15: CAP_PERFMON)",
	.needs = &procmem_service,
	.capabilities = capabilities,
	.priority = 4200,
	.families = families,
	.options = options,
	.state_size = sizeof(struct heapmon),
	.start = start,
	.collect = collect,
	.stop = stop,
};
