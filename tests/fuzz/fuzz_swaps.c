/* SPDX-License-Identifier: MIT */
/* Names are paths, sizes are whole KiB, and the walk ends. */
#include "fuzz.h"
#include "proc/swaps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct swaps_area area;
	char *text = fuzz_text(data, size);
	struct swaps_walk walk = { .at = text, .end = text + size };

	for (const char *before = text; swaps_next(&walk, &area); before = walk.at) {
		check(walk.at > before && walk.at <= walk.end);
		check(*area.name == '/' && strnlen(area.name, SWAPS_NAME) < SWAPS_NAME);
		check(is_size(area.size) && is_size(area.used));
		check(area.size != QMEM_NA || area.used != QMEM_NA || area.priority != QMEM_NA);
	}
	check(walk.at == walk.end);
	free(text);
	return 0;
}
