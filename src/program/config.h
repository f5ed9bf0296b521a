/* SPDX-License-Identifier: MIT */
/* qmem.conf -> qmem_set(). */
#ifndef QMEM_PROGRAM_CONFIG_H
#define QMEM_PROGRAM_CONFIG_H

#include <stddef.h>

#include "qmem.h"

/* What was wrong with the configuration, in the order of its lines; each names file and line. */
struct config_errors {
	char **items;
	size_t n;
};

/*
 * Reads `path`; if it is NULL: qmem.conf in $NETDATA_USER_CONFIG_DIR or, if there is none, in $NETDATA_STOCK_CONFIG_DIR;
 * neither need exist. What is wrong is added to `errors`, and the rest of the file counts. Before that,
 * $NETDATA_HOST_PREFIX becomes HostRoot. -ENOMEM is the only failure.
 */
int config_read(struct qmem *q, const char *path, struct config_errors *errors);
void config_errors_release(struct config_errors *errors);

#endif
