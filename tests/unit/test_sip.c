/* SPDX-License-Identifier: MIT */
#include "util/sip.h"

#include <string.h>

#include "unit.h"

/* What Python's hash() of these bytes is, with PYTHONHASHSEED=0. */
START_TEST(like_others)
{
	static const struct sip_key zero;
	static const struct {
		const char *text;
		uint64_t hash;
	} known[] = {
		{ "a", UINT64_C(0x407448d2b89b1813) },
		{ "eth0", UINT64_C(0x71dfeb208c01b64f) },
		{ "12345678", UINT64_C(0x3489982430560a87) },
		{ "/system.slice/nginx.service", UINT64_C(0x7a21d54acd340c67) },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		ck_assert_msg(sip(&zero, known[i].text, strlen(known[i].text)) == known[i].hash, "%s", known[i].text);
}
END_TEST

START_TEST(each_key_is_another)
{
	struct sip_key a = sip_key_new(), b = sip_key_new();

	ck_assert(sip(&a, "eth0", 4) == sip(&a, "eth0", 4));
	ck_assert(sip(&a, "eth0", 4) != sip(&b, "eth0", 4));
	ck_assert(sip(&a, "eth0", 4) != sip(&a, "eth1", 4));
}
END_TEST

SUITE(sip)
{
	Suite *s = suite_create("sip");
	TCase *t = tcase_create("sip");

	tcase_add_test(t, like_others);
	tcase_add_test(t, each_key_is_another);
	suite_add_tcase(s, t);
	return s;
}
