/* SPDX-License-Identifier: MIT */
/* In place of slabinfo_who.c where there is no libbpf to build with. */
#include <stdio.h>
#include <string.h>

#include "service/slabinfo_who.h"

bool slab_who_ask(struct qmem *q, struct slab_who *w, const struct slab_who_question *question)
{
	(void)q;
	memcpy(w->cache, question->cache, sizeof(w->cache));
	return true;
}

bool slab_who_take(struct qmem *q, struct slab_who *w, const char *cache, struct slab_who_answer *ret)
{
	(void)q;
	if (strcmp(w->cache, cache) != 0)
		return false;
	*ret = (struct slab_who_answer){ 0 };
	snprintf(ret->why, sizeof(ret->why), "qmem was built without libbpf");
	*w->cache = '\0';
	return true;
}

void slab_who_release(struct qmem *q, struct slab_who *w)
{
	(void)q;
	(void)w;
}
