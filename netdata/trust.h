/* SPDX-License-Identifier: MIT */
/*
 * What time the agent gives to our values. It takes the microseconds of a BEGIN for true only if they agree with its own
 * clock, and else puts all that has passed into one second: after it was stalled for 25 s, so many seconds' worth become a
 * spike. Since 2.7 `TRUST_DURATIONS 1` makes it believe them, whatever they are: its time of a chart is then ours, and what
 * is wrong in it stays wrong. So a chart whose time is not sure is begun without microseconds, which sets it by the agent's
 * clock, and it is sure when the agent has read that in time.
 */
#ifndef QMEM_NETDATA_TRUST_H
#define QMEM_NETDATA_TRUST_H

#include <stdbool.h>
#include <stdint.h>

struct trust {
	bool known;       /* the agent knows the word */
	bool told;        /* that it trusts us */
	bool unsaid;      /* what it was told last may not have come to it */
	bool in_time;     /* it had read all when this tick began */
	uint64_t tick;    /* counts from 1 */
	uint64_t late;    /* the last one at which it had not */
	unsigned behind;  /* ticks in a row at which it had not */
	uint64_t latest;  /* ns of the wall clock, at any tick */
	int64_t ahead;    /* ns: wall clock less our own, when the charts were set */
	unsigned setting; /* counts from 1: with each, all charts are set anew */
};

/* Of one chart. */
struct trust_chart {
	uint64_t tick; /* of its last BEGIN without microseconds; 0: none */
	unsigned setting;
	unsigned begun; /* times without microseconds */
	bool sure;
};

enum trust_begin {
	TRUST_SINCE, /* BEGIN with microseconds */
	TRUST_SET,   /* BEGIN without */
	TRUST_NOT,   /* no BEGIN now: the agent is late, and would take this chart to be ahead of its time, for good */
};

/* Is there the word in this version, "v2.11.0-84-nightly"? NULL: no. */
bool trust_known(const char *version);
/* Another tick. What is to be told first, or NULL. `unread`: has the agent not yet read all of what was written before? */
const char *trust_tick(struct trust *t, uint64_t now, uint64_t wall, bool unread);
/* A tick in which nothing can be said, as the agent does not read. */
void trust_skip(struct trust *t);
/* What was said in this tick has been thrown away. */
void trust_unsaid(struct trust *t);
/* How to begin the next round of a chart; `first`: it has just been declared. */
enum trust_begin trust_chart(const struct trust *t, struct trust_chart *c, bool first);

#endif
