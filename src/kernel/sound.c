/* SPDX-License-Identifier: MIT */
#include "kernel/sound.h"

#include <string.h>

void sound_read(struct qmem *q, struct qmem_complaint *c, const struct qmem_file *file, int err)
{
	char words[64];

	if (err)
		qmem_complain(q, c, "'/%s' cannot be read: %s", file->path, strerror_r(-err, words, sizeof(words)));
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

void sound_range(struct qmem *q, struct qmem_complaint *c, const struct qmem_file *file, bool beyond)
{
	if (beyond)
		qmem_complain(q, c, "'/%s' has a number beyond 63 bits: it is left out", file->path);
	else
		qmem_release(q, c, "'/%s' has no number beyond 63 bits any more", file->path);
}
