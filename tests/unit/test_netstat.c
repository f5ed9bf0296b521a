/* SPDX-License-Identifier: MIT */
/* The service on a root that changes from tick to tick. */
#include "unit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "procroot.h"
#include "services.h"

#define SECOND QMEM_SECOND
#define HEADER                                                                                                             \
	"Inter-|   Receive                                                |  Transmit\n"                                   \
	" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier " \
	"compressed\n"

static const struct qmem_service *const services[] = { &netstat_service, NULL };
static struct recorder *const r = &procroot_host;
static char file[1 << 20]; /* being written */
static const char *text;   /* of the last tick */

static void put(const char *name)
{
	procroot_put(name, "%s", file);
}

static void line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void line(const char *fmt, ...)
{
	size_t len = strlen(file);
	va_list args;

	va_start(args, fmt);
	vsnprintf(file + len, sizeof(file) - len, fmt, args);
	va_end(args);
}

/* An interface that has received `rx` bytes, and sent twice as many; 1/100 packets. */
static void device(const char *name, int64_t rx)
{
	line("%6s: %7" PRId64 " %7" PRId64 " 0 0 0 0 0 0 %8" PRId64 " %7" PRId64 " 0 0 0 0 0 0\n", name, rx, rx / 100,
	     2 * rx, 2 * rx / 100);
}

static void first_line(void)
{
	strcpy(file, HEADER);
}

static int tick(void)
{
	int err;

	put("proc/1/net/dev");
	err = qmem_collect(r->q, procroot_now);
	procroot_now += SECOND;
	text = recorder_take(r);
	first_line();
	return err;
}

/* A counter of the last tick; QMEM_NA if it is not there. */
static int64_t get(const char *name)
{
	char start[128];
	const char *found;

	snprintf(start, sizeof(start), "netstat.%s ", name);
	found = strstr(text, start);
	if (!found || found[strlen(start)] == '-')
		return QMEM_NA;
	return strtoll(found + strlen(start), NULL, 10);
}

static void setup(void)
{
	procroot_begin(services);
	first_line();
	put("proc/1/net/dev");
}

static void set(const char *option, const char *value)
{
	procroot_set("netstat", option, value);
}

static const char *note(void)
{
	struct qmem_status status;

	ck_assert(qmem_status(r->q, 0, &status));
	return status.reason;
}

/* ---- */

START_TEST(values)
{
	procroot_start();
	line("  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n");
	ck_assert_int_eq(tick(), 0);
	ck_assert_str_eq(text, "netstat.bytes.rx[eth0] 1 bytes total\n"
			       "netstat.bytes.tx[eth0] 9 bytes total\n"
			       "netstat.packets.rx[eth0] 2 packets total\n"
			       "netstat.packets.tx[eth0] 10 packets total\n"
			       "netstat.errors.rx[eth0] 3 errors total\n"
			       "netstat.errors.tx[eth0] 11 errors total\n"
			       "netstat.drops.rx[eth0] 4 packets total\n"
			       "netstat.drops.tx[eth0] 12 packets total\n"
			       "collected netstat every 1000 ms\n");
	ck_assert_str_eq(note(), "the namespace of process 1");
}
END_TEST

START_TEST(detail)
{
	set("Detail", "yes");
	procroot_start();
	line("  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n");
	ck_assert_int_eq(tick(), 0);
	ck_assert_ptr_nonnull(strstr(text, "netstat.fifo.rx[eth0] 5 errors total\n"
					   "netstat.fifo.tx[eth0] 13 errors total\n"
					   "netstat.link.frame[eth0] 6 errors total\n"
					   "netstat.link.collisions[eth0] 14 errors total\n"
					   "netstat.link.carrier[eth0] 15 errors total\n"
					   "netstat.compressed.rx[eth0] 7 packets total\n"
					   "netstat.compressed.tx[eth0] 16 packets total\n"
					   "netstat.multicast.received[eth0] 8 packets total\n"));
}
END_TEST

