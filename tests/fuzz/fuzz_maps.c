/* SPDX-License-Identifier: MIT */
/* Paths lie in the text, in their order, and are no longer when they are names; the walk ends. */
#include "fuzz.h"
#include "proc/maps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), name[256];
	struct maps_walk walk = { text, text + size };
	const char *path, *before = text;
	size_t len;

	while (maps_next_file(&walk, &path, &len)) {
		int n = maps_name(name, sizeof(name), path, len);

		check(len && path > before && path + len < walk.at && walk.at <= walk.end && *path == '/');
		check(!memchr(path, '\n', len) && !memchr(path, '\0', len));
		check(n < 0 ? len >= sizeof(name) : (size_t)n <= len && strlen(name) == (size_t)n);
		(void)maps_is_deleted(path, len);
		before = walk.at - 1;
	}
	check(walk.at == walk.end);
	free(text);
	return 0;
}
