/* SPDX-License-Identifier: MIT */
/*
 * After the first ticks no service allocates and none leaves a descriptor open: on this machine's own files, and with the
 * worker at work for all who ask it. What it does by itself, between the ticks, is not the ticks': it opens what it reads.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/openat2.h"
#include "recorder.h"
#include "process/table.h"
#include "services.h"

#define WARM_UP 5
#define TICKS 50
#define TRIES 4
#define SLEEPERS 30

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
int main(void)
{
	printf("1..0 # SKIP sanitizers have an allocator of their own\n");
	return 0;
}
#else

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

static unsigned long allocations, opens;

int openat(int at, const char *path, int flags, ...)
{
	opens++;
	return (int)syscall(SYS_openat, at, path, flags, 0);
}

/* in place of the one of the library */
int openat2_below(int at, const char *path, int flags)
{
	const uint64_t how[] = { (unsigned)flags, 0, 0x02 | 0x04 | 0x08 };
	long fd;

	opens++;
	fd = syscall(437, at, path, how, sizeof(how));
	return fd < 0 ? -errno : (int)fd;
}

void *malloc(size_t size)
{
	allocations++;
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	allocations++;
	return __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
	allocations++;
	return __libc_realloc(old, size);
}

static int descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static unsigned long jobs, quiet, opened_in_quiet;

/* Whoever is new, or stuck, is asked for more than the table has. */
static bool is_quiet(const struct recorder *r)
{
	const struct proctable *table = qmem_state(r->q, &proctable_service);
	const uint32_t *slots;

	return table && !proctable_births(table, &slots) && !proctable_totals(table)->states[PROC_BLOCKED];
}

static void tick(struct recorder *r, uint64_t *now)
{
	unsigned long before;

	qmem_collect(r->q, *now);
	recorder_wait(r, 0, *now);
	if (is_quiet(r)) {
		quiet++;
		opened_in_quiet += opens;
	}
	before = allocations;
	while (recorder_work(r))
		jobs++;
	allocations = before;
	opens = 0;
	*now += QMEM_SECOND;
}

/* The others open what few processes they have no descriptors for. */
static bool by_bpf(const struct recorder *r)
{
	struct qmem_status status;

	for (size_t i = 0; qmem_status(r->q, i, &status); i++)
		if (status.service == &proctable_service)
			return strstr(status.reason, "back end bpf") != NULL;
	return false;
}

static int set(struct recorder *r, const char *service, const char *option, const char *value)
{
	struct qmem_error error;

	return qmem_set(r->q, service, NULL, NULL, option, value, &error);
}

static unsigned long test;

/* `alone`: no process comes or goes meanwhile; those of others would make the table grow. */
static int run(bool alone)
{
	uint64_t now = 1000 * QMEM_SECOND;
	unsigned long before, during, ticks = 0;
	struct qmem_status status;
	struct recorder r;
	int fds;

	recorder_init(&r, stderr);
	r.no_values = true;
	r.cpu_step = 1000;
	r.hold_jobs = true;
	r.q = qmem_new(&recorder_host, &r, qmem_services);
	if (!r.q || set(&r, "procmem", "PssBudget", "1s") || set(&r, "procmem", "PssAge", "8s") ||
	    set(&r, "procmem", "Detail", "yes") || set(&r, "heapmon", "Group", "steady") ||
	    /* other tests have files in /dev/shm: new names */
	    set(&r, "shmem", "TopFiles", "0") || qmem_start(r.q, QMEM_SECOND, QMEM_SECOND, now))
		return 1;
	before = allocations;
	for (int i = 0; i < WARM_UP; i++)
		tick(&r, &now);
	/* the hook does count: tables and buffers were made just now */
	printf("%s %lu - the first ticks allocate\n", allocations > before ? "ok" : "not ok", ++test);
	fds = descriptors();
	/* a port, a segment or a slab cache of somebody else's may be new; what a tick allocates shows each time */
	do {
		before = allocations;
		jobs = quiet = opened_in_quiet = 0;
		for (int i = 0; i < TICKS; i++)
			tick(&r, &now);
		ticks += TICKS;
		during = allocations - before;
	} while (alone && during && ticks < TRIES * TICKS);
	if (alone)
		printf("%s %lu - %d further ticks make no allocation (%lu)\n", during ? "not ok" : "ok", ++test, TICKS,
		       during);
	printf("%s %lu - and leave as many descriptors open as before\n", descriptors() == fds ? "ok" : "not ok",
	       ++test);
	if (!by_bpf(&r))
		printf("ok %lu - quiet ticks open nothing # SKIP processes are not read by BPF here\n", ++test);
	else if (!quiet)
		printf("ok %lu - quiet ticks open nothing # SKIP there were none\n", ++test);
	else
		printf("%s %lu - quiet ticks open nothing (%lu in %lu)\n", opened_in_quiet ? "not ok" : "ok", ++test,
		       opened_in_quiet, quiet);
	printf("%s %lu - while the worker has had something to do (%lu)\n", jobs > TICKS ? "ok" : "not ok", ++test,
	       jobs);
	for (size_t i = 0; qmem_status(r.q, i, &status); i++)
		if (status.on)
			printf("%s %lu - %s has collected each time\n",
			       status.collections == WARM_UP + ticks && !status.failures ? "ok" : "not ok", ++test,
			       status.service->name);
	qmem_free(r.q);
	return 0;
}

