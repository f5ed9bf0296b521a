/* SPDX-License-Identifier: MIT */
#include "service/meminfo.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

#include "engine/number.h"
#include "engine/option.h"
#include "kernel/kvfile.h"
#include "rows.h"
#include "service/meminfo_beside.h"
#include "service/meminfo_unaccounted.h"
#include "services.h"
#include "util/value.h"
#include "util/words.h"

#define ARC_RETRY 60 /* collections between looks for a file that was not there */

static const struct qmem_metric usage[] = {
	METRIC(meminfo, "used", NULL, used,
	       "all that is none of the others: processes, the kernel, huge pages, drivers"),
	METRIC(meminfo, "buffers", NULL, buffers, "Buffers: the page cache of block devices"),
	METRIC(meminfo, "cached", NULL, cached, "Cached without Shmem: the page cache of files"),
	METRIC(meminfo, "shmem", NULL, shmem, "Shmem: shared memory and tmpfs, which only swap can free"),
	METRIC(meminfo, "slab_reclaimable", NULL, slab_reclaimable,
	       "SReclaimable: slab caches the kernel can shrink, such as dentries"),
	METRIC(meminfo, "arc", NULL, arc, "the ZFS cache above its minimum; absent without ZFS"),
	METRIC(meminfo, "free", NULL, free, "MemFree: used for nothing"),
	{ 0 },
};

static const struct qmem_metric available[] = {
	METRIC(meminfo, "available", "MemAvailable", MemAvailable,
	       "what can be had without swapping, by the kernel's estimate (3.14)"),
	METRIC(meminfo, "total", "MemTotal", MemTotal, "all memory the kernel manages"),
	{ 0 },
};

static const struct qmem_metric available_ratio[] = {
	METRIC(meminfo, "available", NULL, ratio, "MemAvailable and the ZFS cache above its minimum, of MemTotal"),
	{ 0 },
};

static const struct qmem_metric level[] = {
	METRIC(meminfo, "level", NULL, level, "0 none, 1 low, 2 medium, 3 high, 4 critical, from the available ratio"),
	{ 0 },
};

static const struct qmem_metric unaccounted[] = {
	METRIC(meminfo, "grown", NULL, grown,
	       "growth of accounting.unaccounted in GrowthWindow, while it grows in each part of that; else 0"),
	{ 0 },
};

static const struct qmem_metric lru[] = {
	METRIC(meminfo, "active_anon", "Active(anon)", Active_anon, "anonymous and shared memory in recent use"),
	METRIC(meminfo, "inactive_anon", "Inactive(anon)", Inactive_anon,
	       "anonymous and shared memory that would be swapped first"),
	METRIC(meminfo, "active_file", "Active(file)", Active_file, "page cache in recent use"),
	METRIC(meminfo, "inactive_file", "Inactive(file)", Inactive_file, "page cache that would be dropped first"),
	METRIC(meminfo, "unevictable", "Unevictable", Unevictable,
	       "what reclaim must leave alone: mlock, ramfs, secret memory"),
	METRIC(meminfo, "mlocked", "Mlocked", Mlocked, "locked by mlock(); part of unevictable"),
	{ 0 },
};

static const struct qmem_metric processes[] = {
	METRIC(meminfo, "anon", "AnonPages", AnonPages, "anonymous memory mapped by processes"),
	METRIC(meminfo, "mapped", "Mapped", Mapped, "files, shared memory included, mapped by processes"),
	{ 0 },
};

static const struct qmem_metric writeback[] = {
	METRIC(meminfo, "dirty", "Dirty", Dirty, "waits to be written"),
	METRIC(meminfo, "writeback", "Writeback", Writeback, "is being written"),
	METRIC(meminfo, "fuse", "WritebackTmp", WritebackTmp, "copies that FUSE writes from; 0 on new kernels"),
	METRIC(meminfo, "nfs_unstable", "NFS_Unstable", NFS_Unstable,
	       "sent to a server but not committed; part of writeback since 5.8"),
	METRIC(meminfo, "bounce", "Bounce", Bounce, "bounce buffers of block devices; 0 on new kernels"),
	{ 0 },
};

static const struct qmem_metric slab[] = {
	METRIC(meminfo, "reclaimable", "SReclaimable", SReclaimable,
	       "caches the kernel can shrink, such as dentries and inodes"),
	METRIC(meminfo, "unreclaimable", "SUnreclaim", SUnreclaim, "objects in use by the kernel"),
	{ 0 },
};

