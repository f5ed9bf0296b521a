/* SPDX-License-Identifier: MIT */
/* What texts of the kernel are made of: lines, and numbers within them. `end` is behind the last byte that may be looked at. */
#ifndef QMEM_PROC_TEXT_H
#define QMEM_PROC_TEXT_H

#include <errno.h>
#include <string.h>

#include "proc/fault.h"
#include "qmem.h"

static inline bool text_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Is [s, end) this word? Does it begin with it, end with it? */
static inline bool text_is(const char *s, const char *end, const char *word)
{
	size_t len = strlen(word);

	return (size_t)(end - s) == len && memcmp(s, word, len) == 0;
}

static inline bool text_begins(const char *s, const char *end, const char *word)
{
	size_t len = strlen(word);

	return (size_t)(end - s) >= len && memcmp(s, word, len) == 0;
}

static inline bool text_ends(const char *s, const char *end, const char *word)
{
	size_t len = strlen(word);

	return (size_t)(end - s) >= len && memcmp(end - len, word, len) == 0;
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

/*
 * A number that is all of [s, end), or what is wrong with that. Where it `grows` it is a counter; some kernels and emulators
 * print one of 32 bits as a signed number, and what is below -2^31 is no such thing. *ret is written only on FAULT_NONE.
 */
static inline enum fault_kind text_value(const char *s, const char *end, bool grows, int64_t *ret)
{
	bool minus = s < end && *s == '-';
	int64_t value = QMEM_NA;

	if (text_digits(s + minus, end, &value) != end)
		return FAULT_MALFORMED;
	if (minus && (!grows || value <= 0 || value > INT64_C(1) << 31))
		return FAULT_NEGATIVE;
	if (value == QMEM_NA)
		return FAULT_TOO_LARGE;
	*ret = minus ? (INT64_C(1) << 32) - value : value;
	return FAULT_NONE;
}

/* Likewise one that may be below 0. */
static inline enum fault_kind text_signed(const char *s, const char *end, int64_t *ret)
{
	bool minus = s < end && *s == '-';
	int64_t value = QMEM_NA;

	if (text_digits(s + minus, end, &value) != end)
		return FAULT_MALFORMED;
	if (value == QMEM_NA)
		return FAULT_TOO_LARGE;
	*ret = minus ? -value : value;
	return FAULT_NONE;
}

/* A number in a line that is all of the text: a file of sysfs, or a sysctl. */
static inline enum fault_kind text_alone(const char *text, size_t len, int64_t *ret)
{
	if (!len || text[len - 1] != '\n')
		return FAULT_TRUNCATED;
	return text_value(text, text + len - 1, false, ret);
}

#define TEXT_ESCAPE 4 /* bytes of "\040" */

/* The byte that is escaped at `s`, as the kernel does it in names; -1: there is no escape. */
static inline int text_escaped(const char *s, const char *end)
{
	int value = 0;

	if (end - s < TEXT_ESCAPE || *s != '\\' || s[1] > '3')
		return -1;
	for (int i = 1; i < TEXT_ESCAPE; i++) {
		if (s[i] < '0' || s[i] > '7')
			return -1;
		value = value * 8 + (s[i] - '0');
	}
	return value;
}

/* Where the word at `s` ends, before a blank or at the end; past blanks. */
static inline const char *text_word_end(const char *s, const char *end)
{
	while (s < end && *s != ' ')
		s++;
	return s;
}

static inline const char *text_blanks(const char *s, const char *end)
{
	while (s < end && *s == ' ')
		s++;
	return s;
}

/* Likewise "0.13", with two decimals as the kernel always writes, in 1/100. */
static inline enum fault_kind text_hundredths(const char *s, const char *end, int64_t *ret)
{
	bool minus = s < end && *s == '-';
	int64_t whole = QMEM_NA, part = 0;
	const char *point = text_digits(s + minus, end, &whole);

	if (!point || point == end || *point != '.' || end - point != 3 || text_digits(point + 1, end, &part) != end)
		return FAULT_MALFORMED;
	if (minus)
		return FAULT_NEGATIVE;
	if (whole == QMEM_NA || __builtin_mul_overflow(whole, 100, &whole) ||
	    __builtin_add_overflow(whole, part, &whole))
		return FAULT_TOO_LARGE;
	*ret = whole;
	return FAULT_NONE;
}

/*
 * The line at *at, which moves behind it; *ret_end is its newline. NULL: there is no more. The last one is not taken if it has no
 * newline, but told: a number that was cut would pass for a smaller one.
 */
static inline const char *text_next_line(const char **at, const char *end, const char **ret_end, struct fault *fault)
{
	const char *line = *at, *newline = line < end ? memchr(line, '\n', (size_t)(end - line)) : NULL;

	*at = newline ? newline + 1 : end;
	*ret_end = newline;
	if (newline)
		return line;
	if (line < end)
		fault_add(fault, FAULT_TRUNCATED, line, (size_t)(end - line));
	return NULL;
}

/*
 * Hands each line to `take`, which returns 1 if it knows the line, 0 if not, -errno to end it. How many were known. The last
 * line is not looked at if it has no newline: a number that was cut would pass for a smaller one. Without a `fault` to put
 * that into it is -EINVAL.
 */
static inline int text_lines(const char *text, size_t len, int (*take)(const char *line, const char *end, void *arg),
			     void *arg, struct fault *fault)
{
	const char *end = text + len;
	int known = 0;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		int n;

		if (!newline && !fault)
			return -EINVAL;
		if (!newline) {
			fault_add(fault, FAULT_TRUNCATED, text, (size_t)(end - text));
			break;
		}
		n = take(text, newline, arg);
		if (n < 0)
			return n;
		known += n;
		text = newline + 1;
	}
	return known;
}

#endif
