/* SPDX-License-Identifier: MIT */
#include "kernel/kvfile.h"

#include <errno.h>

static void judge(struct qmem *q, struct kvfile *f, const struct kv_fault *fault)
{
	char words[128];

	if (fault->kind == KV_FINE) {
		qmem_release(q, &f->fault, "'/%s' is sound again", f->file.path);
		return;
	}
	kv_fault_print(words, sizeof(words), fault);
	qmem_complain(q, &f->fault, "'/%s': %s", f->file.path, words);
}

ssize_t kvfile_read(struct qmem *q, struct kvfile *f, bool tell, void *sample, const char **ret_text)
{
	struct kv_fault fault;
	ssize_t len = qmem_read(q, &f->file, ret_text);

	if (len < 0)
		return len;
	if (!kv_parse(&f->kv, *ret_text, (size_t)len, sample, &fault))
		return qmem_fail(q, -ENODATA, "'/%s' has no known key", f->file.path);
	if (tell)
		judge(q, f, &fault);
	return len;
}

void kvfile_release(struct kvfile *f)
{
	kv_release(&f->kv);
	qmem_file_close(&f->file);
}
