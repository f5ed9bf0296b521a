/* SPDX-License-Identifier: MIT */
#include "proc/netdev.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proc/text.h"

static const char *const columns[NETDEV_COLUMNS] = {
	"rx bytes", "rx packets", "rx errs", "rx drop", "rx fifo", "rx frame", "rx compressed", "multicast",
	"tx bytes", "tx packets", "tx errs", "tx drop", "tx fifo", "colls",    "carrier",       "tx compressed",
};

static void blame(struct fault *fault, enum fault_kind kind, const struct netdev *dev, int column)
{
	char key[sizeof(fault->key)];
	int len = dev->name_len < 32 ? (int)dev->name_len : 32;

	if (!fault->n)
		snprintf(key, sizeof(key), "%.*s %s", len, dev->name, columns[column]);
	fault_add(fault, kind, key, fault->n ? 0 : strlen(key));
}

/* How many numbers there are. */
static int take_columns(const char *s, const char *end, struct netdev *dev, struct fault *fault)
{
	int numbers = 0, column = 0;

	for (s = text_blanks(s, end); s < end && column < NETDEV_COLUMNS; s = text_blanks(s, end), column++) {
		const char *word = s;
		enum fault_kind kind;

		s = text_word_end(s, end);
		kind = text_value(word, s, true, &dev->column[column]);
		if (kind)
			blame(fault, kind, dev, column);
		else
			numbers++;
	}
	return numbers;
}

int netdev_parse(const char *line, size_t len, struct netdev *ret, struct fault *fault)
{
	/* the kernel right-aligns short names */
	const char *end = line + len, *colon = memrchr(line, ':', len), *name = text_blanks(line, end);
	struct fault columns_fault = *fault;
	struct netdev dev;

	if (!colon)
		return -ENODATA;
	if (name == colon || memchr(name, '\0', (size_t)(colon - name)))
		goto malformed;
	dev.name = name;
	dev.name_len = (size_t)(colon - name);
	for (int i = 0; i < NETDEV_COLUMNS; i++)
		dev.column[i] = QMEM_NA;
	/* without a blank after the ':' before Linux 2.6.24 */
	if (!take_columns(colon + 1, end, &dev, &columns_fault))
		goto malformed;
	*fault = columns_fault;
	*ret = dev;
	return 0;
malformed:
	fault_add(fault, FAULT_MALFORMED, name, (size_t)(end - name));
	return -EINVAL;
}

bool netdev_next(struct netdev_walk *walk, struct netdev *ret)
{
	const char *line, *newline;

	while ((line = text_next_line(&walk->at, walk->end, &newline, &walk->fault)))
		if (!netdev_parse(line, (size_t)(newline - line), ret, &walk->fault))
			return true;
	return false;
}
