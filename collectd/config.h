/* SPDX-License-Identifier: MIT */
/* <Plugin qmem> -> qmem_set(). */
#ifndef QMEM_COLLECTD_CONFIG_H
#define QMEM_COLLECTD_CONFIG_H

#include <collectd/core/daemon/collectd.h>
#include <collectd/core/daemon/plugin.h>

#include "qmem.h"

/*
 * Sets what one <Plugin qmem> block says; further blocks add to it. What is unknown or wrong is warned of and left as it
 * was: the daemon would exit if this failed.
 */
void config_apply(struct qmem *q, const oconfig_item_t *block);

#endif
