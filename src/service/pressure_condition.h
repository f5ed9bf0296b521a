/* SPDX-License-Identifier: MIT */
/* All triggers of one thing, such as "memory some", are one condition: as severe as the severest of them that fires, and over
 * when none does. Its name is that of the thing, and stays when a limit is tuned. */
#ifndef QMEM_SERVICE_PRESSURE_CONDITION_H
#define QMEM_SERVICE_PRESSURE_CONDITION_H

#include "service/pressure_trigger.h"

struct pressure_condition {
	enum psi_resource resource;
	enum psi_kind kind;
	char name[TRIGGER_NAME]; /* memory_some */
	struct qmem_label labels[3];
	struct trigger *triggers;   /* by `peer` */
	const struct trigger *told; /* whose limit and figures are told of: that fired last; NULL: none has fired yet */
	enum qmem_severity severity;
	bool on;
	bool exceeded, ended; /* by one of its triggers, since the last condition_settle() */
	uint64_t since, last; /* the episode's: when the first window began, the last event of any */
	int64_t stalled;      /* microseconds between them */
	int64_t total;        /* the file's at the last event */
};

/* `t` has its spec. */
void condition_init(struct pressure_condition *c, const struct trigger *t);
bool condition_is(const struct pressure_condition *c, const struct trigger *t);
void condition_add(struct pressure_condition *c, struct trigger *t);

enum condition_change {
	CONDITION_SAME,
	CONDITION_TELL, /* it is on: for the first time, or again, or less severe than before */
	CONDITION_OVER,
};

/* One of its triggers has changed. */
void condition_step(struct pressure_condition *c, const struct trigger *t, enum trigger_change change);
/* What that makes of it, when all that were looked at together have had their step: what happens at one look is told of once. */
enum condition_change condition_settle(struct pressure_condition *c);

/* What all of its triggers say together. */
struct condition_sum {
	enum trigger_state state;
	enum qmem_severity severity;
	int64_t events, rejected;
};
void condition_sum(const struct pressure_condition *c, struct condition_sum *ret);

#endif
