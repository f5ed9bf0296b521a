/* SPDX-License-Identifier: MIT */
/* What the parts of the service share: its state, and its options. */
#ifndef QMEM_SERVICE_PAGECACHE_H
#define QMEM_SERVICE_PAGECACHE_H

#include "qmem.h"
#include "service/pagecache_bdi.h"
#include "service/pagecache_dirty.h"
#include "service/pagecache_file.h"
#include "service/pagecache_hits.h"

struct pagecache {
	struct dirty_reader dirty;
	struct bdi_reader bdi;
	struct file_reader file;
	struct hits_reader hits;
	char note[256];
};

#endif
