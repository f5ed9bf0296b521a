/* SPDX-License-Identifier: MIT */
/* What the parts of the service share: memory controllers, and the modules they drive. */
#ifndef QMEM_SERVICE_EDAC_H
#define QMEM_SERVICE_EDAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/smallfile.h"
#include "qmem.h"

#define EDAC_SLOTS 24 /* parts of the window in which corrected errors are counted */

/* Errors of one kind, as a file of the kernel counts them. */
struct edac_count {
	int64_t now;   /* as read last; QMEM_NA */
	int64_t total; /* for hosts: it never falls; QMEM_NA until it was read */
	int64_t fresh; /* since the reading before */
	bool reset;    /* it has fallen: somebody has set it back */
};

void edac_count_init(struct edac_count *count);
void edac_count_read(struct edac_count *count, int64_t value);

/* A module, or what a kernel that knows no modules has: a channel of a row of chips, or such a row. */
struct edac_module {
	char name[64];  /* "mc0_dimm3", "mc0_csrow0_ch1" */
	char label[64]; /* what the board calls it, or "" */
	char location[64];
	char mc_name[32];                                                      /* of its controller */
	char corrected_path[SMALLFILE_PATH], uncorrected_path[SMALLFILE_PATH]; /* "": there is none */
	struct edac_count corrected, uncorrected;
	/* corrected errors in each part of the window; the part that is being filled, and since when */
	int64_t slot[EDAC_SLOTS];
	unsigned at;
	uint64_t slot_since;
	bool many, told; /* the conditions that have been raised */
};

/* Of so many corrected errors in the window there is an event; 0: never. Once in each round, with what is new in it. */
void edac_judge_corrected(struct qmem *q, struct edac_module *m, int64_t limit, int64_t window);
/* An event for those that are new. */
void edac_judge_uncorrected(struct qmem *q, struct edac_module *m);

#endif
