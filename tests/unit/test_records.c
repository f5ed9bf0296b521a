/* SPDX-License-Identifier: MIT */
/* The table of processes, filled by hand. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "process/backend/records.h"

#define MAX 64

static struct records table;

static void setup(void)
{
	ck_assert_int_eq(records_init(&table, MAX), 0);
}

static void teardown(void)
{
	records_release(&table);
}

/* A round with these processes: pid and start are pairs, up to pid 0. */
static void round_of(const int64_t *pairs)
{
	records_begin(&table);
	for (; *pairs; pairs += 2)
		records_enter(&table, (int32_t)pairs[0], pairs[1]);
	records_end(&table);
}
#define ROUND(...) round_of((const int64_t[]){ __VA_ARGS__, 0 })

START_TEST(slots_stay)
{
	uint32_t slot, generation;

	ROUND(10, 1, 20, 2, 30, 3);
	ck_assert_uint_eq(table.births_n, 3);
	slot = records_find(&table, 20)->slot;
	generation = records_find(&table, 20)->generation;
	ck_assert_uint_ne(generation, 0);
	/* others come and go around it, also in front of it */
	ROUND(5, 9, 20, 2, 30, 3, 40, 4);
	ck_assert_uint_eq(records_find(&table, 20)->slot, slot);
	ck_assert_uint_eq(records_find(&table, 20)->generation, generation);
	ck_assert_uint_eq(records_find(&table, 20)->changed, 0);
	ck_assert_ptr_null(records_find(&table, 10));
	ck_assert_uint_eq(table.births_n, 2);
	ck_assert_uint_eq(table.deaths_n, 1);
	ck_assert_int_eq(table.slots[table.deaths[0]].pid, 10);
	ck_assert(table.slots[table.deaths[0]].ended);
	/* in any order */
	ROUND(40, 4, 30, 3, 20, 2, 5, 9);
	ck_assert_uint_eq(table.births_n + table.deaths_n, 0);
	ck_assert_uint_eq(records_find(&table, 20)->slot, slot);
	ck_assert_uint_eq(table.totals.processes, 4);
}
END_TEST

START_TEST(pid_again)
{
	uint32_t slot, generation;

	ROUND(10, 1, 20, 2);
	slot = records_find(&table, 10)->slot;
	generation = records_find(&table, 10)->generation;
	ROUND(10, 7, 20, 2);
	ck_assert_uint_eq(table.births_n, 1);
	ck_assert_uint_eq(table.deaths_n, 1);
	ck_assert_uint_eq(table.deaths[0], slot);
	ck_assert_int_eq(records_find(&table, 10)->start, 7);
	ck_assert_uint_ne(records_find(&table, 10)->slot, slot);
	ck_assert(records_find(&table, 10)->changed & PROC_BORN);
	/* a slot that is used again has another generation */
	ROUND(10, 7, 20, 2);
	ROUND(10, 7, 20, 2, 30, 3);
	ck_assert_uint_eq(records_find(&table, 30)->slot, slot);
	ck_assert_uint_ne(records_find(&table, 30)->generation, generation);
}
END_TEST

/* The walk met the old process of a pid, then the new one. */
START_TEST(pid_again_within)
{
	ROUND(10, 1);
	ROUND(10, 1, 10, 2);
	ck_assert_uint_eq(table.totals.processes, 2);
	ck_assert_int_eq(records_find(&table, 10)->start, 2);
	ROUND(10, 2);
	ck_assert_uint_eq(table.deaths_n, 1);
	ck_assert_uint_eq(table.births_n, 0);
	ck_assert_int_eq(records_find(&table, 10)->start, 2);
}
END_TEST

START_TEST(twice)
{
	records_begin(&table);
	ck_assert_ptr_nonnull(records_enter(&table, 10, 1));
	ck_assert_ptr_null(records_enter(&table, 10, 1));
	records_end(&table);
	ck_assert_uint_eq(table.totals.processes, 1);
	ck_assert_uint_eq(table.totals.overflow, 0);
}
END_TEST

START_TEST(full)
{
	records_begin(&table);
	for (int pid = 1; pid <= MAX + 5; pid++)
		records_enter(&table, pid, 1);
	records_end(&table);
	ck_assert_uint_eq(table.totals.processes, MAX);
	ck_assert_uint_eq(table.totals.overflow, 5);
	ck_assert_ptr_nonnull(records_find(&table, MAX));
	ck_assert_ptr_null(records_find(&table, MAX + 1));
	/* room comes with the next round but one: what ended is kept for a round */
	ROUND(1, 1, MAX + 1, 1);
	ROUND(1, 1, MAX + 1, 1);
	ck_assert_uint_eq(table.totals.overflow, 0);
	ck_assert_ptr_nonnull(records_find(&table, MAX + 1));
	ck_assert_uint_le(table.used, MAX);
}
END_TEST

