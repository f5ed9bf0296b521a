/* SPDX-License-Identifier: MIT */
/* The Netdata host without an agent: what it writes, what it reads. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program/config.h"
#include "program/decimal.h"
#include "../../netdata/heartbeat.h"
#include "../../netdata/input.h"
#include "../../netdata/sink.h"

struct sample {
	int64_t a, b;
};

static const struct qmem_metric two[] = {
	{ .id = "a", .offset = offsetof(struct sample, a) },
	{ .id = "b", .offset = offsetof(struct sample, b) },
	{ .id = NULL },
};
enum { SINGLE, MANY };
static const struct qmem_family families[] = {
	[SINGLE] = { .id = "single",
		     .title = "A \"title\"",
		     .unit = "bytes",
		     .kind = QMEM_GAUGE,
		     .divisor = 1,
		     .menu = "menu",
		     .style = "area",
		     .metrics = two },
	[MANY] = { .id = "many",
		   .title = "Many",
		   .unit = "events",
		   .kind = QMEM_COUNTER,
		   .divisor = 1,
		   .menu = "menu",
		   .style = "line",
		   .label = "thing",
		   .metrics = two },
	{ .id = NULL },
};
static const struct qmem_service service = { .name = "fake", .priority = 100, .families = families };
/* What stands before it in the table moves none of its charts. */
static const struct qmem_service before = { .name = "before", .priority = 300, .families = families };
static const struct qmem_service *const services[] = { &before, &service, NULL };

static struct output out;
static struct sink sink;
static struct qmem_round round_ = { .service = &service };

static void setup(void)
{
	out = (struct output){ .fd = -1 };
	ck_assert_int_eq(sink_init(&sink, services, &out), 0);
	round_.now = 1000 * QMEM_SECOND;
	round_.interval = QMEM_SECOND;
	round_.seen = 3;
}

static void teardown(void)
{
	sink_release(&sink);
	output_release(&out);
}

static void put(int family, const char *instance, int64_t a, int64_t b)
{
	const struct sample sample = { a, b };
	const struct qmem_instance named = { .name = instance };

	sink_values(&sink, &round_, &families[family], instance ? &named : NULL, &sample);
}

static void begin(void)
{
	round_.now += round_.interval;
	sink_begin(&sink);
}

/* What the tick has put out. */
static const char *end(void)
{
	sink_collected(&sink, &round_);
	sink_end(&sink);
	output_put(&out, "", 1);
	out.len = 0;
	return out.text;
}

#define SINGLE_CHART                                                                                                      \
	"CHART qmem.fake_single '' \"A 'title'\" 'MiB' 'menu' 'qmem.fake_single' 'area' 1800 1 '' 'qmem.plugin' 'fake'\n" \
	"DIMENSION 'a' '' absolute 1 1048576\nDIMENSION 'b' '' absolute 1 1048576\n"

START_TEST(declared_once)
{
	begin();
	put(SINGLE, NULL, 1, QMEM_NA);
	ck_assert_str_eq(end(), SINGLE_CHART "BEGIN qmem.fake_single\nSET a = 1\nSET b = \nEND\n");
	begin();
	put(SINGLE, NULL, INT64_MIN + 1, INT64_MAX);
	ck_assert_str_eq(end(), "BEGIN qmem.fake_single 1000000\nSET a = -9223372036854775807\n"
				"SET b = 9223372036854775807\nEND\n");
	/* nothing to say is nothing, and the time adds up */
	begin();
	put(SINGLE, NULL, QMEM_NA, QMEM_NA);
	ck_assert_str_eq(end(), "");
	begin();
	put(SINGLE, NULL, 0, -5);
	put(SINGLE, NULL, 7, 7);
	ck_assert_str_eq(end(), "BEGIN qmem.fake_single 2000000\nSET a = 0\nSET b = -5\nEND\n");
}
END_TEST

/* What this kernel does not have is no dimension; should it come, the chart is declared again. */
START_TEST(dimensions_that_never_had_a_value)
{
	begin();
	round_.seen = 1;
	put(SINGLE, NULL, 1, QMEM_NA);
	ck_assert_str_eq(end(),
			 "CHART qmem.fake_single '' \"A 'title'\" 'MiB' 'menu' 'qmem.fake_single' 'area' 1800 1 '' "
			 "'qmem.plugin' 'fake'\nDIMENSION 'a' '' absolute 1 1048576\n"
			 "BEGIN qmem.fake_single\nSET a = 1\nEND\n");
	begin();
	round_.seen = 3;
	put(SINGLE, NULL, 2, 3);
	ck_assert_str_eq(end(), SINGLE_CHART "BEGIN qmem.fake_single\nSET a = 2\nSET b = 3\nEND\n");
}
END_TEST

