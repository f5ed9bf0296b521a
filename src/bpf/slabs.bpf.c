/* SPDX-License-Identifier: MIT */
/* The caches of the slab allocator as a file, a record each. Linux 6.13. */
#include "vmlinux_min.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "slab.h"

#define ORDER_SHIFT 16 /* of kmem_cache_order_objects */

char LICENSE[] SEC("license") = "Dual MIT/GPL";

const volatile struct slab_config config SEC(".rodata.config") = {};

/*
 * Where the counters of a node are: in a row of pointers, or, from Linux 7.0 on, of pairs. Functions of their own: what one kernel
 * does not have must be where the verifier of that kernel does not come.
 */
static __noinline __u64 node_of_pairs(struct kmem_cache *s, __u32 i)
{
	struct kmem_cache___per_node *per = (struct kmem_cache___per_node *)s;
	__u64 first = bpf_core_field_offset(per->per_node[0].node);
	__u64 apart = bpf_core_field_offset(per->per_node[1].node) - first;
	__u64 node = 0;

	bpf_probe_read_kernel(&node, sizeof(node), (void *)((__u64)s + first + i * apart));
	return node;
}

static __noinline __u64 node_of_row(struct kmem_cache *s, __u32 i)
{
	__u64 node = 0;

	bpf_probe_read_kernel(&node, sizeof(node),
			      (void *)((__u64)s + bpf_core_field_offset(s->node) + i * sizeof(node)));
	return node;
}

static __always_inline struct kmem_cache_node *node_of(struct kmem_cache *s, __u32 i)
{
	if (bpf_core_field_exists(((struct kmem_cache___per_node *)s)->per_node))
		return (struct kmem_cache_node *)node_of_pairs(s, i);
	return (struct kmem_cache_node *)node_of_row(s, i);
}

SEC("iter/kmem_cache")
int slabs(struct bpf_iter__kmem_cache *ctx)
{
	struct kmem_cache *s = ctx->s;
	struct slab_record r = {};

	if (!s)
		return 0;
	for (__u32 i = 0; i < config.nodes && i < SLAB_NODES; i++) {
		struct kmem_cache_node *node = node_of(s, i);
		long value = 0;

		if (!node)
			continue;
		if (bpf_probe_read_kernel(&value, sizeof(value), &node->nr_slabs.counter))
			r.node_missing = 1;
		r.slabs += (__u64)value;
		if (bpf_probe_read_kernel(&value, sizeof(value), &node->total_objects.counter))
			r.node_missing = 1;
		r.objects += (__u64)value;
	}
	r.size = s->size;
	r.order = s->oo.x >> ORDER_SHIFT;
	bpf_probe_read_kernel_str(r.name, sizeof(r.name), s->name);
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}
