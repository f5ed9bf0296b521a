/* SPDX-License-Identifier: MIT */
#include "service/slabinfo_iter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/program.h"
#include "bpf/slab.h"
#include "kernel/nodes.h"

/* Only its bytes: what else is in there calls libbpf by name, and this is not inline. */
#define bpf_object__destroy_skeleton(skeleton_) ((void)(skeleton_))
#include "bpf/slabs.skel.h"

#define TEXT (32u << 10) /* 300 caches are as much: more reads than that cost little */

static const struct program_source source = { slabs_bpf__elf_bytes, 6, 13 };

int slab_iter_open(struct qmem *q, struct slab_iter *it, char *why, size_t size)
{
	struct slab_config config = { .nodes = 0 };
	struct program program;
	int err, nodes = nodes_possible(q);

	*it = (struct slab_iter){ .link = -1 };
	/* what is not looked at would be missing */
	if (nodes < 0)
		snprintf(why, size, "it cannot be told which NUMA nodes there may be");
	else if (nodes > SLAB_NODES)
		snprintf(why, size, "there may be %d NUMA nodes, it looks at %d", nodes, SLAB_NODES);
	if (nodes < 0 || nodes > SLAB_NODES)
		return -ENOTSUP;
	config.nodes = (uint32_t)nodes;
	err = program_open(&program, &source, why, size);
	if (!err)
		err = program_set(&program, ".rodata.config", &config, sizeof(config));
	if (!err)
		err = program_load(&program, why, size);
	if (!err) {
		it->link = program_attach_iterator(&program, "slabs");
		if (it->link < 0)
			snprintf(why, size, "cannot be attached: %s", strerror(-it->link));
		err = it->link < 0 ? it->link : 0;
	}
	program_close(&program);
	if (err)
		return err;
	it->text = malloc(TEXT);
	if (it->text)
		return 0;
	snprintf(why, size, "%s", strerror(ENOMEM));
	return -ENOMEM;
}

void slab_iter_close(struct slab_iter *it)
{
	if (it->link >= 0)
		close(it->link);
	free(it->text);
	*it = (struct slab_iter){ .link = -1 };
}

static void hand_out(const struct slab_record *r, int64_t page,
		     void (*take)(void *arg, const struct slab_iter_cache *cache), void *arg)
{
	struct slab_iter_cache cache = {
		.name = r->name,
		.len = strnlen(r->name, sizeof(r->name)),
		.objects = (int64_t)r->objects,
		.objsize = r->size,
	};

	/* the counters are signed there */
	if (r->node_missing || (int64_t)r->slabs < 0 || cache.objects < 0 || r->order >= 32 ||
	    __builtin_mul_overflow((int64_t)r->slabs, page << r->order, &cache.held))
		cache.held = cache.objects = QMEM_NA;
	take(arg, &cache);
}

int slab_iter_read(struct slab_iter *it, void (*take)(void *arg, const struct slab_iter_cache *cache), void *arg)
{
	int64_t page = sysconf(_SC_PAGESIZE);
	int fd = program_iterate(it->link), err = 0;
	struct slab_record r;

	if (fd < 0)
		return fd;
	for (it->have = 0; !err;) {
		ssize_t n = read(fd, it->text + it->have, TEXT - it->have);
		size_t at = 0;

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n < 0)
			err = -errno;
		if (n <= 0)
			break;
		it->have += (size_t)n;
		for (; it->have - at >= sizeof(r); at += sizeof(r)) {
			memcpy(&r, it->text + at, sizeof(r));
			hand_out(&r, page, take, arg);
		}
		it->have -= at;
		memmove(it->text, it->text + at, it->have);
	}
	close(fd);
	return err ? err : it->have ? -EBADMSG : 0;
}
