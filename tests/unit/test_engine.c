/* SPDX-License-Identifier: MIT */
/* Whose turn it is, what is emitted, what is said of errors, and what the budget does. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../recorder.h"

struct sample {
	int64_t a, b;
};

struct fake {
	int64_t number, start_err;
	int err;        /* what collect returns */
	bool quiet;     /* no words for the error */
	uint64_t cost;  /* CPU ns of a collection */
	uint64_t first; /* and of the first one besides */
	bool works;     /* a job with each */
	int calls, seen;
};

#define JOB_COST 7000

static struct recorder r;
static struct fake *last_a, *last_b;

static const struct qmem_metric metrics[] = {
	{ "one", NULL, offsetof(struct sample, a), "the first" },
	{ "two", NULL, offsetof(struct sample, b), "the second" },
	{ 0 },
};

static const struct qmem_family families[] = {
	{ .id = "plain", .unit = "bytes", .divisor = 1, .metrics = metrics },
	{ .id = "each",
	  .unit = "seconds",
	  .kind = QMEM_COUNTER,
	  .divisor = 1000,
	  .label = "thing",
	  .metrics = metrics },
	{ .id = "hidden", .unit = "bytes", .divisor = 1, .flags = QMEM_INTERNAL, .metrics = metrics },
	{ .id = "more", .unit = "bytes", .divisor = 1, .flags = QMEM_DETAIL, .metrics = metrics },
	{ 0 },
};

static const struct qmem_option options[] = {
	{ .name = "Number", .type = QMEM_INT, .offset = offsetof(struct fake, number), .def = "3" },
	{ .name = "StartError", .type = QMEM_INT, .offset = offsetof(struct fake, start_err), .min = 0, .max = 200 },
	{ 0 },
};

static int start(struct qmem *q, void *state)
{
	struct fake *f = state;

	if (f->start_err == ENOTSUP)
		return qmem_fail(q, -ENOTSUP, "this kernel has no things");
	qmem_note(q, "number %d", (int)f->number);
	return -(int)f->start_err;
}

static void job_run(struct qmem_job *job)
{
	(void)job;
	r.cpu_ns += JOB_COST;
}

static void job_done(struct qmem *q, struct qmem_job *job)
{
	(void)q;
	ck_assert_uint_eq(job->cpu_ns, JOB_COST);
	free(job);
}

static void work(struct qmem *q)
{
	struct qmem_job *job = calloc(1, sizeof(*job));

	job->run = job_run;
	job->done = job_done;
	ck_assert_int_eq(qmem_work(q, job), 0);
}

static int collect_a(struct qmem *q, void *state)
{
	struct fake *f = last_a = state;
	struct sample sample = { f->number, QMEM_NA };
	struct qmem_instance thing = { .name = "x\ny" };

	f->calls++;
	r.cpu_ns += f->calls == 1 ? f->cost + f->first : f->cost;
	if (f->works)
		work(q);
	if (f->err)
		return f->quiet ? f->err : qmem_fail(q, f->err, "cannot read '/proc/a'");
	qmem_emit_all(q, &sample);
	qmem_emit(q, &families[1], &thing, &sample);
	return 0;
}

static int collect_plain(struct qmem *q, void *state)
{
	const struct fake *f = state;
	struct sample sample = { f->number, QMEM_NA };

	qmem_emit_all(q, &sample);
	return 0;
}

static int collect_b(struct qmem *q, void *state)
{
	struct fake *f = last_b = state;

	(void)q;
	f->calls++;
	r.cpu_ns += f->calls == 1 ? f->cost + f->first : f->cost;
	return f->err;
}

static void stop(struct qmem *q, void *state)
{
	(void)state;
	qmem_log(q, QMEM_LOG_DEBUG, "stop");
}

static void values(struct qmem *q, void *state, const struct qmem_round *round, const struct qmem_family *family,
		   const struct qmem_instance *instance, const void *sample)
{
	(void)q;
	(void)sample;
	ck_assert_str_eq(round->service->name, "alpha");
	ck_assert_uint_eq(round->seen, 1); /* the second metric never has a value */
	ck_assert((instance != NULL) == (family->label != NULL));
	((struct fake *)state)->seen++;
}

static const struct qmem_renamed renamed[] = { { "Figure", "Number" }, { 0 } };

