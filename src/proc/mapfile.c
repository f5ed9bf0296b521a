/* SPDX-License-Identifier: MIT */
#include "proc/mapfile.h"

#include "proc/text.h"

/* Of at most 8 digits. */
static const char *hex(const char *s, const char *end, uint32_t *ret)
{
	const char *first = s;
	uint32_t value = 0;

	for (; s < end && s - first < 8; s++) {
		int digit = text_is_digit(*s) ? *s - '0' : *s >= 'a' && *s <= 'f' ? *s - 'a' + 10 : -1;

		if (digit < 0)
			break;
		value = value << 4 | (uint32_t)digit;
	}
	*ret = value;
	return s == first ? NULL : s;
}

bool mapfile_parse(const char *line, size_t len, struct mapfile *ret)
{
	const char *s = line, *end = line + len;
	struct mapfile file;
	int64_t inode = 0;

	for (int word = 0; word < 3; word++) {
		s = text_word_end(s, end);
		if (s == end)
			return false;
		s++;
	}
	s = hex(s, end, &file.major);
	if (!s || s == end || *s != ':')
		return false;
	s = hex(s + 1, end, &file.minor);
	if (!s || s == end || *s != ' ')
		return false;
	s = text_digits(s + 1, end, &inode);
	if (!s || (s < end && *s != ' ') || inode <= 0)
		return false;
	file.inode = (uint64_t)inode;
	*ret = file;
	return true;
}
