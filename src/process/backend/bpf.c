/* SPDX-License-Identifier: MIT */
/* The kernel's own list of processes, by the programs of bpf/walk.bpf.c and bpf/dump.bpf.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bpf/proctable.h"
#include "bpf/program.h"
#include "engine/root.h"
#include "proc/cpulist.h"
#include "proc/pidstat.h"
#include "process/backend/backend.h"
#include "util/room.h"
#include "util/value.h"

/* Only its bytes: what else is in there calls libbpf by name, and this is not inline. */
#define bpf_object__destroy_skeleton(skeleton_) ((void)(skeleton_))
#include "bpf/dump.skel.h"
#include "bpf/walk.skel.h"

#define RECORDS_FIRST 1024
#define IDLE_ROUNDS 600 /* before room is given back: that costs a load of the program */
#define DUMP_SIZE (16u << 10)
#define EARLY (64u << 10)
#define SLICE 64 /* records, then the clock is looked at */
/* The programs know neither the one header nor the other. */
_Static_assert(PROCTABLE_STATES == PROC_STATES && PROCTABLE_BLOCKED_STATE == PROC_BLOCKED &&
		       PROCTABLE_DEAD_STATE == PROC_DYING && PROCTABLE_ZOMBIE_STATE == PROC_ZOMBIE &&
		       PROCTABLE_IDLE_STATE == PROC_IDLE,
	       "states");
_Static_assert(PROCTABLE_PF_KTHREAD == PIDSTAT_KTHREAD && PROCTABLE_PF_FROZEN == PIDSTAT_FROZEN, "flags");
_Static_assert(PROCTABLE_BLOCKED == RECORDS_BLOCKED, "blocked tasks");
#define SAME(name_) ((int)PROCTABLE_##name_ == (int)PROC_##name_)
_Static_assert(SAME(RCHAR) && SAME(WCHAR) && SAME(SYSCR) && SAME(SYSCW) && SAME(READ_BYTES) && SAME(WRITE_BYTES) &&
		       SAME(CANCELLED) && SAME(IOS),
	       "io");
_Static_assert(PROC_FDS == 64 * PROCTABLE_LONGS, "descriptors");

#define CPUS_TEXT (5 * PROCTABLE_CPUS) /* four digits and a comma each */

/* The times of a process, and its I/O, summed over its threads as they come. */
struct sums {
	uint64_t round;
	int64_t utime, stime, runtime, minflt, majflt;
	int64_t io[PROC_IOS];
};

struct bpf {
	int program, link;
	struct proctable_head *head;
	struct proctable_record *records;
	size_t room;   /* records */
	unsigned idle; /* rounds in which it was hardly used */
	int64_t page;
	char cpus[CPUS_TEXT]; /* those that are summed over */
	struct qmem_file online;
	bool walking; /* records are still to be taken, from here on: */
	size_t at;
	int fd;            /* of a dump that has been broken off; -1: none */
	size_t have;       /* of the text, the beginning of a record */
	char *text;        /* of dump */
	struct sums *sums; /* by slot */
	size_t sums_n;
	/* shares of threads that came before the first of a process not known yet */
	struct proctable_record *early;
	size_t early_n;
};

static size_t whole_pages(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (size + page - 1) / page * page;
}

/* ---- records ---- */

static int64_t pages(const struct bpf *b, int64_t n)
{
	int64_t bytes;

	return n < 0 ? 0 : __builtin_mul_overflow(n, b->page, &bytes) ? INT64_MAX : bytes;
}

/* The count of changes goes on over an exec, which has another address space and counts from 0. */
static void take_changes(const struct bpf *b, struct proc *p, const struct proctable_record *r)
{
	uint32_t seq = (uint32_t)r->mm_seq, delta;

	if (!b->head->seq_step)
		return;
	if (p->vm_changes == QMEM_NA)
		p->vm_changes = delta = 0;
	else
		/* an exec that is under way has the one already, and not yet the other */
		delta = r->execs == p->execs && (int32_t)(seq - p->mm_seq) >= 0 ? seq - p->mm_seq : seq;
	/* in the middle of one it is half a step ahead */
	delta /= b->head->seq_step;
	p->mm_seq = seq / b->head->seq_step * b->head->seq_step;
	if (!delta)
		return;
	p->vm_changes += delta;
	p->changed |= PROC_VM;
}

