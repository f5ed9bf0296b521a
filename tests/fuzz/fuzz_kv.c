/* SPDX-License-Identifier: MIT */
/*
 * kv must say of a text the same by a plan learnt from any other text as without one, and write nowhere but into its
 * slots. The input's first byte chooses the format, a byte of 0 in it parts the texts; its top bit: the rest is one text.
 */
#include "fuzz.h"
#include "proc/kv.h"

struct sample {
	int64_t head;
	int64_t slots[8];
	int64_t tail;
};

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

static void compare(struct kv *planned, enum kv_format format, const char *text, size_t len)
{
	struct sample a, b;
	struct fault x, y;
	size_t n, i, sum = 0;
	struct kv fresh;
	char words[96];

	memset(&a, 0x5a, sizeof(a));
	memset(&b, 0x5a, sizeof(b));
	check(kv_init(&fresh, format, NULL, keys) == 0);
	n = kv_parse(planned, text, len, &a, &x);
	check(n == kv_parse(&fresh, text, len, &b, &y));
	check(memcmp(&a, &b, sizeof(a)) == 0 && x.kind == y.kind && x.n == y.n && strcmp(x.key, y.key) == 0);
	check((x.kind == FAULT_NONE) == (x.n == 0));
	check(a.head == GUARD && a.tail == GUARD);
	for (i = 0; i < 8; i++)
		check(is_count(a.slots[i]));
	/* a text without its last newline is never fine */
	check(len == 0 || text[len - 1] == '\n' || x.kind != FAULT_NONE);
	fault_print(words, sizeof(words), &x);
	kv_unknown(planned, text, len, look_up, &sum);
	kv_release(&fresh);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum kv_format format;
	struct kv planned;
	int one;

	if (size == 0)
		return 0;
	format = (enum kv_format)((data[0] & 0x7f) % 3);
	one = data[0] & 0x80;
	data++;
	size--;
	check(kv_init(&planned, format, NULL, keys) == 0);
	while (size) {
		const uint8_t *zero = one ? NULL : memchr(data, 0, size);
		size_t len = zero ? (size_t)(zero - data) : size;
		char *text = fuzz_text(data, len);

		compare(&planned, format, text, len);
		compare(&planned, format, text, len);
		free(text);
		data += len;
		size -= len;
		if (zero) {
			data++;
			size--;
		}
	}
	kv_release(&planned);
	return 0;
}
