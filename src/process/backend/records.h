/* SPDX-License-Identifier: MIT */
/* The table of processes itself: slots for life, a hash of pids, and who came and went in a round. */
#ifndef QMEM_PROCESS_BACKEND_RECORDS_H
#define QMEM_PROCESS_BACKEND_RECORDS_H

#include "process/proc.h"
#include "qmem.h"

#define RECORDS_BLOCKED 1024

struct records {
	struct proc *slots;  /* `max` of them are reserved; memory comes when they are used */
	size_t max, used;    /* used: those below have been in use, not long ago */
	size_t touched;      /* those below may have memory */
	uint32_t generation; /* that was given last: none twice */
	size_t expected;     /* how many there are, as far as a back end knows */
	uint32_t *free;
	size_t free_n;
	size_t held;            /* free ones that are not in `free` yet */
	uint32_t *order, *last; /* the slots in the order of this walk, and of the one before */
	size_t order_n, last_n;
	size_t cursor;  /* in `last`: who is expected next */
	uint32_t *hash; /* of pids, open addressing; a power of two, at least twice `used` */
	size_t hash_size;
	uint32_t *births, *deaths;
	size_t births_n, deaths_n;
	uint64_t round;
	uint64_t whole_since; /* proctable_whole_since() */
	bool current;         /* what is there is of this round */
	unsigned want;        /* enum proc_want */
	struct proctable_totals totals;
	struct proc_task blocked[RECORDS_BLOCKED];
	size_t blocked_n;
};

/* -ENOMEM. A zeroed table may be released. */
int records_init(struct records *t, size_t max);
void records_release(struct records *t);
/* As after records_init(). Generations go on. */
void records_reset(struct records *t);

/* A round: begin, enter what is found, and end. */
void records_begin(struct records *t);
/* The slot of this process, its `changed` only PROC_BORN or 0. NULL: no room, or no memory (both counted as overflow), or it is
 * there twice. */
struct proc *records_enter(struct records *t, int32_t pid, int64_t start);
void records_end(struct records *t);
/* The walk broke off: those it has not come to stay as they are. */
void records_break(struct records *t);

struct proc *records_find(const struct records *t, int32_t pid);
void records_block(struct records *t, int32_t pid, int32_t tid, int64_t start);

/* p->`to` becomes `value`; if that is new, p->changed gets `change`. */
static inline void records_set(struct proc *p, int64_t *to, int64_t value, unsigned change)
{
	if (*to == value)
		return;
	*to = value;
	p->changed |= (uint8_t)change;
}

/* comm, cut as the kernel itself cuts it: where files give kernel threads long names with what they work at, this does not. */
void records_set_comm(struct proc *p, const char *comm);

/* The raw times of all threads (ns). The kernel's ticks tell only in which proportion to divide what has been run: that is
 * what /proc/PID/stat says, and neither part ever falls. runtime QMEM_NA: they are scaled already. */
void records_set_times(struct proc *p, int64_t utime, int64_t stime, int64_t runtime);

#endif
