/* SPDX-License-Identifier: MIT */
/* What counters of the kernel make of samples, of the machine and of groups. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "process/table.h"
#include "procroot.h"
#include "rows.h"
#include "service/pagecache_hits.h"
#include "services.h"

static struct hits_reader r;
static struct cachehits_machine cpus[3];

static void setup(void)
{
	memset(&r, 0, sizeof(r));
	memset(cpus, 0, sizeof(cpus));
}

static void count(int cpu, __u64 reads, __u64 read_misses, __u64 faults, __u64 fault_misses, __u64 added)
{
	const __u64 n[CACHEHITS_KINDS] = { reads, read_misses, faults, fault_misses, added };

	memcpy(cpus[cpu].n, n, sizeof(n));
}

START_TEST(sums)
{
	count(0, 10, 2, 5, 1, 100);
	count(2, 30, 3, 7, 0, 11);
	hits_sum(&r, cpus, 3);
	ck_assert_int_eq(r.machine.read_hit, 35);
	ck_assert_int_eq(r.machine.read_miss, 5);
	ck_assert_int_eq(r.machine.fault_hit, 11);
	ck_assert_int_eq(r.machine.fault_miss, 1);
	ck_assert_int_eq(r.machine.added, 111);
	/* of the first one there is no share, nor where nobody has looked */
	ck_assert(r.machine.ratio == QMEM_NA);
	hits_sum(&r, cpus, 3);
	ck_assert(r.machine.ratio == QMEM_NA);
	count(1, 6, 2, 4, 0, 0);
	hits_sum(&r, cpus, 3);
	ck_assert_int_eq(r.machine.ratio, 8000);
}
END_TEST

/* A miss that is counted behind its look takes no hit back. */
START_TEST(late_misses)
{
	count(0, 10, 0, 0, 0, 0);
	hits_sum(&r, cpus, 3);
	ck_assert_int_eq(r.machine.read_hit, 10);
	count(0, 10, 1, 0, 0, 0);
	hits_sum(&r, cpus, 3);
	ck_assert_int_eq(r.machine.read_hit, 10);
	ck_assert_int_eq(r.machine.read_miss, 1);
	ck_assert_int_eq(r.machine.ratio, 0);
	count(0, 12, 1, 0, 0, 0);
	hits_sum(&r, cpus, 3);
	ck_assert_int_eq(r.machine.read_hit, 11);
	count(0, 12, 20, 0, 0, 0);
	hits_sum(&r, cpus, 3);
	ck_assert_int_eq(r.machine.read_hit, 11);
}
END_TEST

START_TEST(large)
{
	count(0, UINT64_MAX, 0, 0, 0, UINT64_MAX);
	hits_sum(&r, cpus, 3);
	ck_assert(r.machine.read_hit == INT64_MAX);
	ck_assert(r.machine.added == INT64_MAX);
	cpus[0].lost[CACHEHITS_FAULTS] = 3;
	cpus[1].lost[CACHEHITS_FAULTS] = 4;
	hits_sum(&r, cpus, 3);
	ck_assert_uint_eq(r.lost[CACHEHITS_FAULTS], 7);
	ck_assert_uint_eq(r.lost[CACHEHITS_READS], 0);
}
END_TEST

/* ---- who had what ---- */

START_TEST(ledger)
{
	struct ledger l = { .most = 0 };
	struct ledger_entry *e;

	ck_assert_int_eq(ledger_init(&l, 2), 0);
	ledger_begin(&l);
	e = ledger_put(&l, 7, 100);
	ck_assert_ptr_nonnull(e);
	e->n[0] = 5;
	/* the same in this round, and in the next; another start is another process */
	ck_assert_ptr_eq(ledger_put(&l, 7, 100), e);
	ledger_end(&l);
	ledger_begin(&l);
	ck_assert_uint_eq(ledger_put(&l, 7, 100)->n[0], 5);
	ck_assert_uint_eq(ledger_put(&l, 7, 101)->n[0], 0);
	ck_assert_ptr_null(ledger_put(&l, 8, 100));
	ledger_end(&l);
	/* two rounds without it, and it is known; three, and it is not */
	for (int missed = 2; missed <= 3; missed++) {
		for (int i = 0; i < missed; i++) {
			ledger_begin(&l);
			ledger_end(&l);
		}
		ledger_begin(&l);
		e = ledger_put(&l, 7, 100);
		ck_assert_uint_eq(e->n[0], missed == 2 ? 5 : 0);
		ledger_end(&l);
	}
	/* what has been forgotten by all begins anew */
	e->n[0] = 9;
	e->ended = true;
	ledger_begin(&l);
	e = ledger_put(&l, 7, 100);
	ck_assert_uint_eq(e->n[0], 0);
	ck_assert(!e->ended);
	ledger_end(&l);
	ledger_release(&l);
}
END_TEST

