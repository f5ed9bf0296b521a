/* SPDX-License-Identifier: MIT */
/*
 * The processes of this machine, walked once a tick for all services that need them: `.needs = &proctable_service`, and in
 * collect():
 *
 *	const struct proctable *table = qmem_state(q, &proctable_service);
 *	const struct proc *p;
 *
 *	proctable_each(table, p) {
 *		struct mine *m = &mine[p->slot];  // room for proctable_capacity(table) of them
 *
 *		if (m->generation != p->generation) {  // another process than the one that was here
 *			... the old one has ended, m holds the last that was known of it ...
 *			*m = (struct mine){ .generation = p->generation };
 *		}
 *	}
 *
 * A process keeps its slot for life, and a slot its generation until another process moves in. That is enough to keep data
 * per process, also for a service that is collected less often than others. All that is handed out belongs to the table and
 * is valid until its next round; a service reads it only in its collect().
 *
 * Where the numbers come from depends on the back end (option Backend; qmem_note() says which and why):
 *
 *	bpf	a BPF program walks the kernel's list and fills a shared array; Linux 6.7, CAP_BPF and CAP_PERFMON
 *	iter	a BPF task iterator, read as a file; Linux 5.8, the same capabilities
 *	fds	/proc/PID/statm and stat on descriptors that stay open, as many as FdBudget allows; the rest as `files`
 *	files	/proc/PID/statm and stat, opened each time
 *
 * Of a process that has slept since the round before only memory is read, and with bpf its state; what others can do to it
 * while it sleeps (a new parent, another cgroup) is seen within 16 rounds by bpf, within 64 by fds and files. These two ask
 * schedstat whether it has slept, of processes of one thread, but not of those in state D; one that has been woken and has not
 * run yet still sleeps, and one that the freezer has stopped in its sleep may.
 *
 * With fds and files, what only /proc/PID/status has (*) is read when a process is new, when its faults, RSS or size have
 * moved, and else every 64th round: it can be older than the round only if it changed without any of these.
 */
#ifndef QMEM_PROCESS_TABLE_H
#define QMEM_PROCESS_TABLE_H

#include "qmem.h"

enum proc_change {
	PROC_BORN = 1, /* not in the round before */
	PROC_RAN = 2,  /* CPU time or faults */
	PROC_RSS = 4,  /* any of rss, swap */
	PROC_VM = 8,   /* the address space: vm_changes where it is known, else vmsize, vmdata, pgtables */
	PROC_ID = 16,  /* comm, uid, parent or cgroup: an exec, a setuid, ... */
	PROC_STATE = 32,
};

#define PROC_NO_UID UINT32_MAX

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
	 * /proc, a process whose first thread has ended has none, although the others may hold some. */
	int64_t rss, anon, file, shmem, swap;
	int64_t vmsize;
	int64_t vmdata, hwm, pgtables; /* VmData(*), VmHWM(*), VmPTE(*) */
	/* The inode number of the cgroup: of the memory controller where that is a v1 hierarchy, else of v2. 0: not known
	 * (fds, files): ask proctable_cgroup(). */
	uint64_t cgroup;
	/* Times the address space was locked for a change since the process was first seen; bpf and iter, Linux 6.4. */
	int64_t vm_changes;
	uint32_t mm_seq; /* the table's own: what these are counted by */
	/* What tells one exec from the next. */
	uint32_t execs;      /* a count of them, of the first thread; bpf and iter */
	uint32_t startstack; /* a hash of stat's; fds and files. 0: not known */
} __attribute__((aligned(64)));

struct proctable;
extern const struct qmem_service proctable_service;

/* Slots are below this; it only grows. */
size_t proctable_capacity(const struct proctable *table);
/* The number of the round, from 1 on. */
uint64_t proctable_round(const struct proctable *table);
/* Has it been filled in this round? Else processes could not be read, and it has what it had before, if anything. */
bool proctable_current(const struct proctable *table);
/* From this round on no process was missing: who is collected in it or later, and sees new ones the next time, knows that
 * they have begun meanwhile. Before, they may only have had no room, or not been read, or another back end took over. */
uint64_t proctable_whole_since(const struct proctable *table);
/* The process in a slot, NULL if there is none. */
const struct proc *proctable_at(const struct proctable *table, size_t slot);
/* The process with this pid, NULL if there is none. */
const struct proc *proctable_find(const struct proctable *table, int32_t pid);

/* In the order of the walk: by age (bpf), by pid (the others). */
const struct proc *proctable_first(const struct proctable *table);
const struct proc *proctable_next(const struct proctable *table, const struct proc *p);
#define proctable_each(table_, p_) for ((p_) = proctable_first(table_); (p_); (p_) = proctable_next((table_), (p_)))

/* The slots of those that are new in this round, and of those that are gone: proctable_at() still has what was last known
 * of these, with `ended` set. In the very first round all are new. */
size_t proctable_births(const struct proctable *table, const uint32_t **ret_slots);
size_t proctable_deaths(const struct proctable *table, const uint32_t **ret_slots);

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
enum proc_states proctable_state(char letter);

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
const struct proctable_totals *proctable_totals(const struct proctable *table);

/* Tasks in state D in this round, but for those that the freezer of cgroup v1 has put there. (fds and files cannot tell them
 * from others on Linux 6.1 and later.) */
size_t proctable_blocked(const struct proctable *table, const struct proc_task **ret_tasks);

/* For the few that need it: files of one process, opened, read and closed now. They wait for no process; that of
 * the cgroup waits while cgroups are made, removed or moved into, which can take milliseconds (cgroup_mutex). */

/* The function in which a task waits, "" if it runs or may not be known. -ESRCH: it is gone. */
int proctable_wchan(struct qmem *q, const struct proc_task *task, char *ret, size_t size);
/* The path below the mount point of the hierarchy that `cgroup` is of. -ESRCH: it is gone; -ENODATA: it is in none. */
int proctable_cgroup(struct qmem *q, const struct proc *p, char *ret, size_t size);

#endif