static const struct qmem_metric kernel[] = {
	METRIC(meminfo, "stack", "KernelStack", KernelStack, "kernel stacks of tasks"),
	METRIC(meminfo, "shadow_stack", "ShadowCallStack", ShadowCallStack, "shadow call stacks of tasks (arm64, 5.8)"),
	METRIC(meminfo, "page_tables", "PageTables", PageTables, "page tables of processes"),
	METRIC(meminfo, "sec_page_tables", "SecPageTables", SecPageTables,
	       "page tables of KVM guests and IOMMUs (6.1)"),
	METRIC(meminfo, "percpu", "Percpu", Percpu, "the per-CPU allocator (4.19)"),
	METRIC(meminfo, "quicklists", "Quicklists", Quicklists, "page table pages kept for reuse (old kernels)"),
	METRIC(meminfo, "reclaimable_other", NULL, reclaimable_other,
	       "KReclaimable without slab: drivers' memory that can be freed (4.20)"),
	{ 0 },
};

static const struct qmem_metric vmalloc[] = {
	METRIC(meminfo, "used", "VmallocUsed", VmallocUsed,
	       "pages behind vmalloc(), stacks among them; always 0 from 4.4 to 5.2"),
	{ 0 },
};

static const struct qmem_metric thp[] = {
	METRIC(meminfo, "anon", "AnonHugePages", AnonHugePages, "anonymous memory in huge pages"),
	METRIC(meminfo, "shmem", "ShmemHugePages", ShmemHugePages, "shared memory and tmpfs in huge pages (4.8)"),
	METRIC(meminfo, "shmem_mapped", "ShmemPmdMapped", ShmemPmdMapped, "of that, mapped as huge pages (4.8)"),
	METRIC(meminfo, "file", "FileHugePages", FileHugePages, "page cache in huge pages (5.4)"),
	METRIC(meminfo, "file_mapped", "FilePmdMapped", FilePmdMapped, "of that, mapped as huge pages (5.4)"),
	{ 0 },
};

static const struct qmem_metric hugepages[] = {
	METRIC(meminfo, "used", NULL, huge_used, "(HugePages_Total - HugePages_Free) * Hugepagesize"),
	METRIC(meminfo, "reserved", NULL, huge_reserved, "HugePages_Rsvd: promised to a mapping, not yet touched"),
	METRIC(meminfo, "free", NULL, huge_free, "(HugePages_Free - HugePages_Rsvd) * Hugepagesize: to be had"),
	{ 0 },
};

static const struct qmem_metric hugetlb[] = {
	METRIC(meminfo, "all_sizes", "Hugetlb", Hugetlb, "the pools of all page sizes (4.16)"),
	METRIC(meminfo, "surplus", NULL, huge_surplus,
	       "HugePages_Surp: beyond the pool's fixed size, of the default page size"),
	{ 0 },
};

static const struct qmem_metric swap[] = {
	METRIC(meminfo, "used", NULL, swap_used, "SwapTotal - SwapFree - SwapCached"),
	METRIC(meminfo, "cached", NULL, swap_cached, "SwapCached: in swap and in memory as well"),
	METRIC(meminfo, "free", "SwapFree", SwapFree, "not in use"),
	{ 0 },
};

static const struct qmem_metric zswap[] = {
	METRIC(meminfo, "pool", "Zswap", Zswap, "memory the compressed pages take (5.19)"),
	METRIC(meminfo, "stored", "Zswapped", Zswapped, "what they would take uncompressed (5.19)"),
	{ 0 },
};

static const struct qmem_metric commit[] = {
	METRIC(meminfo, "committed", "Committed_AS", Committed_AS, "address space promised to processes"),
	METRIC(meminfo, "limit", "CommitLimit", CommitLimit, "where it ends if vm.overcommit_memory is 2"),
	{ 0 },
};

static const struct qmem_metric hardware[] = {
	METRIC(meminfo, "corrupted", "HardwareCorrupted", HardwareCorrupted, "pages given up after memory errors"),
	METRIC(meminfo, "memtest_bad", "EarlyMemtestBad", EarlyMemtestBad, "found bad by the memtest at boot (6.4)"),
	{ 0 },
};

static const struct qmem_metric cma[] = {
	METRIC(meminfo, "used", NULL, cma_used, "CmaTotal - CmaFree"),
	METRIC(meminfo, "free", "CmaFree", CmaFree, "of the contiguous memory allocator's areas, free for drivers"),
	{ 0 },
};

static const struct qmem_metric guest[] = {
	METRIC(meminfo, "balloon", "Balloon", Balloon, "given back to the host by the balloon driver (6.16)"),
	METRIC(meminfo, "unaccepted", "Unaccepted", Unaccepted,
	       "not yet accepted from the host by a confidential guest (6.5)"),
	{ 0 },
};

