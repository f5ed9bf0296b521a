/* SPDX-License-Identifier: MIT */
#include "control/skeleton.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rows.h"
#include "unit.h"

struct state {
	struct qmem_list list, many;
	int64_t number;
	struct qmem_blocks blocks;
	char *text;
};

static const struct qmem_metric numbers[] = { METRIC(state, "number", NULL, number, "a number"), { 0 } };
static const struct qmem_family families[] = {
	FAMILY("number", "A number", "menu", "line", numbers, BYTES, .flags = QMEM_DETAIL),
	{ 0 },
};

static const struct qmem_option sub[] = {
	{ .name = "Inner", .type = QMEM_INT, .def = "7", .max = 9, .help = "what it is inside" },
	{ 0 },
};

static const struct qmem_option options[] = {
	{ .name = "Block",
	  .type = QMEM_BLOCK,
	  .offset = offsetof(struct state, blocks),
	  .sub = sub,
	  .sub_size = 8,
	  .help = "a block",
	  .example = "mine" },
	{ .name = "Many",
	  .type = QMEM_LIST,
	  .offset = offsetof(struct state, many),
	  .def = "one two\nthree",
	  .help = "several of them, of which there is so much to be said that it takes more than a single line, whatever "
		  "the width of the window is" },
	{ .name = "List",
	  .type = QMEM_LIST,
	  .offset = offsetof(struct state, list),
	  .help = "some",
	  .example = "a \"b\" # c" },
	{ 0 },
};

static const struct qmem_service full = {
	.name = "full", .help = "all of it", .families = families, .options = options
};
static const struct qmem_service bare = { .name = "bare", .help = "nothing" };
static const struct qmem_service *const services[] = { &full, &bare, NULL };

static char *skeleton(enum qmem_skeleton_form form)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	ck_assert_int_eq(qmem_skeleton(out, form, services), 0);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

/* From the heading of the first service on. */
static const char *from(const char *text, const char *where)
{
	const char *at = strstr(text, where);

	ck_assert_msg(at != NULL, "no '%s' in:\n%s", where, text);
	return at;
}

START_TEST(collectd)
{
	char *text = skeleton(QMEM_SKELETON_COLLECTD);

	ck_assert_ptr_nonnull(strstr(text, "#\tHostRoot \"/\"\n"));
	ck_assert_ptr_nonnull(strstr(text, "\n# Budget - "));
	ck_assert_str_eq(
		from(text, "# full: "),
		"# full: all of it\n"
		"#\t<Service \"full\">\n"
		"#\t\tEnabled auto\n"
		"#\t\tInterval 0\n"
		"#\t\tBudget 20ms\n"
		"#\t\tDetail no\n"
		"#\t\t# several of them, of which there is so much to be said that it takes more than a single line,\n"
		"#\t\t# whatever the width of the window is (list)\n"
		"#\t\tMany \"one two\"\n"
		"#\t\tMany three\n"
		"#\t\t# some (list); an example, there is none by default\n"
		"#\t\tList \"a \\\"b\\\" # c\"\n"
		"#\t\t# a block (named block); an example, there is none by default\n"
		"#\t\t<Block \"mine\">\n"
		"#\t\t\t# what it is inside (number, 0 to 9)\n"
		"#\t\t\tInner 7\n"
		"#\t\t</Block>\n"
		"#\t</Service>\n"
		"\n"
		"# bare: nothing\n"
		"#\t<Service \"bare\">\n"
		"#\t\tEnabled auto\n"
		"#\t\tInterval 0\n"
		"#\t\tBudget 20ms\n"
		"#\t</Service>\n");
	free(text);
}
END_TEST

START_TEST(netdata)
{
	char *text = skeleton(QMEM_SKELETON_NETDATA);

	ck_assert_ptr_nonnull(strstr(text, "#HostRoot = /\n"));
	ck_assert_ptr_nonnull(strstr(text, "\n# ---- full: all of it -----"));
	ck_assert_ptr_nonnull(strstr(text, "\n# ---- bare: nothing -----"));
	ck_assert_ptr_nonnull(strstr(text, "\n[bare]\n#Enabled = auto\n#Interval = 0\n#Budget = 20ms\n"));
	*strstr(text, "\n\n# ---- bare: ") = '\0';
	/* a block is behind all else: what follows it would be in it */
	ck_assert_str_eq(
		from(text, "\n[full]\n"),
		"\n[full]\n"
		"#Enabled = auto\n"
		"#Interval = 0\n"
		"#Budget = 20ms\n"
		"#Detail = no\n"
		"\n"
		"# several of them, of which there is so much to be said that it takes more than a single line, "
		"whatever the width of\n"
		"# the window is (list)\n"
		"#Many = one two\n"
		"#Many = three\n"
		"\n"
		"# some (list); an example, there is none by default\n"
		"#List = \"a \\\"b\\\" # c\"\n"
		"\n"
		"# a block (named block); an example, there is none by default\n"
		"#[full.Block \"mine\"]\n"
		"\n"
		"# what it is inside (number, 0 to 9)\n"
		"#Inner = 7");
	free(text);
}
END_TEST

START_TEST(skeleton_errors)
{
	FILE *out = fopen("/dev/full", "w");

	ck_assert_ptr_nonnull(out);
	ck_assert_int_eq(qmem_skeleton(out, QMEM_SKELETON_NETDATA, services), -EIO);
	ck_assert_int_eq(qmem_skeleton(out, (enum qmem_skeleton_form)7, services), -EINVAL);
	fclose(out);
}
END_TEST

/* What has no default has an example, or nobody would see how it is written. */
static void check_examples(const char *where, const struct qmem_option *rows)
{
	for (const struct qmem_option *o = rows; o && o->name; o++) {
		char why[256] = "";
		bool needs = o->type == QMEM_LIST || o->type == QMEM_STRING || o->type == QMEM_BLOCK;

		ck_assert_msg(!needs || (o->def && *o->def) || (o->example && *o->example), "%s: %s", where, o->name);
		ck_assert_msg(!o->check || !o->example || o->check(o->example, why, sizeof(why)), "%s: %s: %s %s",
			      where, o->name, o->example, why);
		if (o->type == QMEM_BLOCK)
			check_examples(o->name, o->sub);
	}
}

START_TEST(examples)
{
	check_examples("qmem", qmem_global_options);
	for (const struct qmem_service *const *s = qmem_services; *s; s++)
		check_examples((*s)->name, (*s)->options);
}
END_TEST

SUITE(skeleton)
{
	Suite *s = suite_create("skeleton");
	TCase *t = tcase_create("skeleton");

	tcase_add_test(t, collectd);
	tcase_add_test(t, netdata);
	tcase_add_test(t, skeleton_errors);
	tcase_add_test(t, examples);
	suite_add_tcase(s, t);
	return s;
}