/* ---- groups: a service that is told what the kernel would say, before the walk as pagecache is ---- */

#define TICK 10000000 /* ns of one of /proc */
#define KEPT 4

static struct cachehits_process kept[KEPT];
static uint32_t pids[KEPT], kept_n;
static __u64 lost[CACHEHITS_KINDS];

static const struct qmem_metric machine_metrics[] = { METRIC(hits_machine, "n", NULL, added, ""), { 0 } };
static const struct qmem_metric group_metrics[] = {
	METRIC(hits_group, "hit", NULL, hit, ""),
	METRIC(hits_group, "miss", NULL, miss, ""),
	METRIC(hits_group, "added", NULL, added, ""),
	{ 0 },
};
static const struct qmem_family families[] = {
	FAMILY("looks", "", "", "line", machine_metrics, EVENTS),
	FAMILY("ratio", "", "", "line", machine_metrics, EVENTS),
	FAMILY("added", "", "", "line", machine_metrics, EVENTS),
	FAMILY("access", "", "", "line", group_metrics, EVENTS, .label = "group"),
	FAMILY("fill", "", "", "line", group_metrics, EVENTS, .label = "group"),
	{ 0 },
};

static int start_groups(struct qmem *q, void *state)
{
	struct hits_reader *h = state;

	(void)q;
	h->programs = HITS_PROGRAMS_NONE;
	h->top_groups = 3;
	h->on = h->any = h->grouped = true;
	return hits_room(h);
}

static int collect_groups(struct qmem *q, void *state)
{
	struct hits_reader *h = state;
	int err;

	memcpy(h->keys, pids, sizeof(pids));
	memcpy(h->values, kept, sizeof(kept));
	memcpy(h->lost, lost, sizeof(lost));
	err = hits_take(q, h, kept_n);
	if (!err)
		hits_emit(q, h, families);
	return err;
}

static void stop_groups(struct qmem *q, void *state)
{
	(void)q;
	hits_stop(state);
}

static const struct qmem_service groups_service = {
	.name = "groups",
	.families = families,
	.state_size = sizeof(struct hits_reader),
	.start = start_groups,
	.collect = collect_groups,
	.stop = stop_groups,
};
static const struct qmem_service *const services[] = { &groups_service, &proctable_service, &procmem_service, NULL };

static const struct process init = { .pid = 1, .comm = "init", .state = 'S', .start = 1 };
static const struct process web = { .pid = 10, .ppid = 1, .comm = "web", .state = 'S', .start = 500 };

/* The two of them, and who else there is. */
static void put(bool with_web, const struct process *other)
{
	struct process all[4] = { init };
	int n = 1;

	if (with_web)
		all[n++] = web;
	if (other)
		all[n] = *other;
	procroot_processes(all);
}

/* What the kernel has of a process: so many hits, half as many misses. */
static void keep(uint32_t i, uint32_t pid, uint64_t start, __u64 hits)
{
	kept[i] = (struct cachehits_process){ .start = start };
	kept[i].n[CACHEHITS_READS] = hits + hits / 2;
	kept[i].n[CACHEHITS_READ_MISSES] = hits / 2;
	pids[i] = pid;
	if (i >= kept_n)
		kept_n = i + 1;
}

static int64_t hits_of(const char *group)
{
	char name[64];
	int64_t value;

	snprintf(name, sizeof(name), "groups.access.hit[%s]", group);
	value = procroot_value(name);
	return value < 0 ? 0 : value / 1000;
}

/* After as many ticks as groups need to be shown. */
static void setup_walks(const char *interval)
{
	kept_n = 0;
	memset(kept, 0, sizeof(kept));
	memset(lost, 0, sizeof(lost));
	procroot_begin(services);
	procroot_set("procmem", "GroupBy", "comm");
	procroot_set("procmem", "Interval", interval);
	put(true, NULL);
	procroot_start();
	for (int i = 0; i < 12; i++) {
		procroot_tick();
		keep(0, 10, 500 * (uint64_t)TICK, 500 * ((unsigned)i + 1));
	}
	procroot_tick();
	ck_assert_int_gt(hits_of("web"), 0);
	ck_assert_int_eq(hits_of("web") + hits_of("other"), 6000);
}

