/* SPDX-License-Identifier: MIT */
#include "proc/kv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proc/text.h"

#define PLAN_LINES 512
#define PLAN_BYTES 16384
#define UNKNOWN UINT16_MAX

struct kv_entry {
	const char *key;
	size_t len;
	size_t slot;
	unsigned flags;
	uint64_t seen; /* the last round that had this part */
};

struct kv_slot {
	size_t offset;
	uint64_t whole; /* the last round that had the whole value */
	uint64_t bad;   /* the last round that spoilt it */
};

/* A line as it stood in the last text: `len` bytes of kv->keys, and the entry or UNKNOWN. */
struct kv_line {
	uint16_t len;
	uint16_t entry;
};

static int entry_compare(const void *a, const void *b)
{
	const struct kv_entry *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static int add_entry(struct kv *kv, const char *key, size_t offset, unsigned flags)
{
	struct kv_entry *e;
	size_t slot, i;

	for (slot = 0; slot < kv->n_slots && kv->slots[slot].offset != offset; slot++)
		;
	for (i = 0; i < kv->n_entries; i++)
		if (strcmp(kv->entries[i].key, key) == 0)
			return kv->entries[i].slot == slot ? 0 : -EINVAL;
	if (slot == kv->n_slots)
		kv->slots[kv->n_slots++].offset = offset;
	e = &kv->entries[kv->n_entries++];
	e->key = key;
	e->len = strlen(key);
	e->slot = slot;
	e->flags = flags;
	return 0;
}

static unsigned flags_of(const struct qmem_family *f)
{
	return (strcmp(f->unit, "bytes") ? KV_COUNT : 0) | (f->kind == QMEM_COUNTER ? KV_GROWS : 0);
}

int kv_init(struct kv *kv, enum kv_format format, const struct qmem_family *families, const struct kv_key *more)
{
	const struct qmem_family *f;
	const struct qmem_metric *m;
	const struct kv_key *k;
	size_t n = 0;
	int r = 0;

	memset(kv, 0, sizeof(*kv));
	kv->format = format;
	for (f = families; f && f->id; f++)
		for (m = f->metrics; m && m->id; m++)
			n += m->key != NULL;
	for (k = more; k && k->key; k++)
		n++;
	if (n >= UNKNOWN)
		return -EINVAL;
	kv->entries = calloc(n + 1, sizeof(*kv->entries));
	kv->slots = calloc(n + 1, sizeof(*kv->slots));
	kv->lines = calloc(PLAN_LINES, sizeof(*kv->lines));
	kv->keys = malloc(PLAN_BYTES);
	if (!kv->entries || !kv->slots || !kv->lines || !kv->keys) {
		r = -ENOMEM;
		goto out;
	}
	for (f = families; f && f->id; f++)
		for (m = f->metrics; m && m->id && r == 0; m++)
			if (m->key)
				r = add_entry(kv, m->key, m->offset, flags_of(f));
	for (k = more; k && k->key && r == 0; k++)
		r = add_entry(kv, k->key, k->offset, k->flags);
	if (r == 0)
		qsort(kv->entries, kv->n_entries, sizeof(*kv->entries), entry_compare);
out:
	if (r < 0)
		kv_release(kv);
	return r;
}

void kv_release(struct kv *kv)
{
	free(kv->entries);
	free(kv->slots);
	free(kv->lines);
	free(kv->keys);
	memset(kv, 0, sizeof(*kv));
}

static inline bool same_word(const char *a, const char *b)
{
	uint64_t x, y;

	memcpy(&x, a, 8);
	memcpy(&y, b, 8);
	return x == y;
}

/* memcmp() == 0 without the call: most keys are two or three words, the last of which may overlap. */
static inline bool same(const char *a, const char *b, size_t n)
{
	size_t i;

	if (n < 8) {
		for (i = 0; i < n; i++)
			if (a[i] != b[i])
				return false;
		return true;
	}
	for (i = 0; i + 8 < n; i += 8)
		if (!same_word(a + i, b + i))
			return false;
	return same_word(a + n - 8, b + n - 8);
}

static inline bool blank(char c)
{
	return c == ' ' || c == '\t';
}

static const char *line_end(const char *p, const char *end)
{
	const char *newline = memchr(p, '\n', (size_t)(end - p));

	return newline ? newline : end;
}

/* Where the separator behind the key is; NULL: there is none in this line. */
static const char *separator(const struct kv *kv, const char *p, const char *stop)
{
	if (kv->format == KV_COLON)
		return memchr(p, ':', (size_t)(stop - p));
	while (p < stop && !blank(*p))
		p++;
	return p < stop ? p : NULL;
}

static uint16_t find(const struct kv *kv, const char *key, size_t len)
{
	size_t low = 0, high = kv->n_entries;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct kv_entry *e = &kv->entries[mid];
		int order = memcmp(key, e->key, len < e->len ? len : e->len);

		if (order == 0 && len == e->len)
			return (uint16_t)mid;
		if (order < 0 || (order == 0 && len < e->len))
			high = mid;
		else
			low = mid + 1;
	}
	return UNKNOWN;
}

