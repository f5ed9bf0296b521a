/* SPDX-License-Identifier: MIT */
/* When Netdata's plugins collect: at whole multiples of their interval on the wall clock. */
#ifndef QMEM_NETDATA_HEARTBEAT_H
#define QMEM_NETDATA_HEARTBEAT_H

#include <stdint.h>

/* How long it is from `wall` to the next one, which is not one that is as good as now. All in ns, `step` not 0. */
uint64_t heartbeat_wait(uint64_t wall, uint64_t step);

#endif
