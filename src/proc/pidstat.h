/* SPDX-License-Identifier: MIT */
/*
 * The files of one process: /proc/PID/stat, statm, schedstat, status, wchan. All text is hostile: a process names itself as it
 * likes, with blanks, brackets, newlines and bytes that are no text.
 *
 * The parsers return 0 or -errno: -EINVAL for what is malformed or cut, -ERANGE for a number beyond int64, -ENODATA for an
 * empty text, as a file reads whose process has just gone. They write *ret only on success. Of stat, statm and status one
 * number that is malformed or too large is QMEM_NA, and the others count; without what says which process it is (pid, ppid,
 * state, flags, threads, start) all is refused, and so is a text that is cut.
 */
#ifndef QMEM_PROC_PIDSTAT_H
#define QMEM_PROC_PIDSTAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PIDSTAT_COMM 64            /* kernel threads have long names here */
#define PIDSTAT_KTHREAD 0x00200000 /* PF_KTHREAD in flags */
#define PIDSTAT_FROZEN 0x00010000  /* PF_FROZEN, before Linux 6.1; later only of kernel threads, with another meaning */

struct pidstat_units {
	int64_t page;    /* bytes: sysconf(_SC_PAGESIZE) */
	int64_t tick_ns; /* 10^9 / sysconf(_SC_CLK_TCK) */
};

struct pidstat {
	int32_t pid, ppid;
	char comm[PIDSTAT_COMM]; /* NUL-terminated; cut to what fits */
	char state;
	uint32_t flags;
	int32_t threads;
	int64_t minflt, cminflt,
		majflt;       /* cminflt: of children that were waited for; QMEM_NA: malformed, and so the next three */
	int64_t utime, stime; /* ns, whole ticks */
	int64_t start;        /* ns since boot, whole ticks */
	int64_t vsize;        /* bytes; 0: no address space */
	int64_t startstack;   /* an address, another one after an exec; 0: no address space, or who asks may not know */
};

/* Field 24, rss, is not there: it lags behind on every kernel with per-CPU or per-thread counters. */
int pidstat_parse(const char *text, size_t len, const struct pidstat_units *units, struct pidstat *ret);

struct pidstatm {
	int64_t size, resident, shared; /* bytes: VmSize, VmRSS, RssFile + RssShmem; QMEM_NA */
};
int pidstatm_parse(const char *text, size_t len, const struct pidstat_units *units, struct pidstatm *ret);

/* The first thread's time on a CPU, ns: /proc/PID/schedstat. 0 also where the kernel does not count it. */
int pidschedstat_parse(const char *text, size_t len, int64_t *ret);

/* What holds a whole status: one line of it has all groups of the user. */
#define PIDSTATUS_SIZE (64u << 10)

/* QMEM_NA for lines that are not there: kernel threads and zombies have no Vm lines, Linux before 4.5 no Rss lines. */
struct pidstatus {
	int64_t uid; /* real; gVisor has no such line */
	/* bytes */
	int64_t vmsize, hwm, rss, anon, file, shmem, data, pte, swap;
};
int pidstatus_parse(const char *text, size_t len, struct pidstatus *ret);

/* The function a task waits in; "" for "0", which is also what those may read that may not know. */
int pidwchan_parse(const char *text, size_t len, char *ret, size_t size);

#endif