START_TEST(instances)
{
	begin();
	put(MANY, "eth0", 1, 2);
	put(MANY, "eth0.1", 3, 4);
	put(MANY, "a\"b='c\n", 5, 6);
	ck_assert_str_eq(
		end(),
		"CHART qmem.fake_many_eth0 '' \"Many\" 'events/s' 'menu' 'qmem.fake_many' 'line' 1801 1 '' 'qmem.plugin' "
		"'fake'\nDIMENSION 'a' '' incremental 1 1\nDIMENSION 'b' '' incremental 1 1\n"
		"CLABEL 'thing' 'eth0' 1\nCLABEL_COMMIT\nBEGIN qmem.fake_many_eth0\nSET a = 1\nSET b = 2\nEND\n"
		"CHART qmem.fake_many_eth0_1_37904993 '' \"Many\" 'events/s' 'menu' 'qmem.fake_many' 'line' 1801 1 '' "
		"'qmem.plugin' 'fake'\nDIMENSION 'a' '' incremental 1 1\nDIMENSION 'b' '' incremental 1 1\n"
		"CLABEL 'thing' 'eth0.1' 1\nCLABEL_COMMIT\nBEGIN qmem.fake_many_eth0_1_37904993\nSET a = 3\nSET b = 4\nEND\n"
		"CHART qmem.fake_many_a_b__c__d9dee8fe '' \"Many\" 'events/s' 'menu' 'qmem.fake_many' 'line' 1801 1 '' "
		"'qmem.plugin' 'fake'\nDIMENSION 'a' '' incremental 1 1\nDIMENSION 'b' '' incremental 1 1\n"
		"CLABEL 'thing' 'a_b=_c/x0a' 1\nCLABEL_COMMIT\nBEGIN qmem.fake_many_a_b__c__d9dee8fe\nSET a = 5\nSET b = 6\nEND\n");
	/* in another order, with one between: the same charts */
	begin();
	put(MANY, "a\"b='c\n", 5, 6);
	put(MANY, "new", 1, 1);
	put(MANY, "eth0", 1, 2);
	put(MANY, "eth0.1", 3, 4);
	ck_assert_ptr_nonnull(strstr(end(), "BEGIN qmem.fake_many_eth0 1000000\n"));
	begin();
	put(MANY, "eth0", 1, 2);
	put(MANY, "eth0.1", 3, 4);
	put(MANY, "a\"b='c\n", 5, 6);
	put(MANY, "new", 1, 1);
	end();
	ck_assert_ptr_null(strstr(out.text, "CHART"));
}
END_TEST

START_TEST(long_names)
{
	char name[1001], line[300];
	const char *id;

	for (size_t i = 0; i < 3; i++) {
		memset(name, 'x', 1000);
		name[1000] = '\0';
		name[999] = (char)('a' + i);
		begin();
		put(MANY, name, 1, 1);
		id = strstr(end(), "CHART ");
		ck_assert_ptr_nonnull(id);
		ck_assert_uint_le(strcspn(id + 6, " "), 200);
	}
	snprintf(line, sizeof(line), "%.250s", strstr(out.text, "CHART "));
	begin();
	put(MANY, name, 1, 1);
	ck_assert_ptr_null(strstr(end(), "CHART "));
}
END_TEST

/* There is one of it, and it does not go: a gap is what it says then. */
START_TEST(single_ones_stay)
{
	begin();
	put(SINGLE, NULL, 1, 1);
	end();
	for (int i = 0; i < 200; i++) {
		begin();
		put(SINGLE, NULL, QMEM_NA, QMEM_NA);
		ck_assert_str_eq(end(), "");
	}
	begin();
	put(SINGLE, NULL, 2, 2);
	ck_assert_str_eq(end(), "BEGIN qmem.fake_single 201000000\nSET a = 2\nSET b = 2\nEND\n");
}
END_TEST

START_TEST(obsolete_and_back)
{
	begin();
	put(MANY, "stays", 1, 1);
	put(MANY, "goes", 1, 1);
	end();
	for (int i = 0; i < 60; i++) {
		begin();
		put(MANY, "stays", 1, 1);
		ck_assert_ptr_null(strstr(end(), "CHART"));
	}
	begin();
	put(MANY, "stays", 1, 1);
	ck_assert_str_eq(
		end(),
		"BEGIN qmem.fake_many_stays 1000000\nSET a = 1\nSET b = 1\nEND\n"
		"CHART qmem.fake_many_goes '' \"Many\" 'events/s' 'menu' 'qmem.fake_many' 'line' 1801 1 'obsolete' "
		"'qmem.plugin' 'fake'\n");
	begin();
	put(MANY, "goes", 1, 1);
	put(MANY, "stays", 1, 1);
	ck_assert_ptr_nonnull(strstr(end(), "1801 1 '' 'qmem.plugin' 'fake'\nDIMENSION"));
	ck_assert_ptr_nonnull(strstr(out.text, "BEGIN qmem.fake_many_goes\n"));
	ck_assert_ptr_nonnull(strstr(out.text, "BEGIN qmem.fake_many_stays 1000000\n"));
}
END_TEST

/* Found by trying: names that look the same when they are made safe, and have the same short hash. The end of one is not the end of
 * the other. */
