/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proc/cpulist.h"
#include "proc/pidstat.h"
#include "qmem.h"

#define NA QMEM_NA
#define REST " 1 2 3 4 5 4194304 100 7 8 9 150 25 11 12 20 0 "
#define TAIL " 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
#define STAT(comm_, state_) "42 (" comm_ ") " state_ REST "3 0 8675309 2600960 214" TAIL

static const struct pidstat_units units = { .page = 65536, .tick_ns = 10000000 };

/* ---- stat ---- */

static const struct {
	const char *comm, *text;
} names[] = {
	{ "bash", STAT("bash", "S") },
	{ "a) S\n1 (b", STAT("a) S\n1 (b", "S") },
	{ "(sd-pam)", STAT("(sd-pam)", "S") },
	{ "", STAT("", "S") },
	{ ")", STAT(")", "S") },
	{ "(", STAT("(", "S") },
	{ ") R 9 9 9 9", STAT(") R 9 9 9 9", "S") },
	{ "\xff\xfe\x01", STAT("\xff\xfe\x01", "S") },
	{ "kworker/u9:2-events_unbound", STAT("kworker/u9:2-events_unbound", "S") },
};

START_TEST(stat_names)
{
	struct pidstat st;

	memset(&st, 0x55, sizeof(st));
	ck_assert_int_eq(pidstat_parse(names[_i].text, strlen(names[_i].text), &units, &st), 0);
	ck_assert_str_eq(st.comm, names[_i].comm);
	ck_assert_int_eq(st.pid, 42);
	ck_assert_int_eq(st.ppid, 1);
	ck_assert_int_eq(st.state, 'S');
	ck_assert_uint_eq(st.flags, 4194304);
	ck_assert_int_eq(st.threads, 3);
	ck_assert_int_eq(st.minflt, 100);
	ck_assert_int_eq(st.majflt, 8);
	ck_assert_int_eq(st.utime, INT64_C(1500000000));
	ck_assert_int_eq(st.stime, INT64_C(250000000));
	ck_assert_int_eq(st.start, INT64_C(86753090000000));
	ck_assert_int_eq(st.vsize, 2600960);
}
END_TEST

