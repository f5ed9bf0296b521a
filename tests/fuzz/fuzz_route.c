/* SPDX-License-Identifier: MIT */
/* Names lie in the text, in their order, and the walk ends. */
#include "fuzz.h"
#include "proc/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	for (int family = ROUTE_IPV4; family <= ROUTE_IPV6; family++) {
		struct route_walk walk = { text, text + size, (enum route_family)family };
		const char *name, *before = text;
		size_t len;

		while (route_default_next(&walk, &name, &len)) {
			check(len && name >= before && name + len < walk.at && walk.at <= walk.end);
			check(!memchr(name, '\n', len) && !memchr(name, ' ', len) && !memchr(name, '\t', len));
			before = walk.at;
		}
		check(walk.at == walk.end);
	}
	free(text);
	return 0;
}