static const struct qmem_service alpha = {
	.name = "alpha",
	.relief = "magic",
	.source = "/proc/a",
	.families = families,
	.options = options,
	.renamed = renamed,
	.state_size = sizeof(struct fake),
	.start = start,
	.collect = collect_a,
	.stop = stop,
};

static const struct qmem_service beta = {
	.name = "beta",
	.source = "/proc/b",
	.needs = &alpha,
	.options = options,
	.state_size = sizeof(struct fake),
	.start = start,
	.collect = collect_b,
	.values = values,
	.stop = stop,
};

static const struct qmem_service *const services[] = { &alpha, &beta, NULL };

static void setup(void)
{
	recorder_init(&r, NULL);
	r.q = qmem_new(&recorder_host, &r, services);
	ck_assert_ptr_nonnull(r.q);
	last_a = last_b = NULL;
}

static void teardown(void)
{
	qmem_free(r.q);
	recorder_release(&r);
}

static const char *set(const char *service, const char *option, const char *value)
{
	static struct qmem_error error;

	return qmem_set(r.q, service, NULL, NULL, option, value, &error) ? error.text : NULL;
}

static void begin(unsigned tick_s)
{
	ck_assert_int_eq(qmem_start(r.q, tick_s * QMEM_SECOND, tick_s * QMEM_SECOND, 100 * QMEM_SECOND), 0);
}

static int collect_at(double s)
{
	return qmem_collect(r.q, (uint64_t)(s * 1e9));
}

START_TEST(a_tick)
{
	begin(10);
	ck_assert_int_eq(collect_at(100), 0);
	ck_assert_str_eq(recorder_take(&r), "alpha.plain.one 3 bytes\n"
					    "alpha.plain.two - bytes\n"
					    "alpha.each.one[x\\x0ay] 0.003 seconds total\n"
					    "alpha.each.two[x\\x0ay] - seconds total\n"
					    "collected alpha every 10000 ms\n"
					    "collected beta every 10000 ms\n");
	ck_assert_int_eq(last_a->calls, 1);
	ck_assert_int_eq(last_b->calls, 1);
	/* plain, each, hidden and more: who looks on sees them all */
	ck_assert_int_eq(last_b->seen, 4);
}
END_TEST

START_TEST(details_on_request)
{
	ck_assert_ptr_null(set("alpha", "Detail", "yes"));
	begin(10);
	collect_at(100);
	ck_assert_ptr_nonnull(strstr(recorder_take(&r), "alpha.more.one 3 bytes\n"));
	ck_assert(qmem_shown(r.q, &alpha, &families[3]));
	ck_assert(!qmem_shown(r.q, &alpha, &families[2]));
}
END_TEST

/* What the agent's own plugins show is left out on request; a service that shows nothing else is off, unless it is asked for. */
START_TEST(overlap)
{
	static const struct qmem_family both_kinds[] = {
		{ .id = "own", .unit = "bytes", .divisor = 1, .metrics = metrics },
		{ .id = "also", .unit = "bytes", .divisor = 1, .flags = QMEM_OVERLAP, .metrics = metrics },
		{ 0 },
	};
	static const struct qmem_service mixed = {
		.name = "mixed",
		.families = both_kinds,
		.options = options,
		.state_size = sizeof(struct fake),
		.collect = collect_plain,
	};
	static const struct qmem_service spare = {
		.name = "spare",
		.families = &both_kinds[1],
		.options = options,
		.state_size = sizeof(struct fake),
		.collect = collect_plain,
	};
	static const struct qmem_service *const pair[] = { &mixed, &spare, NULL };
	static const struct {
		const char *overlap, *enabled, *said, *reason;
	} cases[] = {
		{ "yes", "auto",
		  "mixed.own.one 3 bytes\nmixed.own.two - bytes\nmixed.also.one 3 bytes\nmixed.also.two - bytes\ncollected mixed every 10000 ms\n"
		  "spare.also.one 3 bytes\nspare.also.two - bytes\ncollected spare every 10000 ms\n",
		  "" },
		{ "no", "auto", "mixed.own.one 3 bytes\nmixed.own.two - bytes\ncollected mixed every 10000 ms\n",
		  "the agent's own plugins show what it does, and Overlap is no" },
		{ "no", "yes",
		  "mixed.own.one 3 bytes\nmixed.own.two - bytes\ncollected mixed every 10000 ms\ncollected spare every 10000 ms\n",
		  "" },
	};
	struct qmem_status status;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		qmem_free(r.q);
		(void)recorder_take(&r);
		r.q = qmem_new(&recorder_host, &r, pair);
		ck_assert_ptr_null(set(NULL, "Overlap", cases[i].overlap));
		ck_assert_ptr_null(set("spare", "Enabled", cases[i].enabled));
		begin(10);
		collect_at(100);
		ck_assert_str_eq(recorder_take(&r), cases[i].said);
		ck_assert(qmem_status(r.q, 1, &status));
		ck_assert_str_eq(status.reason, cases[i].reason);
	}
}
END_TEST

