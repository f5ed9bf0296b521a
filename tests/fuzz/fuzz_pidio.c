/* SPDX-License-Identifier: MIT */
/* Whatever is taken from a process's io is a number a kernel may have meant, of a line that was whole. */
#include "fuzz.h"
#include "proc/pidio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct fault fault;
	struct pidio io;

	if (!pidio_parse(text, size, &io, &fault)) {
		for (int i = 0; i < PIDIO_VALUES; i++)
			check(is_count(io.value[i]));
		check(text[size - 1] == '\n' || fault.n);
	}
	free(text);
	return 0;
}
