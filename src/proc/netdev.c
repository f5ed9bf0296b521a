/* SPDX-License-Identifier: MIT */
#include "proc/netdev.h"

#include <errno.h>
#include <string.h>

#include "proc/text.h"

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
	if (line == colon || memchr(line, '\0', (size_t)(colon - line)))
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
		s = text_number(s, end, &dev.column[columns]);
		if (!s)
			return -EINVAL;
		dev.beyond |= dev.column[columns] == QMEM_NA;
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
