/* SPDX-License-Identifier: MIT */
/* Snapshots and their differences, on an engine of their own. */
#include "unit.h"

#include <stdlib.h>

#include "control/diff.h"
#include "control/form.h"
#include "control/pattern.h"
#include "control/snapshot.h"
#include "procroot.h"
#include "services.h"

#define MEMINFO                                                                                                        \
	"MemTotal: 4000000 kB\nMemFree: %d kB\nMemAvailable: 2000000 kB\nCached: 100 kB\nDirty: %s kB\nBuffers: 0 kB\n"
#define NETDEV                                                                                                         \
	"Inter-|   Receive                                                |  Transmit\n"                               \
	" face |bytes packets errs drop fifo frame compressed multicast|bytes\n"

static const struct qmem_service *const services[] = { &meminfo_service, &netstat_service, NULL };
static const struct qmem_service *const none[] = { NULL };

static struct qmem *q;
static struct snapshot *taken;
static const char *wanted_pattern;
static uint64_t now;

static bool wanted(void *arg, const struct qmem_service *service, const struct qmem_family *family,
		   const struct qmem_metric *metric, const char *instance)
{
	ck_assert_ptr_eq(arg, &now);
	return pattern_is(wanted_pattern, service, family, metric, instance);
}

static void on_values(void *arg, const struct qmem_round *round, const struct qmem_family *family,
		      const struct qmem_instance *instance, const void *sample)
{
	(void)arg;
	if (taken)
		snapshot_put(taken, round, family, instance, sample, wanted_pattern ? wanted : NULL, &now);
}

static uint64_t cpu_ns(void *arg)
{
	(void)arg;
	return 0;
}

static void setup(void)
{
	static const struct qmem_host host = { .values = on_values, .cpu_ns = cpu_ns };
	struct qmem_error error;

	procroot_begin(none);
	procroot_put("proc/meminfo", MEMINFO, 1000000, "0");
	procroot_put("proc/1/net/dev", NETDEV " eth0: 1000 10 0 0 0 0 0 0 2000 20 0 0 0 0 0 0\n");
	wanted_pattern = NULL;
	now = 5 * QMEM_SECOND;
	q = qmem_new(&host, NULL, services);
	ck_assert_ptr_nonnull(q);
	ck_assert_int_eq(qmem_set(q, NULL, NULL, NULL, "HostRoot", procroot_path(""), &error), 0);
	ck_assert_int_eq(qmem_start(q, QMEM_SECOND, QMEM_SECOND, now), 0);
}

static void teardown(void)
{
	qmem_free(q);
	procroot_end();
}

static void take(struct snapshot *s, uint64_t when)
{
	*s = (struct snapshot){ 0 };
	now = when;
	taken = s;
	ck_assert_int_eq(qmem_collect(q, now), 0);
	taken = NULL;
	ck_assert_int_eq(snapshot_seal(s), 0);
}

static const struct diff_row *row_of(const struct diff *diff, const char *name)
{
	for (size_t i = 0; i < diff->n; i++) {
		const struct diff_row *row = &diff->rows[i];

		if (strcmp((row->after ? row->after : row->before)->name, name) == 0)
			return row;
	}
	ck_abort_msg("no row '%s'", name);
}

/* As it is printed. */
static char *text_of(const struct diff *diff)
{
	struct column columns[SHEET_COLUMNS];
	struct table table;
	struct sheet sheet;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	diff_table(diff, &table);
	ck_assert_int_eq(table_sheet(&table, true, columns, &sheet), 0);
	form_text.sheet(f, &sheet);
	sheet_release(&sheet);
	table_release(&table);
	fclose(f);
	return text;
}

/* ---- */

START_TEST(find)
{
	const struct snapshot_value *v;
	struct snapshot s;

	take(&s, 6 * QMEM_SECOND);
	ck_assert_uint_gt(s.n, 20);
	for (size_t i = 1; i < s.n; i++)
		ck_assert_int_lt(strcmp(s.values[i - 1].name, s.values[i].name), 0);
	v = snapshot_find(&s, "netstat.bytes.tx[eth0]");
	ck_assert_ptr_nonnull(v);
	ck_assert_int_eq(v->value, 2000);
	ck_assert_uint_eq(v->when, 6 * QMEM_SECOND);
	ck_assert_str_eq(v->family->id, "bytes");
	ck_assert_ptr_null(snapshot_find(&s, "netstat.bytes.tx"));
	v = snapshot_find(&s, "meminfo.zswap.pool");
	ck_assert(v && v->value == QMEM_NA);
	snapshot_release(&s);
	ck_assert_ptr_null(snapshot_find(&s, "meminfo.zswap.pool"));
}
END_TEST

