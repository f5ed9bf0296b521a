/* SPDX-License-Identifier: MIT */
/* A back end that says what it is told to, against /proc. */
#include "unit.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "openat2.h"
#include "procroot.h"
#include "process/backend/statm.h"
#include "process/backend/verify.h"

#define N 20

static int nothing(struct qmem *q, void *state)
{
	(void)q;
	(void)state;
	return 0;
}

/* The engine wants one. */
static const struct qmem_service idle_service = { .name = "idle", .help = "does nothing", .collect = nothing };
static const struct qmem_service *const services[] = { &idle_service, NULL };
static struct records table;
static struct unseen unseen;
static struct backend_reason why;

/* Of process 1; the others are as in /proc. */
static struct {
	int64_t more; /* bytes resident */
	bool runs;    /* from scan to scan */
	char state;
	bool exact;
	int seen; /* processes */
	int64_t walks;
} fake;

static int fake_scan(struct qmem *q, struct records *t, void *data)
{
	int64_t page = sysconf(_SC_PAGESIZE), tick = (int64_t)QMEM_SECOND / sysconf(_SC_CLK_TCK);

	(void)q;
	(void)data;
	fake.walks++;
	for (int pid = 1; pid <= fake.seen; pid++) {
		struct proc *p = records_enter(t, pid, pid * tick);

		ck_assert_ptr_nonnull(p);
		p->state = pid == 1 ? fake.state : 'S';
		p->runtime = pid == 1 && fake.runs ? fake.walks : 0;
		p->vmsize = 1000 * page;
		p->rss = 100 * page + (pid == 1 ? fake.more : 0);
		p->file = 50 * page;
		p->shmem = 0;
	}
	return 0;
}

static bool fake_exact(const void *data)
{
	(void)data;
	return fake.exact;
}

static const struct backend backend = { .name = "fake", .scan = fake_scan, .exact = fake_exact };

static int verified(void)
{
	int err;

	why = (struct backend_reason){ "" };
	ck_assert_int_eq(records_init(&table, 100), 0);
	err = verify(procroot_host.q, &table, &backend, NULL, &unseen, &why);
	ck_assert_uint_eq(table.order_n, 0);
	records_release(&table);
	return err;
}
#define refused(what)                                                                                                  \
	do {                                                                                                           \
		ck_assert_int_eq(verified(), -EBADMSG);                                                                \
		ck_assert_msg(strstr(why.text, what), "%s", why.text);                                                 \
	} while (0)

static void setup(void)
{
	struct process processes[N + 1] = { { 0 } };

	procroot_begin(services);
	for (int i = 0; i < N; i++)
		processes[i] = (struct process){ .pid = i + 1, .comm = "a", .state = 'S', .start = (unsigned)i + 1 };
	procroot_processes(processes);
	procroot_start();
	fake.more = fake.walks = 0;
	fake.runs = fake.exact = false;
	fake.state = 'S';
	fake.seen = N;
}

START_TEST(right)
{
	ck_assert_int_eq(verified(), 0);
	ck_assert_uint_eq(unseen.n, 0);
	ck_assert_int_eq(fake.walks, 2);
}
END_TEST

/* One page of one process: not within what the CPUs keep to themselves, as neither side has such a part. */
START_TEST(wrong)
{
	fake.more = sysconf(_SC_PAGESIZE);
	refused("resident");
	/* not by one look */
	ck_assert_int_eq(fake.walks, 6);
}
END_TEST

/* The back end adds what is on the CPUs: it may have more than a statm that does not, and must be equal to one that does. */
START_TEST(lags)
{
	const struct pidstat_units units = { .page = sysconf(_SC_PAGESIZE) };

	fake.exact = true;
	fake.more = units.page;
	ck_assert_int_eq(verified(), 0);
	fake.more = INT64_C(1) << 40;
	refused("resident");
	fake.more = units.page;
	openat2_alive = "proc/self/statm";
	ck_assert_int_eq(chdir("/"), 0);
	if (statm_is_exact(procroot_host.q, &units) > 0)
		refused("resident");
	else
		ck_assert_int_eq(verified(), 0);
	openat2_alive = NULL;
}
END_TEST

START_TEST(moves)
{
	fake.more = sysconf(_SC_PAGESIZE);
	fake.runs = true;
	ck_assert_int_eq(verified(), 0);
	fake.runs = false;
	fake.state = 'R';
	ck_assert_int_eq(verified(), 0);
	/* nobody is left to compare */
	fake.seen = 1;
	refused("no process that has memory");
}
END_TEST

START_TEST(sees_few)
{
	fake.seen = N - 3;
	ck_assert_int_eq(verified(), 0);
	ck_assert_uint_eq(unseen.n, 3);
	ck_assert_int_gt(unseen.pid, N - 3);
	fake.seen = 5;
	refused("it sees 5 processes, and not 15 others that are in /proc: that is of another pid namespace");
}
END_TEST

START_TEST(of_others)
{
	procroot_processes((const struct process[]){ { 0 } });
	refused("none of its processes is in /proc: that is of another pid namespace");
	procroot_processes((const struct process[]){ { .pid = 1, .comm = "a", .state = 'S', .start = 77 }, { 0 } });
	refused("process 1 is another one in /proc");
}
END_TEST

SUITE(verify)
{
	Suite *s = suite_create("verify");
	TCase *t = tcase_create("verify");

	tcase_add_checked_fixture(t, setup, procroot_end);
	tcase_add_test(t, right);
	tcase_add_test(t, wrong);
	tcase_add_test(t, lags);
	tcase_add_test(t, moves);
	tcase_add_test(t, sees_few);
	tcase_add_test(t, of_others);
	suite_add_tcase(s, t);
	return s;
}
