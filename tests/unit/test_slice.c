/* SPDX-License-Identifier: MIT */
/* Nobody waits for a slow one: collections in slices, on a clock that each look at it moves, as slow reads do. */
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "process/table.h"
#include "procroot.h"
#include "services.h"

#define PROCESSES 8000
#define PROCESS 100000          /* ns that one takes */
#define STEP (8 * PROCESS)      /* from one look at the clock to the next */
#define STALL (25000000 + STEP) /* and one of these now and then */
#define STALL_EVERY 125
#define HOLD_MOST 50000000

/* ---- the clock ---- */

static unsigned looks;

static uint64_t look(void)
{
	return procroot_now += ++looks % STALL_EVERY ? STEP : STALL;
}

static uint64_t longest(void)
{
	struct qmem_totals totals;

	qmem_totals(procroot_host.q, &totals);
	return totals.longest_hold;
}

static int tick(void)
{
	return qmem_collect(procroot_host.q, procroot_now);
}

static int go_on(void)
{
	return qmem_go_on(procroot_host.q, procroot_now);
}

static int finish(int err)
{
	while (err == QMEM_MORE)
		err = go_on();
	return err;
}

static const char *said(void)
{
	return recorder_take(&procroot_host);
}

/* ---- a machine of 8000 processes, and one who waits for a bell ---- */

struct bell {
	int pipe[2];
	struct qmem_timer timer;
};

static void rung(struct qmem *q, int fd, uint32_t events, void *arg)
{
	char c;

	(void)events;
	(void)arg;
	ck_assert_int_eq(read(fd, &c, 1), 1);
	qmem_log(q, QMEM_LOG_NOTICE, "rung");
}

static void expired(struct qmem *q, struct qmem_timer *timer)
{
	(void)timer;
	qmem_log(q, QMEM_LOG_NOTICE, "it is time");
}

static int start_bell(struct qmem *q, void *state)
{
	struct bell *bell = state;

	ck_assert_int_eq(pipe(bell->pipe), 0);
	bell->timer.expired = expired;
	qmem_timer_set(q, &bell->timer, qmem_now(q) + 30 * QMEM_SECOND / 1000);
	return qmem_watch(q, bell->pipe[0], EPOLLIN, rung, NULL);
}

static int collect_bell(struct qmem *q, void *state)
{
	(void)q;
	(void)state;
	return 0;
}

static void stop_bell(struct qmem *q, void *state)
{
	struct bell *bell = state;

	qmem_timer_cancel(q, &bell->timer);
	(void)qmem_unwatch(q, bell->pipe[0]);
	close(bell->pipe[0]);
	close(bell->pipe[1]);
}

static const struct qmem_service bell_service = {
	.name = "bell",
	.state_size = sizeof(struct bell),
	.start = start_bell,
	.collect = collect_bell,
	.stop = stop_bell,
};

static const struct qmem_service *const services[] = { &meminfo_service, &proctable_service, &procmem_service,
						       &cpuload_service, &bell_service,      NULL };

static void begin(const struct qmem_service *const *these)
{
	static const struct process processes[] = { { .pid = 1, .comm = "one", .state = 'S' },
						    { .pid = 9000, .comm = "late", .state = 'S' },
						    { 0 } };

	looks = 0;
	procroot_begin(these);
	procroot_host.clock = look;
	procroot_put("proc/meminfo", "MemTotal: 1000 kB\nMemFree: 500 kB\n");
	procroot_put("proc/stat", "cpu  1 2 3 4 5 6 7 8 9 10\nprocesses 5\n");
	procroot_put("proc/loadavg", "0.00 0.01 0.05 1/209 4711\n");
	procroot_processes(processes);
	procroot_links(PROCESSES);
}

static void setup(void)
{
	begin(services);
	procroot_start();
}

static const struct proctable *table(void)
{
	return qmem_state(procroot_host.q, &proctable_service);
}

