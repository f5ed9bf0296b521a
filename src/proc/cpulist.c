/* SPDX-License-Identifier: MIT */
#include "proc/cpulist.h"

#include <errno.h>

#define MOST (1u << 20)

static int number(const char **at, const char *end, uint32_t *ret)
{
	const char *s = *at;
	uint32_t value = 0;

	for (; s < end && *s >= '0' && *s <= '9'; s++) {
		value = value * 10 + (uint32_t)(*s - '0');
		if (value > MOST)
			return -ERANGE;
	}
	if (s == *at || s == end)
		return -EINVAL;
	*at = s;
	*ret = value;
	return 0;
}

int cpulist_parse(const char *text, size_t len, uint32_t *ret, size_t room, size_t *ret_n)
{
	const char *end = text + len;
	size_t n = 0;

	for (;;) {
		uint32_t from, to;
		int err = number(&text, end, &from);

		if (err)
			return err;
		to = from;
		if (*text == '-') {
			text++;
			err = number(&text, end, &to);
			if (err)
				return err;
		}
		if (to < from)
			return -EINVAL;
		if (to - from >= room - n)
			return -ERANGE;
		for (; from <= to; from++)
			ret[n++] = from;
		if (*text == '\n' && text + 1 == end)
			break;
		if (*text != ',')
			return -EINVAL;
		text++;
	}
	*ret_n = n;
	return 0;
}
