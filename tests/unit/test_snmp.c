/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "proc/snmp.h"
#include "qmem.h"

enum { OVERFLOWS, DROPS, BLACKHOLE, MPTCP, MAXCONN, RETRANSMITS, RECEIVES, IN, UDP6, ROWS };
static const struct snmp_row rows[ROWS] = {
	[OVERFLOWS] = { "TcpExt", "ListenOverflows", false },
	[DROPS] = { "TcpExt", "ListenDrops", false },
	[BLACKHOLE] = { "TcpExt", "TCPFastOpenBlackhole", false },
	[MPTCP] = { "MPTcpExt", "MPCapableSYNTX", false },
	[MAXCONN] = { "Tcp", "MaxConn", true },
	[RETRANSMITS] = { "Tcp", "RetransSegs", false },
	[RECEIVES] = { "Ip", "InReceives", false },
	[IN] = { "Udp", "InDatagrams", false },
	[UDP6] = { NULL, "Udp6RcvbufErrors", false },
};

static struct snmp snmp;
static int64_t v[ROWS];
static char wrong[160];

static void setup(void)
{
	snmp_init(&snmp, rows, ROWS);
}

static int parse(const char *text)
{
	struct fault fault;
	int n;

	/* of its exact size */
	char *copy = malloc(strlen(text) + 1);

	memcpy(copy, text, strlen(text));
	n = snmp_parse(&snmp, copy, strlen(text), v, &fault);
	free(copy);
	*wrong = '\0';
	if (fault.n)
		fault_print(wrong, sizeof(wrong), &fault);
	return n;
}

static const char of_3_10[] =
	"TcpExt: SyncookiesSent SyncookiesRecv SyncookiesFailed EmbryonicRsts PruneCalled RcvPruned OfoPruned OutOfWindowIcmps "
	"LockDroppedIcmps ArpFilter TW TWRecycled TWKilled PAWSPassive PAWSActive PAWSEstab DelayedACKs DelayedACKLocked "
	"DelayedACKLost ListenOverflows ListenDrops TCPPrequeued TCPTimeouts TCPReqQFullDrop\n"
	"TcpExt: 0 0 0 5 0 0 0 0 0 0 4100 0 0 0 0 7 80011 10 210 19 23 500 61 0\n"
	"IpExt: InNoRoutes InTruncatedPkts InOctets OutOctets\nIpExt: 0 0 1000 2000\n";
static const char of_6_18[] =
	"TcpExt: SyncookiesSent SyncookiesRecv SyncookiesFailed EmbryonicRsts PruneCalled RcvPruned OfoPruned OutOfWindowIcmps "
	"LockDroppedIcmps ArpFilter TW TWRecycled TWKilled PAWSActive PAWSEstab BeyondWindow TSEcrRejected PAWSOldAck PAWSTimewait "
	"DelayedACKs DelayedACKLocked DelayedACKLost ListenOverflows ListenDrops TCPHPHits TCPTimeouts TCPFastOpenBlackhole "
	"TCPReqQFullDrop\n"
	"TcpExt: 0 0 0 6 0 0 0 0 0 0 5100 0 0 0 8 3 1 2 4 91011 12 345 37 52 777000 62 5 1\n"
	"IpExt: InNoRoutes InTruncatedPkts InOctets OutOctets\nIpExt: 0 0 1100 2100\n"
	"MPTcpExt: MPCapableSYNRX MPCapableSYNTX MPJoinRejected MPCurrEstab\nMPTcpExt: 0 2 0 1\n";

/* One kernel's places are not another's; and what was learnt of one is not believed of the other. */
START_TEST(columns_shift)
{
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(parse(of_3_10), 2);
		ck_assert_str_eq(wrong, "");
		ck_assert_int_eq(v[OVERFLOWS], 19);
		ck_assert_int_eq(v[DROPS], 23);
		ck_assert(v[BLACKHOLE] == QMEM_NA);
		ck_assert(v[MPTCP] == QMEM_NA);
		if (i == 1)
			ck_assert_int_eq(parse(of_3_10), 2);
		ck_assert_int_eq(parse(of_6_18), 4);
		ck_assert_str_eq(wrong, "");
		ck_assert_int_eq(v[OVERFLOWS], 37);
		ck_assert_int_eq(v[DROPS], 52);
		ck_assert_int_eq(v[BLACKHOLE], 5);
		ck_assert_int_eq(v[MPTCP], 2);
		if (i == 2)
			ck_assert_int_eq(parse(of_6_18), 4);
		ck_assert_int_eq(v[MPTCP], 2);
	}
}
END_TEST