/* One that is there for others runs when they do. */
START_TEST(shared)
{
	static const struct qmem_service table = {
		.name = "table",
		.shared = true,
		.options = options,
		.state_size = sizeof(struct fake),
		.start = start,
		.collect = collect_b,
		.stop = stop,
	};
	static const struct qmem_service user = {
		.name = "user",
		.needs = &table,
		.options = options,
		.state_size = sizeof(struct fake),
		.collect = collect_b,
	};
	static const struct qmem_service *const both[] = { &table, &user, NULL };
	struct qmem_status status;

	for (int enabled = 0; enabled < 2; enabled++) {
		qmem_free(r.q);
		r.q = qmem_new(&recorder_host, &r, both);
		ck_assert_ptr_nonnull(r.q);
		ck_assert_ptr_null(set("user", "Enabled", enabled ? "yes" : "no"));
		ck_assert_ptr_null(set("user", "Interval", "20s"));
		ck_assert_int_eq(qmem_start(r.q, 10 * QMEM_SECOND, 10 * QMEM_SECOND, 100 * QMEM_SECOND),
				 enabled ? 0 : -ENODEV);
		for (int s = 100; s <= 130; s += 10)
			collect_at(s);
		ck_assert(qmem_status(r.q, 0, &status));
		ck_assert(status.on == enabled);
		ck_assert_str_eq(status.reason, enabled ? "number 3" : "no service needs it");
		ck_assert_uint_eq(status.collections, enabled ? 2 : 0);
	}
	/* asked for by name, it runs by itself */
	qmem_free(r.q);
	r.q = qmem_new(&recorder_host, &r, both);
	ck_assert_ptr_null(set("user", "Enabled", "no"));
	ck_assert_ptr_null(set("table", "Enabled", "yes"));
	begin(10);
	collect_at(100);
	ck_assert(qmem_status(r.q, 0, &status));
	ck_assert_uint_eq(status.collections, 1);
}
END_TEST

START_TEST(needed_but_not_wanted)
{
	ck_assert_ptr_null(set("alpha", "Enabled", "no"));
	begin(10);
	collect_at(100);
	ck_assert_str_eq(recorder_take(&r), "collected beta every 10000 ms\n");
	ck_assert_int_eq(last_a->calls, 1);
	ck_assert_int_eq(last_b->seen, 0);
}
END_TEST

START_TEST(intervals)
{
	ck_assert_ptr_null(set("alpha", "Interval", "25s"));
	ck_assert_ptr_null(set("beta", "Enabled", "no"));
	begin(10);
	/* rounded up to 30 s; half a tick early is in time */
	collect_at(100);
	ck_assert_int_eq(last_a->calls, 1);
	collect_at(110);
	collect_at(120);
	ck_assert_int_eq(last_a->calls, 1);
	collect_at(129.99);
	ck_assert_int_eq(last_a->calls, 2);
	collect_at(140);
	collect_at(150.01);
	ck_assert_int_eq(last_a->calls, 2);
	collect_at(160.02);
	ck_assert_int_eq(last_a->calls, 3);
	/* a long pause: one collection, then in phase again */
	collect_at(777);
	ck_assert_int_eq(last_a->calls, 4);
	collect_at(780);
	ck_assert_int_eq(last_a->calls, 4);
	collect_at(790);
	ck_assert_int_eq(last_a->calls, 5);
}
END_TEST

/* A host's ticks need not begin when the engine did: wherever they fall, and however they jitter, each is one. */
START_TEST(phases)
{
	ck_assert_ptr_null(set("beta", "Enabled", "no"));
	begin(10);
	for (int phase = 0; phase < 100; phase++) {
		double from = 1000 * (phase + 1) + phase / 10.0;
		int calls;

		collect_at(from);
		calls = last_a->calls;
		for (int k = 1; k <= 50; k++)
			collect_at(from + 10 * k + (k % 2 ? .05 : -.05));
		ck_assert_int_eq(last_a->calls - calls, 50);
	}
}
END_TEST

