/* SPDX-License-Identifier: MIT */
/* A root of made-up files, processes among them, which change from tick to tick, and an engine of some services on it. One
 * at a time. */
#ifndef QMEM_UNIT_PROCROOT_H
#define QMEM_UNIT_PROCROOT_H

#include "../recorder.h"

#define PROCESS_ROOT 4000000000u
struct process {
	int pid, ppid;
	const char *comm;
	char state;
	int threads;
	unsigned long user, syst, start; /* ticks */
	const char *wchan;
	long switches;
	const char *cgroup;
	unsigned flags;
	unsigned uid; /* 0: 7; PROCESS_ROOT: 0 */
	unsigned long startstack;
};

extern struct recorder procroot_host;
extern uint64_t procroot_now;

void procroot_begin(const struct qmem_service *const *services);
void procroot_end(void);
void procroot_set(const char *service, const char *option, const char *value);
/* A file below the root, written in place. */
void procroot_put(const char *name, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void procroot_remove(const char *name);
/* Its whole path, until the next call of any of these. */
char *procroot_path(const char *name);
/* These processes, up to one without a pid, instead of those of the time before. */
void procroot_processes(const struct process *processes);
/* n in all, that many links to process 1. */
void procroot_links(int n);
/* What the host was handed. */
const char *procroot_start(void);
/* A collection, a second after the one before; what the host was handed. */
const char *procroot_tick(void);
/* The next held job is done, and has cost so much CPU time (ns); false: there is none. */
bool procroot_work(uint64_t cost);
/* Descriptors up to so many after the first that was free at the first call. */
void procroot_allow_descriptors(int more);
/* A value of the last tick in units of 1/1000, QMEM_NA if it is absent; -1 if it is not there at all. */
int64_t procroot_value(const char *name);

#endif
