/* SPDX-License-Identifier: MIT */
/* Which files have been counted: by device and inode, since a file may have many names. */
#ifndef QMEM_KERNEL_INODES_H
#define QMEM_KERNEL_INODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/sip.h"

struct inode;

/* Zeroed at first. */
struct inodes {
	struct inode *table;
	size_t room, n, most;
	struct sip_key key;
};

/* Empty, with room for `most`. -ENOMEM: it is as it was. */
int inodes_begin(struct inodes *s, size_t most);
/* Is it new? What there is no room for is. */
bool inodes_add(struct inodes *s, uint64_t dev, uint64_t ino);
void inodes_release(struct inodes *s);

#endif
