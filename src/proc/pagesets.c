/* SPDX-License-Identifier: MIT */
#include "proc/pagesets.h"

#include <string.h>

#include "proc/text.h"
#include "util/value.h"

#define KEY "count:"

struct sum {
	int64_t pages;
	bool bad;
	struct fault *fault;
};

static int take(const char *line, const char *end, void *arg)
{
	struct sum *sum = arg;
	int64_t count;
	enum fault_kind kind;

	line = text_blanks(line, end);
	if (!text_begins(line, end, KEY))
		return 0;
	kind = text_value(text_blanks(line + strlen(KEY), end), end, false, &count);
	if (kind == FAULT_NONE && __builtin_add_overflow(value_or(sum->pages, 0), count, &sum->pages))
		kind = FAULT_TOO_LARGE;
	if (kind != FAULT_NONE) {
		fault_add(sum->fault, kind, KEY, strlen(KEY) - 1);
		sum->bad = true;
	}
	return 1;
}

int64_t pagesets_parse(const char *text, size_t len, struct fault *fault)
{
	struct sum sum = { .pages = QMEM_NA, .fault = fault };
	unsigned before = fault->n;

	(void)text_lines(text, len, take, &sum, fault);
	return sum.bad || fault->n != before ? QMEM_NA : sum.pages;
}
