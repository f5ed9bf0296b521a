/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proc/kv.h"

struct sample {
	int64_t before; /* no one's: must stay as it is */
	int64_t a, anon, b, c, sum;
	int64_t after;
};

#define UNTOUCHED 4711
#define AT(member) offsetof(struct sample, member)

static const struct kv_key colon_keys[] = {
	{ "A", AT(a), 0 },
	{ "A(anon)", AT(anon), 0 },
	{ "BigKeyOfManyBytes", AT(b), 0 },
	{ "Count", AT(c), KV_COUNT },
	{ "Part_x", AT(sum), KV_ADD },
	{ "Part_y", AT(sum), KV_ADD },
	{ "Whole", AT(sum), 0 },
	{ .key = NULL },
};

static const struct kv_key plain_keys[] = {
	{ "a", AT(a), 0 },
	{ "a_anon", AT(anon), 0 },
	{ "big_key_of_many_bytes", AT(b), 0 },
	{ "count", AT(c), 0 },
	{ "part_x", AT(sum), KV_ADD },
	{ "part_y", AT(sum), KV_ADD },
	{ "part", AT(sum), 0 },
	{ .key = NULL },
};

#define NA QMEM_NA

struct expected {
	const char *text;
	int64_t a, anon, b, c, sum;
	enum fault_kind kind;
	unsigned faults;
	const char *key; /* of the fault */
};

static void compare(struct kv *kv, const struct expected *e, const char *how)
{
	struct sample s = { .before = UNTOUCHED, .a = 1, .anon = 1, .b = 1, .c = 1, .sum = 1, .after = UNTOUCHED };
	struct fault fault;
	size_t len = strlen(e->text), n;
	char *text = malloc(len + 1); /* of its very size, for the sanitizers */

	ck_assert_ptr_nonnull(text);
	memcpy(text, e->text, len);
	text[len] = '9'; /* no NUL, and worse: a digit */
	n = kv_parse(kv, text, len, &s, &fault);
	free(text);
	ck_assert_msg(s.a == e->a && s.anon == e->anon && s.b == e->b && s.c == e->c && s.sum == e->sum,
		      "%s, '%s': a %jd anon %jd b %jd c %jd sum %jd", how, e->text, (intmax_t)s.a, (intmax_t)s.anon,
		      (intmax_t)s.b, (intmax_t)s.c, (intmax_t)s.sum);
	ck_assert_int_eq(s.before, UNTOUCHED);
	ck_assert_int_eq(s.after, UNTOUCHED);
	ck_assert_msg(fault.kind == e->kind && fault.n == e->faults, "%s, '%s': fault %d, %u of them", how, e->text,
		      fault.kind, fault.n);
	ck_assert_str_eq(fault.key, e->key ? e->key : "");
	ck_assert_msg((n == 0) == (s.a == NA && s.anon == NA && s.b == NA && s.c == NA && s.sum == NA) || e->faults,
		      "%s, '%s': %zu", how, e->text, n);
}

/* Each text alone, again by its own plan, and after every other one's. */
static void check_all(enum kv_format format, const struct kv_key *keys, const struct expected *rows, size_t n)
{
	struct kv kv;

	ck_assert_uint_gt(n, 0);
	for (size_t i = 0; i < n; i++) {
		ck_assert_int_eq(kv_init(&kv, format, NULL, keys), 0);
		compare(&kv, &rows[i], "first");
		compare(&kv, &rows[i], "again");
		for (size_t j = 0; j < n; j++) {
			compare(&kv, &rows[j], "other");
			compare(&kv, &rows[i], "back");
		}
		kv_release(&kv);
	}
}

