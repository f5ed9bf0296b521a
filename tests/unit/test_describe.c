/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/describe.h"
#include "engine/option.h"

struct sample {
	int64_t plain, odd;
};

static const struct qmem_family families[] = {
	{ .id = "usage",
	  .title = "What is used",
	  .unit = "bytes",
	  .kind = QMEM_GAUGE,
	  .divisor = 1,
	  .type = "memory",
	  .metrics = (const struct qmem_metric[]){ { "plain", "Plain", offsetof(struct sample, plain), "a plain one" },
						   { "odd", NULL, offsetof(struct sample, odd),
						     ".a|b_c <d> \\e 'f' - \"g\"" },
						   { 0 } } },
	{ .id = "traffic",
	  .title = "Per device",
	  .unit = "packets",
	  .kind = QMEM_COUNTER,
	  .divisor = 1,
	  .type = "if_packets",
	  .label = "device",
	  .flags = QMEM_DETAIL,
	  .metrics =
		  (const struct qmem_metric[]){
			  { "rx", "a|`b", offsetof(struct sample, plain), "caf\xc3\xa9 \xff\x01" }, { 0 } } },
	{ 0 },
};

static const char *const words[] = { "host", "own", "both", NULL };
static const struct qmem_option sub[] = {
	{ .name = "Share", .type = QMEM_INT, .def = "5", .min = 1, .max = 100, .help = "per cent" },
	{ 0 },
};

static const struct qmem_option options[] = {
	{ .name = "Flag", .type = QMEM_BOOL, .help = "a flag" },
	{ .name = "Hold",
	  .type = QMEM_DURATION,
	  .def = "90s",
	  .min = 1000000,
	  .max = INT64_C(3600000000000),
	  .help = "a time" },
	{ .name = "Room", .type = QMEM_SIZE, .def = "64k", .min = 4096, .max = INT64_MAX, .help = "a size" },
	{ .name = "Namespace", .type = QMEM_ENUM, .words = words, .help = "a word" },
	{ .name = "Trigger", .type = QMEM_LIST, .def = "memory some 200ms\nio full 1s", .help = "a list" },
	{ .name = "Group", .type = QMEM_BLOCK, .sub = sub, .help = "a block" },
	{ 0 },
};

static const struct qmem_service odd_service = {
	.name = "odd",
	.help = "odd things",
	.source = "/proc/odd-one",
	.kernel = "2.6",
	.privilege = "none",
	.families = families,
	.options = options,
};

static const struct qmem_service bare_service = {
	.name = "bare",
	.help = "nothing",
	.source = "-",
	.kernel = "2.6",
	.privilege = "none",
};

static const struct qmem_service *const services[] = { &odd_service, &bare_service, NULL };

/* What is printed; the caller frees it. */
static char *describe(enum qmem_describe_form form, unsigned int parts, const char *only, int expected)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	ck_assert_int_eq(qmem_describe(out, form, parts, services, only), expected);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

#define PRINTS(form, parts, only, ...)                                                                                 \
	do {                                                                                                           \
		char *text_ = describe((form), (parts), (only), 0);                                                    \
		ck_assert_str_eq(text_, (__VA_ARGS__));                                                                \
		free(text_);                                                                                           \
	} while (0)

#define NAMES (QMEM_DESCRIBE_METRICS | QMEM_DESCRIBE_COLLECTD | QMEM_DESCRIBE_NETDATA)

START_TEST(text_is_aligned)
{
	PRINTS(QMEM_DESCRIBE_TEXT, QMEM_DESCRIBE_METRICS, "odd",
	       "Metrics of odd\n"
	       "odd.usage: What is used (gauge, bytes)\n"
	       "  odd.usage.plain  Plain  a plain one\n"
	       "  odd.usage.odd           .a|b_c <d> \\e 'f' - \"g\"\n"
	       "\n"
	       "odd.traffic: Per device (counter, packets, one per device, with Detail)\n"
	       "  odd.traffic.rx[device]  a|`b  caf\xc3\xa9 ??\n");
}
END_TEST