static const struct qmem_metric gpu[] = {
	METRIC(meminfo, "active", "GPUActive", GPUActive, "system memory in GPU objects (7)"),
	METRIC(meminfo, "reclaimable", "GPUReclaim", GPUReclaim,
	       "kept by GPU drivers for reuse; not in MemAvailable (7)"),
	{ 0 },
};

static const struct qmem_metric highmem[] = {
	METRIC(meminfo, "high_total", "HighTotal", HighTotal, "beyond the kernel's direct map (32-bit)"),
	METRIC(meminfo, "high_free", "HighFree", HighFree, "of that, free"),
	METRIC(meminfo, "low_total", "LowTotal", LowTotal, "in the kernel's direct map (32-bit)"),
	METRIC(meminfo, "low_free", "LowFree", LowFree, "of that, free"),
	{ 0 },
};

static const struct qmem_metric direct_map[] = {
	METRIC(meminfo, "4k", "DirectMap4k", DirectMap4k, "mapped by 4 KiB pages"),
	METRIC(meminfo, "64k", "DirectMap64k", DirectMap64k, "mapped by 64 KiB pages (powerpc)"),
	METRIC(meminfo, "1m", "DirectMap1M", DirectMap1M, "mapped by 1 MiB pages (s390)"),
	METRIC(meminfo, "2m", "DirectMap2M", DirectMap2M, "mapped by 2 MiB pages"),
	METRIC(meminfo, "4m", "DirectMap4M", DirectMap4M, "mapped by 4 MiB pages (32-bit x86)"),
	METRIC(meminfo, "1g", "DirectMap1G", DirectMap1G, "mapped by 1 GiB pages"),
	METRIC(meminfo, "2g", "DirectMap2G", DirectMap2G, "mapped by 2 GiB pages (s390)"),
	{ 0 },
};

static const struct qmem_family families[] = {
	FAMILY("usage", "Memory by use", "memory/usage", "stacked", usage, BYTES, .flags = QMEM_OVERLAP),
	FAMILY("available", "Available memory", "memory/usage", "line", available, BYTES),
	FAMILY("available_ratio", "Available memory, relative", "memory/usage", "line", available_ratio,
	       .unit = "percent", .kind = QMEM_GAUGE, .divisor = 100, .type = "percent"),
	FAMILY("level", "Memory pressure level", "memory/usage", "line", level, GAUGE("level", 1, "gauge")),
	FAMILY("accounting", "Memory by who holds it", "memory/accounting", "stacked", meminfo_accounting_metrics,
	       BYTES),
	FAMILY("accounting_within", "Of which", "memory/accounting", "line", meminfo_accounting_within_metrics, BYTES),
	FAMILY("unaccounted", "Growth of memory in no counter", "memory/accounting", "line", unaccounted, BYTES),
	FAMILY("lru", "LRU lists", "memory/lists", "line", lru, BYTES),
	FAMILY("processes", "Memory mapped by processes", "memory/lists", "line", processes, BYTES),
	FAMILY("writeback", "Memory to be written", "memory/writeback", "line", writeback, BYTES),
	FAMILY("slab", "Slab memory", "memory/kernel", "stacked", slab, BYTES),
	FAMILY("kernel", "Kernel memory", "memory/kernel", "stacked", kernel, BYTES),
	FAMILY("vmalloc", "Vmalloc memory", "memory/kernel", "area", vmalloc, BYTES),
	FAMILY("thp", "Transparent huge pages", "memory/huge pages", "line", thp, BYTES),
	FAMILY("hugepages", "Huge page pool of the default size", "memory/huge pages", "stacked", hugepages, BYTES),
	FAMILY("hugetlb", "Huge page pools", "memory/huge pages", "line", hugetlb, BYTES),
	FAMILY("swap", "Swap", "memory/swap", "stacked", swap, BYTES, .flags = QMEM_OVERLAP),
	FAMILY("zswap", "Compressed swap cache", "memory/swap", "line", zswap, BYTES),
	FAMILY("commit", "Committed memory", "memory/limits", "line", commit, BYTES),
	FAMILY("hardware", "Memory with errors", "memory/hardware", "line", hardware, BYTES),
	FAMILY("cma", "Contiguous memory areas", "memory/hardware", "stacked", cma, BYTES),
	FAMILY("guest", "Memory of a virtual machine", "memory/hardware", "line", guest, BYTES),
	FAMILY("gpu", "System memory of GPUs", "memory/hardware", "stacked", gpu, BYTES),
	FAMILY("highmem", "High and low memory", "memory/hardware", "line", highmem, BYTES, .flags = QMEM_DETAIL),
	FAMILY("direct_map", "Direct map by page size", "memory/hardware", "stacked", direct_map, BYTES,
	       .flags = QMEM_DETAIL),
	{ 0 },
};

