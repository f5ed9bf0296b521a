/* SPDX-License-Identifier: MIT */
/* What messages are made of: numbers as people write them, with their units. */
#ifndef QMEM_UTIL_WORDS_H
#define QMEM_UTIL_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORDS_NUMBER 24 /* room for any of them */

/* Nanoseconds: "3 ms", "2.0 s", "12 s", "3 min 20 s", "5 h 3 min", "2 d 4 h". */
void words_span(char dst[WORDS_NUMBER], uint64_t ns);
/* "0 B", "12.0 KiB", "3.5 GiB"; "?" for QMEM_NA. Not negative. */
void words_bytes(char dst[WORDS_NUMBER], int64_t bytes);
/* A number where three digits are enough: "0.3", "850", "67k", "4.0M". Not negative. */
void words_rate(char dst[WORDS_NUMBER], double rate);
/* Adds to a text of `size` bytes what fits, at most up to the end of a character. */
void words_add(char *dst, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Adds all of it, so that no name in it is cut; or nothing, and false, where that does not fit. */
bool words_add_whole(char *dst, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
