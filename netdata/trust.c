/* SPDX-License-Identifier: MIT */
#include "trust.h"

#include <stdio.h>
#include <stdlib.h>

#define LATE_MOST 60   /* ticks: an agent that is late for ever is left to its own ways */
#define LEAP 500000000 /* ns: clocks that go apart by less are as good as the half second that the agent rounds to */

bool trust_known(const char *version)
{
	unsigned major, minor;

	if (!version || sscanf(version, "v%u.%u", &major, &minor) != 2)
		return false;
	return major > 2 || (major == 2 && minor >= 7);
}

const char *trust_tick(struct trust *t, uint64_t now, uint64_t wall, bool unread)
{
	int64_t ahead = (int64_t)(wall - now);
	bool trust;

	if (!t->known)
		return NULL;
	t->tick++;
	t->in_time = !unread;
	t->behind = unread ? t->behind + 1 : 0;
	if (unread)
		t->late = t->tick;
	/* a clock set back: the agent holds the values until it is where it was, by itself, if it does not trust us */
	trust = wall + LEAP >= t->latest && t->behind <= LATE_MOST;
	if (wall > t->latest)
		t->latest = wall;
	/* a machine that slept: our own clock did, too */
	if (trust && (!t->told || llabs(ahead - t->ahead) > LEAP)) {
		t->ahead = ahead;
		t->setting++;
	}
	if (t->told == trust && !t->unsaid)
		return NULL;
	t->told = trust;
	t->unsaid = false;
	return t->told ? "TRUST_DURATIONS 1\n" : "TRUST_DURATIONS 0\n";
}

void trust_skip(struct trust *t)
{
	t->late = ++t->tick;
}

void trust_unsaid(struct trust *t)
{
	t->unsaid = true;
}

enum trust_begin trust_chart(const struct trust *t, struct trust_chart *c, bool first)
{
	if (first) {
		*c = (struct trust_chart){ .tick = t->tick, .setting = t->setting, .begun = 1 };
		return TRUST_SET;
	}
	if (!t->told)
		return TRUST_SINCE;
	if (c->setting != t->setting)
		c->sure = false;
	if (c->sure)
		return TRUST_SINCE;
	if (!t->in_time)
		return TRUST_NOT;
	/* the agent itself sets a new chart by its first two rounds */
	if (c->begun > 1 && c->setting == t->setting && c->tick > t->late) {
		c->sure = true;
		return TRUST_SINCE;
	}
	c->tick = t->tick;
	c->setting = t->setting;
	c->begun += c->begun < 2;
	return TRUST_SET;
}
