/* SPDX-License-Identifier: MIT */
#include "proc/fault.h"

#include <stdio.h>
#include <string.h>

#include "util/escape.h"

void fault_add(struct fault *fault, enum fault_kind kind, const char *key, size_t len)
{
	char name[sizeof(fault->key)];

	if (fault->n++ > 0)
		return;
	fault->kind = kind;
	if (len > sizeof(name) - 1)
		len = escape_whole(key, sizeof(name) - 1);
	memcpy(name, key, len);
	name[len] = '\0';
	escape_name(fault->key, sizeof(fault->key), name);
}

void fault_print(char *dst, size_t size, const struct fault *fault)
{
	static const char *const kinds[] = {
		[FAULT_NONE] = "is sound",
		[FAULT_MALFORMED] = "is malformed",
		[FAULT_NEGATIVE] = "is negative",
		[FAULT_NO_UNIT] = "is without kB",
		[FAULT_TOO_LARGE] = "is too large",
		[FAULT_TRUNCATED] = "is cut off",
		[FAULT_DUPLICATE] = "is there twice",
	};

	if (fault->n > 1)
		snprintf(dst, size, "'%s' %s, and %u more", fault->key, kinds[fault->kind], fault->n - 1);
	else
		snprintf(dst, size, "'%s' %s", fault->key, kinds[fault->kind]);
}
