/* SPDX-License-Identifier: MIT */
/* Values, once, on stdout. */
#ifndef QMEM_PROGRAM_PRINT_H
#define QMEM_PROGRAM_PRINT_H

#include <stddef.h>

/*
 * Two collections, a second apart, or a few more while services ask the worker; a value of the last a line: canonical name,
 * tab, value in the base unit, tab, unit. Counters are rates a second; '-' is what is absent. `services` names n of them; 0: all
 * that are enabled. Returns the exit status.
 */
int print_values(const char *config, char *const *services, size_t n);

#endif
