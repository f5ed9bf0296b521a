/* SPDX-License-Identifier: MIT */
/* Queues that are too long, and whose they are: on ports as a dump would tell of them, and cgroups that are directories. */
#include "unit.h"

#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "procroot.h"
#include "rows.h"
#include "service/sockstat_event.h"

#define LISTENERS 40

/* A port of the next dump. */
struct listener {
	uint16_t port;
	uint32_t queue, backlog;
	int64_t drops;
	uint32_t uid;
	const char *cgroup; /* NULL: not told */
};

static struct listener dump[LISTENERS];
static size_t dump_n;
static bool lost;

struct demo {
	struct sockstat_ports ports;
	struct sockstat_events events;
};

static const struct qmem_metric metrics[] = {
	METRIC(sockstat_instance, "queue", NULL, v[PORT_QUEUE], "that wait"),
	{ 0 },
};
static const struct qmem_metric drops_metrics[] = {
	METRIC(sockstat_instance, "refused", NULL, v[PORT_DROPS], "that were refused"),
	{ 0 },
};
static const struct qmem_family families[] = {
	FAMILY("port", "Queues", "network/sockets", "line", metrics, GAUGE("connections", 1, "gauge"), .label = "port"),
	FAMILY("drops", "Refused", "network/sockets", "line", drops_metrics, EVENTS, .label = "port"),
	{ 0 },
};

static int start(struct qmem *q, void *state)
{
	struct demo *d = state;

	d->events.full = 8000;
	ck_assert_int_eq(sockstat_ports_init(&d->ports, 1, false), 0);
	return sockstat_who_new(q, &d->events.who);
}

static int64_t id_of(const char *cgroup)
{
	char name[128];
	struct stat st;

	if (!cgroup)
		return QMEM_NA;
	snprintf(name, sizeof(name), "sys/fs/cgroup%s", cgroup);
	return stat(procroot_path(name), &st) ? 1 : (int64_t)st.st_ino;
}

static int collect(struct qmem *q, void *state)
{
	struct demo *d = state;

	if (lost) {
		sockstat_events_leave(q, &d->events);
		sockstat_ports_anew(&d->ports);
		lost = false;
	}
	sockstat_ports_begin(&d->ports);
	for (size_t i = 0; i < dump_n; i++) {
		const struct listener *l = &dump[i];
		struct sockdiag s = { .family = AF_INET,
				      .state = TCP_LISTEN,
				      .port = l->port,
				      .rqueue = l->queue,
				      .wqueue = l->backlog,
				      .uid = l->uid,
				      .cgroup = id_of(l->cgroup) };

		for (int k = 0; k < SOCKDIAG_MEMORY; k++)
			s.memory[k] = l->drops;
		sockstat_ports_add(&d->ports, &s, false);
	}
	sockstat_ports_end(&d->ports);
	ck_assert_int_eq(sockstat_ports_choose(q, &d->ports, d->events.full), 0);
	sockstat_events_look(q, &d->events, d->ports.ports, d->ports.n);
	sockstat_ports_emit(q, &d->ports, families);
	return 0;
}

static void stop(struct qmem *q, void *state)
{
	struct demo *d = state;

	(void)q;
	sockstat_ports_release(&d->ports);
	sockstat_who_free(d->events.who);
}

static const struct qmem_service demo = {
	.name = "demo",
	.priority = 100,
	.families = families,
	.state_size = sizeof(struct demo),
	.start = start,
	.collect = collect,
	.stop = stop,
};
static const struct qmem_service *const services[] = { &demo, NULL };

/* A cgroup, and all above it. */
static void put_cgroup(const char *path)
{
	char name[512];

	snprintf(name, sizeof(name), "sys/fs/cgroup%s/cgroup.procs", path);
	procroot_put(name, "%s", "");
}

static void setup(void)
{
	procroot_begin(services);
	procroot_put("etc/passwd", "root:x:0:0::/:/bin/sh\nwww:x:33:33::/:/bin/sh\n");
	procroot_put("sys/fs/cgroup/cgroup.controllers", "memory\n");
	put_cgroup("/system.slice/web.service");
	put_cgroup("/system.slice/db.service");
	dump_n = 0;
	lost = false;
}

