/* SPDX-License-Identifier: MIT */
/* What the programs of slabs and service/slabinfo*.c tell each other. */
#ifndef QMEM_BPF_SLAB_H
#define QMEM_BPF_SLAB_H

#ifndef QMEM_VMLINUX_MIN_H
#include <linux/types.h>
#endif

#define SLAB_NAME 64   /* bytes of a cache's name that are told, with a NUL */
#define SLAB_NODES 128 /* NUMA nodes that are looked at */

struct slab_config {
	__u32 nodes; /* there may be, at most SLAB_NODES */
};

/* A cache. */
struct slab_record {
	__u64 slabs;        /* now, on all nodes */
	__u64 objects;      /* there is room for in them */
	__u32 size;         /* of an object, with what is around it */
	__u32 order;        /* of a slab's pages, if it was made when memory was not short: as /proc/slabinfo has it */
	__u32 node_missing; /* some node could not be read */
	__u32 unused;
	char name[SLAB_NAME];
};

/* ---- who allocates ---- */

#define SLAB_SYMBOL 48
#define SLAB_CALLERS 1024 /* at most */

struct slab_trace_config {
	__u32 size;   /* of an object, as the kernel says it; of kmalloc what it has been rounded up to */
	__u32 len;    /* of the name */
	__u32 prefix; /* 0: that is all of the name */
	char name[SLAB_NAME];
};

struct slab_caller {
	__u64 function; /* an address in the kernel */
	__u32 pid;      /* of the process, 0: none */
	__u32 unused;
};

struct slab_calls {
	__u64 n, bytes;
	char comm[16];            /* of the process */
	char symbol[SLAB_SYMBOL]; /* "ext4_alloc_inode"; "": not known */
};

#endif
