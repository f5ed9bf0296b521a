/* SPDX-License-Identifier: MIT */
/* Whatever a thing is called, its identifier and its label are harmless, and of bounded length. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_safe(const char *name, size_t room, const char *allowed)
{
	char *dst = malloc(room);
	size_t len = qmem_name_safe(dst, room, name, allowed);

	if (!len || len >= room || strlen(dst) != len)
		abort();
	for (size_t i = 0; i < len; i++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_", dst[i]) &&
		    !strchr(allowed, dst[i]))
			abort();
	free(dst);
}

static void check_label(const char *name, size_t room)
{
	char *dst = malloc(room);
	size_t len = qmem_name_label(dst, room, name);

	if (len >= room || strlen(dst) != len)
		abort();
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)dst[i] < ' ' || strchr("\"'\\`\x7f", dst[i]))
			abort();
	free(dst);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *name = malloc(size + 1);
	char line[256];

	memcpy(name, data, size);
	name[size] = '\0';
	check_safe(name, 128, ".:-");
	check_safe(name, 201, "");
	check_safe(name, 11, "");
	check_label(name, 1);
	check_label(name, 128);
	if (qmem_canonical(line, sizeof(line), "service", "family", "metric", name) >= sizeof(line))
		abort();
	if (!qmem_name_same(name, name))
		abort();
	free(name);
	return 0;
}
