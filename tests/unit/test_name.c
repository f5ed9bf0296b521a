/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "engine/ids.h"
#include "engine/name.h"

static const char *safe(const char *name, size_t size, const char *allowed)
{
	static char dst[2][256];
	static int i;

	i = !i;
	ck_assert_uint_eq(qmem_name_safe(dst[i], size, name, allowed, 0), strlen(dst[i]));
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

	ck_assert_uint_eq(strlen(name), strlen("eth0.100_01234567"));
	ck_assert_int_eq(strncmp(name, "eth0_100_", 9), 0);
	ck_assert_str_ne(safe("eth0.100", 64, ""), safe("eth0_100", 64, ""));
	ck_assert_str_ne(safe("eth0.100", 64, ""), safe("eth0:100", 64, ""));
	ck_assert_str_eq(safe("eth0.100", 64, ""), safe("eth0.100", 64, ""));
	ck_assert_uint_eq(strlen(safe("", 64, "")), strlen("_01234567"));
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
	qmem_name_safe(dst, sizeof(dst), name, ".", 0);
	for (const char *c = dst; *c; c++)
		ck_assert_msg(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.", *c) != NULL,
			      "byte %d", *c);
}
END_TEST

START_TEST(systemds_escapes_are_undone)
{
	ck_assert_int_eq(strncmp(safe("machine-qemu\\x2d1.scope", 64, "-."), "machine-qemu-1.scope_", 21), 0);
	ck_assert_str_ne(safe("machine-qemu\\x2d1.scope", 64, "-."), safe("machine-qemu\\x2D1.scope", 64, "-."));
}
END_TEST

/* Found by trying: their short hashes are the same, and they look the same. */
static const char *const twins[] = { "web!]|;", "web##}]" };

START_TEST(two_names_never_share_an_id)
{
	char a[QMEM_NETDATA_NAME], b[QMEM_NETDATA_NAME], again[QMEM_NETDATA_NAME];
	const struct qmem_instance one = { .name = twins[0] }, two = { .name = twins[1] }, plain_ = { .name = "web" };
	struct ids *ids = ids_new();

	ck_assert_str_eq(safe(twins[0], 64, ""), safe(twins[1], 64, ""));
	/* in collectd */
	qmem_collectd_instance(a, ids, &one);
	ck_assert_str_eq(a, "web_____06fec980");
	qmem_collectd_instance(b, ids, &two);
	ck_assert_uint_eq(strlen(b), strlen("web____") + QMEM_NAME_SUFFIX);
	ck_assert_int_eq(strncmp(b, "web_____", 8), 0);
	for (int i = 0; i < 3; i++) {
		qmem_collectd_instance(again, ids, &one);
		ck_assert_str_eq(again, a);
		qmem_collectd_instance(again, ids, &two);
		ck_assert_str_eq(again, b);
	}
	/* what looks like the longer one is treated like the shorter */
	ck_assert_str_ne(safe(b, 64, ""), b);
	ck_assert_str_ne(safe(a, 64, ""), a);
	ids_free(ids);
	/* in Netdata */
	ids = ids_new();
	ck_assert_ptr_nonnull(qmem_netdata_chart(a, ids, "procmem", "rss", &one));
	ck_assert_ptr_nonnull(qmem_netdata_chart(b, ids, "procmem", "rss", &two));
	ck_assert_str_ne(a, b);
	/* in another family it is another id, and may be the short one */
	qmem_netdata_chart(b, ids, "procmem", "swap", &two);
	ck_assert_str_eq(b, "qmem.procmem_swap_web_____06fec980");
	ck_assert_ptr_null(qmem_netdata_chart(b, ids, "procmem", "rss", &plain_));
	ids_free(ids);
}
END_TEST

START_TEST(names_that_users_choose)
{
	char dst[QMEM_COLLECTD_NAME], chart[QMEM_NETDATA_NAME];
	struct qmem_instance instance = { .name = "web frontend", .configured = true };
	struct ids *ids = ids_new();

	ck_assert(qmem_collectd_instance(dst, ids, &instance));
	ck_assert_str_eq(dst, "web_frontend");
	ck_assert_ptr_null(qmem_netdata_chart(chart, ids, "procmem", "rss", &instance));
	ck_assert_str_eq(chart, "qmem.procmem_rss_web_frontend");
	instance.name = "web: frontend";
	qmem_collectd_instance(dst, ids, &instance);
	ck_assert_str_eq(dst, "web:_frontend");
	qmem_netdata_chart(chart, ids, "procmem", "rss", &instance);
	ck_assert_int_eq(strncmp(chart, "qmem.procmem_rss_web__frontend_", 31), 0);
	ids_free(ids);
	ck_assert(qmem_name_blank_alike("a b_c", "a_b c"));
	ck_assert(!qmem_name_blank_alike("a b", "ab"));
	ck_assert(!qmem_name_blank_alike("a b", "a b "));
}
END_TEST