START_TEST(no_shared_ids)
{
	const char *at;

	begin();
	put(MANY, "web!]|;", 1, 1);
	put(MANY, "web##}]", 2, 2);
	at = strstr(end(), "BEGIN qmem.fake_many_web_____06fec980\nSET a = 1\n");
	ck_assert_ptr_nonnull(at);
	at = strstr(at + 1, "BEGIN qmem.fake_many_web_____");
	ck_assert_ptr_nonnull(at);
	ck_assert_uint_eq(strcspn(at, "\n"), strlen("BEGIN qmem.fake_many_web____") + 17);
	ck_assert_int_eq(strncmp(at + strcspn(at, "\n"), "\nSET a = 2\n", 11), 0);
	for (int i = 0; i < 61; i++) {
		begin();
		put(MANY, "web##}]", 2, 2);
		end();
	}
	ck_assert_ptr_nonnull(strstr(out.text, "CHART qmem.fake_many_web_____06fec980 "));
	ck_assert_ptr_null(strstr(strstr(out.text, "'obsolete'") + 1, "'obsolete'"));
	/* what has gone has kept its id */
	begin();
	put(MANY, "web##}]", 2, 2);
	put(MANY, "web!]|;", 1, 1);
	ck_assert_ptr_nonnull(strstr(end(), "BEGIN qmem.fake_many_web_____06fec980\nSET a = 1\n"));
}
END_TEST

/* Those chosen anew from many are no more charts than there were. */
START_TEST(places_are_taken)
{
	char name[16];

	for (int i = 0; i < 20; i++) {
		begin();
		put(MANY, "stays", 1, 1);
		snprintf(name, sizeof(name), "top%d", i);
		put(MANY, name, 1, 1);
		end();
		ck_assert_ptr_nonnull(strstr(out.text, "BEGIN qmem.fake_many_stays"));
		ck_assert(!i == !strstr(out.text, "'obsolete'"));
		if (!i)
			continue;
		snprintf(name, sizeof(name), "top%d ''", i - 1);
		ck_assert_ptr_nonnull(strstr(strstr(out.text, "CHART") + 1, name));
	}
	/* one that is not there has its place as long as no other has it */
	begin();
	put(MANY, "stays", 1, 1);
	ck_assert_ptr_null(strstr(end(), "CHART"));
	begin();
	put(MANY, "stays", 1, 1);
	put(MANY, "top19", 1, 1);
	ck_assert_ptr_null(strstr(end(), "CHART"));
}
END_TEST

/* One that is there without a value has its place. */
START_TEST(values_come_and_go)
{
	begin();
	put(MANY, "x", 1, 1);
	put(MANY, "y", QMEM_NA, QMEM_NA);
	end();
	for (int i = 0; i < 4; i++) {
		begin();
		put(MANY, "x", i % 2 ? 1 : QMEM_NA, QMEM_NA);
		put(MANY, "y", i % 2 ? QMEM_NA : 1, QMEM_NA);
		ck_assert_ptr_null(strstr(end(), "obsolete"));
	}
}
END_TEST

START_TEST(stopped)
{
	begin();
	put(SINGLE, NULL, 1, 1);
	put(MANY, "x", 1, 1);
	end();
	sink_stopped(&sink, &service);
	begin();
	end();
	ck_assert_ptr_nonnull(strstr(out.text, "'obsolete'"));
	ck_assert_ptr_nonnull(strstr(strstr(out.text, "'obsolete'") + 1, "'obsolete'"));
	begin();
	ck_assert_str_eq(end(), "");
}
END_TEST

START_TEST(changes)
{
	const struct qmem_label up[] = { { "state", "up" }, { NULL, NULL } },
				down[] = { { "state", "down" }, { NULL, NULL } };
	struct qmem_instance instance = { .name = "x", .labels = up };
	const struct sample sample = { 1, 1 };

	begin();
	sink_values(&sink, &round_, &families[MANY], &instance, &sample);
	ck_assert_ptr_nonnull(strstr(end(), "CLABEL 'thing' 'x' 1\nCLABEL 'state' 'up' 1\nCLABEL_COMMIT\n"));
	begin();
	sink_values(&sink, &round_, &families[MANY], &instance, &sample);
	ck_assert_ptr_null(strstr(end(), "CHART"));
	instance.labels = down;
	begin();
	sink_values(&sink, &round_, &families[MANY], &instance, &sample);
	ck_assert_ptr_nonnull(strstr(end(), "CLABEL 'state' 'down' 1\n"));
}
END_TEST

