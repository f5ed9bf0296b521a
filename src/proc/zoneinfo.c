/* SPDX-License-Identifier: MIT */
#include "proc/zoneinfo.h"

#include <stdio.h>
#include <string.h>

#include "proc/zone.h"

static const struct {
	const char *word;
	enum zone_value value;
} words[] = {
	{ "pages free", ZONE_FREE }, { "min", ZONE_MIN },         { "low", ZONE_LOW },
	{ "high", ZONE_HIGH },       { "present", ZONE_PRESENT }, { "managed", ZONE_MANAGED },
};

static void blame(struct fault *fault, enum fault_kind kind, const struct zone *z, const char *word)
{
	char key[sizeof(fault->key)];

	if (!fault->n)
		snprintf(key, sizeof(key), "node %d zone %.*s %s", (int)z->node, (int)z->name_len, z->name, word);
	fault_add(fault, kind, key, fault->n ? 0 : strlen(key));
}

static void put(struct zone *z, enum zone_value which, const char *word, enum fault_kind kind, int64_t value,
		unsigned *seen, struct fault *fault)
{
	if (*seen >> which & 1)
		kind = FAULT_DUPLICATE;
	else if (!kind)
		z->value[which] = value;
	*seen |= 1u << which;
	if (kind)
		blame(fault, kind, z, word);
}

/* "(0, 2266, 20000)": the most of them; lowmem_reserve grows from each zone to the next. */
static enum fault_kind reserve(const char *s, const char *end, int64_t *ret)
{
	int64_t most = QMEM_NA;

	s = text_blanks(s, end);
	if (s == end || *s++ != '(')
		return FAULT_MALFORMED;
	for (;;) {
		const char *number = s;
		enum fault_kind kind;
		int64_t value;

		while (s < end && *s != ',' && *s != ')')
			s++;
		if (s == end)
			return FAULT_MALFORMED;
		kind = text_value(number, s, false, &value);
		if (kind)
			return kind;
		if (value > most)
			most = value;
		if (*s++ == ')')
			break;
		s = text_blanks(s, end);
	}
	if (text_blanks(s, end) != end)
		return FAULT_MALFORMED;
	*ret = most;
	return FAULT_NONE;
}

static void take(const char *line, const char *end, struct zone *z, unsigned *seen, struct fault *fault)
{
	const char *s = text_blanks(line, end);
	int64_t value = QMEM_NA;
	enum fault_kind kind;

	if (text_begins(s, end, "protection:")) {
		kind = reserve(s + strlen("protection:"), end, &value);
		put(z, ZONE_RESERVE, "protection", kind, value, seen, fault);
		return;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t len = strlen(words[i].word);
		const char *number;

		if (!text_begins(s, end, words[i].word) || s + len == end || s[len] != ' ')
			continue;
		number = text_blanks(s + len, end);
		kind = text_value(number, end, false, &value);
		put(z, words[i].value, words[i].word, kind, value, seen, fault);
		return;
	}
}

bool zone_next(struct zone_walk *walk, struct zone *ret)
{
	bool found = false;
	unsigned seen = 0;

	while (walk->at < walk->end) {
		const char *line = walk->at, *newline = memchr(line, '\n', (size_t)(walk->end - line));
		struct zone z = { .node = 0 };

		if (!newline) {
			fault_add(&walk->fault, FAULT_TRUNCATED, line, (size_t)(walk->end - line));
			walk->at = walk->end;
			break;
		}
		if (*line == 'N' && zone_heading(line, newline, &z.node, &z.name, &z.name_len)) {
			if (found)
				return true;
			for (int i = 0; i < ZONE_VALUES; i++)
				z.value[i] = QMEM_NA;
			*ret = z;
			found = true;
		} else if (found) {
			take(line, newline, ret, &seen, &walk->fault);
		} else {
			fault_add(&walk->fault, FAULT_MALFORMED, line, (size_t)(newline - line));
		}
		walk->at = newline + 1;
	}
	return found;
}
