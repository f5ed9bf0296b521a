/* SPDX-License-Identifier: MIT */
/*
 * Hits and misses of the page cache, at the tracepoints of the kernel (Linux 6.12), by process and in all.
 *
 * A read looks for pages and, when it has them, passes mm_filemap_get_pages; what it had to bring in has passed
 * mm_filemap_add_to_page_cache before, in the same thread. A write brings in pages, too, but makes them dirty at once. A fault looks
 * around first, and passes mm_filemap_map_pages if there was anything to map; if its own page was not, it passes mm_filemap_fault,
 * and then what it brings in. One that had to let go of its lock comes again for the same page.
 */
#include "vmlinux_min.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <stdbool.h>

#include "cachehits.h"

#define TASK_STORAGE 29
#define NO_PREALLOC 1
#define CREATE 1

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct address_space;

struct folio {
	unsigned long flags;
	struct address_space *mapping;
	unsigned long index;
	unsigned long _flags_1;
};

/* Linux 6.18 */
struct memdesc_flags {
	unsigned long f;
};
struct folio___memdesc {
	struct memdesc_flags flags;
};

enum pageflags {
	PG_head = 6,
};
#pragma clang attribute pop

/* Pages of a file. */
struct span {
	__u64 mapping, first, last;
};

/* What a thread has just done. */
struct thread {
	struct span added;  /* by it, and not yet looked at */
	struct span mapped; /* by a fault that may go on */
	struct span fault;  /* its page */
	bool missed;        /* it was brought in */
};

struct {
	__uint(type, TASK_STORAGE);
	__uint(map_flags, NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread);
} threads SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cachehits_process);
} processes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, CACHEHITS_CPUS);
	__type(key, __u32);
	__type(value, struct cachehits_machine);
} machine SEC(".maps");

static __always_inline struct thread *this_thread(struct task_struct *t)
{
	return bpf_task_storage_get(&threads, t, 0, CREATE);
}

static __always_inline bool holds(const struct span *s, struct address_space *mapping, __u64 index)
{
	return s->mapping == (__u64)mapping && index >= s->first && index <= s->last;
}

/* ---- counting ---- */

static __always_inline struct cachehits_process *process(struct task_struct *t, __u64 start)
{
	struct cachehits_process *p, fresh = { .start = start };
	__u32 pid = (__u32)t->tgid;

	p = bpf_map_lookup_elem(&processes, &pid);
	if (!p) {
		bpf_map_update_elem(&processes, &pid, &fresh, 1 /* BPF_NOEXIST */);
		p = bpf_map_lookup_elem(&processes, &pid);
	}
	/* the pid of one that has ended: nobody else counts in it now */
	if (p && p->start != start) {
		for (int i = 0; i < CACHEHITS_KINDS; i++)
			p->n[i] = 0;
		p->start = start;
	}
	return p;
}

static __always_inline void count(struct task_struct *t, int kind, __u64 n)
{
	__u32 cpu = bpf_get_smp_processor_id() & (CACHEHITS_CPUS - 1);
	struct cachehits_machine *m = bpf_map_lookup_elem(&machine, &cpu);
	struct cachehits_process *p;

	/* nobody else counts there, but another one may come in between */
	if (m)
		__sync_fetch_and_add(&m->n[kind], n);
	p = process(t, t->group_leader->start_boottime);
	if (p)
		__sync_fetch_and_add(&p->n[kind], n);
	else if (m)
		__sync_fetch_and_add(&m->lost[kind], n);
}

/* ---- what is passed ---- */

SEC("tp_btf/mm_filemap_get_pages")
int BPF_PROG(on_read, struct address_space *mapping, unsigned long index, unsigned long last)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct thread *thread = this_thread(t);

	count(t, CACHEHITS_READS, 1);
	if (thread && holds(&thread->added, mapping, index))
		count(t, CACHEHITS_READ_MISSES, 1);
	if (thread)
		thread->added.mapping = 0;
	return 0;
}

SEC("tp_btf/mm_filemap_map_pages")
int BPF_PROG(on_map, struct address_space *mapping, unsigned long first, unsigned long last)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct thread *thread = this_thread(t);
	bool again = thread && thread->missed && thread->fault.mapping == (__u64)mapping &&
		     thread->fault.first >= first && thread->fault.first <= last;

	if (!again)
		count(t, CACHEHITS_FAULTS, 1);
	if (!thread)
		return 0;
	thread->mapped = (struct span){ (__u64)mapping, first, last };
	thread->fault.mapping = 0;
	thread->missed = false;
	return 0;
}

SEC("tp_btf/mm_filemap_fault")
int BPF_PROG(on_fault, struct address_space *mapping, unsigned long index)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct thread *thread = this_thread(t);
	bool again;

	if (!thread) {
		count(t, CACHEHITS_FAULTS, 1);
		return 0;
	}
	again = thread->missed && holds(&thread->fault, mapping, index);
	if (!again && !holds(&thread->mapped, mapping, index))
		count(t, CACHEHITS_FAULTS, 1);
	thread->mapped.mapping = 0;
	thread->fault = (struct span){ again ? 0 : (__u64)mapping, index, index };
	thread->missed = false;
	return 0;
}

static __always_inline __u64 pages_of(struct folio *folio)
{
	unsigned long flags;

	if (bpf_core_field_exists(((struct folio___memdesc *)folio)->flags.f))
		flags = ((struct folio___memdesc *)folio)->flags.f;
	else
		flags = folio->flags;
	if (!(flags & 1ul << bpf_core_enum_value(enum pageflags, PG_head)))
		return 1;
	return 1ul << (folio->_flags_1 & 0x1f);
}

SEC("tp_btf/mm_filemap_add_to_page_cache")
int BPF_PROG(on_add, struct folio *folio)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct thread *thread = this_thread(t);
	__u64 mapping = (__u64)folio->mapping, index = folio->index, n = pages_of(folio);
	struct span *added, *fault;

	count(t, CACHEHITS_ADDED, n);
	if (!thread)
		return 0;
	added = &thread->added;
	fault = &thread->fault;
	if (!thread->missed && fault->mapping == mapping && fault->first >= index && fault->first < index + n) {
		thread->missed = true;
		count(t, CACHEHITS_FAULT_MISSES, 1);
	}
	if (added->mapping != mapping)
		*added = (struct span){ mapping, index, index + n - 1 };
	else if (index < added->first)
		added->first = index;
	if (index + n - 1 > added->last)
		added->last = index + n - 1;
	return 0;
}

/* It was a write that has added it. */
SEC("tp_btf/writeback_dirty_folio")
int BPF_PROG(on_dirty, struct folio *folio, struct address_space *mapping)
{
	struct thread *thread = bpf_task_storage_get(&threads, bpf_get_current_task_btf(), 0, 0);

	if (thread && thread->added.mapping == (__u64)mapping)
		thread->added.mapping = 0;
	return 0;
}
