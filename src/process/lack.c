/* SPDX-License-Identifier: MIT */
#include "process/lack.h"

#include <inttypes.h>

#include "util/escape.h"

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

void lack_tell(struct qmem *q, struct lack *l, const char *what, const char *file, const char *name, uint64_t patience)
{
	char shown[256];
	uint64_t now = qmem_now(q);
	bool lacks = l->why != LACK_NOTHING;

	if (lacks == l->told || !l->since)
		l->since = now;
	if (lacks == l->told || now - l->since < patience)
		return;
	l->told = lacks;
	escape_name(shown, sizeof(shown), name);
	if (lacks)
		qmem_log(q, QMEM_LOG_NOTICE, "no %s of '%s': %s of pid %" PRId32 " %s", what, shown, file, l->pid,
			 reasons[l->why]);
	else
		qmem_log(q, QMEM_LOG_INFO, "'%s' has %s again", shown, what);
}