static void take_memory(const struct bpf *b, struct proc *p, const struct proctable_record *r)
{
	int64_t file = QMEM_NA, anon = QMEM_NA, shmem = QMEM_NA, swap = QMEM_NA, rss = QMEM_NA, hwm = QMEM_NA;

	if (r->has_mm) {
		unsigned change = b->head->seq_step ? 0 : PROC_VM;

		file = pages(b, r->rss[PROCTABLE_FILE]);
		anon = pages(b, r->rss[PROCTABLE_ANON]);
		swap = pages(b, r->rss[PROCTABLE_SWAP]);
		shmem = pages(b, r->rss[PROCTABLE_SHMEM]);
		rss = file + anon + shmem;
		hwm = pages(b, (int64_t)r->hiwater_rss);
		hwm = hwm > rss ? hwm : rss;
		records_set(p, &p->vmsize, pages(b, (int64_t)r->total_vm), change);
		records_set(p, &p->vmdata, pages(b, (int64_t)r->data_vm), change);
		records_set(p, &p->pgtables, (int64_t)r->pgtables, change);
		take_changes(b, p, r);
	} else {
		records_set(p, &p->vmsize, QMEM_NA, PROC_VM);
		p->vmdata = p->pgtables = QMEM_NA;
	}
	records_set(p, &p->rss, rss, PROC_RSS);
	records_set(p, &p->anon, anon, PROC_RSS);
	records_set(p, &p->file, file, PROC_RSS);
	records_set(p, &p->shmem, shmem, PROC_RSS);
	records_set(p, &p->swap, swap, PROC_RSS);
	p->hwm = hwm;
}

static int64_t counted(uint32_t n)
{
	return n == PROCTABLE_NO_COUNT ? QMEM_NA : n;
}

/* What only those ask for that have said so. */
static void take_wanted(struct proc *p, const struct proctable_record *r)
{
	p->cminflt = (int64_t)r->cminflt;
	p->maps = r->has_mm && r->maps ? (int64_t)r->maps : QMEM_NA;
	p->fds = proc_is_gone(p) ? QMEM_NA : counted(r->fds);
	p->fd_limit = p->kthread || proc_is_gone(p) ? QMEM_NA : (int64_t)r->fd_limit;
}

/* All but the times and I/O. */
static struct proc *take(const struct bpf *b, struct records *records, const struct proctable_record *r)
{
	struct proc *p = records_enter(records, (int32_t)r->pid, (int64_t)r->start);
	char state = proc_state_letters[r->state < PROC_STATES ? r->state : PROC_OTHER];

	if (!p || (r->same && !(p->changed & PROC_BORN)))
		return NULL;
	p->kthread = r->flags & PROCTABLE_PF_KTHREAD;
	records_set_comm(p, r->comm);
	if (p->ppid != (int32_t)r->ppid || p->uid != r->uid || p->cgroups != r->cgroups || p->execs != r->execs)
		p->changed |= PROC_ID;
	p->ppid = (int32_t)r->ppid;
	p->uid = r->uid;
	p->cgroups = r->cgroups;
	if (p->state != state)
		p->changed |= PROC_STATE;
	p->state = state;
	p->threads = (int32_t)r->threads;
	take_memory(b, p, r);
	if (b->head->want)
		take_wanted(p, r);
	p->execs = r->execs;
	return p;
}

static void take_sums(const struct bpf *b, struct proc *p, const struct sums *s)
{
	records_set_times(p, s->utime, s->stime, s->runtime);
	/* a thread that ends while the others are counted is missing for one round */
	if (s->minflt > p->minflt)
		records_set(p, &p->minflt, s->minflt, PROC_RAN);
	if (s->majflt > p->majflt)
		records_set(p, &p->majflt, s->majflt, PROC_RAN);
	for (int i = 0; b->head->want && i < PROC_IOS; i++)
		if (s->io[i] > p->io[i])
			p->io[i] = s->io[i];
}

/* What is not counted is absent in each thread's share. */
static void add_io(int64_t to[PROC_IOS], const struct proctable_record *r)
{
	for (int i = 0; i < PROC_IOS; i++)
		if (r->io[i] > INT64_MAX)
			to[i] = QMEM_NA;
		else
			value_add(&to[i], (int64_t)r->io[i]);
}

static void add(struct sums *s, const struct proctable_record *r, bool want)
{
	s->utime += (int64_t)r->utime;
	s->stime += (int64_t)r->stime;
	s->runtime += (int64_t)r->runtime;
	s->minflt += (int64_t)r->minflt;
	s->majflt += (int64_t)r->majflt;
	if (want)
		add_io(s->io, r);
}

/* Before the kernel's part of a walk. */
static void set_wanted(const struct bpf *b, const struct records *records)
{
	struct proctable_head *head = b->head;
	bool want = records->want != 0;

	head->longs = PROCTABLE_ALL_LONGS;
	if (head->want != want)
		head->fresh = 1;
	head->want = want;
}

