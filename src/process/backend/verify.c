/* SPDX-License-Identifier: MIT */
#include "process/backend/verify.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "proc/pidstat.h"
#include "process/backend/statm.h"

#define SAMPLES 32
#define TRIES 3
#define UNSEEN_MOST 8

struct sample {
	int32_t pid;
	int64_t start, runtime, vsize, rss, shared, file_start, file_vsize, file_rss, file_shared;
};

static int read_sample(struct qmem *q, const struct pidstat_units *units, struct sample *s)
{
	struct pidstatm statm;
	struct pidstat stat;
	char text[1024];
	ssize_t len = qmem_read_once(q, text, sizeof(text), "proc/%" PRId32 "/stat", s->pid);
	int err = len < 0 ? (int)len : pidstat_parse(text, (size_t)len, units, &stat);

	if (err)
		return err;
	len = qmem_read_once(q, text, sizeof(text), "proc/%" PRId32 "/statm", s->pid);
	err = len < 0 ? (int)len : pidstatm_parse(text, (size_t)len, units, &statm);
	if (!err && (statm.size == QMEM_NA || statm.resident == QMEM_NA || statm.shared == QMEM_NA))
		err = -EINVAL;
	if (err)
		return err;
	s->file_start = stat.start;
	s->file_vsize = statm.size;
	s->file_rss = statm.resident;
	s->file_shared = statm.shared;
	return 0;
}

static int scan(struct qmem *q, struct records *records, const struct backend *backend, void *data)
{
	int err;

	records_begin(records);
	do
		err = backend->scan(q, records, data);
	while (err == QMEM_MORE);
	records_end(records);
	return err;
}

/* How many bytes may be on the counters of the CPUs, which an exact back end adds, and statm may leave out. */
static int64_t slack(struct qmem *q, const struct backend *backend, const void *data, const struct pidstat_units *units)
{
	int64_t cpus = sysconf(_SC_NPROCESSORS_ONLN), batch = 2 * cpus > 32 ? 2 * cpus : 32;

	return statm_is_exact(q, units) > 0 || !backend->exact(data) ? 0 : 3 * cpus * batch * units->page;
}

/* What moves meanwhile proves nothing, nor does what may move while it is read. */
static bool has_moved(const struct proc *p, const struct sample *s)
{
	return p->start != s->start || p->state == 'R' || p->runtime != s->runtime || p->rss != s->rss ||
	       p->vmsize != s->vsize || p->file + p->shmem != s->shared;
}

static int compare(const struct records *records, const struct sample *s, const struct pidstat_units *units,
		   int64_t slack, bool *ret_equal, struct backend_reason *why)
{
	const struct proc *p = records_find(records, s->pid);

	*ret_equal = false;
	if (p && p->start / units->tick_ns * units->tick_ns != s->file_start) {
		snprintf(why->text, sizeof(why->text), "process %" PRId32 " is another one in /proc", s->pid);
		return -EBADMSG;
	}
	if (!p || has_moved(p, s))
		return 0;
	if (s->vsize != s->file_vsize || llabs(s->rss - s->file_rss) > slack) {
		snprintf(why->text, sizeof(why->text),
			 "it has %" PRId64 " of %" PRId64 " bytes of process %" PRId32 " resident, /proc %" PRId64
			 " of %" PRId64,
			 s->rss, s->vsize, s->pid, s->file_rss, s->file_vsize);
		return -EBADMSG;
	}
	if (llabs(s->shared - s->file_shared) > slack) {
		snprintf(why->text, sizeof(why->text),
			 "it has %" PRId64 " bytes of process %" PRId32 " in files and shared memory, /proc %" PRId64,
			 s->shared, s->pid, s->file_shared);
		return -EBADMSG;
	}
	*ret_equal = true;
	return 0;
}

static int64_t boottime(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * (int64_t)QMEM_SECOND + now.tv_nsec;
}