START_TEST(last_of_a_name)
{
	struct snapshot s = { 0 };

	taken = &s;
	for (int i = 0; i < 3; i++) {
		procroot_put("proc/meminfo", MEMINFO, 1000 + i, "0");
		now += QMEM_SECOND;
		ck_assert_int_eq(qmem_collect(q, now), 0);
	}
	ck_assert_int_eq(snapshot_seal(&s), 0);
	ck_assert_int_eq(snapshot_find(&s, "meminfo.usage.free")->value, 1002 * 1024);
	for (size_t i = 1; i < s.n; i++)
		ck_assert_str_ne(s.values[i - 1].name, s.values[i].name);
	snapshot_release(&s);
}
END_TEST

START_TEST(differences)
{
	struct snapshot before, after;
	const struct diff_row *row;
	struct diff diff;
	char *text;

	take(&before, 6 * QMEM_SECOND);
	procroot_put("proc/meminfo", MEMINFO, 1000000 - 2 * 1024 * 1024 / 4, "1536");
	procroot_put("proc/1/net/dev",
		     NETDEV " eth0: 6000 10 0 0 0 0 0 0 100 20 0 0 0 0 0 0\n new0: 7 1 0 0 0 0 0 0 8 1 0 0 0 0 0 0\n");
	take(&after, 8 * QMEM_SECOND);
	ck_assert_int_eq(diff_make(&diff, &before, &after), 0);

	row = row_of(&diff, "meminfo.usage.free");
	ck_assert_int_eq(row->state, DIFF_CHANGED);
	ck_assert_int_eq(row->change, -512l * 1024 * 1024);
	row = row_of(&diff, "meminfo.writeback.dirty");
	ck_assert_int_eq(row->change, 1536 * 1024);
	row = row_of(&diff, "netstat.bytes.rx[eth0]");
	ck_assert_int_eq(row->change, 5000);
	ck_assert_uint_eq(row->elapsed, 2 * QMEM_SECOND);
	/* the driver began anew, but the service's counters never fall */
	row = row_of(&diff, "netstat.bytes.tx[eth0]");
	ck_assert_int_eq(row->state, DIFF_SAME);
	row = row_of(&diff, "netstat.bytes.rx[new0]");
	ck_assert_int_eq(row->state, DIFF_NEW);
	/* what it had counted before it was there is not told as of now */
	ck_assert(row->change == QMEM_NA);
	row = row_of(&diff, "meminfo.zswap.pool");
	ck_assert_int_eq(row->state, DIFF_SAME);

	/* the largest first, levels before counters, and what is the same at the end */
	ck_assert_int_eq(labs(diff.rows[0].change), 512l * 1024 * 1024);
	for (size_t i = 1; i < diff.n; i++) {
		const struct qmem_family *f = diff.rows[i].after->family, *last = diff.rows[i - 1].after->family;
		bool same = diff.rows[i].state == DIFF_SAME;

		ck_assert_int_eq(same, i >= diff.n - diff.same);
		ck_assert(same || f->kind >= last->kind);
	}
	text = text_of(&diff);
	HAS(text, "  Name ");
	HAS(text, "976.5 MiB  464.5 MiB  -512.0 MiB");
	HAS(text, "0 B        1.5 MiB    +1.5 MiB");
	HAS(text, "1000 B     5.8 KiB    +4.8 KiB    2.4 KiB/s");
	HAS(text, "-          7 B        -                      new");
	HAS_NOT(text, "zswap");
	free(text);

	/* the other way round what is new is gone, and a counter has been set back */
	diff_release(&diff);
	ck_assert_int_eq(diff_make(&diff, &after, &before), 0);
	ck_assert_int_eq(row_of(&diff, "netstat.bytes.rx[new0]")->state, DIFF_GONE);
	row = row_of(&diff, "netstat.bytes.rx[eth0]");
	ck_assert_int_eq(row->state, DIFF_RESET);
	ck_assert(row->change == QMEM_NA);
	text = text_of(&diff);
	HAS(text, "set back");
	HAS(text, "gone");
	free(text);
	diff_release(&diff);
	snapshot_release(&before);
	snapshot_release(&after);
}
END_TEST

