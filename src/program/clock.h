/* SPDX-License-Identifier: MIT */
/* The clocks that a program lends the engine. */
#ifndef QMEM_PROGRAM_CLOCK_H
#define QMEM_PROGRAM_CLOCK_H

#include <stdint.h>

uint64_t clock_now(void);            /* ns of CLOCK_MONOTONIC */
uint64_t clock_wall(void);           /* ns of CLOCK_REALTIME */
uint64_t clock_cpu_ns(void *unused); /* ns of CPU time of the calling thread; struct qmem_host's cpu_ns */

#endif
