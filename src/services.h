/* SPDX-License-Identifier: MIT */
/*
 * The built-in services, one a line, in the order in which they are collected: what is cheap first; then the walk of the
 * processes, `proctable`, and all that need it; `self` last, for what the others have cost. What a service needs stands before
 * it. Where its charts stand is not decided here, but by its `priority`.
 */
#ifndef QMEM_SERVICES_H
#define QMEM_SERVICES_H

#include "qmem.h"

/* clang-format off */
#define QMEM_SERVICES(SERVICE) \
	SERVICE(meminfo) \
	SERVICE(vmstat) \
	SERVICE(pressure) \
	SERVICE(hugepages) \
	SERVICE(numa) \
	SERVICE(buddyinfo) \
	SERVICE(swap) \
	SERVICE(zram) \
	SERVICE(zswap) \
	SERVICE(ksm) \
	SERVICE(edac) \
	SERVICE(shmem) \
	SERVICE(netstat) \
	SERVICE(sockstat) \
	SERVICE(pagecache) \
	SERVICE(slabinfo) \
	SERVICE(proctable) \
	SERVICE(procmem) \
	SERVICE(heapmon) \
	SERVICE(cpuload) \
	SERVICE(procio) \
	SERVICE(procstat) \
	SERVICE(self)
/* clang-format on */

/* Each is the last object of its file. */
#define QMEM_DECLARE_SERVICE(name_) extern const struct qmem_service name_##_service;
QMEM_SERVICES(QMEM_DECLARE_SERVICE)
#undef QMEM_DECLARE_SERVICE

#endif
