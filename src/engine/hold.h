/* SPDX-License-Identifier: MIT */
/* How long a host is held: from a call of the engine to its return. */
#ifndef QMEM_ENGINE_HOLD_H
#define QMEM_ENGINE_HOLD_H

#include "engine/engine.h"

void hold_begin(struct qmem *q, uint64_t now);
void hold_end(struct qmem *q);
/* The host's clock; what it said last where it lends none. */
uint64_t hold_now(const struct qmem *q);

#endif