/* Cheap ones come before the walk, who waits has its turn within it, and the values of the walk bear the time of its end. */
START_TEST(nobody_waits)
{
	struct bell *bell = qmem_state(procroot_host.q, &bell_service);
	uint64_t began = procroot_now, ended = 0, procmem = 0, cpuload = 0;
	const char *text;
	int err = tick(), slices = 0;

	ck_assert_int_eq(err, QMEM_MORE);
	text = said();
	ck_assert_ptr_nonnull(strstr(text, "collected meminfo every 1000 ms\n"));
	ck_assert_ptr_null(strstr(text, "procmem"));
	ck_assert_uint_eq(procroot_host.when, began);
	ck_assert(!proctable_current(table()));
	ck_assert_int_eq(write(bell->pipe[1], "!", 1), 1);
	ck_assert_int_eq(recorder_wait(&procroot_host, 0, procroot_now), 1);
	ck_assert_ptr_nonnull(strstr(said(), "log notice bell: rung\n"));
	/* it does not need the walk, and does not wait for it */
	err = go_on();
	ck_assert_int_eq(err, QMEM_MORE);
	ck_assert_str_eq(said(), "collected bell every 1000 ms\n");
	recorder_wait(&procroot_host, 0, procroot_now);
	ck_assert_uint_eq(qmem_next(procroot_host.q), QMEM_NEVER);
	for (; err == QMEM_MORE; slices++) {
		err = go_on();
		if (!ended && proctable_current(table()))
			ended = procroot_now;
		text = said();
		if (strstr(text, "collected procmem every 1000 ms\n"))
			procmem = procroot_host.when;
		if (strstr(text, "collected cpuload every 1000 ms\n"))
			cpuload = procroot_host.when;
	}
	ck_assert_int_eq(err, 0);
	ck_assert_int_gt(slices, 20);
	ck_assert_uint_eq(proctable_totals(table())->processes, PROCESSES + 1);
	ck_assert_uint_ge(procmem, began + (uint64_t)PROCESSES * PROCESS);
	ck_assert_uint_le(procmem, ended);
	ck_assert_uint_eq(cpuload, procmem);
	ck_assert_uint_gt(longest(), 0);
	ck_assert_uint_le(longest(), HOLD_MOST);
}
END_TEST

/* A tick that finds the walk unfinished collects what is cheap; the walk goes on, and what needs it misses that turn. */
START_TEST(a_tick_meanwhile)
{
	uint64_t due = procroot_now + QMEM_SECOND, round;
	int err = tick(), ticks = 0, walks = 0;

	round = proctable_round(table());
	said();
	while (err == QMEM_MORE) {
		const char *text;

		/* others have the machine between two slices */
		procroot_now += 100 * QMEM_SECOND / 1000;
		if (procroot_now >= due) {
			due += QMEM_SECOND;
			ticks++;
			err = tick();
			text = said();
			ck_assert_ptr_nonnull(strstr(text, "collected meminfo every 1000 ms\n"));
		} else {
			err = go_on();
			text = said();
			ck_assert_ptr_null(strstr(text, "collected meminfo"));
		}
		walks += strstr(text, "collected procmem") != NULL;
	}
	ck_assert_int_eq(err, 0);
	ck_assert_int_gt(ticks, 3);
	ck_assert_int_eq(walks, 1);
	ck_assert_uint_eq(proctable_round(table()), round);
	/* and the next tick is a walk again */
	procroot_now = due;
	ck_assert_int_eq(finish(tick()), 0);
	ck_assert_ptr_nonnull(strstr(said(), "collected procmem"));
	ck_assert_uint_eq(proctable_round(table()), round + 1);
}
END_TEST

static void put(int pid, unsigned long start)
{
	char name[64];

	snprintf(name, sizeof(name), "proc/%d/stat", pid);
	procroot_put(name, "%d (new) S 1 1 1 0 -1 0 5 0 6 0 1 1 0 0 20 0 1 0 %lu 4096000 100 0 1 1 1\n", pid, start);
	snprintf(name, sizeof(name), "proc/%d/statm", pid);
	procroot_put(name, "1000 100 50 1 0 200 0\n");
}

static bool has_died(uint32_t slot)
{
	const uint32_t *slots;
	size_t n = proctable_deaths(table(), &slots);

	for (size_t i = 0; i < n; i++)
		if (slots[i] == slot)
			return true;
	return false;
}

