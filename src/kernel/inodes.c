/* SPDX-License-Identifier: MIT */
#include "kernel/inodes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 64

struct inode {
	uint64_t dev, ino;
	bool there;
};

/* Twice as much as there may be, a power of two, so that a search ends. */
int inodes_begin(struct inodes *s, size_t most)
{
	size_t room = ROOM_FIRST;

	while (room < 2 * most)
		room *= 2;
	if (room > s->room || room < s->room / 4) {
		struct inode *table = calloc(room, sizeof(*table));

		if (!table)
			return -ENOMEM;
		if (!s->table)
			s->key = sip_key_new();
		free(s->table);
		s->table = table;
		s->room = room;
	} else {
		memset(s->table, 0, s->room * sizeof(*s->table));
	}
	s->n = 0;
	s->most = most;
	return 0;
}

bool inodes_add(struct inodes *s, uint64_t dev, uint64_t ino)
{
	const uint64_t id[2] = { dev, ino };
	size_t at = (size_t)sip(&s->key, id, sizeof(id)) & (s->room - 1);

	for (; s->table[at].there; at = (at + 1) & (s->room - 1))
		if (s->table[at].dev == dev && s->table[at].ino == ino)
			return false;
	if (s->n < s->most) {
		s->table[at] = (struct inode){ dev, ino, true };
		s->n++;
	}
	return true;
}

void inodes_release(struct inodes *s)
{
	free(s->table);
	*s = (struct inodes){ .table = NULL };
}
