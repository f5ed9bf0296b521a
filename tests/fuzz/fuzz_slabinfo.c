/* SPDX-License-Identifier: MIT */
/* Names lie in the text, numbers are counts, families are never empty, and the walk ends. */
#include "fuzz.h"
#include "proc/slabs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct slabinfo_walk walk = { .at = text, .end = text + size };
	struct slabinfo cache;

	for (const char *before = text; slabinfo_next(&walk, &cache); before = walk.at) {
		char buffer[SLABINFO_FAMILY];
		size_t len = cache.name_len;
		const char *family;

		check(len && cache.name >= before && cache.name + len < walk.at && walk.at <= walk.end);
		check(!memchr(cache.name, '\n', len) && !memchr(cache.name, '\0', len));
		check(cache.name[0] != ' ' && cache.name[len - 1] != ' ');
		for (int c = 0; c < SLABINFO_COLUMNS; c++)
			check(is_count(cache.column[c]));
		family = slabinfo_family(cache.name, &len, buffer);
		check(len && len <= cache.name_len && (family == buffer || family == cache.name));
	}
	check(walk.at == walk.end);
	free(text);
	return 0;
}
