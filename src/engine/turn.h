/* SPDX-License-Identifier: MIT */
/* Whose hook is running: its log lines, its CPU time. */
#ifndef QMEM_ENGINE_TURN_H
#define QMEM_ENGINE_TURN_H

#include "engine/engine.h"

/* Runs `call` as the service `run`, NULL: nobody's. */
#define TURN_OF(q, run, call)                                                                                          \
	do {                                                                                                           \
		struct qmem_run *outer_ = turn_begin((q), (run));                                                      \
		call;                                                                                                  \
		turn_end((q), outer_);                                                                                 \
	} while (0)
struct qmem_run *turn_begin(struct qmem *q, struct qmem_run *run);
/* CPU ns of the service whose hook is running, up to now. */
uint64_t turn_cost(const struct qmem *q);
void turn_end(struct qmem *q, struct qmem_run *outer);

#endif
