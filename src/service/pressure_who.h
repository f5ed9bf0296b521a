/* SPDX-License-Identifier: MIT */
/* Who it may be that memory is short for: of the groups that procmem shows, those whose faults had to read most, and those that have
 * grown most, since a little before the pressure began. Without procmem nobody is named. */
#ifndef QMEM_SERVICE_PRESSURE_WHO_H
#define QMEM_SERVICE_PRESSURE_WHO_H

#include "process/group.h"

#define PRESSURE_WHO 64 /* groups that are looked at */
#define PRESSURE_NAMED 2

struct pressure_who_group {
	char name[PROCGROUP_NAME];
	uint64_t when;         /* procmem's round that told of it last; 0: the place is free */
	int64_t rss, majflt;   /* then; QMEM_NA */
	int64_t rss0, majflt0; /* at the beginning */
};

struct pressure_who {
	struct pressure_who_group groups[PRESSURE_WHO];
	uint64_t begin, when; /* the rounds of the beginning, and the last one */
	bool held;            /* there is pressure: the beginning stays where it is */
};

/* For the hook `values`. */
void pressure_who_take(struct pressure_who *w, const struct qmem_round *round, const struct qmem_family *family,
		       const struct qmem_instance *instance, const void *sample);

struct pressure_named {
	char faults[96], grown[96]; /* "'java' 1.2 k/s, 'db' 30/s"; "": nobody */
	uint64_t span;              /* ns, that they are of */
};
void pressure_who_name(const struct pressure_who *w, struct pressure_named *ret);

#endif
