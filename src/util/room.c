/* SPDX-License-Identifier: MIT */
#include "util/room.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FEW 1024 /* items that are not worth the trouble */

int room_make(void *array, size_t *room, size_t n, size_t size)
{
	void *__attribute__((may_alias)) *at = array; /* whatever it points to */
	size_t more = n + n / 2 + 64;
	char *larger;

	if (n <= *room)
		return 0;
	larger = reallocarray(*at, more, size);
	if (!larger)
		return -ENOMEM;
	memset(larger + *room * size, 0, (more - *room) * size);
	*at = larger;
	*room = more;
	return 0;
}

int room_fit(void *array, size_t *room, size_t n, size_t size)
{
	void *__attribute__((may_alias)) *at = array;
	size_t enough = n + n / 2 + 64;
	char *smaller;

	if (*room > FEW && enough < *room / 4) {
		smaller = reallocarray(*at, enough, size);
		if (smaller) {
			*at = smaller;
			*room = enough;
		}
	}
	return room_make(array, room, n, size);
}

void *room_reserve(size_t n, size_t size)
{
	void *memory = mmap(NULL, n * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

void room_unreserve(void *memory, size_t n, size_t size)
{
	if (memory)
		munmap(memory, n * size);
}

void room_trim(void *memory, size_t n, size_t most, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), from = (n * size + page - 1) / page * page;

	if (from < most * size)
		(void)madvise((char *)memory + from, most * size - from, MADV_DONTNEED);
}
