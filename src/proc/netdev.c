/* SPDX-License-Identifier: MIT */
#include "proc/netdev.h"

#include <errno.h>
#include <string.h>

#include "qmem.h"

/* A run of digits up to a blank or the end; beyond int64 it is QMEM_NA. NULL: not a number. */
static const char *number(const char *s, const char *end, int64_t *ret, bool *beyond)
{
	const char *first = s;
	uint64_t value = 0;
	bool big = false;

	for (; s < end && *s >= '0' && *s <= '9'; s++) {
		uint64_t digit = (uint64_t)(*s - '0');

		big |= value > ((uint64_t)INT64_MAX - digit) / 10;
		value = value * 10 + digit;
	}
	if (s == first || (s < end && *s != ' '))
		return NULL;
	*ret = big ? QMEM_NA : (int64_t)value;
	*beyond |= big;
	return s;
}

int netdev_parse(const char *line, size_t len, struct netdev *ret)
{
	const char *end = line + len, *colon = memrchr(line, ':', len), *s;
	struct netdev dev = { 0 };
	int columns = 0;

	if (!colon)
		return -ENODATA;
	/* the kernel right-aligns short names */
	while (line < colon && *line == ' ')
		line++;
	if (line == colon)
		return -EINVAL;
	dev.name = line;
	dev.name_len = (size_t)(colon - line);
	for (int i = 0; i < NETDEV_COLUMNS; i++)
		dev.column[i] = QMEM_NA;
	/* without a blank after the ':' before Linux 2.6.24 */
	for (s = colon + 1; columns < NETDEV_COLUMNS; columns++) {
		while (s < end && *s == ' ')
			s++;
		if (s == end)
			break;
		s = number(s, end, &dev.column[columns], &dev.beyond);
		if (!s)
			return -EINVAL;
	}
	if (!columns)
		return -EINVAL;
	*ret = dev;
	return 0;
}

bool netdev_next(struct netdev_walk *walk, struct netdev *ret)
{
	while (walk->at < walk->end) {
		const char *line = walk->at, *newline = memchr(line, '\n', (size_t)(walk->end - line));
		int err;

		/* the last number may be cut: a smaller one */
		if (!newline) {
			walk->at = walk->end;
			walk->malformed++;
			break;
		}
		walk->at = newline + 1;
		err = netdev_parse(line, (size_t)(newline - line), ret);
		if (!err)
			return true;
		walk->malformed += err == -EINVAL;
	}
	return false;
}
