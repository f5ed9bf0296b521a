/* SPDX-License-Identifier: MIT */
/*
 * The kernel's list of processes as a file, a record each. Linux 5.8. An object of its own: a kernel function that the kernel
 * does not have, as those of `walk` before 6.7, is looked for in its modules, which takes CAP_SYS_ADMIN.
 */
#include "task.bpf.h"

static __always_inline __s64 sum_of(__s64 value, __u64 counters)
{
	/* some kernels give a process its counters late */
	if (!counters)
		return value;
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
		r.state = (__u8)state_of(t);
		r.frozen = is_frozen(t);
		fill_times(&r, t);
		bpf_seq_write(ctx->meta->seq, &r, PROCTABLE_THREAD_SIZE);
		if (head.want) {
			add_io(&r, &t->ioac);
			bpf_seq_write(ctx->meta->seq, r.io, PROCTABLE_IO_SIZE);
		}
		return 0;
	}
	fill(&r, t);
	r.state = (__u8)state_of(t);
	r.frozen = is_frozen(t);
	mm = t->mm;
	if (mm && !(r.flags & PROCTABLE_PF_KTHREAD)) {
		fill_sizes(&r, mm);
		read_rss(&r, mm);
		/* still its own; and where its counters are is known */
		r.has_mm = t->mm == mm && (config.located || !bpf_core_field_exists(mm->rss_stat[0].counters));
	}
	if (head.want) {
		fill_wanted(&r, t, r.has_mm ? mm : NULL);
		bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	} else {
		bpf_seq_write(ctx->meta->seq, &r, PROCTABLE_PLAIN_SIZE);
	}
	return 0;
}
