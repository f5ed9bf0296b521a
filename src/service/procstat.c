/* SPDX-License-Identifier: MIT */
/* Processes and threads by what they do: states, births and deaths, zombies and whose they are, and who is stuck. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/escape.h"
#include "kernel/sound.h"
#include "proc/cpustat.h"
#include "proc/kv.h"
#include "proc/cgroup.h"
#include "proc/pidstat.h"
#include "util/room.h"
#include "service/cpuload.h"
#include "process/table.h"
#include "process/stuckevent.h"
#include "process/tally.h"
#include "rows.h"
#include "services.h"

#define CENSUS 2048 /* tasks in state D, or with a past there: twice as many as the table ever names */
#define FREEZER "sys/fs/cgroup/freezer"
#define LOOKS 32 /* at tasks in state D, in one round */
#define OTHER "other"
#define UNKNOWN "unknown"
#define UNKNOWN_MOST 16 /* tasks without a channel, one after the other: it is not told */
#define NO_CHANNELS "no wait channels: those of other users' tasks need CAP_SYS_PTRACE"

struct sample {
	int64_t states[PROC_STATES], thread_states[PROC_STATES];
	int64_t processes, kthreads, threads, left_out;
	int64_t forks;
	int64_t born, died;
	int64_t waiting, stuck, usual;
	int64_t longest;
};

struct count {
	int64_t n;
};

struct procstat {
	int64_t stuck_after, repeat;
	int64_t channels_max, parents_max;

	struct qmem_file file;
	struct kv status;
	char *status_text;
	uint64_t table_round;  /* proctable_round() of the last round */
	uint32_t *generations; /* of the processes in the table's slots, then */
	size_t room;
	uint64_t processes; /* then */
	struct stuck stuck;
	struct stuckevent event;
	struct tally channels, parents;
	bool freezer;    /* is there one of cgroup v1? */
	bool per_thread; /* as the note says */
	bool told;       /* there has been a wait channel */
	unsigned untold; /* tasks that had none, until then */
	struct qmem_complaint unread, faulty, crowded;
	struct sample sample;
};

/* ---- tables ---- */

#define STATES(member_)                                                                                                \
	METRIC(sample, "running", "R", member_[PROC_RUNNING], "run or could"),                                         \
		METRIC(sample, "sleeping", "S", member_[PROC_SLEEPING],                                                \
		       "wait for something, and can be woken by a signal"),                                            \
		METRIC(sample, "blocked", "D", member_[PROC_BLOCKED],                                                  \
		       "wait for something, such as a disk, deaf to signals"),                                         \
		METRIC(sample, "stopped", "T", member_[PROC_STOPPED], "were stopped by a signal"),                     \
		METRIC(sample, "traced", "t", member_[PROC_TRACED], "were stopped by a debugger"),                     \
		METRIC(sample, "zombie", "Z", member_[PROC_ZOMBIE],                                                    \
		       "have ended, and wait for their parent to notice"),                                             \
		METRIC(sample, "dying", "X", member_[PROC_DYING], "have ended, and are being removed"),                \
		METRIC(sample, "parked", "P", member_[PROC_PARKED],                                                    \
		       "kernel threads put aside, as those of a CPU that is off"),                                     \
		METRIC(sample, "idle", "I", member_[PROC_IDLE], "kernel threads that have nothing to do"),             \
		METRIC(sample, "other", NULL, member_[PROC_OTHER], "in a state this program does not know")

static const struct qmem_metric states_metrics[] = { STATES(states), { 0 } };
static const struct qmem_metric thread_states_metrics[] = { STATES(thread_states), { 0 } };

static const struct qmem_metric tasks_metrics[] = {
	METRIC(sample, "processes", NULL, processes, "kernel threads and zombies included"),
	METRIC(sample, "kthreads", NULL, kthreads, "kernel threads"),
	METRIC(sample, "threads", NULL, threads, "of all processes"),
	METRIC(sample, "left_out", NULL, left_out, "processes that the table has no room for (MaxProcesses)"),
	{ 0 },
};

static const struct qmem_metric forks_metrics[] = {
	METRIC(sample, "forks", "processes", forks, "processes and threads started"),
	{ 0 },
};

static const struct qmem_metric turnover_metrics[] = {
	METRIC(sample, "born", NULL, born, "new since the collection before"),
	METRIC(sample, "died", NULL, died, "gone since the collection before; what lived only in between is not seen"),
	{ 0 },
};

