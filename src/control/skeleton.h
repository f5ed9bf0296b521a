/* SPDX-License-Identifier: MIT */
/*
 * A configuration for one of the hosts in which every option stands in a comment, with its default: what the files under
 * conf/ are filled with. An option without a default stands there with its example.
 */
#ifndef QMEM_CONTROL_SKELETON_H
#define QMEM_CONTROL_SKELETON_H

#include <stdio.h>

#include "qmem.h"

enum qmem_skeleton_form {
	QMEM_SKELETON_COLLECTD, /* what goes into <Plugin qmem> */
	QMEM_SKELETON_NETDATA,  /* qmem.conf */
};

/* `services` ends with NULL. -EINVAL: no such form; -ENOMEM; -EIO: could not be written. */
int qmem_skeleton(FILE *out, enum qmem_skeleton_form form, const struct qmem_service *const *services);

#endif