START_TEST(odd_names)
{
	procroot_start();
	for (int i = 1; i <= 2; i++) {
		device("a\"b=c", 100 * i);
		device("eth0:1", 200 * i);
		device("100%s", 300 * i);
		device("\xc3\xa9", 400 * i);
		ck_assert_int_eq(tick(), 0);
		ck_assert_int_eq(get("bytes.rx[a\"b=c]"), 100 * i);
		ck_assert_int_eq(get("bytes.rx[eth0:1]"), 200 * i);
		ck_assert_int_eq(get("bytes.rx[100%s]"), 300 * i);
		ck_assert_int_eq(get("bytes.rx[\xc3\xa9]"), 400 * i);
	}
}
END_TEST

START_TEST(selection)
{
	set("Interface", "lo");
	set("Interface", "/^veth/");
	set("IgnoreSelected", "yes");
	procroot_start();
	device("lo", 1);
	device("veth12", 2);
	device("eth0", 3);
	ck_assert_int_eq(tick(), 0);
	ck_assert_int_eq(count_of(text, "netstat.bytes.rx["), 1);
	ck_assert_int_eq(get("bytes.rx[eth0]"), 3);
	/* what is not wanted is not in the sum either */
	ck_assert(get("bytes.rx[other]") == QMEM_NA);
}
END_TEST

START_TEST(wrong_rule)
{
	struct qmem_error error = { "" };

	ck_assert_int_eq(qmem_set(r->q, "netstat", NULL, NULL, "Interface", "/(/", &error), -EINVAL);
	ck_assert_str_eq(error.text, "netstat: Interface '/(/' is not an extended regular expression");
}
END_TEST

START_TEST(wrap_and_reset)
{
	static const struct {
		int64_t raw, total;
	} steps[] = {
		{ 4000000000, 4000000000 },  { 4294967295, 4294967295 },
		{ 10, 4294967306 },                             /* 32 bits are over */
		{ 20, 4294967316 },          { 5, 4294967316 }, /* the driver has started anew */
		{ 6, 4294967317 },           { 3221225471, 7516192782 },
		{ 7, 7516192782 },                                        /* not from the top quarter: no wrap */
		{ 3221225472, 10737418247 }, { 1073741824, 10737418247 }, /* not to the bottom quarter */
		{ 5000000000, 14663676423 }, { 100, 14663676423 },        /* from beyond 32 bits */
	};

	procroot_start();
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		line("eth0: %" PRId64 " 1 0 0 0 0 0 0 5 1 0 0 0 0 0 0\n", steps[i].raw);
		ck_assert_int_eq(tick(), 0);
		ck_assert_msg(get("bytes.rx[eth0]") == steps[i].total, "step %zu: %" PRId64 ", not %" PRId64, i,
			      get("bytes.rx[eth0]"), steps[i].total);
		ck_assert_int_eq(get("bytes.tx[eth0]"), 5);
	}
}
END_TEST

/* An interface that is made anew begins at 0, whatever it had: that is no wrap, neither of it nor in the sum of the others. */
START_TEST(made_anew)
{
	static const struct {
		const char *columns;
		int64_t rx, tx;
	} steps[] = {
		{ "3500000000 9000 0 0 0 0 0 0 700 8000 0 0 0 0 0 0", 3500000000, 700 },
		/* redialled: all of its counters fall */
		{ "100 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0", 3500000000, 700 },
		{ "4000000000 9000 0 0 0 0 0 0 5000000000 8000 0 0 0 0 0 0", 7499999900, 5000000700 },
		/* one of them had more than 32 bits, and so has this */
		{ "50 9000 0 0 0 0 0 0 5000000010 8001 0 0 0 0 0 0", 7499999900, 5000000710 },
		{ "4000000050 9000 0 0 0 0 0 0 5000000010 8001 0 0 0 0 0 0", 11499999900, 5000000710 },
		{ "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0", 11499999900, 5000000710 },
		/* both directions at once */
		{ "4294967290 5 0 0 0 0 0 0 4294967291 5 0 0 0 0 0 0", 15794967190, 9294968001 },
		{ "3 5 0 0 0 0 0 0 4 5 0 0 0 0 0 0", 15794967190, 9294968001 },
		/* alone it is a wrap, also beside one that cannot be read */
		{ "4294967290 6 0 0 0 0 0 0 4 6 0 0 0 0 0 0", 20089934477, 9294968001 },
		{ "4 7 0 0 0 0 0 0 5 x 0 0 0 0 0 0", 20089934487, 9294968002 },
	};

	for (int top = 1; top >= 0; top--) {
		const char *rx = top ? "bytes.rx[ppp0]" : "bytes.rx[other]",
			   *tx = top ? "bytes.tx[ppp0]" : "bytes.tx[other]";
		int64_t before[2] = { 0 };

		if (!top) {
			procroot_end();
			setup();
			procroot_set("netstat", "Top", "0");
		}
		procroot_start();
		for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
			line("ppp0: %s\n", steps[i].columns);
			ck_assert_int_eq(tick(), 0);
			/* others begin with nothing, since what one had before is not told of them */
			if (!top && !i) {
				before[0] = steps[i].rx - get(rx);
				before[1] = steps[i].tx - get(tx);
			}
			ck_assert_msg(get(rx) + before[0] == steps[i].rx && get(tx) + before[1] == steps[i].tx,
				      "step %zu: %" PRId64 " and %" PRId64, i, get(rx), get(tx));
		}
	}
}
END_TEST

