/* SPDX-License-Identifier: MIT */
#include "proc/nodeinfo.h"

#include <stdio.h>
#include <string.h>

#include "proc/text.h"

static const char *const memory_keys[NODE_VALUES] = {
	[NODE_TOTAL] = "MemTotal:",
	[NODE_FREE] = "MemFree:",
	[NODE_FILE] = "FilePages:",
	[NODE_ANON] = "AnonPages:",
	[NODE_SHMEM] = "Shmem:",
	[NODE_ACTIVE_FILE] = "Active(file):",
	[NODE_INACTIVE_FILE] = "Inactive(file):",
	[NODE_SLAB_RECLAIMABLE] = "SReclaimable:",
	[NODE_SLAB_UNRECLAIMABLE] = "SUnreclaim:",
	[NODE_STACK] = "KernelStack:",
	[NODE_PAGE_TABLES] = "PageTables:",
};

/* numa_interleave is what the machine's sum is called in /proc/vmstat, and numa_local, numa_other. */
static const char *const stat_keys[NUMASTAT_VALUES] = {
	[NUMA_HIT] = "numa_hit",         [NUMA_MISS] = "numa_miss",
	[NUMA_FOREIGN] = "numa_foreign", [NUMA_INTERLEAVE] = "interleave_hit",
	[NUMA_LOCAL] = "local_node",     [NUMA_OTHER] = "other_node",
};

struct keys {
	const char *const *words;
	int n;
	char prefix[24];
	const char *unit; /* behind each number; NULL: none */
	bool grows;
	int64_t *values;
	unsigned seen;
	struct fault *fault;
};

static enum fault_kind number(const struct keys *k, const char *s, const char *end, int64_t *ret)
{
	const char *stop = k->unit ? text_word_end(s, end) : end;
	enum fault_kind kind = text_value(s, stop, k->grows, ret);

	if (kind || !k->unit)
		return kind;
	stop = text_blanks(stop, end);
	if (!text_is(stop, end, k->unit))
		return FAULT_NO_UNIT;
	return __builtin_mul_overflow(*ret, 1024, ret) ? FAULT_TOO_LARGE : FAULT_NONE;
}

static int take(const char *line, const char *end, void *arg)
{
	struct keys *k = arg;
	enum fault_kind kind;
	int64_t value;

	/* of another node, or none of ours */
	if (!text_begins(line, end, k->prefix))
		return 0;
	line += strlen(k->prefix);
	for (int i = 0; i < k->n; i++) {
		size_t len = strlen(k->words[i]);

		if ((size_t)(end - line) <= len || memcmp(line, k->words[i], len) != 0 || line[len] != ' ')
			continue;
		kind = k->seen >> i & 1 ? FAULT_DUPLICATE : number(k, text_blanks(line + len, end), end, &value);
		k->seen |= 1u << i;
		if (kind)
			fault_add(k->fault, kind, k->words[i], len - (k->unit != NULL));
		else
			k->values[i] = value;
		return !kind;
	}
	return 0;
}

static int parse(struct keys *k, const char *text, size_t len)
{
	for (int i = 0; i < k->n; i++)
		k->values[i] = QMEM_NA;
	return text_lines(text, len, take, k, k->fault);
}

int nodeinfo_parse(const char *text, size_t len, uint32_t node, int64_t ret[NODE_VALUES], struct fault *fault)
{
	struct keys k = { .words = memory_keys, .n = NODE_VALUES, .unit = "kB", .values = ret, .fault = fault };

	snprintf(k.prefix, sizeof(k.prefix), "Node %u ", (unsigned)node);
	return parse(&k, text, len);
}

int numastat_parse(const char *text, size_t len, int64_t ret[NUMASTAT_VALUES], struct fault *fault)
{
	struct keys k = { .words = stat_keys, .n = NUMASTAT_VALUES, .grows = true, .values = ret, .fault = fault };

	return parse(&k, text, len);
}
