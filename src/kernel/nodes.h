/* SPDX-License-Identifier: MIT */
/* Which NUMA nodes are online: /sys/devices/system/node/online. Their ids may have gaps: 0, 8, 252. */
#ifndef QMEM_KERNEL_NODES_H
#define QMEM_KERNEL_NODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "qmem.h"

#define NODES_MOST 1024 /* the kernel has no more */

struct nodes {
	uint32_t ids[NODES_MOST]; /* in the order of their numbers */
	size_t n;
	struct qmem_file file;
};

void nodes_init(struct nodes *nodes);
void nodes_release(struct nodes *nodes);
/* 1: there are others than before; 0; -errno: it cannot be known, and they stay. */
int nodes_read(struct qmem *q, struct nodes *nodes);
/* The ids of nodes that there may ever be are below; 1 where the kernel knows no nodes. -errno. */
int nodes_possible(struct qmem *q);

#endif