/* Sockets of a namespace that there is none of: the worker looks for it, and the ticks have nothing to do. */
static int run_absent(void)
{
	static const struct qmem_service *const services[] = { &sockstat_service, NULL };
	uint64_t now = 1000 * QMEM_SECOND;
	unsigned long allocated = 0, opened = 0;
	struct recorder r;

	recorder_init(&r, stderr);
	r.hold_jobs = true;
	r.q = qmem_new(&recorder_host, &r, services);
	if (!r.q || set(&r, "sockstat", "Namespace", "name:qmem-of-nobody") ||
	    qmem_start(r.q, QMEM_SECOND, QMEM_SECOND, now))
		return 1;
	jobs = 0;
	for (int i = 0; i < WARM_UP + 2 * TICKS; i++) {
		unsigned long allocations_before = allocations, opens_before = opens;

		qmem_collect(r.q, now);
		if (i >= WARM_UP) {
			allocated += allocations - allocations_before;
			opened += opens - opens_before;
		}
		while (recorder_work(&r))
			jobs++;
		now += QMEM_SECOND;
	}
	printf("%s %lu - for a network namespace that is not there nothing is allocated (%lu) or opened (%lu)\n",
	       allocated || opened ? "not ok" : "ok", ++test, allocated, opened);
	printf("%s %lu - while it is looked for (%lu)\n", jobs > 2 ? "ok" : "not ok", ++test, jobs);
	qmem_free(r.q);
	return 0;
}

/* Its processes are a few sleepers, and this one. */
static int run_alone(void)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount("proc", "/proc", "proc", 0, NULL))
		return 1;
	for (int i = 0; i < SLEEPERS; i++)
		if (!fork())
			for (;;)
				pause();
	return run(true);
}

/* In a namespace of its own, whose first process this is; returns how many tests that were, or -1. */
static int in_namespace(void)
{
	int status;
	pid_t pid;

	if (unshare(CLONE_NEWPID | CLONE_NEWNS))
		return 0;
	pid = fork();
	if (!pid)
		_exit(run_alone() ? 255 : (int)test);
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

/* Then among all processes, where BPF tells of them. */
int main(void)
{
	int status;
	pid_t pid;

	setvbuf(stdout, NULL, _IOLBF, 0);
	pid = fork();
	if (!pid)
		_exit(in_namespace());
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) == 255)
		return 1;
	test = (unsigned long)WEXITSTATUS(status);
	if (!test)
		printf("ok %lu - in a namespace of its own # SKIP it may not be made\n", ++test);
	if (run(false) || run_absent())
		return 1;
	printf("1..%lu\n", test);
	return 0;
}
#endif
