/* SPDX-License-Identifier: MIT */
#include "proc/columns.h"

#include <errno.h>
#include <string.h>

#include "proc/text.h"

int columns_parse(const char *text, size_t len, const struct columns *columns, int64_t *ret, struct fault *ret_fault)
{
	const char *end = memchr(text, '\n', len), *s = text;
	int numbers = 0;

	*ret_fault = (struct fault){ .n = 0 };
	for (size_t i = 0; i < columns->n; i++)
		ret[i] = QMEM_NA;
	if (!end) {
		fault_add(ret_fault, FAULT_TRUNCATED, text, len);
		return -ENODATA;
	}
	s = text_blanks(s, end);
	for (size_t i = 0; s < end && i < columns->n; s = text_blanks(s, end), i++) {
		const char *word = s, *name = columns->names[i];
		enum fault_kind kind;

		s = text_word_end(s, end);
		kind = columns->below_zero >> i & 1 ? text_signed(word, s, &ret[i]) :
						      text_value(word, s, false, &ret[i]);
		if (kind)
			fault_add(ret_fault, kind, name, strlen(name));
		else
			numbers++;
	}
	return numbers ? numbers : -ENODATA;
}

bool columns_choice(const char *text, size_t len, char *ret, size_t size)
{
	const char *first = memchr(text, '[', len), *last;

	if (!first)
		return false;
	first++;
	last = memchr(first, ']', (size_t)(text + len - first));
	if (!last || last == first || (size_t)(last - first) >= size || memchr(first, '\n', (size_t)(last - first)))
		return false;
	memcpy(ret, first, (size_t)(last - first));
	ret[last - first] = '\0';
	return true;
}

int64_t columns_switch(const char *text, size_t len)
{
	if (len < 2 || text[1] != '\n' || (*text != 'Y' && *text != 'N'))
		return QMEM_NA;
	return *text == 'Y';
}
