/* SPDX-License-Identifier: MIT */
/* What `walk` and `dump` have in common: a task as a record, and where the counters of each CPU are. */
#ifndef QMEM_BPF_TASK_BPF_H
#define QMEM_BPF_TASK_BPF_H

#include "vmlinux_min.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <stdbool.h>
#include <stddef.h>

#include "proctable.h"

#define UNINTERRUPTIBLE 2
#define NOLOAD 0x400 /* with that: idle */
#define RTLOCK 0x1000
#define FROZEN 0x8000 /* Linux 6.1 */
#define RLIMIT_NOFILE 7

char LICENSE[] SEC("license") = "Dual MIT/GPL";

const volatile struct proctable_config config SEC(".rodata.config") = {};
struct proctable_head head = {};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} probe SEC(".maps");

/* ---- one task ---- */

/*
 * The index of what /proc/PID/stat would say. A function of its own, since the verifier looks at a global one once, and takes
 * any number for its result: inlined it would follow each of the results through all that comes after.
 */
__noinline __u32 state_index(__u32 state, __u32 exit_state)
{
	__u32 all = state | exit_state;

	if (state & (RTLOCK | FROZEN))
		return PROCTABLE_BLOCKED_STATE;
	if ((state & (UNINTERRUPTIBLE | NOLOAD)) == (UNINTERRUPTIBLE | NOLOAD))
		return PROCTABLE_IDLE_STATE;
	for (int bit = 6; bit >= 0; bit--)
		if (all & (1u << bit))
			return (__u32)bit + 1;
	return 0;
}

static __always_inline __u32 raw_state(struct task_struct *t)
{
	if (bpf_core_field_exists(t->__state))
		return t->__state;
	return (__u32)((struct task_struct___old *)t)->state;
}

static __always_inline __u32 state_of(struct task_struct *t)
{
	return state_index(raw_state(t), (__u32)t->exit_state);
}

/* State D only because the freezer of cgroup v1 has stopped it: it waits for nothing. */
static __always_inline bool is_frozen(struct task_struct *t)
{
	return raw_state(t) & FROZEN ||
	       (t->flags & (PROCTABLE_PF_FROZEN | PROCTABLE_PF_KTHREAD)) == PROCTABLE_PF_FROZEN;
}

static __always_inline void fill_times(struct proctable_record *r, struct task_struct *t)
{
	r->start = t->start_boottime;
	r->utime = t->utime;
	r->stime = t->stime;
	r->runtime = t->se.sum_exec_runtime;
	r->minflt = t->min_flt;
	r->majflt = t->maj_flt;
}

static __always_inline void fill_sizes(struct proctable_record *r, struct mm_struct *mm)
{
	r->hiwater_rss = mm->hiwater_rss;
	r->total_vm = mm->total_vm;
	r->data_vm = mm->data_vm;
	r->pgtables = (__u64)mm->pgtables_bytes.counter;
	if (bpf_core_field_exists(((struct mm_struct___seq *)mm)->mm_lock_seq.sequence))
		r->mm_seq = ((struct mm_struct___seq *)mm)->mm_lock_seq.sequence;
	else if (bpf_core_field_exists(((struct mm_struct___int *)mm)->mm_lock_seq))
		r->mm_seq = (__u32)((struct mm_struct___int *)mm)->mm_lock_seq;
	else
		r->mm_seq = 0;
}

static __always_inline __u32 seq_step(void)
{
	struct mm_struct___seq *mm = NULL;

	if (bpf_core_field_exists(mm->mm_lock_seq.sequence))
		return 2;
	return bpf_core_field_exists(((struct mm_struct___int *)mm)->mm_lock_seq) ? 1 : 0;
}

/* All the cgroups that a task is in, of each hierarchy one, are one set: another set, another cgroup. Where the kernel keeps it
 * is nobody's business, and memory makes a number of a pointer. */
static __always_inline __u32 cgroups_of(struct task_struct *t)
{
	__u64 set = 0;

	if (!bpf_core_field_exists(t->cgroups))
		return 0;
	bpf_probe_read_kernel(&set, sizeof(set), &t->cgroups);
	return (__u32)(set * 0x9e3779b97f4a7c15 >> 32) | 1;
}

/* All but the RSS. */
static __always_inline void fill(struct proctable_record *r, struct task_struct *t)
{
	struct signal_struct *signal = t->signal;

	fill_times(r, t);
	r->pid = (__u32)t->tgid;
	r->tid = (__u32)t->pid;
	r->utime += signal->utime;
	r->stime += signal->stime;
	r->runtime += signal->sum_sched_runtime;
	r->minflt += signal->min_flt;
	r->majflt += signal->maj_flt;
	r->threads = (__u32)signal->nr_threads;
	r->flags = t->flags;
	r->ppid = (__u32)t->real_parent->tgid;
	r->uid = t->real_cred->uid.val;
	__builtin_memcpy(r->comm, t->comm, sizeof(r->comm));
	r->execs = (__u32)t->self_exec_id;
	r->cgroups = cgroups_of(t);
}

/* ---- what is there only while it is wanted ---- */

