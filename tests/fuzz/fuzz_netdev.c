/* SPDX-License-Identifier: MIT */
/* Names lie in the text, values are counters, and the walk ends. */
#include "fuzz.h"
#include "proc/netdev.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct netdev_walk walk = { .at = text, .end = text + size };
	struct netdev dev;

	for (const char *before = text; netdev_next(&walk, &dev); before = walk.at) {
		check(dev.name_len && dev.name >= before && dev.name + dev.name_len < walk.at && walk.at <= walk.end);
		check(!memchr(dev.name, '\n', dev.name_len) && !memchr(dev.name, '\0', dev.name_len));
		check(dev.name[dev.name_len] == ':');
		for (int c = 0; c < NETDEV_COLUMNS; c++)
			check(is_count(dev.column[c]));
	}
	check(walk.at == walk.end);
	free(text);
	return 0;
}
