/* SPDX-License-Identifier: MIT */
#include "kernel/cgroupfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "engine/root.h"

int cgroupfs_open(const struct root *root)
{
	static const char *const mounts[] = { "sys/fs/cgroup", "sys/fs/cgroup/unified" };
	int fd = -ENOENT;

	for (size_t i = 0; i < sizeof(mounts) / sizeof(*mounts); i++) {
		char controllers[64];

		/* v1 has no such file */
		snprintf(controllers, sizeof(controllers), "%s/cgroup.controllers", mounts[i]);
		fd = root_open(root, controllers, O_RDONLY);
		if (fd < 0)
			continue;
		close(fd);
		return root_open(root, mounts[i], O_RDONLY | O_DIRECTORY);
	}
	return fd;
}

int cgroupfs_below(int fd, const char *name)
{
	int below = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return below < 0 ? -errno : below;
}
