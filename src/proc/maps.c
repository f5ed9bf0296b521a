/* SPDX-License-Identifier: MIT */
#include "proc/maps.h"

#include <errno.h>
#include <string.h>

#include "proc/text.h"

#define FIELDS 5 /* before the path: addresses, rights, offset, device, inode */

/* The path of a line; NULL: it has none. */
static const char *path_of(const char *line, const char *end)
{
	const char *word = line, *behind = line;
	int64_t inode = 0;

	for (int i = 0; i < FIELDS; i++) {
		word = text_blanks(behind, end);
		behind = text_word_end(word, end);
		if (behind == word)
			return NULL;
	}
	if (text_digits(word, behind, &inode) != behind || !inode)
		return NULL;
	word = text_blanks(behind, end);
	return word < end && *word == '/' && !memchr(word, '\0', (size_t)(end - word)) ? word : NULL;
}

bool maps_next_file(struct maps_walk *walk, const char **ret_path, size_t *ret_len)
{
	const char *newline;

	while (walk->at < walk->end && (newline = memchr(walk->at, '\n', (size_t)(walk->end - walk->at))) != NULL) {
		const char *path = path_of(walk->at, newline);

		walk->at = newline + 1;
		if (!path)
			continue;
		*ret_path = path;
		*ret_len = (size_t)(newline - path);
		return true;
	}
	walk->at = walk->end;
	return false;
}

int maps_name(char *dst, size_t size, const char *path, size_t len)
{
	const char *end = path + len;
	size_t n = 0;

	for (; path < end; n++) {
		/* nothing else is escaped here */
		bool newline = text_escaped(path, end) == '\n';

		if (n + 1 >= size)
			return -ENAMETOOLONG;
		dst[n] = newline ? '\n' : *path;
		path += newline ? TEXT_ESCAPE : 1;
	}
	if (n >= size)
		return -ENAMETOOLONG;
	dst[n] = '\0';
	return (int)n;
}

bool maps_is_deleted(const char *path, size_t len)
{
	return len > MAPS_DELETED && text_ends(path, path + len, " (deleted)");
}