/* What the hosts call them: the type has two sources, of which one is missing here, and then collectd's sink does not use it. */
START_TEST(text_has_names)
{
	PRINTS(QMEM_DESCRIBE_TEXT, NAMES, "odd",
	       "Metrics of odd\n"
	       "odd.usage: What is used (gauge, bytes; collectd type memory; Netdata context qmem.odd_usage)\n"
	       "  odd.usage.plain  Plain  a plain one\n"
	       "    collectd  qmem_odd/memory-usage_plain\n"
	       "    Netdata   qmem.odd_usage plain\n"
	       "  odd.usage.odd           .a|b_c <d> \\e 'f' - \"g\"\n"
	       "    collectd  qmem_odd/memory-usage_odd\n"
	       "    Netdata   qmem.odd_usage odd\n"
	       "\n"
	       "odd.traffic: Per device (counter, packets, one per device, with Detail; collectd type derive; Netdata context "
	       "qmem.odd_traffic)\n"
	       "  odd.traffic.rx[device]  a|`b  caf\xc3\xa9 ??\n"
	       "    collectd  qmem_odd-<device>/derive-traffic_rx\n"
	       "    Netdata   qmem.odd_traffic_<device> rx\n");
}
END_TEST

/* What follows the service's own options is the engine's. */
static void begins(char *text, const char *start)
{
	ck_assert_uint_ge(strlen(text), strlen(start));
	text[strlen(start)] = '\0';
	ck_assert_str_eq(text, start);
	free(text);
}

START_TEST(text_options)
{
	begins(describe(QMEM_DESCRIBE_TEXT, QMEM_DESCRIBE_OPTIONS, "Odd", 0),
	       "Options of odd\n"
	       "  Flag         yes or no            no                                 a flag\n"
	       "  Hold         duration, 1ms to 1h  90s                                a time\n"
	       "  Room         size, at least 4KiB  64k                                a size\n"
	       "  Namespace    host, own or both    host                               a word\n"
	       "  Trigger      list                 \"memory some 200ms\", \"io full 1s\"  a list\n"
	       "  Group        named block                                             a block\n"
	       "  Group.Share  number, 1 to 100     5                                  per cent\n");
}
END_TEST

START_TEST(markdown_is_escaped)
{
	PRINTS(QMEM_DESCRIBE_MARKDOWN, QMEM_DESCRIBE_METRICS | QMEM_DESCRIBE_COLLECTD, "odd",
	       "`odd.usage`: What is used (gauge, bytes; collectd type `memory`)\n"
	       "\n"
	       "| Metric | Kernel | collectd | Meaning |\n"
	       "| --- | --- | --- | --- |\n"
	       "| `odd.usage.plain` | `Plain` | `qmem_odd/memory-usage_plain` | a plain one |\n"
	       "| `odd.usage.odd` | | `qmem_odd/memory-usage_odd` | .a\\|b\\_c &lt;d&gt; \\\\e 'f' - \"g\" |\n"
	       "\n"
	       "`odd.traffic`: Per device (counter, packets, one per device, with Detail; collectd type `derive`)\n"
	       "\n"
	       "| Metric | Kernel | collectd | Meaning |\n"
	       "| --- | --- | --- | --- |\n"
	       "| `odd.traffic.rx[device]` | `` a\\|`b `` | `qmem_odd-<device>/derive-traffic_rx` | caf\xc3\xa9 ?? |\n");
}
END_TEST

START_TEST(man_is_escaped)
{
	PRINTS(QMEM_DESCRIBE_MAN, QMEM_DESCRIBE_METRICS | QMEM_DESCRIBE_NETDATA, "odd",
	       ".PP\n"
	       "\\fBodd.usage\\fR: What is used (gauge, bytes; Netdata context \\fBqmem.odd_usage\\fR)\n"
	       ".TP\n"
	       "\\fBodd.usage.plain\\fR (kernel \\fBPlain\\fR)\n"
	       "a plain one\n"
	       ".br\nNetdata: \\fBqmem.odd_usage plain\\fR\n"
	       ".TP\n"
	       "\\fBodd.usage.odd\\fR\n"
	       "\\&.a|b_c <d> \\(rse \\(aqf\\(aq - \\(dqg\\(dq\n"
	       ".br\nNetdata: \\fBqmem.odd_usage odd\\fR\n"
	       ".PP\n"
	       "\\fBodd.traffic\\fR: Per device (counter, packets, one per device, with Detail; Netdata context "
	       "\\fBqmem.odd_traffic\\fR)\n"
	       ".TP\n"
	       "\\fBodd.traffic.rx[device]\\fR (kernel \\fBa|\\(gab\\fR)\n"
	       "caf\\[u00E9] ??\n"
	       ".br\nNetdata: \\fBqmem.odd_traffic_<device> rx\\fR\n");
	PRINTS(QMEM_DESCRIBE_MAN, QMEM_DESCRIBE_SERVICES, "odd",
	       ".TP\n"
	       "\\fBodd\\fR\n"
	       "odd things\n"
	       ".br\nsource: \\fB/proc/odd\\-one\\fR\n"
	       ".br\nkernel: 2.6\n"
	       ".br\nprivilege: none\n"
	       ".br\ndefault: \\fBauto\\fR\n");
	PRINTS(QMEM_DESCRIBE_TEXT, QMEM_DESCRIBE_SERVICES, "odd",
	       "odd: odd things\n"
	       "  source     /proc/odd-one\n"
	       "  kernel     2.6\n"
	       "  privilege  none\n");
}
END_TEST

