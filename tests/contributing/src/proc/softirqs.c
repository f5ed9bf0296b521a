/* SPDX-License-Identifier: MIT */
#include "proc/softirqs.h"

#include "proc/text.h"
#include "util/value.h"

int softirqs_parse(const char *line, size_t len, struct softirq *ret)
{
	const char *end = line + len, *colon = memchr(line, ':', len), *s;
	struct softirq irq = { .runs = QMEM_NA };
	int columns = 0;

	if (!colon)
		return -ENODATA;
	while (line < colon && *line == ' ')
		line++;
	if (line == colon || memchr(line, '\0', (size_t)(colon - line)))
		return -EINVAL;
	for (s = text_blanks(colon + 1, end); s < end; s = text_blanks(s, end), columns++) {
		const char *word = s;
		int64_t runs;

		s = text_word_end(s, end);
		/* a sum that lacks a part is no sum */
		if (text_value(word, s, false, &runs))
			return -EINVAL;
		value_add(&irq.runs, runs);
	}
	if (!columns)
		return -EINVAL;
	irq.name = line;
	irq.name_len = (size_t)(colon - line);
	*ret = irq;
	return 0;
}