/* Keys that only feed derived values. */
static const struct kv_key feeds[] = {
	KV_KEY(meminfo, "MemFree", MemFree, 0),
	KV_KEY(meminfo, "Buffers", Buffers, 0),
	KV_KEY(meminfo, "Cached", Cached, 0),
	KV_KEY(meminfo, "Shmem", Shmem, 0),
	KV_KEY(meminfo, "KReclaimable", KReclaimable, 0),
	KV_KEY(meminfo, "HugePages_Total", HugePages_Total, KV_COUNT),
	KV_KEY(meminfo, "HugePages_Free", HugePages_Free, KV_COUNT),
	KV_KEY(meminfo, "HugePages_Rsvd", HugePages_Rsvd, KV_COUNT),
	KV_KEY(meminfo, "HugePages_Surp", HugePages_Surp, KV_COUNT),
	KV_KEY(meminfo, "Hugepagesize", Hugepagesize, 0),
	KV_KEY(meminfo, "SwapTotal", SwapTotal, 0),
	KV_KEY(meminfo, "SwapCached", SwapCached, 0),
	KV_KEY(meminfo, "CmaTotal", CmaTotal, 0),
	KV_KEY(meminfo, "VmallocChunk", VmallocChunk, 0),
	{ 0 },
};

static const struct kv_key arc_keys[] = {
	KV_KEY(meminfo, "size", arc_size, 0),
	KV_KEY(meminfo, "c_min", arc_c_min, 0),
	{ 0 },
};

const struct kv_ignore meminfo_ignored[] = {
	{ "Active", "Active(anon) + Active(file)" },
	{ "Inactive", "Inactive(anon) + Inactive(file)" },
	{ "Slab", "SReclaimable + SUnreclaim" },
	{ "SwapCache", "what gVisor has in place of SwapCached: always 0" },
	{ "VmallocTotal", "the size of an address range, a constant of the architecture" },
	{ "MmapCopy", "only without an MMU" },
	{ 0 },
};

struct state {
	int64_t below[MEMINFO_LEVELS]; /* hundredths of a percent; [MEMINFO_NONE] is not used */
	int64_t hysteresis;
	int64_t notify_interval;

	struct kvfile keys;
	struct qmem_file arc_file;
	struct kv arc_kv;
	unsigned arc_wait; /* collections until arcstats is looked for again */
	struct meminfo sample;
	bool read;     /* the sample is of this round */
	bool no_level; /* the file lacks what it is made of */
	struct beside beside;
	int64_t growth_window, growth_share;
	enum meminfo_account account;
	struct qmem_complaint exceeded, leaked;
	struct unaccounted unaccounted;
	bool container; /* the file is lxcfs's */
	int64_t level, previous;
	uint64_t since, lasted; /* when the level began; how long the previous one lasted, 0: not known */
};

int meminfo_kv_init(struct kv *kv)
{
	return kv_init(kv, KV_COLON, families, feeds);
}

int meminfo_arc_kv_init(struct kv *kv)
{
	return kv_init(kv, KV_KSTAT, NULL, arc_keys);
}

/* What of `value` still fits. */
static int64_t take(int64_t *rest, int64_t value)
{
	if (value == QMEM_NA)
		return QMEM_NA;
	value = value_least(value, *rest);
	*rest -= value;
	return value;
}

static const struct {
	const char *key;
	size_t offset;
} operands[MEMINFO_OPERANDS] = {
	[MEMINFO_BUFFERS] = { "Buffers", offsetof(struct meminfo, Buffers) },                /* OpenVZ */
	[MEMINFO_SRECLAIMABLE] = { "SReclaimable", offsetof(struct meminfo, SReclaimable) }, /* gVisor */
	[MEMINFO_SWAP_CACHED] = { "SwapCached", offsetof(struct meminfo, SwapCached) },      /* both */
};

unsigned meminfo_lacks(const struct kv *kv)
{
	unsigned lacks = 0;

	for (int i = 0; i < MEMINFO_OPERANDS; i++)
		lacks |= (unsigned)kv_lacks(kv, operands[i].offset) << i;
	return lacks;
}