START_TEST(blocked)
{
	int fds[2], n = 0;
	char *text;
	size_t size, tick;

	ck_assert_int_eq(pipe2(fds, O_NONBLOCK), 0);
	ck_assert_int_ge(fcntl(fds[1], F_SETPIPE_SZ, 4096), 4096);
	out.fd = fds[1];
	for (;; n++) {
		ck_assert_int_lt(n, 10000);
		begin();
		put(SINGLE, NULL, n, n);
		sink_collected(&sink, &round_);
		sink_end(&sink);
		ck_assert_int_eq(output_flush(&out), 0);
		if (output_blocked(&out))
			break;
	}
	/* what is waiting stays what it is */
	size = out.len;
	for (int i = 0; i < 10; i++) {
		begin();
		put(SINGLE, NULL, -1, -1);
		sink_collected(&sink, &round_);
		sink_end(&sink);
		ck_assert_uint_eq(out.len, size);
	}
	text = calloc(1, 1 << 16);
	ck_assert_int_gt(read(fds[0], text, 1 << 16), 0);
	ck_assert_int_eq(output_flush(&out), 0);
	ck_assert(!output_blocked(&out));
	tick = strlen(text);
	ck_assert_int_gt(read(fds[0], text + tick, (1 << 16) - 1 - tick), 0);
	ck_assert_int_eq(memcmp(text + strlen(text) - 4, "END\n", 4), 0);
	ck_assert_ptr_null(strstr(text, "-1"));
	/* and the next one knows how long it was */
	begin();
	put(SINGLE, NULL, 1, 1);
	ck_assert_ptr_nonnull(strstr(end(), "BEGIN qmem.fake_single 11000000\n"));
	free(text);
	close(fds[0]);
	out.len = 0;
	output_put(&out, "x", 1);
	signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(output_flush(&out), -EPIPE);
	close(fds[1]);
}
END_TEST

START_TEST(no_memory)
{
	begin();
	put(SINGLE, NULL, 1, 1);
	out.failed = true;
	sink_end(&sink);
	ck_assert_uint_eq(out.len, 0);
	begin();
	put(SINGLE, NULL, 1, 1);
	ck_assert_str_eq(end(), SINGLE_CHART "BEGIN qmem.fake_single\nSET a = 1\nSET b = 1\nEND\n");
}
END_TEST

START_TEST(units)
{
	static const struct {
		const char *unit;
		enum qmem_kind kind;
		int64_t divisor;
		unsigned flags;
		struct sink_unit shown;
	} rows[] = {
		{ "bytes", QMEM_GAUGE, 1, 0, { "MiB", "absolute", "", 1, 1 << 20 } },
		{ "bytes", QMEM_COUNTER, 1, 0, { "KiB/s", "incremental", "", 1, 1024 } },
		{ "seconds", QMEM_COUNTER, 1000000, 0, { "ms/s", "incremental", "", 1, 1000 } },
		{ "seconds", QMEM_COUNTER, 1000000000, 0, { "ms/s", "incremental", "", 1, 1000000 } },
		{ "seconds", QMEM_COUNTER, 100, 0, { "ms/s", "incremental", "", 10, 1 } },
		{ "seconds", QMEM_GAUGE, 1000, 0, { "seconds", "absolute", "", 1, 1000 } },
		{ "cpu-seconds",
		  QMEM_COUNTER,
		  1000000000,
		  0,
		  { "percentage", "incremental", " (100 % is one CPU)", 1, 10000000 } },
		/* parts of one whole are shares of it, whatever time has passed */
		{ "cpu-seconds",
		  QMEM_COUNTER,
		  1000000000,
		  QMEM_PARTS,
		  { "percentage", "percentage-of-incremental-row", "", 1, 1 } },
		{ "percent", QMEM_GAUGE, 100, 0, { "percentage", "absolute", "", 1, 100 } },
		{ "events", QMEM_COUNTER, 1, 0, { "events/s", "incremental", "", 1, 1 } },
		{ "pages", QMEM_GAUGE, 1, 0, { "pages", "absolute", "", 1, 1 } },
		/* what the agent's 32 bits cannot hold stays in base units */
		{ "bytes", QMEM_GAUGE, 1000000, 0, { "bytes", "absolute", "", 1, 1000000 } },
	};
	const struct qmem_family family = {
		.unit = rows[_i].unit, .kind = rows[_i].kind, .divisor = rows[_i].divisor, .flags = rows[_i].flags
	};
	struct sink_unit unit;

	sink_unit_of(&family, &unit);
	ck_assert_str_eq(unit.text, rows[_i].shown.text);
	ck_assert_str_eq(unit.algorithm, rows[_i].shown.algorithm);
	ck_assert_str_eq(unit.remark, rows[_i].shown.remark);
	ck_assert_int_eq(unit.mult, rows[_i].shown.mult);
	ck_assert_int_eq(unit.div, rows[_i].shown.div);
}
END_TEST

START_TEST(trust_words)
{
	ck_assert(!trust_known(NULL) && !trust_known("v1.37.1") && !trust_known("v2.6.3") && !trust_known("2.11.0"));
	ck_assert(trust_known("v2.7.0") && trust_known("v2.10.4") && trust_known("v2.11.0-84-nightly") &&
		  trust_known("v3.0.0"));
}
END_TEST

static uint64_t wall = 1700000000 * QMEM_SECOND;

/* A tick of an agent that has read all, or not, with a round of the one chart or without. */
static const char *trust_at(uint64_t passed, uint64_t slept, bool unread, bool round)
{
	round_.now += passed;
	wall += passed + slept;
	sink_begin(&sink);
	sink_clock(&sink, round_.now, wall, unread);
	if (round)
		put(SINGLE, NULL, 1, 2);
	return end();
}

