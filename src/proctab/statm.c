/* SPDX-License-Identifier: MIT */
#include "proctab/statm.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "file.h"

#define PAGES 8
#define TRIES 5

/* Resident pages of our own, or -errno. */
static int64_t own_pages(int proc_fd, const struct pidstat_units *units)
{
	int fd = openat(proc_fd, "self/statm", O_RDONLY | O_CLOEXEC);
	struct pidstatm st;
	char text[256];
	ssize_t len;
	int err;

	if (fd < 0)
		return -errno;
	len = file_read(fd, text, sizeof(text), true);
	close(fd);
	err = len < 0 ? (int)len : pidstatm_parse(text, (size_t)len, units, &st);
	return err ? err : st.resident / units->page;
}

/*
 * Kernels from 6.2 on that lack commit "mm: fix the inaccurate memory statistics issue for users" (6.16, and backports of it)
 * leave out what is on the CPUs' counters, earlier ones what threads have not handed in. Other threads may be in the way now
 * and then.
 */
int statm_is_exact(int proc_fd, const struct pidstat_units *units)
{
	size_t page = (size_t)units->page;
	int exact = 0;

	for (int i = 0; i < TRIES && !exact; i++) {
		int64_t before = own_pages(proc_fd, units);
		char *memory;

		if (before < 0)
			return (int)before;
		memory = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (memory == MAP_FAILED)
			return -errno;
		for (size_t at = 0; at < PAGES; at++)
			memory[at * page] = 1;
		exact = own_pages(proc_fd, units) == before + PAGES;
		munmap(memory, PAGES * page);
	}
	return exact;
}
