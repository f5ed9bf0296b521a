/* SPDX-License-Identifier: MIT */
/* qmem.conf, and single settings -> qmem_set(). */
#ifndef QMEM_PROGRAM_CONFIG_H
#define QMEM_PROGRAM_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "qmem.h"

struct config {
	char *file;    /* that was read, NULL: none */
	bool missing;  /* one was asked for, and cannot be read */
	char **errors; /* what was wrong with it, in the order of its lines; each names file and line */
	size_t n;      /* of them */
};

/*
 * Reads `path`; if it is NULL: qmem.conf in $NETDATA_USER_CONFIG_DIR or, if there is none, in $NETDATA_STOCK_CONFIG_DIR;
 * neither need exist. What is wrong is added to the errors, and the rest of the file counts. Before that,
 * $NETDATA_HOST_PREFIX becomes HostRoot. -ENOMEM is the only failure.
 */
int config_read(struct qmem *q, const char *path, struct config *config);
void config_release(struct config *config);
/* Adds an error. -ENOMEM. */
int config_add(struct config *config, const char *text);
/* One option, as SERVICE.OPTION=VALUE, OPTION=VALUE for one of qmem as a whole, or SERVICE.BLOCK.NAME.OPTION=VALUE. Like
 * qmem_set(). */
int config_set(struct qmem *q, const char *setting, struct qmem_error *error);

#endif
