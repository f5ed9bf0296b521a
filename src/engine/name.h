/* SPDX-License-Identifier: MIT */
/* Names: what is safe to print in a protocol, what a human reads, and what two names have in common. */
#ifndef QMEM_ENGINE_NAME_H
#define QMEM_ENGINE_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QMEM_NAME_SUFFIX 9 /* "_" and eight hex digits */

/*
 * An identifier made of any name: bytes other than [A-Za-z0-9_] and those in `allowed` become '_', and no more than
 * size - 1 bytes are written, then a NUL. A name that was altered or cut, that is empty, or that looks as if it had been,
 * ends in '_' and eight hex digits hashed from the original: so "eth0.100" and "eth0_100" stay two. `size` is at least
 * QMEM_NAME_SUFFIX + 2. Returns the length.
 */
size_t qmem_name_safe(char *dst, size_t size, const char *name, const char *allowed);

/* How many bytes the UTF-8 character has that a text begins with, in *ret which one it is; 0: it is none, or a control
 * character, or what some take for the end of a line. */
size_t qmem_name_character(const char *text, uint32_t *ret);

/*
 * The name for a human and for a label: UTF-8 kept whole, control bytes, what is no UTF-8, quotes and backslashes
 * become '?'; cut at a character's border. Returns the length.
 */
size_t qmem_name_label(char *dst, size_t size, const char *name);

/* service.family.metric[instance], the instance as a label; metric and instance may be NULL. Returns the length, cut to
 * size - 1. */
size_t qmem_canonical(char *dst, size_t size, const char *service, const char *family, const char *metric,
		      const char *instance);

/* Equal but for case, blanks, '-' and '_'. */
bool qmem_name_same(const char *a, const char *b);

#endif
