/* SPDX-License-Identifier: MIT */
#include "process/pidfiles.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/root.h"
#include "proc/pidio.h"
#include "proc/pidlimits.h"
#include "process/probe.h"
#include "util/right.h"
#include "util/room.h"

#define ASKS_MOST 2048 /* processes that one job looks at */
#define TEXT_SIZE 4096
#define REFRESH                                                                                                        \
	64 /* rounds after which all of a process is read: others may have changed its limits, and share its files */
#define WHAT "io"

_Static_assert((int)PIDIO_VALUES == PROC_IOS && (int)PIDIO_RCHAR == PROC_RCHAR && (int)PIDIO_WCHAR == PROC_WCHAR &&
		       (int)PIDIO_SYSCR == PROC_SYSCR && (int)PIDIO_SYSCW == PROC_SYSCW &&
		       (int)PIDIO_READ_BYTES == PROC_READ_BYTES && (int)PIDIO_WRITE_BYTES == PROC_WRITE_BYTES &&
		       (int)PIDIO_CANCELLED == PROC_CANCELLED,
	       "io");

struct answer {
	uint32_t slot, generation;
	int32_t pid;
	uint32_t uid;
	bool kthread, limits; /* has no files; they are to be read */
	bool answered;
	struct pidio io;
	int64_t fds, fd_limit;
};

/* What one job looks at. It owns all it needs: it outlives its owner while it is at the worker. */
struct batch {
	struct qmem_job job;
	struct pidfiles *files; /* NULL: it has gone, or does not wait for this any more */
	struct root *root;
	bool sized; /* the size of /proc/PID/fd is how many there are: Linux 6.2 */
	bool tried;
	size_t n;
	struct answer answers[ASKS_MOST];
};

struct slot {
	uint32_t generation;
	bool due, limits; /* it has run since it was asked; its limits may be others */
};

struct pidfiles {
	struct batch *batch;
	struct root *root;
	bool busy, back; /* the batch is at the worker; has come back */
	struct slot *slots;
	size_t slots_room;
	size_t next; /* slot to begin with: where there are too many for one job, each has its turn */
};

/* ---- on the worker ---- */

static int64_t count_entries(int fd)
{
	DIR *dir = fdopendir(fd);
	const struct dirent *entry;
	int64_t n = 0;

	if (!dir) {
		close(fd);
		return QMEM_NA;
	}
	while ((entry = readdir(dir)))
		n += *entry->d_name != '.';
	closedir(dir);
	return n;
}

static int64_t count_fds(const struct root *root, const char *pid, bool sized)
{
	char path[64];
	struct stat st;
	int fd, err;

	snprintf(path, sizeof(path), "proc/%s/fd", pid);
	fd = root_open(root, path, O_DIRECTORY | (sized ? O_PATH : O_RDONLY));
	if (fd < 0)
		return QMEM_NA;
	if (!sized)
		return count_entries(fd);
	err = fstat(fd, &st);
	close(fd);
	return err ? QMEM_NA : (int64_t)st.st_size;
}

/* Of our own there are some; another thread may open one meanwhile. */
static void try_size(struct batch *b)
{
	for (int i = 0; i < 3 && !b->sized; i++) {
		int64_t sized = count_fds(b->root, "self", true);

		/* the one by which they are counted is among them, both times */
		b->sized = sized > 0 && sized == count_fds(b->root, "self", false);
	}
	b->tried = true;
}

static void read_process(const struct batch *b, struct answer *answer)
{
	char text[TEXT_SIZE], pid[16];
	struct pidlimits limits;
	struct fault fault;
	ssize_t len;

	for (int i = 0; i < PIDIO_VALUES; i++)
		answer->io.value[i] = QMEM_NA;
	answer->fds = answer->fd_limit = QMEM_NA;
	len = root_read_process(b->root, answer->pid, "io", text, sizeof(text));
	if (len > 0)
		(void)pidio_parse(text, (size_t)len, &answer->io, &fault);
	if (answer->kthread)
		return;
	snprintf(pid, sizeof(pid), "%" PRId32, answer->pid);
	answer->fds = count_fds(b->root, pid, b->sized);
	if (!answer->limits)
		return;
	len = root_read_process(b->root, answer->pid, "limits", text, sizeof(text));
	if (len > 0 && !pidlimits_parse(text, (size_t)len, &limits, &fault))
		answer->fd_limit = limits.files;
}

static void run(struct qmem_job *job)
{
	struct batch *b = (struct batch *)(void *)job;
	/* the modes of these files let nobody in but their owner; all their names are ours */
	bool raised = root_is_real(b->root) && right_raise(CAP_DAC_READ_SEARCH);

	if (!b->tried)
		try_size(b);
	for (size_t i = 0; i < b->n; i++) {
		QMEM_JOB_AT(job, b->answers[i].pid, b->answers[i].uid);
		read_process(b, &b->answers[i]);
		b->answers[i].answered = true;
	}
	if (raised)
		right_lower(CAP_DAC_READ_SEARCH);
}

/* ---- rounds ---- */

static void release(struct batch *b)
{
	if (!b)
		return;
	root_drop(b->root);
	free(b);
}

