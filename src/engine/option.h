/* SPDX-License-Identifier: MIT */
/* Option rows -> members of a state. */
#ifndef QMEM_ENGINE_OPTION_H
#define QMEM_ENGINE_OPTION_H

#include "qmem.h"

/* A number with a unit: ns, us, ms, s, m or min, h, d; seconds without. Decimals are taken ("0.5s"), signs are not.
 * -EINVAL: not one; -ERANGE: more than int64 nanoseconds. */
int qmem_parse_duration(const char *text, int64_t *ret_ns);
/* A number of bytes with k, M, G, T (KiB, MiB, ... and "B" alike: all are powers of 1024). */
int qmem_parse_size(const char *text, int64_t *ret_bytes);
/* A number with or without "%", in hundredths of a percent: what is finer is cut off. */
int qmem_parse_percent(const char *text, int64_t *ret_hundredths);
/* yes, no, true, false, on, off, 1, 0. */
int qmem_parse_bool(const char *text, bool *ret_on);

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
/* A duration, a size, a percentage as one would write them: "200ms", "16MiB", "0.5%". */
void qmem_print_duration(char *dst, size_t size, int64_t ns);
void qmem_print_size(char *dst, size_t size, int64_t bytes);
void qmem_print_percent(char *dst, size_t size, int64_t hundredths);

#endif