static void walk(void)
{
	procroot_now += QMEM_SECOND;
	ck_assert_int_eq(finish(tick()), 0);
}

/* Between two slices processes end, begin, and get the pids of others. Wherever the walk is then, after one more the table is
 * as they are, and each death has been told once. */
START_TEST(births_and_deaths_between_slices)
{
	const struct proc *p;
	uint32_t gone, taken, generation;
	bool gone_told = false, taken_told = false;
	size_t n = 0;

	ck_assert_int_eq(finish(tick()), 0);
	gone = proctable_find(table(), 9000)->slot;
	taken = proctable_find(table(), 17)->slot;
	generation = proctable_at(table(), taken)->generation;
	procroot_now += QMEM_SECOND;
	ck_assert_int_eq(tick(), QMEM_MORE);
	procroot_remove("proc/9000");
	procroot_remove("proc/17");
	put(17, 777);
	put(9001, 888);
	ck_assert_int_eq(finish(go_on()), 0);
	for (int i = 0; i < 2; i++) {
		ck_assert(!(gone_told && has_died(gone)));
		gone_told |= has_died(gone);
		taken_told |= has_died(taken);
		if (!i)
			walk();
	}
	ck_assert(gone_told);
	ck_assert(taken_told);
	ck_assert_ptr_null(proctable_find(table(), 9000));
	ck_assert_ptr_nonnull(proctable_find(table(), 9001));
	p = proctable_find(table(), 17);
	ck_assert_ptr_nonnull(p);
	ck_assert_int_eq(p->start, 777 * (int64_t)(QMEM_SECOND / (uint64_t)sysconf(_SC_CLK_TCK)));
	ck_assert(p->slot != taken || p->generation != generation);
	proctable_each(table(), p) n++;
	ck_assert_uint_eq(n, PROCESSES + 1);
	ck_assert_uint_eq(proctable_totals(table())->processes, n);
	/* nobody was missing */
	ck_assert_uint_eq(proctable_whole_since(table()), 1);
}
END_TEST

/* Nothing is left behind, and nothing said, when all ends in the middle of a walk. */
START_TEST(ended_in_the_middle)
{
	int before = dup(0), after;

	close(before);
	ck_assert_int_eq(tick(), QMEM_MORE);
	ck_assert_int_eq(go_on(), QMEM_MORE);
	said();
	qmem_free(procroot_host.q);
	procroot_host.q = NULL;
	ck_assert_ptr_null(strstr(said(), "log "));
	after = dup(0);
	close(after);
	ck_assert_int_le(after, before);
}
END_TEST

/* Where the host lends no clock all is done in one go. */
START_TEST(without_a_clock)
{
	procroot_host.clock = NULL;
	ck_assert_int_eq(tick(), 0);
	ck_assert_uint_eq(proctable_totals(table())->processes, PROCESSES + 1);
	ck_assert_uint_eq(longest(), 0);
}
END_TEST

/* How long that has been is a metric. */
START_TEST(longest_hold)
{
	static const struct qmem_service *const two[] = { &proctable_service, &self_service, NULL };

	procroot_end();
	begin(two);
	procroot_set("proctable", "Enabled", "yes");
	procroot_set("self", "Detail", "yes");
	procroot_start();
	ck_assert_int_eq(finish(tick()), 0);
	said();
	procroot_now += QMEM_SECOND;
	ck_assert_int_eq(finish(tick()), 0);
	ck_assert_ptr_nonnull(strstr(said(), "self.hold.longest 0.0"));
}
END_TEST

/* Files are walked by pid, in whatever order their file system lists them: golden files rely on it. */
START_TEST(by_pid)
{
	static const int pids[] = { 500, 3, 77, 40000, 12, 9, 8000, 210, 34, 5 };
	const struct proc *p;
	int32_t last = 0;
	size_t n = 0;

	procroot_begin(services);
	procroot_put("proc/meminfo", "MemTotal: 1000 kB\n");
	for (size_t i = 0; i < sizeof(pids) / sizeof(*pids); i++)
		put(pids[i], 1);
	procroot_start();
	ck_assert_int_eq(tick(), 0);
	proctable_each(table(), p)
	{
		ck_assert_int_gt(p->pid, last);
		last = p->pid;
		n++;
	}
	ck_assert_uint_eq(n, sizeof(pids) / sizeof(*pids));
	procroot_end();
}
END_TEST