START_TEST(stat_startstack)
{
	static const struct {
		const char *rest;
		int64_t startstack;
	} rows[] = {
		{ "3 0 1 1 214 18446744073709551615 94000000000000 94000000001000 140728000000016 0 0\n",
		  140728000000016 },
		{ "3 0 1 1 214 18446744073709551615 1 1 0 0 0\n", 0 },
		{ "3 0 1 1 214 18446744073709551615 1 1 1407", 0 },
		{ "3 0 1 1 214\n", 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[256];
		struct pidstat st;
		int len = snprintf(text, sizeof(text), "42 (bash) S" REST "%s", rows[i].rest);

		ck_assert_int_eq(pidstat_parse(text, (size_t)len, &units, &st), 0);
		ck_assert_int_eq(st.startstack, rows[i].startstack);
	}
}
END_TEST

START_TEST(stat_long_name)
{
	static const char text[] = STAT("0123456789012345678901234567890123456789012345678901234567890123456789", "D");
	struct pidstat st;

	ck_assert_int_eq(pidstat_parse(text, sizeof(text) - 1, &units, &st), 0);
	ck_assert_uint_eq(strlen(st.comm), PIDSTAT_COMM - 1);
	ck_assert_int_eq(st.state, 'D');
}
END_TEST

static const struct {
	const char *text;
	int err;
} wrong_stats[] = {
	{ "", -ENODATA },
	{ "42", -EINVAL },
	{ "42 (bash", -EINVAL },
	{ "42 bash) S 1", -EINVAL },
	{ "42 )bash( S" REST "3 0 1 1 1" TAIL, -EINVAL },
	{ "42 (bash) ", -EINVAL },
	{ "42 (bash)", -EINVAL },
	{ "42 (bash)  1 2 3 4 5 6 7", -EINVAL },
	{ "42 (bash) SS" REST "3 0 1 1 1" TAIL, -EINVAL },
	{ "42 (bash) S 1 2 3", -EINVAL },
	{ "0 (bash) S" REST "3 0 1 1 1" TAIL, -EINVAL },
	{ "-1 (bash) S" REST "3 0 1 1 1" TAIL, -EINVAL },
	{ "x (bash) S" REST "3 0 1 1 1" TAIL, -EINVAL },
	{ "4294967338 (bash) S" REST "3 0 1 1 1" TAIL, -ERANGE },
	{ "42 (bash) S" REST "3 0 99999999999999999999 1 1" TAIL, -ERANGE },
	/* in ns it is beyond */
	{ "42 (bash) S" REST "3 0 9223372036854775 1 1" TAIL, -ERANGE },
	{ "42 (bash) S 1 2 3 4 5 4194304 x 7 8 9 150 25x", -EINVAL },
	{ "42 (bash) S" REST "3 0 1 1", -EINVAL },
};

START_TEST(stat_wrong)
{
	struct pidstat st, untouched;
	int err;

	memset(&st, 0x55, sizeof(st));
	untouched = st;
	err = pidstat_parse(wrong_stats[_i].text, strlen(wrong_stats[_i].text), &units, &st);
	ck_assert_msg(err == wrong_stats[_i].err, "'%s': %d, not %d", wrong_stats[_i].text, err, wrong_stats[_i].err);
	ck_assert_mem_eq(&st, &untouched, sizeof(st));
}
END_TEST

/* One bad number costs one value, but for those that say whose they are. */
START_TEST(stat_bad_numbers)
{
	static const char text[] =
		"42 (bash) S 1 2 3 4 5 4194304 -1 7 8x 9 150 9223372036854775 11 12 20 0 3 0 8675309 "
		"18446744073709551615 214" TAIL;
	struct pidstat st;

	ck_assert_int_eq(pidstat_parse(text, sizeof(text) - 1, &units, &st), 0);
	ck_assert(st.minflt == NA);
	ck_assert(st.majflt == NA);
	ck_assert_int_eq(st.utime, INT64_C(1500000000));
	ck_assert(st.stime == NA);
	ck_assert_int_eq(st.threads, 3);
	ck_assert_int_eq(st.start, INT64_C(86753090000000));
	ck_assert(st.vsize == NA);
}
END_TEST

/* A text that is cut is refused, unless all that is wanted is whole. */
START_TEST(stat_cut)
{
	static const char text[] = STAT("a) S\n1 (b", "S");
	size_t whole = (size_t)(strstr(text, "2600960 ") - text) + strlen("2600960 ");

	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		struct pidstat st;
		int err = pidstat_parse(text, len, &units, &st);

		ck_assert_msg(!err == (len >= whole), "%zu bytes: %d", len, err);
	}
}
END_TEST

/* ---- statm ---- */

static const struct {
	const char *text;
	int err;
	struct pidstatm statm;
} statms[] = {
	{ "635 404 345 207 0 70 0\n", 0, { 635 * 65536, 404 * 65536, 345 * 65536 } },
	{ "0 0 0 0 0 0 0\n", 0, { 0, 0, 0 } },
	{ "", -ENODATA, { 0 } },
	{ "635", -EINVAL, { 0 } },
	{ "635 404", -EINVAL, { 0 } },
	{ "635 404 345", -EINVAL, { 0 } },
	{ "635 -1 345x 0 0 0 0\n", 0, { 635 * 65536, NA, NA } },
	{ "140737488355328 1 1 0 0 0 0\n", 0, { NA, 65536, 65536 } },
	{ "99999999999999999999 1 2 0 0 0 0\n", 0, { NA, 65536, 131072 } },
};

START_TEST(statm)
{
	struct pidstatm st, untouched;
	int err;

	memset(&st, 0x55, sizeof(st));
	untouched = st;
	err = pidstatm_parse(statms[_i].text, strlen(statms[_i].text), &units, &st);
	ck_assert_msg(err == statms[_i].err, "'%s': %d, not %d", statms[_i].text, err, statms[_i].err);
	ck_assert_mem_eq(&st, err ? &untouched : &statms[_i].statm, sizeof(st));
}
END_TEST

