/* SPDX-License-Identifier: MIT */
/* Whatever is taken from a pressure file is a number a kernel may have meant. */
#include "fuzz.h"
#include "proc/psi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct fault fault;
	struct psi psi;

	if (!psi_parse(text, size, &psi, &fault)) {
		for (int kind = 0; kind < PSI_KINDS; kind++) {
			const struct psi_line *line = &psi.kind[kind];

			check(is_count(line->avg10) && is_count(line->avg60) && is_count(line->avg300));
			check(is_count(line->total));
		}
		/* only whole lines are taken */
		check(text[size - 1] == '\n' || fault.n);
	}
	free(text);
	return 0;
}
