/* SPDX-License-Identifier: MIT */
/* Names lie in the text, values are counts, and the walk ends. */
#include "fuzz.h"
#include "proc/zoneinfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct zone_walk walk = { .at = text, .end = text + size };
	struct zone z;

	while (zone_next(&walk, &z)) {
		check(z.name_len && z.name > text && z.name + z.name_len < walk.at && walk.at <= walk.end);
		check(!memchr(z.name, '\0', z.name_len) && !memchr(z.name, '\n', z.name_len) && z.node >= 0);
		for (int i = 0; i < ZONE_VALUES; i++)
			check(is_count(z.value[i]));
	}
	check(walk.at == walk.end);
	free(text);
	return 0;
}
