/* SPDX-License-Identifier: MIT */
/* Numbers with units, as options have them. */
#ifndef QMEM_ENGINE_NUMBER_H
#define QMEM_ENGINE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "qmem.h"

/* A number with a unit: ns, us, ms, s, m or min, h, d; seconds without. Decimals are taken ("0.5s"), signs are not.
 * -EINVAL: not one; -ERANGE: more than int64 nanoseconds; -EDOM: finer than one, so that it would be 0. */
int qmem_parse_duration(const char *text, int64_t *ret_ns);
/* A number of bytes with k, M, G, T (KiB, MiB, ... and "B" alike: all are powers of 1024). Fails likewise. */
int qmem_parse_size(const char *text, int64_t *ret_bytes);
/* A number with or without "%", in hundredths of a percent: what is finer is cut off. Fails likewise. */
int qmem_parse_percent(const char *text, int64_t *ret_hundredths);
/* yes, no, true, false, on, off, 1, 0. */
int qmem_parse_bool(const char *text, bool *ret_on);

/* A duration, a size, a percentage as one would write them: "200ms", "16MiB", "0.5%". */
void qmem_print_duration(char *dst, size_t size, int64_t ns);
void qmem_print_size(char *dst, size_t size, int64_t bytes);
void qmem_print_percent(char *dst, size_t size, int64_t hundredths);

/* What an option of a type QMEM_INT, _SIZE, _DURATION or _PERCENT holds. */
void number_print(enum qmem_option_type type, char *dst, size_t size, int64_t value);
/* Within min and max, both included. -EINVAL, and *why says what is wrong, and how it was read if that may surprise. */
int number_parse(enum qmem_option_type type, const char *text, int64_t min, int64_t max, int64_t *ret, char *why,
		 size_t why_size);

#endif