#define ADD_IO(field_, index_)                                                                                         \
	do {                                                                                                           \
		if (bpf_core_field_exists(io->field_))                                                                 \
			r->io[index_] += io->field_;                                                                   \
		else                                                                                                   \
			r->io[index_] = ~0ull;                                                                         \
	} while (0)

static __always_inline void add_io(struct proctable_record *r, struct task_io_accounting *io)
{
	ADD_IO(rchar, PROCTABLE_RCHAR);
	ADD_IO(wchar, PROCTABLE_WCHAR);
	ADD_IO(syscr, PROCTABLE_SYSCR);
	ADD_IO(syscw, PROCTABLE_SYSCW);
	ADD_IO(read_bytes, PROCTABLE_READ_BYTES);
	ADD_IO(write_bytes, PROCTABLE_WRITE_BYTES);
	ADD_IO(cancelled_write_bytes, PROCTABLE_CANCELLED);
}

static __always_inline __u32 ones(__u64 bits)
{
	bits -= bits >> 1 & 0x5555555555555555;
	bits = (bits & 0x3333333333333333) + (bits >> 2 & 0x3333333333333333);
	bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0f;
	return (__u32)(bits * 0x0101010101010101 >> 56);
}

#define CHUNK 8 /* longs */

/* Global, so that the verifier goes through the loop once, and not for every way that leads here. */
__noinline __u32 count_ones(__u64 bitmap, __u32 longs)
{
	__u32 n = 0;

	for (__u32 i = 0; i < PROCTABLE_LONGS / CHUNK; i++) {
		__u64 chunk[CHUNK] = {};
		__u64 size = (longs - i * CHUNK) * sizeof(*chunk);

		if (i * CHUNK >= longs)
			break;
		/* so that the compiler leaves the next line to the verifier */
		barrier_var(size);
		if (size > sizeof(chunk))
			size = sizeof(chunk);
		bpf_probe_read_kernel(chunk, size, (void *)(bitmap + i * sizeof(chunk)));
		for (int k = 0; k < CHUNK; k++)
			n += ones(chunk[k]);
	}
	return n;
}

/* Those that are open, which is what /proc/PID/fd has, by the bitmap that the kernel looks for free ones in. */
static __always_inline __u32 count_fds(struct task_struct *t)
{
	struct files_struct *files = t->files;
	struct fdtable *table;
	__u64 bitmap = 0;
	__u32 longs, n;

	/* it is about to end */
	if (!files)
		return 0;
	table = files->fdt;
	longs = table->max_fds / 64;
	if (longs > PROCTABLE_LONGS || longs > head.longs)
		return PROCTABLE_NO_COUNT;
	head.longs -= longs;
	/* a pointer is no argument, but memory makes a number of it */
	bpf_probe_read_kernel(&bitmap, sizeof(bitmap), &table->open_fds);
	n = count_ones(bitmap, longs);
	/* still its own: it was not freed under us */
	return t->files == files ? n : PROCTABLE_NO_COUNT;
}

static __always_inline void fill_wanted(struct proctable_record *r, struct task_struct *t, struct mm_struct *mm)
{
	struct signal_struct *signal = t->signal;
	__u64 limit = BPF_CORE_READ(signal, rlim[RLIMIT_NOFILE].rlim_cur);

	__builtin_memset(r->io, 0, sizeof(r->io));
	/* of the threads that have ended, and of the children that were waited for */
	add_io(r, &signal->ioac);
	add_io(r, &t->ioac);
	r->cminflt = signal->cmin_flt;
	r->maps = mm ? (__u32)mm->map_count : 0;
	r->fd_limit = limit < PROCTABLE_NO_COUNT ? (__u32)limit : PROCTABLE_NO_COUNT;
	r->fds = t->flags & PROCTABLE_PF_KTHREAD ? PROCTABLE_NO_COUNT : count_fds(t);
}

/* ---- the areas of the CPUs ---- */

/* Where the per-CPU areas are, without the symbols that many kernels do not tell: those of a variable of our own. */
SEC("syscall")
int locate(void *ctx)
{
	struct mm_struct *mm = bpf_get_current_task_btf()->mm;
	struct bpf_map *map = (struct bpf_map *)&probe;
	__u32 zero = 0;
	__u64 array = 0;

	(void)ctx;
	bpf_probe_read_kernel(&array, sizeof(array), &map);
	bpf_probe_read_kernel(&head.percpu_base, sizeof(head.percpu_base),
			      (void *)(array + bpf_core_field_offset(struct bpf_array, pptrs)));
	for (__u32 i = 0; i < config.cpus && i < PROCTABLE_CPUS; i++) {
		__u64 *here = bpf_map_lookup_percpu_elem(&probe, &zero, config.cpu[i]);

		head.percpu[i] = (__u64)here;
	}
	head.seq_step = seq_step();
	if (bpf_core_field_exists(mm->rss_stat[0].counters)) {
		head.percpu_rss = 1;
		head.adjacent = mm &&
				(__u64)mm->rss_stat[1].counters == (__u64)mm->rss_stat[0].counters + sizeof(int) &&
				(__u64)mm->rss_stat[2].counters == (__u64)mm->rss_stat[0].counters + 2 * sizeof(int) &&
				(__u64)mm->rss_stat[3].counters == (__u64)mm->rss_stat[0].counters + 3 * sizeof(int);
	}
	return 0;
}

#endif
