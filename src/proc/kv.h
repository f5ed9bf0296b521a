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

#include "proc/fault.h"
#include "qmem.h"

enum kv_format {
	KV_COLON, /* "Key:   123 kB", in bytes then; "Key:   123" for KV_COUNT: meminfo, status, smaps */
	KV_PLAIN, /* "key 123": vmstat, memory.stat */
	KV_KSTAT, /* "key type 123": /proc/spl/kstat */
};

enum kv_flags {
	KV_ADD = 1, /* a part: the slot is the sum of its parts, unless the text has the whole under a key of its own */
	KV_COUNT = 2, /* KV_COLON: the line has no "kB". So have metrics of families in another unit than bytes */
	KV_GROWS =
		4, /* a counter: below 0 it is one of 32 bits, which was printed with a sign. So are metrics of counters */
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
	bool cut;   /* the last text ended within a line */
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
size_t kv_parse(struct kv *kv, const char *text, size_t len, void *sample, struct fault *ret_fault);

/* Had the text that was parsed last no line for this member of the sample? One that is malformed is a line; and of a text that
 * was cut it cannot be told. */
bool kv_lacks(const struct kv *kv, size_t offset);

/* Each key of the text that is not in the table. */
void kv_unknown(const struct kv *kv, const char *text, size_t len, void (*each)(const char *key, size_t len, void *arg),
		void *arg);

/* Why the key is left out; NULL: it is not in the list, which ends with a row without a key. */
const char *kv_ignored(const struct kv_ignore *list, const char *key, size_t len);

#endif
