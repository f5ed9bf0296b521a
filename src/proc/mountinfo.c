/* SPDX-License-Identifier: MIT */
#include "proc/mountinfo.h"

#include <errno.h>

#include "proc/text.h"

/* Up to the next blank, which is stepped over. An empty word is one, too: so is the source of some. */
static bool take_word(const char **at, const char *end, struct mountinfo_word *ret)
{
	const char *start = *at;

	if (!start)
		return false;
	ret->text = start;
	ret->len = (size_t)(text_word_end(start, end) - start);
	*at = start + ret->len < end ? start + ret->len + 1 : NULL;
	return true;
}

static bool take_number(const struct mountinfo_word *word, int64_t most, int64_t *ret)
{
	return text_digits(word->text, word->text + word->len, ret) == word->text + word->len && *ret != QMEM_NA &&
	       *ret <= most;
}

static bool take_device(const struct mountinfo_word *word, struct mountinfo *ret)
{
	const char *colon = memchr(word->text, ':', word->len), *end = word->text + word->len;
	int64_t major, minor;

	if (!colon)
		return false;
	if (!take_number(&(struct mountinfo_word){ word->text, (size_t)(colon - word->text) }, UINT32_MAX, &major) ||
	    !take_number(&(struct mountinfo_word){ colon + 1, (size_t)(end - colon - 1) }, UINT32_MAX, &minor))
		return false;
	ret->major = (uint32_t)major;
	ret->minor = (uint32_t)minor;
	return true;
}

bool mountinfo_is(const struct mountinfo_word *word, const char *text)
{
	return text_is(word->text, word->text + word->len, text);
}

int mountinfo_parse(const char *line, size_t len, struct mountinfo *ret)
{
	const char *at = line, *end = line + len;
	struct mountinfo_word word = { 0 };
	struct mountinfo m = { 0 };
	int64_t number;

	for (int i = 0; i < 2; i++)
		if (!take_word(&at, end, &word) || !take_number(&word, INT32_MAX, &number))
			return -EINVAL;
	if (!take_word(&at, end, &word) || !take_device(&word, &m))
		return -EINVAL;
	if (!take_word(&at, end, &m.root) || !take_word(&at, end, &m.point) || !take_word(&at, end, &word))
		return -EINVAL;
	do {
		if (!take_word(&at, end, &word))
			return -EINVAL;
	} while (!mountinfo_is(&word, "-"));
	if (!take_word(&at, end, &m.type) || !take_word(&at, end, &m.source) || !take_word(&at, end, &m.super))
		return -EINVAL;
	if (!m.root.len || !m.point.len || *m.point.text != '/' || !m.type.len)
		return -EINVAL;
	*ret = m;
	return 0;
}

bool mountinfo_next(struct mountinfo_walk *walk, struct mountinfo *ret)
{
	const char *line, *newline;

	while ((line = text_next_line(&walk->at, walk->end, &newline, &walk->fault))) {
		if (!mountinfo_parse(line, (size_t)(newline - line), ret))
			return true;
		fault_add(&walk->fault, FAULT_MALFORMED, line, (size_t)(newline - line));
	}
	return false;
}

int mountinfo_name(char *dst, size_t size, const struct mountinfo_word *word)
{
	const char *s = word->text, *end = s + word->len;
	size_t n = 0;

	while (s < end) {
		bool escape = *s == '\\';
		int byte = escape ? text_escaped(s, end) : (unsigned char)*s;

		s += escape ? TEXT_ESCAPE : 1;
		if (byte <= 0)
			return -EINVAL;
		if (n + 1 >= size)
			return -ENAMETOOLONG;
		dst[n++] = (char)byte;
	}
	if (!size)
		return -ENAMETOOLONG;
	dst[n] = '\0';
	return (int)n;
}