START_TEST(beyond_int64)
{
	procroot_start();
	for (int i = 0; i < 3; i++) {
		line("eth0: 18446744073709551615 %d 0 0 0 0 0 0 77 1 0 0 0 0 0 0\n", 1 + i);
		ck_assert_int_eq(tick(), 0);
		ck_assert(get("bytes.rx[eth0]") == QMEM_NA);
		ck_assert_int_eq(get("packets.rx[eth0]"), 1 + i);
		ck_assert_int_eq(get("bytes.tx[eth0]"), 77);
		ck_assert_int_eq(
			count_of(text, "log warning netstat: '/proc/1/net/dev': 'eth0 rx bytes' is too large\n"), !i);
	}
	device("eth0", 4000);
	ck_assert_int_eq(tick(), 0);
	ck_assert_int_eq(count_of(text, "log info"), 1);
}
END_TEST

START_TEST(malformed)
{
	procroot_start();
	device("eth0", 100);
	line("eth1: what\n");
	line("eth2: 1 2 3");
	ck_assert_int_eq(tick(), 0);
	ck_assert_int_eq(get("bytes.rx[eth0]"), 100);
	ck_assert_int_eq(count_of(text, "netstat.bytes.rx["), 1);
	ck_assert_int_eq(count_of(text, "log warning"), 1);
	device("eth0", 100);
	line("eth1: 1 2 3\n");
	ck_assert_int_eq(tick(), 0);
	ck_assert_int_eq(get("bytes.rx[eth1]"), 1);
	ck_assert(get("bytes.tx[eth1]") == QMEM_NA);
	ck_assert_int_eq(count_of(text, "log info"), 1);
	*file = '\0';
	ck_assert_int_ne(tick(), 0);
	ck_assert_int_eq(count_of(text, "netstat."), 0);
}
END_TEST

/* A name goes to another interface, which brings a lifetime of traffic with it. */
START_TEST(names_are_swapped)
{
	procroot_start();
	device("eth0", 1000);
	device("eth1", 900000000);
	device("lan0", 5000);
	ck_assert_int_eq(tick(), 0);
	device("eth1", 1100);
	device("eth0", 900000300);
	device("lan0", 5500);
	ck_assert_int_eq(tick(), 0);
	/* what was received meanwhile counts, the lifetime does not */
	ck_assert_int_eq(get("bytes.rx[eth0]"), 1300);
	ck_assert_int_eq(get("bytes.rx[eth1]"), 900000000);
	ck_assert_int_eq(get("bytes.rx[lan0]"), 5500);
	device("eth1", 1150);
	device("eth0", 900000700);
	device("lan0", 5500);
	ck_assert_int_eq(tick(), 0);
	ck_assert_int_eq(get("bytes.rx[eth0]"), 1700);
	ck_assert_int_eq(get("bytes.rx[eth1]"), 900000050);
}
END_TEST

