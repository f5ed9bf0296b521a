/* SPDX-License-Identifier: MIT */
#include "kernel/kvfile.h"

#include <errno.h>
#include <string.h>

#include "kernel/sound.h"
#include "proc/text.h"
#include "util/value.h"

#define ONCE 8192 /* bytes of a file that is looked at once */

ssize_t kvfile_read(struct qmem *q, struct kvfile *f, bool tell, void *sample, const char **ret_text)
{
	struct fault fault;
	ssize_t len = qmem_read(q, &f->file, ret_text);

	if (len < 0)
		return len;
	if (!kv_parse(&f->kv, *ret_text, (size_t)len, sample, &fault))
		return sound_fail(q, &f->file, -ENODATA, &fault);
	if (tell)
		sound_fault(q, &f->fault, &f->file, 0, &fault);
	return len;
}

void kvfile_release(struct kvfile *f)
{
	kv_release(&f->kv);
	qmem_file_close(&f->file);
}

int64_t kvfile_key(struct qmem *q, const char *path, const char *key)
{
	char text[ONCE];
	ssize_t len = qmem_read_once(q, text, sizeof(text), "%s", path);
	const char *at = text, *end = text + len, *line, *newline;
	size_t key_len = strlen(key);
	struct fault cut = { .n = 0 };
	int64_t value = QMEM_NA;

	while (len > 0 && (line = text_next_line(&at, end, &newline, &cut))) {
		if ((size_t)(newline - line) <= key_len || memcmp(line, key, key_len) != 0 || line[key_len] != ':')
			continue;
		line = text_digits(text_blanks(line + key_len + 1, newline), newline, &value);
		if (!line || newline - line != 3 || memcmp(line, " kB", 3) != 0)
			return QMEM_NA;
		return value_times(value, 1024);
	}
	return QMEM_NA;
}