#define SET "SET a = 1\nSET b = 2\nEND\n"

/* A chart is set by the agent's clock, and then counts by itself, for as long as that is right. */
START_TEST(trusts)
{
	sink.trust.known = true;
	ck_assert_str_eq(trust_at(QMEM_SECOND, 0, false, true),
			 "TRUST_DURATIONS 1\n" SINGLE_CHART "BEGIN qmem.fake_single\n" SET);
	ck_assert_str_eq(trust_at(QMEM_SECOND, 0, false, true), "BEGIN qmem.fake_single\n" SET);
	/* read in time: sure from now on, whatever becomes of the agent */
	ck_assert_str_eq(trust_at(QMEM_SECOND, 0, false, true), "BEGIN qmem.fake_single 1000000\n" SET);
	ck_assert_str_eq(trust_at(QMEM_SECOND, 0, true, true), "BEGIN qmem.fake_single 1000000\n" SET);
	ck_assert_str_eq(trust_at(25 * QMEM_SECOND, 0, true, true), "BEGIN qmem.fake_single 25000000\n" SET);
	/* what sleeps has slept, and the next one shows that it came to the agent */
	ck_assert_str_eq(trust_at(QMEM_SECOND, 3600 * QMEM_SECOND, false, true), "BEGIN qmem.fake_single\n" SET);
	ck_assert_str_eq(trust_at(QMEM_SECOND, 0, false, true), "BEGIN qmem.fake_single 1000000\n" SET);
	/* clocks that drift are set in time */
	ck_assert_str_eq(trust_at(QMEM_SECOND, QMEM_SECOND * 2 / 5, false, true),
			 "BEGIN qmem.fake_single 1000000\n" SET);
	ck_assert_str_eq(trust_at(QMEM_SECOND, QMEM_SECOND * 2 / 5, false, true), "BEGIN qmem.fake_single\n" SET);
}
END_TEST

/* One that the agent has not taken in time would be ahead for good. */
START_TEST(trusts_what_is_sure)
{
	sink.trust.known = true;
	trust_at(QMEM_SECOND, 0, false, true);
	ck_assert_str_eq(trust_at(QMEM_SECOND, 0, true, true), "");
	ck_assert_str_eq(trust_at(QMEM_SECOND, 0, true, true), "");
	ck_assert_str_eq(trust_at(QMEM_SECOND, 0, false, true), "BEGIN qmem.fake_single\n" SET);
	/* taken late: again */
	ck_assert_str_eq(trust_at(QMEM_SECOND, 0, true, true), "");
	ck_assert_str_eq(trust_at(QMEM_SECOND, 0, false, true), "BEGIN qmem.fake_single\n" SET);
	/* also where the chart had no round meanwhile */
	ck_assert_str_eq(trust_at(QMEM_SECOND, 0, true, false), "");
	ck_assert_str_eq(trust_at(QMEM_SECOND, 0, false, true), "BEGIN qmem.fake_single\n" SET);
	/* and where a tick was skipped, as this one had not even been written */
	out.len = 1;
	sink_begin(&sink);
	sink_clock(&sink, round_.now, wall, true);
	sink_end(&sink);
	out.len = 0;
	ck_assert_str_eq(trust_at(QMEM_SECOND, 0, false, true), "BEGIN qmem.fake_single\n" SET);
	ck_assert_str_eq(trust_at(QMEM_SECOND, 0, false, true), "BEGIN qmem.fake_single 1000000\n" SET);
	/* an agent that is late for ever has no gaps for that */
	for (int i = 0; i < 60; i++)
		trust_at(QMEM_SECOND, 0, true, false);
	ck_assert_str_eq(trust_at(QMEM_SECOND, 0, true, true),
			 "TRUST_DURATIONS 0\nBEGIN qmem.fake_single 61000000\n" SET);
	ck_assert_str_eq(trust_at(QMEM_SECOND, 0, false, true), "TRUST_DURATIONS 1\nBEGIN qmem.fake_single\n" SET);
}
END_TEST

/* Set back, the clock has to come to where it was; until then the agent must not trust us. */
START_TEST(trusts_no_clock_set_back)
{
	sink.trust.known = true;
	for (int i = 0; i < 3; i++)
		trust_at(QMEM_SECOND, 0, false, true);
	ck_assert_str_eq(trust_at(QMEM_SECOND, -10 * QMEM_SECOND, false, true),
			 "TRUST_DURATIONS 0\nBEGIN qmem.fake_single 1000000\n" SET);
	ck_assert_str_eq(trust_at(8 * QMEM_SECOND, 0, false, true), "BEGIN qmem.fake_single 8000000\n" SET);
	ck_assert_str_eq(trust_at(QMEM_SECOND, 0, false, true), "TRUST_DURATIONS 1\nBEGIN qmem.fake_single\n" SET);
	/* what was thrown away is said again */
	sink_begin(&sink);
	out.failed = true;
	sink_end(&sink);
	out.len = 0;
	ck_assert_str_eq(trust_at(QMEM_SECOND, 0, false, false), "TRUST_DURATIONS 1\n");
	/* an agent that does not know the word does not hear it */
	sink.trust = (struct trust){ .known = false };
	ck_assert_str_eq(trust_at(QMEM_SECOND, -10 * QMEM_SECOND, true, false), "");
}
END_TEST

