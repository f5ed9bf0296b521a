/* SPDX-License-Identifier: MIT */
#include "proc/psi.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "proc/text.h"

const char *const psi_resources[PSI_RESOURCES] = { "memory", "io", "cpu", "irq" };
const char *const psi_kinds[PSI_KINDS] = { "some", "full" };

static enum fault_kind total(const char *s, const char *end, int64_t *ret)
{
	return text_value(s, end, false, ret);
}

static const struct {
	const char *key;
	size_t offset;
	enum fault_kind (*value)(const char *s, const char *end, int64_t *ret);
} words[] = {
	{ "avg10", offsetof(struct psi_line, avg10), text_hundredths },
	{ "avg60", offsetof(struct psi_line, avg60), text_hundredths },
	{ "avg300", offsetof(struct psi_line, avg300), text_hundredths },
	{ "total", offsetof(struct psi_line, total), total },
};

struct reading {
	struct psi psi;
	struct fault *fault;
};

static void take_word(struct reading *r, enum psi_kind kind, const char *s, const char *end)
{
	const char *equals = memchr(s, '=', (size_t)(end - s));

	for (size_t i = 0; equals && i < sizeof(words) / sizeof(*words); i++) {
		enum fault_kind wrong;
		char name[16];

		if (!text_is(s, equals, words[i].key))
			continue;
		wrong = words[i].value(equals + 1, end,
				       (int64_t *)(void *)((char *)&r->psi.kind[kind] + words[i].offset));
		if (wrong) {
			snprintf(name, sizeof(name), "%s %s", psi_kinds[kind], words[i].key);
			fault_add(r->fault, wrong, name, strlen(name));
		}
	}
}

static int take_line(const char *s, const char *end, void *arg)
{
	const char *word = text_word_end(s, end);
	int kind;

	for (kind = 0; kind < PSI_KINDS; kind++)
		if (text_is(s, word, psi_kinds[kind]))
			break;
	if (kind == PSI_KINDS)
		return 0;
	for (s = word; s < end; s = word) {
		s++;
		word = text_word_end(s, end);
		take_word(arg, (enum psi_kind)kind, s, word);
	}
	return 1;
}

int psi_parse(const char *text, size_t len, struct psi *ret, struct fault *ret_fault)
{
	struct reading r = { .fault = ret_fault };

	*ret_fault = (struct fault){ .n = 0 };
	for (int kind = 0; kind < PSI_KINDS; kind++)
		r.psi.kind[kind] = (struct psi_line){ QMEM_NA, QMEM_NA, QMEM_NA, QMEM_NA };
	if (!text_lines(text, len, take_line, &r, ret_fault))
		return -ENODATA;
	*ret = r.psi;
	return 0;
}
