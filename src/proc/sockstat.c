/* SPDX-License-Identifier: MIT */
#include "proc/sockstat.h"

#include <string.h>

#include "proc/text.h"

static const struct {
	const char *line, *word;
} fields[SOCKSTAT_FIELDS] = {
	[SOCKSTAT_USED] = { "sockets", "used" },       [SOCKSTAT_TCP] = { "TCP", "inuse" },
	[SOCKSTAT_ORPHAN] = { "TCP", "orphan" },       [SOCKSTAT_TW] = { "TCP", "tw" },
	[SOCKSTAT_ALLOC] = { "TCP", "alloc" },         [SOCKSTAT_TCP_MEM] = { "TCP", "mem" },
	[SOCKSTAT_UDP] = { "UDP", "inuse" },           [SOCKSTAT_UDP_MEM] = { "UDP", "mem" },
	[SOCKSTAT_UDPLITE] = { "UDPLITE", "inuse" },   [SOCKSTAT_RAW] = { "RAW", "inuse" },
	[SOCKSTAT_FRAG] = { "FRAG", "inuse" },         [SOCKSTAT_FRAG_MEMORY] = { "FRAG", "memory" },
	[SOCKSTAT_TCP6] = { "TCP6", "inuse" },         [SOCKSTAT_UDP6] = { "UDP6", "inuse" },
	[SOCKSTAT_UDPLITE6] = { "UDPLITE6", "inuse" }, [SOCKSTAT_RAW6] = { "RAW6", "inuse" },
	[SOCKSTAT_FRAG6] = { "FRAG6", "inuse" },       [SOCKSTAT_FRAG6_MEMORY] = { "FRAG6", "memory" },
};

struct parse {
	struct sockstat *s;
	struct fault *fault;
	uint64_t found;
};

static bool is(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(text, word, len) == 0;
}

static int take_pair(struct parse *p, const char *line, const char *colon, const char *word, const char *number,
		     const char *end)
{
	for (int i = 0; i < SOCKSTAT_FIELDS; i++) {
		enum fault_kind kind;

		if (!is(line, (size_t)(colon - line), fields[i].line) ||
		    !is(word, (size_t)(text_word_end(word, number) - word), fields[i].word))
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

void sockstat_clear(struct sockstat *s)
{
	for (int i = 0; i < SOCKSTAT_FIELDS; i++)
		s->v[i] = QMEM_NA;
}

int sockstat_parse(const char *text, size_t len, struct sockstat *s, struct fault *ret_fault)
{
	struct parse p = { .s = s, .fault = ret_fault };

	*ret_fault = (struct fault){ .n = 0 };
	return text_lines(text, len, take, &p, ret_fault);
}
