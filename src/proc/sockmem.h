/* SPDX-License-Identifier: MIT */
/*
 * The memory of sockets as their limits count it: "mem" of the lines "TCP:" and "UDP:" in /proc/net/sockstat, in pages. It is the
 * machine's, whatever namespace the file is read in, and of both families. Memory of "FRAG:" is a namespace's, and left out.
 */
#ifndef QMEM_PROC_SOCKMEM_H
#define QMEM_PROC_SOCKMEM_H

#include <stddef.h>
#include <stdint.h>

#include "proc/fault.h"

/* The sum, in pages; QMEM_NA where there is no such line, one that is malformed, or the text is cut. */
int64_t sockmem_parse(const char *text, size_t len, struct fault *fault);

#endif
