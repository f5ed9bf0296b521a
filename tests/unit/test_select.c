/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "util/select.h"

static const struct {
	const char *rules[4];
	const char *name;
	bool wanted; /* without IgnoreSelected; with it, the other way round */
	bool always; /* whatever IgnoreSelected says */
} cases[] = {
	{ { NULL }, "eth0", true, true },
	{ { NULL }, "", true, true },
	{ { "eth0" }, "eth0", true, false },
	{ { "eth0" }, "eth01", false, false },
	{ { "eth0" }, "ETH0", false, false },
	{ { "eth." }, "eth0", false, false },
	{ { "eth0", "lo" }, "lo", true, false },
	{ { "eth0", "lo" }, "wlan0", false, false },
	/* found anywhere, unless anchored */
	{ { "/th/" }, "eth0", true, false },
	{ { "/^th/" }, "eth0", false, false },
	{ { "/^eth[0-9]+$/" }, "eth10", true, false },
	{ { "/^eth[0-9]+$/" }, "eth10.5", false, false },
	{ { "/^(veth|docker)/" }, "docker0", true, false },
	{ { "/^a{2}$/" }, "aa", true, false },
	{ { "lo", "/^veth/", "/^br-/" }, "br-1", true, false },
	/* the shortest expression has one character; less is a name */
	{ { "/./" }, "x", true, false },
	{ { "//" }, "//", true, false },
	{ { "//" }, "x", false, false },
	{ { "/" }, "/", true, false },
	{ { "/eth0" }, "eth0", false, false },
	{ { "/eth0" }, "/eth0", true, false },
	/* a slash inside belongs to it */
	{ { "/a/b/" }, "xa/by", true, false },
	{ { "a\"b=c" }, "a\"b=c", true, false },
};

START_TEST(wants)
{
	struct qmem_list list = { .items = (char **)(uintptr_t)cases[_i].rules };

	while (list.n < 4 && cases[_i].rules[list.n])
		list.n++;
	for (int ignore = 0; ignore < 2; ignore++) {
		bool expected = cases[_i].always || (ignore ? !cases[_i].wanted : cases[_i].wanted);
		struct select select;

		ck_assert_int_eq(select_init(&select, &list, ignore), 0);
		ck_assert_msg(select_wants(&select, cases[_i].name) == expected, "case %d '%s' ignore %d", _i,
			      cases[_i].name, ignore);
		select_release(&select);
	}
}
END_TEST

START_TEST(wrong)
{
	static const char *const bad[] = { "/(/", "/[a/", "/*{/", "/a{2,1}/" };
	static const char *const good[] = { "eth0", "/", "//", "/a/", "/^$/", "(", "[a", "/(" };
	char why[160];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char *items[] = { (char *)(uintptr_t) "lo", (char *)(uintptr_t)bad[i] };
		const struct qmem_list list = { .items = items, .n = 2 };
		struct select select;

		if (select_check(bad[i], why, sizeof(why)))
			continue; /* some C libraries are lenient: then it must work */
		ck_assert_int_eq(select_init(&select, &list, false), -EINVAL);
		ck_assert(select_wants(&select, "anything"));
	}
	ck_assert(!select_check("/(/", why, sizeof(why)));
	ck_assert(!select_check("/[a/", why, sizeof(why)));
	ck_assert(!select_check("", why, sizeof(why)));
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		ck_assert_msg(select_check(good[i], why, sizeof(why)), "%s", good[i]);
}
END_TEST

/* What is taken, but means something else than to Perl. */
START_TEST(dialects)
{
	static const struct {
		const char *rule, *why; /* NULL: nothing is wrong */
	} rules[] = {
		{ "/\\.d\\+\\[\\//", NULL },
		{ "/[[:alnum:]_.-]+/", NULL },
		{ "/[]d]x\\)/", NULL },
		{ "/[^]\\]d/", NULL },
		{ "/[a[.-.]b]d/", NULL },
		{ "/(a?)/", NULL },
		{ "/[(?]/", NULL },
		{ "\\d(?", NULL }, /* a name */
		{ "/^eth\\d+$/", "has '\\d', which POSIX has not: write [0-9]" },
		{ "/\\w/", "has '\\w', which POSIX has not: write [[:alnum:]_]" },
		{ "/a\\S/", "has '\\S', which POSIX has not: write [^[:space:]]" },
		{ "/\\bnginx/", "has '\\b', which POSIX has not" },
		{ "/[\\d.]/", "has '\\d' in brackets, where POSIX has only characters and sets such as 0-9" },
		{ "/[[:alpha:]\\w]/",
		  "has '\\w' in brackets, where POSIX has only characters and sets such as [:alnum:]_" },
		{ "/(?:nginx|apache)/", "has '(?', which POSIX has not" },
		{ "/(?i)x/", "has '(?', which POSIX has not" },
		{ "/a\\/", "is not an extended regular expression" },
		{ "/[[:a/", "is not an extended regular expression" },
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		char why[160] = "";

		ck_assert_msg(select_check(rules[i].rule, why, sizeof(why)) == !rules[i].why, "%s %s", rules[i].rule,
			      why);
		ck_assert_str_eq(why, rules[i].why ? rules[i].why : "");
	}
}
END_TEST

START_TEST(plain_names)
{
	char why[160];

	ck_assert(select_check_plain("eth0", why, sizeof(why)));
	ck_assert(select_check_plain("/^eth/", why, sizeof(why)));
	ck_assert(select_check_plain("a/b", why, sizeof(why)));
	ck_assert(!select_check_plain("/^eth", why, sizeof(why)));
	ck_assert_str_eq(why, "begins with '/': an expression stands between two, and a name has none");
	ck_assert(!select_check_plain("eth/", why, sizeof(why)));
	ck_assert_str_eq(why, "ends with '/': an expression stands between two, and a name has none");
	ck_assert(!select_check_plain("/", why, sizeof(why)));
}
END_TEST

SUITE(select)
{
	Suite *suite = suite_create("select");
	TCase *tests = tcase_create("select");

	tcase_add_loop_test(tests, wants, 0, sizeof(cases) / sizeof(*cases));
	tcase_add_test(tests, wrong);
	tcase_add_test(tests, dialects);
	tcase_add_test(tests, plain_names);
	suite_add_tcase(suite, tests);
	return suite;
}