/* More tasks in state D than are kept are counted, anew in each round. */
START_TEST(blocked)
{
	for (int round = 0; round < 2; round++) {
		records_begin(&table);
		ck_assert_uint_eq(table.blocked_n, 0);
		ck_assert_uint_eq(table.totals.blocked_overflow, 0);
		for (int tid = 1; tid <= RECORDS_BLOCKED + 6; tid++)
			records_block(&table, 1, tid, tid);
		records_end(&table);
		ck_assert_uint_eq(table.blocked_n, RECORDS_BLOCKED);
		ck_assert_uint_eq(table.totals.blocked_overflow, 6);
		ck_assert_int_eq(table.blocked[RECORDS_BLOCKED - 1].tid, RECORDS_BLOCKED);
	}
}
END_TEST

/* A walk that broke off proves nothing about those it did not come to. */
START_TEST(broken)
{
	ROUND(10, 1, 20, 2, 30, 3);
	records_begin(&table);
	records_enter(&table, 10, 1);
	records_break(&table);
	ck_assert_uint_eq(table.deaths_n, 0);
	ck_assert_uint_eq(table.totals.processes, 3);
	ROUND(10, 1, 20, 2);
	ck_assert_uint_eq(table.deaths_n, 1);
	ck_assert_uint_eq(table.births_n, 0);
}
END_TEST

/* At random, against a plain list: nothing is lost, invented or confused. */
START_TEST(random_rounds)
{
	int64_t starts[200] = { 0 };
	int64_t clock = 1;

	srandom(1);
	for (int n = 0; n < 3000; n++) {
		int present = 0;

		records_begin(&table);
		for (int pid = 1; pid < 200; pid++) {
			long dice = random() % 16;

			if (dice == 0 || (!starts[pid] && dice < 4 && present < MAX / 3))
				starts[pid] = present < MAX / 3 ? clock++ : 0;
			else if (dice == 1 || present >= MAX / 3)
				starts[pid] = 0;
			if (!starts[pid])
				continue;
			present++;
			ck_assert_ptr_nonnull(records_enter(&table, pid * 1024, starts[pid]));
		}
		records_end(&table);
		ck_assert_uint_eq(table.totals.processes, (uint64_t)present);
		for (int pid = 1; pid < 200; pid++) {
			const struct proc *p = records_find(&table, pid * 1024);

			ck_assert_int_eq(p ? p->start : 0, starts[pid]);
		}
		ck_assert_uint_le(table.used, MAX);
	}
}
END_TEST

/* As many as there may be by default, in blocks of pids as a machine gives them: none is far from its place, so that no step
 * goes over all of them. */
START_TEST(many)
{
	enum { ROOM = 100000, BLOCKS = 4, EACH = ROOM / BLOCKS + 50 };
	size_t longest = 0, run = 0;

	records_release(&table);
	ck_assert_int_eq(records_init(&table, ROOM), 0);
	for (int round = 0; round < 3; round++) {
		records_begin(&table);
		for (int i = 0; i < BLOCKS * EACH; i++)
			records_enter(&table, i / EACH * (1 << 20) + i % EACH + 1, 1);
		records_end(&table);
		ck_assert_uint_eq(table.totals.processes, ROOM);
		ck_assert_uint_eq(table.totals.overflow, BLOCKS * EACH - ROOM);
	}
	for (size_t i = 0; i < 2 * table.hash_size; i++) {
		run = table.hash[i % table.hash_size] == UINT32_MAX ? 0 : run + 1;
		longest = run > longest ? run : longest;
	}
	ck_assert_uint_lt(longest, 1000);
}
END_TEST

START_TEST(times)
{
	struct proc *p;

	records_begin(&table);
	p = records_enter(&table, 10, 1);
	/* ticks say one to three */
	records_set_times(p, 10, 30, 4000);
	ck_assert_int_eq(p->utime, 1000);
	ck_assert_int_eq(p->stime, 3000);
	/* neither falls, and together they are the run time */
	records_set_times(p, 100, 30, 4400);
	ck_assert_int_eq(p->utime + p->stime, 4400);
	ck_assert_int_ge(p->utime, 1000);
	ck_assert_int_ge(p->stime, 3000);
	/* a thread that was missed */
	records_set_times(p, 90, 20, 4300);
	ck_assert_int_eq(p->runtime, 4400);
	ck_assert_int_eq(p->utime + p->stime, 4400);
	p = records_enter(&table, 11, 1);
	records_set_times(p, 0, 0, 500);
	ck_assert_int_eq(p->utime, 500);
	p = records_enter(&table, 12, 1);
	records_set_times(p, 0, 7, 500);
	ck_assert_int_eq(p->stime, 500);
	p = records_enter(&table, 13, 1);
	records_set_times(p, INT64_MAX / 4, INT64_MAX / 2, INT64_MAX);
	ck_assert_int_ge(p->utime, INT64_MAX / 4);
	p = records_enter(&table, 14, 1);
	records_set_times(p, 20, 30, QMEM_NA);
	ck_assert_int_eq(p->utime, 20);
	ck_assert_int_eq(p->stime, 30);
	ck_assert(p->runtime == QMEM_NA);
	records_end(&table);
}
END_TEST

