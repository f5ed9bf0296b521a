/* SPDX-License-Identifier: MIT */
/* Built without libbpf. */
#include <errno.h>
#include <stdio.h>

#include "service/pagecache_hits_load.h"

int hits_load(struct hits_programs *h, char *why, size_t size)
{
	(void)h;
	snprintf(why, size, "built without libbpf");
	return -ENOTSUP;
}

void hits_unload(struct hits_programs *h)
{
	(void)h;
}

int hits_read_processes(const struct hits_programs *h, uint32_t *ret_pids, struct cachehits_process *ret, uint32_t *n)
{
	(void)h;
	(void)ret_pids;
	(void)ret;
	*n = 0;
	return -ENOTSUP;
}

int hits_forget(const struct hits_programs *h, uint32_t pid)
{
	(void)h;
	(void)pid;
	return -ENOTSUP;
}
