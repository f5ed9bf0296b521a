/* SPDX-License-Identifier: MIT */
#include "proctab/verify.h"

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

#define SAMPLES 32

struct sample {
	int32_t pid;
	int64_t start, vsize, rss, shared, file_start, file_vsize, file_rss, file_shared;
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
	if (err)
		return err;
	s->file_start = stat.start;
	s->file_vsize = statm.size;
	s->file_rss = statm.resident;
	s->file_shared = statm.shared;
	return 0;
}

static int scan(struct qmem *q, struct table *table, const struct backend *backend, void *data)
{
	int err;

	table_begin(table);
	err = backend->scan(q, table, data);
	table_end(table);
	return err;
}

/* Pages that a kernel with per-CPU counters may leave out of VmRSS itself (6.2 to 6.15). */
static int64_t slack(const struct pidstat_units *units)
{
	int64_t cpus = sysconf(_SC_NPROCESSORS_ONLN), batch = 2 * cpus > 32 ? 2 * cpus : 32;

	return backend_rss_lags() ? 0 : 3 * cpus * batch * units->page;
}

static int compare(const struct table *table, const struct sample *s, const struct pidstat_units *units,
		   bool *ret_equal, struct backend_reason *why)
{
	const struct proc *p = table_find(table, s->pid);

	*ret_equal = false;
	if (p && p->start / units->tick_ns * units->tick_ns != s->file_start) {
		snprintf(why->text, sizeof(why->text), "process %" PRId32 " is another one in /proc", s->pid);
		return -EBADMSG;
	}
	/* one that moves meanwhile proves nothing */
	if (!p || p->start != s->start || p->rss != s->rss || p->vmsize != s->vsize || p->file + p->shmem != s->shared)
		return 0;
	if (s->vsize != s->file_vsize || llabs(s->rss - s->file_rss) > slack(units)) {
		snprintf(why->text, sizeof(why->text),
			 "it has %" PRId64 " of %" PRId64 " bytes of process %" PRId32 " resident, /proc %" PRId64
			 " of %" PRId64,
			 s->rss, s->vsize, s->pid, s->file_rss, s->file_vsize);
		return -EBADMSG;
	}
	if (llabs(s->shared - s->file_shared) > slack(units)) {
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
static void find_unseen(struct qmem *q, const struct table *table, const struct pidstat_units *units, int64_t walked,
			struct unseen *ret)
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

		if (pid <= 0 || table_find(table, pid))
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

int verify(struct qmem *q, struct table *table, const struct backend *backend, void *data, struct unseen *ret_unseen,
	   struct backend_reason *why)
{
	const struct pidstat_units units = { .page = sysconf(_SC_PAGESIZE),
					     .tick_ns = (int64_t)QMEM_SECOND / sysconf(_SC_CLK_TCK) };
	struct sample samples[SAMPLES];
	size_t n = 0, equal = 0;
	int64_t walked;
	bool is_equal;
	int err = scan(q, table, backend, data);

	*ret_unseen = (struct unseen){ 0 };

	for (size_t i = 0; !err && i < table->order_n && n < SAMPLES; i++) {
		const struct proc *p = &table->slots[table->order[i]];
		struct sample *s = &samples[n];

		if (p->rss == QMEM_NA)
			continue;
		*s = (struct sample){ .pid = p->pid,
				      .start = p->start,
				      .vsize = p->vmsize,
				      .rss = p->rss,
				      .shared = p->file + p->shmem };
		n += read_sample(q, &units, s) == 0;
	}
	walked = boottime();
	if (!err)
		err = scan(q, table, backend, data);
	if (err)
		snprintf(why->text, sizeof(why->text), "cannot be run: %s", strerror(-err));
	for (size_t i = 0; !err && i < n; i++) {
		err = compare(table, &samples[i], &units, &is_equal, why);
		equal += is_equal;
	}
	if (!err && !equal) {
		snprintf(why->text, sizeof(why->text),
			 n ? "none of its processes is in /proc" : "it has found no process that has memory");
		err = -EBADMSG;
	}
	if (!err && !table->totals.overflow)
		find_unseen(q, table, &units, walked, ret_unseen);
	table_reset(table);
	return err;
}
