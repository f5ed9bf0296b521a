/* SPDX-License-Identifier: MIT */
#include "proc/psi.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "qmem.h"

const char *const psi_resources[PSI_RESOURCES] = { "memory", "io", "cpu", "irq" };
const char *const psi_kinds[PSI_KINDS] = { "some", "full" };

static const struct {
	const char *key;
	size_t offset;
	bool percent; /* "12.34" */
} words[] = {
	{ "avg10", offsetof(struct psi_line, avg10), true },
	{ "avg60", offsetof(struct psi_line, avg60), true },
	{ "avg300", offsetof(struct psi_line, avg300), true },
	{ "total", offsetof(struct psi_line, total), false },
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* All of it is digits, with a fraction of exactly two if `percent`. QMEM_NA beyond int64. */
static int number(const char *s, const char *end, bool percent, int64_t *ret)
{
	int64_t value = 0;
	int fraction = -1;
	bool beyond = false;

	if (s == end || !is_digit(*s))
		return -EINVAL;
	for (; s < end && fraction < 2; s++) {
		if (percent && fraction < 0 && *s == '.') {
			fraction = 0;
			continue;
		}
		if (!is_digit(*s))
			break;
		if (fraction >= 0)
			fraction++;
		beyond |= __builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *s - '0', &value);
	}
	if (s != end || (percent && fraction != 2))
		return -EINVAL;
	*ret = beyond ? QMEM_NA : value;
	return 0;
}

static int parse_word(const char *s, const char *end, struct psi_line *line, bool *beyond)
{
	const char *equals = memchr(s, '=', (size_t)(end - s));

	if (!equals)
		return 0;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t len = (size_t)(equals - s);
		int64_t value;
		int err;

		if (strlen(words[i].key) != len || memcmp(words[i].key, s, len) != 0)
			continue;
		err = number(equals + 1, end, words[i].percent, &value);
		if (err)
			return err;
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

static int parse_line(const char *s, const char *end, struct psi *psi, bool *known)
{
	const char *word = word_end(s, end);
	int kind;

	for (kind = 0; kind < PSI_KINDS; kind++)
		if (strlen(psi_kinds[kind]) == (size_t)(word - s) &&
		    memcmp(psi_kinds[kind], s, (size_t)(word - s)) == 0)
			break;
	if (kind == PSI_KINDS)
		return 0;
	*known = true;
	for (s = word; s < end; s = word) {
		int err;

		s++;
		word = word_end(s, end);
		err = parse_word(s, word, &psi->kind[kind], &psi->beyond);
		if (err)
			return err;
	}
	return 0;
}

int psi_parse(const char *text, size_t len, struct psi *ret)
{
	const char *end = text + len;
	struct psi psi = { .beyond = false };
	bool known = false;

	for (int kind = 0; kind < PSI_KINDS; kind++)
		psi.kind[kind] = (struct psi_line){ QMEM_NA, QMEM_NA, QMEM_NA, QMEM_NA };
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		int err;

		/* a number that was cut would pass for a smaller one */
		if (!newline)
			return -EINVAL;
		err = parse_line(text, newline, &psi, &known);
		if (err)
			return err;
		text = newline + 1;
	}
	if (!known)
		return -ENODATA;
	*ret = psi;
	return 0;
}
