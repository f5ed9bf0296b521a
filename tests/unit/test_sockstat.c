/* SPDX-License-Identifier: MIT */
/* The service on files that change; what netlink says is in tests/sockstat.py, on a live kernel, and here by its bytes. */
#include "unit.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "procroot.h"
#include "service/sockstat_dump.h"
#include "service/sockstat_port.h"
#include "service/sockstat_space.h"
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

/* Jobs that are held come back when the engine has gone. */
static void teardown(void)
{
	procroot_host.hold_jobs = false;
	procroot_end();
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

/* ---- whose ---- */

static bool check(const char *value)
{
	char why[128] = "";
	bool good = sockstat_space_check(value, why, sizeof(why));

	ck_assert_int_eq(good, !*why);
	return good;
}

START_TEST(namespaces)
{
	static const struct {
		const char *value, *what;
		enum sockstat_whose whose;
	} good[] = {
		{ "init", "", SPACE_INIT },
		{ "self", "", SPACE_SELF },
		{ "all", "", SPACE_ALL },
		{ "pid:1", "1", SPACE_PID },
		{ "pid:4194304", "4194304", SPACE_PID },
		{ "name:blue", "blue", SPACE_NAMED },
		{ "name:a.b:c d", "a.b:c d", SPACE_NAMED },
		{ "container:0a1b2c", "0a1b2c", SPACE_CONTAINER },
	};
	static const char *const bad[] = {
		"",        "Init",       "init ",           "initial",        "pid",   "pid:",    "pid:0",
		"pid:-1",  "pid:1x",     "pid: 1",          "pid:9999999999", "name:", "name:..", "name:a/b",
		"name:.b", "container:", "container:12345", "other:1"
	};
	char name[SPACE_NAME + 16] = "name:";
	const char *what;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		ck_assert_msg(check(good[i].value), "%s", good[i].value);
		ck_assert_int_eq(sockstat_space_parse(good[i].value, &what), good[i].whose);
		ck_assert_str_eq(what, good[i].what);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(!check(bad[i]), "%s", bad[i]);
	/* as long as there is room for, with its end */
	memset(name + 5, 'x', SPACE_NAME);
	ck_assert(!check(name));
	name[5 + SPACE_NAME - 1] = '\0';
	ck_assert(check(name));
}
END_TEST

START_TEST(refused_option)
{
	struct qmem_error error;

	ck_assert_int_eq(qmem_set(procroot_host.q, "sockstat", NULL, NULL, "Namespace", "pid:none", &error), -EINVAL);
	HAS(error.text, "sockstat");
	HAS(error.text, "Namespace");
	HAS(error.text, "pid:none");
}
END_TEST

/* A process with files of its own: `tcp` sockets, and a counter. */
static void put_space(int pid, const char *cgroup, unsigned long began, int tcp, int drops)
{
	char name[64];

	snprintf(name, sizeof(name), "proc/%d/stat", pid);
	procroot_put(name, "%d (a) S 1 1 1 0 -1 0 5 0 6 0 1 1 0 0 20 0 1 0 %lu 4096000 100 0\n", pid, began);
	snprintf(name, sizeof(name), "proc/%d/cgroup", pid);
	procroot_put(name, "0::%s\n", cgroup);
	snprintf(name, sizeof(name), "proc/%d/net/sockstat", pid);
	procroot_put(name, "sockets: used 9\nTCP: inuse %d orphan 0 tw 0 alloc 131 mem 350\n", tcp);
	snprintf(name, sizeof(name), "proc/%d/net/netstat", pid);
	procroot_put(name, "TcpExt: ListenDrops\nTcpExt: %d\n", drops);
}

static void remove_space(int pid)
{
	char name[64];

	/* who has the file open reads nothing more, as of procfs */
	snprintf(name, sizeof(name), "proc/%d/stat", pid);
	procroot_put(name, "%s", "");
	snprintf(name, sizeof(name), "proc/%d", pid);
	procroot_remove(name);
}

#define TCP procroot_value("sockstat.sockets.tcp")
#define REFUSED procroot_value("sockstat.trouble.drops")

static void wait(int seconds)
{
	while (seconds--)
		procroot_tick();
}

/* It ends, and another one has its number: what that has is its own, and its counters go on from what there was. */
START_TEST(by_pid)
{
	procroot_set("sockstat", "Namespace", "pid:500");
	put_space(500, "/", 1000, 5, 700);
	procroot_start();
	procroot_tick();
	ck_assert_int_eq(TCP, 5000);
	ck_assert_int_eq(REFUSED, 700000);
	HAS(status().reason, "the namespace of process 500");
	put_space(500, "/", 1000, 6, 710);
	procroot_tick();
	ck_assert_int_eq(REFUSED, 710000);
	remove_space(500);
	procroot_tick();
	ck_assert_int_eq(TCP, -1);
	ck_assert_str_eq(status().reason, "there is no process 500 now");
	put_space(500, "/", 7000, 2, 40);
	wait(11);
	ck_assert_int_eq(TCP, 2000);
	ck_assert_int_eq(REFUSED, 710000);
	HAS(status().reason, "the namespace of process 500");
	put_space(500, "/", 7000, 2, 43);
	procroot_tick();
	ck_assert_int_eq(REFUSED, 713000);
}
END_TEST

/* Between two ticks: the files that are open are of the one before. */
START_TEST(same_number)
{
	procroot_set("sockstat", "Namespace", "pid:500");
	put_space(500, "/", 1000, 5, 700);
	procroot_start();
	procroot_tick();
	remove_space(500);
	put_space(500, "/", 1001, 2, 9999);
	procroot_tick();
	ck_assert_int_eq(TCP, 2000);
	ck_assert_int_eq(REFUSED, 700000);
	/* dead, and its parent has not asked for it: it has no namespace */
	procroot_put("proc/500/stat", "500 (a) Z 1 1 1 0 -1 0 5 0 6 0 1 1 0 0 20 0 1 0 1001 0 0 0\n");
	procroot_tick();
	ck_assert_int_eq(TCP, -1);
}
END_TEST

START_TEST(never_there)
{
	procroot_set("sockstat", "Namespace", "pid:500");
	procroot_start();
	ck_assert(status().on);
	procroot_tick();
	ck_assert_int_eq(TCP, -1);
	ck_assert_str_eq(status().reason, "there is no process 500 now");
	put_space(500, "/", 1000, 5, 700);
	wait(11);
	ck_assert_int_eq(TCP, 5000);
}
END_TEST

/* One of the container's processes, and another one when that has ended; of the container that is started anew, too. */
START_TEST(by_container)
{
	procroot_set("sockstat", "Namespace", "container:0a1b2c");
	put_space(400, "/docker/ffffff", 900, 1, 1);
	put_space(500, "/docker/0a1b2c3d", 1000, 5, 700);
	/* dead, and in the cgroup all the same */
	procroot_put("proc/450/stat", "450 (a) Z 1 1 1 0 -1 0 5 0 6 0 1 1 0 0 20 0 1 0 950 0 0 0\n");
	procroot_put("proc/450/cgroup", "0::/docker/0a1b2c3d\n");
	procroot_start();
	HAS(status().reason, "is looked for");
	procroot_tick();
	ck_assert_int_eq(TCP, 5000);
	HAS(status().reason, "the namespace of process 500");
	put_space(600, "/docker/0a1b2c3d", 2000, 6, 10);
	remove_space(500);
	procroot_tick();
	ck_assert_int_eq(TCP, 6000);
	ck_assert_int_eq(REFUSED, 700000);
	remove_space(600);
	procroot_tick();
	ck_assert_int_eq(TCP, -1);
	ck_assert_str_eq(status().reason, "there is no process in the network namespace 'container:0a1b2c' now");
	put_space(700, "/docker/0a1b2c3d", 3000, 7, 10);
	wait(31);
	ck_assert_int_eq(TCP, 7000);
	/* ended, and its number is another container's */
	remove_space(700);
	put_space(700, "/docker/ffffff", 3001, 8, 10);
	procroot_tick();
	ck_assert_int_eq(TCP, -1);
}
END_TEST

/* What is no namespace has no name: there is nothing, and no other one's in its place. */
START_TEST(by_name)
{
	procroot_set("sockstat", "Namespace", "name:blue");
	procroot_put("run/netns/blue", "%s", "");
	put_space(500, "/", 1000, 5, 700);
	procroot_start();
	wait(3);
	ck_assert_int_eq(TCP, -1);
	ck_assert_str_eq(status().reason, "there is no process in the network namespace 'name:blue' now");
}
END_TEST

static int jobs(void)
{
	int n = 0;

	for (const struct qmem_job *j = procroot_host.jobs; j; j = j->next)
		n++;
	for (const struct qmem_job *j = procroot_host.left; j; j = j->next)
		n++;
	return n;
}

/* One that does not come back is not asked a second time, and when it has come back the next one is. */
START_TEST(stuck_look)
{
	procroot_set("sockstat", "Namespace", "container:0a1b2c");
	put_space(500, "/docker/0a1b2c3d", 1000, 5, 700);
	procroot_host.hold_jobs = true;
	procroot_start();
	for (int i = 0; i < 120; i++) {
		procroot_tick();
		qmem_dispatch(procroot_host.q, NULL, 0, procroot_now);
		ck_assert_int_eq(jobs(), 1);
	}
	ck_assert_ptr_nonnull(procroot_host.left);
	ck_assert_int_eq(TCP, -1);
	ck_assert(recorder_come_back(&procroot_host));
	procroot_host.hold_jobs = false;
	wait(31);
	ck_assert_int_eq(TCP, 5000);
}
END_TEST

/* Of all namespaces nothing old is shown when the look at them does not come back. */
START_TEST(stuck_among_all)
{
	procroot_set("sockstat", "Namespace", "all");
	put_space(500, "/docker/0a1b2c3d", 1000, 5, 700);
	procroot_put("proc/500/ns/mnt", "%s", "");
	ck_assert_int_eq(symlink("net:[4026532000]", procroot_path("proc/500/ns/net")), 0);
	procroot_start();
	procroot_tick();
	ck_assert_int_eq(procroot_value("sockstat.namespace.tcp[0a1b2c3d]"), 5000);
	procroot_host.hold_jobs = true;
	for (int i = 0; i < 100; i++) {
		qmem_dispatch(procroot_host.q, NULL, 0, procroot_now);
		procroot_tick();
	}
	ck_assert_ptr_nonnull(procroot_host.left);
	ck_assert_int_eq(procroot_value("sockstat.namespace.tcp[0a1b2c3d]"), -1);
	ck_assert_int_eq(TCP, 120000);
}
END_TEST

/* ---- what cannot be counted ---- */

struct counted {
	struct sockstat_ports ports;
	struct sockstat_dump dump;
};
static int went;

static int start_dump(struct qmem *q, void *state)
{
	struct counted *c = state;

	ck_assert_int_eq(sockstat_ports_init(&c->ports, 2, false), 0);
	ck_assert_int_eq(sockstat_dump_init(&c->dump, 5000000, false, &c->ports), 0);
	sockstat_dump_open(q, &c->dump, 500);
	return 0;
}

static int collect_dump(struct qmem *q, void *state)
{
	bool new;

	went = sockstat_dump_go(q, &((struct counted *)state)->dump, &new);
	return 0;
}

static void stop_dump(struct qmem *q, void *state)
{
	struct counted *c = state;

	(void)q;
	sockstat_dump_release(&c->dump);
	sockstat_ports_release(&c->ports);
}

static const struct qmem_service dump_service = {
	.name = "dump",
	.priority = 100,
	.state_size = sizeof(struct counted),
	.start = start_dump,
	.collect = collect_dump,
	.stop = stop_dump,
};
static const struct qmem_service *const dump_services[] = { &dump_service, NULL };

static void setup_dump(void)
{
	procroot_begin(dump_services);
}

/* No process of a made-up root has a namespace that one could enter. It is tried again in a minute, and stands until then. */
START_TEST(reason_stands)
{
	procroot_start();
	for (int i = 0; i < 130; i++) {
		procroot_tick();
		ck_assert_int_eq(went, -EPERM);
	}
}
END_TEST

/* One that is stuck is not waited for, and there is no other until it is back. */
START_TEST(stuck_opener)
{
	procroot_host.hold_jobs = true;
	procroot_start();
	procroot_tick();
	ck_assert_int_eq(went, 0);
	for (int i = 0; i < 200; i++) {
		qmem_dispatch(procroot_host.q, NULL, 0, procroot_now);
		procroot_tick();
		ck_assert_int_eq(jobs(), 1);
	}
	ck_assert_int_eq(went, -ETIMEDOUT);
	ck_assert(recorder_come_back(&procroot_host));
	procroot_host.hold_jobs = false;
	wait(61);
	ck_assert_int_eq(went, -EPERM);
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
	t = tcase_create("whose");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, namespaces);
	tcase_add_test(t, refused_option);
	tcase_add_test(t, by_pid);
	tcase_add_test(t, same_number);
	tcase_add_test(t, never_there);
	tcase_add_test(t, by_container);
	tcase_add_test(t, by_name);
	tcase_add_test(t, stuck_look);
	tcase_add_test(t, stuck_among_all);
	suite_add_tcase(s, t);
	t = tcase_create("dump");
	tcase_add_checked_fixture(t, setup_dump, teardown);
	tcase_add_test(t, reason_stands);
	tcase_add_test(t, stuck_opener);
	suite_add_tcase(s, t);
	t = tcase_create("ports");
	tcase_add_test(t, by_port);
	tcase_add_test(t, all_ports);
	suite_add_tcase(s, t);
	return s;
}
