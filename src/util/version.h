/* SPDX-License-Identifier: MIT */
#ifndef QMEM_UTIL_VERSION_H
#define QMEM_UTIL_VERSION_H

#include <stdbool.h>

/* Is the running kernel older? By its name, which tells less than a feature does. */
bool version_before(int major, int minor);

#endif