START_TEST(colon)
{
	static const struct expected rows[] = {
		{ "A:       5 kB\nA(anon):   7 kB\n", 5120, 7168, NA, NA, NA, FAULT_NONE, 0, NULL },
		{ "A(anon):   7 kB\nA:       5 kB\n", 5120, 7168, NA, NA, NA, FAULT_NONE, 0, NULL },
		{ "A:0 kB\n", 0, NA, NA, NA, NA, FAULT_NONE, 0, NULL },
		{ "A:\t12 kB\nCount: 3\n", 12288, NA, NA, 3, NA, FAULT_NONE, 0, NULL },
		/* whole keys only */
		{ "AA: 5 kB\nSwapA: 5 kB\nA2: 1 kB\n", NA, NA, NA, NA, NA, FAULT_NONE, 0, NULL },
		{ "BigKeyOfManyByte: 1 kB\nBigKeyOfManyBytess: 1 kB\n", NA, NA, NA, NA, NA, FAULT_NONE, 0, NULL },
		{ "New: 1 kB\nBigKeyOfManyBytes: 2 kB\nVmFlags: rd wr\n\nnonsense\n", NA, NA, 2048, NA, NA, FAULT_NONE,
		  0, NULL },
		/* of the same length, and alike but for a byte, wherever it is */
		{ "BigKeyOfManyBytes: 2 kB\n", NA, NA, 2048, NA, NA, FAULT_NONE, 0, NULL },
		{ "BigKeyOfManyBytez: 2 kB\n", NA, NA, NA, NA, NA, FAULT_NONE, 0, NULL },
		{ "BigKeyOfManzBytes: 2 kB\n", NA, NA, NA, NA, NA, FAULT_NONE, 0, NULL },
		{ "BigKezOfManyBytes: 2 kB\n", NA, NA, NA, NA, NA, FAULT_NONE, 0, NULL },
		{ "Counz: 2\n", NA, NA, NA, NA, NA, FAULT_NONE, 0, NULL },
		/* the unit belongs to the value */
		{ "A: 5\nCount: 3 kB\n", NA, NA, NA, NA, NA, FAULT_NO_UNIT, 2, "A" },
		{ "A: 5 MB\nA(anon): 5 kBs\nBigKeyOfManyBytes: 5kB\n", NA, NA, NA, NA, NA, FAULT_MALFORMED, 3, "A" },
		{ "A: kB\nCount:\nA(anon): 1 kB\n", NA, 1024, NA, NA, NA, FAULT_MALFORMED, 2, "A" },
		{ "A: x kB\nCount: 0x10\nA(anon): 1 kB\n", NA, 1024, NA, NA, NA, FAULT_MALFORMED, 2, "A" },
		{ "A: -5 kB\nA(anon): 1 kB\n", NA, 1024, NA, NA, NA, FAULT_NEGATIVE, 1, "A" },
		{ "Count: -5\nA(anon): 1 kB\n", NA, 1024, NA, NA, NA, FAULT_NEGATIVE, 1, "Count" },
		{ "Count: --5\nA(anon): -kB\n", NA, NA, NA, NA, NA, FAULT_MALFORMED, 2, "Count" },
		{ "Count: -5", NA, NA, NA, NA, NA, FAULT_TRUNCATED, 1, "Count" },
		{ "Count: 1 2\nA: 3 kB\n", 3072, NA, NA, NA, NA, FAULT_MALFORMED, 1, "Count" },
		{ "Count: 4\r\nA: 3 kB\n", 3072, NA, NA, NA, NA, FAULT_MALFORMED, 1, "Count" },
		/* the edges of int64_t, before and after the multiplication */
		{ "Count: 9223372036854775807\nA: 9007199254740991 kB\n", 9223372036854774784, NA, NA, INT64_MAX, NA,
		  FAULT_NONE, 0, NULL },
		{ "Count: 9223372036854775808\nA: 9007199254740992 kB\n", NA, NA, NA, NA, NA, FAULT_TOO_LARGE, 2,
		  "Count" },
		{ "A: 18446744073709551615 kB\nCount: 1\n", NA, NA, NA, 1, NA, FAULT_TOO_LARGE, 1, "A" },
		{ "Count: 99999999999999999999\nA: 1 kB\n", 1024, NA, NA, NA, NA, FAULT_TOO_LARGE, 1, "Count" },
		{ "Count: 18446744073709551617\n", NA, NA, NA, NA, NA, FAULT_TOO_LARGE, 1, "Count" },
		{ "Count: 100000000000000000000000000000000000000000000001\n", NA, NA, NA, NA, NA, FAULT_TOO_LARGE, 1,
		  "Count" },
		/* cut off, wherever it may be */
		{ "A: 5 kB\nA(anon): 123 kB", 5120, NA, NA, NA, NA, FAULT_TRUNCATED, 1, "A(anon)" },
		{ "A: 5 kB\nA(anon): 123 k", 5120, NA, NA, NA, NA, FAULT_TRUNCATED, 1, "A(anon)" },
		{ "A: 5 kB\nCount: 12", 5120, NA, NA, NA, NA, FAULT_TRUNCATED, 1, "Count" },
		{ "A: 5 kB\nCount: ", 5120, NA, NA, NA, NA, FAULT_TRUNCATED, 1, "Count" },
		{ "A: 5 kB\nCount:", 5120, NA, NA, NA, NA, FAULT_TRUNCATED, 1, "Count" },
		{ "A: 5 kB\nCoun", 5120, NA, NA, NA, NA, FAULT_TRUNCATED, 1, "Coun" },
		{ "A: 5 kB\nNew: 17 kB", 5120, NA, NA, NA, NA, FAULT_TRUNCATED, 1, "New: 17 kB" },
		{ "A", NA, NA, NA, NA, NA, FAULT_TRUNCATED, 1, "A" },
		{ "", NA, NA, NA, NA, NA, FAULT_NONE, 0, NULL },
		{ "\n\n", NA, NA, NA, NA, NA, FAULT_NONE, 0, NULL },
		{ ":\n: 1 kB\n", NA, NA, NA, NA, NA, FAULT_NONE, 0, NULL },
		/* the first counts, even if it is no number */
		{ "A: 1 kB\nA: 2 kB\nCount: 3\n", 1024, NA, NA, 3, NA, FAULT_DUPLICATE, 1, "A" },
		{ "A: x\nA: 2 kB\n", NA, NA, NA, NA, NA, FAULT_MALFORMED, 2, "A" },
		{ "A: 1 kB\nA: 2 k", 1024, NA, NA, NA, NA, FAULT_TRUNCATED, 1, "A" },
		/* parts and their whole */
		{ "Part_x: 1 kB\nPart_y: 2 kB\n", NA, NA, NA, NA, 3072, FAULT_NONE, 0, NULL },
		{ "Part_y: 2 kB\n", NA, NA, NA, NA, 2048, FAULT_NONE, 0, NULL },
		{ "Part_x: 1 kB\nPart_x: 1 kB\nPart_y: 2 kB\n", NA, NA, NA, NA, 3072, FAULT_DUPLICATE, 1, "Part_x" },
		{ "Part_x: 1 kB\nPart_y: x\nA: 1 kB\n", 1024, NA, NA, NA, NA, FAULT_MALFORMED, 1, "Part_y" },
		{ "Part_x: x\nPart_y: 1 kB\nA: 1 kB\n", 1024, NA, NA, NA, NA, FAULT_MALFORMED, 1, "Part_x" },
		{ "Part_x: 1 kB\nPart_y: 2 kB\nWhole: 9 kB\n", NA, NA, NA, NA, 9216, FAULT_NONE, 0, NULL },
		{ "Whole: 9 kB\nPart_x: 1 kB\nPart_y: 2 kB\n", NA, NA, NA, NA, 9216, FAULT_NONE, 0, NULL },
		{ "Part_x: x\nWhole: 9 kB\n", NA, NA, NA, NA, 9216, FAULT_MALFORMED, 1, "Part_x" },
		{ "Whole: x\nPart_x: 1 kB\n", NA, NA, NA, NA, NA, FAULT_MALFORMED, 1, "Whole" },
		{ "Part_x: 9007199254740991 kB\nPart_y: 1 kB\n", NA, NA, NA, NA, NA, FAULT_TOO_LARGE, 1, "Part_y" },
	};

	check_all(KV_COLON, colon_keys, rows, sizeof(rows) / sizeof(*rows));
}
END_TEST

