/* SPDX-License-Identifier: MIT */
/* What changes within a time, for people, on stdout. */
#ifndef QMEM_PROGRAM_DIFFERENCE_H
#define QMEM_PROGRAM_DIFFERENCE_H

#include "program/request.h"

/*
 * A snapshot, another one `span` later, and what has changed between them, as control/diff.h has it. Meanwhile it is collected
 * every second, so that what counts by what it sees has seen it. The words are patterns (control/pattern.h); none: all that is
 * enabled. SIGINT and SIGTERM end the waiting. Returns the exit status.
 */
int show_difference(const struct request *r);

#endif
