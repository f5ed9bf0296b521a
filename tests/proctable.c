/* SPDX-License-Identifier: MIT */
/*
 * The process table, for tests that ask it line by line on stdin. An answer ends with a line "end".
 *	proctable [Option=value ...]	Slices=yes: each walk in as many slices as it can be; Want=1: io, descriptors and maps, too; Want=3:
 *			also from files
 *	scan			one round: a line of words for each process, then the totals
 *	totals			one round: only these
 *	wchan PID TID		where a task waits
 *	cgroup PID USE		its path: 0 where memory is accounted, 1 where units are
 *	slices			of the last round
 *	fds			how many descriptors this program has open
 *	bench ROUNDS		CPU time per round, in ns: the median; and the longest hold, wall time
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "recorder.h"
#include "process/table.h"

struct asker {
	struct qmem *q; /* while it is asked */
};

static struct proctable *table;

static const char *line;
static unsigned want;

static const char *const ios[PROC_IOS] = {
	[PROC_RCHAR] = "rchar",         [PROC_WCHAR] = "wchar",           [PROC_SYSCR] = "syscr",
	[PROC_SYSCW] = "syscw",         [PROC_READ_BYTES] = "read_bytes", [PROC_WRITE_BYTES] = "write_bytes",
	[PROC_CANCELLED] = "cancelled",
};

static void print_value(const char *name, int64_t value)
{
	if (value == QMEM_NA)
		printf(" %s=-", name);
	else
		printf(" %s=%" PRId64, name, value);
}

static void print_hex(const char *name, const char *text)
{
	printf(" %s=", name);
	for (; *text; text++)
		printf("%02x", (unsigned char)*text);
}

static void print_proc(const struct proc *p, const char *what)
{
	printf("%s pid=%d ppid=%d slot=%u generation=%u state=%c kthread=%d changed=%u", what, p->pid, p->ppid, p->slot,
	       p->generation, p->state, p->kthread, p->changed);
	print_hex("comm", p->comm);
	print_value("uid", p->uid == PROC_NO_UID ? QMEM_NA : p->uid);
	print_value("start", p->start);
	print_value("threads", p->threads);
	print_value("utime", p->utime);
	print_value("stime", p->stime);
	print_value("runtime", p->runtime);
	print_value("minflt", p->minflt);
	print_value("majflt", p->majflt);
	print_value("rss", p->rss);
	print_value("anon", p->anon);
	print_value("file", p->file);
	print_value("shmem", p->shmem);
	print_value("swap", p->swap);
	print_value("vmsize", p->vmsize);
	print_value("vmdata", p->vmdata);
	print_value("hwm", p->hwm);
	print_value("pgtables", p->pgtables);
	print_value("cgroups", p->cgroups ? (int64_t)p->cgroups : QMEM_NA);
	print_value("vm_changes", p->vm_changes);
	for (int i = 0; want && i < PROC_IOS; i++)
		print_value(ios[i], p->io[i]);
	if (want) {
		print_value("cminflt", p->cminflt);
		print_value("fds", p->fds);
		print_value("fd_limit", p->fd_limit);
		print_value("maps", p->maps);
	}
	putchar('\n');
}

static void print_totals(void)
{
	const struct proctable_totals *totals = proctable_totals(table);

	printf("totals round=%" PRIu64 " capacity=%zu processes=%" PRIu64 " kthreads=%" PRIu64 " threads=%" PRIu64
	       " overflow=%" PRIu64 " blocked_overflow=%" PRIu64 " hidden=%" PRIu64 " per_thread=%d exact=%d",
	       proctable_round(table), proctable_capacity(table), totals->processes, totals->kthreads, totals->threads,
	       totals->overflow, totals->blocked_overflow, totals->hidden, totals->per_thread, totals->exact);
	for (int i = 0; i < PROC_STATES; i++)
		printf(" %c=%" PRIu64, proc_state_letters[i], totals->states[i]);
	putchar('\n');
}

static void print_all(void)
{
	const struct proc_task *tasks;
	const struct proc *p;
	const uint32_t *slots;
	size_t n;

	proctable_each(table, p) print_proc(p, "proc");
	n = proctable_births(table, &slots);
	for (size_t i = 0; i < n; i++)
		printf("birth slot=%u\n", slots[i]);
	n = proctable_deaths(table, &slots);
	for (size_t i = 0; i < n; i++)
		print_proc(proctable_at(table, slots[i]), "death");
	n = proctable_blocked(table, &tasks);
	for (size_t i = 0; i < n; i++)
		printf("blocked pid=%d tid=%d start=%" PRId64 "\n", tasks[i].pid, tasks[i].tid, tasks[i].start);
	print_totals();
}

static int asked_wchan(struct qmem *q, int pid, int tid)
{
	char text[256] = "";
	int err = proctable_wchan(q, &(struct proc_task){ .pid = pid, .tid = tid }, text, sizeof(text));

	printf("wchan %d %s\n", err, text);
	return err;
}

static void asked_cgroup(struct qmem *q, int pid, int use)
{
	const struct proc *p = proctable_find(table, pid);
	struct proctable_cgroups cgroups;
	int err = p ? proctable_cgroups(q, p, &cgroups) : -1;

	printf("cgroup %d %s\n", err, err ? "" : cgroups.paths.path[use == 1]);
}

