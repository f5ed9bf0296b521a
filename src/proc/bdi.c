/* SPDX-License-Identifier: MIT */
#include "proc/bdi.h"

#include "proc/text.h"
#include "qmem.h"

static const struct {
	const char *key, *unit;
} keys[] = {
	[BDI_WRITEBACK] = { "BdiWriteback", "kB" }, [BDI_RECLAIMABLE] = { "BdiReclaimable", "kB" },
	[BDI_THRESH] = { "BdiDirtyThresh", "kB" },  [BDI_DIRTIED] = { "BdiDirtied", "kB" },
	[BDI_WRITTEN] = { "BdiWritten", "kB" },     [BDI_BANDWIDTH] = { "BdiWriteBandwidth", "kBps" },
};

struct reading {
	int64_t *columns;
	unsigned seen; /* a bit for each column */
	struct fault *fault;
};

static int which(const char *key, size_t len)
{
	for (int c = 0; c < BDI_COLUMNS; c++)
		if (text_is(key, key + len, keys[c].key))
			return c;
	return -1;
}

/* Blanks, digits, a blank, the unit. */
static enum fault_kind amount(const char *s, const char *end, const char *unit, int64_t *ret)
{
	const char *word = text_blanks(s, end), *behind = text_word_end(word, end);
	const char *last = text_blanks(behind, end);
	int64_t value;
	enum fault_kind kind = text_value(word, behind, false, &value);

	if (kind != FAULT_NONE)
		return kind;
	if (last == end)
		return FAULT_NO_UNIT;
	if (!text_is(last, end, unit))
		return FAULT_MALFORMED;
	if (__builtin_mul_overflow(value, 1024, ret))
		return FAULT_TOO_LARGE;
	return FAULT_NONE;
}

static int take(const char *line, const char *end, void *arg)
{
	struct reading *r = arg;
	const char *colon = memchr(line, ':', (size_t)(end - line));
	int column = colon ? which(line, (size_t)(colon - line)) : -1;
	enum fault_kind kind = FAULT_DUPLICATE;
	int64_t value;

	if (column < 0)
		return 0;
	if (!(r->seen >> column & 1)) {
		r->seen |= 1u << column;
		kind = amount(colon + 1, end, keys[column].unit, &value);
	}
	if (kind != FAULT_NONE) {
		fault_add(r->fault, kind, line, (size_t)(colon - line));
		return 0;
	}
	r->columns[column] = value;
	return 1;
}

size_t bdi_parse(const char *text, size_t len, int64_t ret[BDI_COLUMNS], struct fault *ret_fault)
{
	struct reading r = { .columns = ret, .fault = ret_fault };

	*ret_fault = (struct fault){ .n = 0 };
	for (int c = 0; c < BDI_COLUMNS; c++)
		ret[c] = QMEM_NA;
	return (size_t)text_lines(text, len, take, &r, ret_fault);
}
