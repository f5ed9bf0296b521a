/* SPDX-License-Identifier: MIT */
/* Values, once, on stdout. */
#ifndef QMEM_PROGRAM_PRINT_H
#define QMEM_PROGRAM_PRINT_H

#include "program/request.h"

/*
 * Two collections, a second apart, or a few more while services ask the worker; a value of the last a line: canonical name,
 * tab, value in the base unit, tab, unit. Counters are rates a second; '-' is what is absent. Of the services that the request
 * names; none: of all that are enabled. Returns the exit status.
 */
int print_values(const struct request *r);

#endif
