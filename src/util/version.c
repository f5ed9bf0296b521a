/* SPDX-License-Identifier: MIT */
#include "util/version.h"

#include <stdio.h>
#include <sys/utsname.h>

bool version_before(int major, int minor)
{
	int is_major, is_minor;
	struct utsname name;

	if (uname(&name) || sscanf(name.release, "%d.%d", &is_major, &is_minor) != 2)
		return false;
	return is_major < major || (is_major == major && is_minor < minor);
}