/* ---- walk ---- */

static bool cpus_changed(struct qmem *q, struct bpf *b)
{
	const char *text;

	return qmem_read(q, &b->online, &text) >= 0 && strcmp(text, b->cpus) != 0;
}

/* All threads that there are, and some more: more than there are processes. "0.00 0.01 0.05 1/209 4711" */
static size_t expected(struct qmem *q, const struct records *records)
{
	struct qmem_file file = QMEM_FILE("proc/loadavg");
	size_t n = 0;
	const char *text;

	if (qmem_read(q, &file, &text) > 0) {
		const char *slash = strchr(text, '/');

		n = slash ? strtoul(slash + 1, NULL, 10) : 0;
	}
	qmem_file_close(&file);
	n = records->expected > n ? records->expected : n;
	n += n / 2;
	n = n < RECORDS_FIRST ? RECORDS_FIRST : n;
	return n < records->max ? n : records->max;
}

/* After a burst it has far more room than it needs: it is made anew for those that there are. */
static bool is_idle(struct qmem *q, struct bpf *b, struct records *records)
{
	if (b->room <= 4 * RECORDS_FIRST || b->head->n >= b->room / 8)
		b->idle = 0;
	if (b->idle++ < IDLE_ROUNDS)
		return false;
	b->idle = 0;
	records->expected = b->head->n;
	return expected(q, records) < b->room / 4;
}

/* The kernel's part, which is done in one go. */
static int walk_run(struct qmem *q, struct bpf *b, struct records *records)
{
	int err;

	if (cpus_changed(q, b))
		return -EAGAIN;
	set_wanted(b, records);
	err = program_run(b->program);
	if (err)
		return err;
	b->at = 0;
	if (b->head->n <= b->room || b->room == records->max)
		return is_idle(q, b, records) ? -EAGAIN : 0;
	records->expected = b->head->n;
	return -EAGAIN;
}

static int walk_scan(struct qmem *q, struct records *records, void *backend)
{
	struct bpf *b = backend;
	struct proctable_head *head = b->head;
	size_t n;
	int err;

	if (!b->walking) {
		err = walk_run(q, b, records);
		if (err)
			return err;
	}
	n = head->n;
	b->walking = false;
	for (; b->at < n && b->at < b->room; b->at++) {
		const struct proctable_record *r = &b->records[b->at];
		struct proc *p = take(b, records, r);

		if (p) {
			struct sums sums = { .round = records->round };

			add(&sums, r, head->want);
			take_sums(b, p, &sums);
		}
		if (b->at % SLICE == SLICE - 1 && qmem_enough(q)) {
			b->at++;
			b->walking = true;
			return QMEM_MORE;
		}
	}
	if (n > b->room)
		records->totals.overflow += n - b->room;
	records->totals.threads = head->threads;
	for (int state = 0; state < PROCTABLE_STATES; state++)
		records->totals.states[state] = head->states[state];
	for (size_t i = 0; i < head->blocked_n && i < PROCTABLE_BLOCKED; i++)
		records_block(records, (int32_t)head->blocked[i].pid, (int32_t)head->blocked[i].tid,
			      (int64_t)head->blocked[i].start);
	if (head->blocked_n > PROCTABLE_BLOCKED)
		records->totals.blocked_overflow += head->blocked_n - PROCTABLE_BLOCKED;
	return 0;
}

/* ---- dump ---- */

static struct sums *sums_of(const struct bpf *b, const struct records *records, const struct proc *p)
{
	struct sums *s = &b->sums[p->slot];

	if (s->round != records->round)
		*s = (struct sums){ .round = records->round };
	return s;
}

static void take_one(struct bpf *b, struct records *records, const struct proctable_record *r)
{
	struct proc *p;

	if (r->state < PROC_STATES)
		records->totals.states[r->state]++;
	records->totals.threads++;
	if (r->state == PROC_BLOCKED && !r->frozen)
		records_block(records, (int32_t)r->pid, (int32_t)r->tid, (int64_t)r->start);
	/* threads come by their own ids: where these have begun again, one comes before the first of its process */
	p = r->tid == r->pid ? take(b, records, r) : records_find(records, (int32_t)r->pid);
	if (p)
		add(sums_of(b, records, p), r, b->head->want);
	else if (r->tid != r->pid && b->early_n < EARLY)
		b->early[b->early_n++] = *r;
}

