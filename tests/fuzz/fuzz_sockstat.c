/* SPDX-License-Identifier: MIT */
/* No field is below 0, and as many are there as were found, in a text of either family. */
#include "fuzz.h"
#include "proc/sockstat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct sockstat s;
	struct fault fault;
	int n, there = 0;

	sockstat_clear(&s);
	n = sockstat_parse(text, size, &s, &fault);
	for (int i = 0; i < SOCKSTAT_FIELDS; i++) {
		check(is_count(s.v[i]));
		there += s.v[i] != QMEM_NA;
	}
	check(n == there);
	free(text);
	return 0;
}
