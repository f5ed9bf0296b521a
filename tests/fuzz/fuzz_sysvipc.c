/* SPDX-License-Identifier: MIT */
/* Values are counts, keys have 32 bits, and the walk ends. */
#include "fuzz.h"
#include "proc/sysvipc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct sysvipc_walk walk = { .at = text, .end = text + size };
	struct sysvipc_shm shm;

	while (sysvipc_next(&walk, &shm)) {
		check(walk.at > text && walk.at <= walk.end);
		for (int c = 0; c < SYSVIPC_COLUMNS; c++)
			check(is_count(shm.column[c]));
		check(shm.column[SYSVIPC_SHMID] != QMEM_NA && shm.column[SYSVIPC_SIZE] != QMEM_NA);
		check(shm.key == QMEM_NA || (shm.key >= -(INT64_C(1) << 31) && shm.key <= INT64_C(1) << 31));
	}
	check(walk.at == walk.end);
	free(text);
	return 0;
}
