/* SPDX-License-Identifier: MIT */
/*
 * Segments of System V in huge pages (SHM_HUGETLB), which are no part of Shmem. The kernel does not say which these are. One counts as
 * such that has whole huge pages, nothing in swap, and no more than are in use; or more than its size, or than all of Shmem.
 */
#ifndef QMEM_SERVICE_SHMEM_HUGE_H
#define QMEM_SERVICE_SHMEM_HUGE_H

#include "proc/sysvipc.h"
#include "service/meminfo.h"

struct huge {
	int64_t size;   /* of a huge page, bytes; 0: none is in use, or it is not known */
	int64_t page;   /* of a base page */
	int64_t used;   /* bytes of huge pages that no segment so far has */
	int64_t others; /* bytes that all of base pages may have: Shmem */
};

/* A round begins. `m` may be NULL. */
void huge_begin(struct huge *h, const struct meminfo *m);
/* Bytes of huge pages that the segment holds, rounded up to its size; 0: it is of base pages. */
int64_t huge_take(struct huge *h, const struct sysvipc_shm *shm);

#endif