START_TEST(headings_without_only)
{
	char *text = describe(QMEM_DESCRIBE_MAN, QMEM_DESCRIBE_OPTIONS, NULL, 0);

	begins(describe(QMEM_DESCRIBE_MAN, QMEM_DESCRIBE_OPTIONS, NULL, 0),
	       ".SS \"odd\"\n.TP\n\\fBFlag\\fR (yes or no; default \\fBno\\fR)\na flag\n");
	ck_assert_ptr_nonnull(strstr(text, ".SS \"bare\"\nNone but the common ones.\n"));
	free(text);
	text = describe(QMEM_DESCRIBE_MAN, QMEM_DESCRIBE_METRICS, NULL, 0);
	ck_assert_ptr_nonnull(strstr(text, ".SS \"odd\"\n\\fBodd.usage\\fR: "));
	ck_assert_ptr_nonnull(strstr(text, "a plain one\n"));
	ck_assert_ptr_nonnull(strstr(text, "\n.PP\n\\fBodd.traffic\\fR: "));
	free(text);
	text = describe(QMEM_DESCRIBE_MARKDOWN, QMEM_DESCRIBE_OPTIONS, NULL, 0);
	ck_assert_ptr_nonnull(strstr(text, "### `bare`\n\nNone but the common ones.\n"));
	free(text);
}
END_TEST

/* Detail is a word of every service, but only has a meaning where a family is a detail. */
START_TEST(detail_where_it_means_something)
{
	char *common = describe(QMEM_DESCRIBE_TEXT, QMEM_DESCRIBE_COMMON, NULL, 0);
	char *odd = describe(QMEM_DESCRIBE_MARKDOWN, QMEM_DESCRIBE_OPTIONS, "odd", 0);
	char *bare = describe(QMEM_DESCRIBE_MARKDOWN, QMEM_DESCRIBE_OPTIONS, "bare", 0);

	ck_assert_ptr_nonnull(strstr(common, "  Enabled "));
	ck_assert_ptr_nonnull(strstr(common, "  Interval "));
	ck_assert_ptr_null(strstr(common, "  Detail "));
	ck_assert_ptr_nonnull(strstr(odd, "| `Detail` |"));
	ck_assert_str_eq(bare, "None but the common ones.\n");
	free(common);
	free(odd);
	free(bare);
}
END_TEST

START_TEST(only_leaves_out_the_rest)
{
	char *all = describe(QMEM_DESCRIBE_TEXT, QMEM_DESCRIBE_ALL, NULL, 0);
	char *one = describe(QMEM_DESCRIBE_TEXT, QMEM_DESCRIBE_ALL, "bare", 0);
	char *common = describe(QMEM_DESCRIBE_TEXT, QMEM_DESCRIBE_COMMON, "bare", 0);

	ck_assert_ptr_nonnull(strstr(all, "Options of qmem\n"));
	ck_assert_ptr_nonnull(strstr(all, "Options of every service\n"));
	ck_assert_ptr_nonnull(strstr(all, "Metrics of odd\n"));
	ck_assert_ptr_nonnull(strstr(all, "Metrics of bare\n  None.\n"));
	ck_assert_ptr_null(strstr(one, "odd"));
	ck_assert_ptr_null(strstr(one, "every service"));
	ck_assert_ptr_nonnull(strstr(one, "Options of bare\n  None but the common ones.\n"));
	ck_assert_ptr_nonnull(strstr(common, "Enabled"));
	free(all);
	free(one);
	free(common);
}
END_TEST

