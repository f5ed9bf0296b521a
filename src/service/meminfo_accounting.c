/* SPDX-License-Identifier: MIT */
#include "service/meminfo_accounting.h"

#include <string.h>

#include "rows.h"
#include "util/value.h"
#include "util/words.h"

#define PART(id_, key_, help_) METRIC(meminfo, #id_, key_, accounting.id_, help_)

const struct qmem_metric meminfo_accounting_metrics[] = {
	PART(anon, NULL, "AnonPages: anonymous memory that processes map"),
	PART(anon_unmapped, NULL, "anonymous memory that nobody maps: swap cache, left-overs of huge pages; at least"),
	PART(file, NULL, "Cached - Shmem + Buffers: the page cache"),
	PART(shmem, NULL, "Shmem: shared memory and tmpfs"),
	PART(slab_reclaimable, NULL, "SReclaimable: slab caches the kernel can shrink"),
	PART(slab_unreclaimable, NULL, "SUnreclaim: slab caches it cannot shrink"),
	PART(reclaimable_other, NULL, "KReclaimable - SReclaimable: drivers' memory that can be freed (4.20)"),
	PART(stack, NULL, "KernelStack: kernel stacks of tasks"),
	PART(page_tables, NULL, "PageTables and Quicklists: page tables of processes"),
	PART(sec_page_tables, NULL, "SecPageTables: page tables of KVM guests and IOMMUs (6.1)"),
	PART(percpu, NULL, "Percpu: the per-CPU allocator (4.19); with some 250 KiB a CPU that are not in MemTotal"),
	PART(vmalloc, NULL, "VmallocUsed - KernelStack: what vmalloc() has taken, modules too (5.3)"),
	PART(huge, NULL, "Hugetlb: huge page pools, free pages too; of the default size only before 4.16"),
	PART(zswap, NULL, "Zswap: compressed pages of zswap (5.19)"),
	PART(compressed, NULL, "nr_zspages - Zswap: compressed pages of zram (4.8)"),
	PART(balloon, NULL, "Balloon: given back to the host; absent where it is not in MemTotal (6.16)"),
	PART(gpu, NULL, "GPUActive and GPUReclaim: pages of GPU drivers (7.1)"),
	PART(memmap, NULL, "nr_memmap_pages: descriptors of memory that was plugged in (6.11)"),
	PART(bounce, NULL, "Bounce and WritebackTmp: copies that devices and FUSE write from"),
	PART(corrupted, NULL, "HardwareCorrupted: given up after memory errors"),
	PART(free, NULL, "MemFree, and what is free on the lists of CPUs"),
	PART(unaccounted, NULL, "in no counter of this kernel: drivers and file systems that take whole pages"),
	{ 0 },
};

const struct qmem_metric meminfo_accounting_within_metrics[] = {
	PART(free_percpu, NULL, "on the lists of CPUs: of free"),
	PART(unaccepted, NULL, "Unaccepted, not yet accepted from the host: of free (6.5)"),
	PART(cma, NULL, "CmaTotal - CmaFree, in areas of the contiguous allocator: of anon, file or unaccounted"),
	PART(stack_vmalloc, NULL, "kernel stacks by vmalloc(), within VmallocUsed: of stack (5.3)"),
	PART(shadow_stack, NULL, "ShadowCallStack: of vmalloc, of slab_unreclaimable before 5.11 (arm64, 5.8)"),
	PART(swap_cached, NULL, "SwapCached, in swap and in memory as well: of anon and anon_unmapped"),
	PART(sockets, NULL, "TCP and UDP as their limits count it: of slab and unaccounted"),
	PART(arc, NULL, "the ZFS cache: of unaccounted and slab"),
	{ 0 },
};

static const struct kv_key needed[] = {
	KV_KEY(meminfo, "MemTotal", MemTotal, 0),         KV_KEY(meminfo, "MemFree", MemFree, 0),
	KV_KEY(meminfo, "Buffers", Buffers, 0),           KV_KEY(meminfo, "Cached", Cached, 0),
	KV_KEY(meminfo, "AnonPages", AnonPages, 0),       KV_KEY(meminfo, "Shmem", Shmem, 0),
	KV_KEY(meminfo, "SReclaimable", SReclaimable, 0), KV_KEY(meminfo, "SUnreclaim", SUnreclaim, 0),
	KV_KEY(meminfo, "KernelStack", KernelStack, 0),   KV_KEY(meminfo, "PageTables", PageTables, 0),
};

