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
 *	fds	/proc/PID/statm and stat on descriptors that stay open, as many as MaxFiles allows; the rest as `files`
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

#include "proc/cgroup.h"
#include "process/proc.h"
#include "qmem.h"

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

const struct proctable_totals *proctable_totals(const struct proctable *table);

/* From now on the rounds have, or have not, what is there only while it is wanted: enum proc_want. One service at a time. */
void proctable_want(struct proctable *table, unsigned want);
/* Does the back end have it at hand? Else it has it only by PROC_WANTED_FILES, and no maps. */
bool proctable_gives(const struct proctable *table);

/* Tasks in state D in this round, but for those that the freezer of cgroup v1 has put there. (fds and files cannot tell them
 * from others on Linux 6.1 and later.) */
size_t proctable_blocked(const struct proctable *table, const struct proc_task **ret_tasks);

/* For the few that need it: files of one process, opened, read and closed now. They wait for no process; that of
 * the cgroup waits while cgroups are made, removed or moved into, which can take milliseconds (cgroup_mutex). */

/* The function in which a task waits, "" if it runs or may not be known. -ESRCH: it is gone. */
int proctable_wchan(struct qmem *q, const struct proc_task *task, char *ret, size_t size);
/* Its cgroups, in one reading. -ESRCH: it is gone; -ENODATA: it is in none. */
struct proctable_cgroups {
	struct cgroup_paths paths; /* within the text */
	char text[CGROUP_TEXT];
};
int proctable_cgroups(struct qmem *q, const struct proc *p, struct proctable_cgroups *ret);

#endif
