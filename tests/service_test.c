/* SPDX-License-Identifier: MIT */
/* A service that does what a test orders, in place of the built-in ones. */
#include "service_test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "qmem.h"

struct sample {
	int64_t level, missing, rx, tx, count, gone, stalled, odd;
};

/* clang-format off: one line each */
#define METRIC(id_, member_)                                                                                           \
	{                                                                                                              \
		.id = (id_), .offset = offsetof(struct sample, member_), .help = ""                                    \
	}
#define FAMILY(id_, kind_, divisor_, unit_, type_, label_, flags_, ...)                                                \
	{                                                                                                              \
		.id = (id_), .title = (id_), .unit = (unit_), .kind = (kind_), .divisor = (divisor_), .type = (type_), \
		.label = (label_), .flags = (flags_), .metrics = (const struct qmem_metric[])                          \
		{                                                                                                      \
			__VA_ARGS__,                                                                                   \
			{                                                                                              \
				0                                                                                      \
			}                                                                                              \
		}                                                                                                      \
	}

static const struct qmem_family families[] = {
	FAMILY("level", QMEM_GAUGE, 1, "bytes", "memory", NULL, 0, METRIC("here", level), METRIC("absent", missing)),
	FAMILY("share", QMEM_GAUGE, 100, "percent", "percent", NULL, 0, METRIC("some", level)),
	FAMILY("octets", QMEM_COUNTER, 1, "bytes", "if_octets", "device", 0, METRIC("tx", tx), METRIC("rx", rx)),
	FAMILY("half", QMEM_COUNTER, 1, "bytes", "if_octets", NULL, 0, METRIC("rx", rx), METRIC("tx", gone)),
	FAMILY("calls", QMEM_COUNTER, 1, "events", "derive", NULL, 0, METRIC("all", count), METRIC("gone", gone)),
	FAMILY("stall", QMEM_COUNTER, 1000000, "seconds", "total_time_in_ms", NULL, 0, METRIC("some", stalled)),
	FAMILY("odd", QMEM_GAUGE, 1, "bytes", "no_such_type", NULL, 0, METRIC("one", odd)),
	FAMILY("hidden", QMEM_GAUGE, 1, "bytes", "memory", NULL, QMEM_INTERNAL, METRIC("one", odd)),
	FAMILY("detail", QMEM_GAUGE, 1, "bytes", "memory", NULL, QMEM_DETAIL, METRIC("one", odd)),
	{ 0 },
};
/* clang-format on */

enum { LEVEL, SHARE, OCTETS };

#define SLICES 100
#define WORD_SLICES 10 /* on average */

struct state {
	int64_t scale;
	struct qmem_list names;
	struct qmem_blocks groups;
	struct qmem_timer timer;
	bool inside;
	int awaited, slices; /* while it awaits, those that are left */
	int words, raised;   /* those that are to come, and that have come */
	int word_slices;
};

struct group {
	int64_t size;
};

static const struct qmem_option options[] = {
	{ .name = "Scale",
	  .type = QMEM_INT,
	  .offset = offsetof(struct state, scale),
	  .def = "1",
	  .min = 1,
	  .max = 1000,
	  .help = "factor of all values" },
	{ .name = "Name",
	  .type = QMEM_LIST,
	  .offset = offsetof(struct state, names),
	  .def = "eth0",
	  .help = "instances" },
	{ .name = "Group",
	  .type = QMEM_BLOCK,
	  .offset = offsetof(struct state, groups),
	  .sub = (const struct qmem_option[]){ { .name = "Size",
						 .type = QMEM_SIZE,
						 .offset = offsetof(struct group, size),
						 .help = "of the group" },
					       { 0 } },
	  .sub_size = sizeof(struct group),
	  .help = "groups" },
	{ 0 },
};

/* The engine has no lock: an unserialised call shows here, in every build, and to TSan. */
static void enter(struct state *s)
{
	if (s->inside)
		service_test.raced = true;
	s->inside = true;
}

static void leave(struct state *s)
{
	s->inside = false;
}

static void raise(struct qmem *q, enum qmem_severity severity, const char *name, const char *instance)
{
	const struct qmem_label fields[] = { { "threshold", "10%" }, { "hostile", "a\nb" }, { NULL, NULL } };
	struct qmem_event event = {
		.severity = severity, .service = "test", .name = name, .instance = instance, .fields = fields
	};

	snprintf(event.message, sizeof(event.message), "%s of %s", name, instance);
	qmem_raise(q, &event);
}

static void ready(struct qmem *q, int fd, uint32_t events, void *arg)
{
	struct state *s = arg;
	int n = service_test.ready++;

	(void)fd;
	(void)events;
	enter(s);
	raise(q, n % 2 ? QMEM_OKAY : QMEM_WARNING, "fd", "a fd");
	leave(s);
}