START_TEST(decimals)
{
	static const struct {
		__int128 num, den;
		unsigned decimals;
		const char *text;
	} rows[] = {
		{ 0, 1, 6, "0" },
		{ 1, 3, 6, "0.333333" },
		{ 2, 3, 6, "0.666667" },
		{ -2, 3, 3, "-0.667" },
		{ -1, 3000, 3, "0" },
		{ 999999, 1000000, 3, "1" },
		{ 1050, 1000, 9, "1.05" },
		{ 100, 1, 9, "100" },
		{ INT64_MAX, 1, 9, "9223372036854775807" },
		{ INT64_MIN + 1, 1000000000, 9, "-9223372036.854775807" },
		{ (__int128)INT64_MAX * 1000000000, (__int128)1000000000 * 1000000000, 6, "9223372036.854776" },
		{ 1, 2, 0, "1" },
	};
	char text[DECIMAL_SIZE];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		decimal_print(text, rows[i].num, rows[i].den, rows[i].decimals);
		ck_assert_str_eq(text, rows[i].text);
	}
}
END_TEST

START_TEST(integers)
{
	char got[24], expected[24];

	for (int bits = 0; bits < 64; bits++) {
		for (int64_t near = -2; near <= 2; near++) {
			int64_t value = (int64_t)((UINT64_C(1) << bits) + (uint64_t)near);

			for (int sign = 0; sign < 2; sign++, value = (int64_t)(0 - (uint64_t)value)) {
				*output_int(got, value) = '\0';
				snprintf(expected, sizeof(expected), "%lld", (long long)value);
				ck_assert_str_eq(got, expected);
			}
		}
	}
	for (uint64_t power = 1; power < UINT64_C(1000000000000000000); power *= 10) {
		for (int64_t near = -1; near <= 1; near++) {
			*output_int(got, (int64_t)power + near) = '\0';
			snprintf(expected, sizeof(expected), "%lld", (long long)power + (long long)near);
			ck_assert_str_eq(got, expected);
		}
	}
}
END_TEST

static bool feed(const char *text, size_t piece)
{
	struct input in = { .len = 0 };
	size_t len = strlen(text);
	bool leave = false;

	for (size_t at = 0; at < len && !leave; at += piece)
		leave = input_feed(&in, text + at, len - at < piece ? len - at : piece);
	return leave;
}

START_TEST(words)
{
	static const struct {
		const char *text;
		bool leave;
	} rows[] = {
		{ "QUIT", true },
		{ "QUIT\n", true },
		{ "QUIT now\r\n", true },
		{ "FUNCTION a 10 \"b\"\nQUIT", true },
		{ "", false },
		{ "\n\n", false },
		{ "QUI", false },
		{ " QUIT", false },
		{ "FUNCTION a 10 \"QUIT\"\n", false },
		{ "FUNCTION_PAYLOAD a 10 \"b\"\nQUIT\nQUIT", false },
		{ "FUNCTION_PAYLOAD a 10 \"b\"\nQUIT\nFUNCTION_PAYLOAD_END\nQUIT", true },
	};
	struct input in = { .len = 0 };
	char text[10000];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (size_t piece = 1; piece < 80; piece++)
			ck_assert_msg(feed(rows[i].text, piece) == rows[i].leave, "'%s' by %zu", rows[i].text, piece);
	memset(text, 'Q', sizeof(text));
	ck_assert(!input_feed(&in, text, sizeof(text)));
	ck_assert(!input_feed(&in, text, sizeof(text)));
	ck_assert(input_feed(&in, "\nQUIT", 5));
}
END_TEST

/* ---- configuration ---- */

struct web {
	int64_t size;
};
struct state {
	struct qmem_list things;
	struct qmem_blocks groups;
};
static const struct qmem_option group_rows[] = {
	{ .name = "Size", .type = QMEM_SIZE, .offset = offsetof(struct web, size), .def = "1k", .help = "a size" },
	{ .name = NULL },
};
static const struct qmem_option rows_of_fake[] = {
	{ .name = "Thing", .type = QMEM_LIST, .offset = offsetof(struct state, things), .help = "things" },
	{ .name = "Group",
	  .type = QMEM_BLOCK,
	  .offset = offsetof(struct state, groups),
	  .sub = group_rows,
	  .sub_size = sizeof(struct web),
	  .help = "groups" },
	{ .name = NULL },
};
static struct state *seen;
static int start(struct qmem *q, void *state)
{
	(void)q;
	seen = state;
	return 0;
}
static const struct qmem_service configured = {
	.name = "fake", .options = rows_of_fake, .state_size = sizeof(struct state), .start = start
};
static const struct qmem_service *const configured_services[] = { &configured, NULL };

