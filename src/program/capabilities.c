/* SPDX-License-Identifier: MIT */
#include "program/capabilities.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/capability.h>

/* younger than some headers */
#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#endif
#ifndef CAP_BPF
#define CAP_BPF 39
#endif

static const struct {
	cap_value_t cap;
	const char *name, *service, *why;
} used[] = {
	{ CAP_SYS_RESOURCE, "CAP_SYS_RESOURCE", "pressure", "triggers with any window" },
	{ CAP_BPF, "CAP_BPF", "proctable", "processes read by BPF" },
	{ CAP_PERFMON, "CAP_PERFMON", "proctable", "processes read by BPF" },
	{ CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "procmem",
	  "GroupBy exe, PSS before Linux 6.15: of other users' processes" },
	{ CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "heapmon", "other users' processes before Linux 6.15" },
	{ CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "procstat", "wait channels of other users' tasks" },
};

#define USED (sizeof(used) / sizeof(*used))

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
	for (size_t i = 0; i < USED && !err; i++)
		err = keep(next, now, used[i].cap);
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

const char *capabilities_missing(const char *service, size_t i, const char **ret_why)
{
	cap_t now = cap_get_proc();
	const char *name = NULL;

	for (size_t k = 0; now && !name && k < USED; k++) {
		if (strcmp(used[k].service, service) != 0 || has(now, used[k].cap, CAP_EFFECTIVE) || i-- > 0)
			continue;
		name = used[k].name;
		*ret_why = used[k].why;
	}
	if (now)
		cap_free(now);
	return name;
}
