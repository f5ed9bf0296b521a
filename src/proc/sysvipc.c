/* SPDX-License-Identifier: MIT */
#include "proc/sysvipc.h"

#include <stdio.h>

#include "proc/text.h"

#define KEY SYSVIPC_COLUMNS /* the one that may be below 0 */

static const char *const names[] = {
	[SYSVIPC_SHMID] = "shmid",   [SYSVIPC_SIZE] = "size", [SYSVIPC_CPID] = "cpid",
	[SYSVIPC_NATTCH] = "nattch", [SYSVIPC_CUID] = "cuid", [SYSVIPC_CTIME] = "ctime",
	[SYSVIPC_RSS] = "rss",       [SYSVIPC_SWAP] = "swap", [KEY] = "key",
};

static int column_of(const char *word, const char *end)
{
	for (int c = 0; c <= KEY; c++)
		if (text_is(word, end, names[c]))
			return c;
	return -1;
}

static void take_names(struct sysvipc_walk *walk, const char *s, const char *end)
{
	bool seen[KEY + 1] = { false };

	memset(walk->what, -1, sizeof(walk->what));
	s = text_blanks(s, end);
	for (int i = 0; s < end && i < SYSVIPC_WORDS; i++) {
		const char *word = s;
		int c;

		s = text_word_end(s, end);
		c = column_of(word, s);
		if (c >= 0 && !seen[c]) {
			seen[c] = true;
			walk->what[i] = (int8_t)c;
		}
		s = text_blanks(s, end);
	}
}

static void take_number(struct sysvipc_walk *walk, int c, const char *s, const char *end, struct sysvipc_shm *ret)
{
	int64_t value = QMEM_NA;
	enum fault_kind kind = c == KEY ? text_signed(s, end, &value) : text_value(s, end, false, &value);

	if (kind == FAULT_NONE && c == KEY && (value > INT64_C(1) << 31 || value < -(INT64_C(1) << 31)))
		kind = FAULT_TOO_LARGE;
	if (kind != FAULT_NONE) {
		fault_add(&walk->fault, kind, names[c], strlen(names[c]));
		return;
	}
	if (c == KEY)
		ret->key = value;
	else
		ret->column[c] = value;
}

static bool take_line(struct sysvipc_walk *walk, const char *line, const char *end, struct sysvipc_shm *ret)
{
	const char *s = text_blanks(line, end);
	struct sysvipc_shm shm = { .key = QMEM_NA };

	if (s == end)
		return false;
	for (int c = 0; c < SYSVIPC_COLUMNS; c++)
		shm.column[c] = QMEM_NA;
	for (int i = 0; s < end && i < SYSVIPC_WORDS; i++) {
		const char *word = s;

		s = text_word_end(s, end);
		if (walk->what[i] >= 0)
			take_number(walk, walk->what[i], word, s, &shm);
		s = text_blanks(s, end);
	}
	if (shm.column[SYSVIPC_SHMID] == QMEM_NA || shm.column[SYSVIPC_SIZE] == QMEM_NA) {
		fault_add(&walk->fault, FAULT_MALFORMED, line, (size_t)(end - line));
		return false;
	}
	*ret = shm;
	return true;
}

bool sysvipc_next(struct sysvipc_walk *walk, struct sysvipc_shm *ret)
{
	const char *line, *newline;

	while ((line = text_next_line(&walk->at, walk->end, &newline, &walk->fault))) {
		if (!walk->begun) {
			take_names(walk, line, newline);
			walk->begun = true;
		} else if (take_line(walk, line, newline, ret)) {
			return true;
		}
	}
	return false;
}
