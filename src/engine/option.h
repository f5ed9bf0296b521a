/* SPDX-License-Identifier: MIT */
/* Option rows -> members of a state. */
#ifndef QMEM_ENGINE_OPTION_H
#define QMEM_ENGINE_OPTION_H

#include "qmem.h"

/* The row of that name, or NULL. */
const struct qmem_option *qmem_option_find(const struct qmem_option *rows, const char *name);

/* Sets all members to their rows' defaults. -ENOMEM; -EINVAL for a default that its own row refuses. */
int qmem_option_defaults(const struct qmem_option *rows, void *state);
/* Sets one member, or adds to a list. On error the member stays as it was and *ret_why says what is wrong with the value,
 * in a buffer of at least 128 bytes. */
int qmem_option_set(const struct qmem_option *row, void *state, const char *value, char *ret_why, size_t why_size);
/* The data of a block of that name, made with its defaults if it is new. */
int qmem_option_block(const struct qmem_option *row, void *state, const char *name, void **ret_data);
/* Frees what the members hold. */
void qmem_option_release(const struct qmem_option *rows, void *state);

/* The member's value as one would write it; a list's items separated by ", ". */
void qmem_option_print(char *dst, size_t size, const struct qmem_option *row, const void *state);

#endif
