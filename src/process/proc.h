/* SPDX-License-Identifier: MIT */
/* A process as the table has it, and what the table says of all of them. */
#ifndef QMEM_PROCESS_PROC_H
#define QMEM_PROCESS_PROC_H

#include <stdbool.h>
#include <stdint.h>

enum proc_change {
	PROC_BORN = 1, /* not in the round before */
	PROC_RAN = 2,  /* CPU time or faults */
	PROC_RSS = 4,  /* any of rss, swap */
	PROC_VM = 8,   /* the address space: vm_changes where it is known, else vmsize, vmdata, pgtables */
	PROC_ID = 16,  /* comm, uid, parent or cgroup: an exec, a setuid, ... */
	PROC_STATE = 32,
};

#define PROC_NO_UID UINT32_MAX

/* What is there only while it is wanted. */
enum proc_want {
	PROC_WANTED = 1,       /* where it costs no file */
	PROC_WANTED_FILES = 2, /* and else from files: three more for each process that has run */
};

/* As in /proc/PID/io. */
enum proc_io {
	PROC_RCHAR, /* bytes that read() and its like have returned, and write() has taken; from files, pipes, sockets, ... */
	PROC_WCHAR,
	PROC_SYSCR, /* calls of these */
	PROC_SYSCW,
	PROC_READ_BYTES,  /* that were fetched from storage for it */
	PROC_WRITE_BYTES, /* that it has made to be written to storage, some time later */
	PROC_CANCELLED, /* of such bytes, also of others': those that need not be written, as it has cut the file off or removed it */
	PROC_IOS
};

/*
 * One process. Amounts of memory are bytes, times nanoseconds; QMEM_NA is what the back end or the kernel does not say, and
 * memory of a process that has no address space: kernel threads, zombies.
 */
struct proc {
	int32_t pid; /* 0: the slot is free */
	int32_t ppid;
	uint32_t uid; /* real(*); PROC_NO_UID */
	uint32_t slot;
	uint32_t generation; /* of the slot; never 0 */
	uint32_t order;      /* the table's own: its place in the walk */
	uint64_t round;      /* that saw it last */
	int64_t start; /* since boot, time in suspend included; fds and files: to 1/CLK_TCK s. With pid, the key */
	char comm[16]; /* any bytes but NUL */
	char state;    /* of the first thread: R S D T t Z X P I */
	bool kthread;
	bool ended;      /* only of those in proctable_deaths() */
	uint8_t changed; /* enum proc_change, against the round before */
	int32_t threads;
	/* of all threads, also of those that have ended; scaled to the run time as the kernel does it */
	int64_t utime, stime;
	int64_t runtime; /* what the scheduler says, to the ns; bpf and iter */
	int64_t minflt, majflt;
	/* VmRSS, RssAnon, RssFile(*), RssShmem(*), VmSwap(*), with what is on per-CPU counters. Never stat's field 24. As in
	 * /proc, a process whose first thread has ended has none, although the others may hold some. Linux before 4.5 does not
	 * part files from shared memory: both are QMEM_NA there. */
	int64_t rss, anon, file, shmem, swap;
	int64_t vmsize;
	int64_t vmdata, hwm, pgtables; /* VmData(*), VmHWM(*), VmPTE(*) */
	/* Another one when it is moved in any hierarchy of cgroups; a mark, of bpf and iter. 0: not known: ask
	 * proctable_cgroups() now and then. */
	uint32_t cgroups;
	/* Times the address space was locked for a change since the process was first seen; bpf and iter, Linux 6.4. */
	int64_t vm_changes;
	uint32_t mm_seq; /* the table's own: what these are counted by */
	/* What tells one exec from the next. */
	uint32_t execs;      /* a count of them, of the first thread; bpf and iter */
	uint32_t startstack; /* a hash of stat's; fds and files. 0: not known */
	/*
	 * While a service wants them (proctable_want()); without BPF only where it wants them from files. None of these falls.
	 * As in /proc, they are of all threads, also of those that have ended, and of each child that has ended and that the
	 * process has waited for: what a child has read and written is there twice as long as both live, and moves to the
	 * parent. A child's cminflt and minflt have gone into its parent's cminflt if its I/O has gone there, too.
	 */
	int64_t io[PROC_IOS];
	int64_t cminflt;
	int64_t fds; /* open descriptors; QMEM_NA for kernel threads and zombies, and a table of more than PROC_FDS */
	int64_t fd_limit; /* RLIMIT_NOFILE, the soft one; likewise */
	int64_t maps;     /* of the address space, as vm.max_map_count counts them; bpf and iter: no file has it */
} __attribute__((aligned(64)));

#define PROC_FDS 262144 /* places in a table of descriptors: bpf and iter do not count a larger one */

enum proc_states {
	PROC_RUNNING,
	PROC_SLEEPING,
	PROC_BLOCKED,
	PROC_STOPPED,
	PROC_TRACED,
	PROC_DYING,
	PROC_ZOMBIE,
	PROC_PARKED,
	PROC_IDLE,
	PROC_OTHER,
	PROC_STATES
};
extern const char proc_state_letters[PROC_STATES + 1]; /* "RSDTtXZPI?" */
enum proc_states proc_state(char letter);

/* Its first thread has ended, and it has neither memory nor files of its own. */
static inline bool proc_is_gone(const struct proc *p)
{
	return p->state == 'Z' || p->state == 'X';
}

/* A thread in state D; with fds and files only first threads are seen. */
struct proc_task {
	int32_t pid, tid;
	int64_t start; /* of the thread; with tid, its key */
};

struct proctable_totals {
	uint64_t processes; /* in the table, kernel threads and zombies included */
	uint64_t kthreads;
	uint64_t threads;
	uint64_t overflow;            /* in this round, for want of room (MaxProcesses) */
	uint64_t blocked_overflow;    /* likewise, tasks beyond those in proctable_blocked() */
	uint64_t hidden;              /* whose files may not be read, or are malformed */
	uint64_t states[PROC_STATES]; /* of threads, or of processes if !per_thread */
	bool per_thread;              /* states and blocked tasks are those of all threads */
	bool exact; /* rss is a true sum; false: as this kernel's VmRSS is. Before Linux 6.2 that is up to 64 pages off for each
		     * thread; then, until it was mended in 6.16 and in kernels that took it over, 32 or more for each CPU */
};

#endif
