/* SPDX-License-Identifier: MIT */
/* What the parts of the service share: its state, and its options. */
#ifndef QMEM_SERVICE_PAGECACHE_H
#define QMEM_SERVICE_PAGECACHE_H

#include "qmem.h"
#include "service/pagecache_bdi.h"
#include "service/pagecache_dirty.h"

struct pagecache {
	struct dirty_reader dirty;
	struct bdi_reader bdi;
	char note[256];
};

#endif
