/* SPDX-License-Identifier: MIT */
/*
 * /proc/PID/smaps and smaps_rollup (Linux 2.6.14, 4.14). Names of mappings are hostile text; numbers are kB there, bytes here.
 * Keys are matched whole, those that are not known are skipped: every kernel adds some.
 */
#ifndef QMEM_PROC_SMAPS_H
#define QMEM_PROC_SMAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* QMEM_NA for lines that are not there. */
struct smaps_rollup {
	int64_t rss, pss, swap, swap_pss; /* swap_pss: Linux 4.3 */
	int64_t shared_clean, shared_dirty, private_clean, private_dirty;
	int64_t shared_hugetlb, private_hugetlb; /* in neither rss nor pss */
	int64_t uss; /* what would be free if the process ended: private_clean + private_dirty + private_hugetlb */
};

/* A line that is malformed costs its own value; not so those that PSS and USS are made of: -EINVAL, -ERANGE, since sums of
 * processes must not lack a part. -EINVAL also: cut; -ENODATA: empty, or without Rss and Pss. *ret is written only on success. */
int smaps_rollup_parse(const char *text, size_t len, struct smaps_rollup *ret);

enum smaps_kind {
	SMAPS_HEAP,   /* [heap]: what brk() has given */
	SMAPS_STACK,  /* of the first thread; those of others look like other anonymous memory */
	SMAPS_ANON,   /* other anonymous memory, not executable */
	SMAPS_JIT,    /* anonymous or memfd, and executable */
	SMAPS_FILE,   /* of files; and what the kernel maps by itself: [vdso] */
	SMAPS_SHMEM,  /* System V, /dev/shm, memfd, shared anonymous memory */
	SMAPS_HUGE,   /* of hugetlbfs */
	SMAPS_DEVICE, /* of device files, and buffers of drivers: dma-buf, perf, io_uring */
	SMAPS_KINDS
};

/* Bytes. hugetlb memory is in `rss` of SMAPS_HUGE, though not in the kernel's Rss. QMEM_NA where a part is malformed. */
struct smaps_amounts {
	int64_t size, rss, pss, swap, dirty;
};

struct smaps {
	struct smaps_amounts kinds[SMAPS_KINDS];
	size_t mappings;
	/* the parser's own */
	struct smaps_amounts mapping;
	int64_t huge;
	enum smaps_kind kind;
	bool open, heap_only, heap_seen, enough;
};

/* heap_only: the rest of the text is not needed once the heap has been seen. */
void smaps_begin(struct smaps *s, bool heap_only);
/*
 * Takes all whole lines of the text; how many bytes these were. The rest is to be given again, with what follows it.
 * -EINVAL: there is no mapping that a line is of. s->enough: no more is needed.
 */
int64_t smaps_feed(struct smaps *s, const char *text, size_t len);
void smaps_end(struct smaps *s);

#endif
