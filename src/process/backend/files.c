/* SPDX-License-Identifier: MIT */
/* /proc/PID/stat and statm of each process, on descriptors that stay open as far as the budget goes; status where it has to
 * be, and schedstat in place of stat where that is enough. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/file.h"
#include "engine/root.h"
#include "proc/pidstat.h"
#include "process/backend/backend.h"
#include "process/backend/statm.h"
#include "util/version.h"
#include "util/room.h"
#include "util/value.h"

#define ENTRIES_SIZE (32u << 10)
#define PIDS (ENTRIES_SIZE / 24) /* no entry is shorter */
#define STAT_SIZE 1024
#define SLICE 8        /* processes, then the clock is looked at, which costs something, too */
#define REFRESH 64     /* rounds after which stat and status are read in any case */
#define CALM 4         /* rounds without CPU time or faults after which schedstat is asked first */
#define RESTLESS (-16) /* where it begins again for one that has run: both files cost more than the one */
/* descriptors that are left to the agent: all but this many, or half of the few there are */
#define FDS_LEFT 1024
#define FDS_MANY 4096

enum { STAT, STATM, SCHEDSTAT, KEPT };

/* What is kept for the process in a slot: statm, and one of the other two. */
struct kept {
	uint32_t generation;
	int calm;     /* rounds */
	int64_t ran;  /* what schedstat has said before stat was read last; 0: nothing */
	int fd[KEPT]; /* 0: closed; that one is the agent's */
};

struct files {
	struct root *root;
	int proc; /* to be listed */
	struct pidstat_units units;
	bool exact;
	bool hidden; /* /proc shows only our own processes: hidepid=2 */
	size_t budget, open;
	struct kept *kept; /* by slot */
	size_t max;
	char *entries, *status;
	int32_t *pids; /* of the entries that have been read */
	size_t at, n;  /* the next of them, and how many there are */
	bool walking;  /* a walk has been broken off */
	size_t taken;
};

/* ---- descriptors ---- */

static void close_kept(struct files *f, struct kept *k, int which)
{
	if (!k->fd[which])
		return;
	close(k->fd[which]);
	k->fd[which] = 0;
	f->open--;
}

static void keep_not(struct files *f, struct kept *k)
{
	for (int i = 0; i < KEPT; i++)
		close_kept(f, k, i);
}

static void keep_none(struct files *f, const struct records *records)
{
	for (size_t slot = 0; slot < records->used; slot++)
		keep_not(f, &f->kept[slot]);
}

/* The text of a file; the descriptor is the one that is kept, or is handed over in *ret_fd. */
static ssize_t read_file(struct files *f, int32_t pid, const char *name, struct kept *k, int which, char *text,
			 size_t size, int *ret_fd)
{
	const bool line = size == STAT_SIZE; /* all but status */
	ssize_t len;
	int fd;

	*ret_fd = -1;
	if (k && k->fd[which]) {
		len = file_read(k->fd[which], text, size, line);
		if (len > 0)
			return len;
		/* it was of a process that is gone, and another one may have the pid by now */
		keep_not(f, k);
	}
	fd = root_open_process(f->root, pid, name);
	if (fd < 0)
		return fd;
	len = file_read(fd, text, size, line);
	if (len < 0)
		close(fd);
	else
		*ret_fd = fd;
	return len;
}

/* Those that have been there for a round are likely to stay. */
static void keep_or_close(struct files *f, const struct proc *p, int which, int fd)
{
	if (fd < 0)
		return;
	if (p->changed & PROC_BORN || f->open >= f->budget || !fd) {
		close(fd);
		return;
	}
	f->kept[p->slot].fd[which] = fd;
	f->open++;
}

static struct kept *kept_of(struct files *f, const struct proc *p)
{
	struct kept *k = &f->kept[p->slot];

	if (k->generation != p->generation) {
		keep_not(f, k);
		*k = (struct kept){ .generation = p->generation };
	}
	return k;
}

