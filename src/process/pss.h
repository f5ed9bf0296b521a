/* SPDX-License-Identifier: MIT */
/*
 * PSS and USS of processes, from /proc/PID/smaps_rollup (Linux 4.14), which the worker reads within a budget: all in their
 * turn. Once a round:
 *
 *	err = pss_begin(pss, proctable_capacity(table), now);
 *	proctable_each(table, p)
 *		why = pss_of(q, pss, p, &amounts);
 *	pss_go(q, pss);
 */
#ifndef QMEM_PROCESS_PSS_H
#define QMEM_PROCESS_PSS_H

#include "qmem.h"
#include "process/lack.h"

struct pss_limits {
	int64_t budget;  /* CPU ns a second */
	int64_t ceiling; /* CPU ns: who is expected to cost more is not measured */
	int64_t age;     /* ns: what is older is not known any more */
};

/* QMEM_NA: not known. */
struct pss_amounts {
	int64_t pss, uss; /* bytes */
	int64_t age;      /* ns */
};

struct proc;
struct pss;

/* `limits` outlive it. -ENOTSUP: this kernel has no smaps_rollup; -ENOMEM, or why the root cannot be opened. */
int pss_new(struct qmem *q, const struct pss_limits *limits, struct pss **ret);
void pss_free(struct pss *pss);

/* Room for so many slots. -ENOMEM. */
int pss_begin(struct pss *pss, size_t slots, uint64_t now);
/* Why it is lacking: LACK_NOTHING where it is known, and where there is none yet, as the process is new or has no memory. */
enum lack_why pss_of(const struct qmem *q, struct pss *pss, const struct proc *p, struct pss_amounts *ret);
void pss_go(struct qmem *q, struct pss *pss);

/* Has that of every process of another user been refused? */
bool pss_refused(const struct pss *pss);

#endif
