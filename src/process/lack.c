/* SPDX-License-Identifier: MIT */
#include "process/lack.h"

#include <inttypes.h>

#include "util/escape.h"

#define CALM 4 /* times the patience: what comes again before that has not been over */

static const char *const reasons[] = {
	[LACK_TIME] = "has not been read in time: more is wanted than the budget allows, or the worker is stuck",
	[LACK_STUCK] = "does not let itself be read: whoever reads it waits in the kernel",
	[LACK_RIGHTS] = "may not be read",
	[LACK_BUDGET] = "is expected to cost more CPU time than the ceiling",
};

void lack_begin(struct lack *l)
{
	l->why = LACK_NOTHING;
}

/* The reason that is least likely to go is the one to tell. */
void lack_add(struct lack *l, enum lack_why why, int32_t pid)
{
	if (why <= l->why)
		return;
	l->why = why;
	l->pid = pid;
}

void lacks_add(struct lacks *all, struct lack *l, const char *name, uint64_t now, uint64_t patience)
{
	if (l->why == LACK_NOTHING) {
		l->since = 0;
		return;
	}
	if (!l->since)
		l->since = now;
	if (now - l->since < patience)
		return;
	if (!all->groups++ || l->why > all->lack.why) {
		all->lack = *l;
		escape_name(all->name, sizeof(all->name), name);
	}
}

void lacks_tell(struct qmem *q, struct lacks *all, const char *what, const char *file, uint64_t patience)
{
	uint64_t now = qmem_now(q);
	size_t groups = all->groups;

	all->groups = 0;
	if (groups) {
		all->last = now;
		if (!all->told)
			all->most = 0;
		if (groups > all->most)
			all->most = groups;
		if (!all->told)
			qmem_log(q, QMEM_LOG_NOTICE, "no %s of %zu group%s, of '%s' for one: %s of pid %" PRId32 " %s",
				 what, groups, groups == 1 ? "" : "s", all->name, file, all->lack.pid,
				 reasons[all->lack.why]);
		all->told = true;
	} else if (all->told && now - all->last >= CALM * patience) {
		all->told = false;
		qmem_log(q, QMEM_LOG_INFO, "all groups have %s again; up to %zu at once had none", what, all->most);
	}
}
