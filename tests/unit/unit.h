/* SPDX-License-Identifier: MIT */
/* What every unit test includes first. */
#ifndef QMEM_UNIT_H
#define QMEM_UNIT_H

#include <check.h>

#define SUITE(name) Suite *name##_suite(void);
#include "suites.h"
#undef SUITE

#endif
