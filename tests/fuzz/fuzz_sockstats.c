/* SPDX-License-Identifier: MIT */
/* No field is below 0, and as many are there as were found, in a text of either family. */
#include "fuzz.h"
#include "proc/sockstats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct sockstats s;
	struct fault fault;
	int64_t limits[3];
	int n, there = 0;

	sockstats_clear(&s);
	n = sockstats_parse(text, size, &s, &fault);
	for (int i = 0; i < SOCKSTATS_FIELDS; i++) {
		check(is_count(s.v[i]));
		there += s.v[i] != QMEM_NA;
	}
	check(n == there);
	sockstats_limits(text, size, limits, 3);
	for (int i = 0; i < 3; i++)
		check(is_count(limits[i]));
	free(text);
	return 0;
}
