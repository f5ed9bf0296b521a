/* SPDX-License-Identifier: MIT */
/* A PSI trigger: what a user asks for, and what becomes of it as time and totals go by. It opens no file and knows no
 * clock. */
#ifndef QMEM_SERVICE_PRESSURE_TRIGGER_H
#define QMEM_SERVICE_PRESSURE_TRIGGER_H

#include <stddef.h>
#include <stdint.h>

#include "proc/psi.h"
#include "qmem.h"

#define TRIGGER_NAME 64

/* "memory some 200ms 2s": tell me when some tasks were stalled for 200 ms within 2 s. */
struct trigger_spec {
	enum psi_resource resource;
	enum psi_kind kind;
	int64_t stall, window;       /* nanoseconds */
	enum qmem_severity severity; /* a fifth word; else QMEM_WARNING for some, QMEM_FAILURE for full */
};

/* -EINVAL, and `why` says what is wrong with the text: "has ...". */
int trigger_parse(const char *text, struct trigger_spec *ret, char *why, size_t why_size);
/* "memory_some_200ms_2s": what logs call it. */
void trigger_name(char *dst, size_t size, const struct trigger_spec *spec);

enum trigger_state { TRIGGER_INACTIVE, TRIGGER_EASING, TRIGGER_ACTIVE };

struct trigger_sample {
	uint64_t when;
	int64_t total; /* microseconds */
};

/* A sample each 1/8 window, and the one before the window. */
#define TRIGGER_SAMPLES 12

struct trigger {
	struct trigger_spec spec;
	uint64_t hold; /* without an event: from active to easing, and from easing to inactive */
	enum trigger_state state;
	uint64_t since, last; /* the episode's: when its first window began, its last event */
	int64_t base;         /* the total before it, microseconds */
	int64_t stalled;      /* microseconds up to the last event of this one, or of the one that is over */
	int64_t share_stall;  /* microseconds stalled ... */
	uint64_t share_span;  /* ... in so many nanoseconds before the last event */
	int64_t events, rejected;
	struct trigger_sample samples[TRIGGER_SAMPLES]; /* the newest first */
	size_t n;
	struct trigger *peer; /* of the same condition */
};

enum trigger_cause {
	TRIGGER_TICK,  /* time has gone by */
	TRIGGER_POLL,  /* the same, and no one else looks whether the limit is exceeded */
	TRIGGER_EVENT, /* the kernel says that it is */
};

enum trigger_change {
	TRIGGER_NOTHING,
	TRIGGER_REJECTED, /* the kernel said so, but the total does not bear it out */
	TRIGGER_EXCEEDED, /* the limit is exceeded, for the first time or again */
	TRIGGER_EASED,
	TRIGGER_OVER,
};

/*
 * `total` is the file's, in microseconds, or QMEM_NA. An event counts if the stall since a reference reaches the
 * threshold: the reference is the newest sample that is at least a window old, else the oldest. A poll looks for a sample
 * within the window; and two events are at least a window apart, as the kernel's are.
 */
enum trigger_change trigger_step(struct trigger *t, enum trigger_cause cause, uint64_t now, int64_t total);
/* When the state changes if no event comes; QMEM_NEVER. */
uint64_t trigger_deadline(const struct trigger *t);

#endif