/* Those that began before `walked`, are there still, and are not in the table. */
static void find_unseen(struct qmem *q, const struct records *records, const struct pidstat_units *units,
			int64_t walked, struct unseen *ret)
{
	int fd = qmem_open(q, O_RDONLY | O_DIRECTORY, "proc");
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	struct pidstat stat;
	char text[1024];

	if (!dir && fd >= 0)
		close(fd);
	while (dir && (entry = readdir(dir))) {
		int32_t pid = (int32_t)strtol(entry->d_name, NULL, 10);
		ssize_t len;

		if (pid <= 0 || records_find(records, pid))
			continue;
		len = qmem_read_once(q, text, sizeof(text), "proc/%" PRId32 "/stat", pid);
		if (len < 0 || pidstat_parse(text, (size_t)len, units, &stat) || stat.start + units->tick_ns > walked)
			continue;
		ret->n++;
		ret->pid = pid;
	}
	if (dir)
		closedir(dir);
}

/* -EBADMSG, and why: a process is there otherwise than /proc has it, or none is. */
static int compare_all(struct qmem *q, struct records *records, const struct backend *backend, void *data,
		       const struct pidstat_units *units, int64_t *ret_walked, struct backend_reason *why)
{
	int64_t allowed = slack(q, backend, data, units);
	struct sample samples[SAMPLES];
	size_t tried = 0, n = 0, equal = 0;
	bool is_equal;
	int err = scan(q, records, backend, data);

	for (size_t i = 0; !err && i < records->order_n && n < SAMPLES; i++) {
		const struct proc *p = &records->slots[records->order[i]];
		struct sample *s = &samples[n];

		if (p->rss == QMEM_NA || p->state == 'R')
			continue;
		*s = (struct sample){ .pid = p->pid,
				      .start = p->start,
				      .runtime = p->runtime,
				      .vsize = p->vmsize,
				      .rss = p->rss,
				      .shared = p->file + p->shmem };
		tried++;
		n += read_sample(q, units, s) == 0;
	}
	*ret_walked = boottime();
	if (!err)
		err = scan(q, records, backend, data);
	if (err)
		snprintf(why->text, sizeof(why->text), "cannot be run: %s", strerror(-err));
	for (size_t i = 0; !err && i < n; i++) {
		err = compare(records, &samples[i], units, allowed, &is_equal, why);
		equal += is_equal;
	}
	if (err || equal)
		return err;
	snprintf(why->text, sizeof(why->text),
		 tried ? "none of its processes is in /proc: that is of another pid namespace, or a recording" :
			 "it has found no process that has memory");
	return -EBADMSG;
}

/* A few are hidden from BPF on some machines. Many: it walks the processes of a namespace below that of /proc. */
static int judge_unseen(const struct unseen *unseen, const struct records *records, struct backend_reason *why)
{
	if (unseen->n <= UNSEEN_MOST + records->order_n / 8)
		return 0;
	snprintf(why->text, sizeof(why->text),
		 "it sees %zu processes, and not %zu others that are in /proc: that is of another pid namespace",
		 records->order_n, unseen->n);
	return -EBADMSG;
}

int verify(struct qmem *q, struct records *records, const struct backend *backend, void *data,
	   struct unseen *ret_unseen, struct backend_reason *why)
{
	const struct pidstat_units units = { .page = sysconf(_SC_PAGESIZE),
					     .tick_ns = (int64_t)QMEM_SECOND / sysconf(_SC_CLK_TCK) };
	int64_t walked = 0;
	int err = -EBADMSG;

	*ret_unseen = (struct unseen){ 0 };
	/* what is wrong is wrong again; what has moved unseen, by reclaim or another thread, is not */
	for (int i = 0; i < TRIES && err == -EBADMSG; i++)
		err = compare_all(q, records, backend, data, &units, &walked, why);
	if (!err && !records->totals.overflow) {
		find_unseen(q, records, &units, walked, ret_unseen);
		err = judge_unseen(ret_unseen, records, why);
	}
	records_reset(records);
	return err;
}
