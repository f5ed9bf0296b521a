/* SPDX-License-Identifier: MIT */
/* The system call, in a file of its own: a test that has one of its own takes its place. */
#ifndef QMEM_ENGINE_OPENAT2_H
#define QMEM_ENGINE_OPENAT2_H

/* A descriptor, or -errno. Below `at`, and no link is followed. -ENOSYS before Linux 5.6, and -EPERM in containers that do not
 * know it. */
int openat2_below(int at, const char *path, int flags);

#endif
