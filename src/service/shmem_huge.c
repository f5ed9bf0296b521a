/* SPDX-License-Identifier: MIT */
#include "service/shmem_huge.h"

#include <unistd.h>

#include "util/value.h"

/* Of all sizes, where the kernel says so (4.16). */
static int64_t in_use(const struct meminfo *m)
{
	int64_t unused = value_times(m->HugePages_Free, m->Hugepagesize);
	int64_t all = value_times(m->HugePages_Total, m->Hugepagesize);

	return value_minus(m->Hugetlb == QMEM_NA ? all : m->Hugetlb, unused);
}

void huge_begin(struct huge *h, const struct meminfo *m)
{
	*h = (struct huge){ .page = sysconf(_SC_PAGESIZE) };
	if (!m || m->Hugepagesize < h->page || in_use(m) <= 0)
		return;
	h->size = m->Hugepagesize;
	h->used = in_use(m);
	h->others = value_or(m->Shmem, INT64_MAX);
}

int64_t huge_take(struct huge *h, const struct sysvipc_shm *shm)
{
	int64_t rss = shm->column[SYSVIPC_RSS], size = shm->column[SYSVIPC_SIZE], whole;

	if (!h->size || rss <= 0 || rss % h->size || shm->column[SYSVIPC_SWAP] > 0 || size > INT64_MAX - h->size)
		return 0;
	whole = (size + h->size - 1) / h->size * h->size;
	/* since Linux 6.7 (a08c7193e4f1) the pages of such a segment are base pages, and still counted as if each were huge */
	if (rss > whole || (rss > h->used && rss > h->others))
		rss = value_least(rss / (h->size / h->page), whole);
	else if (rss > h->used)
		return 0;
	h->used = value_minus(h->used, rss);
	return rss;
}
