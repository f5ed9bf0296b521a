/* SPDX-License-Identifier: MIT */
/*
 * Texts of one key and one number a line, into int64_t members of a sample.
 *
 *	struct kv kv;
 *	r = kv_init(&kv, KV_COLON, families, more);     once: allocates
 *	n = kv_parse(&kv, text, len, &sample, &fault);  each time: does not
 *	kv_release(&kv);
 *
 * The table of keys is made of the families' metrics that have a key, and of further rows for keys that only feed
 * derived values. A key is matched whole. Keys that are in neither table are skipped; kv_unknown() lists them.
 *
 * kv_parse() follows a plan learnt from the text before: which key stood on which line. Every key is still compared as a
 * whole; the first line that is not the expected one ends the plan, the rest is searched for, and the plan is learnt anew.
 */
#ifndef QMEM_PROC_KV_H
#define QMEM_PROC_KV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "qmem.h"

enum kv_format {
	KV_COLON, /* "Key:   123 kB", in bytes then; "Key:   123" for KV_COUNT: meminfo, status, smaps */
	KV_PLAIN, /* "key 123": vmstat, memory.stat */
	KV_KSTAT, /* "key type 123": /proc/spl/kstat */
};

enum kv_flags {
	KV_ADD = 1, /* a part: the slot is the sum of its parts, unless the text has the whole under a key of its own */
	KV_COUNT = 2, /* KV_COLON: the line has no "kB". So have metrics of families in another unit than bytes */
};

struct kv_key {
	const char *key;
	size_t offset; /* of an int64_t in the sample */
	unsigned flags;
};
/* A row: into a member of `struct sample_`. */
/* clang-format off */
#define KV_KEY(sample_, key_, member_, flags_) { key_, offsetof(struct sample_, member_), flags_ }
/* clang-format on */

/* Keys that are left out on purpose. A key that ends in '*' stands for all that begin like it. */
struct kv_ignore {
	const char *key, *reason;
};

enum kv_fault_kind {
	KV_FINE,
	KV_MALFORMED, /* a known key, but no number of its format behind it: absent */
	KV_TOO_LARGE, /* beyond int64_t, in bytes: absent */
	KV_TRUNCATED, /* the last line has no newline: what it says is absent, and so is all that should follow */
	KV_DUPLICATE, /* a known key again: the first one counts */
};

/* What was wrong with a text: the first thing, and how many. */
struct kv_fault {
	enum kv_fault_kind kind;
	unsigned n;
	char key[48]; /* cut, and harmless to print */
};

struct kv_entry;
struct kv_slot;
struct kv_line;

/* All members are kv's own. */
struct kv {
	enum kv_format format;
	struct kv_entry *entries; /* sorted by key */
	size_t n_entries;
	struct kv_slot *slots; /* one for each offset */
	size_t n_slots;
	struct kv_line *lines; /* the plan */
	size_t n_lines;
	char *keys; /* of the plan, one behind the other, each with its separator */
	bool full;  /* the plan could not take all lines of the text */
	uint64_t round;
};

/*
 * `families` up to one without an id, `more` up to one without a key; either may be NULL. Their strings outlive kv. The
 * same key twice for the same offset is one. -ENOMEM; -EINVAL: a key for two offsets.
 */
int kv_init(struct kv *kv, enum kv_format format, const struct qmem_family *families, const struct kv_key *more);
void kv_release(struct kv *kv);

/*
 * Sets every slot of the table in the sample, QMEM_NA if the text has no sound value for it, and no other byte. The number
 * of lines that gave a value. `text` need not end in NUL, and may hold any bytes.
 */
size_t kv_parse(struct kv *kv, const char *text, size_t len, void *sample, struct kv_fault *ret_fault);

/* Each key of the text that is not in the table. */
void kv_unknown(const struct kv *kv, const char *text, size_t len, void (*each)(const char *key, size_t len, void *arg),
		void *arg);

/* Why the key is left out; NULL: it is not in the list, which ends with a row without a key. */
const char *kv_ignored(const struct kv_ignore *list, const char *key, size_t len);

/* "'MemFree' is malformed, and 2 more" */
void kv_fault_print(char *dst, size_t size, const struct kv_fault *fault);

#endif