/* Is it certain what there is of it, be it nothing? */
static bool has(const struct meminfo *m, enum meminfo_operand which)
{
	return m->lacks >> which & 1 ||
	       *(const int64_t *)(const void *)((const char *)m + operands[which].offset) != QMEM_NA;
}

static void derive_usage(struct meminfo *m)
{
	int64_t rest = m->MemTotal == QMEM_NA ? INT64_MAX : m->MemTotal;
	bool known;

	/* Cached has Shmem in it, but not SwapCached: such a page is anonymous, or shared memory on its way, and is `used` */
	m->free = take(&rest, m->MemFree);
	m->shmem = take(&rest, m->Shmem);
	m->buffers = take(&rest, m->Buffers);
	m->cached = take(&rest, value_minus(m->Cached, m->Shmem));
	/* which part is which cannot be told, but neither is `used` */
	if (m->Shmem == QMEM_NA)
		(void)take(&rest, m->Cached);
	m->slab_reclaimable = take(&rest, m->SReclaimable);
	m->arc = take(&rest, value_minus(m->arc_size, m->arc_c_min));
	known = m->MemTotal != QMEM_NA && m->free != QMEM_NA && m->Cached != QMEM_NA && has(m, MEMINFO_BUFFERS) &&
		has(m, MEMINFO_SRECLAIMABLE);
	m->used = known ? rest : QMEM_NA;
}

static void derive_hugepages(struct meminfo *m)
{
	int64_t reserved = m->HugePages_Rsvd;

	if (reserved != QMEM_NA && m->HugePages_Free != QMEM_NA)
		reserved = value_least(reserved, m->HugePages_Free);
	m->huge_used = value_times(value_minus(m->HugePages_Total, m->HugePages_Free), m->Hugepagesize);
	m->huge_reserved = value_times(reserved, m->Hugepagesize);
	m->huge_free = value_times(value_minus(m->HugePages_Free, reserved), m->Hugepagesize);
	m->huge_surplus = value_times(m->HugePages_Surp, m->Hugepagesize);
}

static void derive_ratio(struct meminfo *m)
{
	int64_t left = m->MemAvailable;

	/* the kernel does not know that ZFS would give it back, and that is no pressure */
	if (left != QMEM_NA)
		value_add(&left, m->arc);
	m->ratio = value_ratio(left, m->MemTotal);
}

void meminfo_derive(struct meminfo *m)
{
	int64_t in_swap = value_minus(m->SwapTotal, m->SwapFree);

	if (m->MemAvailable != QMEM_NA && m->MemTotal != QMEM_NA)
		m->MemAvailable = value_least(m->MemAvailable, m->MemTotal);
	derive_usage(m);
	derive_hugepages(m);
	derive_ratio(m);
	m->reclaimable_other = value_minus(m->KReclaimable, m->SReclaimable);
	m->swap_cached =
		in_swap == QMEM_NA || m->SwapCached == QMEM_NA ? m->SwapCached : value_least(m->SwapCached, in_swap);
	m->swap_used = has(m, MEMINFO_SWAP_CACHED) ? value_minus(in_swap, value_or(m->swap_cached, 0)) : QMEM_NA;
	m->cma_used = value_minus(m->CmaTotal, m->CmaFree);
}

int64_t meminfo_level(int64_t now, int64_t before, const int64_t below[MEMINFO_LEVELS], int64_t hysteresis)
{
	int64_t l;

	if (now == QMEM_NA)
		return QMEM_NA;
	for (l = MEMINFO_CRITICAL; l > MEMINFO_NONE; l--) {
		int64_t end = below[l];

		if (before >= l && end)
			end += hysteresis;
		if (now < end)
			break;
	}
	return l;
}

static const char *const level_names[] = { "none", "low", "medium", "high", "critical" };

/* No degree stands alone: a memory level that is high would be good news. */
static const char *const shortages[] = { "memory shortage is over", "memory shortage", "memory shortage (medium)",
					 "memory shortage (high)", "memory shortage (critical)" };

