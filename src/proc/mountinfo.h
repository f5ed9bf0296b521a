/* SPDX-License-Identifier: MIT */
/*
 * /proc/PID/mountinfo: the mounts of a mount namespace, one a line.
 *
 *	36 35 0:29 / /dev/shm rw,nosuid shared:5 master:1 - tmpfs shm rw,size=64k
 *
 * Words are parted by one blank each; there is any number of optional ones (none here beyond "master:1") before a "-". The kernel
 * writes blanks, tabs, line feeds and backslashes of names as \040, \011, \012 and \134; mountinfo_name() undoes it. A line that is
 * malformed costs itself; one that is cut is not taken.
 */
#ifndef QMEM_PROC_MOUNTINFO_H
#define QMEM_PROC_MOUNTINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proc/fault.h"

/* A word of the text, as it stands there. */
struct mountinfo_word {
	const char *text;
	size_t len;
};

struct mountinfo {
	uint32_t major, minor; /* of the file system: stat() says the same of each file in it */
	struct mountinfo_word root, point, type, source, super; /* `source` may be empty, `super` are its options */
};

struct mountinfo_walk {
	const char *at, *end;
	struct fault fault;
};

/* The next sound line; false: there is none. */
bool mountinfo_next(struct mountinfo_walk *walk, struct mountinfo *ret);
/* A line without its end. -EINVAL: it is malformed. */
int mountinfo_parse(const char *line, size_t len, struct mountinfo *ret);
/* The name itself, NUL-terminated: its length; -ENAMETOOLONG: there is no room, -EINVAL: it has a NUL, or an escape that is none. */
int mountinfo_name(char *dst, size_t size, const struct mountinfo_word *word);
bool mountinfo_is(const struct mountinfo_word *word, const char *text);

#endif
