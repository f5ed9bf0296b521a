/* SPDX-License-Identifier: MIT */
/* What the BPF programs of the process table and their reader share. */
#ifndef QMEM_BPF_PROCTABLE_H
#define QMEM_BPF_PROCTABLE_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#define PROCTABLE_CPUS 1024
#define PROCTABLE_BLOCKED 1024 /* a power of two */
#define PROCTABLE_STATES 10    /* R S D T t X Z P I ?: in the order of /proc/PID/stat's bits; of these: */
#define PROCTABLE_BLOCKED_STATE 2
#define PROCTABLE_DEAD_STATE 5
#define PROCTABLE_ZOMBIE_STATE 6
#define PROCTABLE_IDLE_STATE 8
#define PROCTABLE_PF_KTHREAD 0x00200000
#define PROCTABLE_PF_FROZEN 0x00010000 /* before Linux 6.1; later only of kernel threads, with another meaning */

#define PROCTABLE_LONGS (4u << 10)      /* of a bitmap of descriptors, 64 each: a larger one is not counted */
#define PROCTABLE_ALL_LONGS (64u << 10) /* of all of them in a walk: whoever makes many large ones makes no walk long */
#define PROCTABLE_NO_COUNT 0xffffffffu

enum proctable_counter { PROCTABLE_FILE, PROCTABLE_ANON, PROCTABLE_SWAP, PROCTABLE_SHMEM, PROCTABLE_COUNTERS };

/* What a task has read and written, in the kernel's words. */
enum proctable_io {
	PROCTABLE_RCHAR,
	PROCTABLE_WCHAR,
	PROCTABLE_SYSCR,
	PROCTABLE_SYSCW,
	PROCTABLE_READ_BYTES,
	PROCTABLE_WRITE_BYTES,
	PROCTABLE_CANCELLED,
	PROCTABLE_IOS
};

/* Set before the programs are loaded. */
struct proctable_config {
	__u32 cpus;    /* those that are online */
	__u32 located; /* `locate` will have been run */
	__u32 cpu[PROCTABLE_CPUS];
};

/*
 * A process, or (dump) the share of one thread that is not the first: then tid != pid, and what is behind the times is not
 * there. Four cache lines; of a process that sleeps, `walk` needs only the first, and the last is there only while it is wanted.
 */
struct proctable_record {
	__u32 pid, tid;
	__u64 start;
	__u64 own; /* run time of the first thread */
	__u32 threads;
	__u8 state;
	__u8 same;                     /* nothing has changed since the walk before */
	__u8 has_mm;                   /* 0: all that is memory is to be ignored */
	__u8 frozen;                   /* dump only: the freezer has stopped it */
	__s64 rss[PROCTABLE_COUNTERS]; /* pages */

	__u64 utime, stime, runtime, minflt, majflt;
	__u32 ppid, uid, flags;
	__u32 execs; /* a count of them, inherited: another one is another address space */
	__u64 mm_seq;

	char comm[16];
	__u32 cgroups; /* a mark of all that it is in */
	__u32 maps;    /* while they are wanted, like what is behind pgtables; 0: no address space */
	__u64 hiwater_rss, total_vm, data_vm; /* pages */
	__u64 pgtables;                       /* bytes */
	__u64 cminflt;                        /* of the children that it has waited for */

	__u64 io[PROCTABLE_IOS]; /* all bits: this kernel does not count it */
	__u32 fds, fd_limit;     /* PROCTABLE_NO_COUNT: it has no descriptors, or they were not counted */
} __attribute__((aligned(64)));
#define PROCTABLE_THREAD_SIZE offsetof(struct proctable_record, ppid)
#define PROCTABLE_PLAIN_SIZE                                                                                           \
	offsetof(struct proctable_record, io)             /* what `dump` writes of it where no more is wanted ... */
#define PROCTABLE_IO_SIZE (sizeof(__u64) * PROCTABLE_IOS) /* ... and else, behind the share of a thread: its io */

struct proctable_task {
	__u32 pid, tid;
	__u64 start;
};

/* What `walk` and `locate` say beside the records. */
struct proctable_head {
	__u32 n;         /* processes seen; those beyond the array have no record */
	__u32 blocked_n; /* threads in state D, likewise */
	__u32 round;     /* of walks */
	__u64 threads;
	__u64 states[PROCTABLE_STATES];
	/* locate */
	__u64 percpu_base;            /* of a per-CPU variable, as the kernel keeps it ... */
	__u64 percpu[PROCTABLE_CPUS]; /* ... and where it is for config.cpu[i] */
	__u32 percpu_rss;             /* the RSS is counted by CPU (Linux 6.2, and backports) ... */
	__u32 adjacent;               /* ... and the four counters of a process lie side by side */
	__u32 seq_step;               /* what a change of the address space adds to mm_seq; 0: there is no mm_seq */
	/* to `walk` and `dump` */
	__u32 want;  /* io, descriptors and maps, too */
	__u32 fresh; /* to `walk`: once, nobody is taken for one that has slept */
	__u32 longs; /* of bitmaps of descriptors that may still be counted */
	/* what to add for config.cpu[i] */
	__u64 offset[PROCTABLE_CPUS];
	struct proctable_task blocked[PROCTABLE_BLOCKED];
	__u64 counters; /* the program's own: where add_cpus() looks ... */
	__s64 sum[4];   /* ... and what it has found */
};

#endif