/* What, how bad, of what kind, since when, where to look. */
static void say_level(char *dst, size_t size, const struct meminfo *m, const struct state *s, const char *share,
		      uint64_t now)
{
	char left[WORDS_NUMBER], total[WORDS_NUMBER], used[WORDS_NUMBER], shmem[WORDS_NUMBER], dirty[WORDS_NUMBER];
	char span[WORDS_NUMBER];

	words_bytes(left, m->MemAvailable);
	words_bytes(total, m->MemTotal);
	words_bytes(used, m->used);
	words_bytes(shmem, m->Shmem);
	words_bytes(dirty, m->Dirty);
	snprintf(dst, size, "%s: %s %% available (%s of %s), used %s, shared %s, dirty %s, ", shortages[m->level],
		 share, left, total, used, shmem, dirty);
	if (m->SwapTotal == 0) {
		words_add(dst, size, "no swap");
	} else {
		words_bytes(left, value_minus(m->SwapTotal, m->SwapFree));
		words_bytes(total, m->SwapTotal);
		words_add(dst, size, "swap %s of %s", left, total);
	}
	if (now > s->since) {
		words_span(span, now - s->since);
		words_add(dst, size, "; for %s, shortage was %s before", span, level_names[s->previous]);
	} else {
		words_span(span, s->lasted);
		words_add(dst, size, s->lasted ? "; shortage was %s for %s" : "; shortage was %s",
			  level_names[s->previous], span);
	}
	if (m->level != MEMINFO_NONE)
		words_add(dst, size, "; see procmem.rss");
}

static void raise_level(struct qmem *q, const struct state *s)
{
	static const enum qmem_severity severities[] = {
		QMEM_OKAY, QMEM_WARNING, QMEM_WARNING, QMEM_WARNING, QMEM_FAILURE,
	};
	const struct meminfo *m = &s->sample;
	char share[WORDS_NUMBER], left[WORDS_NUMBER], used[WORDS_NUMBER], dirty[WORDS_NUMBER], swapped[WORDS_NUMBER];
	const struct qmem_label fields[] = {
		{ "level", level_names[m->level] },
		{ "previous", level_names[s->previous] },
		{ "available_percent", share },
		{ "available", left },
		{ "used", used },
		{ "dirty", dirty },
		{ "swap_used", swapped },
		{ 0 },
	};
	struct qmem_event event = {
		.severity = severities[m->level],
		.service = "meminfo",
		.name = "level",
		.state = (unsigned)m->level,
		.repeat = (uint64_t)s->notify_interval,
		.fields = fields,
	};

	snprintf(share, sizeof(share), "%u.%02u", (unsigned)(m->ratio / 100) % 1000, (unsigned)(m->ratio % 100));
	words_bytes(left, m->MemAvailable);
	words_bytes(used, m->used);
	words_bytes(dirty, m->Dirty);
	words_bytes(swapped, value_minus(m->SwapTotal, m->SwapFree));
	say_level(event.message, sizeof(event.message), m, s, share, qmem_now(q));
	qmem_raise(q, &event);
}

static void conclude(struct qmem *q, struct state *s)
{
	struct meminfo *m = &s->sample;
	uint64_t now = qmem_now(q);
	int64_t before = s->level;

	m->level = meminfo_level(m->ratio, before, s->below, s->hysteresis);
	if (m->level == QMEM_NA)
		return;
	if (m->level != before) {
		s->lasted = s->since ? now - s->since : 0;
		s->previous = before;
	}
	if (m->level != before || !s->since)
		s->since = now;
	s->level = m->level;
	if (m->level != MEMINFO_NONE || before != MEMINFO_NONE)
		raise_level(q, s);
}

/* The meminfo that lxcfs shows a container is the container's, but its arcstats are the host's. */
static bool is_fuse(int fd)
{
	struct statfs fs;

	return fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == FUSE_SUPER_MAGIC;
}

static void read_arc(struct qmem *q, struct state *s)
{
	const char *text = "";
	ssize_t len = 0;

	if (s->arc_wait) {
		s->arc_wait--;
	} else {
		len = s->arc_file.fd < 0 && is_fuse(s->keys.file.fd) ? -ENOTSUP : qmem_read(q, &s->arc_file, &text);
		if (len < 0) {
			s->arc_wait = ARC_RETRY - 1;
			len = 0;
		}
	}
	kv_parse(&s->arc_kv, text, (size_t)len, &s->sample, NULL);
}

