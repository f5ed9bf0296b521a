/* SPDX-License-Identifier: MIT */
/*
 * How much of a file is in the page cache. cachestat(2) says it (Linux 6.5), to who owns the file or may write to it, and nobody
 * else may know: -EPERM. Older kernels have mincore(2), which says what is resident and no more; it is only asked where it tells
 * the truth, since to those who neither own the file nor may write to it it says that all is resident (Linux 5.2), as gVisor does to all.
 */
#ifndef QMEM_KERNEL_RESIDENCY_H
#define QMEM_KERNEL_RESIDENCY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Pages; QMEM_NA: mincore does not tell. */
struct residency {
	int64_t resident, dirty, writeback, evicted, recently_evicted;
};
#define RESIDENCY_NONE ((struct residency){ 0, 0, 0, 0, 0 })

/* What is known of this kernel; zeroed at first. */
struct residency_way {
	bool no_cachestat; /* ENOSYS, or a filter of system calls; may be set */
	bool tried, lies;  /* mincore */
};

/*
 * Adds what `len` bytes from `offset` on have, a multiple of the page size; `owner` is the file's. 0 or -errno: -EPERM where nobody
 * tells the truth, -EOPNOTSUPP where the file system has no page cache of the kind.
 */
int residency_add(struct residency_way *way, int fd, uid_t owner, int64_t offset, int64_t len, struct residency *sum);

#endif
