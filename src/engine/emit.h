/* SPDX-License-Identifier: MIT */
/* What services hand out: to the host, and to those that look on. */
#ifndef QMEM_ENGINE_EMIT_H
#define QMEM_ENGINE_EMIT_H

#include "engine/engine.h"

/* The collection of this service that is under way. */
struct qmem_round emit_round(const struct qmem *q, const struct qmem_run *run);

#endif