/* One that goes, and a young one that downloads more than the other ever had, have nothing to do with each other. */
START_TEST(traffic_beside_one_that_goes)
{
	procroot_start();
	device("va", 5000000);
	device("vb", 10000);
	ck_assert_int_eq(tick(), 0);
	device("vb", 100000000);
	ck_assert_int_eq(tick(), 0);
	ck_assert_int_eq(get("bytes.rx[vb]"), 100000000);
	device("vb", 200000000);
	ck_assert_int_eq(tick(), 0);
	ck_assert_int_eq(get("bytes.rx[vb]"), 200000000);
}
END_TEST

/* Three in a circle; and one that takes the name of one that is gone. */
START_TEST(names_go_round)
{
	procroot_start();
	device("a", 1000);
	device("b", 50000);
	device("c", 900000);
	device("d", 70);
	ck_assert_int_eq(tick(), 0);
	device("b", 1001);
	device("c", 50002);
	device("a", 900003);
	device("d", 71);
	ck_assert_int_eq(tick(), 0);
	ck_assert_int_eq(get("bytes.rx[a]"), 1003);
	ck_assert_int_eq(get("bytes.rx[b]"), 50000);
	ck_assert_int_eq(get("bytes.rx[c]"), 900000);
	ck_assert_int_eq(get("bytes.rx[d]"), 71);
	/* a is gone, d is now what a was */
	device("b", 1001);
	device("c", 50002);
	device("d", 900010);
	ck_assert_int_eq(tick(), 0);
	ck_assert_int_eq(get("bytes.rx[d]"), 78);
	ck_assert_int_eq(count_of(text, "[a]"), 0);
	/* and under its old name nothing jumps either */
	device("b", 1001);
	device("c", 50002);
	device("d", 900020);
	device("a", 123456789);
	ck_assert_int_eq(tick(), 0);
	ck_assert_int_eq(get("bytes.rx[a]"), 1003);
	ck_assert_int_eq(get("bytes.rx[d]"), 88);
}
END_TEST

/* Each takes the name of the next, and the last one is gone. */
START_TEST(names_move_on)
{
	procroot_start();
	device("a", 1000);
	device("b", 50000);
	device("c", 900000);
	ck_assert_int_eq(tick(), 0);
	device("a", 50002);
	device("b", 900003);
	ck_assert_int_eq(tick(), 0);
	ck_assert_int_eq(get("bytes.rx[a]"), 1002);
	ck_assert_int_eq(get("bytes.rx[b]"), 50003);
}
END_TEST

/* The driver of one is loaded again while another is busy: the busy one loses nothing. */
START_TEST(reset_beside_a_busy_one)
{
	procroot_start();
	device("eth0", 1000);
	device("eth1", 900000000);
	ck_assert_int_eq(tick(), 0);
	device("eth0", 10);
	device("eth1", 990000000);
	ck_assert_int_eq(tick(), 0);
	ck_assert_int_eq(get("bytes.rx[eth0]"), 1000);
	ck_assert_int_eq(get("bytes.rx[eth1]"), 990000000);
}
END_TEST

START_TEST(top_and_other)
{
	set("Top", "2");
	procroot_start();
	/* at first by what they have had in their life */
	device("a", 100000);
	device("b", 1000);
	device("c", 200000);
	device("d", 3000);
	ck_assert_int_eq(tick(), 0);
	ck_assert_int_eq(count_of(text, "netstat.bytes.rx["), 3);
	ck_assert_int_eq(get("bytes.rx[a]"), 100000);
	ck_assert_int_eq(get("bytes.rx[c]"), 200000);
	/* no lifetime of theirs is in it */
	ck_assert_int_eq(get("bytes.rx[other]"), 0);
	device("a", 100500);
	device("b", 1010);
	device("c", 200500);
	device("d", 3020);
	ck_assert_int_eq(tick(), 0);
	ck_assert_int_eq(get("bytes.rx[other]"), 30);
	ck_assert_int_eq(get("bytes.tx[other]"), 60);
	ck_assert_int_eq(get("packets.rx[other]"), 0);
	/* b becomes busy: it takes a place, and no counter moves for that */
	device("a", 101000);
	device("b", 100001010);
	device("c", 201100);
	device("d", 3040);
	ck_assert_int_eq(tick(), 0);
	ck_assert_int_eq(get("bytes.rx[b]"), 100001010);
	ck_assert_int_eq(get("bytes.rx[c]"), 201100);
	ck_assert(get("bytes.rx[a]") == QMEM_NA);
	ck_assert_int_eq(get("bytes.rx[other]"), 30 + 20 + 500);
	/* one that is only a little busier than c does not */
	device("a", 101620);
	device("b", 200001010);
	device("c", 201700);
	device("d", 3060);
	ck_assert_int_eq(tick(), 0);
	ck_assert_int_eq(get("bytes.rx[c]"), 201700);
	ck_assert_int_eq(get("bytes.rx[other]"), 550 + 620 + 20);
	/* others go, others come */
	device("b", 200001010);
	device("c", 201700);
	ck_assert_int_eq(tick(), 0);
	ck_assert(get("bytes.rx[other]") == QMEM_NA);
	device("b", 200001010);
	device("c", 201700);
	device("e", 777777);
	ck_assert_int_eq(tick(), 0);
	ck_assert_int_eq(get("bytes.rx[other]"), 1190);
}
END_TEST