START_TEST(plain)
{
	static const struct expected rows[] = {
		{ "a 5\na_anon 7\nbig_key_of_many_bytes 0\n", 5, 7, 0, NA, NA, FAULT_NONE, 0, NULL },
		{ "a 5\nnew 1\na_anon 7\n 42\nbig_key_of_many_bytes 0\n", 5, 7, 0, NA, NA, FAULT_NONE, 0, NULL },
		{ "big_key_of_many_bytes 0\na_anon 7\na\t5\n", 5, 7, 0, NA, NA, FAULT_NONE, 0, NULL },
		{ "a_anon_throttle 5\na_ano 5\nba 5\na\n", NA, NA, NA, NA, NA, FAULT_NONE, 0, NULL },
		{ "a: 5\ncount 6\n", NA, NA, NA, 6, NA, FAULT_NONE, 0, NULL },
		{ "count 5 kB\na 6\n", 6, NA, NA, NA, NA, FAULT_MALFORMED, 1, "count" },
		{ "a 18446744073709551615\ncount 1\n", NA, NA, NA, 1, NA, FAULT_TOO_LARGE, 1, "a" },
		{ "a 9223372036854775807\ncount 1\n", INT64_MAX, NA, NA, 1, NA, FAULT_NONE, 0, NULL },
		{ "part_x 1\npart_y 2\npart_throttle 4\n", NA, NA, NA, NA, 3, FAULT_NONE, 0, NULL },
		{ "part 8\n", NA, NA, NA, NA, 8, FAULT_NONE, 0, NULL },
		{ "a 5\ncount 77", 5, NA, NA, NA, NA, FAULT_TRUNCATED, 1, "count" },
	};

	check_all(KV_PLAIN, plain_keys, rows, sizeof(rows) / sizeof(*rows));
}
END_TEST

