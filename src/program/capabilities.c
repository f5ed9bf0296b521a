/* SPDX-License-Identifier: MIT */
#include "program/capabilities.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/capability.h>

#include "util/right.h"

static bool has(cap_t caps, cap_value_t cap, cap_flag_t flag)
{
	cap_flag_value_t value = CAP_CLEAR;

	return cap_get_flag(caps, cap, flag, &value) == 0 && value == CAP_SET;
}

/* Adds it, if it is permitted. */
static int keep(cap_t next, cap_t now, cap_value_t cap)
{
	if (!has(now, cap, CAP_PERMITTED))
		return 0;
	if (cap_set_flag(next, CAP_PERMITTED, 1, &cap, CAP_SET) < 0)
		return -errno;
	if (!right_is_wide(cap) && cap_set_flag(next, CAP_EFFECTIVE, 1, &cap, CAP_SET) < 0)
		return -errno;
	return 0;
}

static int set(struct qmem *q, bool starting)
{
	cap_t now = cap_get_proc(), next = cap_init();
	int err = now && next ? 0 : -ENOMEM;

	for (const struct qmem_service *const *s = qmem_services; *s && !err; s++)
		for (const struct qmem_capability *c = (*s)->capabilities; c && c->name && !err; c++)
			if ((starting || (!c->starting && qmem_state(q, *s))) && qmem_uses(q, *s, c))
				err = keep(next, now, c->number);
	if (!err && cap_set_proc(next) < 0)
		err = -errno;
	if (now)
		cap_free(now);
	if (next)
		cap_free(next);
	return err;
}

int capabilities_raise(struct qmem *q)
{
	return set(q, true);
}

int capabilities_settle(struct qmem *q)
{
	return set(q, false);
}
