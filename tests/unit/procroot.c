/* SPDX-License-Identifier: MIT */
#include "procroot.h"

#include <check.h>
#include <ftw.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define ROOM (256ull << 20)

struct recorder procroot_host;
uint64_t procroot_now;

static char root[PATH_MAX / 2];
static const char *text = "";
static struct process last[2048]; /* as they were put */
static size_t last_n;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

char *procroot_path(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	return path;
}

void procroot_remove(const char *name)
{
	nftw(procroot_path(name), remove_one, 16, FTW_PHYS | FTW_DEPTH);
}

void procroot_put(const char *name, const char *fmt, ...)
{
	char *path = procroot_path(name);
	va_list args;
	FILE *f;

	for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	va_start(args, fmt);
	vfprintf(f, fmt, args);
	va_end(args);
	ck_assert_int_eq(fclose(f), 0);
}

/* Is only the file stat another one? */
static bool only_stat(const struct process *p)
{
	for (size_t i = 0; i < last_n; i++)
		if (last[i].pid == p->pid)
			return last[i].comm == p->comm && last[i].wchan == p->wchan &&
			       last[i].switches == p->switches && last[i].uid == p->uid && last[i].cgroup == p->cgroup;
	return false;
}

static void put_process(const struct process *p)
{
	const char *cgroup = p->cgroup ? p->cgroup : "/";
	const char *wchan = p->wchan ? p->wchan : "0";
	char name[64];

#define PUT(file, ...)                                                                                                 \
	do {                                                                                                           \
		snprintf(name, sizeof(name), "proc/%d/" file, p->pid);                                                 \
		procroot_put(name, __VA_ARGS__);                                                                       \
	} while (0)
	PUT("stat", "%d (%s) %c %d 1 1 0 -1 %u 5 0 6 0 %lu %lu 0 0 20 0 %d 0 %lu 4096000 100 0 1 1 %lu\n", p->pid,
	    p->comm, p->state, p->ppid, p->flags, p->user, p->syst, p->threads ? p->threads : 1, p->start,
	    p->startstack);
	if (only_stat(p))
		return;
	PUT("statm", "1000 100 50 1 0 200 0\n");
	PUT("status", "Name:\t%s\nUid:\t%u\t7\t7\t7\nvoluntary_ctxt_switches:\t%ld\n", p->comm,
	    p->uid == PROCESS_ROOT ? 0 :
	    p->uid                 ? p->uid :
				     7,
	    p->switches);
	PUT("comm", "%s\n", p->comm);
	PUT("cmdline", "%s", p->comm);
	PUT("wchan", "%s", wchan);
	PUT("cgroup", "0::%s\n", cgroup);
	snprintf(name, sizeof(name), "proc/%d/task/%d/wchan", p->pid, p->pid);
	procroot_put(name, "%s", wchan);
	snprintf(name, sizeof(name), "proc/%d/task/%d/status", p->pid, p->pid);
	procroot_put(name, "Name:\t%s\nvoluntary_ctxt_switches:\t%ld\nnonvoluntary_ctxt_switches:\t9\n", p->comm,
		     p->switches);
}

void procroot_processes(const struct process *processes)
{
	size_t n = 0;

	for (size_t i = 0; i < last_n; i++) {
		const struct process *p = processes;
		char name[32];

		while (p->pid && p->pid != last[i].pid)
			p++;
		snprintf(name, sizeof(name), "proc/%d", last[i].pid);
		if (!p->pid)
			procroot_remove(name);
	}
	for (const struct process *p = processes; p->pid; p++) {
		ck_assert_uint_lt(n++, sizeof(last) / sizeof(*last));
		put_process(p);
	}
	memcpy(last, processes, n * sizeof(*last));
	last_n = n;
}

void procroot_links(int n)
{
	char path[PATH_MAX];

	for (int pid = 2; pid <= n; pid++) {
		snprintf(path, sizeof(path), "%s/proc/%d", root, pid);
		ck_assert_int_eq(symlink("1", path), 0);
	}
}

/* In memory if there is room: on a disk, thousands of files that live for a moment wait for its journal. */
static void choose_place(char *ret, size_t size)
{
	const char *place = "/dev/shm", *given = getenv("TMPDIR");
	struct statvfs fs;

	if (access(place, W_OK | X_OK) || statvfs(place, &fs) || fs.f_bavail * fs.f_frsize < ROOM)
		place = given ? given : "/tmp";
	snprintf(ret, size, "%s/qmem-proc-XXXXXX", place);
}

void procroot_begin(const struct qmem_service *const *services)
{
	struct qmem_error error;

	choose_place(root, sizeof(root));
	ck_assert_ptr_nonnull(mkdtemp(root));
	last_n = 0;
	text = "";
	procroot_now = 1000 * QMEM_SECOND;
	recorder_init(&procroot_host, NULL);
	procroot_host.q = qmem_new(&recorder_host, &procroot_host, services);
	ck_assert_int_eq(qmem_set(procroot_host.q, NULL, NULL, NULL, "HostRoot", root, &error), 0);
	/* if it is one of them */
	(void)qmem_set(procroot_host.q, "proctable", NULL, NULL, "Backend", "files", &error);
}

/* What there was before, for the next test of the same process; 0: it is as it was. */
static rlim_t allowed;

void procroot_end(void)
{
	struct rlimit limit;

	if (allowed && !getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = allowed;
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
		allowed = 0;
	}
	qmem_free(procroot_host.q);
	recorder_release(&procroot_host);
	procroot_remove("");
}

void procroot_set(const char *service, const char *option, const char *value)
{
	struct qmem_error error = { "" };

	ck_assert_msg(!qmem_set(procroot_host.q, service, NULL, NULL, option, value, &error), "%s", error.text);
}

const char *procroot_start(void)
{
	ck_assert_int_eq(qmem_start(procroot_host.q, QMEM_SECOND, QMEM_SECOND, procroot_now), 0);
	return recorder_take(&procroot_host);
}

const char *procroot_tick(void)
{
	qmem_collect(procroot_host.q, procroot_now);
	procroot_now += QMEM_SECOND;
	text = recorder_take(&procroot_host);
	return text;
}

bool procroot_work(uint64_t cost)
{
	bool any;

	procroot_host.job_ns = cost;
	any = recorder_work(&procroot_host);
	procroot_host.job_ns = 0;
	return any;
}

void procroot_allow_descriptors(int more)
{
	static int first;
	struct rlimit limit;

	if (!first) {
		first = dup(0);
		ck_assert_int_gt(first, 0);
		close(first);
	}
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (!allowed)
		allowed = limit.rlim_cur;
	limit.rlim_cur = (rlim_t)(first + more);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

int64_t procroot_value(const char *name)
{
	size_t len = strlen(name);

	for (const char *at = text; (at = strstr(at, name)); at += len) {
		if ((at != text && at[-1] != '\n') || at[len] != ' ')
			continue;
		if (at[len + 1] == '-' && at[len + 2] == ' ')
			return QMEM_NA;
		return llround(strtod(at + len + 1, NULL) * 1000);
	}
	return -1;
}