START_TEST(kstat)
{
	static const struct expected rows[] = {
		{ "13 1 0x01 123 33456 4811 5102\nname                            type data\n"
		  "a                               4    5\ncount                           4    6\n",
		  5, NA, NA, 6, NA, FAULT_NONE, 0, NULL },
		{ "a 5\ncount 4 6\n", NA, NA, NA, 6, NA, FAULT_MALFORMED, 1, "a" },
		{ "a x 5\ncount 4 6\n", NA, NA, NA, 6, NA, FAULT_MALFORMED, 1, "a" },
		{ "count 4 6\na 4 5", NA, NA, NA, 6, NA, FAULT_TRUNCATED, 1, "a" },
	};

	check_all(KV_KSTAT, plain_keys, rows, sizeof(rows) / sizeof(*rows));
}
END_TEST

/* A text may hold any byte, and the fault that names it is fit for a log. */
START_TEST(odd_bytes)
{
	static const char text[] = "a 5\n\0\0 3\ncount\0 4\na_anon 7\0\n\xff'\"\x01 tail";
	struct sample s;
	struct fault fault;
	char words[128];
	struct kv kv;

	ck_assert_int_eq(kv_init(&kv, KV_PLAIN, NULL, plain_keys), 0);
	for (int i = 0; i < 3; i++) {
		kv_parse(&kv, text, sizeof(text) - 1, &s, &fault);
		ck_assert_int_eq(s.a, 5);
		ck_assert_int_eq(s.c, NA);
		ck_assert_int_eq(s.anon, NA);
		ck_assert_int_eq(fault.kind, FAULT_MALFORMED);
		ck_assert_uint_eq(fault.n, 2);
		fault_print(words, sizeof(words), &fault);
		ck_assert_str_eq(words, "'a_anon' is malformed, and 1 more");
	}
	kv_parse(&kv, text + sizeof(text) - 10, 9, &s, &fault);
	ck_assert_int_eq(fault.kind, FAULT_TRUNCATED);
	fault_print(words, sizeof(words), &fault);
	ck_assert_str_eq(words, "'\\xff'\"\\x01 tail' is cut off");
	kv_release(&kv);
}
END_TEST

/* More lines, and longer keys, than the plan takes. */
START_TEST(beyond_the_plan)
{
	size_t size = 1 << 20, len = 0;
	char *text = malloc(size);
	struct fault fault;
	struct sample s;
	struct kv kv;

	ck_assert_ptr_nonnull(text);
	len += (size_t)snprintf(text + len, size - len, "a 1\n");
	memset(text + len, 'k', 70000);
	len += 70000;
	len += (size_t)snprintf(text + len, size - len, " 1\ncount 2\n");
	for (int i = 0; i < 5000; i++)
		len += (size_t)snprintf(text + len, size - len, "key_number_%d %d\n", i, i);
	len += (size_t)snprintf(text + len, size - len, "a_anon 3\n");
	ck_assert_int_eq(kv_init(&kv, KV_PLAIN, NULL, plain_keys), 0);
	for (int i = 0; i < 3; i++) {
		ck_assert_uint_eq(kv_parse(&kv, text, len, &s, &fault), 3);
		ck_assert_int_eq(fault.kind, FAULT_NONE);
		ck_assert_int_eq(s.a, 1);
		ck_assert_int_eq(s.c, 2);
		ck_assert_int_eq(s.anon, 3);
	}
	kv_release(&kv);
	free(text);
}
END_TEST

