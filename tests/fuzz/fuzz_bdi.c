/* SPDX-License-Identifier: MIT */
/* Amounts are bytes of whole kB, and as many as there are said to be. */
#include "fuzz.h"
#include "proc/bdi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	int64_t columns[BDI_COLUMNS];
	struct fault fault;
	size_t n = bdi_parse(text, size, columns, &fault), known = 0;

	for (int c = 0; c < BDI_COLUMNS; c++) {
		check(is_size(columns[c]));
		known += columns[c] != QMEM_NA;
	}
	check(n == known);
	free(text);
	return 0;
}
