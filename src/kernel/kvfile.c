/* SPDX-License-Identifier: MIT */
#include "kernel/kvfile.h"

#include <errno.h>

#include "kernel/sound.h"

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
