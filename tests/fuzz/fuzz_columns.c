/* SPDX-License-Identifier: MIT */
/* Numbers are counters but where they may be below 0; what is not there is absent; the rest is untouched. */
#include "fuzz.h"
#include "proc/columns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "a", "b", "c", "d" };
	const struct columns columns = { .names = names, .n = 4, .below_zero = 8 };
	char *text = fuzz_text(data, size);
	int64_t v[5] = { 0, 0, 0, 0, 42 }, on;
	struct fault fault;
	char word[16];
	int n = columns_parse(text, size, &columns, v, &fault), there = 0;

	for (int i = 0; i < 4; i++) {
		there += v[i] != QMEM_NA;
		check(i == 3 || is_count(v[i]));
	}
	check(v[4] == 42);
	check(n == (there ? there : n) && (n > 0) == (there > 0));
	/* only whole lines are taken */
	check(!there || memchr(text, '\n', size));
	if (columns_choice(text, size, word, sizeof(word)))
		check(*word && strnlen(word, sizeof(word)) < sizeof(word) && !strchr(word, ']') && !strchr(word, '\n'));
	on = columns_switch(text, size);
	check(on == QMEM_NA || on == 0 || on == 1);
	free(text);
	return 0;
}
