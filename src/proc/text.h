/* SPDX-License-Identifier: MIT */
/* What texts of the kernel are made of: lines, and numbers within them. `end` is behind the last byte that may be looked at. */
#ifndef QMEM_PROC_TEXT_H
#define QMEM_PROC_TEXT_H

#include <errno.h>
#include <string.h>

#include "qmem.h"

static inline bool text_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A run of digits, QMEM_NA beyond int64. Where it ends; NULL: there is none. */
static inline const char *text_digits(const char *s, const char *end, int64_t *ret)
{
	const char *first = s;
	uint64_t value = 0;

	for (; s < end && text_is_digit(*s); s++)
		value = value * 10 + (uint64_t)(*s - '0');
	if (s == first)
		return NULL;
	/* 19 digits do not overflow a uint64_t */
	while (s - first > 19 && *first == '0')
		first++;
	*ret = s - first > 19 || value > INT64_MAX ? QMEM_NA : (int64_t)value;
	return s;
}

/* Likewise, and a blank or the end behind it. */
static inline const char *text_number(const char *s, const char *end, int64_t *ret)
{
	s = text_digits(s, end, ret);
	return s && (s == end || *s == ' ') ? s : NULL;
}

/* Likewise "0.13", with two decimals as the kernel always writes, in 1/100. */
static inline const char *text_hundredths(const char *s, const char *end, int64_t *ret)
{
	int64_t whole, part;
	const char *point = text_digits(s, end, &whole);

	if (!point || point == end || *point != '.')
		return NULL;
	s = text_digits(point + 1, end, &part);
	if (!s || s - point != 3)
		return NULL;
	if (whole == QMEM_NA || __builtin_mul_overflow(whole, 100, &whole) ||
	    __builtin_add_overflow(whole, part, &whole))
		whole = QMEM_NA;
	*ret = whole;
	return s;
}

/*
 * Hands each line to `take`, which returns 1 if it knows the line, 0 if not, -errno to end it. How many were known; -EINVAL
 * also if the text ends within a line: a number that was cut would pass for a smaller one.
 */
static inline int text_lines(const char *text, size_t len, int (*take)(const char *line, const char *end, void *arg),
			     void *arg)
{
	const char *end = text + len;
	int known = 0;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		int n = newline ? take(text, newline, arg) : -EINVAL;

		if (n < 0)
			return n;
		known += n;
		text = newline + 1;
	}
	return known;
}

#endif