static const struct qmem_metric census_metrics[] = {
	METRIC(sample, "waiting", NULL, waiting, "in state D for less than StuckAfter"),
	METRIC(sample, "stuck", NULL, stuck, "in state D for longer, in the same function"),
	METRIC(sample, "usual", NULL, usual, "in state D since before qmem began, or kernel threads that always are"),
	{ 0 },
};

static const struct qmem_metric longest_metrics[] = {
	METRIC(sample, "longest", NULL, longest,
	       "time that a task has been in state D, in the same function; not of the usual ones"),
	{ 0 },
};

static const struct qmem_metric zombies_metrics[] = {
	METRIC(count, "zombies", NULL, n, "that this parent has not waited for"),
	{ 0 },
};

static const struct qmem_metric blocked_metrics[] = {
	METRIC(count, "tasks", "wchan", n, "in state D in this function of the kernel; not the usual ones"),
	{ 0 },
};

enum family { STATES_FAMILY, THREAD_STATES, TASKS, FORKS, TURNOVER, CENSUS_FAMILY, LONGEST, ZOMBIES, BLOCKED };

static const struct qmem_family families[] = {
	[STATES_FAMILY] = FAMILY("states", "Processes by state", "processes/states", "stacked", states_metrics,
				 GAUGE("processes", 1, "count"), .flags = QMEM_OVERLAP),
	[THREAD_STATES] = FAMILY("threads", "Threads by state", "processes/states", "stacked", thread_states_metrics,
				 GAUGE("threads", 1, "threads")),
	[TASKS] = FAMILY("tasks", "Processes and threads", "processes/states", "line", tasks_metrics,
			 GAUGE("tasks", 1, "count")),
	[FORKS] = FAMILY("started", "Processes and threads started", "processes/turnover", "line", forks_metrics,
			 COUNTER("forks", 1, "fork_rate"), .flags = QMEM_OVERLAP),
	[TURNOVER] = FAMILY("turnover", "Processes that came and went", "processes/turnover", "line", turnover_metrics,
			    COUNTER("processes", 1, "total_events")),
	[CENSUS_FAMILY] = FAMILY("census", "Tasks that cannot be interrupted", "processes/waits", "stacked",
				 census_metrics, GAUGE("tasks", 1, "count")),
	[LONGEST] = FAMILY("wait", "Longest wait that cannot be interrupted", "processes/waits", "line",
			   longest_metrics, GAUGE("seconds", 1000, "duration")),
	[ZOMBIES] = FAMILY("zombies", "Zombies by parent", "processes/waits", "line", zombies_metrics,
			   GAUGE("processes", 1, "count"), .label = "parent"),
	[BLOCKED] = FAMILY("blocked", "Tasks that cannot be interrupted, by where they wait", "processes/waits", "line",
			   blocked_metrics, GAUGE("tasks", 1, "count"), .label = "channel"),
	{ 0 },
};

static const struct qmem_option options[] = {
	{ .name = "StuckAfter",
	  .type = QMEM_DURATION,
	  .offset = offsetof(struct procstat, stuck_after),
	  .def = "2m",
	  .min = 1000000000,
	  .max = INT64_C(86400) * 1000000000,
	  .help = "a task is stuck when it has been in state D, in the same function of the kernel, for longer; for files that do not let "
		  "themselves be read there is StuckAfter of qmem as a whole" },
	{ .name = "NotifyInterval",
	  .type = QMEM_DURATION,
	  .offset = offsetof(struct procstat, repeat),
	  .def = "0",
	  .min = 0,
	  .max = INT64_C(86400000000000),
	  .help = "time between two reminders while a task stays stuck; 0: none" },
	{ .name = "TopChannels",
	  .type = QMEM_INT,
	  .offset = offsetof(struct procstat, channels_max),
	  .def = "3",
	  .min = 0,
	  .max = TALLY_NAMES,
	  .help = "functions of the kernel shown by name, those in which most tasks are in state D; 64 in one run at most" },
	{ .name = "TopParents",
	  .type = QMEM_INT,
	  .offset = offsetof(struct procstat, parents_max),
	  .def = "2",
	  .min = 0,
	  .max = TALLY_NAMES,
	  .help = "parents shown by name, those with most zombies; 64 names in one run at most" },
	{ 0 },
};

