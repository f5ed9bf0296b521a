/* SPDX-License-Identifier: MIT */
#include "program/clock.h"

#include <time.h>

#include "qmem.h"

static uint64_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * QMEM_SECOND + (uint64_t)ts.tv_nsec;
}

uint64_t clock_now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t clock_wall(void)
{
	return read_clock(CLOCK_REALTIME);
}

uint64_t clock_cpu_ns(void *unused)
{
	(void)unused;
	return read_clock(CLOCK_THREAD_CPUTIME_ID);
}