/* ---- one process ---- */

/* Others concern one process: it has gone, or may not be looked at. */
static bool is_fatal(ssize_t err)
{
	return err == -EMFILE || err == -ENFILE || err == -ENOMEM;
}

static void no_memory(struct proc *p)
{
	int64_t *const values[] = { &p->rss, &p->anon, &p->file, &p->shmem, &p->swap };

	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
		records_set(p, values[i], QMEM_NA, PROC_RSS);
	records_set(p, &p->vmsize, QMEM_NA, PROC_VM);
	records_set(p, &p->vmdata, QMEM_NA, PROC_VM);
	records_set(p, &p->pgtables, QMEM_NA, PROC_VM);
	p->hwm = QMEM_NA;
}

static int take_status(struct files *f, struct proc *p)
{
	struct pidstatus st;
	ssize_t len;
	int fd, err;

	len = read_file(f, p->pid, "status", NULL, 0, f->status, PIDSTATUS_SIZE, &fd);
	if (len < 0)
		return (int)len;
	close(fd);
	err = pidstatus_parse(f->status, (size_t)len, &st);
	if (err)
		return err;
	if (st.uid != QMEM_NA && p->uid != (uint32_t)st.uid) {
		p->uid = (uint32_t)st.uid;
		p->changed |= PROC_ID;
	}
	if (st.rss == QMEM_NA && st.vmsize == QMEM_NA) {
		no_memory(p);
		return 0;
	}
	st.rss = value_or(st.rss, p->rss);
	/* all of one moment; before 4.5 of the three parts only anon is known, from statm, a moment ago */
	records_set(p, &p->rss, st.rss, PROC_RSS);
	if (st.anon != QMEM_NA || p->anon > st.rss)
		records_set(p, &p->anon, value_or(st.anon, st.rss), PROC_RSS);
	records_set(p, &p->file, st.file, PROC_RSS);
	records_set(p, &p->shmem, st.shmem, PROC_RSS);
	records_set(p, &p->swap, st.swap, PROC_RSS);
	records_set(p, &p->vmsize, st.vmsize, PROC_VM);
	records_set(p, &p->vmdata, st.data, PROC_VM);
	records_set(p, &p->pgtables, st.pte, PROC_VM);
	p->hwm = st.hwm;
	return 0;
}

/* The sizes as statm has them. Without status they are all there is. */
static int take_statm(struct files *f, struct proc *p)
{
	char text[STAT_SIZE];
	struct pidstatm st;
	int64_t anon;
	ssize_t len;
	int fd, err;

	len = read_file(f, p->pid, "statm", kept_of(f, p), STATM, text, sizeof(text), &fd);
	if (len < 0)
		return (int)len;
	keep_or_close(f, p, STATM, fd);
	err = pidstatm_parse(text, (size_t)len, &f->units, &st);
	if (err)
		return err;
	if (!st.size) {
		no_memory(p);
		return 0;
	}
	anon = value_minus(st.resident, st.shared);
	if (p->rss != st.resident || p->anon != anon) {
		/* which of the two has changed, only status knows */
		p->file = p->shmem = QMEM_NA;
		p->changed |= PROC_RSS;
	}
	p->rss = st.resident;
	p->anon = anon;
	records_set(p, &p->vmsize, st.size, PROC_VM);
	return 0;
}

static bool has_memory(const struct proc *p)
{
	return !p->kthread && !strchr("ZXx", p->state);
}

/* An exec to the same name has no other sign. A zombie has no stack any more, and is still what it was. */
static void take_startstack(struct proc *p, int64_t startstack)
{
	uint32_t hash = (uint32_t)(startstack >> 4) ^ (uint32_t)(startstack >> 36);

	if (!startstack || p->startstack == hash)
		return;
	p->startstack = hash;
	p->changed |= PROC_ID;
}

