/* SPDX-License-Identifier: MIT */
#include "room.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
