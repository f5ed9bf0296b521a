/* SPDX-License-Identifier: MIT */
/* The service on files that change; what netlink says is in tests/sockstat.py, on a live kernel, and here by its bytes. */
#include "unit.h"

#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "procroot.h"
#include "service/sockstat_port.h"
#include "services.h"

static const struct qmem_service *const services[] = { &sockstat_service, NULL };
static int64_t page;

static void setup(void)
{
	page = sysconf(_SC_PAGESIZE) * 1000;
	procroot_begin(services);
	procroot_put("proc/1/net/sockstat",
		     "sockets: used 900\nTCP: inuse 120 orphan 3 tw 15 alloc 131 mem 350\nUDP: inuse 20 mem 12\n"
		     "UDPLITE: inuse 0\nRAW: inuse 1\nFRAG: inuse 2 memory 131072\n");
}

static struct qmem_status status(void)
{
	struct qmem_status s;

	ck_assert(qmem_status(procroot_host.q, 0, &s));
	return s;
}

/* Pages are as long as this machine's; fragments are in bytes. */
START_TEST(totals)
{
	procroot_put("proc/1/net/sockstat6",
		     "TCP6: inuse 7\nUDP6: inuse 8\nUDPLITE6: inuse 0\nRAW6: inuse 2\nFRAG6: inuse 0 memory 0\n");
	procroot_put("proc/sys/net/ipv4/tcp_mem", "100\t400\t600\n");
	procroot_put("proc/sys/net/ipv4/udp_mem", "100\t400\t700\n");
	procroot_put("proc/sys/net/ipv4/tcp_max_orphans", "4096\n");
	procroot_put("proc/sys/net/ipv4/tcp_max_tw_buckets", "8192\n");
	procroot_set("sockstat", "Detail", "yes");
	procroot_start();
	procroot_tick();
	ck_assert_int_eq(procroot_value("sockstat.sockets.used"), 900000);
	ck_assert_int_eq(procroot_value("sockstat.sockets.tcp"), 120000);
	ck_assert_int_eq(procroot_value("sockstat.sockets.tcp6"), 7000);
	ck_assert_int_eq(procroot_value("sockstat.sockets.raw"), 3000);
	ck_assert_int_eq(procroot_value("sockstat.tcp_memory.used"), 350 * page);
	ck_assert_int_eq(procroot_value("sockstat.tcp_memory.pressure"), 400 * page);
	ck_assert_int_eq(procroot_value("sockstat.tcp_memory.limit"), 600 * page);
	ck_assert_int_eq(procroot_value("sockstat.udp_memory.used"), 12 * page);
	ck_assert_int_eq(procroot_value("sockstat.udp_memory.limit"), 700 * page);
	ck_assert_int_eq(procroot_value("sockstat.ending.orphans"), 3000);
	ck_assert_int_eq(procroot_value("sockstat.ending.orphans_limit"), 4096000);
	ck_assert_int_eq(procroot_value("sockstat.ending.time_wait"), 15000);
	ck_assert_int_eq(procroot_value("sockstat.ending.time_wait_limit"), 8192000);
	ck_assert_int_eq(procroot_value("sockstat.fragments.ipv4"), 131072000);
	/* files have no sockets that could be counted */
	ck_assert(procroot_value("sockstat.tcp.listen") == QMEM_NA);
	ck_assert(procroot_value("sockstat.age.dump") == QMEM_NA);
	ck_assert_str_eq(status().reason, "the namespace of process 1; of files there are no counts by state and port");
}
END_TEST

START_TEST(counters)
{
	procroot_put("proc/1/net/netstat", "TcpExt: SyncookiesSent ListenOverflows ListenDrops\nTcpExt: 1 2 3\n");
	procroot_put("proc/1/net/snmp",
		     "Tcp: MaxConn RetransSegs OutRsts\nTcp: -1 4294967301 5\nUdp: RcvbufErrors\nUdp: 6\n");
	procroot_put("proc/1/net/snmp6", "Udp6RcvbufErrors                \t10\n");
	procroot_set("sockstat", "Detail", "yes");
	procroot_start();
	procroot_tick();
	ck_assert_int_eq(procroot_value("sockstat.trouble.syncookies"), 1000);
	ck_assert_int_eq(procroot_value("sockstat.trouble.overflows"), 2000);
	ck_assert_int_eq(procroot_value("sockstat.trouble.drops"), 3000);
	ck_assert_int_eq(procroot_value("sockstat.trouble.retransmits"), 4294967301000);
	ck_assert_int_eq(procroot_value("sockstat.udp_trouble.receive_buffer"), 16000);
	/* a kernel that has others in between */
	procroot_put("proc/1/net/netstat", "TcpExt: SyncookiesSent New ListenDrops ListenOverflows\nTcpExt: 1 2 3 4\n");
	procroot_tick();
	ck_assert_int_eq(procroot_value("sockstat.trouble.overflows"), 4000);
	ck_assert_int_eq(procroot_value("sockstat.trouble.drops"), 3000);
}
END_TEST

