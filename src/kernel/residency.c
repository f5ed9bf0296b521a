/* SPDX-License-Identifier: MIT */
#include "kernel/residency.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "qmem.h"
#include "util/value.h"

/* the same number everywhere, but younger than some headers */
#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif

#define WINDOW 16384 /* pages that mincore is asked for at a time: as many bytes of the stack */

/* Those of linux/mman.h, likewise. */
struct range {
	uint64_t offset, len;
};
struct stat_of {
	uint64_t cache, dirty, writeback, evicted, recently_evicted;
};

static int by_cachestat(int fd, int64_t offset, int64_t len, struct residency *sum)
{
	struct range range = { (uint64_t)offset, (uint64_t)len };
	struct stat_of stat;

	if (syscall(SYS_cachestat, fd, &range, &stat, 0))
		return -errno;
	value_add(&sum->resident, (int64_t)stat.cache);
	value_add(&sum->dirty, (int64_t)stat.dirty);
	value_add(&sum->writeback, (int64_t)stat.writeback);
	value_add(&sum->evicted, (int64_t)stat.evicted);
	value_add(&sum->recently_evicted, (int64_t)stat.recently_evicted);
	return 0;
}

/* ---- mincore ---- */

static int by_mincore(int fd, int64_t offset, int64_t len, int64_t *sum)
{
	int64_t page = sysconf(_SC_PAGESIZE);
	unsigned char there[WINDOW];
	int64_t n = 0;
	int err = 0;

	for (int64_t done = 0; done < len && !err;) {
		int64_t part = value_least(len - done, WINDOW * page);
		void *at = mmap(NULL, (size_t)part, PROT_READ, MAP_SHARED, fd, offset + done);

		if (at == MAP_FAILED)
			return errno == ENODEV ? -EOPNOTSUPP : -errno;
		if (mincore(at, (size_t)part, there))
			err = -errno;
		else
			for (int64_t i = 0; i < (part + page - 1) / page; i++)
				n += there[i] & 1;
		munmap(at, (size_t)part);
		done += part;
	}
	if (!err)
		value_add(sum, n);
	return err;
}

/* Of two pages of our own, of which one was never there. */
static bool mincore_lies(void)
{
	int64_t page = sysconf(_SC_PAGESIZE), first = 0, second = 0;
	int fd = memfd_create("qmem", MFD_CLOEXEC);
	bool lies = true;

	if (fd < 0)
		return true;
	if (!ftruncate(fd, 2 * page) && pwrite(fd, "", 1, 0) == 1 && !by_mincore(fd, 0, page, &first) &&
	    !by_mincore(fd, page, page, &second))
		lies = first != 1 || second != 0;
	close(fd);
	return lies;
}

/* can_do_mincore() of the kernel, as far as it may be asked; who has CAP_FOWNER is taken for one who may not. */
static bool may_know(int fd, uid_t owner)
{
	return owner == geteuid() || !faccessat(fd, "", W_OK, AT_EACCESS | AT_EMPTY_PATH);
}

int residency_add(struct residency_way *way, int fd, uid_t owner, int64_t offset, int64_t len, struct residency *sum)
{
	int err = way->no_cachestat ? -ENOSYS : by_cachestat(fd, offset, len, sum);

	if (err == -ENOSYS)
		way->no_cachestat = true;
	/* a filter of system calls refuses like one who may not know */
	if ((err != -ENOSYS && err != -EPERM) || !may_know(fd, owner))
		return err == -ENOSYS ? -EPERM : err;
	if (!way->tried) {
		way->tried = true;
		way->lies = mincore_lies();
	}
	if (way->lies)
		return -EPERM;
	sum->dirty = sum->writeback = sum->evicted = sum->recently_evicted = QMEM_NA;
	return by_mincore(fd, offset, len, &sum->resident);
}
