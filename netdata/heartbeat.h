/* SPDX-License-Identifier: MIT */
/* When Netdata's plugins collect: at whole multiples of their interval on the wall clock. */
#ifndef QMEM_NETDATA_HEARTBEAT_H
#define QMEM_NETDATA_HEARTBEAT_H

#include <stdint.h>

/* The next one after `now`, on the clock that `now` is of; not one that is as good as now. `step` in ns. */
uint64_t heartbeat_next(uint64_t now, uint64_t step);

#endif
