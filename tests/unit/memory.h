/* SPDX-License-Identifier: MIT */
/* A root of made-up processes that have memory, and procmem on it. */
#ifndef QMEM_UNIT_MEMORY_H
#define QMEM_UNIT_MEMORY_H

#include "procroot.h"

#define K 1024
#define is(name, value) ck_assert_int_eq(procroot_value("procmem." name), (int64_t)(value)*1000)
#define absent(name) ck_assert_int_eq(procroot_value("procmem." name), -1)
#define empty(name) ck_assert(procroot_value("procmem." name) == QMEM_NA)
#define PUT(...) memory_put((const struct memory[]){ __VA_ARGS__{ 0 } })
#define KTHREAD 0x00200000

/* A process, with as many threads as its pid is. */
struct memory {
	int pid;
	const char *comm;
	long anon, file, shmem, swap; /* kB */
	long faults;
	long pss, uss; /* kB; 0: there is no smaps_rollup */
	unsigned flags;
	unsigned uid; /* 0: 7 */
};

void memory_begin(void);
/* Jobs that are held come back when the engine has gone. */
void memory_end(void);
/* These, up to one without a pid, instead of those of the time before. */
void memory_put(const struct memory *all);

#endif
