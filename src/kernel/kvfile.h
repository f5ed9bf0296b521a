/* SPDX-License-Identifier: MIT */
/* A file of keys and numbers, as a service reads it into its sample. */
#ifndef QMEM_KERNEL_KVFILE_H
#define QMEM_KERNEL_KVFILE_H

#include "proc/kv.h"
#include "qmem.h"

struct kvfile {
	struct qmem_file file; /* the service's, as is the kv */
	struct kv kv;
	struct qmem_complaint fault;
};

/*
 * The length of the text, which is good until the next qmem_read(); or what that returns, or -ENODATA: no value. With
 * `tell`, what is wrong in the text is told when it begins, and when it is over.
 */
ssize_t kvfile_read(struct qmem *q, struct kvfile *f, bool tell, void *sample, const char **ret_text);
void kvfile_release(struct kvfile *f);

/* One key of a file of lines "Key:   123 kB", looked at once, without memory of its own: bytes; QMEM_NA: it has none. */
int64_t kvfile_key(struct qmem *q, const char *path, const char *key);

#endif