static uint64_t cpu_ns(void *unused)
{
	(void)unused;
	return 0;
}
static const struct qmem_host host = { .cpu_ns = cpu_ns };

static char dir[] = "/tmp/qmem-unit-XXXXXX";

static void in_directory(void)
{
	strcpy(dir + sizeof(dir) - 7, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
	setenv("NETDATA_USER_CONFIG_DIR", "user", 1);
	setenv("NETDATA_STOCK_CONFIG_DIR", "stock", 1);
	unsetenv("NETDATA_HOST_PREFIX");
}

static void gone(void)
{
	char command[64];

	ck_assert_int_eq(chdir("/"), 0);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	ck_assert_int_eq(system(command), 0);
}

static void write_file(const char *path, const char *text)
{
	FILE *f;

	if (strchr(path, '/'))
		ck_assert_int_eq(system("mkdir -p user stock"), 0);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

START_TEST(config_values)
{
	struct qmem *q = qmem_new(&host, NULL, configured_services);
	struct config config = { 0 };

	write_file("user/qmem.conf",
		   "HostRoot = .\n[fake]\nthing = a b\nTHING = \"c\"\n[fake.group \"web\"]\nsize = 4k\n"
		   "[global]\nhost-root = /\n");
	write_file("stock/qmem.conf", "[fake]\nthing = stock\n");
	ck_assert_int_eq(config_read(q, NULL, &config), 0);
	for (size_t i = 0; i < config.n; i++)
		ck_abort_msg("%s", config.errors[i]);
	ck_assert_int_eq(qmem_start(q, QMEM_SECOND, QMEM_SECOND, 1), 0);
	ck_assert_uint_eq(seen->things.n, 2);
	ck_assert_str_eq(seen->things.items[0], "a b");
	ck_assert_str_eq(seen->things.items[1], "c");
	ck_assert_uint_eq(seen->groups.n, 1);
	ck_assert_str_eq(seen->groups.items[0].name, "web");
	ck_assert_int_eq(((struct web *)seen->groups.items[0].data)->size, 4096);
	config_release(&config);
	qmem_free(q);
}
END_TEST

START_TEST(config_errors)
{
	static const char *const expected[] = {
		"user/qmem.conf:1: no option 'Nonsense'",
		"user/qmem.conf:3: fake: Enabled 'maybe' ",
		"user/qmem.conf:4: no '='",
		"user/qmem.conf:5: no service 'nosuch'",
		"user/qmem.conf:7: fake: block 'Group' has no name",
		"user/qmem.conf:9: fake: block 'Group' has no name",
		"user/qmem.conf:12: fake: Group 'web': Size 'big' ",
	};
	struct qmem *q = qmem_new(&host, NULL, configured_services);
	struct config config = { 0 };

	write_file("user/qmem.conf",
		   "Nonsense = 1\n[fake]\nEnabled = maybe\nwhat\n[nosuch]\na = 1\n[fake.group]\nsize = 1\n"
		   "[fake.group \"\"]\nsize = 1\n[fake.group \"web\"]\nsize = big\n[fake]\nthing = good\n");
	ck_assert_int_eq(config_read(q, NULL, &config), 0);
	ck_assert_uint_eq(config.n, sizeof(expected) / sizeof(*expected));
	for (size_t i = 0; i < config.n; i++)
		ck_assert_msg(strncmp(config.errors[i], expected[i], strlen(expected[i])) == 0, "%s", config.errors[i]);
	config_release(&config);
	/* the rest counts */
	ck_assert_int_eq(qmem_start(q, QMEM_SECOND, QMEM_SECOND, 1), 0);
	ck_assert_uint_eq(seen->things.n, 1);
	qmem_free(q);
}
END_TEST

START_TEST(config_files)
{
	struct qmem *q = qmem_new(&host, NULL, configured_services);
	struct config config = { 0 };

	/* none of them is no error, but one that was asked for is */
	ck_assert_int_eq(config_read(q, NULL, &config), 0);
	ck_assert_uint_eq(config.n, 0);
	ck_assert_int_eq(config_read(q, "missing.conf", &config), 0);
	ck_assert_uint_eq(config.n, 1);
	ck_assert_str_eq(config.errors[0], "cannot read 'missing.conf': No such file or directory");
	ck_assert_int_eq(config_read(q, ".", &config), 0);
	ck_assert_str_eq(config.errors[1], "cannot read '.': Is a directory");
	ck_assert_int_eq(system("mkfifo fifo"), 0);
	ck_assert_int_eq(config_read(q, "fifo", &config), 0);
	ck_assert_str_eq(config.errors[2], "cannot read 'fifo': Invalid argument");
	ck_assert_int_eq(config_read(q, "/dev/null", &config), 0);
	ck_assert_uint_eq(config.n, 3);
	config_release(&config);
	write_file("stock/qmem.conf", "[fake]\nthing = stock\n");
	setenv("NETDATA_HOST_PREFIX", dir, 1);
	ck_assert_int_eq(config_read(q, NULL, &config), 0);
	ck_assert_uint_eq(config.n, 0);
	ck_assert_int_eq(qmem_start(q, QMEM_SECOND, QMEM_SECOND, 1), 0);
	ck_assert_str_eq(seen->things.items[0], "stock");
	ck_assert_str_eq(config.file, "stock/qmem.conf");
	config_release(&config);
	qmem_free(q);
}
END_TEST

START_TEST(config_settings)
{
	static const struct {
		const char *setting;
		int err;
		const char *why; /* how it begins */
	} cases[] = {
		{ "fake.thing=a=b c", 0, NULL },
		{ "FAKE . Thing=", 0, NULL },
		{ "HostRoot=.", 0, NULL },
		{ "fake.thing", -EINVAL, "no '='" },
		{ "", -EINVAL, "no '='" },
		{ "=", -ENOENT, "no option ''" },
		{ "nosuch.thing=x", -ENOENT, "no service 'nosuch'" },
		{ "fake.nosuch=x", -ENOENT, "fake: no option 'nosuch'" },
		{ "fake.Enabled=maybe", -EINVAL, "fake: Enabled 'maybe' " },
	};
	struct qmem *q = qmem_new(&host, NULL, configured_services);
	struct config config = { 0 };

	write_file("user/qmem.conf", "[fake]\nthing = first\n");
	ck_assert_int_eq(config_read(q, NULL, &config), 0);
	ck_assert_str_eq(config.file, "user/qmem.conf");
	config_release(&config);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct qmem_error error = { "" };

		ck_assert_int_eq(config_set(q, cases[i].setting, &error), cases[i].err);
		if (cases[i].why)
			ck_assert_msg(strncmp(error.text, cases[i].why, strlen(cases[i].why)) == 0, "%s", error.text);
	}
	ck_assert_int_eq(qmem_start(q, QMEM_SECOND, QMEM_SECOND, 1), 0);
	ck_assert_uint_eq(seen->things.n, 3);
	ck_assert_str_eq(seen->things.items[0], "first");
	ck_assert_str_eq(seen->things.items[1], "a=b c");
	ck_assert_str_eq(seen->things.items[2], "");
	qmem_free(q);
}
END_TEST

/* From a wall time to the next whole multiple of the step, which is a tenth of the step away at least. */
START_TEST(heartbeats)
{
	static const struct {
		uint64_t wall, step, wait; /* ms */
	} cases[] = {
		{ 1764288000000, 1000, 1000 }, /* now is one: the next */
		{ 1764288000001, 1000, 999 },
		{ 1764288000900, 1000, 100 }, /* a tenth is far enough */
		{ 1764288000901, 1000, 1099 },
		{ 1764288000999, 1000, 1001 },
		{ 1764288004000, 10000, 6000 },
		{ 1764288009000, 10000, 1000 },
		{ 1764288009001, 10000, 10999 },
		{ 1764288000000, 7000, 1000 },         /* no divisor of a minute: multiples since 1970 all the same */
		{ 1764288000000, 86400000, 86400000 }, /* midnight */
		{ 1764309600000, 86400000, 64800000 },
		{ 0, 1000, 1000 }, /* a clock that was never set */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		ck_assert_uint_eq(heartbeat_wait(cases[i].wall * 1000000, cases[i].step * 1000000),
				  cases[i].wait * 1000000);
}
END_TEST

SUITE(netdata)
{
	Suite *s = suite_create("netdata");
	TCase *t = tcase_create("sink");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, declared_once);
	tcase_add_test(t, dimensions_that_never_had_a_value);
	tcase_add_test(t, instances);
	tcase_add_test(t, long_names);
	tcase_add_test(t, single_ones_stay);
	tcase_add_test(t, obsolete_and_back);
	tcase_add_test(t, no_shared_ids);
	tcase_add_test(t, places_are_taken);
	tcase_add_test(t, values_come_and_go);
	tcase_add_test(t, stopped);
	tcase_add_test(t, changes);
	tcase_add_test(t, blocked);
	tcase_add_test(t, no_memory);
	tcase_add_test(t, trust_words);
	tcase_add_test(t, trusts);
	tcase_add_test(t, trusts_what_is_sure);
	tcase_add_test(t, trusts_no_clock_set_back);
	tcase_add_loop_test(t, units, 0, 12);
	suite_add_tcase(s, t);
	t = tcase_create("text");
	tcase_add_test(t, decimals);
	tcase_add_test(t, integers);
	tcase_add_test(t, words);
	tcase_add_test(t, heartbeats);
	suite_add_tcase(s, t);
	t = tcase_create("config");
	tcase_add_checked_fixture(t, in_directory, gone);
	tcase_add_test(t, config_values);
	tcase_add_test(t, config_errors);
	tcase_add_test(t, config_files);
	tcase_add_test(t, config_settings);
	suite_add_tcase(s, t);
	return s;
}