static int start(struct qmem *q, void *state)
{
	struct proctable *needed = qmem_state(q, &proctable_service);

	(void)state;
	if (needed)
		proctable_want(needed, want);
	return 0;
}

/* The service that needs the table. */
static int collect(struct qmem *q, void *state)
{
	int pid, tid, use;

	(void)state;
	table = qmem_state(q, &proctable_service);
	if (!table || !line)
		return 0;
	if (sscanf(line, "wchan %d %d", &pid, &tid) == 2)
		asked_wchan(q, pid, tid);
	else if (sscanf(line, "cgroup %d %d", &pid, &use) == 2)
		asked_cgroup(q, pid, use);
	else if (strncmp(line, "scan", 4) == 0)
		print_all();
	else if (strncmp(line, "totals", 6) == 0)
		print_totals();
	return 0;
}

static const struct qmem_service asker_service = {
	.name = "asker",
	.help = "asks the table",
	.needs = &proctable_service,
	.state_size = sizeof(struct asker),
	.start = start,
	.collect = collect,
};

static const struct qmem_service *const services[] = { &proctable_service, &asker_service, NULL };

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The scripted clock goes on as the real one does while the engine works. */
static struct {
	uint64_t scripted, real;
} tick;

static uint64_t real(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * QMEM_SECOND + (uint64_t)t.tv_nsec;
}

static uint64_t clock_now(void)
{
	return tick.scripted + real() - tick.real;
}

/* Each time it is looked at it is time. */
static uint64_t clock_hurries(void)
{
	return tick.scripted += QMEM_SECOND / 10;
}

static unsigned slices;

static int round_of_slices(struct qmem *q, uint64_t now)
{
	int err;

	tick.scripted = now;
	err = qmem_collect(q, now);
	for (slices = 1; err == QMEM_MORE; slices++)
		err = qmem_go_on(q, now);
	return err;
}

static void round_in_slices(struct qmem *q, uint64_t now)
{
	int err;

	tick.scripted = now;
	tick.real = real();
	for (err = qmem_collect(q, now); err == QMEM_MORE;)
		err = qmem_go_on(q, clock_now());
}

static void bench(struct recorder *r, uint64_t *now, size_t rounds)
{
	struct qmem_totals totals;
	struct qmem *q = r->q;
	uint64_t *costs = calloc(rounds + 1, sizeof(*costs));

	if (!costs || !rounds)
		abort();
	r->clock = clock_now;
	for (size_t i = 0; i < rounds; i++) {
		uint64_t before = cpu_ns();

		round_in_slices(q, *now += QMEM_SECOND);
		costs[i] = cpu_ns() - before;
	}
	qsort(costs, rounds, sizeof(*costs), by_size);
	r->clock = NULL;
	qmem_totals(q, &totals);
	printf("bench processes=%" PRIu64 " ns=%" PRIu64 " hold=%" PRIu64 "\n",
	       table ? proctable_totals(table)->processes : 0, costs[rounds / 2], totals.longest_hold);
	free(costs);
}

static int descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = -4; /* . and .. and its own, and what ends the loop */

	do
		n++;
	while (readdir(dir));
	closedir(dir);
	return n;
}

int main(int argc, char **argv)
{
	uint64_t now = 1000 * QMEM_SECOND;
	struct qmem_status status;
	struct qmem_error error;
	struct recorder r;
	char text[256];

	recorder_init(&r, stderr);
	r.no_values = true;
	r.q = qmem_new(&recorder_host, &r, services);
	if (!r.q)
		return 2;
	for (int i = 1; i < argc; i++) {
		char *value = strchr(argv[i], '=');

		if (value)
			*value++ = '\0';
		if (strcmp(argv[i], "Slices") == 0)
			r.clock = clock_hurries;
		else if (strcmp(argv[i], "Want") == 0 && value)
			want = (unsigned)atoi(value);
		else if (!value || qmem_set(r.q, strcmp(argv[i], "HostRoot") ? "proctable" : NULL, NULL, NULL, argv[i],
					    value, &error)) {
			fprintf(stderr, "proctable: '%s': %s\n", argv[i], value ? error.text : "no value");
			return 2;
		}
	}
	qmem_start(r.q, QMEM_SECOND, QMEM_SECOND, now);
	qmem_status(r.q, 0, &status);
	printf("%s %s\nend\n", status.on ? "on" : "off", status.reason);
	fflush(stdout);
	while (fgets(text, sizeof(text), stdin)) {
		line = text;
		if (strncmp(text, "fds", 3) == 0)
			printf("fds %d\n", descriptors());
		else if (strncmp(text, "bench ", 6) == 0)
			bench(&r, &now, strtoul(text + 6, NULL, 10));
		else if (strncmp(text, "slices", 6) == 0)
			printf("slices %u\n", slices);
		else if (round_of_slices(r.q, now += QMEM_SECOND))
			printf("failed\n");
		qmem_status(r.q, 0, &status);
		printf("end %s\n", status.reason);
		fflush(stdout);
	}
	qmem_free(r.q);
	recorder_release(&r);
	return 0;
}
