/* SPDX-License-Identifier: MIT */
/* What processes read and write, and how many files and maps they hold, by group; and who is about to reach a limit of these. */
#include <errno.h>
#include <string.h>

#include "kernel/sound.h"
#include "proc/text.h"
#include "rows.h"
#include "service/procio_event.h"
#include "service/procio_group.h"
#include "service/procmem.h"
#include "services.h"
#include "util/value.h"

struct fullest {
	int64_t share[PROCIO_LIMITS];
};

struct procio {
	int64_t max;
	int by;
	bool files;
	struct procio_event event; /* `full` is an option */
	int64_t repeat;

	struct qmem_file max_maps;
	struct procio_groups groups;
	bool asked; /* the table for what only we want */
	bool gives; /* as the note says */
	struct qmem_complaint unread, faulty;
};

static const struct qmem_metric disk_metrics[] = {
	METRIC(procio_sample, "read", "read_bytes", io[PROC_READ_BYTES], "fetched from storage"),
	METRIC(procio_sample, "write", "write_bytes", io[PROC_WRITE_BYTES],
	       "to be written to storage, when pages are made dirty"),
	{ 0 },
};

static const struct qmem_metric calls_metrics[] = {
	METRIC(procio_sample, "read", "syscr", io[PROC_SYSCR], "read() and its like, also of pipes and sockets"),
	METRIC(procio_sample, "write", "syscw", io[PROC_SYSCW], "write() and its like, likewise"),
	{ 0 },
};

static const struct qmem_metric files_metrics[] = {
	METRIC(procio_sample, "open", NULL, fds, "open descriptors of all its processes"),
	METRIC(procio_sample, "most", NULL, most_fds, "those of the process that has most"),
	{ 0 },
};

static const struct qmem_metric maps_metrics[] = {
	METRIC(procio_sample, "held", NULL, maps, "maps in the address spaces of all its processes"),
	METRIC(procio_sample, "most", NULL, most_maps, "those of the process that has most"),
	{ 0 },
};

static const struct qmem_metric fullest_metrics[] = {
	METRIC(fullest, "files", NULL, share[PROCIO_FILES],
	       "open files of the process that is nearest to its own limit, RLIMIT_NOFILE, if that is 64 or more"),
	METRIC(fullest, "maps", NULL, share[PROCIO_MAPS], "maps of the process that has most, of vm.max_map_count"),
	{ 0 },
};

static const struct qmem_metric chars_metrics[] = {
	METRIC(procio_sample, "read", "rchar", io[PROC_RCHAR], "by calls, also from the page cache, pipes and sockets"),
	METRIC(procio_sample, "write", "wchar", io[PROC_WCHAR], "by calls, also to pipes and sockets"),
	{ 0 },
};

static const struct qmem_metric cancelled_metrics[] = {
	METRIC(procio_sample, "write", "cancelled_write_bytes", io[PROC_CANCELLED],
	       "not written after all, as the file was cut off or removed: of what anybody has written"),
	{ 0 },
};

enum { F_DISK, F_CALLS, F_FILES, F_MAPS, F_FULLEST, F_CHARS, F_CANCELLED };

#define MENU "processes/io"
static const struct qmem_family families[] = {
	[F_DISK] = FAMILY("disk", "Disk I/O of processes", MENU, "area", disk_metrics,
			  COUNTER("bytes", 1, "ps_disk_octets"), .label = "group"),
	[F_CALLS] = FAMILY("calls", "Read and write calls of processes", MENU, "line", calls_metrics,
			   COUNTER("operations", 1, "ps_disk_ops"), .label = "group"),
	[F_FILES] = FAMILY("files", "Open files of processes", MENU, "line", files_metrics, GAUGE("files", 1, "files"),
			   .label = "group"),
	[F_MAPS] = FAMILY("maps", "Memory maps of processes", MENU, "line", maps_metrics, GAUGE("maps", 1, "count"),
			  .label = "group"),
	[F_FULLEST] = FAMILY("fullest", "Nearest to a limit of files or maps", MENU, "line", fullest_metrics,
			     GAUGE("percent", 100, "percent")),
	[F_CHARS] = FAMILY("chars", "Bytes read and written by calls of processes", MENU, "area", chars_metrics,
			   COUNTER("bytes", 1, "ps_disk_octets"), .label = "group", .flags = QMEM_DETAIL),
	[F_CANCELLED] = FAMILY("cancelled", "Writes that were cancelled", MENU, "area", cancelled_metrics,
			       COUNTER("bytes", 1, "total_bytes"), .label = "group", .flags = QMEM_DETAIL),
	{ 0 },
};

static const char *const by_words[] = { "disk", "calls", "files", "maps", NULL };

static const struct qmem_option options[] = {
	{ .name = "Top",
	  .type = QMEM_INT,
	  .offset = offsetof(struct procio, max),
	  .def = "3",
	  .min = 0,
	  .max = 10000,
	  .help = "groups of procmem shown; " PROCGROUP_REST },
	{ .name = "SortBy",
	  .type = QMEM_ENUM,
	  .offset = offsetof(struct procio, by),
	  .def = "disk",
	  .words = by_words,
	  .help = "which groups are shown: those with most of it" },
	{ .name = "Files",
	  .type = QMEM_BOOL,
	  .offset = offsetof(struct procio, files),
	  .def = "no",
	  .help = "where processes are not read by BPF, read io, fd and limits of each that has run, which costs as much again "
		  "as all else of it; there are no maps then" },
	{ .name = "Full",
	  .type = QMEM_PERCENT,
	  .offset = offsetof(struct procio, event.full),
	  .def = "80%",
	  .min = 0,
	  .max = PROCIO_HUNDRED - 1,
	  .help = "share of the files or maps that a process may have, from which on there is an event; 0: never" },
	{ .name = "NotifyInterval",
	  .type = QMEM_DURATION,
	  .offset = offsetof(struct procio, repeat),
	  .def = "0",
	  .min = 0,
	  .max = INT64_C(86400000000000),
	  .help = "time between two reminders while a process stays that full; 0: none" },
	{ 0 },
};

