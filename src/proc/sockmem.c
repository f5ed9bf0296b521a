/* SPDX-License-Identifier: MIT */
#include "proc/sockmem.h"

#include "proc/text.h"
#include "util/value.h"

struct sum {
	int64_t pages;
	bool bad;
	struct fault *fault;
};

static bool is(const char *word, const char *end, const char *text)
{
	return (size_t)(end - word) == strlen(text) && memcmp(word, text, strlen(text)) == 0;
}

static int take(const char *line, const char *end, void *arg)
{
	const char *s = text_word_end(line, end), *name_end = s;
	enum fault_kind kind = FAULT_MALFORMED;
	struct sum *sum = arg;
	int64_t pages;

	if (!is(line, name_end, "TCP:") && !is(line, name_end, "UDP:"))
		return 0;
	for (s = text_blanks(s, end); s < end; s = text_blanks(s, end)) {
		const char *word = s, *word_end = text_word_end(s, end);

		s = text_blanks(word_end, end);
		if (!is(word, word_end, "mem"))
			continue;
		kind = text_value(s, text_word_end(s, end), false, &pages);
		break;
	}
	if (kind == FAULT_NONE && __builtin_add_overflow(value_or(sum->pages, 0), pages, &sum->pages))
		kind = FAULT_TOO_LARGE;
	if (kind != FAULT_NONE) {
		fault_add(sum->fault, kind, line, (size_t)(name_end - line));
		sum->bad = true;
	}
	return 1;
}

int64_t sockmem_parse(const char *text, size_t len, struct fault *fault)
{
	struct sum sum = { .pages = QMEM_NA, .fault = fault };
	unsigned before = fault->n;

	(void)text_lines(text, len, take, &sum, fault);
	return sum.bad || fault->n != before ? QMEM_NA : sum.pages;
}
