/* SPDX-License-Identifier: MIT */
/* The total of a pressure file as hosts and triggers are told it: it goes on where the kernel's has jumped or fallen. */
#ifndef QMEM_SERVICE_PRESSURE_TOTAL_H
#define QMEM_SERVICE_PRESSURE_TOTAL_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed at first. */
struct pressure_total {
	bool known;
	int64_t last; /* microseconds, as the kernel has said it */
	int64_t lost; /* of that, by which it has jumped, or fallen: no stall */
	uint64_t when;
};

/* QMEM_NA where the total has grown by more than there was time for, or has fallen, and where `total` is. */
int64_t pressure_total(struct pressure_total *t, int64_t total, uint64_t now);

#endif
