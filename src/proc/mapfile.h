/* SPDX-License-Identifier: MIT */
/*
 * Which file a line of /proc/PID/maps is of: "7f12000-7f13000 rw-s 00000000 00:1a 4711   /dev/shm/x". By device and inode, which
 * nobody chooses; the name, which anybody may, is not looked at.
 */
#ifndef QMEM_PROC_MAPFILE_H
#define QMEM_PROC_MAPFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mapfile {
	uint32_t major, minor;
	uint64_t inode; /* never 0 */
};

/* A line without its end. False: it is of no file, or malformed. */
bool mapfile_parse(const char *line, size_t len, struct mapfile *ret);

#endif
