/* SPDX-License-Identifier: MIT */
#include "process/backend/statm.h"

#include <errno.h>
#include <sys/mman.h>

#define PAGES 8
#define TRIES 5

/* Resident pages of our own, or -errno. */
static int64_t own_pages(struct qmem *q, const struct pidstat_units *units)
{
	struct pidstatm st;
	char text[256];
	ssize_t len = qmem_read_once(q, text, sizeof(text), "proc/self/statm");
	int err = len < 0 ? (int)len : pidstatm_parse(text, (size_t)len, units, &st);

	if (!err && st.resident == QMEM_NA)
		err = -EINVAL;
	return err ? err : st.resident / units->page;
}

/*
 * Kernels from 6.2 on that lack commit "mm: fix the inaccurate memory statistics issue for users" (6.16, and backports of it)
 * leave out what is on the CPUs' counters, earlier ones what threads have not handed in. Other threads may be in the way now
 * and then.
 */
int statm_is_exact(struct qmem *q, const struct pidstat_units *units)
{
	size_t page = (size_t)units->page;
	int exact = 0;

	for (int i = 0; i < TRIES && !exact; i++) {
		int64_t before = own_pages(q, units);
		char *memory;

		if (before < 0)
			return (int)before;
		memory = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (memory == MAP_FAILED)
			return -errno;
		for (size_t at = 0; at < PAGES; at++)
			memory[at * page] = 1;
		exact = own_pages(q, units) == before + PAGES;
		munmap(memory, PAGES * page);
	}
	return exact;
}
