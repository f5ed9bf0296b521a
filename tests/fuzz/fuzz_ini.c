/* SPDX-License-Identifier: MIT */
/* Whatever the text, keys come in the order of their lines, with a key that is not empty, from within the text. */
#include "program/ini.h"
#include "fuzz.h"

struct seen {
	const char *begin, *end;
	unsigned line;
};

static void inside(const struct seen *seen, const char *text)
{
	check(!text || (text >= seen->begin && text + strlen(text) <= seen->end));
}

static void on_key(void *arg, const struct ini_key *key)
{
	struct seen *seen = arg;

	inside(seen, key->section);
	inside(seen, key->block);
	inside(seen, key->name);
	inside(seen, key->key);
	inside(seen, key->value);
	check(*key->key && key->line > seen->line && (!key->section || *key->section));
	check((!key->block || key->section) && (!key->name || key->block));
	seen->line = key->line;
}

static void on_bad(void *arg, unsigned line, const char *why)
{
	struct seen *seen = arg;

	check(*why && line > seen->line);
	seen->line = line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ini_reader reader = { .key = on_key, .bad = on_bad };
	char *text = fuzz_string(data, size);
	struct seen seen = { .begin = text, .end = text + size };

	ini_read(text, size, &reader, &seen);
	free(text);
	return 0;
}
