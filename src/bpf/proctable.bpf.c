/* SPDX-License-Identifier: MIT */
/* The kernel's list of processes as records: `walk` fills an array (Linux 6.7), `dump` a file (5.8). */
#include "vmlinux_min.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <stdbool.h>
#include <stddef.h>

#include "proctable.h"

#define NOLOAD 0x400 /* with D: idle */
#define RTLOCK_OR_FROZEN (0x1000 | 0x8000)
#define ALL_THREADS 1
#define REFRESH 16 /* walks after which all of a process is read, even if it has slept */

char LICENSE[] SEC("license") = "Dual MIT/GPL";

const volatile struct proctable_config config SEC(".rodata.config") = {};
struct proctable_head head = {};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct proctable_record);
} records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} probe SEC(".maps");

extern int bpf_iter_task_new(struct bpf_iter_task *it, struct task_struct *task, unsigned flags) __ksym __weak;
extern struct task_struct *bpf_iter_task_next(struct bpf_iter_task *it) __ksym __weak;
extern void bpf_iter_task_destroy(struct bpf_iter_task *it) __ksym __weak;
extern void bpf_rcu_read_lock(void) __ksym __weak;
extern void bpf_rcu_read_unlock(void) __ksym __weak;
extern void *bpf_rdonly_cast(void *obj, __u32 btf_id) __ksym __weak;

/* ---- one task ---- */

/*
 * The index of what /proc/PID/stat would say. A function of its own, since the verifier looks at a global one once, and takes
 * any number for its result: inlined it would follow each of the results through all that comes after.
 */
__noinline __u32 state_index(__u32 state, __u32 exit_state)
{
	__u32 all = state | exit_state;

	if (state & RTLOCK_OR_FROZEN)
		return 2;
	if ((state & (2 | NOLOAD)) == (2 | NOLOAD))
		return 8;
	for (int bit = 6; bit >= 0; bit--)
		if (all & (1u << bit))
			return (__u32)bit + 1;
	return 0;
}

static __always_inline __u32 state_of(struct task_struct *t)
{
	__u32 state;

	if (bpf_core_field_exists(t->__state))
		state = t->__state;
	else
		state = (__u32)((struct task_struct___old *)t)->state;
	return state_index(state, (__u32)t->exit_state);
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

static __always_inline __u64 cgroup_of(struct task_struct *t)
{
	struct css_set *set = t->cgroups;
	struct cgroup *cgroup;

	if (config.memory_v1 && bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id)) {
		struct cgroup_subsys_state *css = NULL;
		__u64 at = bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id) * sizeof(css);

		bpf_probe_read_kernel(&css, sizeof(css), (char *)set + bpf_core_field_offset(set->subsys) + at);
		cgroup = BPF_CORE_READ(css, cgroup);
		return BPF_CORE_READ(cgroup, kn, id);
	}
	return set->dfl_cgrp->kn->id;
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
	r->cgroup = cgroup_of(t);
}

/* ---- walk: all records in one call ---- */

static __always_inline void count(struct task_struct *t, __u32 state)
{
	head.threads++;
	if (state < PROCTABLE_STATES)
		head.states[state]++;
	if (state == 2) {
		__u32 n = head.blocked_n++;

		if (n < PROCTABLE_BLOCKED) {
			struct proctable_task *blocked = &head.blocked[n & (PROCTABLE_BLOCKED - 1)];

			blocked->pid = (__u32)t->tgid;
			blocked->tid = (__u32)t->pid;
			blocked->start = t->start_boottime;
		}
	}
}

/*
 * The counters of one CPU are four ints in a row: one load of two longs, of a type that has nothing but such. The verifier
 * lets no program load more than eight bytes at once, but it does let it load. It is a global function for the same reason
 * as above: as many CPUs as there are, once, and not for every way that leads here.
 */
