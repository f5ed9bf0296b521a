/* SPDX-License-Identifier: MIT */
/* Who allocates from one cache, or by kmalloc() in one size, for as long as this is attached. Linux 6.1. */
#include "vmlinux_min.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <stdbool.h>

#include "slab.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

const volatile struct slab_trace_config config SEC(".rodata.config") = {};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SLAB_CALLERS);
	__type(key, struct slab_caller);
	__type(value, struct slab_calls);
} callers SEC(".maps");

/* What has found no place there. */
struct slab_calls lost = {};

static __always_inline void count(__u64 function, __u64 bytes)
{
	struct task_struct *task = bpf_get_current_task_btf(), *leader = task->group_leader;
	struct slab_caller key = { .function = function, .pid = (__u32)(bpf_get_current_pid_tgid() >> 32) };
	struct slab_calls *calls = bpf_map_lookup_elem(&callers, &key);

	if (!calls) {
		struct slab_calls none = {};
		__u64 args[1] = { function };

		bpf_probe_read_kernel_str(none.comm, sizeof(none.comm), leader->comm);
		bpf_snprintf(none.symbol, sizeof(none.symbol), "%ps", args, sizeof(args));
		bpf_map_update_elem(&callers, &key, &none, 1 /* BPF_NOEXIST */);
		calls = bpf_map_lookup_elem(&callers, &key);
	}
	if (!calls)
		calls = &lost;
	__sync_fetch_and_add(&calls->n, 1);
	__sync_fetch_and_add(&calls->bytes, bytes);
}

/* The size first: that is two loads for all the caches that it is not. */
static __always_inline bool is_ours(struct kmem_cache *s)
{
	char name[SLAB_NAME];
	__u32 len = config.len;

	if (s->size != config.size || len >= SLAB_NAME)
		return false;
	if (bpf_probe_read_kernel_str(name, sizeof(name), s->name) < 0)
		return false;
	for (__u32 i = 0; i < SLAB_NAME; i++) {
		if (i == len)
			return config.prefix || !name[i];
		if (name[i] != config.name[i])
			return false;
	}
	return false;
}

SEC("tp_btf/kmem_cache_alloc")
int BPF_PROG(on_cache, unsigned long function, const void *object, struct kmem_cache *s)
{
	if (object && is_ours(s))
		count(function, s->size);
	return 0;
}

SEC("tp_btf/kmalloc")
int BPF_PROG(on_kmalloc, unsigned long function, const void *object, unsigned long wanted, unsigned long given)
{
	if (object && given == config.size)
		count(function, given);
	return 0;
}