static void teardown(void)
{
	procroot_host.hold_jobs = false;
	procroot_end();
}

#define DUMP(...)                                                                                                      \
	do {                                                                                                           \
		static const struct listener all[] = { __VA_ARGS__ };                                                  \
		dump_n = sizeof(all) / sizeof(*all);                                                                   \
		memcpy(dump, all, sizeof(all));                                                                        \
	} while (0)

static void quiet(int ticks)
{
	while (ticks--)
		HAS_NOT(procroot_tick(), "event ");
}

/* A burst is none; then it says who; it is over when it has been short for half a minute. */
START_TEST(one_queue)
{
	const char *said;

	procroot_start();
	DUMP({ 80, 5, 4, 7, 33, "/system.slice/web.service" }, { 443, 1, 128, 0, 33, NULL });
	said = procroot_tick();
	HAS_NOT(said, "event ");
	DUMP({ 80, 4, 5, 7, 33, "/system.slice/web.service" }, { 443, 1, 128, 0, 33, NULL });
	said = procroot_tick();
	HAS(said,
	    "event WARNING sockstat.listen_queue[80] port 80 does not accept its connections: 4 wait, of a backlog of 5; "
	    "user www, cgroup /system.slice/web.service; for ");
	HAS(said, "  user=www\n  cgroup=/system.slice/web.service\n");
	/* it drops some: worse */
	DUMP({ 80, 4, 5, 9, 33, "/system.slice/web.service" });
	said = procroot_tick();
	HAS(said, "event FAILURE sockstat.listen_queue[80]");
	HAS(said, ", 2 refused since it began");
	DUMP({ 80, 0, 5, 9, 33, "/system.slice/web.service" });
	quiet(29);
	said = procroot_tick();
	HAS(said,
	    "event OKAY sockstat.listen_queue[80] port 80 accepts its connections again: the queue was too long for ");
	quiet(40);
}
END_TEST

/* What is long once and again after a while is a burst each time. */
START_TEST(bursts)
{
	procroot_start();
	for (int i = 0; i < 5; i++) {
		DUMP({ 80, 5, 4, 7, 33, NULL });
		HAS_NOT(procroot_tick(), "event ");
		DUMP({ 80, 0, 4, 7, 33, NULL });
		quiet(2);
	}
}
END_TEST

/* A socket with a backlog of nothing has room for one; what is nearly full is too long for the event and for the chart alike. */
START_TEST(what_is_long)
{
	struct sockstat_port p = { .fullest_queue = 0, .fullest_backlog = 0 };

	ck_assert(!sockstat_port_is_long(&p, 8000));
	p.fullest_queue = 1;
	ck_assert(sockstat_port_is_long(&p, 8000));
	p.fullest_backlog = 128;
	p.fullest_queue = 102;
	ck_assert(!sockstat_port_is_long(&p, 8000));
	p.fullest_queue = 103;
	ck_assert(sockstat_port_is_long(&p, 8000));
	p.fullest_queue = -1;
	ck_assert(!sockstat_port_is_long(&p, 8000));
}
END_TEST

/* The one place goes to the port that has the event, though its other socket is empty, and the other port has more that wait. */
START_TEST(chart_and_event)
{
	const char *said;

	procroot_start();
	DUMP({ 80, 10, 10, 0, 33, NULL }, { 80, 0, 1000, 0, 33, NULL }, { 443, 700, 1000, 0, 33, NULL });
	procroot_tick();
	said = procroot_tick();
	HAS(said, "listen_queue[80]");
	HAS_NOT(said, "listen_queue[443]");
	ck_assert_int_eq(procroot_value("demo.port.queue[80]"), 10000);
	ck_assert_int_eq(procroot_value("demo.port.queue[other]"), 700000);
}
END_TEST

