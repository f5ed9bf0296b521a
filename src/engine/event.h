/* SPDX-License-Identifier: MIT */
/* Which events reach the host: changes of a condition, and reminders, but never a flood. */
#ifndef QMEM_ENGINE_EVENT_H
#define QMEM_ENGINE_EVENT_H

#include "qmem.h"

#define QMEM_EVENT_BURST 4                   /* of one key at once */
#define QMEM_EVENT_REFILL (15 * QMEM_SECOND) /* one more after that */
#define QMEM_EVENT_KEYS 1024                 /* the longest quiet one makes room */

/* A condition, and what the host knows of it. */
struct qmem_condition {
	char *name; /* "service\0name\0instance" */
	size_t name_len;
	enum qmem_severity sent;
	unsigned state; /* that was sent with it */
	uint64_t last;  /* when that was */
	unsigned tokens;
	uint64_t refilled;
	struct qmem_timer timer; /* for the event that had to wait */
	struct qmem_event waiting;
};

struct qmem_events {
	struct qmem_condition **items;
	size_t n;
};

/* Frees them, and tells no one. */
void qmem_events_release(struct qmem *q);

#endif
