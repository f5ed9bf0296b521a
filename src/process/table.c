/* SPDX-License-Identifier: MIT */
/* All processes, once a tick, for the services that need them: which back end fills the table, and what it is asked. */
#include "process/table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proc/pidstat.h"
#include "process/backend/backend.h"
#include "process/backend/verify.h"
#include "process/pidfiles.h"
#include "rows.h"

#define REASONS_SIZE 512
#define TRIES 5 /* to make a back end large enough, while processes come */

struct proctable {
	int wanted; /* 0: auto, else the place in `backends` + 1 */
	int64_t fd_budget;
	int64_t max;

	struct records records;
	size_t backend; /* in `backends` */
	void *data;
	bool walking; /* a walk has been broken off */
	int tries;    /* to open the back end anew, in this walk */
	struct unseen unseen;
	char reasons[REASONS_SIZE]; /* why it is none of the better ones */
	struct pidfiles *files;     /* NULL: nobody wants what only these have */
	struct qmem_complaint full, hidden;
};

/* The best first. */
static const struct backend *const backends[] = { &backend_bpf, &backend_iter, &backend_fds, &backend_files };
#define BACKENDS (sizeof(backends) / sizeof(*backends))

static const char *const words[] = { "auto", "bpf", "iter", "fds", "files", NULL };

static const struct qmem_option options[] = {
	{ .name = "Backend",
	  .type = QMEM_ENUM,
	  .offset = offsetof(struct proctable, wanted),
	  .def = "auto",
	  .words = words,
	  .help = "how processes are read: by a BPF program, a BPF iterator, files that stay open, files; auto: the first that "
		  "works" },
	{ .name = "MaxFiles",
	  .type = QMEM_INT,
	  .offset = offsetof(struct proctable, fd_budget),
	  .def = "2048",
	  .min = 0,
	  .max = 1000000,
	  .help = "files that may stay open where there is no BPF, two for each process; fewer if the agent would lack them" },
	{ .name = "MaxProcesses",
	  .type = QMEM_INT,
	  .offset = offsetof(struct proctable, max),
	  .def = "100000",
	  .min = 16,
	  .max = 4194304,
	  .help = "processes that the table has room for; others are counted, not looked at" },
	{ 0 },
};

static const struct qmem_renamed renamed[] = {
	{ "FdBudget", "MaxFiles" },
	{ 0 },
};

/* ---- the back end ---- */

static void close_backend(struct proctable *t)
{
	if (t->data)
		backends[t->backend]->close(t->data);
	t->data = NULL;
}

static int open_backend(struct qmem *q, struct proctable *t, size_t i, struct backend_reason *why)
{
	const struct backend *b = backends[i];
	int err = -EAGAIN;

	t->unseen = (struct unseen){ 0 };
	t->records.totals.per_thread = b->per_thread;
	for (int tries = 0; err == -EAGAIN && tries < TRIES; tries++) {
		*why = (struct backend_reason){ "" };
		err = b->open(q, &t->records, t->fd_budget, &t->data, why);
		if (!err && b->verify) {
			err = verify(q, &t->records, b, t->data, &t->unseen, why);
			if (err)
				b->close(t->data);
		}
	}
	if (err) {
		t->data = NULL;
		if (!*why->text)
			snprintf(why->text, sizeof(why->text), "%s", strerror(-err));
		return err;
	}
	t->backend = i;
	t->records.totals.exact = b->exact(t->data);
	t->records.totals.per_thread = b->per_thread;
	return 0;
}

static void note(struct qmem *q, const struct proctable *t)
{
	const struct backend *b = backends[t->backend];
	char text[128] = "", unseen[128] = "";

	if (b->describe)
		b->describe(&t->records, t->data, text, sizeof(text));
	if (t->unseen.n) {
		snprintf(unseen, sizeof(unseen), "does not see %zu of the processes in /proc, pid %" PRId32 " for one",
			 t->unseen.n, t->unseen.pid);
		qmem_log(q, QMEM_LOG_NOTICE, "back end %s %s", b->name, unseen);
	}
	qmem_note(q, "back end %s: %s%s%s%s%s%s%s%s", b->name, b->help, t->wanted ? "; as Backend says" : "",
		  *text ? "; " : "", text, *unseen ? "; " : "", unseen,
		  t->records.totals.exact ? "" : "; RSS is approximate, as this kernel's VmRSS is", t->reasons);
}

