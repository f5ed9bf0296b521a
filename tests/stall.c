/* SPDX-License-Identifier: MIT */
/*
 * A process that stalls on memory, for the tests: stall TASKS read FILE | stall TASKS hog BYTES
 *
 * Joins the cgroup whose tasks file is TASKS, then touches every page of FILE, or of BYTES of its own, again and again until
 * it is killed. It dies with its parent.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(const char *what)
{
	fprintf(stderr, "stall: %s: %s\n", what, strerror(errno));
	return 1;
}

static int join(const char *tasks)
{
	int fd = open(tasks, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (write(fd, "0\n", 2) != 2) {
		close(fd);
		return -1;
	}
	return close(fd);
}

int main(int argc, char **argv)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	volatile char *memory;
	unsigned sum = 0;
	size_t size, at;
	bool hog;

	if (argc != 4) {
		fprintf(stderr, "usage: stall TASKS read FILE | stall TASKS hog BYTES\n");
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == 1)
		return 1;
	if (join(argv[1]))
		return fail(argv[1]);
	hog = !strcmp(argv[2], "hog");
	if (hog) {
		size = strtoull(argv[3], NULL, 10);
		memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	} else {
		int fd = open(argv[3], O_RDONLY | O_CLOEXEC);
		struct stat st;

		if (fd < 0 || fstat(fd, &st))
			return fail(argv[3]);
		/* with read-ahead as it is: without it (MADV_RANDOM) hardly any of the waiting counts as memory's */
		size = (size_t)st.st_size;
		memory = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	}
	if (memory == MAP_FAILED)
		return fail("mmap");
	for (;;) {
		for (at = 0; at < size; at += page) {
			if (hog)
				memory[at]++;
			else
				sum += (unsigned char)memory[at];
		}
	}
	return (int)sum;
}