/* ---- schedstat ---- */

START_TEST(schedstat)
{
	static const struct {
		const char *text;
		int err;
		int64_t ran;
	} texts[] = {
		{ "5717885 1710067 23\n", 0, 5717885 },
		{ "0 0 0\n", 0, 0 },
		{ "", -ENODATA, -1 },
		{ "57", -EINVAL, -1 },
		{ "-1 0 0\n", -EINVAL, -1 },
		{ "99999999999999999999 0 0\n", -ERANGE, -1 },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		int64_t ran = -1;

		ck_assert_int_eq(pidschedstat_parse(texts[i].text, strlen(texts[i].text), &ran), texts[i].err);
		ck_assert_int_eq(ran, texts[i].ran);
	}
}
END_TEST

/* ---- status ---- */

#define UID "Uid:\t1000\t0\t0\t0\n"

static const struct {
	const char *text;
	int err;
	struct pidstatus status;
} statuses[] = {
	{ "Name:\ta\\nVmRSS:\t9 kB\n" UID
	  "VmPeak:\t  3 kB\nVmSize:\t    2540 kB\nVmHWM:\t    1616 kB\nVmRSS:\t    1600 kB\n"
	  "RssAnon:\t      92 kB\nRssFile:\t    1380 kB\nRssShmem:\t     128 kB\nVmData:\t     360 kB\nVmPTE:\t      44 kB\n"
	  "VmSwap:\t       8 kB\nVmRSSx:\t1 kB\n",
	  0,
	  { 1000, 2540 * 1024, 1616 * 1024, 1600 * 1024, 92 * 1024, 1380 * 1024, 128 * 1024, 360 * 1024, 44 * 1024,
	    8 * 1024 } },
	{ "Name:\tkthreadd\n" UID "Threads:\t1\n", 0, { 1000, NA, NA, NA, NA, NA, NA, NA, NA, NA } },
	{ "Uid:\t4294967295\t0\t0\t0\n", 0, { 4294967295, NA, NA, NA, NA, NA, NA, NA, NA, NA } },
	/* gVisor; and one bad number costs one value */
	{ "Name:\tx\nVmSize:\t8 kB\nVmRSS:\t4 kB\n", 0, { NA, 8192, NA, 4096, NA, NA, NA, NA, NA, NA } },
	{ "Uid:\t4294967296\t0\t0\t0\nVmRSS:\t4 kB\n", 0, { NA, NA, NA, 4096, NA, NA, NA, NA, NA, NA } },
	{ UID "VmRSS:\t1600 MB\nVmPTE:\t4 kB\n", 0, { 1000, NA, NA, NA, NA, NA, NA, NA, 4096, NA } },
	{ UID "VmRSS:\t1600\nVmPTE:\t4 kB\n", 0, { 1000, NA, NA, NA, NA, NA, NA, NA, 4096, NA } },
	{ UID "VmRSS:\t kB\nVmPTE:\t4 kB\n", 0, { 1000, NA, NA, NA, NA, NA, NA, NA, 4096, NA } },
	{ UID "VmRSS:\t-1 kB\nVmPTE:\t4 kB\n", 0, { 1000, NA, NA, NA, NA, NA, NA, NA, 4096, NA } },
	{ UID "VmRSS\nVmPTE:\t4 kB\n", 0, { 1000, NA, NA, NA, NA, NA, NA, NA, 4096, NA } },
	{ UID "VmRSS:\t9223372036854775807 kB\nVmSwap:\t0 kB\n", 0, { 1000, NA, NA, NA, NA, NA, NA, NA, NA, 0 } },
	{ "Uid:\t4294967296\t0\t0\t0\n", -EINVAL, { 0 } },
	{ "", -ENODATA, { 0 } },
	{ "Name:\tx\n", -EINVAL, { 0 } },
	{ UID "VmRSS:\t1600 kB", -EINVAL, { 0 } },
};

