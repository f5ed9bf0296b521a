/* SPDX-License-Identifier: MIT */
/* Whatever a thing is called, its identifier and its label are harmless, and of bounded length. */
#include "fuzz.h"

#include <stdio.h>

#include "engine/ids.h"
#include "engine/name.h"
#include "util/escape.h"

static void check_safe(const char *name, size_t room, const char *allowed, unsigned turn)
{
	char *dst = malloc(room);
	size_t len = qmem_name_safe(dst, room, name, allowed, turn);

	check(len && len < room && strlen(dst) == len);
	for (size_t i = 0; i < len; i++)
		check(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_", dst[i]) ||
		      strchr(allowed, dst[i]));
	free(dst);
}

/* The name of what is shown, by the book. */
static void undo(char *text)
{
	char *to = text;
	unsigned byte;

	for (const char *at = text; *at;) {
		bool escape = at[0] == '\\' && at[1] == 'x' && sscanf(at + 2, "%2x", &byte) == 1 &&
			      strspn(at + 2, "0123456789abcdef") >= 2 && (byte < ' ' || byte == '\\' || byte >= 0x7f);

		*to++ = escape ? (char)byte : *at;
		at += escape ? 4 : 1;
	}
	*to = '\0';
}

static void check_shown(const char *text, size_t len)
{
	uint32_t code;
	size_t n;

	check(strlen(text) == len);
	for (; *text; text += n) {
		n = escape_character(text, &code);
		check(n);
	}
}

static void check_label(const char *name, size_t room)
{
	char *dst = malloc(room), *again = malloc(room);
	size_t len = qmem_name_label(dst, room, name);

	check(len < room);
	check_shown(dst, len);
	check(escape_text(again, room, dst) == len && strcmp(again, dst) == 0);
	if (room > 4 * strlen(name)) {
		undo(dst);
		check(strcmp(dst, name) == 0);
	}
	len = escape_text(dst, room, name);
	check(len < room);
	check_shown(dst, len);
	len = qmem_netdata_label(dst, room, name);
	check(len < room);
	check_shown(dst, len);
	check(!strpbrk(dst, "\"'\\`"));
	free(again);
	free(dst);
}

/* Whatever separates the parts of an identifier, or ends a word of the protocol, is not in it. */
static void check_hosts(struct ids *ids, const char *name)
{
	const struct qmem_instance instance = { .name = name };
	char part[QMEM_COLLECTD_NAME], id[QMEM_NETDATA_NAME];
	bool altered = qmem_collectd_instance(part, ids, &instance);

	check(*part && strlen(part) < sizeof(part) && !strpbrk(part, "/ \"'\n"));
	check(altered == (strcmp(part, name) != 0));
	qmem_netdata_chart(id, ids, "service", "family", &instance);
	check(strlen(id) < sizeof(id) && !strpbrk(id + strlen("qmem."), ".-/ \"'\n"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *name = fuzz_string(data, size);
	static struct ids *ids;
	char line[256];

	if (!ids)
		ids = ids_new();
	check_safe(name, 128, ".:-", 0);
	check_safe(name, 201, "", 1);
	check_safe(name, 19, "", 0);
	check_safe(name, 19, "", 1);
	check_hosts(ids, name);
	check_label(name, 1);
	check_label(name, 20);
	check_label(name, 128);
	check_label(name, 4 * size + 1);
	check(qmem_canonical(line, sizeof(line), "service", "family", "metric", name) < sizeof(line));
	check(qmem_name_same(name, name));
	free(name);
	return 0;
}
