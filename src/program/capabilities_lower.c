/* SPDX-License-Identifier: MIT */
/* What is given up needs no libcap: it is given up by every build. */
#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "program/capabilities.h"

static int set(struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3], bool get)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(get ? SYS_capget : SYS_capset, &header, data) < 0 ? -errno : 0;
}

int capabilities_lower(void)
{
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	uid_t uid = getuid();
	gid_t gid = getgid();
	int err;

	if (!getauxval(AT_SECURE))
		return 0;
	/* root's files are not the caller's to read, nor a group's */
	if (geteuid() != uid || getegid() != gid) {
		if (prctl(PR_SET_KEEPCAPS, 1) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
			return -errno;
	}
	err = set(data, true);
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		data[i].effective = data[i].inheritable = 0;
	return err ? err : set(data, false);
}

int capabilities_drop(void)
{
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];

	memset(none, 0, sizeof(none));
	return set(none, false);
}