START_TEST(status)
{
	struct pidstatus st, untouched;
	int err;

	memset(&st, 0x55, sizeof(st));
	untouched = st;
	err = pidstatus_parse(statuses[_i].text, strlen(statuses[_i].text), &st);
	ck_assert_msg(err == statuses[_i].err, "'%s': %d, not %d", statuses[_i].text, err, statuses[_i].err);
	ck_assert_mem_eq(&st, err ? &untouched : &statuses[_i].status, sizeof(st));
}
END_TEST

/* ---- wchan ---- */

START_TEST(wchan)
{
	char name[16] = "untouched";

	ck_assert_int_eq(pidwchan_parse("0", 1, name, sizeof(name)), 0);
	ck_assert_str_eq(name, "");
	ck_assert_int_eq(pidwchan_parse("", 0, name, sizeof(name)), 0);
	ck_assert_str_eq(name, "");
	ck_assert_int_eq(pidwchan_parse("do_wait\n", 8, name, sizeof(name)), 0);
	ck_assert_str_eq(name, "do_wait");
	ck_assert_int_eq(pidwchan_parse("a\0b", 3, name, sizeof(name)), -EINVAL);
	ck_assert_int_eq(pidwchan_parse("0123456789012345", 16, name, sizeof(name)), -ENAMETOOLONG);
	ck_assert_str_eq(name, "do_wait");
}
END_TEST

/* ---- lists of CPUs ---- */

static const struct {
	const char *text;
	int err;
	size_t n;
	uint32_t cpus[6];
} lists[] = {
	{ "0\n", 0, 1, { 0 } },
	{ "0-3\n", 0, 4, { 0, 1, 2, 3 } },
	{ "0,2-3,63\n", 0, 4, { 0, 2, 3, 63 } },
	{ "5-5\n", 0, 1, { 5 } },
	{ "0-5\n", 0, 6, { 0, 1, 2, 3, 4, 5 } },
	{ "0-6\n", -ERANGE, 0, { 0 } },
	{ "0-4,7-8\n", -ERANGE, 0, { 0 } },
	{ "0-99999999\n", -ERANGE, 0, { 0 } },
	{ "", -EINVAL, 0, { 0 } },
	{ "\n", -EINVAL, 0, { 0 } },
	{ "0-1", -EINVAL, 0, { 0 } },
	{ "3-1\n", -EINVAL, 0, { 0 } },
	{ "0-\n", -EINVAL, 0, { 0 } },
	{ "0,,1\n", -EINVAL, 0, { 0 } },
	{ "0-1\n2\n", -EINVAL, 0, { 0 } },
	{ "x\n", -EINVAL, 0, { 0 } },
};

START_TEST(cpulist)
{
	uint32_t cpus[6];
	size_t n = 99;
	int err = cpulist_parse(lists[_i].text, strlen(lists[_i].text), cpus, 6, &n);

	ck_assert_msg(err == lists[_i].err, "'%s': %d, not %d", lists[_i].text, err, lists[_i].err);
	if (err) {
		ck_assert_uint_eq(n, 99);
		return;
	}
	ck_assert_uint_eq(n, lists[_i].n);
	ck_assert_mem_eq(cpus, lists[_i].cpus, n * sizeof(*cpus));
}
END_TEST

#define COUNT(array_) (sizeof(array_) / sizeof(*(array_)))

SUITE(pidstat)
{
	Suite *suite = suite_create("pidstat");
	TCase *tests = tcase_create("pidstat");

	tcase_add_loop_test(tests, stat_names, 0, COUNT(names));
	tcase_add_test(tests, stat_long_name);
	tcase_add_test(tests, stat_startstack);
	tcase_add_loop_test(tests, stat_wrong, 0, COUNT(wrong_stats));
	tcase_add_test(tests, stat_bad_numbers);
	tcase_add_test(tests, stat_cut);
	tcase_add_loop_test(tests, statm, 0, COUNT(statms));
	tcase_add_test(tests, schedstat);
	tcase_add_loop_test(tests, status, 0, COUNT(statuses));
	tcase_add_test(tests, wchan);
	tcase_add_loop_test(tests, cpulist, 0, COUNT(lists));
	suite_add_tcase(suite, tests);
	return suite;
}
