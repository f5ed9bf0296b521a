/* SPDX-License-Identifier: MIT */
/* A host for tests: it writes down, a line each, all that the engine hands it. Its clocks are scripted; jobs run at once or
 * when they are told to. */
#ifndef QMEM_RECORDER_H
#define QMEM_RECORDER_H

#include <stdio.h>

#include "qmem.h"

struct recorder {
	FILE *out;
	bool kept;  /* as text, below */
	char *text; /* what has been written since recorder_take() */
	size_t size, taken;
	uint64_t cpu_ns;       /* what the CPU clock shows; a service of a test moves it */
	uint64_t cpu_step;     /* it moves by so much at each look */
	bool no_values;        /* values are not written down */
	bool hold_jobs;        /* jobs wait for recorder_work() */
	bool no_jobs;          /* they are refused */
	uint64_t job_ns;       /* what each of them costs */
	struct qmem_job *jobs; /* of all lanes */
	struct qmem_job *left; /* left behind, the last first */
	bool no_threads;       /* none is left behind */
	bool back;             /* the first job has just come back */
	/* the clock, when the engine looks at it while it works; NULL: it stands still */
	uint64_t (*clock)(void);
	uint64_t when;  /* of the values that came last */
	struct qmem *q; /* set it after qmem_new() */
};

extern const struct qmem_host recorder_host;

/* Lines go to `out`, or are kept if it is NULL. */
void recorder_init(struct recorder *r, FILE *out);
/* When the engine has gone: jobs that still wait go back to their owners, who have gone, too. */
void recorder_release(struct recorder *r);
/* The lines since the last call; valid until the next. */
const char *recorder_take(struct recorder *r);
/* Runs the first waiting job; false if there is none. */
bool recorder_work(struct recorder *r);
/* Likewise the last that was left behind. */
bool recorder_come_back(struct recorder *r);
/* Waits up to `ms` for descriptors, then dispatches at `now`. Returns how many were ready. */
int recorder_wait(struct recorder *r, int ms, uint64_t now);

#endif
