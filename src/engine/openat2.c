/* SPDX-License-Identifier: MIT */
#include "engine/openat2.h"

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* of linux/openat2.h, which headers before 5.6 do not have */
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#define NO_MAGICLINKS 0x02
#define NO_SYMLINKS 0x04
#define BENEATH 0x08

int openat2_below(int at, const char *path, int flags)
{
	const struct {
		uint64_t flags, mode, resolve;
	} how = { .flags = (uint64_t)(unsigned)flags, .resolve = NO_MAGICLINKS | NO_SYMLINKS | BENEATH };
	long fd = syscall(SYS_openat2, at, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}