static void take_early(struct bpf *b, const struct records *records)
{
	for (size_t i = 0; i < b->early_n; i++) {
		const struct proc *p = records_find(records, (int32_t)b->early[i].pid);

		if (p)
			add(sums_of(b, records, p), &b->early[i], b->head->want);
	}
	b->early_n = 0;
}

/* How much of the text was whole records. */
static size_t take_text(struct bpf *b, struct records *records, size_t len)
{
	size_t whole = b->head->want ? sizeof(struct proctable_record) : PROCTABLE_PLAIN_SIZE;
	size_t share = PROCTABLE_THREAD_SIZE + (b->head->want ? PROCTABLE_IO_SIZE : 0);
	struct proctable_record r = { 0 };
	size_t at = 0, size;

	for (; len - at >= PROCTABLE_THREAD_SIZE; at += size) {
		memcpy(&r, b->text + at, PROCTABLE_THREAD_SIZE);
		size = r.pid == r.tid ? whole : share;
		if (len - at < size)
			break;
		if (r.pid == r.tid)
			memcpy(&r, b->text + at, size);
		else
			memcpy(r.io, b->text + at + PROCTABLE_THREAD_SIZE, size - PROCTABLE_THREAD_SIZE);
		take_one(b, records, &r);
	}
	return at;
}

/* Where its buffer is the larger one, as with pages of 16K and 64K, the kernel cuts a record at the end of ours. */
static int dump_read(struct qmem *q, struct bpf *b, struct records *records)
{
	size_t used;

	for (;;) {
		ssize_t n = read(b->fd, b->text + b->have, DUMP_SIZE - b->have);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return b->have ? -EBADMSG : 0;
		b->have += (size_t)n;
		used = take_text(b, records, b->have);
		b->have -= used;
		memmove(b->text, b->text + used, b->have);
		if (qmem_enough(q))
			return QMEM_MORE;
	}
}

/* It cannot be read again: each walk needs a new one. */
static int dump_begin(struct qmem *q, struct bpf *b, const struct records *records)
{
	int fd;

	if (cpus_changed(q, b))
		return -EAGAIN;
	set_wanted(b, records);
	fd = program_iterate(b->link);
	if (fd < 0)
		return fd;
	b->fd = fd;
	b->have = 0;
	return 0;
}

static int dump_scan(struct qmem *q, struct records *records, void *backend)
{
	struct bpf *b = backend;
	int err = b->fd < 0 ? dump_begin(q, b, records) : 0;

	if (err)
		return err;
	err = dump_read(q, b, records);
	if (err == QMEM_MORE)
		return err;
	close(b->fd);
	b->fd = -1;
	take_early(b, records);
	for (size_t i = 0; i < records->order_n; i++) {
		struct proc *p = &records->slots[records->order[i]];

		take_sums(b, p, sums_of(b, records, p));
	}
	return err;
}

/* ---- loading ---- */

/* What is loaded, and the program in it that is kept. */
struct walker {
	const char *name;
	bool iterator;
	struct program_source source;
};

static const struct walker walk_program = { "walk", false, { walk_bpf__elf_bytes, 6, 7 } };
static const struct walker dump_program = { "dump", true, { dump_bpf__elf_bytes, 5, 8 } };

static int configure(struct qmem *q, struct bpf *b, struct proctable_config *config, struct backend_reason *why)
{
	const char *text;
	char words[128];
	size_t n = 0;
	ssize_t len = qmem_read(q, &b->online, &text);
	int err = len < 0 ? (int)len : cpulist_parse(text, (size_t)len, config->cpu, PROCTABLE_CPUS, &n);

	if (!err && (size_t)len >= sizeof(b->cpus))
		err = -ERANGE;
	if (err == -ERANGE)
		snprintf(why->text, sizeof(why->text), "more than %d CPUs are online", PROCTABLE_CPUS);
	else if (err)
		snprintf(why->text, sizeof(why->text), "which CPUs are online cannot be told from '/%s': %s",
			 b->online.path, len < 0 ? root_words(err, words, sizeof(words)) : "it is no list of numbers");
	if (err)
		return err;
	strcpy(b->cpus, text);
	config->cpus = (uint32_t)n;
	return 0;
}