static const struct qmem_renamed renamed[] = {
	{ "Channels", "TopChannels" },
	{ "Parents", "TopParents" },
	{ 0 },
};

/* ---- the walk ---- */

static void count_zombie(struct procstat *s, const struct proctable *table, const struct proc *p)
{
	const struct proc *parent = proctable_find(table, p->ppid);
	const char *name = !parent ? UNKNOWN : *parent->comm ? parent->comm : "()";

	/* the first thread has ended, others have not: no one can wait for it yet */
	if (p->threads > 1)
		return;
	tally_add(&s->parents, strcmp(name, OTHER) != 0 ? name : OTHER " (process)");
}

/*
 * A slot's generation tells one process from the next also where this service is collected less often than the table. If
 * processes were missing from the table, or were all entered anew, those that are new in it have not been born, and of those
 * that are gone it is not known.
 */
static int walk(const struct qmem *q, struct procstat *s, const struct proctable *table)
{
	const struct proctable_totals *totals = proctable_totals(table);
	int64_t born = 0;
	const struct proc *p;
	uint64_t n = 0;
	int err = room_fit(&s->generations, &s->room, proctable_capacity(table), sizeof(*s->generations));

	if (err)
		return err;
	memset(s->sample.states, 0, sizeof(s->sample.states));
	tally_begin(&s->parents);
	proctable_each(table, p)
	{
		n++;
		s->sample.states[proc_state(p->state)]++;
		born += s->generations[p->slot] != p->generation;
		s->generations[p->slot] = p->generation;
		if (p->state == 'Z')
			count_zombie(s, table, p);
	}
	tally_end(&s->parents, qmem_now(q));
	if (s->table_round >= proctable_whole_since(table)) {
		s->sample.born += born;
		s->sample.died += (int64_t)s->processes + born - (int64_t)n;
	}
	s->table_round = proctable_round(table);
	s->processes = n;
	for (int i = 0; i < PROC_STATES; i++)
		s->sample.thread_states[i] = (int64_t)totals->states[i];
	s->sample.processes = (int64_t)totals->processes;
	s->sample.kthreads = (int64_t)totals->kthreads;
	s->sample.threads = (int64_t)totals->threads;
	s->sample.left_out = (int64_t)totals->overflow;
	return 0;
}

/* ---- those in state D ---- */

/* The kernel writes a backslash in a name, and a line feed, with one more before it. */
static void take_name(char dst[STUCK_NAME], const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n < STUCK_NAME - 1; i++) {
		bool escape = text[i] == '\\' && i + 1 < len;

		i += escape;
		dst[n++] = escape && text[i] == 'n' ? '\n' : text[i];
	}
	dst[escape_whole(dst, n)] = '\0';
}

/* The name and the context switches of a task. -errno if it is gone, or hides. */
static int read_status(struct qmem *q, struct procstat *s, struct stuck_task *task, int64_t *ret_switches)
{
	char *text = s->status_text;
	struct fault fault;
	size_t name_len;
	ssize_t len = qmem_read_once(q, text, PIDSTATUS_SIZE - 1, "proc/%" PRId32 "/task/%" PRId32 "/status",
				     task->id.pid, task->id.tid);

	if (len < 0)
		return (int)len;
	text[len] = '\0';
	kv_parse(&s->status, text, (size_t)len, ret_switches, &fault);
	if (strncmp(text, "Name:\t", 6) == 0) {
		name_len = strcspn(text + 6, "\n");
		take_name(task->name, text + 6, name_len);
	}
	return 0;
}

static void note(struct qmem *q, const struct procstat *s)
{
	qmem_note(q, "%s%s",
		  s->per_thread ? "states of all threads" :
				  "states of first threads only: others are not seen without BPF",
		  s->told || s->untold < UNKNOWN_MOST ? "" : "; " NO_CHANNELS);
}

/* The kernel does not refuse: it says that there is none, to those who may not know. */
static void note_channel(struct qmem *q, struct procstat *s, bool known)
{
	s->told |= known;
	if (s->told || s->untold == UNKNOWN_MOST || ++s->untold < UNKNOWN_MOST)
		return;
	qmem_log(q, QMEM_LOG_NOTICE, NO_CHANNELS);
	note(q, s);
}

