/* SPDX-License-Identifier: MIT */
/* /proc/stat without its interrupts, and /proc/loadavg. */
#ifndef QMEM_PROC_CPUSTAT_H
#define QMEM_PROC_CPUSTAT_H

#include <stddef.h>
#include <stdint.h>

#include "proc/fault.h"

/* The columns of the line "cpu", in its order. Later kernels may have more, earlier ones have fewer. */
enum cpustat_mode {
	CPUSTAT_USER, /* with guest */
	CPUSTAT_NICE, /* with guest_nice */
	CPUSTAT_SYSTEM,
	CPUSTAT_IDLE,
	CPUSTAT_IOWAIT,
	CPUSTAT_IRQ,
	CPUSTAT_SOFTIRQ,
	CPUSTAT_STEAL,      /* 2.6.11 */
	CPUSTAT_GUEST,      /* 2.6.24 */
	CPUSTAT_GUEST_NICE, /* 2.6.33 */
	CPUSTAT_MODES
};

/* QMEM_NA for what the file does not say. */
struct cpustat {
	int64_t mode[CPUSTAT_MODES]; /* ticks of 1/CLK_TCK s, of all CPUs */
	int64_t cpus;                /* online */
	int64_t ctxt;                /* context switches since boot */
	int64_t btime;               /* when that was: seconds since 1970 */
	int64_t processes;           /* processes and threads started since boot */
	int64_t procs_running;       /* threads that run or could */
	int64_t procs_blocked;       /* threads that wait for a disk; not all of state D */
};

/* Unknown lines are passed over; of a known one that is malformed the value is QMEM_NA, and told in *ret_fault. -ENODATA: no
 * value is there. */
int cpustat_parse(const char *text, size_t len, struct cpustat *ret, struct fault *ret_fault);

enum loadavg_span { LOADAVG_1, LOADAVG_5, LOADAVG_15, LOADAVG_SPANS };

struct loadavg {
	int64_t span[LOADAVG_SPANS]; /* 1/100 of a thread, over so many minutes */
};

/* Likewise. What follows the three numbers is not looked at. */
int loadavg_parse(const char *text, size_t len, struct loadavg *ret, struct fault *ret_fault);

#endif