/* What the file lacks is no fault of it, and said where one asks. */
static void note(struct qmem *q, struct state *s, enum meminfo_account account)
{
	unsigned lacks = meminfo_lacks(&s->keys.kv);
	bool no_level = kv_lacks(&s->keys.kv, offsetof(struct meminfo, MemAvailable));
	char text[256] = "", missing[128];

	if (lacks == s->sample.lacks && no_level == s->no_level && account == s->account)
		return;
	s->sample.lacks = lacks;
	s->no_level = no_level;
	s->account = account;
	for (int i = 0; i < MEMINFO_OPERANDS; i++)
		if (lacks >> i & 1)
			words_add(text, sizeof(text), "%s%s", *text ? ", " : "no ", operands[i].key);
	if (lacks)
		words_add(text, sizeof(text), ": as if 0 in sums");
	if (no_level)
		words_add(text, sizeof(text), "%sno MemAvailable (Linux 3.14): no level, which needs it",
			  *text ? "; " : "");
	meminfo_account_lacks(&s->keys.kv, missing, sizeof(missing));
	if (account == MEMINFO_INCOMPLETE && s->container)
		words_add(text, sizeof(text), "%sthe file is of a container: no accounting", *text ? "; " : "");
	else if (account == MEMINFO_INCOMPLETE)
		words_add(text, sizeof(text), "%sno accounting, which needs %s", *text ? "; " : "", missing);
	else if (account == MEMINFO_EXCEEDED)
		words_add(text, sizeof(text), "%sno accounting: its parts are more than MemTotal", *text ? "; " : "");
	else if (account == MEMINFO_UNSOUND)
		words_add(text, sizeof(text), "%sno accounting: the file is not sound", *text ? "; " : "");
	qmem_note(q, "%s", text);
}

static enum meminfo_account account(struct qmem *q, struct state *s)
{
	struct meminfo *m = &s->sample;
	int64_t excess, leaked = meminfo_lists_excess(m);
	enum meminfo_account how = meminfo_account(m, &s->keys.kv, beside_look(q, &s->beside, m->Balloon), &excess);
	char words[WORDS_NUMBER];

	/* lxcfs mixes what is the container's with what is the machine's */
	if (s->container) {
		meminfo_account_none(m);
		return MEMINFO_INCOMPLETE;
	}
	words_bytes(words, excess);
	if (how == MEMINFO_EXCEEDED)
		qmem_complain(q, &s->exceeded, "no accounting: its parts exceed MemTotal by %s, so a counter is wrong",
			      words);
	else
		qmem_release(q, &s->exceeded, "accounting: its parts are within MemTotal again");
	words_bytes(words, leaked);
	if (leaked > value_or(m->MemTotal, 0) / 64)
		qmem_complain(
			q, &s->leaked,
			"Active(file) and Inactive(file) exceed Buffers, Cached and AnonPages by %s: a counter has "
			"leaked, and MemAvailable is too large",
			words);
	else
		qmem_release(q, &s->leaked,
			     "Active(file) and Inactive(file) are within Buffers, Cached and AnonPages again");
	return how;
}

static void look_for_growth(struct qmem *q, struct state *s)
{
	struct meminfo *m = &s->sample;
	int64_t amount = m->accounting.unaccounted, step;

	m->grown = QMEM_NA;
	if (amount == QMEM_NA)
		return;
	/* the ZFS cache is known, though no counter of the kernel has it */
	amount = value_minus(amount, value_or(m->arc_size, 0));
	step = (int64_t)((double)m->MemTotal * (double)s->growth_share / 10000);
	if (unaccounted_look(&s->unaccounted, amount, qmem_now(q), (uint64_t)s->growth_window, step) ||
	    s->unaccounted.growing)
		unaccounted_raise(q, &s->unaccounted, m, (uint64_t)s->notify_interval);
	m->grown = unaccounted_grown(&s->unaccounted);
}

#define BELOW(name_, level_, def_, help_)                                                                              \
	{                                                                                                              \
		.name = name_, .type = QMEM_PERCENT, .offset = offsetof(struct state, below[level_]), .def = def_,     \
		.max = 10000, .help = help_                                                                            \
	}

static const struct qmem_option options[] = {
	BELOW("LevelLow", MEMINFO_LOW, "10%", "level low begins below this share of available memory; 0: never"),
	BELOW("LevelMedium", MEMINFO_MEDIUM, "7%", "the same for level medium"),
	BELOW("LevelHigh", MEMINFO_HIGH, "4%", "the same for level high"),
	BELOW("LevelCritical", MEMINFO_CRITICAL, "2%", "the same for level critical"),
	{ .name = "LevelHysteresis",
	  .type = QMEM_PERCENT,
	  .offset = offsetof(struct state, hysteresis),
	  .def = "1%",
	  .max = 10000,
	  .help = "a level ends this share of all memory above its beginning" },
	{ .name = "NotifyInterval",
	  .type = QMEM_DURATION,
	  .offset = offsetof(struct state, notify_interval),
	  .def = "0",
	  .max = INT64_C(86400000000000),
	  .help = "time between two reminders while a level or a growth lasts; 0: none" },
	{ .name = "GrowthShare",
	  .type = QMEM_PERCENT,
	  .offset = offsetof(struct state, growth_share),
	  .def = "0.5%",
	  .max = 10000,
	  .help = "share of all memory by which accounting.unaccounted must grow in each sixth of GrowthWindow to be told" },
	{ .name = "GrowthWindow",
	  .type = QMEM_DURATION,
	  .offset = offsetof(struct state, growth_window),
	  .def = "1h",
	  .max = INT64_C(604800000000000),
	  .help = "how long it must do so; 0: it is not looked for" },
	{ .name = "AccountingAge",
	  .type = QMEM_DURATION,
	  .offset = offsetof(struct state, beside.age),
	  .def = "10s",
	  .max = INT64_C(3600000000000),
	  .help = "how old what lies on the lists of CPUs and in zram may be, on few CPUs less; 0: read each time" },
	{ 0 },
};

