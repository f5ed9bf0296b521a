/* SPDX-License-Identifier: MIT */
/* What fuzz targets have in common. */
#ifndef QMEM_FUZZ_H
#define QMEM_FUZZ_H

#include <stdlib.h>
#include <string.h>

#include "qmem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void check(bool right)
{
	if (!right)
		abort();
}

/* Of its exact size, without a NUL: a read beyond the end is found. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size ? size : 1);

	check(text != NULL);
	if (size)
		memcpy(text, data, size);
	return text;
}

static inline char *fuzz_string(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	check(text != NULL);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

static inline bool is_count(int64_t value)
{
	return value == QMEM_NA || value >= 0;
}

static inline bool is_size(int64_t value)
{
	return value == QMEM_NA || (value >= 0 && value % 1024 == 0);
}

#endif
