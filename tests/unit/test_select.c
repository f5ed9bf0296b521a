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

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char *items[] = { (char *)(uintptr_t) "lo", (char *)(uintptr_t)bad[i] };
		const struct qmem_list list = { .items = items, .n = 2 };
		struct select select;

		if (!select_check(bad[i]))
			continue; /* some C libraries are lenient: then it must work */
		ck_assert_int_eq(select_init(&select, &list, false), -EINVAL);
		ck_assert(select_wants(&select, "anything"));
	}
	ck_assert_ptr_nonnull(select_check("/(/"));
	ck_assert_ptr_nonnull(select_check("/[a/"));
	ck_assert_ptr_nonnull(select_check(""));
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		ck_assert_msg(!select_check(good[i]), "%s", good[i]);
}
END_TEST

SUITE(select)
{
	Suite *suite = suite_create("select");
	TCase *tests = tcase_create("select");

	tcase_add_loop_test(tests, wants, 0, sizeof(cases) / sizeof(*cases));
	tcase_add_test(tests, wrong);
	suite_add_tcase(suite, tests);
	return suite;
}
