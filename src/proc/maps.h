/* SPDX-License-Identifier: MIT */
/* /proc/PID/maps: the files that are mapped. */
#ifndef QMEM_PROC_MAPS_H
#define QMEM_PROC_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct maps_walk {
	const char *at, *end;
};

/*
 * The next line that has a path, with an inode that is not 0: what is "[heap]", a name of anonymous memory or nothing has none.
 * The path lies in the text, begins with '/', and is as the kernel writes it: a newline in it is "\012", and one that is gone ends in
 * " (deleted)". false: there is none. Lines that are malformed or cut are passed over.
 */
bool maps_next_file(struct maps_walk *walk, const char **ret_path, size_t *ret_len);

/* The name itself, NUL-terminated: its length; -ENAMETOOLONG: there is no room. */
int maps_name(char *dst, size_t size, const char *path, size_t len);

/* Does a path that the kernel has written, here, as a link of a process, of swap space or of a cgroup, end like one that is gone? */
#define MAPS_DELETED 10 /* bytes of " (deleted)" */
bool maps_is_deleted(const char *path, size_t len);

#endif
