/* SPDX-License-Identifier: MIT */
/* Where cgroups are: directories in one another, each of which has files. */
#ifndef QMEM_KERNEL_CGROUPFS_H
#define QMEM_KERNEL_CGROUPFS_H

struct root; /* engine/root.h */

/* The first directory of v2: alone, or beside the hierarchies of v1. A descriptor or -errno; it may block. */
int cgroupfs_open(const struct root *root);
/* A directory in one, of which this is the entry's name; no link is followed. A descriptor or -errno. */
int cgroupfs_below(int fd, const char *name);

#endif
