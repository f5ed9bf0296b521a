/* SPDX-License-Identifier: MIT */
/* Who it may be that memory is short for: of procmem's groups those whose faults had to read most, and those that have grown most,
 * since a little before the pressure began. Where procmem does not run nobody is named. */
#ifndef QMEM_SERVICE_PRESSURE_WHO_H
#define QMEM_SERVICE_PRESSURE_WHO_H

#include "service/procmem.h"

#define PRESSURE_NAMED 2

/* All groups at a moment: by their index. */
struct pressure_census {
	struct procmem_amounts *groups;
	size_t room;
	uint64_t when;
};

/* Zeroed at first. */
struct pressure_who {
	struct pressure_census before[2]; /* the newer first */
};

/* Once a tick, while there is no pressure: every few seconds it takes a census of what procmem has. -ENOMEM. */
int pressure_who_look(struct qmem *q, struct pressure_who *w);
void pressure_who_release(struct pressure_who *w);

struct pressure_named {
	char faults[96], grown[96]; /* "'java' 1200/s, 'db' 30/s"; "": nobody */
	uint64_t span;              /* ns, that they are of */
};
void pressure_who_name(struct qmem *q, const struct pressure_who *w, struct pressure_named *ret);

#endif