/* What is cheap stands before the walk in the table of services, what needs it behind; `self` has seen them all. */
START_TEST(order)
{
	bool walked = false;
	size_t n = 0;

	for (; qmem_services[n]; n++) {
		const struct qmem_service *s = qmem_services[n], *root = s;

		while (root->needs)
			root = root->needs;
		walked |= s == &proctable_service;
		ck_assert_msg(s == &self_service || walked == (root == &proctable_service), "%s", s->name);
	}
	ck_assert(walked);
	ck_assert_ptr_eq(qmem_services[n - 1], &self_service);
}
END_TEST

/* ---- a walk that takes longer than a tick ---- */

static struct {
	uint64_t takes, ends; /* ends: 0: none is under way */
	int collected[2];
} walker;

static int collect_walk(struct qmem *q, void *state)
{
	(void)state;
	if (!walker.ends)
		walker.ends = qmem_now(q) + walker.takes;
	if (qmem_now(q) < walker.ends)
		return QMEM_MORE;
	walker.ends = 0;
	return 0;
}

static int collect_often(struct qmem *q, void *state)
{
	(void)q;
	(void)state;
	walker.collected[0]++;
	return 0;
}

static int collect_seldom(struct qmem *q, void *state)
{
	(void)q;
	(void)state;
	walker.collected[1]++;
	return 0;
}

static const struct qmem_service walk_service = { .name = "walk", .shared = true, .collect = collect_walk };
static const struct qmem_service often_service = {
	.name = "often", .source = "/", .needs = &walk_service, .collect = collect_often
};
static const struct qmem_service seldom_service = {
	.name = "seldom", .source = "/", .needs = &walk_service, .collect = collect_seldom
};
static const struct qmem_service *const walkers[] = { &walk_service, &often_service, &seldom_service, NULL };

/* Each hold has been long enough as soon as it is looked at. */
static uint64_t impatient(void)
{
	return procroot_now + HOLD_MOST;
}

/* One whose turn comes while the walk before is under way has it with the next walk, wherever its own interval falls. */
START_TEST(a_turn_that_is_missed_comes_later)
{
	int err = 0;

	memset(&walker, 0, sizeof(walker));
	procroot_begin(walkers);
	procroot_host.clock = impatient;
	procroot_set("seldom", "Interval", "2s");
	procroot_start();
	/* from the second walk on, each begins in a second that is odd */
	walker.takes = 5 * QMEM_SECOND / 2;
	for (int eighth = 0; eighth < 8 * 60; eighth++, procroot_now += QMEM_SECOND / 8) {
		if (eighth % 8 == 0)
			err = tick();
		else if (err == QMEM_MORE)
			err = go_on();
		if (walker.collected[0])
			walker.takes = 3 * QMEM_SECOND / 2;
	}
	ck_assert_int_gt(walker.collected[0], 25);
	ck_assert_int_gt(walker.collected[1], 20);
}
END_TEST

SUITE(slice)
{
	Suite *s = suite_create("slice");
	TCase *t = tcase_create("slice"), *u = tcase_create("order"), *v = tcase_create("walkers");

	tcase_add_checked_fixture(t, setup, procroot_end);
	tcase_add_test(t, nobody_waits);
	tcase_add_test(t, a_tick_meanwhile);
	tcase_add_test(t, births_and_deaths_between_slices);
	tcase_add_test(t, ended_in_the_middle);
	tcase_add_test(t, without_a_clock);
	tcase_add_test(t, longest_hold);
	suite_add_tcase(s, t);
	tcase_add_test(u, order);
	tcase_add_test(u, by_pid);
	suite_add_tcase(s, u);
	tcase_add_checked_fixture(v, NULL, procroot_end);
	tcase_add_test(v, a_turn_that_is_missed_comes_later);
	suite_add_tcase(s, v);
	return s;
}
