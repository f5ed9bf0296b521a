/* SPDX-License-Identifier: MIT */
/* Words lie in their line, names get no longer and have no NUL, and the walk ends. */
#include "fuzz.h"
#include "proc/mountinfo.h"

static void check_word(const struct mountinfo_word *word, const char *start, const char *end)
{
	char name[256];
	int len = mountinfo_name(name, sizeof(name), word);

	check(word->text >= start && word->text + word->len <= end && !memchr(word->text, ' ', word->len));
	check(len < 0 || ((size_t)len <= word->len && strlen(name) == (size_t)len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct mountinfo_walk walk = { .at = text, .end = text + size };
	struct mountinfo m;

	for (const char *before = text; mountinfo_next(&walk, &m); before = walk.at) {
		check(walk.at > before && walk.at <= walk.end && walk.at[-1] == '\n');
		check_word(&m.root, before, walk.at);
		check_word(&m.point, before, walk.at);
		check_word(&m.type, before, walk.at);
		check_word(&m.source, before, walk.at);
		check_word(&m.super, before, walk.at);
		check(*m.point.text == '/' && m.type.len);
	}
	check(walk.at == walk.end);
	free(text);
	return 0;
}
