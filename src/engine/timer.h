/* SPDX-License-Identifier: MIT */
/* Times that services and the engine wait for. */
#ifndef QMEM_ENGINE_TIMER_H
#define QMEM_ENGINE_TIMER_H

#include "engine/engine.h"

/* Calls those whose time has come. */
void timers_expire(struct qmem *q);

#endif
