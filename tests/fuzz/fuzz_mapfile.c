/* SPDX-License-Identifier: MIT */
/* A line is of a file or it is not. */
#include "fuzz.h"
#include "proc/mapfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	const char *at = text, *end = text + size;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;
		struct mapfile file;

		if (mapfile_parse(at, (size_t)(stop - at), &file))
			check(file.inode > 0 && memchr(at, ':', (size_t)(stop - at)));
		at = stop < end ? stop + 1 : end;
	}
	free(text);
	return 0;
}
