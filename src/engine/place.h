/* SPDX-License-Identifier: MIT */
/* Where each setting stands, for what is said of it later. */
#ifndef QMEM_ENGINE_PLACE_H
#define QMEM_ENGINE_PLACE_H

#include "engine/engine.h"

/* A setting that was taken; run NULL: of qmem as a whole; block NULL: in none; row NULL: a block is begun. -ENOMEM. */
int place_keep(struct qmem *q, const struct qmem_run *run, const struct qmem_option *block, const char *block_name,
	       const struct qmem_option *row, const char *value);
void places_release(struct qmem *q);

#endif