/* What is kept of the loaded object: the program, and the memory of its maps. */
static int keep(const struct program *program, const struct walker *walker, struct bpf *b, struct backend_reason *why)
{
	int locate = program_fd(program, "locate"), err;

	b->program = program_fd(program, walker->name);
	err = b->program < 0 ? b->program : 0;
	if (!err)
		err = program_memory(program, ".bss", sizeof(*b->head), PROT_READ | PROT_WRITE, &b->head);
	if (!err && !walker->iterator)
		err = program_memory(program, "records", b->room * sizeof(*b->records), PROT_READ, &b->records);
	if (!err && locate >= 0) {
		err = program_run(locate);
		for (size_t i = 0; i < PROCTABLE_CPUS; i++)
			b->head->offset[i] = b->head->percpu[i] - b->head->percpu_base;
	}
	if (locate >= 0)
		close(locate);
	if (!err && walker->iterator) {
		b->link = program_attach_iterator(program, walker->name);
		err = b->link < 0 ? b->link : 0;
	}
	if (err)
		snprintf(why->text, sizeof(why->text), "cannot be set up: %s", strerror(-err));
	return err;
}

static int load(struct qmem *q, struct bpf *b, const struct walker *walker, bool locate, struct backend_reason *why)
{
	struct proctable_config config = { .located = locate };
	struct program program;
	int err = configure(q, b, &config, why);

	if (err)
		return err;
	err = program_open(&program, &walker->source, why->text, sizeof(why->text));
	if (!err)
		err = program_set(&program, ".rodata.config", &config, sizeof(config));
	if (!err && !walker->iterator)
		err = program_room(&program, "records", (uint32_t)b->room);
	if (!err && !locate)
		err = program_leave(&program, "locate");
	if (!err)
		err = program_load(&program, why->text, sizeof(why->text));
	if (!err)
		err = keep(&program, walker, b, why);
	program_close(&program);
	return err;
}

/* ---- life ---- */

static void bpf_close(void *backend)
{
	struct bpf *b = backend;

	if (b->fd >= 0)
		close(b->fd);
	if (b->link >= 0)
		close(b->link);
	if (b->program >= 0)
		close(b->program);
	if (b->head)
		munmap(b->head, whole_pages(sizeof(*b->head)));
	if (b->records)
		munmap(b->records, whole_pages(b->room * sizeof(*b->records)));
	room_unreserve(b->sums, b->sums_n, sizeof(*b->sums));
	room_unreserve(b->early, EARLY, sizeof(*b->early));
	qmem_file_close(&b->online);
	free(b->text);
	free(b);
}

static struct bpf *bpf_new(void)
{
	struct bpf *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->program = b->link = b->fd = -1;
	b->room = 1;
	b->page = sysconf(_SC_PAGESIZE);
	b->online = QMEM_FILE("sys/devices/system/cpu/online");
	return b;
}

static int walk_open(struct qmem *q, struct records *records, int64_t budget, void **ret, struct backend_reason *why)
{
	struct bpf *b = bpf_new();
	int err;

	(void)budget;
	if (!b)
		return -ENOMEM;
	b->room = expected(q, records);
	err = load(q, b, &walk_program, true, why);
	if (!err && !b->head->adjacent) {
		snprintf(why->text, sizeof(why->text), "the kernel keeps a process's counters apart");
		err = -ENOTSUP;
	}
	if (err)
		bpf_close(b);
	else
		*ret = b;
	return err;
}

static int dump_open(struct qmem *q, struct records *records, int64_t budget, void **ret, struct backend_reason *why)
{
	struct bpf *b = bpf_new();
	int err;

	(void)budget;
	if (!b)
		return -ENOMEM;
	/* `locate` needs Linux 5.19: before, there is nothing to be located */
	err = load(q, b, &dump_program, true, why);
	if (err && err != -EPERM && b->program < 0)
		err = load(q, b, &dump_program, false, why);
	if (err)
		goto out;
	b->text = malloc(DUMP_SIZE);
	b->sums_n = records->max;
	b->sums = room_reserve(b->sums_n, sizeof(*b->sums));
	b->early = room_reserve(EARLY, sizeof(*b->early));
	if (!b->sums || !b->early || !b->text)
		err = -ENOMEM;
out:
	if (err)
		bpf_close(b);
	else
		*ret = b;
	return err;
}

/* By the kernel's structures, not its version: some older ones have the counters of 6.2. */
static bool bpf_exact(const void *backend)
{
	return ((const struct bpf *)backend)->head->percpu_rss;
}

const struct backend backend_bpf = {
	.name = "bpf",
	.help = "a BPF program that walks the kernel's list",
	.verify = true,
	.wanted = true,
	.per_thread = true,
	.open = walk_open,
	.scan = walk_scan,
	.exact = bpf_exact,
	.close = bpf_close,
};

const struct backend backend_iter = {
	.name = "iter",
	.help = "a BPF task iterator",
	.verify = true,
	.wanted = true,
	.per_thread = true,
	.open = dump_open,
	.scan = dump_scan,
	.exact = bpf_exact,
	.close = bpf_close,
};
