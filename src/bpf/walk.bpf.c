/* SPDX-License-Identifier: MIT */
/* The kernel's list of processes, all records in one call. Linux 6.7. */
#include "task.bpf.h"

enum { ALL_PROCS = 0, PROC_THREADS = 2 };

#define REFRESH 16 /* walks after which all of a process is read, even if it has slept */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct proctable_record);
} records SEC(".maps");

extern int bpf_iter_task_new(struct bpf_iter_task *it, struct task_struct *task, unsigned flags) __ksym __weak;
extern struct task_struct *bpf_iter_task_next(struct bpf_iter_task *it) __ksym __weak;
extern void bpf_iter_task_destroy(struct bpf_iter_task *it) __ksym __weak;
extern struct task_struct *bpf_task_acquire(struct task_struct *task) __ksym __weak;
extern void bpf_task_release(struct task_struct *task) __ksym __weak;
extern void bpf_rcu_read_lock(void) __ksym __weak;
extern void bpf_rcu_read_unlock(void) __ksym __weak;
extern void *bpf_rdonly_cast(void *obj, __u32 btf_id) __ksym __weak;

static __always_inline void count(struct task_struct *t, __u32 state)
{
	head.threads++;
	if (state < PROCTABLE_STATES)
		head.states[state]++;
	if (state == PROCTABLE_BLOCKED_STATE && !is_frozen(t)) {
		__u32 n = head.blocked_n++;

		if (n < PROCTABLE_BLOCKED) {
			struct proctable_task *blocked = &head.blocked[n & (PROCTABLE_BLOCKED - 1)];

			blocked->pid = (__u32)t->tgid;
			blocked->tid = (__u32)t->pid;
			blocked->start = t->start_boottime;
		}
	}
}

/* Which half of a load is the int that comes first. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FIRST(two) ((__s32)(two))
#define SECOND(two) ((two) >> 32)
#else
#define FIRST(two) ((two) >> 32)
#define SECOND(two) ((__s32)(two))
#endif

/*
 * The counters of one CPU are four ints in a row: one load of two longs, of a type that has nothing but such. The verifier
 * lets no program load more than eight bytes at once, but it does let it load. It is a global function for the same reason
 * as above: as many CPUs as there are, once, and not for every way that leads here.
 */
__noinline int add_cpus(void)
{
	__u64 counters = head.counters;
	__s64 file = 0, anon = 0, swap = 0, shmem = 0;

	for (__u32 i = 0; counters && i < config.cpus && i < PROCTABLE_CPUS; i++) {
		const struct timespec64 *here = bpf_rdonly_cast((void *)(counters + head.offset[i]),
								bpf_core_type_id_kernel(struct timespec64));
		__s64 two = here->tv_sec, more = here->tv_nsec;

		file += FIRST(two);
		anon += SECOND(two);
		swap += FIRST(more);
		shmem += SECOND(more);
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
 * A process whose only thread has not run since the walk before, nor may run now, has done nothing: it has neither ended nor
 * begun a thread, and only others can have changed its RSS, by reclaim. What else they can change (its parent, its cgroup,
 * its name) is read now and then. A walk over thousands of processes waits for the memory it touches, and this is half.
 */
static __always_inline bool has_slept(const struct proctable_record *r, struct task_struct *t, struct mm_struct *mm,
				      __u32 i)
{
	return r->pid == (__u32)t->tgid && r->own && r->own == t->se.sum_exec_runtime && r->threads == 1 &&
	       r->state != PROCTABLE_DEAD_STATE && r->state != PROCTABLE_ZOMBIE_STATE && r->has_mm == (mm != NULL) &&
	       (i + head.round) % REFRESH && !head.fresh;
}

static __always_inline void fill_slept(struct proctable_record *r, struct task_struct *t, struct mm_struct *mm,
				       __u32 state)
{
	__s64 file = r->rss[PROCTABLE_FILE], anon = r->rss[PROCTABLE_ANON];
	__s64 swap = r->rss[PROCTABLE_SWAP], shmem = r->rss[PROCTABLE_SHMEM];
	bool same = r->state == state;

	r->state = (__u8)state;
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
	/* before all that it vouches for: what is read while it still runs must not pass for the last word */
	r->own = t->se.sum_exec_runtime;
	barrier();
	fill(r, t);
	if (head.want)
		fill_wanted(r, t, mm);
	r->state = (__u8)state;
	r->same = 0;
	r->has_mm = 0;
	if (!mm)
		return;
	fill_sizes(r, mm);
	fill_rss(r, mm);
	/* still its own: it was not freed under us */
	r->has_mm = t->mm == mm;
}

/* The threads beside the first: state and times. */
static __always_inline void add_threads(struct proctable_record *r, struct task_struct *t)
{
	struct task_struct *leader = bpf_task_acquire(t), *thread;
	struct bpf_iter_task it;

	if (!leader)
		return;
	bpf_iter_task_new(&it, leader, PROC_THREADS);
	while ((thread = bpf_iter_task_next(&it))) {
		if (thread->pid == thread->tgid)
			continue;
		count(thread, state_of(thread));
		if (!r)
			continue;
		r->utime += thread->utime;
		r->stime += thread->stime;
		r->runtime += thread->se.sum_exec_runtime;
		r->minflt += thread->min_flt;
		r->majflt += thread->maj_flt;
		if (head.want)
			add_io(r, &thread->ioac);
	}
	bpf_iter_task_destroy(&it);
	bpf_task_release(leader);
}

static __always_inline void take(struct task_struct *t)
{
	/* a kernel thread may have borrowed one */
	struct mm_struct *mm = t->flags & PROCTABLE_PF_KTHREAD ? NULL : t->mm;
	__u32 i = head.n++, state = state_index(t->__state, 0);
	struct proctable_record *r = bpf_map_lookup_elem(&records, &i);

	if (r && state && has_slept(r, t, mm, i)) {
		count(t, state);
		fill_slept(r, t, mm, state);
		return;
	}
	state = state_of(t);
	count(t, state);
	if (r)
		fill_all(r, t, mm, state);
	if (t->signal->nr_threads > 1)
		add_threads(r, t);
}

SEC("syscall")
int walk(void *ctx)
{
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
	bpf_iter_task_new(&it, NULL, ALL_PROCS);
	while ((t = bpf_iter_task_next(&it)))
		if (t->tgid)
			take(t);
	bpf_iter_task_destroy(&it);
	bpf_rcu_read_unlock();
	head.fresh = 0;
	return 0;
}
