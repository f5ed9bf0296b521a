/* SPDX-License-Identifier: MIT */
/* A name lies in the line, and a value is a counter. */
#include "fuzz.h"
#include "proc/softirqs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct softirq irq;

	if (!softirqs_parse(text, size, &irq)) {
		check(irq.name_len && irq.name >= text && irq.name + irq.name_len < text + size);
		check(is_count(irq.runs));
	}
	free(text);
	return 0;
}