static void add_reason(struct proctable *t, const struct backend *b, const struct backend_reason *why)
{
	size_t len = strlen(t->reasons);

	snprintf(t->reasons + len, sizeof(t->reasons) - len, "; not %s: %s", b->name, why->text);
}

/* The first that works from the i-th on, or the one that is wanted. */
static int choose(struct qmem *q, struct proctable *t, size_t i)
{
	struct backend_reason why;
	int err = -ENOTSUP;

	if (t->wanted) {
		i = (size_t)t->wanted - 1;
		err = open_backend(q, t, i, &why);
		if (err)
			return qmem_fail(q, err, "back end '%s': %s", backends[i]->name, why.text);
		note(q, t);
		return 0;
	}
	for (; i < BACKENDS; i++) {
		err = open_backend(q, t, i, &why);
		if (!err) {
			note(q, t);
			return 0;
		}
		qmem_log(q, QMEM_LOG_INFO, "no back end '%s': %s", backends[i]->name, why.text);
		add_reason(t, backends[i], &why);
	}
	return qmem_fail(q, err, "no way to read processes: %s", why.text);
}

/* ---- a round ---- */

/* More processes or other CPUs than it was made for, and still more may come while it is made anew, which takes its time. */
static int reopen(struct qmem *q, struct proctable *t, struct backend_reason *why)
{
	const struct backend *b = backends[t->backend];
	int err;

	if (t->tries++ == TRIES)
		return -EBUSY;
	qmem_log(q, QMEM_LOG_DEBUG, "back end '%s' is made anew: there are more processes, or far fewer, or other CPUs",
		 b->name);
	close_backend(t);
	err = b->open(q, &t->records, t->fd_budget, &t->data, why);
	if (!err)
		return QMEM_MORE;
	t->data = NULL;
	return err;
}

static int scan(struct qmem *q, struct proctable *t, struct backend_reason *why)
{
	int err = -EAGAIN;

	if (!t->walking) {
		records_begin(&t->records);
		t->tries = 0;
	}
	if (t->data)
		err = backends[t->backend]->scan(q, &t->records, t->data);
	if (err == -EAGAIN)
		err = reopen(q, t, why);
	t->walking = err == QMEM_MORE;
	if (err < 0 && !*why->text)
		snprintf(why->text, sizeof(why->text), "%s", strerror(-err));
	return err;
}

/* As scan(), but a better back end that has stopped working is given up for the next one. */
static int scan_by_any(struct qmem *q, struct proctable *t)
{
	const struct backend *b = backends[t->backend];
	struct backend_reason why = { "" };
	int err = scan(q, t, &why);

	if (err < 0 && err != -EBUSY && b->verify && !t->wanted) {
		qmem_log(q, QMEM_LOG_WARNING, "back end '%s' has failed: %s", b->name, why.text);
		close_backend(t);
		records_reset(&t->records);
		add_reason(t, b, &why);
		err = choose(q, t, t->backend + 1);
		return err ? err : QMEM_MORE;
	}
	if (err < 0)
		return qmem_fail(q, err, "cannot read processes by '%s': %s", backends[t->backend]->name, why.text);
	return err;
}

static void complain(struct qmem *q, struct proctable *t)
{
	if (t->records.totals.overflow)
		qmem_complain(q, &t->full,
			      "has room for %" PRId64 " processes, %" PRIu64 " more are left out (MaxProcesses)",
			      t->max, t->records.totals.overflow);
	else
		qmem_release(q, &t->full, "has room for all processes again");
	if (t->records.totals.hidden)
		qmem_complain(q, &t->hidden,
			      "%" PRIu64 " processes cannot be looked at: /proc hides them (hidepid), or what it says "
			      "is malformed",
			      t->records.totals.hidden);
	else
		qmem_release(q, &t->hidden, "all processes can be looked at again");
}

/* What is wanted, and the back end does not have. */
static int read_files(struct qmem *q, struct proctable *t)
{
	int err = 0;

	if (!(t->records.want & PROC_WANTED_FILES) || proctable_gives(t)) {
		pidfiles_free(t->files);
		t->files = NULL;
		return 0;
	}
	if (!t->files)
		err = pidfiles_new(q, &t->files);
	return err ? err : pidfiles_round(q, t->files, &t->records);
}

static int collect(struct qmem *q, void *state)
{
	struct proctable *t = state;
	int err = scan_by_any(q, t);

	if (err == QMEM_MORE)
		return err;
	if (err)
		records_break(&t->records);
	else
		records_end(&t->records);
	if (t->data && backends[t->backend]->settle)
		backends[t->backend]->settle(&t->records, t->data);
	if (!err)
		complain(q, t);
	return err ? err : read_files(q, t);
}

