/* SPDX-License-Identifier: MIT */
/* What is on, and what is wrong, once, on stdout. */
#ifndef QMEM_PROGRAM_CHECK_H
#define QMEM_PROGRAM_CHECK_H

#include "program/request.h"

/*
 * A service a line: name, tab, on or off, tab, why or by what; the table of capabilities (control/privilege.h), likewise: "capability"
 * and its line, there, lacking or unused, the rest; then what is wrong with the configuration. A program apart from
 * the agent's says on stderr what it has read, and that this is true for itself. Exit status: 0 if nothing is wrong, and every
 * service set to yes is on.
 */
int check_services(const struct request *r);

#endif