/* With a worker that takes its time each has its names, however many others ask at each dump. */
START_TEST(nobody_starves)
{
	const char *said;

	put_cgroup("/many/a.service");
	put_cgroup("/many/b.service");
	put_cgroup("/many/c.service");
	procroot_host.hold_jobs = true;
	procroot_start();
	DUMP({ 1, 9, 9, 0, 33, "/many/a.service" }, { 2, 9, 9, 0, 0, "/many/b.service" },
	     { 3, 9, 9, 0, 33, "/many/c.service" });
	for (int i = 0; i < 6; i++) {
		procroot_tick();
		procroot_work(0);
		procroot_work(0);
	}
	/* worse, so that it is said again */
	for (size_t i = 0; i < dump_n; i++)
		dump[i].drops++;
	said = procroot_tick();
	HAS(said, "user www, cgroup /many/a.service;");
	HAS(said, "user root, cgroup /many/b.service;");
	HAS(said, "user www, cgroup /many/c.service;");
}
END_TEST

/* What lies too deep hides nothing that comes after it. */
START_TEST(deep)
{
	char path[256] = "/a";
	const char *said;

	for (int i = 0; i < 40; i++)
		strcat(path, "/d");
	put_cgroup(path);
	/* beside the directory that is not gone into, whichever the order */
	path[2 + 2 * 32] = '\0';
	for (char c = 'e'; c < 'm'; c++) {
		char beside[256];

		snprintf(beside, sizeof(beside), "%.*s/%c", (int)strlen(path) - 2, path, c);
		put_cgroup(beside);
	}
	procroot_start();
	for (char c = 'e'; c < 'm'; c++) {
		static char cgroup[256];
		char words[64];

		snprintf(cgroup, sizeof(cgroup), "%.*s/%c", (int)strlen(path) - 2, path, c);
		dump[0] = (struct listener){ (uint16_t)c, 5, 4, 0, 33, cgroup };
		dump_n = 1;
		procroot_tick();
		said = procroot_tick();
		snprintf(words, sizeof(words), "listen_queue[%d]", c);
		HAS(said, words);
		HAS(said, cgroup + strlen(cgroup) - 20);
	}
}
END_TEST

/* Other sockets are counted: what was is over, and what ports of the same number have dropped there is no growth of these. */
START_TEST(other_sockets)
{
	const char *said;

	procroot_start();
	DUMP({ 80, 5, 4, 7, 33, NULL });
	procroot_tick();
	procroot_tick();
	DUMP({ 80, 0, 4, 907, 33, NULL });
	lost = true;
	said = procroot_tick();
	HAS(said,
	    "event OKAY sockstat.listen_queue[80] port 80 is of a network namespace that is not looked at any more: ");
	ck_assert_int_eq(procroot_value("demo.drops.refused[80]"), 7000);
	DUMP({ 80, 0, 4, 910, 33, NULL });
	said = procroot_tick();
	HAS_NOT(said, "event ");
	ck_assert_int_eq(procroot_value("demo.drops.refused[80]"), 10000);
}
END_TEST

/* A worker that is stuck is told without: the event comes, with the user's number, and no second job is given to it. */
START_TEST(stuck)
{
	const char *said;
	bool told = false;

	procroot_host.hold_jobs = true;
	procroot_start();
	DUMP({ 80, 5, 4, 7, 33, "/system.slice/web.service" });
	for (int i = 0; i < 60; i++) {
		qmem_dispatch(procroot_host.q, NULL, 0, procroot_now);
		said = procroot_tick();
		told |= strstr(said, "does not accept its connections: 5 wait, of a backlog of 4; user 33; for ") !=
			NULL;
	}
	ck_assert(told);
	ck_assert_ptr_nonnull(procroot_host.left);
	ck_assert_ptr_null(procroot_host.left->next);
	ck_assert_ptr_null(procroot_host.jobs);
}
END_TEST

SUITE(sockstat_event)
{
	Suite *s = suite_create("sockstat_event");
	TCase *t = tcase_create("sockstat_event");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, one_queue);
	tcase_add_test(t, bursts);
	tcase_add_test(t, what_is_long);
	tcase_add_test(t, chart_and_event);
	tcase_add_test(t, nobody_starves);
	tcase_add_test(t, deep);
	tcase_add_test(t, other_sockets);
	tcase_add_test(t, stuck);
	suite_add_tcase(s, t);
	return s;
}
