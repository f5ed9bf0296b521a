/* SPDX-License-Identifier: MIT */
/*
 * kv must say of a text the same by a plan learnt from any other text as without one, and write nowhere but into its
 * slots. The input's first byte chooses the format, a byte of 0 in it parts the texts; its top bit: the rest is one text.
 * Few texts are as good as many, and a hundred times faster.
 */
#include "fuzz.h"
#include "proc/kv.h"

struct sample {
	int64_t head;
	int64_t slots[8];
	int64_t tail;
};

#define TEXTS 4
#define SLOT(i) (offsetof(struct sample, slots) + (i) * sizeof(int64_t))
#define GUARD INT64_C(0x5a5a5a5a5a5a5a5a)

static const struct kv_key keys[] = {
	{ "MemTotal", SLOT(0), 0 },
	{ "Active(anon)", SLOT(1), 0 },
	{ "HugePages_Total", SLOT(2), KV_COUNT },
	{ "pgfault", SLOT(3), 0 },
	{ "allocstall", SLOT(4), 0 },
	{ "allocstall_dma", SLOT(4), KV_ADD },
	{ "allocstall_normal", SLOT(4), KV_ADD },
	{ "Part", SLOT(5), KV_ADD | KV_COUNT },
	{ "a", SLOT(5), KV_ADD | KV_COUNT },
	{ "size", SLOT(6), 0 },
	{ "c_min", SLOT(7), 0 },
	{ .key = NULL },
};

static const struct kv_ignore ignored[] = {
	{ "nr_*", "levels" },
	{ "Slab", "a sum" },
	{ .key = NULL },
};

static void look_up(const char *key, size_t len, void *arg)
{
	const char *reason = kv_ignored(ignored, key, len);

	*(size_t *)arg += reason ? strlen(reason) : len;
}

/* Without a plan. Made once: with a sanitizer that takes longer than all the rest. */
static struct kv *blank(struct kv *kv, enum kv_format format, bool learns)
{
	if (!kv->entries)
		check(kv_init(kv, format, NULL, keys) == 0);
	kv->n_lines = 0;
	/* it learns none while it says that there is no room */
	kv->full = !learns;
	return kv;
}

struct said {
	struct sample sample;
	struct fault fault;
	size_t n;
	bool lacks;
};

static struct said parse(struct kv *kv, const char *text, size_t len)
{
	struct said said;

	memset(&said.sample, 0x5a, sizeof(said.sample));
	said.n = kv_parse(kv, text, len, &said.sample, &said.fault);
	said.lacks = kv_lacks(kv, SLOT(4));
	return said;
}

static void judge(const struct said *said, const char *text, size_t len)
{
	const struct fault *fault = &said->fault;
	char words[96];

	check((fault->kind == FAULT_NONE) == (fault->n == 0));
	check(said->sample.head == GUARD && said->sample.tail == GUARD);
	for (size_t i = 0; i < 8; i++)
		check(is_count(said->sample.slots[i]));
	check(!said->lacks || said->sample.slots[4] == QMEM_NA);
	/* a text without its last newline is never fine */
	check(len == 0 || text[len - 1] == '\n' || fault->kind != FAULT_NONE);
	fault_print(words, sizeof(words), fault);
}

static void compare(struct kv *planned, struct kv *fresh, const char *text, size_t len)
{
	const struct said want = parse(fresh, text, len);
	size_t sum = 0;

	judge(&want, text, len);
	/* by the plan of the text before, then by its own */
	for (int i = 0; i < 2; i++) {
		const struct said said = parse(planned, text, len);

		check(memcmp(&said.sample, &want.sample, sizeof(want.sample)) == 0);
		check(said.n == want.n && said.lacks == want.lacks);
		check(said.fault.kind == want.fault.kind && said.fault.n == want.fault.n);
		check(strcmp(said.fault.key, want.fault.key) == 0);
	}
	kv_unknown(planned, text, len, look_up, &sum);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct kv kinds[3][2];
	struct kv *planned;
	enum kv_format format;
	int one;

	if (size == 0)
		return 0;
	format = (enum kv_format)((data[0] & 0x7f) % 3);
	one = data[0] & 0x80;
	data++;
	size--;
	planned = blank(&kinds[format][0], format, true);
	for (int n = 0; size && n < TEXTS; n++) {
		const uint8_t *zero = one ? NULL : memchr(data, 0, size);
		size_t len = zero ? (size_t)(zero - data) : size;
		char *text = fuzz_text(data, len);

		compare(planned, blank(&kinds[format][1], format, false), text, len);
		free(text);
		data += len;
		size -= len;
		if (zero) {
			data++;
			size--;
		}
	}
	return 0;
}