#define ROUTES "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
#define ROUTE "\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"

/* What leads to the world is seen before what is busy inside, and among these the busy ones are. */
START_TEST(main_ones_first)
{
	set("Top", "3");
	procroot_put("sys/class/net/eth0/device/uevent", "DRIVER=e1000\n");
	procroot_put("sys/class/net/veth1/uevent", "\n");
	procroot_put("proc/1/net/route", ROUTES "ppp0" ROUTE);
	procroot_start();
	for (int i = 0; i < 70; i++) {
		device("veth1", 1000000 * i);
		device("veth2", 2000000 * i);
		device("veth3", 3000000 * i);
		device("eth0", 0);
		device("ppp0", 5);
		device("wg0", 7);
		ck_assert_int_eq(tick(), 0);
		if (i == 5)
			procroot_put("proc/1/net/route", ROUTES "wg0" ROUTE);
		ck_assert_int_eq(get("bytes.rx[eth0]"), 0);
		ck_assert_int_eq(get("bytes.rx[veth1]"), QMEM_NA);
		if (i < 5)
			ck_assert_int_eq(get("bytes.rx[ppp0]"), 5);
	}
	/* the route has moved: that is seen within a minute */
	ck_assert_int_eq(get("bytes.rx[wg0]"), 7);
	ck_assert_int_eq(count_of(text, "netstat.bytes.rx["), 4);
}
END_TEST

/* As much in a second as a counter can hold is very busy, not less than nothing. */
START_TEST(faster_than_can_be)
{
	set("Top", "1");
	procroot_start();
	device("eth0", 100000);
	line("eth1: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n");
	ck_assert_int_eq(tick(), 0);
	ck_assert_int_eq(get("bytes.rx[eth0]"), 100000);
	device("eth0", 200000);
	line("eth1: 9223372036854775807 1 0 0 0 0 0 0 9223372036854775807 1 0 0 0 0 0 0\n");
	ck_assert_int_eq(tick(), 0);
	ck_assert(get("bytes.rx[eth1]") == INT64_MAX);
	ck_assert_int_eq(get("bytes.rx[other]"), 100000);
}
END_TEST

/* One that is called like the sum is part of the sum. */
START_TEST(one_called_other)
{
	procroot_start();
	device("other", 5000);
	device("eth0", 1);
	ck_assert_int_eq(tick(), 0);
	ck_assert_int_eq(count_of(text, "netstat.bytes.rx[other]"), 1);
	ck_assert_int_eq(get("bytes.rx[other]"), 0);
	device("other", 5100);
	device("eth0", 1);
	ck_assert_int_eq(tick(), 0);
	ck_assert_int_eq(get("bytes.rx[other]"), 100);
}
END_TEST

START_TEST(none_shown)
{
	set("Top", "0");
	procroot_start();
	for (int i = 0; i < 2; i++) {
		device("eth0", 100 + i);
		device("eth1", 200 + i);
		ck_assert_int_eq(tick(), 0);
		ck_assert_int_eq(count_of(text, "netstat.bytes.rx["), 1);
		ck_assert_int_eq(get("bytes.rx[other]"), 2 * i);
	}
}
END_TEST

