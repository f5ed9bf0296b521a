/* SPDX-License-Identifier: MIT */
/*
 * What is to be written, by block device, network file system and the like ("bdi"): /sys/kernel/debug/bdi/NAME/stats, read each
 * five seconds, since the kernel counts inodes there; between two readings the values are repeated. debugfs is root's own: where it may
 * not be entered, or is not mounted, all of this is absent, and said.
 */
#ifndef QMEM_SERVICE_PAGECACHE_BDI_H
#define QMEM_SERVICE_PAGECACHE_BDI_H

#include "kernel/instances.h"
#include "proc/bdi.h"
#include "qmem.h"

#define BDI_BEAT (5 * QMEM_SECOND)

/* The sample: bytes and ns. */
enum bdi_values {
	BDI_VALUE_DIRTY,
	BDI_VALUE_WRITEBACK,
	BDI_VALUE_LIMIT,
	BDI_VALUE_WRITTEN,
	BDI_VALUE_TIME,
	BDI_VALUES
};
struct bdi_sample {
	int64_t v[BDI_VALUES];
};

struct bdi_device;
struct bdi_reader {
	int64_t max; /* of the option */
	struct instances all;
	struct bdi_device *devices;
	size_t n, room;
	uint64_t listed, read; /* when; 0: never */
	int lack;              /* why there is none, -errno; 0: there are some */
	struct qmem_complaint faulty;
};

int bdi_start(struct bdi_reader *r);
/* -ENOMEM; what cannot be read is absent. */
int bdi_collect(struct qmem *q, struct bdi_reader *r);
/* `n` families of struct bdi_sample. */
void bdi_emit(struct qmem *q, struct bdi_reader *r, const struct qmem_family *families, size_t n);
/* The one with most to be written, NULL: none is known. */
const char *bdi_fullest(const struct bdi_reader *r, int64_t *ret_bytes);
void bdi_stop(struct bdi_reader *r);

#endif