/* ---- what it is asked ---- */

size_t proctable_capacity(const struct proctable *t)
{
	return t->records.used;
}

uint64_t proctable_round(const struct proctable *t)
{
	return t->records.round;
}

bool proctable_current(const struct proctable *t)
{
	return t->records.current;
}

uint64_t proctable_whole_since(const struct proctable *t)
{
	return t->records.whole_since;
}

const struct proc *proctable_at(const struct proctable *t, size_t slot)
{
	const struct proc *p = slot < t->records.used ? &t->records.slots[slot] : NULL;

	return p && p->pid ? p : NULL;
}

const struct proc *proctable_find(const struct proctable *t, int32_t pid)
{
	return records_find(&t->records, pid);
}

const struct proc *proctable_first(const struct proctable *t)
{
	return t->records.order_n ? &t->records.slots[t->records.order[0]] : NULL;
}

const struct proc *proctable_next(const struct proctable *t, const struct proc *p)
{
	size_t next = (size_t)p->order + 1;

	return next < t->records.order_n ? &t->records.slots[t->records.order[next]] : NULL;
}

size_t proctable_births(const struct proctable *t, const uint32_t **ret_slots)
{
	*ret_slots = t->records.births;
	return t->records.births_n;
}

size_t proctable_deaths(const struct proctable *t, const uint32_t **ret_slots)
{
	*ret_slots = t->records.deaths;
	return t->records.deaths_n;
}

const struct proctable_totals *proctable_totals(const struct proctable *t)
{
	return &t->records.totals;
}

void proctable_want(struct proctable *t, unsigned want)
{
	t->records.want = want;
}

bool proctable_gives(const struct proctable *t)
{
	return backends[t->backend]->wanted;
}

size_t proctable_blocked(const struct proctable *t, const struct proc_task **ret_tasks)
{
	*ret_tasks = t->records.blocked;
	return t->records.blocked_n;
}

int proctable_wchan(struct qmem *q, const struct proc_task *task, char *ret, size_t size)
{
	char text[256];
	ssize_t len =
		qmem_read_once(q, text, sizeof(text), "proc/%" PRId32 "/task/%" PRId32 "/wchan", task->pid, task->tid);

	if (len < 0)
		return len == -ENOENT ? -ESRCH : (int)len;
	return pidwchan_parse(text, (size_t)len, ret, size);
}

int proctable_cgroups(struct qmem *q, const struct proc *p, struct proctable_cgroups *ret)
{
	ssize_t len = qmem_read_once(q, ret->text, sizeof(ret->text), "proc/%" PRId32 "/cgroup", p->pid);

	if (len < 0)
		return len == -ENOENT ? -ESRCH : (int)len;
	return cgroup_parse(ret->text, (size_t)len, p->state == 'Z' || p->state == 'X', &ret->paths);
}

/* ---- life ---- */

static void stop(struct qmem *q, void *state)
{
	struct proctable *t = state;

	(void)q;
	pidfiles_free(t->files);
	close_backend(t);
	records_release(&t->records);
}

static int start(struct qmem *q, void *state)
{
	struct proctable *t = state;
	int err = records_init(&t->records, (size_t)t->max);

	return err ? err : choose(q, t, 0);
}

static const struct qmem_capability capabilities[] = {
	CAPABILITY(BPF, "processes read by BPF", .file = "bpf()"),
	CAPABILITY(PERFMON, "processes read by BPF", .file = "bpf()"),
	CAPABILITY(SYS_PTRACE, "processes that hidepid hides", .file = "/proc/PID"),
	{ 0 },
};

const struct qmem_service proctable_service = {
	.name = "proctable",
	.help = "the processes, walked once a tick for the services that need them",
	.source = "the kernel's list of processes by BPF, or /proc/PID/stat, schedstat, statm and status",
	.kernel = "3.2 (BPF: 5.8)",
	.privilege = "none; for BPF CAP_BPF and CAP_PERFMON; where hidepid hides processes CAP_SYS_PTRACE",
	.capabilities = capabilities,
	.priority = 3900,
	.shared = true,
	.relief = "a back end that uses BPF (proctable's Backend)",
	.options = options,
	.renamed = renamed,
	.state_size = sizeof(struct proctable),
	.start = start,
	.collect = collect,
	.stop = stop,
};
