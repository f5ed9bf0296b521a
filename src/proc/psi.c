/* SPDX-License-Identifier: MIT */
#include "proc/psi.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "proc/text.h"

const char *const psi_resources[PSI_RESOURCES] = { "memory", "io", "cpu", "irq" };
const char *const psi_kinds[PSI_KINDS] = { "some", "full" };

static const struct {
	const char *key;
	size_t offset;
	const char *(*value)(const char *s, const char *end, int64_t *ret);
} words[] = {
	{ "avg10", offsetof(struct psi_line, avg10), text_hundredths },
	{ "avg60", offsetof(struct psi_line, avg60), text_hundredths },
	{ "avg300", offsetof(struct psi_line, avg300), text_hundredths },
	{ "total", offsetof(struct psi_line, total), text_digits },
};

static int parse_word(const char *s, const char *end, struct psi_line *line, bool *beyond)
{
	const char *equals = memchr(s, '=', (size_t)(end - s));

	if (!equals)
		return 0;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t len = (size_t)(equals - s);
		int64_t value;

		if (strlen(words[i].key) != len || memcmp(words[i].key, s, len) != 0)
			continue;
		if (words[i].value(equals + 1, end, &value) != end)
			return -EINVAL;
		*beyond |= value == QMEM_NA;
		*(int64_t *)(void *)((char *)line + words[i].offset) = value;
	}
	return 0;
}

static const char *word_end(const char *s, const char *end)
{
	while (s < end && *s != ' ')
		s++;
	return s;
}

static int parse_line(const char *s, const char *end, void *arg)
{
	struct psi *psi = arg;
	const char *word = word_end(s, end);
	int kind;

	for (kind = 0; kind < PSI_KINDS; kind++)
		if (strlen(psi_kinds[kind]) == (size_t)(word - s) &&
		    memcmp(psi_kinds[kind], s, (size_t)(word - s)) == 0)
			break;
	if (kind == PSI_KINDS)
		return 0;
	for (s = word; s < end; s = word) {
		int err;

		s++;
		word = word_end(s, end);
		err = parse_word(s, word, &psi->kind[kind], &psi->beyond);
		if (err)
			return err;
	}
	return 1;
}

int psi_parse(const char *text, size_t len, struct psi *ret)
{
	struct psi psi = { .beyond = false };
	int n;

	for (int kind = 0; kind < PSI_KINDS; kind++)
		psi.kind[kind] = (struct psi_line){ QMEM_NA, QMEM_NA, QMEM_NA, QMEM_NA };
	n = text_lines(text, len, parse_line, &psi);
	if (n <= 0)
		return n ? n : -ENODATA;
	*ret = psi;
	return 0;
}
