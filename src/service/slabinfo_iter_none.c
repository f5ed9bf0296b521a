/* SPDX-License-Identifier: MIT */
/* In place of slabinfo_iter.c where there is no libbpf to build with. */
#include <errno.h>
#include <stdio.h>

#include "service/slabinfo_iter.h"

int slab_iter_open(struct qmem *q, struct slab_iter *it, char *why, size_t size)
{
	(void)q;
	*it = (struct slab_iter){ .link = -1 };
	snprintf(why, size, "qmem was built without libbpf");
	return -ENOTSUP;
}

void slab_iter_close(struct slab_iter *it)
{
	(void)it;
}

int slab_iter_read(struct slab_iter *it, void (*take)(void *arg, const struct slab_iter_cache *cache), void *arg)
{
	(void)it;
	(void)take;
	(void)arg;
	return -ENOTSUP;
}