/* Without IPv6, and without what an old kernel has not: no error, and nothing in the log. */
START_TEST(what_is_not_there)
{
	const char *said;

	said = procroot_start();
	HAS_NOT(said, "warning");
	said = procroot_tick();
	HAS_NOT(said, "warning");
	ck_assert(procroot_value("sockstat.sockets.tcp6") == QMEM_NA);
	ck_assert(procroot_value("sockstat.tcp_memory.limit") == QMEM_NA);
	ck_assert(procroot_value("sockstat.trouble.drops") == QMEM_NA);
	ck_assert_int_eq(procroot_value("sockstat.sockets.tcp"), 120000);
	procroot_put("proc/1/net/sockstat", "TCP: inuse 1x orphan 4\n");
	said = procroot_tick();
	HAS(said, "'/proc/1/net/sockstat': 'TCP: inuse 1x' is malformed");
	ck_assert(procroot_value("sockstat.sockets.tcp") == QMEM_NA);
	ck_assert_int_eq(procroot_value("sockstat.ending.orphans"), 4000);
	said = procroot_tick();
	HAS_NOT(said, "malformed");
}
END_TEST

START_TEST(no_network)
{
	procroot_remove("proc/1/net/sockstat");
	ck_assert_int_ne(qmem_start(procroot_host.q, QMEM_SECOND, QMEM_SECOND, procroot_now), 0);
	ck_assert(!status().on);
}
END_TEST

/* ---- ports ---- */

static struct sockstat_ports ports;

static void add(uint8_t state, uint16_t port, uint32_t queue, uint32_t backlog, int64_t drops)
{
	struct sockdiag s = { .family = AF_INET,
			      .state = state,
			      .port = port,
			      .rqueue = queue,
			      .wqueue = backlog,
			      .uid = queue,
			      .cgroup = 7 };

	for (int i = 0; i < SOCKDIAG_MEMORY; i++)
		s.memory[i] = QMEM_NA;
	s.memory[SOCKDIAG_DROPS] = drops;
	sockstat_ports_add(&ports, &s, false);
}

/* Sockets of one port are one, whose fullest is told of; a connection counts where somebody listens. */
START_TEST(by_port)
{
	ports = (struct sockstat_ports){ 0 };
	ck_assert_int_eq(sockstat_ports_init(&ports, 2, false), 0);
	for (int round = 0; round < 3; round++) {
		sockstat_ports_begin(&ports);
		add(TCP_LISTEN, 443, 1, 128, 5);
		add(TCP_LISTEN, 80, 100, 128, QMEM_NA);
		add(TCP_LISTEN, 443, 4, 4, 6);
		add(TCP_LISTEN, 443, 3, 0xffffffff, 0);
		add(TCP_ESTABLISHED, 443, 0, 0, QMEM_NA);
		add(TCP_CLOSE_WAIT, 443, 0, 0, QMEM_NA);
		add(TCP_TIME_WAIT, 443, 0, 0, QMEM_NA);
		add(TCP_SYN_RECV, 443, 0, 0, QMEM_NA);
		add(TCP_ESTABLISHED, 444, 0, 0, QMEM_NA);
		if (round == 1) {
			/* one that was given up leaves nothing */
			sockstat_ports_begin(&ports);
			add(TCP_LISTEN, 22, 0, 128, 0);
			add(TCP_ESTABLISHED, 443, 0, 0, QMEM_NA);
			continue;
		}
		sockstat_ports_end(&ports);
		ck_assert_uint_eq(ports.n, 2);
		ck_assert_int_eq(ports.ports[0].port, 80);
		ck_assert_int_eq(ports.ports[0].connections, 0);
		ck_assert(ports.ports[0].drops == QMEM_NA);
		ck_assert_int_eq(ports.ports[1].port, 443);
		ck_assert_int_eq(ports.ports[1].connections, 2);
		ck_assert_int_eq(ports.ports[1].queue, 8);
		ck_assert_int_eq(ports.ports[1].backlog, 132 + INT64_C(0xffffffff));
		ck_assert_int_eq(ports.ports[1].drops, 11);
		ck_assert_int_eq(ports.ports[1].fullest_queue, 4);
		ck_assert_int_eq(ports.ports[1].fullest_backlog, 4);
		ck_assert_uint_eq(ports.ports[1].uid, 4);
		ck_assert_uint_eq(ports.ports[1].sockets, 3);
	}
	sockstat_ports_release(&ports);
}
END_TEST

START_TEST(all_ports)
{
	ports = (struct sockstat_ports){ 0 };
	ck_assert_int_eq(sockstat_ports_init(&ports, 2, false), 0);
	for (int round = 0; round < 2; round++) {
		sockstat_ports_begin(&ports);
		for (int port = 65535; port >= 0; port--)
			add(TCP_LISTEN, (uint16_t)port, 1, 128, 0);
		for (int port = 0; port < 65536; port++)
			add(TCP_ESTABLISHED, (uint16_t)port, 0, 0, 0);
		sockstat_ports_end(&ports);
		ck_assert_uint_eq(ports.n, 65536);
		ck_assert_int_eq(ports.ports[65535].port, 65535);
		ck_assert_int_eq(ports.ports[65535].connections, 1);
	}
	sockstat_ports_release(&ports);
}
END_TEST

SUITE(sockstat)
{
	Suite *s = suite_create("sockstat");
	TCase *t = tcase_create("sockstat");

	tcase_add_checked_fixture(t, setup, procroot_end);
	tcase_add_test(t, totals);
	tcase_add_test(t, counters);
	tcase_add_test(t, what_is_not_there);
	tcase_add_test(t, no_network);
	suite_add_tcase(s, t);
	t = tcase_create("ports");
	tcase_add_test(t, by_port);
	tcase_add_test(t, all_ports);
	suite_add_tcase(s, t);
	return s;
}
