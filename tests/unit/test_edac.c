/* SPDX-License-Identifier: MIT */
/* Memory controllers as newer and older kernels show them, errors that come, and counters that are set back. */
#include "unit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "proc/edacline.h"
#include "openat2.h"
#include "procroot.h"
#include "services.h"

#define MC "sys/devices/system/edac/mc/"

static const struct qmem_service *const services[] = { &edac_service, NULL };

START_TEST(lines)
{
	static const struct {
		const char *text, *line;
	} cases[] = {
		{ "DIMM_A1\n", "DIMM_A1" },
		{ "channel 1 slot 0 \n", "channel 1 slot 0" },
		{ "  a\tb\t\nc\n", "a\tb" },
		{ "\n", "" },
		{ "", "" },
		{ "   ", "" },
		{ "no end", "no end" },
		{ "much too long for it\n", "much too long for i" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char line[20];

		ck_assert_uint_eq(edacline_parse(cases[i].text, strlen(cases[i].text), line, sizeof(line)),
				  strlen(cases[i].line));
		ck_assert_str_eq(line, cases[i].line);
	}
}
END_TEST

static int64_t get(const char *name)
{
	int64_t value = procroot_value(name);

	return value == QMEM_NA || value == -1 ? value : value / 1000;
}

static void put(int value, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void put(int value, const char *fmt, ...)
{
	char name[128];
	va_list args;

	va_start(args, fmt);
	vsnprintf(name, sizeof(name), fmt, args);
	va_end(args);
	procroot_put(name, "%d\n", value);
}

static void put_controller(int mc, int ce, int ue, int ce_nowhere, int ue_nowhere)
{
	put(ce, MC "mc%d/ce_count", mc);
	put(ue, MC "mc%d/ue_count", mc);
	put(ce_nowhere, MC "mc%d/ce_noinfo_count", mc);
	put(ue_nowhere, MC "mc%d/ue_noinfo_count", mc);
}

static void put_dimm(int mc, int dimm, const char *label, int ce, int ue)
{
	char name[128];

	put(ce, MC "mc%d/dimm%d/dimm_ce_count", mc, dimm);
	put(ue, MC "mc%d/dimm%d/dimm_ue_count", mc, dimm);
	snprintf(name, sizeof(name), MC "mc%d/dimm%d/dimm_label", mc, dimm);
	procroot_put(name, "%s\n", label);
	snprintf(name, sizeof(name), MC "mc%d/dimm%d/dimm_location", mc, dimm);
	procroot_put(name, "channel %d slot 0 \n", dimm);
}

static void setup(void)
{
	procroot_begin(services);
}

static void setup_two(void)
{
	procroot_begin(services);
	put_controller(0, 5, 0, 0, 0);
	procroot_put(MC "mc0/mc_name", "Skylake Socket#0 IMC#0\n");
	put_dimm(0, 0, "DIMM_A1", 5, 0);
	put_dimm(0, 3, "DIMM_B1", 0, 0);
	put_controller(1, 0, 0, 0, 0);
	put_dimm(1, 0, "", 0, 0);
}

START_TEST(values)
{
	struct qmem_status status;
	const char *text;

	procroot_start();
	text = procroot_tick();
	ck_assert_int_eq(get("edac.errors.corrected"), 5);
	ck_assert_int_eq(get("edac.errors.uncorrected"), 0);
	ck_assert_int_eq(get("edac.module.corrected[mc0_dimm0]"), 5);
	ck_assert_int_eq(get("edac.module.uncorrected[mc0_dimm0]"), 0);
	/* those without an error have no chart */
	HAS_NOT(text, "[mc0_dimm3]");
	HAS_NOT(text, "[mc1_dimm0]");
	/* what was there before is no event */
	HAS_NOT(text, "event");
	ck_assert(qmem_status(procroot_host.q, 0, &status));
	ck_assert_str_eq(status.reason, "2 memory controllers, 3 counters of modules");
}
END_TEST

/* Files that are read once in a while do not take the place of those of each tick. */
START_TEST(opens_nothing)
{
	for (int i = 0; i < 30; i++)
		put_controller(i, 0, 0, 0, 0);
	procroot_start();
	procroot_tick();
	openat2_calls = 0;
	procroot_tick();
	ck_assert_uint_eq(openat2_calls, 0);
}
END_TEST

START_TEST(uncorrected)
{
	const char *text;

	procroot_start();
	procroot_tick();
	put_controller(0, 5, 1, 0, 0);
	put_dimm(0, 3, "DIMM_B1", 0, 1);
	text = procroot_tick();
	HAS(text, "edac.uncorrected[mc0_dimm3]");
	HAS(text, "uncorrected memory error: 1 more, 1 in all on 'DIMM_B1' (mc0_dimm3, channel 3 slot 0)");
	HAS(text, "Skylake Socket#0 IMC#0");
	ck_assert_int_eq(count_of(text, "uncorrected memory error"), 1);
	ck_assert_int_eq(get("edac.module.uncorrected[mc0_dimm3]"), 1);
	ck_assert_int_eq(get("edac.errors.uncorrected"), 1);
	HAS_NOT(procroot_tick(), "event");
	/* another one is another event */
	put_controller(0, 5, 3, 0, 0);
	put_dimm(0, 3, "DIMM_B1", 0, 3);
	HAS(procroot_tick(), "uncorrected memory error: 2 more, 3 in all on 'DIMM_B1'");
	/* reset_counters, and one that comes at once */
	put_controller(0, 0, 0, 0, 0);
	put_dimm(0, 0, "DIMM_A1", 0, 0);
	put_dimm(0, 3, "DIMM_B1", 0, 0);
	text = procroot_tick();
	HAS(text, "uncorrected memory errors are counted anew on 'DIMM_B1'");
	ck_assert_int_eq(get("edac.errors.uncorrected"), 3);
	ck_assert_int_eq(get("edac.module.uncorrected[mc0_dimm3]"), 3);
	put_controller(0, 0, 1, 0, 0);
	put_dimm(0, 3, "DIMM_B1", 0, 1);
	HAS(procroot_tick(), "uncorrected memory error: 1 more, 4 in all on 'DIMM_B1'");
	ck_assert_int_eq(get("edac.errors.uncorrected"), 4);
}
END_TEST

/* Each key is a module's own. */
START_TEST(two_at_once)
{
	const char *text;

	procroot_start();
	procroot_tick();
	put_controller(0, 5, 1, 0, 0);
	put_dimm(0, 0, "DIMM_A1", 5, 1);
	put_controller(1, 0, 2, 0, 1);
	put_dimm(1, 0, "", 0, 1);
	text = procroot_tick();
	HAS(text, "1 in all on 'DIMM_A1' (mc0_dimm0, channel 0 slot 0)");
	HAS(text, "1 in all on mc1_dimm0 (channel 0 slot 0)");
	/* the controller cannot tell where */
	HAS(text, "1 in all on mc1;");
	ck_assert_int_eq(count_of(text, "uncorrected memory error:"), 3);
}
END_TEST

START_TEST(corrected)
{
	const char *text;

	procroot_set("edac", "Corrected", "10");
	procroot_set("edac", "CorrectedWindow", "24m");
	procroot_start();
	procroot_tick();
	put_controller(0, 14, 0, 0, 0);
	put_dimm(0, 0, "DIMM_A1", 14, 0);
	HAS_NOT(procroot_tick(), "event");
	put_controller(0, 15, 0, 0, 0);
	put_dimm(0, 0, "DIMM_A1", 15, 0);
	text = procroot_tick();
	HAS(text, "many corrected memory errors: 10 within 24 min 0 s on 'DIMM_A1' (mc0_dimm0");
	HAS(text, "edac.corrected[mc0_dimm0]");
	HAS_NOT(procroot_tick(), "event");
	/* a few more are no news, twice as many are */
	put_controller(0, 17, 0, 0, 0);
	put_dimm(0, 0, "DIMM_A1", 17, 0);
	HAS_NOT(procroot_tick(), "event");
	put_controller(0, 25, 0, 0, 0);
	put_dimm(0, 0, "DIMM_A1", 25, 0);
	HAS(procroot_tick(), "many corrected memory errors: 20 within");
	text = "";
	for (int i = 0; i < 26 * 60 && !strstr(text, "event"); i++)
		text = procroot_tick();
	HAS(text, "corrected memory errors are few again: 0 within");
}
END_TEST

START_TEST(never)
{
	procroot_set("edac", "Corrected", "0");
	procroot_start();
	procroot_tick();
	put_controller(0, 10000, 0, 0, 0);
	put_dimm(0, 0, "DIMM_A1", 10000, 0);
	HAS_NOT(procroot_tick(), "event");
	ck_assert_int_eq(get("edac.errors.corrected"), 10000);
}
END_TEST

START_TEST(top)
{
	procroot_set("edac", "Top", "1");
	put_controller(0, 8, 1, 0, 0);
	put_dimm(0, 0, "DIMM_A1", 8, 0);
	put_dimm(0, 3, "DIMM_B1", 0, 1);
	procroot_start();
	procroot_tick();
	/* one that is not corrected is worse than many that are; what the others had before is not told of them */
	ck_assert_int_eq(get("edac.module.uncorrected[mc0_dimm3]"), 1);
	ck_assert_int_eq(get("edac.module.corrected[mc0_dimm0]"), -1);
	put_controller(0, 11, 1, 0, 0);
	put_dimm(0, 0, "DIMM_A1", 11, 0);
	procroot_tick();
	ck_assert_int_eq(get("edac.module.corrected[other]"), 3);
}
END_TEST

/* Before 4.17 there are rows of chips and their channels. */
START_TEST(rows)
{
	const char *text;

	put_controller(0, 2, 0, 0, 0);
	put(2, MC "mc0/csrow0/ch0_ce_count");
	put(0, MC "mc0/csrow0/ch1_ce_count");
	put(0, MC "mc0/csrow0/ue_count");
	procroot_put(MC "mc0/csrow0/ch0_dimm_label", "CPU0_A\n");
	procroot_put(MC "mc0/dimm0/dimm_label", "CPU0_A\n");
	procroot_start();
	procroot_tick();
	ck_assert_int_eq(get("edac.module.corrected[mc0_csrow0_ch0]"), 2);
	ck_assert(get("edac.module.uncorrected[mc0_csrow0_ch0]") == QMEM_NA);
	put_controller(0, 2, 1, 0, 0);
	put(1, MC "mc0/csrow0/ue_count");
	text = procroot_tick();
	HAS(text, "1 in all on mc0_csrow0;");
	ck_assert_int_eq(get("edac.module.uncorrected[mc0_csrow0]"), 1);
}
END_TEST

/* A controller whose modules do not count: it is its own. */
START_TEST(no_modules)
{
	put_controller(0, 0, 2, 0, 0);
	procroot_start();
	HAS_NOT(procroot_tick(), "event");
	put_controller(0, 0, 3, 0, 0);
	HAS(procroot_tick(), "uncorrected memory error: 1 more, 1 in all on mc0;");
	HAS_NOT(procroot_tick(), "event");
	put_controller(0, 0, 4, 0, 0);
	HAS(procroot_tick(), "uncorrected memory error: 1 more, 2 in all on mc0;");
}
END_TEST

/* One that comes between the readings of the controller and of the module is told once. */
START_TEST(meanwhile)
{
	put_controller(0, 0, 0, 0, 0);
	put_dimm(0, 0, "A", 0, 0);
	procroot_start();
	procroot_tick();
	put_controller(0, 1, 0, 0, 0);
	put_dimm(0, 0, "A", 1, 1);
	HAS(procroot_tick(), "1 in all on 'A'");
	put_controller(0, 1, 1, 0, 0);
	HAS_NOT(procroot_tick(), "event");
}
END_TEST

START_TEST(hostile_labels)
{
	const char *text;

	put_controller(0, 0, 0, 0, 0);
	put_dimm(0, 0, "a'b\x1b[31m\x7f\"", 0, 0);
	procroot_start();
	procroot_tick();
	put_controller(0, 0, 1, 0, 0);
	put(1, MC "mc0/dimm0/dimm_ue_count");
	text = procroot_tick();
	HAS(text, "uncorrected memory error: 1 more");
	HAS_NOT(strstr(text, "uncorrected memory error"), "\x1b[31m (");
}
END_TEST

START_TEST(bad_numbers)
{
	const char *text;

	put_controller(0, 1, 0, 0, 0);
	put_dimm(0, 0, "A", 1, 0);
	procroot_put(MC "mc0/ue_count", "x\n");
	procroot_put(MC "mc0/dimm0/dimm_ue_count", "-3\n");
	procroot_start();
	text = procroot_tick();
	HAS(text, "'/sys/devices/system/edac/mc/mc0/ue_count' cannot be understood, and 1 more");
	ck_assert_int_eq(get("edac.errors.corrected"), 1);
	ck_assert(get("edac.errors.uncorrected") == QMEM_NA);
	ck_assert_int_eq(get("edac.module.corrected[mc0_dimm0]"), 1);
}
END_TEST

START_TEST(none)
{
	struct qmem_status status;

	procroot_put(MC "power/control", "auto\n");
	qmem_start(procroot_host.q, QMEM_SECOND, QMEM_SECOND, procroot_now);
	ck_assert(qmem_status(procroot_host.q, 0, &status));
	ck_assert(!status.on);
	ck_assert_str_eq(status.reason, "no memory controller in '/sys/devices/system/edac/mc'");
}
END_TEST

SUITE(edac)
{
	Suite *suite = suite_create("edac");
	TCase *parser = tcase_create("parser"), *two = tcase_create("two"), *other = tcase_create("other");

	tcase_add_test(parser, lines);
	suite_add_tcase(suite, parser);
	tcase_add_checked_fixture(two, setup_two, procroot_end);
	tcase_add_test(two, values);
	tcase_add_test(two, uncorrected);
	tcase_add_test(two, two_at_once);
	tcase_add_test(two, corrected);
	tcase_add_test(two, never);
	tcase_add_test(two, top);
	suite_add_tcase(suite, two);
	tcase_add_checked_fixture(other, setup, procroot_end);
	tcase_add_test(other, opens_nothing);
	tcase_add_test(other, rows);
	tcase_add_test(other, no_modules);
	tcase_add_test(other, meanwhile);
	tcase_add_test(other, hostile_labels);
	tcase_add_test(other, bad_numbers);
	tcase_add_test(other, none);
	suite_add_tcase(suite, other);
	return suite;
}
