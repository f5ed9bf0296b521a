/* SPDX-License-Identifier: MIT */
#include "proc/pidlimits.h"

#include "proc/text.h"

static const char files_key[] = "Max open files";
static const char unlimited[] = "unlimited";

struct taking {
	struct pidlimits *limits;
	struct fault *fault;
	bool seen;
};

static int take(const char *line, const char *end, void *arg)
{
	struct taking *t = arg;
	size_t key = sizeof(files_key) - 1;
	const char *word, *stop;
	enum fault_kind kind = FAULT_NONE;

	if ((size_t)(end - line) <= key || memcmp(line, files_key, key) != 0 || line[key] != ' ')
		return 0;
	if (t->seen) {
		fault_add(t->fault, FAULT_DUPLICATE, line, key);
		return 1;
	}
	t->seen = true;
	word = text_blanks(line + key, end);
	stop = text_word_end(word, end);
	if (text_is(word, stop, unlimited))
		t->limits->files = PIDLIMITS_UNLIMITED;
	else
		kind = text_value(word, stop, false, &t->limits->files);
	if (kind != FAULT_NONE)
		fault_add(t->fault, kind, line, key);
	return 1;
}

int pidlimits_parse(const char *text, size_t len, struct pidlimits *ret, struct fault *ret_fault)
{
	struct pidlimits limits = { .files = QMEM_NA };
	struct taking t = { .limits = &limits, .fault = ret_fault };
	int known;

	*ret_fault = (struct fault){ 0 };
	known = text_lines(text, len, take, &t, ret_fault);
	if (known <= 0)
		return known < 0 ? known : -ENODATA;
	*ret = limits;
	return 0;
}
