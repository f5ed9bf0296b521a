/* SPDX-License-Identifier: MIT */
/* A private copy of a recorded root (tests/roots), in which the second tick is written over the first in place: the engine
 * keeps its files open, as it does with the kernel's. Whatever goes wrong ends the program. */
#ifndef QMEM_ROOT_H
#define QMEM_ROOT_H

#include <stdbool.h>

/* The path of a copy of ROOT/1. One at a time. */
const char *root_copy(const char *root);
/* Lays ROOT/tick over the copy; false if there is no such tick. */
bool root_lay(const char *root, int tick);
void root_remove(void);

#endif