static void learn(struct kv *kv, const char *text, size_t len)
{
	const char *p = text, *end = text + len;
	size_t used = 0;

	kv->n_lines = 0;
	kv->full = false;
	while (p < end) {
		const char *stop = line_end(p, end), *sep;
		struct kv_line *line = &kv->lines[kv->n_lines];
		size_t n;

		if (stop == end)
			return;
		/* a line without a separator is known by its newline */
		sep = separator(kv, p, stop);
		n = (size_t)((sep ? sep : stop) - p) + 1;
		if (kv->n_lines == PLAN_LINES || n > PLAN_BYTES - used) {
			kv->full = true;
			return;
		}
		memcpy(kv->keys + used, p, n);
		used += n;
		line->len = (uint16_t)n;
		line->entry = sep ? find(kv, p, n - 1) : UNKNOWN;
		kv->n_lines++;
		p = stop + 1;
	}
}

/* The number behind the separator. Returns what is behind its newline, or NULL for the reason *ret_kind. */
static inline const char *number(const struct kv *kv, unsigned flags, const char *p, const char *end, int64_t *ret,
				 enum fault_kind *ret_kind)
{
	const char *first;
	uint64_t v = 0;

	*ret_kind = FAULT_MALFORMED;
	if (kv->format == KV_KSTAT) {
		while (p < end && blank(*p))
			p++;
		for (first = p; p < end && *p >= '0' && *p <= '9'; p++)
			;
		if (p == first || p == end || !blank(*p))
			return NULL;
	}
	while (p < end && blank(*p))
		p++;
	/* 19 digits do not overflow a uint64_t; of a longer number only its length counts */
	for (first = p; p < end && *p >= '0' && *p <= '9'; p++)
		v = v * 10 + (uint64_t)(*p - '0');
	if (p == first)
		return NULL;
	if (p - first > 19)
		v = UINT64_MAX;
	if (kv->format == KV_COLON && !(flags & KV_COUNT)) {
		if (end - p < 4 || memcmp(p, " kB\n", 4) != 0)
			return NULL;
		p += 3;
		if (__builtin_mul_overflow(v, UINT64_C(1024), &v))
			v = UINT64_MAX;
	} else if (p == end || *p != '\n') {
		return NULL;
	}
	if (v > INT64_MAX) {
		*ret_kind = FAULT_TOO_LARGE;
		return NULL;
	}
	*ret = (int64_t)v;
	*ret_kind = FAULT_NONE;
	return p + 1;
}

/* What number() has not taken of a whole line: a counter that was printed with a sign, or a better reason. */
static enum fault_kind amend(const struct kv *kv, unsigned flags, const char *p, const char *stop, int64_t *ret)
{
	int64_t value;

	while (p < stop && blank(*p))
		p++;
	if (p == stop || kv->format == KV_KSTAT)
		return FAULT_MALFORMED;
	if (*p == '-' && text_digits(p + 1, stop, &value))
		return flags & KV_GROWS ? text_value(p, stop, true, ret) : FAULT_NEGATIVE;
	if (kv->format == KV_COLON && !(flags & KV_COUNT) && text_digits(p, stop, &value) == stop)
		return FAULT_NO_UNIT;
	return FAULT_MALFORMED;
}

/* What a text is read into, and what has been found wrong with it. */
struct reading {
	char *sample;
	struct fault fault;
	bool spoilt; /* a slot is bad */
};

/* Did the value count? `number` NULL: there is none, for the reason `kind`. */
static inline bool store(struct kv *kv, struct reading *r, struct kv_entry *e, const int64_t *number,
			 enum fault_kind kind)
{
	struct kv_slot *slot = &kv->slots[e->slot];
	int64_t *to = (int64_t *)(void *)(r->sample + slot->offset);
	bool part = e->flags & KV_ADD;
	int64_t value = number ? *number : 0;

