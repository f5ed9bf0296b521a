/* SPDX-License-Identifier: MIT */
/* Whatever is taken from a pressure file is a number a kernel may have meant. */
#include <stdlib.h>
#include <string.h>

#include "proc/psi.h"
#include "qmem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int64_t value)
{
	if (value != QMEM_NA && value < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* without a NUL, and of its exact size: a read beyond the end is found */
	char *text = malloc(size ? size : 1);
	struct psi psi;

	if (size)
		memcpy(text, data, size);
	if (!psi_parse(text, size, &psi)) {
		for (int kind = 0; kind < PSI_KINDS; kind++) {
			check(psi.kind[kind].avg10);
			check(psi.kind[kind].avg60);
			check(psi.kind[kind].avg300);
			check(psi.kind[kind].total);
		}
		/* only whole lines are taken */
		if (!size || text[size - 1] != '\n')
			abort();
	}
	free(text);
	return 0;
}