/*
 * The freezer of cgroup v1 leaves tasks in state D, in a function of its own or, from Linux 6.1 on (f5d39b020809), wherever
 * they slept. Where some of a cgroup resist, as one that is stuck, its state is not FROZEN: then only the function tells.
 */
static bool is_frozen(struct qmem *q, const struct stuck_task *task, const char *channel)
{
	char text[8192], path[4096];
	ssize_t len;

	if (strcmp(channel, "__refrigerator") == 0)
		return true;
	len = qmem_read_once(q, text, sizeof(text), "proc/%" PRId32 "/task/%" PRId32 "/cgroup", task->id.pid,
			     task->id.tid);
	/* the root cannot be frozen */
	if (len < 0 || cgroup_v1(text, (size_t)len, "freezer", path, sizeof(path)) || !path[1])
		return false;
	len = qmem_read_once(q, text, sizeof(text), FREEZER "%s/freezer.state", path);
	return len >= 6 && memcmp(text, "FROZEN", 6) == 0;
}

static void look(struct qmem *q, struct procstat *s, struct stuck_task *task)
{
	const struct proctable *table = qmem_state(q, &proctable_service);
	int64_t switches = QMEM_NA;
	char channel[128];
	int err = proctable_wchan(q, &task->id, channel, sizeof(channel));

	if (err == -ESRCH)
		return;
	if (err)
		*channel = '\0';
	note_channel(q, s, *channel != '\0');
	/* BPF has told them apart already */
	if (s->freezer && !proctable_totals(table)->per_thread && is_frozen(q, task, channel)) {
		stuck_freeze(&s->stuck, task);
		return;
	}
	if (read_status(q, s, task, &switches))
		switches = QMEM_NA;
	stuck_look(&s->stuck, task, channel, switches);
}

static void take_census(struct qmem *q, struct procstat *s, const struct proctable *table)
{
	const struct proc_task *tasks;
	size_t n = proctable_blocked(table, &tasks);
	struct stuck_task *task;

	s->event.q = q;
	stuck_begin(&s->stuck, qmem_now(q));
	for (size_t i = 0; i < n; i++) {
		const struct proc *p = proctable_find(table, tasks[i].pid);

		stuck_enter(&s->stuck, &tasks[i], p && p->kthread);
	}
	stuck_settle(&s->stuck);
	for (int i = 0; i < LOOKS && (task = stuck_next(&s->stuck)); i++)
		look(q, s, task);
	stuck_end(&s->stuck);
	stuckevent_raise(&s->event, table, &s->stuck);
	tally_begin(&s->channels);
	for (size_t i = 0; i < s->stuck.n; i++) {
		task = &s->stuck.tasks[i];
		if (!task->there || task->usual || task->frozen)
			continue;
		if (task->looked)
			tally_add(&s->channels, stuckevent_channel(task));
		else
			tally_add_other(&s->channels);
	}
	tally_end(&s->channels, qmem_now(q));
	s->sample.waiting = (int64_t)s->stuck.waiting;
	s->sample.stuck = (int64_t)s->stuck.stuck_n;
	s->sample.usual = (int64_t)s->stuck.usual_n;
	s->sample.longest = (int64_t)(s->stuck.longest / 1000000);
	n = s->stuck.overflow + proctable_totals(table)->blocked_overflow;
	if (n)
		qmem_complain(q, &s->crowded, "%zu tasks in state D are too many to be looked at one by one", n);
	else
		qmem_release(q, &s->crowded, "all tasks in state D are looked at again");
}

/* ---- rounds ---- */

/* /proc/stat, which cpuload has often just read. */
static int read_forks(struct qmem *q, struct procstat *s)
{
	struct cpustat own;
	struct fault fault;
	const struct cpustat *st = cpuload_now(q);
	const char *text;
	ssize_t len;
	int err;

	s->sample.forks = QMEM_NA;
	if (!st) {
		len = qmem_read(q, &s->file, &text);
		if (len < 0) {
			sound_read(q, &s->unread, &s->file, (int)len);
			return (int)len;
		}
		err = cpustat_parse(text, (size_t)len, &own, &fault);
		sound_fault(q, &s->faulty, &s->file, err, &fault);
		if (err)
			return err;
		st = &own;
	}
	sound_read(q, &s->unread, &s->file, 0);
	s->sample.forks = st->processes;
	return 0;
}

