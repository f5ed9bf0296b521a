/* SPDX-License-Identifier: MIT */
#include "program/capabilities.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/capability.h>

/* Until all services have started: before Linux 6.1.42 and 6.4 nobody, not even root, may write /proc/pressure by its mode. */
#define AT_START CAP_DAC_OVERRIDE

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
	if (cap_set_flag(next, CAP_PERMITTED, 1, &cap, CAP_SET) < 0 ||
	    cap_set_flag(next, CAP_EFFECTIVE, 1, &cap, CAP_SET) < 0)
		return -errno;
	return 0;
}

static int set(bool starting)
{
	cap_t now = cap_get_proc(), next = cap_init();
	int err = -ENOMEM;

	if (!now || !next)
		goto out;
	err = starting ? keep(next, now, AT_START) : 0;
	for (const struct qmem_service *const *s = qmem_services; *s; s++)
		for (const struct qmem_capability *c = (*s)->capabilities; c && c->name && !err; c++)
			err = keep(next, now, c->number);
	if (!err && cap_set_proc(next) < 0)
		err = -errno;
out:
	if (now)
		cap_free(now);
	if (next)
		cap_free(next);
	return err;
}

bool capabilities_known(void)
{
	return true;
}

int capabilities_raise(void)
{
	return set(true);
}

int capabilities_settle(void)
{
	return set(false);
}

const char *capabilities_missing(const struct qmem_service *service, size_t i, const char **ret_why)
{
	cap_t now = cap_get_proc();
	const char *name = NULL;

	for (const struct qmem_capability *c = service->capabilities; now && !name && c && c->name; c++) {
		if (has(now, c->number, CAP_EFFECTIVE) || i-- > 0)
			continue;
		name = c->name;
		*ret_why = c->why;
	}
	if (now)
		cap_free(now);
	return name;
}
