/* SPDX-License-Identifier: MIT */
/* FNV-1a with 64 bits, folded to 32: a hash of what is as short as a name. */
#ifndef QMEM_UTIL_FNV_H
#define QMEM_UTIL_FNV_H

#include <stddef.h>
#include <stdint.h>

#define FNV_BEGIN UINT64_C(0xcbf29ce484222325)

/* `h` is FNV_BEGIN, or what the bytes before have made of it. */
static inline uint64_t fnv_add(uint64_t h, const void *data, size_t len)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < len; i++)
		h = (h ^ bytes[i]) * UINT64_C(0x100000001b3);
	return h;
}

static inline uint32_t fnv_fold(uint64_t h)
{
	return (uint32_t)(h ^ h >> 32);
}

static inline uint32_t fnv(const void *data, size_t len)
{
	return fnv_fold(fnv_add(FNV_BEGIN, data, len));
}

#endif