__noinline int add_cpus(void)
{
	__u64 counters = head.counters;
	__s64 file = 0, anon = 0, swap = 0, shmem = 0;

	for (__u32 i = 0; i < config.cpus && i < PROCTABLE_CPUS; i++) {
		const struct timespec64 *here = bpf_rdonly_cast((void *)(counters + head.offset[i]),
								bpf_core_type_id_kernel(struct timespec64));
		__s64 low = here->tv_sec, high = here->tv_nsec;

		file += (__s32)low;
		anon += low >> 32;
		swap += (__s32)high;
		shmem += high >> 32;
	}
	head.sum[PROCTABLE_FILE] = file;
	head.sum[PROCTABLE_ANON] = anon;
	head.sum[PROCTABLE_SWAP] = swap;
	head.sum[PROCTABLE_SHMEM] = shmem;
	return 0;
}

static __always_inline void fill_rss(struct proctable_record *r, struct mm_struct *mm)
{
	/* a pointer is no argument, but memory makes a number of it */
	head.counters = (__u64)mm->rss_stat[0].counters;
	add_cpus();
	r->rss[PROCTABLE_FILE] = mm->rss_stat[PROCTABLE_FILE].count + head.sum[PROCTABLE_FILE];
	r->rss[PROCTABLE_ANON] = mm->rss_stat[PROCTABLE_ANON].count + head.sum[PROCTABLE_ANON];
	r->rss[PROCTABLE_SWAP] = mm->rss_stat[PROCTABLE_SWAP].count + head.sum[PROCTABLE_SWAP];
	r->rss[PROCTABLE_SHMEM] = mm->rss_stat[PROCTABLE_SHMEM].count + head.sum[PROCTABLE_SHMEM];
}

/*
 * A process that has not run since the walk before, nor runs now, has done nothing: only others can have changed its RSS,
 * by reclaim. What else they can change (its parent, its cgroup, its name) is read now and then. Memory is what a walk over
 * thousands of processes waits for, and this touches half as much.
 */
static __always_inline bool has_slept(const struct proctable_record *r, struct task_struct *t, struct mm_struct *mm,
				      __u32 state, __u32 i)
{
	return r->pid == (__u32)t->tgid && r->own && r->own == t->se.sum_exec_runtime && state && r->threads == 1 &&
	       t->signal->nr_threads == 1 && r->has_mm == (mm != NULL) && (i + head.round) % REFRESH;
}

static __always_inline void fill_slept(struct proctable_record *r, struct task_struct *t, struct mm_struct *mm,
				       __u32 state)
{
	__s64 file = r->rss[PROCTABLE_FILE], anon = r->rss[PROCTABLE_ANON];
	__s64 swap = r->rss[PROCTABLE_SWAP], shmem = r->rss[PROCTABLE_SHMEM];
	bool same = r->state == state;

	r->state = state;
	if (mm) {
		fill_rss(r, mm);
		r->has_mm = t->mm == mm;
		same = same && r->has_mm && r->rss[PROCTABLE_FILE] == file && r->rss[PROCTABLE_ANON] == anon &&
		       r->rss[PROCTABLE_SWAP] == swap && r->rss[PROCTABLE_SHMEM] == shmem;
	}
	r->same = same;
	if (mm && !same)
		fill_sizes(r, mm);
}

static __always_inline void fill_all(struct proctable_record *r, struct task_struct *t, struct mm_struct *mm,
				     __u32 state)
{
	fill(r, t);
	r->own = t->se.sum_exec_runtime;
	r->state = state;
	r->same = 0;
	r->has_mm = 0;
	if (!mm)
		return;
	fill_sizes(r, mm);
	fill_rss(r, mm);
	/* still its own: it was not freed under us */
	r->has_mm = t->mm == mm;
}