	if ((part ? e->seen : slot->whole) == kv->round) {
		fault_add(&r->fault, kind == FAULT_TRUNCATED ? kind : FAULT_DUPLICATE, e->key, e->len);
		return false;
	}
	if (part) {
		e->seen = kv->round;
		if (slot->whole == kv->round)
			return false;
		if (number && *to != QMEM_NA && __builtin_add_overflow(*to, value, &value))
			kind = FAULT_TOO_LARGE;
	} else {
		/* the parts that came before are in it, sound or not */
		slot->whole = kv->round;
		slot->bad = 0;
	}
	if (kind != FAULT_NONE) {
		slot->bad = kv->round;
		r->spoilt = true;
		fault_add(&r->fault, kind, e->key, e->len);
		return false;
	}
	*to = value;
	return true;
}

size_t kv_parse(struct kv *kv, const char *text, size_t len, void *sample, struct fault *ret_fault)
{
	const char *p = text, *end = text + len, *key = kv->keys;
	const struct kv_line *line = kv->lines, *lines = kv->lines + kv->n_lines;
	struct reading r = { .sample = sample };
	bool missed = false;
	size_t i, n = 0;

	kv->round++;
	kv->cut = len && text[len - 1] != '\n';
	for (i = 0; i < kv->n_slots; i++)
		*(int64_t *)(void *)(r.sample + kv->slots[i].offset) = QMEM_NA;

	while (p < end) {
		const char *start = p, *next;
		enum fault_kind kind;
		uint16_t entry;
		int64_t value;

		if (line < lines && line->len <= (size_t)(end - p) && same(p, key, line->len)) {
			entry = line->entry;
			p += line->len;
			key += line->len;
			line++;
		} else {
			const char *stop = line_end(p, end), *sep = separator(kv, p, stop);

			if (stop < end && (line < lines || !kv->full))
				missed = true;
			line = lines;
			entry = sep ? find(kv, p, (size_t)(sep - p)) : UNKNOWN;
			p = sep ? sep + 1 : stop < end ? stop + 1 : end;
		}

		if (entry == UNKNOWN) {
			if (p[-1] == '\n')
				continue;
			while (p < end && *p != '\n')
				p++;
			if (p < end)
				p++;
			else
				fault_add(&r.fault, FAULT_TRUNCATED, start, (size_t)(end - start));
			continue;
		}

		next = number(kv, kv->entries[entry].flags, p, end, &value, &kind);
		if (!next) {
			const char *stop = line_end(p, end);

			if (stop == end)
				kind = FAULT_TRUNCATED;
			else if (kind == FAULT_MALFORMED)
				kind = amend(kv, kv->entries[entry].flags, p, stop, &value);
			next = stop < end ? stop + 1 : end;
		}
		n += store(kv, &r, &kv->entries[entry], kind == FAULT_NONE ? &value : NULL, kind);
		p = next;
	}

	/* a sum that lacks a part is no sum */
	for (i = 0; r.spoilt && i < kv->n_slots; i++)
		if (kv->slots[i].bad == kv->round)
			*(int64_t *)(void *)(r.sample + kv->slots[i].offset) = QMEM_NA;
	if (missed)
		learn(kv, text, len);
	if (ret_fault)
		*ret_fault = r.fault;
	return n;
}

bool kv_lacks(const struct kv *kv, size_t offset)
{
	for (size_t i = 0; i < kv->n_entries; i++) {
		const struct kv_entry *e = &kv->entries[i];
		const struct kv_slot *slot = &kv->slots[e->slot];

		if (slot->offset == offset && (slot->whole == kv->round || e->seen == kv->round))
			return false;
	}
	return !kv->cut;
}

void kv_unknown(const struct kv *kv, const char *text, size_t len, void (*each)(const char *key, size_t len, void *arg),
		void *arg)
{
	const char *p = text, *end = text + len;

	while (p < end) {
		const char *stop = line_end(p, end), *sep = separator(kv, p, stop);
		size_t n = (size_t)((sep ? sep : stop) - p);

		if (stop > p && (!sep || find(kv, p, n) == UNKNOWN))
			each(p, n, arg);
		p = stop < end ? stop + 1 : end;
	}
}

const char *kv_ignored(const struct kv_ignore *list, const char *key, size_t len)
{
	for (; list->key; list++) {
		size_t n = strlen(list->key);

		if (n > 0 && list->key[n - 1] == '*' ? len >= n - 1 && memcmp(list->key, key, n - 1) == 0 :
						       len == n && memcmp(list->key, key, n) == 0)
			return list->reason;
	}
	return NULL;
}