static void done(struct qmem *q, struct qmem_job *job)
{
	struct batch *b = (struct batch *)(void *)job;

	if (!q || !b->files) {
		release(b);
		return;
	}
	b->files->busy = false;
	b->files->back = true;
}

static struct batch *new_batch(struct pidfiles *f)
{
	struct batch *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->root = root_hold(f->root);
	b->files = f;
	return b;
}

/* Who was not asked after all is due as before. */
static void again(struct pidfiles *f, const struct answer *a)
{
	struct slot *slot = a->slot < f->slots_room ? &f->slots[a->slot] : NULL;

	if (!slot || slot->generation != a->generation)
		return;
	slot->due = true;
	slot->limits |= a->limits;
}

/* What is stuck is not waited for: it comes back to nobody, and whom it was to ask are asked again. */
static void leave(struct pidfiles *f)
{
	struct batch *stuck = f->batch, *b = new_batch(f);

	if (!b)
		return;
	/* who has been asked stays in `slots`; the rest of them is its thread's */
	for (size_t i = 0; i < stuck->n; i++)
		again(f, &stuck->answers[i]);
	stuck->files = NULL;
	f->batch = b;
	f->busy = false;
}

static void set(int64_t *to, int64_t value)
{
	/* what could not be read this time is as old as it is */
	if (value != QMEM_NA)
		*to = value;
}

static void learn(struct pidfiles *f, struct records *records, const struct answer *answer)
{
	struct proc *p = answer->slot < records->used ? &records->slots[answer->slot] : NULL;

	if (!p || !p->pid || p->generation != answer->generation || p->ended)
		return;
	if (!answer->answered) {
		again(f, answer);
		return;
	}
	/* none falls: two readings may come back in any order only where one was left behind, which comes back to nobody */
	for (int i = 0; i < PROC_IOS; i++)
		set(&p->io[i], answer->io.value[i]);
	set(&p->fds, answer->fds);
	set(&p->fd_limit, answer->fd_limit);
}

static void take(struct pidfiles *f, struct records *records)
{
	if (f->busy && f->batch->job.left)
		leave(f);
	if (!f->back)
		return;
	for (size_t i = 0; i < f->batch->n; i++)
		learn(f, records, &f->batch->answers[i]);
	f->back = false;
	f->batch->n = 0;
}

static void look(struct pidfiles *f, const struct records *records, struct proc *p)
{
	struct slot *slot = &f->slots[p->slot];
	bool fresh = slot->generation != p->generation;

	if (fresh)
		*slot = (struct slot){ .generation = p->generation };
	if (fresh || (records->round + p->slot) % REFRESH == 0)
		slot->due = slot->limits = true;
	slot->due |= (p->changed & (PROC_RAN | PROC_ID)) != 0;
	slot->limits |= (p->changed & PROC_ID) != 0;
	/* its files are gone */
	if (proc_is_gone(p))
		p->fds = p->fd_limit = QMEM_NA;
}

static void ask(const struct qmem *q, struct pidfiles *f, const struct records *records)
{
	struct batch *b = f->batch;

	for (size_t i = 0; i < records->used && b->n < ASKS_MOST; i++) {
		size_t at = (f->next + i) % records->used;
		const struct proc *p = &records->slots[at];
		struct slot *slot = &f->slots[at];

		if (!p->pid || p->ended || !slot->due || slot->generation != p->generation ||
		    probe_shuns(q, p->pid, p->uid))
			continue;
		b->answers[b->n++] = (struct answer){ .slot = p->slot,
						      .generation = p->generation,
						      .pid = p->pid,
						      .uid = p->uid,
						      .kthread = p->kthread || proc_is_gone(p),
						      .limits = slot->limits };
		slot->due = slot->limits = false;
		if (b->n == ASKS_MOST)
			f->next = at + 1;
	}
}

static void go(struct qmem *q, struct pidfiles *f)
{
	struct batch *b = f->batch;

	if (!b->n)
		return;
	b->job.run = run;
	b->job.done = done;
	b->job.lane = QMEM_TARGETS;
	b->job.wary = true; /* recalled, they come back unanswered */
	b->job.pid = 0;
	snprintf(b->job.what, sizeof(b->job.what), WHAT);
	f->busy = true;
	if (qmem_work(q, &b->job)) {
		f->busy = false;
		f->back = true;
	}
}

int pidfiles_round(struct qmem *q, struct pidfiles *f, struct records *records)
{
	int err = room_make(&f->slots, &f->slots_room, records->used, sizeof(*f->slots));

	if (err)
		return err;
	take(f, records);
	for (size_t i = 0; i < records->order_n; i++)
		look(f, records, &records->slots[records->order[i]]);
	if (f->busy || f->back)
		return 0;
	ask(q, f, records);
	go(q, f);
	return 0;
}

/* ---- life ---- */

void pidfiles_free(struct pidfiles *f)
{
	if (!f)
		return;
	if (f->busy)
		f->batch->files = NULL;
	else
		release(f->batch);
	root_drop(f->root);
	free(f->slots);
	free(f);
}

int pidfiles_new(struct qmem *q, struct pidfiles **ret)
{
	struct pidfiles *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->root = root_of(q);
	f->batch = new_batch(f);
	if (!f->batch) {
		pidfiles_free(f);
		return -ENOMEM;
	}
	*ret = f;
	return 0;
}
