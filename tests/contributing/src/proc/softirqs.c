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
	for (s = colon + 1;; columns++) {
		int64_t runs;

		while (s < end && *s == ' ')
			s++;
		if (s == end)
			break;
		s = text_number(s, end, &runs);
		if (!s)
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
