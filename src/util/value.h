/* SPDX-License-Identifier: MIT */
/*
 * Arithmetic with values that may be absent. Where one number is made of two, it is absent if one of them is; where many are
 * added up, those that are absent are left out.
 */
#ifndef QMEM_UTIL_VALUE_H
#define QMEM_UTIL_VALUE_H

#include "qmem.h"

static inline int64_t value_or(int64_t a, int64_t otherwise)
{
	return a == QMEM_NA ? otherwise : a;
}

static inline int64_t value_least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* a - b of two that are not below 0, nor is the result: the kernel does not read both at one instant. */
static inline int64_t value_minus(int64_t a, int64_t b)
{
	if (a == QMEM_NA || b == QMEM_NA)
		return QMEM_NA;
	return a > b ? a - b : 0;
}

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

/* Adds to a sum, which is QMEM_NA until there is something to add, what is not below 0. It stays at INT64_MAX. */
static inline void value_add(int64_t *sum, int64_t value)
{
	if (value == QMEM_NA)
		return;
	if (*sum == QMEM_NA)
		*sum = value;
	else if (__builtin_add_overflow(*sum, value, sum))
		*sum = INT64_MAX;
}

/* Of two parts of one thing, which the kernel may know both of, or one: QMEM_NA if it is beyond int64. */
static inline int64_t value_sum(int64_t a, int64_t b)
{
	int64_t both;

	if (a == QMEM_NA || b == QMEM_NA)
		return a == QMEM_NA ? b : a;
	return __builtin_add_overflow(a, b, &both) ? QMEM_NA : both;
}

/* count in ns, per second. */
static inline int64_t value_rate(int64_t count, uint64_t ns)
{
	double rate = (double)count * 1e9 / (double)ns;

	return rate < 9e18 ? (int64_t)rate : INT64_MAX;
}

#endif