static void setup_groups(void)
{
	setup_walks("1s");
}

static void setup_slow(void)
{
	setup_walks("5s");
}

/* One that has ended is counted to its end, in its group, and once. */
START_TEST(ended)
{
	int64_t other = hits_of("other");

	put(false, NULL);
	keep(0, 10, 500 * (uint64_t)TICK, 6100);
	for (int i = 0; i < 10; i++) {
		procroot_tick();
		ck_assert_int_le(hits_of("web") + hits_of("other"), 6100);
		ck_assert_int_eq(hits_of("other"), other);
	}
	ck_assert_int_eq(hits_of("web") + other, 6100);
}
END_TEST

/* One that no walk has seen is one of the others. */
START_TEST(never_seen)
{
	int64_t other = hits_of("other");

	keep(1, 77, 700 * (uint64_t)TICK, 50);
	for (int i = 0; i < 10; i++)
		procroot_tick();
	ck_assert_int_eq(hits_of("other"), other + 50);
	ck_assert_int_eq(hits_of("web") + other, 6000);
}
END_TEST

/* Nothing that the one before had with this pid is taken from it. */
START_TEST(pid_again)
{
	struct process next = web;

	next.start = 900;
	put(false, &next);
	keep(0, 10, 900 * (uint64_t)TICK, 300);
	for (int i = 0; i < 5; i++)
		procroot_tick();
	ck_assert_int_eq(hits_of("web") + hits_of("other"), 6300);
	keep(0, 10, 900 * (uint64_t)TICK, 301);
	procroot_tick();
	ck_assert_int_eq(hits_of("web") + hits_of("other"), 6301);
}
END_TEST

/* What has found no place by process is one of the others: together they are the machine's. */
START_TEST(no_place)
{
	int64_t other = hits_of("other");

	lost[CACHEHITS_READS] = 90;
	lost[CACHEHITS_READ_MISSES] = 20;
	for (int i = 0; i < 3; i++)
		procroot_tick();
	ck_assert_int_eq(hits_of("other"), other + 70);
	lost[CACHEHITS_FAULTS] = 5;
	procroot_tick();
	ck_assert_int_eq(hits_of("other"), other + 75);
}
END_TEST

/* A reading may have one twice. */
START_TEST(twice)
{
	keep(0, 10, 500 * (uint64_t)TICK, 6010);
	keep(1, 10, 500 * (uint64_t)TICK, 6010);
	keep(2, 77, 700 * (uint64_t)TICK, 50);
	keep(3, 77, 700 * (uint64_t)TICK, 50);
	for (int i = 0; i < 5; i++)
		procroot_tick();
	ck_assert_int_eq(hits_of("web") + hits_of("other"), 6060);
}
END_TEST

/* It has not ended because a walk has not come by. */
START_TEST(slow_walks)
{
	const struct process young = { .pid = 11, .ppid = 1, .comm = "web", .state = 'S', .start = 900 };
	int64_t other = hits_of("other");

	put(true, &young);
	keep(1, 11, 900 * (uint64_t)TICK, 40);
	for (int i = 0; i < 12; i++) {
		procroot_tick();
		ck_assert_int_eq(hits_of("other"), other);
	}
	ck_assert_int_eq(hits_of("web") + other, 6040);
}
END_TEST

SUITE(pagecache_hits)
{
	Suite *s = suite_create("pagecache_hits");
	TCase *t = tcase_create("hits");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, sums);
	tcase_add_test(t, late_misses);
	tcase_add_test(t, large);
	tcase_add_test(t, ledger);
	suite_add_tcase(s, t);

	t = tcase_create("groups");
	tcase_add_checked_fixture(t, setup_groups, procroot_end);
	tcase_add_test(t, ended);
	tcase_add_test(t, never_seen);
	tcase_add_test(t, pid_again);
	tcase_add_test(t, no_place);
	tcase_add_test(t, twice);
	suite_add_tcase(s, t);

	t = tcase_create("slow");
	tcase_add_checked_fixture(t, setup_slow, procroot_end);
	tcase_add_test(t, slow_walks);
	suite_add_tcase(s, t);
	return s;
}