/* Lines come, go, and change places; whoever is gone for long starts anew. */
START_TEST(come_and_go)
{
	procroot_start();
	for (int i = 0; i < 300; i++) {
		char name[16];

		snprintf(name, sizeof(name), "veth%d", i);
		if (i % 2)
			device(name, 1000 + i);
		device("eth0", 1000 + 10 * i);
		if (i % 3)
			device("eth1", 2000 + 10 * i);
		device("lo", 3000 + 10 * i);
		ck_assert_int_eq(tick(), 0);
		ck_assert_int_eq(get("bytes.rx[eth0]"), 1000 + 10 * i);
		ck_assert_int_eq(get("bytes.rx[lo]"), 3000 + 10 * i);
		ck_assert_int_eq(count_of(text, "netstat.bytes.rx["), 2 + !!(i % 2) + !!(i % 3));
	}
	device("eth0", 1000000);
	device("veth1", 5); /* forgotten long ago */
	ck_assert_int_eq(tick(), 0);
	ck_assert_int_eq(get("bytes.rx[veth1]"), 5);
}
END_TEST

/* The sum of all series grows by what all interfaces have carried, whoever is shown. */
START_TEST(sums_add_up)
{
	enum { N = 40, TICKS = 60 };
	int64_t raw[N], carried = 0, shown = 0, other = 0;

	srandom(2);
	set("Top", "5");
	procroot_start();
	for (int i = 0; i < N; i++)
		raw[i] = random() % 100000;
	for (int t = 0; t < TICKS; t++) {
		int64_t step[N];

		for (int i = 0; i < N; i++) {
			char name[16];

			step[i] = random() % 8 ? random() % 100 : random() % 1000000;
			raw[i] += step[i];
			snprintf(name, sizeof(name), "if%d", i);
			device(name, raw[i]);
		}
		ck_assert_int_eq(tick(), 0);
		ck_assert_int_eq(count_of(text, "netstat.bytes.rx["), 6);
		for (int i = 0; i < N; i++) {
			char name[32];

			snprintf(name, sizeof(name), "bytes.rx[if%d]", i);
			if (get(name) != QMEM_NA) {
				ck_assert_int_eq(get(name), raw[i]);
				shown += t ? step[i] : 0;
			}
			carried += t ? step[i] : 0;
		}
		ck_assert_int_ge(get("bytes.rx[other]"), other);
		other = get("bytes.rx[other]");
	}
	ck_assert_int_eq(shown + other, carried);
	ck_assert_int_gt(other, 0);
}
END_TEST

START_TEST(falls_back_to_self)
{
	procroot_remove("proc/1/net/dev");
	device("eth7", 70);
	put("proc/self/net/dev");
	ck_assert_int_eq(qmem_start(r->q, SECOND, SECOND, procroot_now), 0);
	ck_assert_ptr_nonnull(strstr(recorder_take(r), "log notice netstat: shows the agent's own network namespace"));
	ck_assert_str_eq(note(),
			 "the agent's own namespace: that of process 1 cannot be read: No such file or directory");
	ck_assert_int_eq(qmem_collect(r->q, procroot_now), 0);
	text = recorder_take(r);
	ck_assert_int_eq(get("bytes.rx[eth7]"), 70);
}
END_TEST

START_TEST(own_namespace)
{
	device("eth7", 70);
	put("proc/self/net/dev");
	set("Namespace", "self");
	procroot_start();
	ck_assert_str_eq(note(), "the agent's own namespace");
	ck_assert_int_eq(qmem_collect(r->q, procroot_now), 0);
	text = recorder_take(r);
	ck_assert_int_eq(get("bytes.rx[eth7]"), 70);
}
END_TEST

START_TEST(no_file)
{
	procroot_remove("proc/1/net/dev");
	ck_assert_int_ne(qmem_start(r->q, SECOND, SECOND, procroot_now), 0);
	ck_assert_ptr_nonnull(strstr(note(), "net/dev"));
}
END_TEST

