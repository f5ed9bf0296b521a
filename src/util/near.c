/* SPDX-License-Identifier: MIT */
#include "util/near.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#define LETTERS 64 /* of a name; who writes more meant something else */

/* The letters that count; LETTERS if there are more. */
static unsigned letters(char dst[LETTERS], const char *name)
{
	unsigned n = 0;

	for (; *name && n < LETTERS; name++)
		if (!strchr(" \t-_", *name))
			dst[n++] = (char)tolower((unsigned char)*name);
	return n;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Letters to change, add, take away, or exchange with the next one. */
static unsigned distance(const char *a, unsigned a_len, const char *b, unsigned b_len)
{
	unsigned rows[3][LETTERS + 1], *older = rows[0], *old = rows[1], *now = rows[2], *free;

	for (unsigned j = 0; j <= b_len; j++)
		old[j] = j;
	for (unsigned i = 1; i <= a_len; i++) {
		now[0] = i;
		for (unsigned j = 1; j <= b_len; j++) {
			now[j] = least(least(old[j], now[j - 1]) + 1, old[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], older[j - 2] + 1);
		}
		free = older;
		older = old;
		old = now;
		now = free;
	}
	return old[b_len];
}

void near_try(struct near *near, const char *name)
{
	char a[LETTERS], b[LETTERS];
	unsigned a_len = letters(a, near->wanted), b_len = letters(b, name), d;

	if (a_len == LETTERS || b_len == LETTERS)
		return;
	d = distance(a, a_len, b, b_len);
	if (3 * d > (a_len > b_len ? a_len : b_len) || (near->name && d >= near->distance))
		return;
	near->name = name;
	near->distance = d;
}
