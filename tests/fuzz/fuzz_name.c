/* SPDX-License-Identifier: MIT */
/* Whatever a thing is called, its identifier and its label are harmless, and of bounded length. */
#include "fuzz.h"
#include "engine/name.h"

static void check_safe(const char *name, size_t room, const char *allowed)
{
	char *dst = malloc(room);
	size_t len = qmem_name_safe(dst, room, name, allowed);

	check(len && len < room && strlen(dst) == len);
	for (size_t i = 0; i < len; i++)
		check(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_", dst[i]) ||
		      strchr(allowed, dst[i]));
	free(dst);
}

static void check_label(const char *name, size_t room)
{
	char *dst = malloc(room);
	size_t len = qmem_name_label(dst, room, name);

	check(len < room && strlen(dst) == len);
	for (size_t i = 0; i < len; i++)
		check((unsigned char)dst[i] >= ' ' && !strchr("\"'\\`\x7f", dst[i]));
	free(dst);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *name = fuzz_string(data, size);
	char line[256];

	check_safe(name, 128, ".:-");
	check_safe(name, 201, "");
	check_safe(name, 11, "");
	check_label(name, 1);
	check_label(name, 128);
	check(qmem_canonical(line, sizeof(line), "service", "family", "metric", name) < sizeof(line));
	check(qmem_name_same(name, name));
	free(name);
	return 0;
}
