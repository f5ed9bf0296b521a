/* SPDX-License-Identifier: MIT */
/* Whatever the text, keys come in the order of their lines, with a key that is not empty, from within the text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../netdata/ini.h"

struct seen {
	const char *begin, *end;
	unsigned line;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(const struct seen *seen, const char *text)
{
	if (text && (text < seen->begin || text + strlen(text) > seen->end))
		abort();
}

static void on_key(void *arg, const struct ini_key *key)
{
	struct seen *seen = arg;

	inside(seen, key->section);
	inside(seen, key->block);
	inside(seen, key->name);
	inside(seen, key->key);
	inside(seen, key->value);
	if (!*key->key || key->line <= seen->line || (key->section && !*key->section) ||
	    (key->block && !key->section) || (key->name && !key->block))
		abort();
	seen->line = key->line;
}

static void on_bad(void *arg, unsigned line, const char *why)
{
	struct seen *seen = arg;

	if (!*why || line <= seen->line)
		abort();
	seen->line = line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ini_reader reader = { .key = on_key, .bad = on_bad };
	char *text = malloc(size + 1);
	struct seen seen = { .begin = text, .end = text + size };

	memcpy(text, data, size);
	ini_read(text, size, &reader, &seen);
	free(text);
	return 0;
}
