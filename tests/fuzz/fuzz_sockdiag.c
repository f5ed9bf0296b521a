/* SPDX-License-Identifier: MIT */
/* A reply of netlink, of each kind: the walk ends, and looks at nothing but the reply. */
#include "fuzz.h"
#include "proc/sockdiag.h"

static void walk(const unsigned char *bytes, size_t size, enum sockdiag_kind kind, uint32_t sequence)
{
	struct sockdiag_walk walk = { .at = bytes, .end = bytes + size, .kind = kind, .sequence = sequence };
	const unsigned char *before = bytes;
	struct sockdiag s;

	while (sockdiag_next(&walk, &s)) {
		check(walk.at > before && walk.at <= walk.end && !walk.done);
		before = walk.at;
		check(is_count(s.cgroup) && (kind == SOCKDIAG_INET || !s.port));
		for (int i = 0; i < SOCKDIAG_MEMORY; i++) {
			check(is_count(s.memory[i]));
			/* no word without those before it */
			check(!i || s.memory[i] == QMEM_NA || s.memory[i - 1] != QMEM_NA);
		}
	}
	check(walk.at == walk.end);
	check(walk.error <= 0 && (!walk.error || walk.done));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char *bytes = (unsigned char *)fuzz_text(data, size);
	uint32_t sequence = 1;

	if (size >= 12)
		memcpy(&sequence, bytes + 8, sizeof(sequence));
	for (int kind = 0; kind < SOCKDIAG_KINDS; kind++)
		walk(bytes, size, (enum sockdiag_kind)kind, sequence);
	free(bytes);
	return 0;
}
