/* SPDX-License-Identifier: MIT */
/* Arithmetic with values that may be absent: then the result is, too. */
#ifndef QMEM_UTIL_VALUE_H
#define QMEM_UTIL_VALUE_H

#include "qmem.h"

/* QMEM_NA also if it is beyond int64. */
static inline int64_t value_times(int64_t a, int64_t b)
{
	int64_t product;

	return a == QMEM_NA || b == QMEM_NA || __builtin_mul_overflow(a, b, &product) ? QMEM_NA : product;
}

/* part / whole in 1/100 percent, at most 100 %; neither is negative. Of nothing there is no part: QMEM_NA. */
static inline int64_t value_ratio(int64_t part, int64_t whole)
{
	if (part == QMEM_NA || whole == QMEM_NA || whole <= 0)
		return QMEM_NA;
	if (part >= whole)
		return 10000;
	while (part > INT64_MAX / 10000) {
		part /= 2;
		whole /= 2;
	}
	return part * 10000 / whole;
}

#endif