SEC("syscall")
int walk(void *ctx)
{
	struct proctable_record *r = NULL;
	struct bpf_iter_task it;
	struct task_struct *t;

	(void)ctx;
	head.n = 0;
	head.blocked_n = 0;
	head.threads = 0;
	head.round++;
	for (int i = 0; i < PROCTABLE_STATES; i++)
		head.states[i] = 0;

	bpf_rcu_read_lock();
	bpf_iter_task_new(&it, NULL, ALL_THREADS);
	while ((t = bpf_iter_task_next(&it))) {
		__u32 state;

		if (!t->tgid)
			continue;
		state = state_of(t);
		count(t, state);
		/* the first thread comes first, the others right behind */
		if (t->pid == t->tgid) {
			/* a kernel thread may have borrowed one */
			struct mm_struct *mm = t->flags & PROCTABLE_PF_KTHREAD ? NULL : t->mm;
			__u32 i = head.n++;

			r = bpf_map_lookup_elem(&records, &i);
			if (!r)
				continue;
			if (has_slept(r, t, mm, state, i))
				fill_slept(r, t, mm, state);
			else
				fill_all(r, t, mm, state);
		} else if (r && (__u32)t->tgid == r->pid) {
			r->utime += t->utime;
			r->stime += t->stime;
			r->runtime += t->se.sum_exec_runtime;
			r->minflt += t->min_flt;
			r->majflt += t->maj_flt;
		}
	}
	bpf_iter_task_destroy(&it);
	bpf_rcu_read_unlock();
	return 0;
}

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
	head.adjacent = mm && (__u64)mm->rss_stat[1].counters == (__u64)mm->rss_stat[0].counters + sizeof(int) &&
			(__u64)mm->rss_stat[2].counters == (__u64)mm->rss_stat[0].counters + 2 * sizeof(int) &&
			(__u64)mm->rss_stat[3].counters == (__u64)mm->rss_stat[0].counters + 3 * sizeof(int);
	return 0;
}

/* ---- dump: a record each, as a file ---- */

static __always_inline __s64 sum_of(__s64 value, __u64 counters)
{
	for (__u32 i = 0; i < config.cpus && i < PROCTABLE_CPUS; i++) {
		__s32 here = 0;

		bpf_probe_read_kernel(&here, sizeof(here), (void *)(counters + head.offset[i]));
		value += here;
	}
	return value;
}

/* An index that is no constant would not be relocated: the elements have another size here. */
static __always_inline void read_rss(struct proctable_record *r, struct mm_struct *mm)
{
	if (bpf_core_field_exists(mm->rss_stat[0].counters)) {
		r->rss[0] = sum_of(mm->rss_stat[0].count, (__u64)mm->rss_stat[0].counters);
		r->rss[1] = sum_of(mm->rss_stat[1].count, (__u64)mm->rss_stat[1].counters);
		r->rss[2] = sum_of(mm->rss_stat[2].count, (__u64)mm->rss_stat[2].counters);
		r->rss[3] = sum_of(mm->rss_stat[3].count, (__u64)mm->rss_stat[3].counters);
	} else {
		struct mm_struct___split *split = (struct mm_struct___split *)mm;

		/* the verifiers of these kernels do not look into an array of structures */
		r->rss[0] = BPF_CORE_READ(split, rss_stat.count[0].counter);
		r->rss[1] = BPF_CORE_READ(split, rss_stat.count[1].counter);
		r->rss[2] = BPF_CORE_READ(split, rss_stat.count[2].counter);
		r->rss[3] = BPF_CORE_READ(split, rss_stat.count[3].counter);
	}
}

SEC("iter/task")
int dump(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	struct proctable_record r = {};
	struct mm_struct *mm;

	if (!t || !t->tgid)
		return 0;
	if (t->pid != t->tgid) {
		r.pid = (__u32)t->tgid;
		r.tid = (__u32)t->pid;
		r.state = state_of(t);
		fill_times(&r, t);
		bpf_seq_write(ctx->meta->seq, &r, PROCTABLE_THREAD_SIZE);
		return 0;
	}
	fill(&r, t);
	r.state = state_of(t);
	mm = t->mm;
	if (mm && !(r.flags & PROCTABLE_PF_KTHREAD)) {
		fill_sizes(&r, mm);
		read_rss(&r, mm);
		r.has_mm = t->mm == mm;
	}
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}
