/* SPDX-License-Identifier: MIT */
/* A file into room of one's own, also where there is no engine: on the worker. */
#ifndef QMEM_ENGINE_FILE_H
#define QMEM_ENGINE_FILE_H

#include <stdbool.h>
#include <sys/types.h>

/* What fits of it, from its beginning on: the length, or -errno. `line`: it is one line, and needs no second read to find
 * that there is no more. */
ssize_t file_read(int fd, char *text, size_t size, bool line);

#endif