/* What is wanting at start may be there later. */
START_TEST(no_descriptor_at_first)
{
	ck_assert_int_eq(qmem_open_root(r->q), 0);
	procroot_allow_descriptors(0);
	ck_assert_int_eq(qmem_start(r->q, SECOND, SECOND, procroot_now), 0);
	ck_assert_ptr_nonnull(strstr(note(), "Too many open files"));
	ck_assert_int_ne(qmem_collect(r->q, procroot_now), 0);
	procroot_now += SECOND;
	procroot_allow_descriptors(16);
	recorder_take(r);
	device("eth0", 50);
	ck_assert_int_eq(tick(), 0);
	ck_assert_int_eq(get("bytes.rx[eth0]"), 50);
	ck_assert_str_eq(note(), "the namespace of process 1");
}
END_TEST

/* And the namespace is chosen then, not before. */
START_TEST(chosen_later)
{
	device("eth7", 70);
	put("proc/self/net/dev");
	procroot_remove("proc/1/net/dev");
	ck_assert_int_eq(qmem_open_root(r->q), 0);
	procroot_allow_descriptors(0);
	ck_assert_int_eq(qmem_start(r->q, SECOND, SECOND, procroot_now), 0);
	procroot_allow_descriptors(16);
	recorder_take(r);
	ck_assert_int_eq(qmem_collect(r->q, procroot_now), 0);
	text = recorder_take(r);
	ck_assert_int_eq(get("bytes.rx[eth7]"), 70);
	ck_assert_int_eq(count_of(text, "log notice netstat: shows the agent's own network namespace"), 1);
	ck_assert_int_eq(qmem_collect(r->q, procroot_now + SECOND), 0);
	text = recorder_take(r);
	ck_assert_int_eq(count_of(text, "log "), 0);
}
END_TEST

/* Only a file that is not there is not there. */
START_TEST(unreadable_at_first)
{
	procroot_remove("proc/1/net/dev");
	ck_assert_int_eq(symlink("dev", procroot_path("proc/1/net/dev")), 0);
	ck_assert_int_eq(qmem_start(r->q, SECOND, SECOND, procroot_now), 0);
	ck_assert_ptr_nonnull(strstr(note(), "in a circle"));
	ck_assert_int_ne(qmem_collect(r->q, procroot_now), 0);
	procroot_now += SECOND;
	procroot_remove("proc/1/net/dev");
	recorder_take(r);
	device("eth0", 50);
	ck_assert_int_eq(tick(), 0);
	ck_assert_int_eq(get("bytes.rx[eth0]"), 50);
}
END_TEST

SUITE(netstat)
{
	Suite *suite = suite_create("netstat");
	TCase *tests = tcase_create("netstat");

	tcase_add_checked_fixture(tests, setup, procroot_end);
	tcase_add_test(tests, values);
	tcase_add_test(tests, detail);
	tcase_add_test(tests, odd_names);
	tcase_add_test(tests, selection);
	tcase_add_test(tests, wrong_rule);
	tcase_add_test(tests, wrap_and_reset);
	tcase_add_test(tests, made_anew);
	tcase_add_test(tests, beyond_int64);
	tcase_add_test(tests, malformed);
	tcase_add_test(tests, names_are_swapped);
	tcase_add_test(tests, traffic_beside_one_that_goes);
	tcase_add_test(tests, names_go_round);
	tcase_add_test(tests, names_move_on);
	tcase_add_test(tests, reset_beside_a_busy_one);
	tcase_add_test(tests, top_and_other);
	tcase_add_test(tests, main_ones_first);
	tcase_add_test(tests, faster_than_can_be);
	tcase_add_test(tests, one_called_other);
	tcase_add_test(tests, none_shown);
	tcase_add_test(tests, come_and_go);
	tcase_add_test(tests, sums_add_up);
	tcase_add_test(tests, falls_back_to_self);
	tcase_add_test(tests, own_namespace);
	tcase_add_test(tests, no_file);
	tcase_add_test(tests, no_descriptor_at_first);
	tcase_add_test(tests, chosen_later);
	tcase_add_test(tests, unreadable_at_first);
	suite_add_tcase(suite, tests);
	return suite;
}
