/* SPDX-License-Identifier: MIT */
/* Which events reach the host: changes of a condition, and reminders, but never a flood. */
#ifndef QMEM_ENGINE_EVENT_H
#define QMEM_ENGINE_EVENT_H

#include "engine/engine.h"

#define QMEM_EVENT_BURST 4                   /* of one key at once */
#define QMEM_EVENT_REFILL (15 * QMEM_SECOND) /* one more after that */
#define QMEM_EVENT_KEYS 1024                 /* the longest quiet one makes room */

/* Frees them, and tells no one. */
void qmem_events_release(struct qmem *q);

#endif