static void expired(struct qmem *q, struct qmem_timer *timer)
{
	struct state *s = timer->arg;

	enter(s);
	service_test.expired++;
	raise(q, QMEM_WARNING, "timer", "a/timer");
	leave(s);
}

static void run(struct qmem_job *job)
{
	(void)job;
	service_test.ran++;
	if (service_test.job)
		service_test.job();
}

static void done(struct qmem *q, struct qmem_job *job)
{
	service_test.cpu_ns += job->cpu_ns;
	if (q)
		service_test.done++;
	else
		service_test.done_alone++;
	free(job);
}

static int start(struct qmem *q, void *state)
{
	struct state *s = state;

	s->timer = (struct qmem_timer){ .expired = expired, .arg = s };
	return service_test.fd < 0 ? 0 : qmem_watch(q, service_test.fd, EPOLLIN, ready, s);
}

static void submit(struct qmem *q)
{
	struct qmem_job *job = calloc(1, sizeof(*job));

	if (!job)
		return;
	job->run = run;
	job->done = done;
	snprintf(job->what, sizeof(job->what), "a job");
	if (qmem_work(q, job))
		free(job);
}

/* A slice that takes as long as one may. */
static bool awaits(struct qmem *q, struct state *s)
{
	int await = atomic_exchange(&service_test.await, 0);

	if (await) {
		s->awaited = service_test.ready + await;
		s->slices = SLICES;
	}
	if (!s->slices || service_test.ready >= s->awaited) {
		s->slices = 0;
		return false;
	}
	if (!--s->slices) {
		service_test.starved = true;
		return false;
	}
	while (!qmem_enough(q))
		;
	return true;
}

/* Likewise, for each of some events until the host has sent it. */
static bool awaits_word(struct qmem *q, struct state *s)
{
	int words = atomic_exchange(&service_test.words, 0);
	char name[32];

	if (words) {
		s->words = words;
		s->raised = service_test.sent;
		s->word_slices = WORD_SLICES * words;
	}
	if (service_test.sent >= s->raised) {
		if (!s->words)
			return false;
		s->words--;
		snprintf(name, sizeof(name), "%d", s->raised++);
		raise(q, QMEM_WARNING, "word", name);
	} else if (!s->word_slices--) {
		service_test.starved = true;
		s->words = 0;
		s->raised = service_test.sent;
		return false;
	}
	while (!qmem_enough(q))
		;
	return true;
}

static int collect(struct qmem *q, void *state)
{
	struct state *s = state;
	struct sample sample = { .level = 4200 * s->scale,
				 .missing = service_test.absent ? QMEM_NA : 1,
				 .rx = 1000,
				 .tx = 2000,
				 .count = 7,
				 .gone = QMEM_NA,
				 .stalled = 1234567,
				 .odd = 5 };
	char name[32];
	int n, err = 0;

	enter(s);
	if (awaits(q, s) || awaits_word(q, s)) {
		leave(s);
		return QMEM_MORE;
	}
	service_test.collected++;
	for (n = atomic_exchange(&service_test.jobs, 0); n > 0; n--)
		submit(q);
	for (n = atomic_exchange(&service_test.lines, 0); n > 0; n--)
		qmem_log(q, QMEM_LOG_WARNING, "line %d", n);
	n = atomic_exchange(&service_test.events, 0);
	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%d", i);
		raise(q, QMEM_FAILURE, "many", name);
	}
	n = atomic_exchange(&service_test.timer_ms, 0);
	if (n)
		qmem_timer_set(q, &s->timer, qmem_now(q) + (uint64_t)n * 1000000);
	if (service_test.fail > 0) {
		service_test.fail--;
		err = qmem_fail(q, -EIO, "was told to fail");
	} else {
		qmem_emit_all(q, &sample);
		for (size_t i = 0; i < s->names.n; i++)
			qmem_emit(q, &families[OCTETS], &(struct qmem_instance){ .name = s->names.items[i] }, &sample);
	}
	leave(s);
	return err;
}

static void stop(struct qmem *q, void *state)
{
	struct state *s = state;

	qmem_timer_cancel(q, &s->timer);
	if (service_test.fd >= 0)
		qmem_unwatch(q, service_test.fd);
}

static const struct qmem_service test_service = {
	.name = "test",
	.help = "does what a test orders",
	.source = "nothing",
	.families = families,
	.options = options,
	.state_size = sizeof(struct state),
	.start = start,
	.collect = collect,
	.stop = stop,
};

const struct qmem_service *const qmem_services[] = { &test_service, NULL };