/* ---- rounds ---- */

/* Maps that an address space may have. */
static int64_t read_max_maps(struct qmem *q, struct procio *s)
{
	const char *text;
	ssize_t len = qmem_read(q, &s->max_maps, &text);
	struct fault fault = { 0 };
	int64_t n = QMEM_NA;

	sound_read(q, &s->unread, &s->max_maps, len < 0 ? (int)len : 0);
	if (len < 0)
		return QMEM_NA;
	if (text_alone(text, (size_t)len, &n))
		fault_add(&fault, FAULT_MALFORMED, text, strcspn(text, "\n"));
	sound_fault(q, &s->faulty, &s->max_maps, 0, &fault);
	return n;
}

static void emit(struct qmem *q, const struct procio *s, const struct procgroup *group, const struct procio_group *g)
{
	const struct qmem_instance instance = procgroup_instance(group);
	const struct procio_sample sample = procio_groups_sample(&s->groups, g);
	bool kernel = group && group->kind == PROCGROUP_KERNEL;

	for (size_t i = 0; families[i].id; i++) {
		if (i == F_FULLEST)
			continue;
		/* the kernel's threads hold neither */
		if (kernel && (i == F_FILES || i == F_MAPS))
			continue;
		if (i == F_FILES ? !s->groups.known_fds : i == F_MAPS && !s->groups.known_maps)
			continue;
		qmem_emit(q, &families[i], &instance, &sample);
	}
}

static void note(struct qmem *q, struct procio *s, const struct proctable *table)
{
	bool gives = proctable_gives(table);

	if (s->asked && gives == s->gives)
		return;
	s->asked = true;
	s->gives = gives;
	if (gives)
		qmem_note(q, "from the walk of the processes");
	else if (s->files)
		qmem_note(q, "from io, fd and limits of each process that has run, without maps: there is no BPF");
	else
		qmem_note(q, "there is no BPF any more, and Files is no");
}

static int collect(struct qmem *q, void *state)
{
	struct procio *s = state;
	const struct proctable *table = qmem_state(q, &proctable_service);
	struct procgroups *groups = procmem_groups(q);
	struct fullest fullest;
	int err;

	if (!table || !groups || !proctable_current(table))
		return qmem_fail(q, -EIO, "there is no table of processes");
	note(q, s, table);
	if (!s->gives && !s->files)
		return qmem_fail(q, -ENODATA, "there is no BPF any more, and Files is no");
	err = procio_groups_update(&s->groups, table, groups, qmem_now(q));
	if (err)
		return err;
	procio_event_look(q, &s->event, table, read_max_maps(q, s));
	for (size_t i = 0; i < s->groups.n; i++) {
		const struct procgroup *group = procgroups_at(groups, i);

		if (!group || !s->groups.groups[i].shown)
			continue;
		procgroups_show(q, groups, i);
		emit(q, s, group, &s->groups.groups[i]);
	}
	if (s->groups.others)
		emit(q, s, NULL, &s->groups.other);
	memcpy(fullest.share, s->event.fullest, sizeof(fullest.share));
	qmem_emit(q, &families[F_FULLEST], NULL, &fullest);
	return 0;
}

/* ---- life ---- */

static void stop(struct qmem *q, void *state)
{
	struct procio *s = state;
	struct proctable *table = qmem_state(q, &proctable_service);

	if (table)
		proctable_want(table, 0);
	procio_event_release(&s->event);
	procio_groups_release(&s->groups);
	qmem_file_close(&s->max_maps);
}

static int start(struct qmem *q, void *state)
{
	struct procio *s = state;
	struct proctable *table = qmem_state(q, &proctable_service);
	int err;

	s->max_maps = QMEM_FILE("proc/sys/vm/max_map_count");
	if (!table || !procmem_groups(q))
		return qmem_fail(q, -ENOTSUP, "there are no groups of processes: procmem does not run");
	if (!proctable_gives(table) && !s->files)
		return qmem_fail(q, -ENOTSUP, "processes are not read by BPF here, and Files is no");
	s->event.repeat = (uint64_t)s->repeat;
	err = procio_groups_init(&s->groups, (enum procio_by)s->by, (size_t)s->max);
	if (err)
		return err;
	proctable_want(table, PROC_WANTED | (s->files ? PROC_WANTED_FILES : 0));
	note(q, s, table);
	return 0;
}

static const struct qmem_capability capabilities[] = {
	CAPABILITY(SYS_PTRACE, "I/O of other users' processes without BPF", .file = "/proc/PID/io", .option = "Files"),
	CAPABILITY(DAC_READ_SEARCH, "I/O of other users' processes without BPF", .file = "/proc/PID/io",
		   .option = "Files", .extra = true),
	{ 0 },
};

const struct qmem_service procio_service = {
	.name = "procio",
	.help = "what processes read and write, and the files and maps they hold, by group; who is near a limit of these",
	.source = "the table of processes, /proc/sys/vm/max_map_count; without BPF /proc/PID/io, fd and limits",
	.kernel = "5.8 (BPF); without maps 2.6.24, files 2.6.36",
	.privilege =
		"as the table of processes; without BPF CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH for other users' processes",
	.needs = &procmem_service,
	.capabilities = capabilities,
	.priority = 4500,
	.relief = "a back end that uses BPF (proctable's Backend)",
	.families = families,
	.options = options,
	.state_size = sizeof(struct procio),
	.start = start,
	.collect = collect,
	.stop = stop,
};