/* What a kernel may not have, but if it has it, it must be sound. */
static const size_t optional[] = {
	offsetof(struct meminfo, Active_anon),   offsetof(struct meminfo, Inactive_anon),
	offsetof(struct meminfo, KReclaimable),  offsetof(struct meminfo, Quicklists),
	offsetof(struct meminfo, SecPageTables), offsetof(struct meminfo, Percpu),
	offsetof(struct meminfo, VmallocUsed),   offsetof(struct meminfo, VmallocChunk),
	offsetof(struct meminfo, Hugetlb),       offsetof(struct meminfo, HugePages_Total),
	offsetof(struct meminfo, Hugepagesize),  offsetof(struct meminfo, Zswap),
	offsetof(struct meminfo, Balloon),       offsetof(struct meminfo, GPUActive),
	offsetof(struct meminfo, GPUReclaim),    offsetof(struct meminfo, Bounce),
	offsetof(struct meminfo, WritebackTmp),  offsetof(struct meminfo, HardwareCorrupted),
};

static int64_t at(const struct meminfo *m, size_t offset)
{
	return *(const int64_t *)(const void *)((const char *)m + offset);
}

static enum meminfo_account look(const struct meminfo *m, const struct kv *kv)
{
	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
		if (at(m, needed[i].offset) == QMEM_NA)
			return kv_lacks(kv, needed[i].offset) ? MEMINFO_INCOMPLETE : MEMINFO_UNSOUND;
	for (size_t i = 0; i < sizeof(optional) / sizeof(*optional); i++)
		if (at(m, optional[i]) == QMEM_NA && !kv_lacks(kv, optional[i]))
			return MEMINFO_UNSOUND;
	return MEMINFO_ACCOUNTED;
}

void meminfo_account_lacks(const struct kv *kv, char *dst, size_t size)
{
	*dst = '\0';
	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
		if (kv_lacks(kv, needed[i].offset))
			words_add(dst, size, "%s%s", *dst ? ", " : "", needed[i].key);
}

/* Of two that are not below 0; at most INT64_MAX, which no sum can hide. */
static int64_t both(int64_t a, int64_t b)
{
	value_add(&a, b);
	return a;
}

int64_t meminfo_lists_excess(const struct meminfo *m)
{
	/* pages of MADV_FREE are anonymous, and on the lists of files */
	int64_t could = m->Cached;

	if (m->Cached == QMEM_NA || m->Buffers == QMEM_NA || m->AnonPages == QMEM_NA || m->Active_file == QMEM_NA ||
	    m->Inactive_file == QMEM_NA)
		return 0;
	value_add(&could, m->Buffers);
	value_add(&could, m->AnonPages);
	value_add(&could, value_or(m->SwapCached, 0));
	return value_minus(both(m->Active_file, m->Inactive_file), could);
}

static int64_t huge_pages(const struct meminfo *m)
{
	int64_t huge = value_times(m->HugePages_Total, m->Hugepagesize);

	if (m->Hugetlb != QMEM_NA)
		return m->Hugetlb;
	return huge == QMEM_NA && m->HugePages_Total != QMEM_NA && m->Hugepagesize != QMEM_NA ? INT64_MAX : huge;
}

/* VmallocUsed counts pages since 5.3 (97105f0ab7b8); it was 0 since 4.4 (a5ad88ce8c7f), and a sum of address ranges before. */
static bool vmalloc_counts(const struct meminfo *m)
{
	return m->VmallocUsed != QMEM_NA && m->VmallocUsed > 0 && value_or(m->VmallocChunk, 0) == 0;
}

