/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "engine/name.h"

static const char *safe(const char *name, size_t size, const char *allowed)
{
	static char dst[2][256];
	static int i;

	i = !i;
	ck_assert_uint_eq(qmem_name_safe(dst[i], size, name, allowed), strlen(dst[i]));
	ck_assert_uint_lt(strlen(dst[i]), size);
	return dst[i];
}

START_TEST(plain_names_stay)
{
	ck_assert_str_eq(safe("eth0", 64, ""), "eth0");
	ck_assert_str_eq(safe("eth0.100", 64, "."), "eth0.100");
	ck_assert_str_eq(safe("A_z9", 64, ""), "A_z9");
}
END_TEST

START_TEST(altered_names_get_a_hash)
{
	const char *name = safe("eth0.100", 64, "");

	ck_assert_uint_eq(strlen(name), strlen("eth0.100") + QMEM_NAME_SUFFIX);
	ck_assert_int_eq(strncmp(name, "eth0_100_", 9), 0);
	ck_assert_str_ne(safe("eth0.100", 64, ""), safe("eth0_100", 64, ""));
	ck_assert_str_ne(safe("eth0.100", 64, ""), safe("eth0:100", 64, ""));
	ck_assert_str_eq(safe("eth0.100", 64, ""), safe("eth0.100", 64, ""));
	ck_assert_uint_eq(strlen(safe("", 64, "")), QMEM_NAME_SUFFIX);
}
END_TEST

/* What looks like an altered name is treated as one: so none can be taken for another's. */
START_TEST(images_do_not_meet)
{
	char image[64];

	snprintf(image, sizeof(image), "%s", safe("eth0.100", 64, ""));
	ck_assert_str_ne(safe(image, 64, ""), image);
}
END_TEST

START_TEST(long_names_are_cut_and_stay_apart)
{
	char a[300], b[300];

	memset(a, 'x', 299);
	a[299] = '\0';
	memcpy(b, a, sizeof(a));
	b[298] = 'y';
	ck_assert_uint_eq(strlen(safe(a, 128, "")), 127);
	ck_assert_str_ne(safe(a, 128, ""), safe(b, 128, ""));
	a[127] = '\0';
	ck_assert_str_eq(safe(a, 128, ""), a);
}
END_TEST

START_TEST(hostile_bytes_are_gone)
{
	char name[256], dst[512];
	size_t n = 0;

	for (int c = 1; c < 256; c++)
		name[n++] = (char)c;
	name[n] = '\0';
	qmem_name_safe(dst, sizeof(dst), name, ".");
	for (const char *c = dst; *c; c++)
		ck_assert_msg(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.", *c) != NULL,
			      "byte %d", *c);
}
END_TEST

START_TEST(labels_are_harmless)
{
	static const struct {
		const char *name, *label;
	} rows[] = {
		{ "eth0", "eth0" },
		{ "a\"b=c", "a?b=c" },
		{ "a'b\\c`d", "a?b?c?d" },
		{ "a\nb\tc\x7f", "a?b?c?" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "\xe2\x82\xac", "\xe2\x82\xac" },
		{ "\xf0\x9f\x90\xa7", "\xf0\x9f\x90\xa7" },
		{ "\xc3", "?" },
		{ "\xc0\xaf", "??" },           /* overlong */
		{ "\xed\xa0\x80", "???" },      /* surrogate */
		{ "\xf5\x80\x80\x80", "????" }, /* beyond Unicode */
		{ "\xe2\x80\xa8", "???" },      /* line separator */
		{ "\xc2\x9b", "??" },           /* C1 control */
		{ "", "" },
	};
	char dst[64];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ck_assert_uint_eq(qmem_name_label(dst, sizeof(dst), rows[i].name), strlen(rows[i].label));
		ck_assert_str_eq(dst, rows[i].label);
	}
	/* never half a character */
	qmem_name_label(dst, 4, "ab\xc3\xbc");
	ck_assert_str_eq(dst, "ab");
}
END_TEST

START_TEST(canonical_names)
{
	char dst[64];

	qmem_canonical(dst, sizeof(dst), "netstat", "bytes", "rx", "eth0");
	ck_assert_str_eq(dst, "netstat.bytes.rx[eth0]");
	qmem_canonical(dst, sizeof(dst), "meminfo", "usage", "free", NULL);
	ck_assert_str_eq(dst, "meminfo.usage.free");
	ck_assert_uint_eq(qmem_canonical(dst, 8, "meminfo", "usage", "free", NULL), 7);
	ck_assert_str_eq(dst, "meminfo");
}
END_TEST