static void emit_tally(struct qmem *q, const struct qmem_family *family, const struct tally *t)
{
	struct count count;

	for (size_t i = 0; i < t->n; i++) {
		const struct qmem_instance instance = { .name = t->names[i] };

		if (!t->scores[i].in)
			continue;
		count.n = t->counts[i];
		qmem_emit(q, family, &instance, &count);
	}
	if (t->others) {
		const struct qmem_instance instance = { .name = OTHER };

		count.n = t->other;
		qmem_emit(q, family, &instance, &count);
	}
}

static int collect(struct qmem *q, void *state)
{
	const struct proctable *table = qmem_state(q, &proctable_service);
	struct procstat *s = state;
	int err = read_forks(q, s);

	if (!err)
		qmem_emit(q, &families[FORKS], NULL, &s->sample);
	if (!table || !proctable_current(table))
		return err;
	/* a back end may have failed, and another one taken its place */
	if (s->per_thread != proctable_totals(table)->per_thread) {
		s->per_thread = !s->per_thread;
		note(q, s);
	}
	err = walk(q, s, table);
	if (err)
		return err;
	take_census(q, s, table);
	for (size_t i = 0; i <= LONGEST; i++)
		if (i != FORKS && (i != THREAD_STATES || proctable_totals(table)->per_thread))
			qmem_emit(q, &families[i], NULL, &s->sample);
	emit_tally(q, &families[ZOMBIES], &s->parents);
	emit_tally(q, &families[BLOCKED], &s->channels);
	return 0;
}

/* ---- life ---- */

static void stop(struct qmem *q, void *state)
{
	struct procstat *s = state;

	(void)q;
	qmem_file_close(&s->file);
	kv_release(&s->status);
	free(s->status_text);
	stuckevent_release(&s->event);
	stuck_release(&s->stuck);
	tally_release(&s->channels);
	tally_release(&s->parents);
	free(s->generations);
}

static const struct kv_key status_keys[] = {
	{ "voluntary_ctxt_switches", 0, KV_COUNT },
	{ 0 },
};

/* Where it is mounted by custom; elsewhere nobody looks for it. */
static bool has_freezer(struct qmem *q)
{
	int fd = qmem_open(q, O_PATH, FREEZER);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int start(struct qmem *q, void *state)
{
	const struct proctable *table = qmem_state(q, &proctable_service);
	struct procstat *s = state;
	int err;

	s->file = QMEM_FILE("proc/stat");
	s->freezer = has_freezer(q);
	s->event.service = procstat_service.name;
	s->event.repeat = (uint64_t)s->repeat;
	s->status_text = malloc(PIDSTATUS_SIZE);
	err = s->status_text ? kv_init(&s->status, KV_COLON, NULL, status_keys) : -ENOMEM;
	if (!err)
		err = stuck_init(&s->stuck, CENSUS, (uint64_t)s->stuck_after, stuckevent_over, &s->event);
	if (!err)
		err = tally_init(&s->channels, (size_t)s->channels_max);
	if (!err)
		err = tally_init(&s->parents, (size_t)s->parents_max);
	if (err)
		return err;
	if (!table) {
		err = read_forks(q, s);
		if (err)
			return qmem_fail(q, -ENOTSUP, "no table of processes, and no '/%s'", s->file.path);
		qmem_note(q, "no table of processes: only how many are started");
		return 0;
	}
	s->per_thread = proctable_totals(table)->per_thread;
	note(q, s);
	return 0;
}

static const struct qmem_capability capabilities[] = {
	CAPABILITY(SYS_PTRACE, "wait channels of other users' tasks", .file = "/proc/PID/task/TID/wchan"),
	{ 0 },
};

const struct qmem_service procstat_service = {
	.name = "procstat",
	.help = "processes and threads by state, births and deaths, zombies, and tasks that are stuck",
	.source = "the table of processes, /proc/stat, and wchan and status of tasks in state D",
	.kernel = "3.2 (all threads: 5.8, BPF)",
	.privilege = "none; for wait channels CAP_SYS_PTRACE",
	.needs = &proctable_service,
	.capabilities = capabilities,
	.priority = 4600,
	.families = families,
	.options = options,
	.renamed = renamed,
	.state_size = sizeof(struct procstat),
	.start = start,
	.collect = collect,
	.stop = stop,
};