/* Have there been faults? */
static bool take_stat(struct proc *p, const struct pidstat *st)
{
	/* what is malformed is as before */
	int64_t minflt = value_or(st->minflt, p->minflt), majflt = value_or(st->majflt, p->majflt);
	bool faults = p->minflt != minflt || p->majflt != majflt;

	p->kthread = st->flags & PIDSTAT_KTHREAD;
	p->threads = st->threads;
	if (p->ppid != st->ppid)
		p->changed |= PROC_ID;
	p->ppid = st->ppid;
	if (p->state != st->state)
		p->changed |= PROC_STATE;
	p->state = st->state;
	records_set_comm(p, st->comm);
	take_startstack(p, st->startstack);
	p->cminflt = value_or(st->cminflt, p->cminflt);
	records_set_times(p, value_or(st->utime, p->utime), value_or(st->stime, p->stime), QMEM_NA);
	records_set(p, &p->minflt, minflt, PROC_RAN);
	records_set(p, &p->majflt, majflt, PROC_RAN);
	return faults;
}

static bool is_due(const struct records *records, const struct proc *p)
{
	return (records->round + p->slot) % REFRESH == 0;
}

/* A process that vanishes is no error: its values are the last ones, and it is gone in the next round. */
static int take_memory(struct files *f, const struct records *records, struct proc *p, bool faults)
{
	int err;

	if (!has_memory(p)) {
		no_memory(p);
		return p->changed & PROC_BORN ? take_status(f, p) : 0;
	}
	err = take_statm(f, p);
	if (err)
		return err;
	if (faults || p->changed & ~(PROC_RAN | PROC_STATE) || is_due(records, p))
		err = take_status(f, p);
	return err;
}

/* ns that the first thread has run; 0: not known. */
static int64_t read_ran(struct files *f, const struct proc *p, struct kept *k)
{
	char text[STAT_SIZE];
	int64_t ran;
	ssize_t len;
	int fd;

	close_kept(f, k, STAT);
	len = read_file(f, p->pid, "schedstat", k, SCHEDSTAT, text, sizeof(text), &fd);
	if (len < 0)
		return 0;
	keep_or_close(f, p, SCHEDSTAT, fd);
	return pidschedstat_parse(text, (size_t)len, &ran) ? 0 : ran;
}

/*
 * A process that has not run has done nothing: stat, which costs the kernel most, would say what it has said. Only others can
 * have changed its memory, which statm tells. One in state D may be back in another without having run: one that was frozen.
 */
static bool has_slept(struct files *f, const struct records *records, const struct proc *p, struct kept *k)
{
	int64_t before = k->ran;

	if (k->calm < CALM || p->threads != 1 || !strchr("SITt", p->state))
		return false;
	k->ran = read_ran(f, p, k);
	if (!k->ran || (before && k->ran != before))
		k->calm = RESTLESS;
	return before && k->ran == before && !is_due(records, p);
}

/* Which file is the next one to be read? */
static void judge(struct files *f, const struct proc *p, struct kept *k)
{
	if (p->changed & PROC_RAN)
		k->calm = k->calm < 0 ? k->calm : 0;
	else if (k->calm < CALM)
		k->calm++;
	if (k->calm >= CALM)
		return;
	k->ran = 0;
	close_kept(f, k, SCHEDSTAT);
}

/* In state D, and not only because the freezer has stopped it. */
static bool is_blocked(const struct proc *p, const struct pidstat *st)
{
	return p->state == 'D' && (p->kthread || !(st->flags & PIDSTAT_FROZEN));
}

