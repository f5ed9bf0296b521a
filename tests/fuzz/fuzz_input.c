/* SPDX-License-Identifier: MIT */
/* What the agent writes to us means the same in one piece and byte by byte, but for a QUIT in the middle of a line. */
#include "../../netdata/input.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input whole = { .len = 0 }, bytes = { .len = 0 };
	bool all = input_feed(&whole, (const char *)data, size), each = false;

	for (size_t i = 0; i < size && !each; i++)
		each = input_feed(&bytes, (const char *)data + i, 1);
	check(!all || each);
	check(all || each || (whole.len == bytes.len && whole.payload == bytes.payload));
	return 0;
}