static bool is_below_all(const struct state *s, int which, int *ret_other)
{
	for (int other = MEMINFO_LOW; other < which; other++)
		if (s->below[other] && s->below[which] > s->below[other]) {
			*ret_other = other;
			return false;
		}
	return true;
}

/* A level that is above a milder one would hide it. */
static void check_levels(struct qmem *q, struct state *s)
{
	static const char *const names[] = {
		[MEMINFO_LOW] = "LevelLow",
		[MEMINFO_MEDIUM] = "LevelMedium",
		[MEMINFO_HIGH] = "LevelHigh",
		[MEMINFO_CRITICAL] = "LevelCritical",
	};
	int which = MEMINFO_LOW, other = 0;
	char limit[32], why[128];
	bool blamed;

	while (which <= MEMINFO_CRITICAL && is_below_all(s, which, &other))
		which++;
	if (which > MEMINFO_CRITICAL)
		return;
	/* it is set by whoever has changed one of them */
	blamed = qmem_is_set(q, names[which]);
	qmem_print_percent(limit, sizeof(limit), s->below[blamed ? other : which]);
	qmem_vain(q, &(struct qmem_vain){ .option = names[blamed ? which : other] },
		  "is %s %s, which is %s: all four are at their defaults", blamed ? "above" : "below",
		  names[blamed ? other : which], limit);
	for (which = MEMINFO_LOW; which <= MEMINFO_CRITICAL; which++) {
		const struct qmem_option *row = qmem_option_find(options, names[which]);

		(void)qmem_option_set(row, s, row->def, why, sizeof(why));
	}
}

static void stop(struct qmem *q, void *state)
{
	struct state *s = state;

	(void)q;
	kvfile_release(&s->keys);
	kv_release(&s->arc_kv);
	qmem_file_close(&s->arc_file);
	beside_stop(&s->beside);
}

static int start(struct qmem *q, void *state)
{
	struct state *s = state;
	const char *text;
	int r, beside;

	/* each of them, since stop() ends all */
	s->keys.file = QMEM_FILE_SINGLE("proc/meminfo");
	s->arc_file = QMEM_FILE("proc/spl/kstat/zfs/arcstats");
	s->level = MEMINFO_NONE;
	check_levels(q, s);
	beside = beside_start(&s->beside);
	r = meminfo_kv_init(&s->keys.kv);
	if (r == 0)
		r = meminfo_arc_kv_init(&s->arc_kv);
	if (r == 0)
		r = beside;
	if (r == 0 && qmem_read(q, &s->keys.file, &text) == -ENOENT)
		r = qmem_fail(q, -ENOTSUP, "no '/%s'", s->keys.file.path);
	s->container = is_fuse(s->keys.file.fd);
	return r;
}

static int collect(struct qmem *q, void *state)
{
	struct state *s = state;
	const char *text;
	ssize_t len = kvfile_read(q, &s->keys, true, &s->sample, &text);
	enum meminfo_account how;

	s->read = len >= 0;
	if (len < 0)
		return (int)len;
	read_arc(q, s);
	how = account(q, s);
	note(q, s, how);
	meminfo_derive(&s->sample);
	conclude(q, s);
	look_for_growth(q, s);
	qmem_emit_all(q, &s->sample);
	return 0;
}

const struct meminfo *meminfo_now(struct qmem *q)
{
	const struct state *s = qmem_state(q, &meminfo_service);

	return s && s->read ? &s->sample : NULL;
}

const struct qmem_service meminfo_service = {
	.name = "meminfo",
	.help = "how memory is used, and how little is left",
	.source = "/proc/meminfo, /proc/zoneinfo, /proc/vmstat",
	.kernel = "2.6",
	.privilege = "none",
	.priority = 100,
	.families = families,
	.options = options,
	.state_size = sizeof(struct state),
	.start = start,
	.collect = collect,
	.stop = stop,
};
