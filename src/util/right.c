/* SPDX-License-Identifier: MIT */
#include "util/right.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A plugin of an agent cannot do with a library that may be missing at run time. */
struct rights {
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
};

static bool rights_get(struct rights *r)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	*r = (struct rights){ 0 };
	return syscall(SYS_capget, &header, r->data) == 0;
}

static bool rights_set(const struct rights *r)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(SYS_capset, &header, r->data) == 0;
}

bool right_is_wide(int capability)
{
	return capability == CAP_DAC_READ_SEARCH || capability == CAP_DAC_OVERRIDE || capability == CAP_SYS_ADMIN;
}

uint64_t right_permitted(void)
{
	struct rights r;

	if (!rights_get(&r))
		return 0;
	return (uint64_t)r.data[1].permitted << 32 | r.data[0].permitted;
}

bool right_raise(int capability)
{
	uint32_t mask = CAP_TO_MASK(capability);
	struct rights r;

	if (!rights_get(&r) || !(r.data[CAP_TO_INDEX(capability)].permitted & mask) ||
	    r.data[CAP_TO_INDEX(capability)].effective & mask)
		return false;
	r.data[CAP_TO_INDEX(capability)].effective |= mask;
	return rights_set(&r);
}

void right_lower(int capability)
{
	int saved = errno;
	struct rights r;

	if (rights_get(&r)) {
		r.data[CAP_TO_INDEX(capability)].effective &= ~CAP_TO_MASK(capability);
		(void)rights_set(&r);
	}
	errno = saved;
}
