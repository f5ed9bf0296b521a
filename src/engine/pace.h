/* SPDX-License-Identifier: MIT */
/* How often services are collected: what is asked for, and what their budgets allow. */
#ifndef QMEM_ENGINE_PACE_H
#define QMEM_ENGINE_PACE_H

#include "engine/engine.h"

/* At the start: the interval of one by itself (`fallback`: of those without), then what it lends to those it needs. */
void pace_set(struct qmem *q, struct qmem_run *run, uint64_t fallback);
void pace_lend(const struct qmem *q, const struct qmem_run *run);
/* Between two turns, by plan. */
uint64_t pace_of(const struct qmem *q, const struct qmem_run *run);
/* After a collection that has used so much CPU time, whomever it was for. */
void pace_weigh(struct qmem *q, struct qmem_run *run, uint64_t cost);

#endif
