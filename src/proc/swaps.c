/* SPDX-License-Identifier: MIT */
#include "proc/swaps.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proc/maps.h"
#include "proc/text.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The next word of [s, end): where it ends; its beginning in *ret_word. NULL: there is none. */
static const char *next_word(const char *s, const char *end, const char **ret_word)
{
	while (s < end && is_blank(*s))
		s++;
	if (s == end)
		return NULL;
	*ret_word = s;
	while (s < end && !is_blank(*s))
		s++;
	return s;
}

/* False: it does not fit. */
static bool undo(char *dst, const char *s, const char *end)
{
	size_t n = 0;

	while (s < end) {
		int byte = text_escaped(s, end);
		char c = byte < 0 ? *s : (char)byte;

		s += byte < 0 ? 1 : TEXT_ESCAPE;
		if (n == SWAPS_NAME - 1 || !c)
			return false;
		dst[n++] = c;
	}
	dst[n] = '\0';
	return true;
}

static void blame(struct fault *fault, enum fault_kind kind, const struct swaps_area *area, const char *column)
{
	char key[sizeof(fault->key)];

	snprintf(key, sizeof(key), "%.32s %s", area->name, column);
	fault_add(fault, kind, key, strlen(key));
}

/* Is it a number? */
static bool take(const char *s, const char *end, const char *column, int64_t unit, bool below_zero,
		 struct swaps_area *area, int64_t *ret, struct fault *fault)
{
	int64_t value = QMEM_NA;
	enum fault_kind kind = below_zero ? text_signed(s, end, &value) : text_value(s, end, false, &value);

	*ret = QMEM_NA;
	if (!kind && __builtin_mul_overflow(value, unit, &value))
		kind = FAULT_TOO_LARGE;
	if (kind)
		blame(fault, kind, area, column);
	else
		*ret = value;
	return !kind;
}

int swaps_parse(const char *line, size_t len, struct swaps_area *ret, struct fault *fault)
{
	const char *end = line + len, *word = line, *s = next_word(line, end, &word);
	struct fault numbers_fault = *fault;
	int numbers = 0;

	if (s && text_is(word, s, "Filename"))
		return -ENODATA;
	if (!s || *word != '/' || !undo(ret->name, word, s))
		goto malformed;
	s = next_word(s, end, &word);
	if (!s)
		goto malformed;
	ret->file = text_is(word, s, "file");
	ret->deleted = maps_is_deleted(ret->name, strlen(ret->name));
	ret->size = ret->used = ret->priority = QMEM_NA;
	if ((s = next_word(s, end, &word)))
		numbers += take(word, s, "size", 1024, false, ret, &ret->size, &numbers_fault);
	if (s && (s = next_word(s, end, &word)))
		numbers += take(word, s, "used", 1024, false, ret, &ret->used, &numbers_fault);
	if (s && (s = next_word(s, end, &word)))
		numbers += take(word, s, "priority", 1, true, ret, &ret->priority, &numbers_fault);
	if (!numbers)
		goto malformed;
	*fault = numbers_fault;
	return 0;
malformed:
	fault_add(fault, FAULT_MALFORMED, line, len);
	return -EINVAL;
}

bool swaps_next(struct swaps_walk *walk, struct swaps_area *ret)
{
	const char *line, *newline;

	while ((line = text_next_line(&walk->at, walk->end, &newline, &walk->fault)))
		if (!swaps_parse(line, (size_t)(newline - line), ret, &walk->fault))
			return true;
	return false;
}
