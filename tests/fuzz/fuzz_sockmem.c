/* SPDX-License-Identifier: MIT */
/* A sum or nothing, and nothing where something was wrong. */
#include "fuzz.h"
#include "proc/sockmem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct fault fault = { 0 };
	int64_t pages = sockmem_parse(text, size, &fault);

	check(is_count(pages) && (!fault.n || pages == QMEM_NA));
	check(pages == QMEM_NA || memmem(text, size, "mem", 3));
	free(text);
	return 0;
}
