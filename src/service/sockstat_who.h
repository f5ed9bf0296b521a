/* SPDX-License-Identifier: MIT */
/* Whose a socket is, in words: the name of its user, and the path of its cgroup. The worker looks them up, one after
 * the other. */
#ifndef QMEM_SERVICE_SOCKSTAT_WHO_H
#define QMEM_SERVICE_SOCKSTAT_WHO_H

#include "qmem.h"

#define WHO_PATH 256 /* bytes of a cgroup that are kept: the end of it */

struct sockstat_who;

struct sockstat_names {
	char user[64];         /* the number where there is no name */
	char cgroup[WHO_PATH]; /* "": not known */
};

/* -ENOMEM. */
int sockstat_who_new(struct qmem *q, struct sockstat_who **ret);
void sockstat_who_free(struct sockstat_who *w);
/* `cgroup` is its id in the hierarchy of v2, QMEM_NA: not known. -EAGAIN: the worker is at it, or at another one's; ask again. */
int sockstat_who_names(struct qmem *q, struct sockstat_who *w, uint32_t uid, int64_t cgroup,
		       struct sockstat_names *ret);

#endif
