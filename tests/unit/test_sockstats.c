/* SPDX-License-Identifier: MIT */
/* The parser of sockstat and sockstat6; the service is in test_sockstat.c. */
#include "unit.h"

#include "proc/sockstats.h"
#include "qmem.h"

static struct sockstats s;
static char wrong[160];

static int parse(const char *text)
{
	struct fault fault;
	int n = sockstats_parse(text, strlen(text), &s, &fault);

	*wrong = '\0';
	if (fault.n)
		fault_print(wrong, sizeof(wrong), &fault);
	return n;
}

static void setup(void)
{
	sockstats_clear(&s);
}

/* Pages stay pages here: how large they are is the machine's. */
START_TEST(both_files)
{
	ck_assert_int_eq(parse("sockets: used 900\nTCP: inuse 120 orphan 3 tw 15 alloc 131 mem 350\n"
			       "UDP: inuse 20 mem 12\nUDPLITE: inuse 1\nRAW: inuse 2\nFRAG: inuse 2 memory 131072\n"),
			 12);
	ck_assert_str_eq(wrong, "");
	ck_assert_int_eq(
		parse("TCP6: inuse 7\nUDP6: inuse 8\nUDPLITE6: inuse 9\nRAW6: inuse 10\nFRAG6: inuse 11 memory 12\n"),
		6);
	for (int i = 0; i < SOCKSTATS_FIELDS; i++) {
		static const int64_t is[] = { 900, 120, 3, 15, 131, 350, 20, 12, 1, 2, 2, 131072, 7, 8, 9, 10, 11, 12 };

		ck_assert_int_eq(s.v[i], is[i]);
	}
}
END_TEST

/* A machine without IPv6, and a kernel without UDP-Lite. */
START_TEST(what_is_not_there)
{
	ck_assert_int_eq(parse("sockets: used 212\nTCP: inuse 41 orphan 2 tw 7 alloc 48 mem 77\nUDP: inuse 9 mem 3\n"
			       "RAW: inuse 1\nFRAG: inuse 0 memory 0\n"),
			 11);
	ck_assert_str_eq(wrong, "");
	ck_assert_int_eq(s.v[SOCKSTATS_USED], 212);
	ck_assert_int_eq(s.v[SOCKSTATS_TCP_MEM], 77);
	ck_assert_int_eq(s.v[SOCKSTATS_FRAG_MEMORY], 0);
	ck_assert(s.v[SOCKSTATS_UDPLITE] == QMEM_NA);
	ck_assert(s.v[SOCKSTATS_TCP6] == QMEM_NA);
}
END_TEST

START_TEST(others_words)
{
	ck_assert_int_eq(
		parse("MPTCP: inuse 4\nTCP: bound 3 inuse 5 young 1 mem 2\n\nUDP inuse 5\n: inuse 4\n TCP: orphan 1\n"),
		2);
	ck_assert_str_eq(wrong, "");
	ck_assert_int_eq(s.v[SOCKSTATS_TCP], 5);
	ck_assert_int_eq(s.v[SOCKSTATS_TCP_MEM], 2);
	ck_assert(s.v[SOCKSTATS_UDP] == QMEM_NA);
	ck_assert(s.v[SOCKSTATS_ORPHAN] == QMEM_NA);
}
END_TEST

static const struct {
	const char *text, *wrong;
	int n;
} faults[] = {
	{ "TCP: inuse 4x orphan 5\n", "'TCP: inuse 4x' is malformed", 1 },
	{ "TCP: inuse -1 orphan 5\n", "'TCP: inuse -1' is negative", 1 },
	{ "TCP: inuse 99999999999999999999 orphan 5\n", "'TCP: inuse 99999999999999999999' is too large", 1 },
	{ "TCP: orphan 5 inuse\n", "'TCP: orphan 5 inuse' is malformed", 1 },
	{ "TCP: orphan 5 orphan 6\n", "'TCP: orphan 5 orphan 6' is there again", 1 },
	{ "TCP: orphan 5\nTCP: inuse 4", "'TCP: inuse 4' is cut", 1 },
	{ "", "", 0 },
};

START_TEST(faulty)
{
	ck_assert_int_eq(parse(faults[_i].text), faults[_i].n);
	if (strncmp(wrong, faults[_i].wrong, strcspn(faults[_i].wrong, "i")) != 0)
		ck_assert_str_eq(wrong, faults[_i].wrong);
	ck_assert_int_eq(!*wrong, !*faults[_i].wrong);
	ck_assert(s.v[SOCKSTATS_TCP] == QMEM_NA);
	if (faults[_i].n)
		ck_assert_int_eq(s.v[SOCKSTATS_ORPHAN], 5);
}
END_TEST

START_TEST(limits)
{
	int64_t v[3];

	sockstats_limits("188319\t251094\t376638\n", 20, v, 3);
	ck_assert(v[0] == QMEM_NA); /* cut */
	sockstats_limits("188319\t251094\t376638\n", 21, v, 3);
	ck_assert_int_eq(v[0], 188319);
	ck_assert_int_eq(v[1], 251094);
	ck_assert_int_eq(v[2], 376638);
	sockstats_limits("16384\n", 6, v, 3);
	ck_assert_int_eq(v[0], 16384);
	ck_assert(v[1] == QMEM_NA && v[2] == QMEM_NA);
	sockstats_limits("1 -2 3\n", 7, v, 3);
	ck_assert_int_eq(v[0], 1);
	ck_assert(v[1] == QMEM_NA && v[2] == QMEM_NA);
	sockstats_limits("1x 2 3\n", 7, v, 3);
	ck_assert(v[0] == QMEM_NA && v[1] == QMEM_NA);
	sockstats_limits("", 0, v, 3);
	ck_assert(v[0] == QMEM_NA);
}
END_TEST

SUITE(sockstats)
{
	Suite *suite = suite_create("sockstats");
	TCase *t = tcase_create("sockstats");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, both_files);
	tcase_add_test(t, what_is_not_there);
	tcase_add_test(t, others_words);
	tcase_add_loop_test(t, faulty, 0, sizeof(faults) / sizeof(*faults));
	tcase_add_test(t, limits);
	suite_add_tcase(suite, t);
	return suite;
}
