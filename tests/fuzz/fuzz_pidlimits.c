/* SPDX-License-Identifier: MIT */
/* Whatever is taken from a process's limits is a number a kernel may have meant, of a line that was whole. */
#include "fuzz.h"
#include "proc/pidlimits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct pidlimits limits;
	struct fault fault;

	if (!pidlimits_parse(text, size, &limits, &fault)) {
		check(is_count(limits.files));
		check(text[size - 1] == '\n' || fault.n);
	}
	free(text);
	return 0;
}
