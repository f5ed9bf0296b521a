/* SPDX-License-Identifier: MIT */
/* The service on a root that changes from tick to tick. */
#include "unit.h"

#include <stdio.h>
#include <unistd.h>

#include "procroot.h"
#include "services.h"

#define M 1000 /* as procroot_value() has it */
#define PAGE sysconf(_SC_PAGESIZE)

static const struct qmem_service *const services[] = { &ksm_service, NULL };

static void setup(void)
{
	procroot_begin(services);
}

static void put(const char *file, const char *text)
{
	char name[64];

	snprintf(name, sizeof(name), "sys/kernel/mm/ksm/%s", file);
	procroot_put(name, "%s\n", text);
}

static void put_pages(const char *shared, const char *sharing, const char *unshared, const char *of_change)
{
	put("pages_shared", shared);
	put("pages_sharing", sharing);
	put("pages_unshared", unshared);
	put("pages_volatile", of_change);
}

static const char *note(void)
{
	static struct qmem_status status;

	ck_assert(qmem_status(procroot_host.q, 0, &status));
	return status.reason;
}

/* ---- */

/* It costs more than it saves. */
START_TEST(profit)
{
	put("run", "1");
	put_pages("1000", "3000", "250000", "9000");
	put("ksm_zero_pages", "0");
	put("general_profit", "-4544000");
	put("full_scans", "41");
	procroot_set("ksm", "Detail", "yes");
	procroot_start();
	procroot_tick();
	ck_assert_int_eq(procroot_value("ksm.savings.saved"), 3000 * PAGE * M);
	ck_assert_int_eq(procroot_value("ksm.savings.profit"), -4544000ll * M);
	ck_assert_int_eq(procroot_value("ksm.savings.cost"), (3000 * PAGE + 4544000) * M);
	ck_assert_int_eq(procroot_value("ksm.offered.shared") + procroot_value("ksm.offered.sharing") +
				 procroot_value("ksm.offered.unshared") + procroot_value("ksm.offered.volatile"),
			 263000 * PAGE * M);
	ck_assert_int_eq(procroot_value("ksm.scans.full"), 41 * M);
	ck_assert(procroot_value("ksm.scanned.scanned") == QMEM_NA);
	ck_assert_str_eq(note(), "");
}
END_TEST

START_TEST(zeros)
{
	put("run", "1");
	put_pages("1", "9", "0", "0");
	put("ksm_zero_pages", "100");
	put("general_profit", "4096");
	procroot_start();
	procroot_tick();
	ck_assert_int_eq(procroot_value("ksm.savings.saved"), 109 * PAGE * M);
	ck_assert_int_eq(procroot_value("ksm.savings.cost"), (109 * PAGE - 4096) * M);
	ck_assert_int_eq(procroot_value("ksm.offered.zero"), 100 * PAGE * M);
}
END_TEST

/* Linux 4.4. */
START_TEST(old)
{
	put("run", "1");
	put_pages("8", "20", "4", "0");
	put("full_scans", "2");
	procroot_start();
	procroot_tick();
	ck_assert_int_eq(procroot_value("ksm.savings.saved"), 20 * PAGE * M);
	ck_assert(procroot_value("ksm.savings.profit") == QMEM_NA);
	ck_assert(procroot_value("ksm.savings.cost") == QMEM_NA);
	ck_assert(procroot_value("ksm.offered.zero") == QMEM_NA);
}
END_TEST

/* Off; on; stopped, with what was merged; parted again. */
START_TEST(comes_and_goes)
{
	const char *said;

	put("run", "0");
	put_pages("0", "0", "0", "0");
	put("full_scans", "5");
	procroot_start();
	ck_assert_str_eq(note(), "none so far: nothing is merged, and run is 0");
	said = procroot_tick();
	ck_assert_str_eq(said, "collected ksm every 1000 ms\n");
	put("run", "1");
	procroot_tick();
	ck_assert_int_eq(procroot_value("ksm.savings.saved"), 0);
	ck_assert_str_eq(note(), "");
	put("run", "0");
	put_pages("1", "2", "0", "0");
	procroot_tick();
	ck_assert_int_eq(procroot_value("ksm.savings.saved"), 2 * PAGE * M);
	put("run", "2");
	put_pages("0", "0", "0", "0");
	procroot_tick();
	ck_assert_int_eq(procroot_value("ksm.savings.saved"), 0);
	put("run", "0");
	said = procroot_tick();
	ck_assert_str_eq(said, "collected ksm every 1000 ms\n");
}
END_TEST

START_TEST(hostile)
{
	put("run", "1");
	put_pages("x", "9223372036854775807", "-1", "");
	put("general_profit", "-9223372036854775807");
	HAS(procroot_start(), "log warning ksm: '/sys/kernel/mm/ksm/pages_shared': 'pages_shared' is malformed");
	procroot_tick();
	ck_assert(procroot_value("ksm.savings.saved") == QMEM_NA);
	ck_assert(procroot_value("ksm.savings.cost") == QMEM_NA);
	ck_assert(procroot_value("ksm.offered.shared") == QMEM_NA);
	/* more left than saved is no cost below 0 */
	put_pages("1", "2", "3", "4");
	put("general_profit", "9223372036854775807");
	procroot_tick();
	ck_assert(procroot_value("ksm.savings.cost") == QMEM_NA);
	put("run", "");
	procroot_tick();
	ck_assert_int_eq(procroot_value("ksm.savings.saved"), 2 * PAGE * M);
}
END_TEST

START_TEST(no_ksm)
{
	struct qmem_status status;

	ck_assert_int_ne(qmem_start(procroot_host.q, QMEM_SECOND, QMEM_SECOND, procroot_now), 0);
	ck_assert(qmem_status(procroot_host.q, 0, &status));
	ck_assert_str_eq(status.reason, "this kernel merges no pages: no '/sys/kernel/mm/ksm/run'");
}
END_TEST

SUITE(ksm)
{
	Suite *s = suite_create("ksm");
	TCase *t = tcase_create("ksm");

	tcase_add_checked_fixture(t, setup, procroot_end);
	tcase_add_test(t, profit);
	tcase_add_test(t, zeros);
	tcase_add_test(t, old);
	tcase_add_test(t, comes_and_goes);
	tcase_add_test(t, hostile);
	tcase_add_test(t, no_ksm);
	suite_add_tcase(s, t);
	return s;
}