START_TEST(tables)
{
	static const struct qmem_metric bytes[] = {
		{ .id = "a", .key = "A", .offset = AT(a) },
		{ .id = "derived", .offset = AT(b) },
		{ .id = NULL },
	}, counts[] = {
		{ .id = "c", .key = "C", .offset = AT(c) },
		{ .id = NULL },
	};
	static const struct qmem_family families[] = {
		{ .id = "x", .unit = "bytes", .metrics = bytes },
		{ .id = "y", .unit = "pages", .metrics = counts },
		{ .id = "z", .unit = "bytes", .metrics = bytes },
		{ .id = NULL },
	};
	static const struct kv_key more[] = { { "D", AT(anon), 0 }, { .key = NULL } };
	static const struct kv_key clash[] = { { "A", AT(anon), 0 }, { .key = NULL } };
	struct sample s = { .b = UNTOUCHED };
	static const char text[] = "A: 1 kB\nC: 2\nD: 3 kB\n";
	struct kv kv;

	ck_assert_int_eq(kv_init(&kv, KV_COLON, families, more), 0);
	ck_assert_uint_eq(kv_parse(&kv, text, strlen(text), &s, NULL), 3);
	ck_assert_int_eq(s.a, 1024);
	ck_assert_int_eq(s.c, 2);
	ck_assert_int_eq(s.anon, 3072);
	ck_assert_int_eq(s.b, UNTOUCHED);
	kv_release(&kv);
	ck_assert_int_eq(kv_init(&kv, KV_COLON, families, clash), -EINVAL);
	ck_assert_int_eq(kv_init(&kv, KV_COLON, NULL, NULL), 0);
	ck_assert_uint_eq(kv_parse(&kv, text, strlen(text), &s, NULL), 0);
	kv_release(&kv);
}
END_TEST

static void collect(const char *key, size_t len, void *arg)
{
	strncat(arg, key, len);
	strcat(arg, ",");
}

START_TEST(unknown_keys)
{
	static const struct kv_ignore list[] = {
		{ "nr_*", "levels" },
		{ "exact", "for a reason" },
		{ "", "no name" },
		{ .key = NULL },
	};
	static const char text[] = "a 1\nnew 2\n\nbare\na_anon 3\n 9\ncut";
	char keys[256] = "";
	struct kv kv;

	ck_assert_int_eq(kv_init(&kv, KV_PLAIN, NULL, plain_keys), 0);
	kv_unknown(&kv, text, strlen(text), collect, keys);
	ck_assert_str_eq(keys, "new,bare,,cut,");
	kv_release(&kv);
	ck_assert_str_eq(kv_ignored(list, "nr_free", 7), "levels");
	ck_assert_str_eq(kv_ignored(list, "nr_", 3), "levels");
	ck_assert_str_eq(kv_ignored(list, "exact", 5), "for a reason");
	ck_assert_str_eq(kv_ignored(list, "", 0), "no name");
	ck_assert_ptr_null(kv_ignored(list, "exactly", 7));
	ck_assert_ptr_null(kv_ignored(list, "exac", 4));
	ck_assert_ptr_null(kv_ignored(list, "nr", 2));
}
END_TEST

SUITE(kv)
{
	Suite *s = suite_create("kv");
	TCase *t = tcase_create("kv");

	tcase_add_test(t, colon);
	tcase_add_test(t, plain);
	tcase_add_test(t, kstat);
	tcase_add_test(t, odd_bytes);
	tcase_add_test(t, beyond_the_plan);
	tcase_add_test(t, tables);
	tcase_add_test(t, unknown_keys);
	suite_add_tcase(s, t);
	return s;
}