/* 0 or -errno, *ret the process: NULL if it has gone. */
static int enter(struct files *f, struct records *records, int32_t pid, struct proc **ret, bool *ret_faults)
{
	struct proc *p = records_find(records, pid);
	struct kept *k = p ? kept_of(f, p) : NULL;
	char text[STAT_SIZE];
	struct pidstat st;
	ssize_t len;
	int fd, err;

	*ret_faults = false;
	if (p && has_slept(f, records, p, k)) {
		*ret = records_enter(records, pid, p->start);
		return 0;
	}
	*ret = NULL;
	len = read_file(f, pid, "stat", k, STAT, text, sizeof(text), &fd);
	if (len < 0) {
		records->totals.hidden += len != -ENOENT && len != -ESRCH;
		return is_fatal(len) ? (int)len : 0;
	}
	err = pidstat_parse(text, (size_t)len, &f->units, &st);
	records->totals.hidden += err && err != -ENODATA;
	p = err ? NULL : records_enter(records, pid, st.start);
	if (!p) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	*ret_faults = take_stat(p, &st);
	k = kept_of(f, p);
	if (is_blocked(p, &st))
		records_block(records, pid, pid, p->start);
	judge(f, p, k);
	if (fd >= 0 && k->ran)
		close(fd);
	else
		keep_or_close(f, p, STAT, fd);
	*ret = p;
	return 0;
}

static int take(struct files *f, struct records *records, int32_t pid)
{
	struct proc *p;
	bool faults;
	int err = enter(f, records, pid, &p, &faults);

	if (err || !p)
		return err;
	err = take_memory(f, records, p, faults);
	return is_fatal(err) ? err : 0;
}

/* ---- all of them ---- */

static int32_t pid_of(const char *name)
{
	int64_t pid = 0;

	for (; *name; name++) {
		if (*name < '0' || *name > '9')
			return 0;
		pid = pid * 10 + (*name - '0');
		if (pid > INT32_MAX)
			return 0;
	}
	return (int32_t)pid;
}

static int by_pid(const void *a, const void *b)
{
	int32_t one = *(const int32_t *)a, other = *(const int32_t *)b;

	return (one > other) - (one < other);
}

/* The next processes, by pid: a recorded root is on a file system that lists them as it likes. 0: there are no more. */
static int read_pids(struct files *f)
{
	bool sorted = true;
	long n;

	f->at = f->n = 0;
	while (!f->n) {
		n = syscall(SYS_getdents64, f->proc, f->entries, ENTRIES_SIZE);
		if (n <= 0)
			return n < 0 ? -errno : 0;
		for (long at = 0; at < n;) {
			const struct dirent64 *entry = (const void *)(f->entries + at);
			int32_t pid = pid_of(entry->d_name);

			at += entry->d_reclen;
			if (!pid)
				continue;
			sorted &= !f->n || f->pids[f->n - 1] < pid;
			f->pids[f->n++] = pid;
		}
	}
	if (!sorted)
		qsort(f->pids, f->n, sizeof(*f->pids), by_pid);
	return 0;
}

/* Where it was broken off it goes on: /proc lists by pid, so that who is there all the while is met once. */
static int walk(struct qmem *q, struct files *f, struct records *records)
{
	int err = 0;

	if (!f->walking && lseek(f->proc, 0, SEEK_SET) < 0)
		return -errno;
	if (!f->walking)
		err = read_pids(f);
	f->walking = false;
	while (!err && f->n) {
		err = take(f, records, f->pids[f->at++]);
		if (!err && f->at == f->n)
			err = read_pids(f);
		if (!err && f->n && ++f->taken % SLICE == 0 && qmem_enough(q)) {
			f->walking = true;
			return QMEM_MORE;
		}
	}
	return err;
}

static int files_scan(struct qmem *q, struct records *records, void *backend)
{
	struct files *f = backend;
	int err = walk(q, f, records);

	/* what the agent itself needs comes first */
	if ((err == -EMFILE || err == -ENFILE) && f->open) {
		qmem_log(q, QMEM_LOG_NOTICE, "closes the %zu descriptors it kept open: the agent has no more", f->open);
		f->budget = f->open / 2;
		keep_none(f, records);
	}
	return err;
}

static void files_settle(struct records *records, void *backend)
{
	struct files *f = backend;

	for (size_t i = 0; i < records->deaths_n; i++)
		keep_not(f, &f->kept[records->deaths[i]]);
}

