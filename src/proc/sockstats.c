/* SPDX-License-Identifier: MIT */
#include "proc/sockstats.h"

#include <string.h>

#include "proc/text.h"

static const struct {
	const char *line, *word;
} fields[SOCKSTATS_FIELDS] = {
	[SOCKSTATS_USED] = { "sockets", "used" },       [SOCKSTATS_TCP] = { "TCP", "inuse" },
	[SOCKSTATS_ORPHAN] = { "TCP", "orphan" },       [SOCKSTATS_TW] = { "TCP", "tw" },
	[SOCKSTATS_ALLOC] = { "TCP", "alloc" },         [SOCKSTATS_TCP_MEM] = { "TCP", "mem" },
	[SOCKSTATS_UDP] = { "UDP", "inuse" },           [SOCKSTATS_UDP_MEM] = { "UDP", "mem" },
	[SOCKSTATS_UDPLITE] = { "UDPLITE", "inuse" },   [SOCKSTATS_RAW] = { "RAW", "inuse" },
	[SOCKSTATS_FRAG] = { "FRAG", "inuse" },         [SOCKSTATS_FRAG_MEMORY] = { "FRAG", "memory" },
	[SOCKSTATS_TCP6] = { "TCP6", "inuse" },         [SOCKSTATS_UDP6] = { "UDP6", "inuse" },
	[SOCKSTATS_UDPLITE6] = { "UDPLITE6", "inuse" }, [SOCKSTATS_RAW6] = { "RAW6", "inuse" },
	[SOCKSTATS_FRAG6] = { "FRAG6", "inuse" },       [SOCKSTATS_FRAG6_MEMORY] = { "FRAG6", "memory" },
};

struct parse {
	struct sockstats *s;
	struct fault *fault;
	uint64_t found;
};

static int take_pair(struct parse *p, const char *line, const char *colon, const char *word, const char *number,
		     const char *end)
{
	for (int i = 0; i < SOCKSTATS_FIELDS; i++) {
		enum fault_kind kind;

		if (!text_is(line, colon, fields[i].line) ||
		    !text_is(word, text_word_end(word, number), fields[i].word))
			continue;
		kind = p->found >> i & 1 ? FAULT_DUPLICATE : text_value(number, end, false, &p->s->v[i]);
		p->found |= UINT64_C(1) << i;
		if (kind)
			fault_add(p->fault, kind, line, (size_t)(end - line));
		return !kind;
	}
	return 0;
}

static int take(const char *line, const char *end, void *arg)
{
	const char *colon = memchr(line, ':', (size_t)(end - line)), *at;
	int known = 0;

	if (!colon)
		return 0;
	at = text_blanks(colon + 1, end);
	while (at < end) {
		const char *number = text_blanks(text_word_end(at, end), end), *after = text_word_end(number, end);

		known += take_pair(arg, line, colon, at, number, after);
		at = text_blanks(after, end);
	}
	return known;
}

void sockstats_clear(struct sockstats *s)
{
	for (int i = 0; i < SOCKSTATS_FIELDS; i++)
		s->v[i] = QMEM_NA;
}

int sockstats_parse(const char *text, size_t len, struct sockstats *s, struct fault *ret_fault)
{
	struct parse p = { .s = s, .fault = ret_fault };

	*ret_fault = (struct fault){ .n = 0 };
	return text_lines(text, len, take, &p, ret_fault);
}

void sockstats_limits(const char *text, size_t len, int64_t *ret, size_t n)
{
	const char *end = memchr(text, '\n', len);

	for (size_t i = 0; i < n; i++)
		ret[i] = QMEM_NA;
	/* what has no end is cut */
	for (size_t i = 0; end && i < n; i++) {
		while (text < end && (*text == ' ' || *text == '\t'))
			text++;
		text = text_digits(text, end, &ret[i]);
		if (!text || (text < end && *text != ' ' && *text != '\t')) {
			ret[i] = QMEM_NA;
			return;
		}
	}
}
