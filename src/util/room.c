/* SPDX-License-Identifier: MIT */
#include "util/room.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

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