START_TEST(signed_and_large)
{
	ck_assert_int_eq(
		parse("Ip: Forwarding DefaultTTL InReceives\nIp: 1 64 3000000007\n"
		      "Icmp: InMsgs InErrors InCsumErrors\nIcmp: 56 0 0\nIcmpMsg: InType3 OutType3\nIcmpMsg: 56 58\n"
		      "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn RetransSegs InErrs\nTcp: 1 200 120000 -1 4294967301 0\n"
		      "Udp: InDatagrams\nUdp: 9223372036854775807\n"),
		4);
	ck_assert_str_eq(wrong, "");
	ck_assert_int_eq(v[MAXCONN], -1);
	ck_assert_int_eq(v[RETRANSMITS], 4294967301);
	ck_assert_int_eq(v[RECEIVES], 3000000007);
	ck_assert(v[IN] == INT64_MAX);
}
END_TEST

/* What cannot be said to be a column's is no column's; the other tables stay. */
START_TEST(lines_that_do_not_fit)
{
	ck_assert_int_eq(parse("Tcp: MaxConn RetransSegs\nTcp: -1\nUdp: InDatagrams\nUdp: 4\n"), 1);
	HAS(wrong, "'Tcp' is malformed");
	ck_assert(v[MAXCONN] == QMEM_NA);
	ck_assert_int_eq(v[IN], 4);
	ck_assert_int_eq(parse("Tcp: MaxConn RetransSegs\nTcp: -1 2 3\nUdp: InDatagrams\nUdp: 4\n"), 1);
	HAS(wrong, "'Tcp' is malformed");
	ck_assert(v[RETRANSMITS] == QMEM_NA);
	ck_assert_int_eq(parse("Tcp: MaxConn RetransSegs\nUdp: InDatagrams\nUdp: 4\n"), 1);
	HAS(wrong, "'Tcp' is malformed");
	ck_assert_int_eq(v[IN], 4);
	ck_assert_int_eq(parse("Tcp: MaxConn RetransSegs\nTcp: x 7\nTcp: RetransSegs\nTcp: 8\n"), 1);
	HAS(wrong, "'MaxConn' is malformed, and 1 more");
	ck_assert_int_eq(v[RETRANSMITS], 7);
	ck_assert_int_eq(parse("nothing of the kind\n\nUdp: InDatagrams\nUdp: 4\n"), 1);
	ck_assert_str_eq(wrong, "");
}
END_TEST

/* Wherever it ends: no column is a part of itself. */
START_TEST(cut)
{
	for (size_t len = 0; len < sizeof(of_6_18) - 1; len++) {
		char *text = malloc(len + 1);
		struct fault fault;

		memcpy(text, of_6_18, len);
		snmp_parse(&snmp, text, len, v, &fault);
		ck_assert(v[OVERFLOWS] == QMEM_NA || v[OVERFLOWS] == 37);
		ck_assert(v[MPTCP] == QMEM_NA || v[MPTCP] == 2);
		free(text);
	}
}
END_TEST

/* More tables, columns and names than places can be kept of. */
START_TEST(very_many)
{
	static char text[300000];

	for (int round = 0; round < 2; round++) {
		size_t n = 0;

		for (int i = 0; i < 40; i++)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "IcmpMsg: InType%d\nIcmpMsg: %d\n", i, i);
		n += (size_t)snprintf(text + n, sizeof(text) - n, "Tcp: RetransSegs");
		for (int i = 0; i < 5000; i++)
			n += (size_t)snprintf(text + n, sizeof(text) - n, " Column%d", i);
		n += (size_t)snprintf(text + n, sizeof(text) - n, "\nTcp: 77");
		for (int i = 0; i < 5000; i++)
			n += (size_t)snprintf(text + n, sizeof(text) - n, " %d", i);
		n += (size_t)snprintf(text + n, sizeof(text) - n, "\nUdp: InDatagrams\nUdp: 4\n");
		ck_assert_int_eq(parse(text), 2);
		ck_assert_str_eq(wrong, "");
		ck_assert_int_eq(v[RETRANSMITS], 77);
		ck_assert_int_eq(v[IN], 4);
	}
}
END_TEST

START_TEST(keys)
{
	static const char text[] =
		"Ip6InReceives                   \t0\nUdp6RcvbufErrors                \t12\nUdp6RcvbufErrorsMore \t4\n";
	struct fault fault;

	ck_assert_int_eq(snmp_parse_keys(rows, ROWS, text, sizeof(text) - 1, v, &fault), 1);
	ck_assert_uint_eq(fault.n, 0);
	ck_assert_int_eq(v[UDP6], 12);
	ck_assert(v[OVERFLOWS] == QMEM_NA);
	ck_assert_int_eq(snmp_parse_keys(rows, ROWS, text, 60, v, &fault), 0);
	ck_assert_uint_eq(fault.n, 1);
	ck_assert(v[UDP6] == QMEM_NA);
}
END_TEST

SUITE(snmp)
{
	Suite *s = suite_create("snmp");
	TCase *t = tcase_create("snmp");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, columns_shift);
	tcase_add_test(t, signed_and_large);
	tcase_add_test(t, lines_that_do_not_fit);
	tcase_add_test(t, cut);
	tcase_add_test(t, very_many);
	tcase_add_test(t, keys);
	suite_add_tcase(s, t);
	return s;
}
