/* SPDX-License-Identifier: MIT */
/*
 * How often services are collected: what is asked for, and what their budgets allow.
 *
 * The interval is settled before a service's first value is handed out, and stays: one whose collection costs more than its
 * budget allows is collected again, unseen, since the first one may have opened files, and then has as many times the
 * interval that was asked for as it takes. What gets dearer later is collected every second, fourth, ... time.
 */
#ifndef QMEM_ENGINE_PACE_H
#define QMEM_ENGINE_PACE_H

#include "engine/engine.h"

/* At the start: the interval of one by itself (`fallback`: of those without), then what it lends to those it needs. */
void pace_set(struct qmem *q, struct qmem_run *run, uint64_t fallback);
void pace_lend(const struct qmem *q, const struct qmem_run *run);

/* Between two turns at present. */
uint64_t pace_every(const struct qmem *q, const struct qmem_run *run);
/* It is its turn: the next one. */
void pace_plan(const struct qmem *q, struct qmem_run *run);

/* In its turn, when there is something to be emitted: may it be? */
bool pace_shows(struct qmem *q, struct qmem_run *run);
/* In its turn, when a collection has ended with `err`: has it to be collected again at once, to settle the pace? */
bool pace_tries(struct qmem *q, struct qmem_run *run, int err);
/* After a collection that has used so much CPU time, whomever it was for. */
void pace_weigh(struct qmem *q, struct qmem_run *run, uint64_t cost);

#endif