START_TEST(comms)
{
	struct proc *p;

	records_begin(&table);
	p = records_enter(&table, 10, 1);
	p->changed = 0;
	records_set_comm(p, "kworker/0:1-events_long");
	ck_assert_str_eq(p->comm, "kworker/0:1-eve");
	ck_assert(p->changed & PROC_ID);
	p->changed = 0;
	records_set_comm(p, "kworker/0:1-events_long");
	ck_assert_uint_eq(p->changed, 0);
	p->kthread = true;
	records_set_comm(p, "kworker/0:1-events_long");
	ck_assert_str_eq(p->comm, "kworker/0:1");
	records_set_comm(p, "kworker/u9:2+flush-8:0");
	ck_assert_str_eq(p->comm, "kworker/u9:2");
	records_set_comm(p, "kworker/R-rcu_gp");
	ck_assert_str_eq(p->comm, "kworker/R-rcu_g");
	records_end(&table);
}
END_TEST

START_TEST(states)
{
	for (int i = 0; i < PROC_OTHER; i++)
		ck_assert_int_eq(proc_state(proc_state_letters[i]), i);
	ck_assert_int_eq(proc_state('W'), PROC_OTHER);
	ck_assert_int_eq(proc_state('\0'), PROC_OTHER);
}
END_TEST

/* After very many at once memory is given back, slowly, and those that live on stay as they are. */
START_TEST(burst)
{
	enum { MANY = 20000, FEW = 10, ROUNDS = 1000 };
	struct records all;
	uint32_t slots[FEW], generations[FEW];

	ck_assert_int_eq(records_init(&all, 2 * MANY), 0);
	for (int round = 0; round < ROUNDS; round++) {
		records_begin(&all);
		for (int32_t pid = 1; pid <= (round == 1 ? MANY : FEW); pid++)
			records_enter(&all, pid, 1);
		/* one that is new each time */
		records_enter(&all, MANY + 1 + round, 1);
		records_end(&all);
		for (int32_t pid = 1; pid <= FEW; pid++) {
			const struct proc *p = records_find(&all, pid);

			if (!round) {
				slots[pid - 1] = p->slot;
				generations[pid - 1] = p->generation;
			}
			ck_assert_uint_eq(p->slot, slots[pid - 1]);
			ck_assert_uint_eq(p->generation, generations[pid - 1]);
		}
		ck_assert_uint_eq(all.totals.processes, round == 1 ? MANY + 1 : FEW + 1);
		if (round == 1)
			ck_assert_uint_ge(all.touched, MANY);
	}
	ck_assert_uint_le(all.used, FEW + 3);
	ck_assert_uint_eq(all.touched, all.used);
	ck_assert_uint_le(all.hash_size, 1024);
	records_release(&all);
}
END_TEST

/* Also while many come and go: they do not hand on the last slots to each other. */
START_TEST(burst_among_many)
{
	enum { MANY = 20000, FEW = 300, LIFE = 20, ROUNDS = 1000 };
	struct records all;

	ck_assert_int_eq(records_init(&all, 2 * MANY), 0);
	for (int round = 0; round < ROUNDS; round++) {
		records_begin(&all);
		for (int32_t pid = 1; round == 1 && pid <= MANY; pid++)
			records_enter(&all, pid, 1);
		for (int i = 0; round && i < FEW; i++)
			records_enter(&all, MANY + 1 + i, 2 + (round + i) / LIFE);
		records_end(&all);
		ck_assert_uint_eq(all.totals.processes, round == 1 ? MANY + FEW : round ? FEW : 0);
	}
	ck_assert_uint_le(all.used, 4 * FEW + FEW / 4);
	ck_assert_uint_eq(all.totals.overflow, 0);
	records_release(&all);
}
END_TEST

/* One burst after the other: all slots are found again. */
START_TEST(burst_after_burst)
{
	enum { MANY = 1000 };
	struct records all;

	ck_assert_int_eq(records_init(&all, MANY), 0);
	for (int round = 0; round < 200; round++) {
		records_begin(&all);
		for (int32_t pid = 1; round % 3 == 0 && pid <= MANY; pid++)
			ck_assert_ptr_nonnull(records_enter(&all, pid, 1 + round));
		records_end(&all);
		ck_assert_uint_eq(all.totals.overflow, 0);
	}
	records_release(&all);
}
END_TEST

SUITE(records)
{
	Suite *suite = suite_create("records");
	TCase *tests = tcase_create("records");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, slots_stay);
	tcase_add_test(tests, pid_again);
	tcase_add_test(tests, pid_again_within);
	tcase_add_test(tests, twice);
	tcase_add_test(tests, full);
	tcase_add_test(tests, blocked);
	tcase_add_test(tests, broken);
	tcase_add_test(tests, random_rounds);
	tcase_add_test(tests, many);
	tcase_add_test(tests, times);
	tcase_add_test(tests, comms);
	tcase_add_test(tests, states);
	tcase_add_test(tests, burst);
	tcase_add_test(tests, burst_among_many);
	tcase_add_test(tests, burst_after_burst);
	suite_add_tcase(suite, tests);
	return suite;
}