START_TEST(names_in_collectd)
{
	char dst[QMEM_COLLECTD_NAME], other[QMEM_COLLECTD_NAME], name[300];

	qmem_collectd_plugin(dst, "procmem");
	ck_assert_str_eq(dst, "qmem_procmem");
	ck_assert(!qmem_collectd_instance(dst, "user@1000.service:a-b"));
	ck_assert_str_eq(dst, "user@1000.service:a-b");
	ck_assert(!qmem_collectd_instance(dst, NULL));
	ck_assert_str_eq(dst, "");
	/* what separates the parts, and what must be quoted */
	ck_assert(qmem_collectd_instance(dst, "a/b c"));
	ck_assert_int_eq(strncmp(dst, "a_b_c_", 6), 0);
	ck_assert_ptr_null(strpbrk(dst, "/ "));
	/* all of the daemon's 127 bytes are the instance's; two that differ at their ends only stay two */
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ck_assert(qmem_collectd_instance(dst, name));
	name[sizeof(name) - 2] = 'y';
	ck_assert(qmem_collectd_instance(other, name));
	ck_assert_uint_eq(strlen(dst), QMEM_COLLECTD_NAME - 1);
	ck_assert_str_ne(dst, other);
	qmem_collectd_type_instance(dst, "usage", "free");
	ck_assert_str_eq(dst, "usage_free");
	qmem_collectd_type_instance(dst, "bytes", NULL);
	ck_assert_str_eq(dst, "bytes");
}
END_TEST

START_TEST(lists_in_collectd)
{
	static const struct qmem_metric both[] = { { .id = "tx" }, { .id = "rx" }, { 0 } };
	static const struct qmem_metric others[] = { { .id = "tx" }, { .id = "in" }, { 0 } };
	static const struct qmem_metric one[] = { { .id = "rx" }, { 0 } };
	static const char *const sources[] = { "rx", "tx" };
	const struct qmem_collectd_type octets = { "if_octets", QMEM_COUNTER, 2, sources };
	const struct qmem_collectd_type bytes = { "total_bytes", QMEM_COUNTER, 1, sources };
	struct qmem_family family = { .kind = QMEM_COUNTER, .type = "t", .metrics = both };
	const struct {
		const struct qmem_metric *metrics;
		const struct qmem_collectd_type *type;
		enum qmem_kind kind;
		enum qmem_collectd_lists lists;
		const char *written;
	} rows[] = {
		{ both, &octets, QMEM_COUNTER, QMEM_COLLECTD_JOINED, "t" },
		{ both, &bytes, QMEM_COUNTER, QMEM_COLLECTD_EACH, "t" },
		{ others, &octets, QMEM_COUNTER, QMEM_COLLECTD_PLAIN, "derive" },
		{ one, &octets, QMEM_COUNTER, QMEM_COLLECTD_PLAIN, "derive" },
		{ both, &octets, QMEM_GAUGE, QMEM_COLLECTD_PLAIN, "gauge" },
		{ both, &bytes, QMEM_GAUGE, QMEM_COLLECTD_PLAIN, "gauge" },
		{ both, NULL, QMEM_COUNTER, QMEM_COLLECTD_PLAIN, "derive" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		family.metrics = rows[i].metrics;
		family.kind = rows[i].kind;
		ck_assert_int_eq(qmem_collectd_lists(&family, rows[i].type), rows[i].lists);
		ck_assert_str_eq(qmem_collectd_type(&family, rows[i].lists), rows[i].written);
	}
}
END_TEST

START_TEST(names_in_netdata)
{
	char dst[QMEM_NETDATA_NAME], name[300];

	qmem_netdata_context(dst, "netstat", "bytes");
	ck_assert_str_eq(dst, "qmem.netstat_bytes");
	qmem_netdata_chart(dst, "meminfo", "usage", NULL);
	ck_assert_str_eq(dst, "qmem.meminfo_usage");
	qmem_netdata_chart(dst, "netstat", "bytes", "eth0");
	ck_assert_str_eq(dst, "qmem.netstat_bytes_eth0");
	qmem_netdata_chart(dst, "netstat", "bytes", "eth0.100");
	ck_assert_int_eq(strncmp(dst, "qmem.netstat_bytes_eth0_100_", 28), 0);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	qmem_netdata_chart(dst, "netstat", "bytes", name);
	ck_assert_uint_eq(strlen(dst), QMEM_NETDATA_NAME - 1);
}
END_TEST

START_TEST(same_names)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{ "MaxFiles", "max files", true },
		{ "MaxFiles", "MAX_FILES", true },
		{ "MaxFiles", "max-files-", true },
		{ "MaxFiles", "MaxFile", false },
		{ "", "", true },
		{ "", "_ -", true },
		{ "a", "", false },
		{ "a1", "a2", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ck_assert_int_eq(qmem_name_same(rows[i].a, rows[i].b), rows[i].same);
		ck_assert_int_eq(qmem_name_same(rows[i].b, rows[i].a), rows[i].same);
	}
}
END_TEST

SUITE(name)
{
	Suite *s = suite_create("name");
	TCase *t = tcase_create("name");

	tcase_add_test(t, plain_names_stay);
	tcase_add_test(t, altered_names_get_a_hash);
	tcase_add_test(t, images_do_not_meet);
	tcase_add_test(t, long_names_are_cut_and_stay_apart);
	tcase_add_test(t, hostile_bytes_are_gone);
	tcase_add_test(t, labels_are_harmless);
	tcase_add_test(t, canonical_names);
	tcase_add_test(t, names_in_collectd);
	tcase_add_test(t, lists_in_collectd);
	tcase_add_test(t, names_in_netdata);
	tcase_add_test(t, same_names);
	suite_add_tcase(s, t);
	return s;
}