static void fill(struct meminfo *m, const struct meminfo_beside *beside)
{
	struct meminfo_accounting *a = &m->accounting;

	a->anon = m->AnonPages;
	if (m->Active_anon == QMEM_NA || m->Inactive_anon == QMEM_NA)
		a->anon_unmapped = QMEM_NA;
	else
		a->anon_unmapped = value_minus(both(m->Active_anon, m->Inactive_anon), both(m->AnonPages, m->Shmem));
	a->file = both(value_minus(m->Cached, m->Shmem), m->Buffers);
	a->shmem = m->Shmem;
	a->slab_reclaimable = m->SReclaimable;
	a->slab_unreclaimable = m->SUnreclaim;
	a->reclaimable_other = value_minus(m->KReclaimable, m->SReclaimable);
	a->stack = m->KernelStack;
	a->page_tables = both(m->PageTables, m->Quicklists);
	a->sec_page_tables = m->SecPageTables;
	a->percpu = m->Percpu;
	a->vmalloc = vmalloc_counts(m) ? value_minus(m->VmallocUsed, m->KernelStack) : QMEM_NA;
	a->huge = huge_pages(m);
	a->zswap = m->Zswap;
	a->balloon = beside->balloon_within ? m->Balloon : QMEM_NA;
	a->gpu = both(m->GPUActive, m->GPUReclaim);
	a->bounce = both(m->Bounce, m->WritebackTmp);
	a->corrupted = m->HardwareCorrupted;
	a->free = m->MemFree;
	/* those of another moment */
	a->compressed = value_minus(beside->zspages, value_or(m->Zswap, 0));
	a->memmap = beside->memmap;
	a->free_percpu = beside->pagesets;

	a->unaccepted = m->Unaccepted;
	a->cma = value_minus(m->CmaTotal, m->CmaFree);
	a->stack_vmalloc = vmalloc_counts(m) ? value_least(m->KernelStack, m->VmallocUsed) : QMEM_NA;
	a->shadow_stack = m->ShadowCallStack;
	a->swap_cached = m->SwapCached;
	a->sockets = beside->sockets;
	a->arc = m->arc_size;
}

void meminfo_account_none(struct meminfo *m)
{
	for (const struct qmem_metric *p = meminfo_accounting_metrics; p->id; p++)
		*(int64_t *)(void *)((char *)m + p->offset) = QMEM_NA;
	for (const struct qmem_metric *p = meminfo_accounting_within_metrics; p->id; p++)
		*(int64_t *)(void *)((char *)m + p->offset) = QMEM_NA;
}

/* What is of another moment, and the per-CPU allocator, which counts more than is in MemTotal. */
static bool gives_way(size_t offset)
{
	return offset == offsetof(struct meminfo, accounting.compressed) ||
	       offset == offsetof(struct meminfo, accounting.memmap) ||
	       offset == offsetof(struct meminfo, accounting.percpu);
}

/* As far as it may. */
static void yield(int64_t *part, int64_t *rest, int64_t *allowed)
{
	int64_t over;

	if (*part == QMEM_NA || *rest < 0)
		return;
	over = value_minus(*part, *rest);
	if (over > *allowed)
		over = *allowed;
	*allowed -= over;
	*part -= over;
	*rest -= *part; /* below 0: too much */
}

enum meminfo_account meminfo_account(struct meminfo *m, const struct kv *kv, const struct meminfo_beside *beside,
				     int64_t *ret_excess)
{
	struct meminfo_accounting *a = &m->accounting;
	enum meminfo_account how = look(m, kv);
	int64_t sum = 0, rest, allowed;

	*ret_excess = 0;
	meminfo_account_none(m);
	if (how != MEMINFO_ACCOUNTED)
		return how;
	fill(m, beside);
	for (const struct qmem_metric *p = meminfo_accounting_metrics; p->id; p++)
		if (!gives_way(p->offset))
			value_add(&sum, qmem_value(p, m));
	/* MemFree is huge where it is printed below 0; sums stay at the end of int64 */
	rest = sum == INT64_MAX ? -1 : m->MemTotal - sum;
	allowed = m->MemTotal / 64;
	if (rest >= 0) {
		yield(&a->compressed, &rest, &allowed);
		yield(&a->memmap, &rest, &allowed);
		yield(&a->percpu, &rest, &allowed);
		yield(&a->free_percpu, &rest, &allowed);
	}
	if (rest < 0) {
		*ret_excess = sum == INT64_MAX ? INT64_MAX : -rest;
		meminfo_account_none(m);
		return MEMINFO_EXCEEDED;
	}
	a->free += value_or(a->free_percpu, 0);
	a->unaccounted = rest;
	return MEMINFO_ACCOUNTED;
}
