/* SPDX-License-Identifier: MIT */
/* The words "Node 0, zone   Normal", with which lines of /proc/buddyinfo and /proc/zoneinfo begin. */
#ifndef QMEM_PROC_ZONE_H
#define QMEM_PROC_ZONE_H

#include <stdbool.h>

#include "proc/text.h"

#define ZONE_NODES (1 << 20) /* ids are below */
#define ZONE_NAME 16         /* bytes: the kernel's names are half as long */

/* What is behind them; NULL: they are not there. The name is a word of at most ZONE_NAME bytes, and has no NUL. */
static inline const char *zone_heading(const char *s, const char *end, int64_t *ret_node, const char **ret_zone,
				       size_t *ret_len)
{
	int64_t node;
	const char *name;

	if (!text_begins(s, end, "Node "))
		return NULL;
	s = text_digits(s + strlen("Node "), end, &node);
	if (!s || node == QMEM_NA || node >= ZONE_NODES || !text_begins(s, end, ", zone "))
		return NULL;
	name = text_blanks(s + strlen(", zone "), end);
	s = text_word_end(name, end);
	if (s == name || s - name > ZONE_NAME || memchr(name, '\0', (size_t)(s - name)))
		return NULL;
	*ret_node = node;
	*ret_zone = name;
	*ret_len = (size_t)(s - name);
	return s;
}

#endif
