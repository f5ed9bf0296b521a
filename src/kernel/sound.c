/* SPDX-License-Identifier: MIT */
#include "kernel/sound.h"

#include <errno.h>

#include "engine/root.h"

#define WORDS 128

void sound_read(struct qmem *q, struct qmem_complaint *c, const struct qmem_file *file, int err)
{
	char words[64];

	if (err == -ENODATA)
		qmem_complain(q, c, "'/%s' is empty", file->path);
	else if (err)
		qmem_complain(q, c, "'/%s' cannot be read: %s", file->path, root_words(err, words, sizeof(words)));
	else
		qmem_release(q, c, "'/%s' can be read again", file->path);
}

void sound_text(struct qmem *q, struct qmem_complaint *c, const struct qmem_file *file, const char *wrong)
{
	if (wrong)
		qmem_complain(q, c, "'/%s': %s", file->path, wrong);
	else
		qmem_release(q, c, "'/%s' is sound again", file->path);
}

static const char *say(char *words, size_t size, int err, const struct fault *fault)
{
	if (!fault->n)
		return err ? "nothing in it is known" : NULL;
	fault_print(words, size, fault);
	return words;
}

void sound_fault(struct qmem *q, struct qmem_complaint *c, const struct qmem_file *file, int err,
		 const struct fault *fault)
{
	char words[WORDS];

	sound_text(q, c, file, say(words, sizeof(words), err, fault));
}

int sound_fail(struct qmem *q, const struct qmem_file *file, int err, const struct fault *fault)
{
	char words[WORDS];

	return qmem_fail(q, err, "'/%s' has no value: %s", file->path, say(words, sizeof(words), err, fault));
}