START_TEST(families_are_one_table)
{
	PRINTS(QMEM_DESCRIBE_MARKDOWN, QMEM_DESCRIBE_FAMILIES, NULL,
	       "| Family | Kind | Unit | collectd type | One per | Shown | Title |\n"
	       "| --- | --- | --- | --- | --- | --- | --- |\n"
	       "| `odd.usage` | gauge | bytes | `memory` | | | What is used |\n"
	       "| `odd.traffic` | counter | packets | `if_packets` | device | with Detail | Per device |\n");
	PRINTS(QMEM_DESCRIBE_MARKDOWN, QMEM_DESCRIBE_FAMILIES, "bare", "None.\n");
}
END_TEST

START_TEST(errors)
{
	char *nothing = describe(QMEM_DESCRIBE_TEXT, QMEM_DESCRIBE_ALL, "nobody", -ENOENT);
	FILE *full = fopen("/dev/full", "w");

	ck_assert_str_eq(nothing, "");
	free(nothing);
	free(describe(QMEM_DESCRIBE_TEXT, 0, NULL, -EINVAL));
	free(describe(QMEM_DESCRIBE_TEXT, 1u << 20, NULL, -EINVAL));
	ck_assert_ptr_nonnull(full);
	ck_assert_int_eq(qmem_describe(full, QMEM_DESCRIBE_TEXT, QMEM_DESCRIBE_ALL, services, NULL), -EIO);
	fclose(full);
}
END_TEST

/* Whatever is built in can be described in all forms, and no row is without words. */
START_TEST(built_in_services)
{
	size_t i;

	for (i = 0; qmem_services[i]; i++) {
		const struct qmem_service *service = qmem_services[i];
		const struct qmem_option *option;
		const struct qmem_family *family;
		const struct qmem_metric *metric;
		int form;

		ck_assert_msg(service->help && service->kernel && service->privilege, "%s", service->name);
		for (option = service->options; option && option->name; option++)
			ck_assert_msg(option->help && *option->help, "%s %s", service->name, option->name);
		for (family = service->families; family && family->id; family++) {
			ck_assert_msg(family->title && family->unit && family->type, "%s.%s", service->name,
				      family->id);
			for (metric = family->metrics; metric && metric->id; metric++)
				ck_assert_msg(metric->help && *metric->help, "%s.%s.%s", service->name, family->id,
					      metric->id);
		}
		for (form = QMEM_DESCRIBE_TEXT; form <= QMEM_DESCRIBE_MAN; form++) {
			char *text = NULL;
			size_t size = 0;
			FILE *out = open_memstream(&text, &size);

			ck_assert_ptr_nonnull(out);
			ck_assert_int_eq(qmem_describe(out, form, QMEM_DESCRIBE_ALL, qmem_services, service->name), 0);
			ck_assert_int_eq(fclose(out), 0);
			ck_assert_ptr_nonnull(strstr(text, service->name));
			free(text);
		}
	}
	ck_assert_uint_gt(i, 0);
}
END_TEST

/* An old name leads to an option that there is, and is none itself. */
START_TEST(renamed_options_are_there)
{
	size_t n = 0;

	for (size_t i = 0; qmem_services[i]; i++) {
		const struct qmem_renamed *r = qmem_services[i]->renamed;

		for (; r && r->was; r++, n++) {
			ck_assert_ptr_nonnull(qmem_option_find(qmem_services[i]->options, r->is));
			ck_assert_ptr_null(qmem_option_find(qmem_services[i]->options, r->was));
			ck_assert_ptr_null(qmem_option_find(qmem_common_options, r->was));
		}
	}
	ck_assert_uint_gt(n, 0);
}
END_TEST

SUITE(describe)
{
	Suite *suite = suite_create("describe");
	TCase *tests = tcase_create("describe");

	tcase_add_test(tests, text_is_aligned);
	tcase_add_test(tests, text_has_names);
	tcase_add_test(tests, text_options);
	tcase_add_test(tests, markdown_is_escaped);
	tcase_add_test(tests, man_is_escaped);
	tcase_add_test(tests, headings_without_only);
	tcase_add_test(tests, detail_where_it_means_something);
	tcase_add_test(tests, only_leaves_out_the_rest);
	tcase_add_test(tests, families_are_one_table);
	tcase_add_test(tests, errors);
	tcase_add_test(tests, renamed_options_are_there);
	tcase_add_test(tests, built_in_services);
	suite_add_tcase(suite, tests);
	return suite;
}