/* A level that comes is all of it, and one that goes. */
START_TEST(absent)
{
	struct snapshot before, after;
	struct diff diff;

	take(&before, 6 * QMEM_SECOND);
	procroot_put("proc/meminfo", MEMINFO "Zswap: 12 kB\n", 1000000, "x");
	take(&after, 7 * QMEM_SECOND);
	ck_assert_int_eq(diff_make(&diff, &before, &after), 0);
	ck_assert_int_eq(row_of(&diff, "meminfo.zswap.pool")->state, DIFF_NEW);
	ck_assert_int_eq(row_of(&diff, "meminfo.zswap.pool")->change, 12 * 1024);
	ck_assert_int_eq(row_of(&diff, "meminfo.writeback.dirty")->state, DIFF_GONE);
	diff_release(&diff);
	snapshot_release(&before);
	*&before = (struct snapshot){ 0 };
	ck_assert_int_eq(diff_make(&diff, &before, &before), 0);
	ck_assert_uint_eq(diff.n, 0);
	diff_release(&diff);
	snapshot_release(&after);
}
END_TEST

START_TEST(patterns)
{
	static const struct {
		const char *pattern;
		size_t n;
	} cases[] = {
		{ "netstat", 8 },
		{ "NET-stat", 8 },
		{ "netstat.bytes", 2 },
		{ "netstat.*.rx", 4 },
		{ "netstat.bytes.rx", 1 },
		{ "netstat.bytes.rx[eth0]", 1 },
		{ "netstat.bytes[e*0]", 2 },
		{ "netstat[lo]", 0 },
		{ "netstat.bytes.rx[eth0", 0 },
		{ "*.bytes", 2 },
		{ "meminfo.usage[x]", 0 },
		{ "netstat.bytes.rx.x", 0 },
		{ "", 0 },
		{ "netstat.", 0 },
		{ "net", 0 },
		{ "meminfo.writeb*.d?rty", 1 },
	};
	struct snapshot s;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		wanted_pattern = cases[i].pattern;
		take(&s, now + QMEM_SECOND);
		ck_assert_msg(s.n == cases[i].n, "'%s': %zu", cases[i].pattern, s.n);
		snapshot_release(&s);
	}
	ck_assert(pattern_is_narrow("meminfo.usage") && !pattern_is_narrow("meminfo[x.y]"));
}
END_TEST

START_TEST(quantities)
{
	static const struct {
		enum table_type type;
		struct table_quantity quantity;
		const char *text;
	} cases[] = {
		{ TABLE_VALUE, { QMEM_NA, 1, "bytes", 0 }, "-" },
		{ TABLE_VALUE, { 0, 1, "bytes", 0 }, "0 B" },
		{ TABLE_VALUE, { -4544000, 1, "bytes", 0 }, "-4.3 MiB" },
		{ TABLE_CHANGE, { 3758096384, 1, "bytes", 0 }, "+3.5 GiB" },
		{ TABLE_CHANGE, { INT64_MIN + 1, 1, "bytes", 0 }, "-8191.9 PiB" },
		{ TABLE_CHANGE, { 0, 1, "events", 0 }, "0 events" },
		{ TABLE_VALUE, { 9007199254740993, 1, "events", 0 }, "9007199254740993 events" },
		{ TABLE_VALUE, { 1234, 100, "percent", 0 }, "12.34 %" },
		{ TABLE_CHANGE, { -5, 100, "percent", 0 }, "-0.05 %" },
		{ TABLE_CHANGE, { 2500000, 1000000, "cpu-seconds", 0 }, "+2.5 s" },
		{ TABLE_RATE, { 2500, 1, "pages", 10 * QMEM_SECOND }, "250 pages/s" },
		{ TABLE_RATE, { 1, 1, "pages", 4 * QMEM_SECOND }, "0.25 pages/s" },
		{ TABLE_RATE, { 10240, 1, "bytes", 10 * QMEM_SECOND }, "1.0 KiB/s" },
		{ TABLE_RATE, { 5, 1, "pages", 0 }, "-" },
	};
	char text[TABLE_QUANTITY];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		table_print(text, cases[i].type, &cases[i].quantity);
		ck_assert_str_eq(text, cases[i].text);
	}
}
END_TEST

SUITE(snapshot)
{
	Suite *s = suite_create("snapshot");
	TCase *t = tcase_create("snapshot"), *p = tcase_create("print");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, find);
	tcase_add_test(t, last_of_a_name);
	tcase_add_test(t, differences);
	tcase_add_test(t, absent);
	tcase_add_test(t, patterns);
	suite_add_tcase(s, t);
	tcase_add_test(p, quantities);
	suite_add_tcase(s, p);
	return s;
}
