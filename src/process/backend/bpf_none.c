/* SPDX-License-Identifier: MIT */
/* In place of bpf.c where there is no libbpf to build with. */
#include <errno.h>
#include <stdio.h>

#include "process/backend/backend.h"

static int open_none(struct qmem *q, struct records *records, int64_t budget, void **ret, struct backend_reason *why)
{
	(void)q;
	(void)records;
	(void)budget;
	(void)ret;
	snprintf(why->text, sizeof(why->text), "qmem was built without libbpf");
	return -ENOTSUP;
}

const struct backend backend_bpf = {
	.name = "bpf",
	.help = "a BPF program that walks the kernel's list",
	.open = open_none,
};

const struct backend backend_iter = {
	.name = "iter",
	.help = "a BPF task iterator",
	.open = open_none,
};