/* A host that may choose calls often enough for all of them, but not for the sake of odd fractions. */
START_TEST(ticks)
{
	static const struct {
		const char *alpha, *beta;
		unsigned tick_ms;
	} rows[] = {
		{ "0", "0", 10000 },     { "3s", "0", 1000 },   { "20s", "0", 10000 },  { "5s", "0", 5000 },
		{ "20s", "30s", 10000 }, { "7.3s", "0", 7300 }, { "500ms", "1s", 500 }, { "200ms", "0.3s", 200 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ck_assert_ptr_null(set("alpha", "Interval", rows[i].alpha));
		ck_assert_ptr_null(set("beta", "Interval", rows[i].beta));
		ck_assert_uint_eq(qmem_tick(r.q, 10 * QMEM_SECOND), rows[i].tick_ms * (QMEM_SECOND / 1000));
	}
	ck_assert_str_eq(set("alpha", "Interval", "1us"), "alpha: Interval '1us' must be 0, or at least 100ms");
	ck_assert_ptr_null(set("alpha", "Interval", "7.3s"));
	ck_assert_ptr_null(set("beta", "Enabled", "no"));
	begin(10);
	ck_assert_str_eq(recorder_take(&r), "log info alpha: an interval of 7300ms is one of 10s here\n");
}
END_TEST

START_TEST(collected_for_another_between_its_own_turns)
{
	ck_assert_ptr_null(set("alpha", "Interval", "20s"));
	begin(10);
	collect_at(100);
	ck_assert_ptr_nonnull(strstr(recorder_take(&r), "collected alpha every 20000 ms\n"));
	collect_at(110);
	ck_assert_str_eq(recorder_take(&r), "collected beta every 10000 ms\n");
	ck_assert_int_eq(last_a->calls, 2);
}
END_TEST

START_TEST(errors_are_said_once)
{
	begin(10);
	collect_at(100);
	recorder_take(&r);
	last_a->err = -EACCES;
	ck_assert_int_eq(collect_at(110), 0);
	ck_assert_str_eq(recorder_take(&r), "log warning alpha: cannot read '/proc/a'\n"
					    "collected beta every 10000 ms\n");
	collect_at(120);
	ck_assert_str_eq(recorder_take(&r), "collected beta every 10000 ms\n");
	last_a->err = 0;
	collect_at(130);
	ck_assert_ptr_nonnull(strstr(recorder_take(&r), "log info alpha: is back after 2 failed collections\n"));
	last_a->err = -EACCES;
	last_a->quiet = true;
	last_b->err = -ENODEV;
	ck_assert_int_eq(collect_at(140), -EIO);
	ck_assert_str_eq(recorder_take(&r), "log warning alpha: Permission denied\n"
					    "log warning beta: No such device\n");
}
END_TEST

/* A host backs off when nothing at all can be read; not for the one that happens to be due. */
START_TEST(one_that_fails_is_not_all)
{
	ck_assert_ptr_null(set("beta", "Interval", "20s"));
	begin(10);
	collect_at(100);
	last_a->err = -EACCES;
	ck_assert_int_eq(collect_at(110), 0);
	last_b->err = -EACCES;
	ck_assert_int_eq(collect_at(120), -EIO);
	ck_assert_int_eq(collect_at(130), -EIO);
	last_a->err = 0;
	ck_assert_int_eq(collect_at(140), 0);
}
END_TEST

START_TEST(a_service_that_cannot_start_is_off)
{
	struct qmem_status status;

	ck_assert_ptr_null(set("alpha", "StartError", "95"));
	ck_assert_ptr_null(set("beta", "Enabled", "yes"));
	ck_assert_ptr_null(set("beta", "StartError", "13"));
	ck_assert_int_eq(qmem_start(r.q, QMEM_SECOND, QMEM_SECOND, 0), -ENODEV);
	/* what a start has left behind is stop's to free */
	ck_assert_str_eq(recorder_take(&r), "log debug alpha: stop\n"
					    "log info alpha: is off: this kernel has no things\n"
					    "log debug beta: stop\n"
					    "log error beta: cannot run: Permission denied\n");
	ck_assert(qmem_status(r.q, 0, &status));
	ck_assert(!status.on);
	ck_assert_str_eq(status.reason, "this kernel has no things");
	ck_assert_ptr_null(qmem_state(r.q, &alpha));
	ck_assert(!qmem_status(r.q, 2, &status));
	collect_at(1);
	ck_assert_str_eq(recorder_take(&r), "");
}
END_TEST

START_TEST(notes)
{
	struct qmem_status status;

	ck_assert_ptr_null(set("alpha", "Number", "8"));
	begin(1);
	qmem_status(r.q, 0, &status);
	ck_assert(status.on);
	ck_assert_str_eq(status.reason, "number 8");
}
END_TEST

START_TEST(options_name_what_is_wrong)
{
	struct qmem_error error;

	ck_assert_str_eq(set("gamma", "Number", "1"), "no service 'gamma'");
	ck_assert_str_eq(set("alpa", "Number", "1"), "no service 'alpa'; did you mean 'alpha'?");
	ck_assert_str_eq(set("alpha", "Nummer", "1"), "alpha: no option 'Nummer'; did you mean 'Number'?");
	ck_assert_str_eq(set("alpha", "Intervall", "1"), "alpha: no option 'Intervall'; did you mean 'Interval'?");
	ck_assert_str_eq(set("alpha", "HostRoot", "/"),
			 "alpha: no option 'HostRoot'; it is one of qmem as a whole, outside of all services");
	ck_assert_str_eq(set(NULL, "Interval", "1"), "no option 'Interval'; each service has one of its own");
	ck_assert_str_eq(set(NULL, "Number", "1"), "no option 'Number'; there is one in alpha, beta");
	ck_assert_str_eq(set(NULL, "Host-Rot", "/"), "no option 'Host-Rot'; did you mean 'HostRoot'?");
	ck_assert_str_eq(set("alpha", "fig_ure", "1"), "alpha: no option 'fig_ure': it is 'Number' now");
	ck_assert_str_eq(set("alpha", "number", "x\"\n"), "alpha: Number 'x\"\\x0a' is not a whole number");
	ck_assert_str_eq(set(NULL, "Root", "/"), "no option 'Root'");
	ck_assert_int_eq(qmem_set(r.q, "alpha", "Group", "web", "Comm", "x", &error), -ENOENT);
	ck_assert_str_eq(error.text, "alpha: no block 'Group'");
	ck_assert_ptr_null(set("ALPHA", "num-ber", "9"));
	begin(1);
	ck_assert_str_eq(set("alpha", "Number", "1"), "alpha: 'Number' cannot be set any more");
	collect_at(100);
	ck_assert_int_eq(last_a->number, 9);
}
END_TEST

START_TEST(a_root_that_is_not_there)
{
	char dir[] = "/tmp/qmem-root-XXXXXX";
	struct qmem_status status;

	ck_assert_str_eq(set(NULL, "HostRoot", "/nowhere"), "HostRoot '/nowhere' cannot be found");
	ck_assert_str_eq(set(NULL, "HostRoot", "/proc/stat"), "HostRoot '/proc/stat' is not a directory");
	/* it is not the default that is measured then */
	ck_assert_int_eq(qmem_open_root(r.q), -ENOTDIR);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_ptr_null(set(NULL, "HostRoot", dir));
	/* it goes after that */
	ck_assert_int_eq(rmdir(dir), 0);
	ck_assert_int_eq(qmem_start(r.q, QMEM_SECOND, QMEM_SECOND, 0), -ENOENT);
	ck_assert_ptr_nonnull(strstr(recorder_take(&r), "log error cannot open HostRoot '/tmp/qmem-root-"));
	qmem_status(r.q, 0, &status);
	ck_assert(!status.on);
	ck_assert_ptr_nonnull(strstr(status.reason, "cannot open HostRoot '/tmp/qmem-root-"));
}
END_TEST

START_TEST(stops_in_reverse)
{
	begin(1);
	recorder_take(&r);
	qmem_free(r.q);
	ck_assert_str_eq(recorder_take(&r),
			 "log debug beta: stop\nstopped beta\nlog debug alpha: stop\nstopped alpha\n");
	r.q = NULL;
}
END_TEST

/* What is dear from the start has its pace before its first value, and keeps it. */
START_TEST(too_dear_from_the_start)
{
	struct qmem_status status;
	struct fake *f;

	ck_assert_ptr_null(set("alpha", "Budget", "10ms"));
	ck_assert_ptr_null(set("beta", "Enabled", "no"));
	begin(1);
	f = qmem_state(r.q, &alpha);
	f->cost = 35000000;
	f->first = 20000000;
	collect_at(100);
	ck_assert_str_eq(recorder_take(&r), "");
	collect_at(101);
	ck_assert_str_eq(recorder_take(&r),
			 "log notice alpha: is collected every 4s, not 1s: it takes 35.0 ms of CPU, its "
			 "Budget is 10.0 ms a second; a larger Budget or Interval, or magic will do\n"
			 "alpha.plain.one 3 bytes\n"
			 "alpha.plain.two - bytes\n"
			 "alpha.each.one[x\\x0ay] 0.003 seconds total\n"
			 "alpha.each.two[x\\x0ay] - seconds total\n"
			 "collected alpha every 4000 ms\n");
	qmem_status(r.q, 0, &status);
	ck_assert_uint_eq(status.interval, 4 * QMEM_SECOND);
	ck_assert_str_eq(status.paced, "every 4s, not 1s: it takes 35.0 ms of CPU, its Budget is 10.0 ms a second");
	for (int i = 102; i <= 122; i++) {
		collect_at(i);
		ck_assert_int_eq(f->calls, 2 + (i - 100) / 4);
	}
	ck_assert_ptr_null(strstr(recorder_take(&r), "log "));
	/* for ever */
	f->cost = 0;
	for (int i = 123; i < 1000; i++)
		collect_at(i);
	qmem_status(r.q, 0, &status);
	ck_assert_uint_eq(status.interval, 4 * QMEM_SECOND);
	ck_assert_uint_eq(status.every, 4 * QMEM_SECOND);
}
END_TEST

/* The first collection opens files, and is no measure. */
START_TEST(dear_at_first_only)
{
	struct qmem_status status;
	struct fake *f;

	ck_assert_ptr_null(set("alpha", "Budget", "10ms"));
	ck_assert_ptr_null(set("beta", "Enabled", "no"));
	begin(1);
	f = qmem_state(r.q, &alpha);
	f->cost = 9000000;
	f->first = 90000000;
	collect_at(100);
	ck_assert_str_eq(recorder_take(&r), "");
	collect_at(101);
	ck_assert_ptr_nonnull(strstr(recorder_take(&r), "collected alpha every 1000 ms\n"));
	qmem_status(r.q, 0, &status);
	ck_assert_str_eq(status.paced, "");
}
END_TEST

/* Later the interval stays: some turns are left out. One line when it begins, one when it is over. */
START_TEST(dear_later)
{
	struct qmem_status status;
	double now = 100;
	int before;

	ck_assert_ptr_null(set("alpha", "Budget", "10ms"));
	ck_assert_ptr_null(set("beta", "Enabled", "no"));
	begin(1);
	collect_at(now++);
	last_a->cost = 50000000;
	r.no_values = true;
	recorder_take(&r);
	for (int i = 0; i < 200; i++)
		collect_at(now++);
	ck_assert_str_eq(recorder_take(&r),
			 "log notice alpha: needs 50.0 ms of CPU a second, its budget is 10.0 ms: every 2s for now\n");
	qmem_status(r.q, 0, &status);
	ck_assert_uint_eq(status.every, 8 * QMEM_SECOND);
	r.no_values = false;
	before = last_a->calls;
	for (int i = 0; i < 80; i++)
		collect_at(now++);
	ck_assert_int_eq(last_a->calls - before, 10);
	ck_assert_ptr_nonnull(strstr(recorder_take(&r), "collected alpha every 1000 ms\n"));
	r.no_values = true;

	last_a->cost = 1000000000;
	for (int i = 0; i < 400; i++)
		collect_at(now++);
	qmem_status(r.q, 0, &status);
	ck_assert_uint_eq(status.every, 16 * QMEM_SECOND);

	last_a->cost = 1000;
	for (int i = 0; i < 2000; i++)
		collect_at(now++);
	qmem_status(r.q, 0, &status);
	ck_assert_uint_eq(status.every, QMEM_SECOND);
	ck_assert_uint_eq(status.interval, QMEM_SECOND);
	ck_assert_str_eq(recorder_take(&r), "log info alpha: is within its budget again: every 1s\n");
}
END_TEST

static const struct qmem_service table = {
	.name = "table",
	.shared = true,
	.options = options,
	.state_size = sizeof(struct fake),
	.collect = collect_b,
};

static const struct qmem_service groups = {
	.name = "groups",
	.needs = &table,
	.options = options,
	.state_size = sizeof(struct fake),
	.collect = collect_b,
};

static const struct qmem_service load = {
	.name = "load",
	.needs = &groups,
	.options = options,
	.state_size = sizeof(struct fake),
	.collect = collect_b,
};

static const struct qmem_service apart = {
	.name = "apart",
	.options = options,
	.state_size = sizeof(struct fake),
	.collect = collect_b,
};

static const struct qmem_service *const family[] = { &table, &groups, &load, &apart, NULL };

static void setup_family(void)
{
	qmem_free(r.q);
	r.q = qmem_new(&recorder_host, &r, family);
	ck_assert_ptr_nonnull(r.q);
	ck_assert_ptr_null(set("table", "Budget", "10ms"));
	ck_assert_ptr_null(set("groups", "Interval", "2s"));
	ck_assert_ptr_null(set("apart", "Interval", "4s"));
	begin(1);
}

static uint64_t interval_of(size_t i)
{
	struct qmem_status status;

	ck_assert(qmem_status(r.q, i, &status));
	return status.interval / QMEM_SECOND;
}

static uint64_t every(size_t i)
{
	struct qmem_status status;

	ck_assert(qmem_status(r.q, i, &status));
	return status.every / QMEM_SECOND;
}

/* What runs for others only is tried at once, some times, and gives its pace to all that need it before they say anything. */
START_TEST(pace_of_what_others_need)
{
	struct qmem_status status;
	struct fake *f;

	setup_family();
	f = qmem_state(r.q, &table);
	f->cost = 25000000;
	f->first = 100000000;
	collect_at(100);
	ck_assert_int_eq(f->calls, 4);
	ck_assert_str_eq(
		recorder_take(&r),
		"log notice table: is collected every 3s, not 1s: it takes 25.0 ms of CPU, its Budget is 10.0 ms a "
		"second; a larger Budget or Interval will do\n"
		"collected groups every 3000 ms\n"
		"collected load every 3000 ms\n"
		"collected apart every 4000 ms\n");
	qmem_status(r.q, 0, &status);
	ck_assert_uint_eq(status.collections, 1);
	qmem_status(r.q, 2, &status);
	ck_assert_str_eq(status.paced, "every 3s, since it needs table");
	for (int i = 101; i < 200; i++) {
		collect_at(i);
		ck_assert_int_eq(f->calls, 4 + (i - 100) / 3);
	}
	for (size_t i = 0; i < 3; i++)
		ck_assert_uint_eq(interval_of(i), 3);
	ck_assert_uint_eq(interval_of(3), 4);
}
END_TEST

/* As few as are needed, and not for long. */
START_TEST(trials_are_bounded)
{
	struct fake *f;

	setup_family();
	f = qmem_state(r.q, &table);
	f->cost = 9000000;
	f->first = 100000000;
	collect_at(100);
	ck_assert_int_eq(f->calls, 2);
	ck_assert_uint_eq(interval_of(2), 1);

	setup_family();
	f = qmem_state(r.q, &table);
	f->cost = 2000000000;
	collect_at(100);
	ck_assert_int_eq(f->calls, 1);
	ck_assert_uint_eq(interval_of(0), 60);
	ck_assert_uint_eq(interval_of(2), 60);

	setup_family();
	f = qmem_state(r.q, &table);
	f->err = -EIO;
	collect_at(100);
	ck_assert_int_eq(f->calls, 1);
}
END_TEST

/* What becomes dear later is weighed, too: all that need it, at first hand or second, have their turns less often. */
START_TEST(budget_of_what_others_need)
{
	struct fake *f, *g;
	double now = 100;
	int before;

	setup_family();
	f = qmem_state(r.q, &table);
	g = qmem_state(r.q, &groups);
	r.no_values = true;
	collect_at(now++);
	f->cost = 15000000;
	for (int i = 0; i < 7; i++)
		collect_at(now++);
	ck_assert_str_eq(recorder_take(&r),
			 "log notice table: needs 15.0 ms of CPU a second, its budget is 10.0 ms: every 2s for now\n");
	for (int i = 0; i < 192; i++)
		collect_at(now++);
	ck_assert_uint_eq(every(0), 2);
	ck_assert_uint_eq(every(1), 2);
	ck_assert_uint_eq(every(2), 2);
	ck_assert_uint_eq(every(3), 4);
	/* both have their turns together: it is walked no more often than the one that wants it most */
	before = f->calls;
	for (int i = 0; i < 80; i++)
		collect_at(now++);
	ck_assert_int_eq(f->calls - before, 40);

	/* one that has slowed itself has its turns where the others have them */
	g->cost = 200000000;
	for (int i = 0; i < 200; i++)
		collect_at(now++);
	before = f->calls;
	for (int i = 0; i < 160; i++)
		collect_at(now++);
	ck_assert_int_eq(f->calls - before, 160 / 16);
	ck_assert_uint_eq(every(1), 32);
	ck_assert_uint_eq(every(2), 16);

	f->cost = g->cost = 1000;
	for (int i = 0; i < 3000; i++)
		collect_at(now++);
	ck_assert_uint_eq(every(0), 1);
	ck_assert_uint_eq(every(1), 2);
	ck_assert_uint_eq(every(2), 1);
	for (size_t i = 0; i < 4; i++)
		ck_assert_uint_eq(interval_of(i), every(i));
	ck_assert_ptr_nonnull(strstr(recorder_take(&r), "log info table: is within its budget again: every 1s\n"));
}
END_TEST

START_TEST(no_budget_no_limit)
{
	struct qmem_status status;

	ck_assert_ptr_null(set("alpha", "Budget", "0"));
	begin(1);
	collect_at(100);
	last_a->cost = 2000000000;
	for (int i = 1; i < 50; i++)
		collect_at(100 + i);
	qmem_status(r.q, 0, &status);
	ck_assert_uint_eq(status.interval, QMEM_SECOND);
	ck_assert_uint_eq(status.cpu_ns, 49 * UINT64_C(2000000000));
	ck_assert_uint_eq(status.collections, 50);
	ck_assert_uint_eq(status.values, 50 * 2);
}
END_TEST

/* Its own, at the worker or at once, and nobody else's; not a matter of the interval. */
START_TEST(jobs_are_a_cost)
{
	struct qmem_status a, b;

	begin(1);
	collect_at(100);
	last_a->cost = 1000;
	last_a->works = true;
	for (int i = 0; i < 2; i++) {
		collect_at(101 + i);
		r.hold_jobs = true;
	}
	qmem_status(r.q, 0, &a);
	ck_assert_uint_eq(a.cpu_ns, 2 * 1000 + JOB_COST);
	ck_assert(recorder_work(&r));
	qmem_status(r.q, 0, &a);
	qmem_status(r.q, 1, &b);
	ck_assert_uint_eq(a.cpu_ns, 2 * 1000 + 2 * JOB_COST);
	ck_assert_uint_eq(b.cpu_ns, 0);
}
END_TEST

SUITE(engine)
{
	Suite *s = suite_create("engine");
	TCase *t = tcase_create("engine");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_tick);
	tcase_add_test(t, details_on_request);
	tcase_add_test(t, overlap);
	tcase_add_test(t, needed_but_not_wanted);
	tcase_add_test(t, shared);
	tcase_add_test(t, intervals);
	tcase_add_test(t, phases);
	tcase_add_test(t, ticks);
	tcase_add_test(t, collected_for_another_between_its_own_turns);
	tcase_add_test(t, errors_are_said_once);
	tcase_add_test(t, one_that_fails_is_not_all);
	tcase_add_test(t, a_service_that_cannot_start_is_off);
	tcase_add_test(t, notes);
	tcase_add_test(t, options_name_what_is_wrong);
	tcase_add_test(t, a_root_that_is_not_there);
	tcase_add_test(t, stops_in_reverse);
	tcase_add_test(t, too_dear_from_the_start);
	tcase_add_test(t, dear_at_first_only);
	tcase_add_test(t, dear_later);
	tcase_add_test(t, pace_of_what_others_need);
	tcase_add_test(t, trials_are_bounded);
	tcase_add_test(t, budget_of_what_others_need);
	tcase_add_test(t, no_budget_no_limit);
	tcase_add_test(t, jobs_are_a_cost);
	suite_add_tcase(s, t);
	return s;
}
