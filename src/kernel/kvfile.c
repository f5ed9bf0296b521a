/* SPDX-License-Identifier: MIT */
#include "kernel/kvfile.h"

#include <errno.h>

#include "kernel/sound.h"

ssize_t kvfile_read(struct qmem *q, struct kvfile *f, bool tell, void *sample, const char **ret_text)
{
	struct kv_fault fault;
	char words[128];
	ssize_t len = qmem_read(q, &f->file, ret_text);

	if (len < 0)
		return len;
	if (!kv_parse(&f->kv, *ret_text, (size_t)len, sample, &fault))
		return qmem_fail(q, -ENODATA, "'/%s' has no known key", f->file.path);
	if (tell) {
		if (fault.kind != KV_FINE)
			kv_fault_print(words, sizeof(words), &fault);
		sound_text(q, &f->fault, &f->file, fault.kind == KV_FINE ? NULL : words);
	}
	return len;
}

void kvfile_release(struct kvfile *f)
{
	kv_release(&f->kv);
	qmem_file_close(&f->file);
}
