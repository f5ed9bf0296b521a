/* SPDX-License-Identifier: MIT */
#include "proc/fault.h"

#include <stdio.h>

void fault_add(struct fault *fault, enum fault_kind kind, const char *key, size_t len)
{
	size_t i;

	if (fault->n++ > 0)
		return;
	fault->kind = kind;
	for (i = 0; i < len && i < sizeof(fault->key) - 1; i++)
		fault->key[i] = key[i] >= ' ' && key[i] < 0x7f && key[i] != '\'' && key[i] != '"' ? key[i] : '?';
	fault->key[i] = '\0';
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