static void files_close(void *backend)
{
	struct files *f = backend;

	for (size_t slot = 0; f->open && slot < f->max; slot++)
		keep_not(f, &f->kept[slot]);
	room_unreserve(f->kept, f->max, sizeof(*f->kept));
	if (f->proc >= 0)
		close(f->proc);
	root_drop(f->root);
	free(f->entries);
	free(f->pids);
	free(f->status);
	free(f);
}

static int look_for(const struct files *f, const char *path)
{
	int fd = root_open(f->root, path, O_PATH);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int files_open(struct qmem *q, struct records *records, int64_t budget, void **ret, struct backend_reason *why)
{
	struct files *f = calloc(1, sizeof(*f));
	char words[128];
	int exact, err = 0;

	if (!f)
		return -ENOMEM;
	f->units.page = sysconf(_SC_PAGESIZE);
	f->units.tick_ns = (int64_t)QMEM_SECOND / sysconf(_SC_CLK_TCK);
	f->budget = (size_t)budget;
	f->max = records->max;
	f->entries = malloc(ENTRIES_SIZE);
	f->pids = malloc(PIDS * sizeof(*f->pids));
	f->status = malloc(PIDSTATUS_SIZE);
	f->kept = room_reserve(f->max, sizeof(*f->kept));
	if (!f->entries || !f->pids || !f->status || !f->kept)
		err = -ENOMEM;
	f->root = root_of(q);
	f->proc = root_open(f->root, "proc", O_RDONLY | O_DIRECTORY);
	if (f->proc < 0) {
		err = f->proc;
		snprintf(why->text, sizeof(why->text), "cannot open '/proc': %s",
			 root_words(err, words, sizeof(words)));
	}
	if (err) {
		files_close(f);
		return err;
	}
	exact = statm_is_exact(q, &f->units);
	f->exact = exact < 0 ? !version_before(6, 2) : exact;
	f->hidden = !look_for(f, "proc/self/stat") && look_for(f, "proc/1/stat") == -ENOENT;
	*ret = f;
	return 0;
}

static int open_only(struct qmem *q, struct records *records, int64_t budget, void **ret, struct backend_reason *why)
{
	(void)budget;
	return files_open(q, records, 0, ret, why);
}

static int open_kept(struct qmem *q, struct records *records, int64_t budget, void **ret, struct backend_reason *why)
{
	struct rlimit limit;
	int64_t most;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return -errno;
	most = limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur > INT32_MAX ? INT32_MAX : (int64_t)limit.rlim_cur;
	most = most >= FDS_MANY ? most - FDS_LEFT : most / 2;
	if (budget > most)
		budget = most;
	if (!budget) {
		snprintf(why->text, sizeof(why->text), "no descriptors to spare");
		return -EMFILE;
	}
	return files_open(q, records, budget, ret, why);
}

static bool files_exact(const void *backend)
{
	return ((const struct files *)backend)->exact;
}

static void files_describe(const struct records *records, const void *backend, char *text, size_t size)
{
	const struct files *f = backend;

	(void)records;
	if (f->budget)
		snprintf(text, size, "up to %zu descriptors stay open", f->budget);
	if (f->hidden)
		snprintf(text + strlen(text), size - strlen(text), "%s/proc hides other users' processes (hidepid)",
			 f->budget ? "; " : "");
}

const struct backend backend_fds = {
	.name = "fds",
	.help = "/proc/PID/stat and statm, kept open",
	.open = open_kept,
	.scan = files_scan,
	.settle = files_settle,
	.exact = files_exact,
	.describe = files_describe,
	.close = files_close,
};

const struct backend backend_files = {
	.name = "files",
	.help = "/proc/PID/stat and statm, opened each time",
	.open = open_only,
	.scan = files_scan,
	.settle = files_settle,
	.exact = files_exact,
	.describe = files_describe,
	.close = files_close,
};
