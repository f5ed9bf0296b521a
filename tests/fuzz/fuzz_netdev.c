/* SPDX-License-Identifier: MIT */
/* Names lie in the text, values are counters, and the walk ends. */
#include <stdlib.h>
#include <string.h>

#include "proc/netdev.h"
#include "qmem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size ? size : 1);
	struct netdev_walk walk = { .at = text, .end = text + size };
	struct netdev dev;

	if (size)
		memcpy(text, data, size);
	for (const char *before = text; netdev_next(&walk, &dev); before = walk.at) {
		if (!dev.name_len || dev.name < before || dev.name + dev.name_len >= walk.at || walk.at > walk.end)
			abort();
		if (memchr(dev.name, '\n', dev.name_len) || memchr(dev.name, '\0', dev.name_len) ||
		    dev.name[dev.name_len] != ':')
			abort();
		for (int c = 0; c < NETDEV_COLUMNS; c++)
			if (dev.column[c] != QMEM_NA && dev.column[c] < 0)
				abort();
	}
	if (walk.at != walk.end)
		abort();
	free(text);
	return 0;
}
