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

/* Whatever separates the parts of an identifier, or ends a word of the protocol, is not in it. */
static void check_hosts(const char *name)
{
	char part[QMEM_COLLECTD_NAME], id[QMEM_NETDATA_NAME];
	bool altered = qmem_collectd_instance(part, name);

	check(*part && strlen(part) < sizeof(part) && !strpbrk(part, "/ \"'\n"));
	check(altered == (strcmp(part, name) != 0));
	qmem_netdata_chart(id, "service", "family", name);
	check(strlen(id) < sizeof(id) && !strpbrk(id + strlen("qmem."), ".-/ \"'\n"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *name = fuzz_string(data, size);
	char line[256];

	check_safe(name, 128, ".:-");
	check_safe(name, 201, "");
	check_safe(name, 11, "");
	check_hosts(name);
	check_label(name, 1);
	check_label(name, 128);
	check(qmem_canonical(line, sizeof(line), "service", "family", "metric", name) < sizeof(line));
	check(qmem_name_same(name, name));
	free(name);
	return 0;
}
