/* SPDX-License-Identifier: MIT */
#include "proc/edacline.h"

#include <string.h>

static int is_blank(char c)
{
	return c == ' ' || c == '\t';
}

size_t edacline_parse(const char *text, size_t len, char *ret, size_t size)
{
	size_t end = 0;

	while (len && is_blank(*text)) {
		text++;
		len--;
	}
	while (end < len && end + 1 < size && text[end] && text[end] != '\n')
		end++;
	while (end && is_blank(text[end - 1]))
		end--;
	memcpy(ret, text, end);
	ret[end] = '\0';
	return end;
}