START_TEST(labels_in_netdata)
{
	static const struct {
		const char *name, *label;
	} rows[] = {
		{ "eth0", "eth0" },
		{ "a'b\"c`d", "a_b_c_d" },
		{ "DOM\\alice", "DOM/alice" },
		{ "a\\", "a/" }, /* it would take the closing quote with it */
		{ "machine-qemu\\x2d1.scope", "machine-qemu-1.scope" },
		{ "a\x01", "a/x01" },
		{ "a\nb", "a/x0ab" },
		{ "a\\x0ab", "a/x5cx0ab" },
		{ "a\\x27b", "a_b" },
		{ "gr\xc3\xbc\xc3\x9f=1;", "gr\xc3\xbc\xc3\x9f=1;" },
	};
	char dst[64];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ck_assert_uint_eq(qmem_netdata_label(dst, sizeof(dst), rows[i].name), strlen(rows[i].label));
		ck_assert_str_eq(dst, rows[i].label);
	}
}
END_TEST

START_TEST(canonical_names)
{
	char dst[64], other[64], name[300];

	qmem_canonical(dst, sizeof(dst), "netstat", "bytes", "rx", "eth0");
	ck_assert_str_eq(dst, "netstat.bytes.rx[eth0]");
	qmem_canonical(dst, sizeof(dst), "meminfo", "usage", "free", NULL);
	ck_assert_str_eq(dst, "meminfo.usage.free");
	ck_assert_uint_eq(qmem_canonical(dst, 8, "meminfo", "usage", "free", NULL), 7);
	ck_assert_str_eq(dst, "meminfo");
	/* two hostile names stay two */
	qmem_canonical(dst, sizeof(dst), "netstat", "bytes", "rx", "a\x01");
	ck_assert_str_eq(dst, "netstat.bytes.rx[a\\x01]");
	qmem_canonical(dst, sizeof(dst), "netstat", "bytes", "rx", "a\\x01\"");
	ck_assert_str_eq(dst, "netstat.bytes.rx[a\\x5cx01\"]");
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ck_assert_uint_eq(qmem_canonical(dst, sizeof(dst), "a", "b", "c", name), 63);
	name[sizeof(name) - 2] = 'y';
	qmem_canonical(other, sizeof(other), "a", "b", "c", name);
	ck_assert_str_ne(dst, other);
	ck_assert_int_eq(dst[62], ']');
}
END_TEST

START_TEST(names_in_collectd)
{
	char dst[QMEM_COLLECTD_NAME], other[QMEM_COLLECTD_NAME], name[300];
	struct ids *ids = ids_new();

	qmem_collectd_plugin(dst, "procmem");
	ck_assert_str_eq(dst, "qmem_procmem");
	ck_assert(!qmem_collectd_instance(dst, ids, &(struct qmem_instance){ .name = "user@1000.service:a-b" }));
	ck_assert_str_eq(dst, "user@1000.service:a-b");
	ck_assert(!qmem_collectd_instance(dst, ids, NULL));
	ck_assert_str_eq(dst, "");
	/* what separates the parts, and what must be quoted */
	ck_assert(qmem_collectd_instance(dst, ids, &(struct qmem_instance){ .name = "a/b c" }));
	ck_assert_int_eq(strncmp(dst, "a_b_c_", 6), 0);
	ck_assert_ptr_null(strpbrk(dst, "/ "));
	/* all of the daemon's 127 bytes are the instance's; two that differ at their ends only stay two */
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ck_assert(qmem_collectd_instance(dst, ids, &(struct qmem_instance){ .name = name }));
	name[sizeof(name) - 2] = 'y';
	ck_assert(qmem_collectd_instance(other, ids, &(struct qmem_instance){ .name = name }));
	ck_assert_uint_eq(strlen(dst), QMEM_COLLECTD_NAME - 1);
	ck_assert_str_ne(dst, other);
	qmem_collectd_type_instance(dst, "usage", "free");
	ck_assert_str_eq(dst, "usage_free");
	qmem_collectd_type_instance(dst, "bytes", NULL);
	ck_assert_str_eq(dst, "bytes");
	ids_free(ids);
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
	qmem_netdata_chart(dst, NULL, "meminfo", "usage", NULL);
	ck_assert_str_eq(dst, "qmem.meminfo_usage");
	qmem_netdata_chart(dst, NULL, "netstat", "bytes", &(struct qmem_instance){ .name = "eth0" });
	ck_assert_str_eq(dst, "qmem.netstat_bytes_eth0");
	qmem_netdata_chart(dst, NULL, "netstat", "bytes", &(struct qmem_instance){ .name = "eth0.100" });
	ck_assert_int_eq(strncmp(dst, "qmem.netstat_bytes_eth0_100_", 28), 0);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	qmem_netdata_chart(dst, NULL, "netstat", "bytes", &(struct qmem_instance){ .name = name });
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
	tcase_add_test(t, systemds_escapes_are_undone);
	tcase_add_test(t, two_names_never_share_an_id);
	tcase_add_test(t, names_that_users_choose);
	tcase_add_test(t, labels_in_netdata);
	tcase_add_test(t, canonical_names);
	tcase_add_test(t, names_in_collectd);
	tcase_add_test(t, lists_in_collectd);
	tcase_add_test(t, names_in_netdata);
	tcase_add_test(t, same_names);
	suite_add_tcase(s, t);
	return s;
}
