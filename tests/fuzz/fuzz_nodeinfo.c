/* SPDX-License-Identifier: MIT */
/* Of any text, as both files: sizes and counters, as many as are told. */
#include "fuzz.h"
#include "proc/nodeinfo.h"

static void check_values(const int64_t *values, int n, int known, bool sizes)
{
	int there = 0;

	for (int i = 0; i < n; i++) {
		there += values[i] != QMEM_NA;
		check(sizes ? is_size(values[i]) : is_count(values[i]));
	}
	check(known == there);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	int64_t memory[NODE_VALUES] = { 0 }, stat[NUMASTAT_VALUES] = { 0 };
	struct fault fault = { .n = 0 };
	static const uint32_t nodes[] = { 0, 1, 8, 252 };

	for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++)
		check_values(memory, NODE_VALUES, nodeinfo_parse(text, size, nodes[i], memory, &fault), true);
	check_values(stat, NUMASTAT_VALUES, numastat_parse(text, size, stat, &fault), false);
	free(text);
	return 0;
}
