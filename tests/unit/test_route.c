/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "proc/route.h"

#define HEAD "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
#define NONE "00000000000000000000000000000000"
#define V6 NONE " 00 " NONE " 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth0\n"

static const struct {
	enum route_family family;
	const char *text, *names;
} cases[] = {
	{ ROUTE_IPV4, "", "" },
	{ ROUTE_IPV4, HEAD, "" },
	{ ROUTE_IPV4,
	  HEAD "eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0                                 \n",
	  "eth0," },
	{ ROUTE_IPV4,
	  HEAD
	  "eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\nwg0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0\n"
	  "ppp0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\nwlan0\t00000000\t00000000\t0003\t0\t0\t600\t00000000\t0\t0\t0\n",
	  "ppp0,wlan0," },
	/* down, refused, cut, malformed */
	{ ROUTE_IPV4, "eth0\t00000000\t0101A8C0\t0002\t0\t0\t100\t00000000\t0\t0\t0\n", "" },
	{ ROUTE_IPV4, "*\t00000000\t00000000\t0201\t0\t0\t0\t00000000\t0\t0\t0\n", "" },
	{ ROUTE_IPV4, "eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000", "" },
	{ ROUTE_IPV4, "eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\n", "" },
	{ ROUTE_IPV4, "eth0\t000000000\t0101A8C0\t0003\t0\t0\t100\t00000000\n", "" },
	{ ROUTE_IPV4, "eth0\t00000000\t0101A8C0\t000x\t0\t0\t100\t00000000\n", "" },
	{ ROUTE_IPV6, V6, "eth0," },
	{ ROUTE_IPV6, NONE " 00 " NONE " 00 " NONE " ffffffff 00000001 00000000 00200200       lo\n" V6, "eth0," },
	{ ROUTE_IPV6,
	  "fe800000000000000000000000000000 40 " NONE " 00 " NONE " 00000100 00000001 00000000 00000001     eth0\n",
	  "" },
	{ ROUTE_IPV6, NONE " 40 " NONE " 00 " NONE " 00000100 00000001 00000000 00000001     eth0\n", "" },
	{ ROUTE_IPV6, NONE " 00 " NONE " 00 " NONE " 00000100 00000001 00000000 00000001\n", "" },
};

START_TEST(defaults)
{
	struct route_walk walk = { cases[_i].text, cases[_i].text + strlen(cases[_i].text), cases[_i].family };
	char got[256] = "";
	const char *name;
	size_t len, n = 0;

	while (route_default_next(&walk, &name, &len))
		n += (size_t)snprintf(got + n, sizeof(got) - n, "%.*s,", (int)len, name);
	ck_assert_str_eq(got, cases[_i].names);
	ck_assert_ptr_eq(walk.at, walk.end);
}
END_TEST

SUITE(route)
{
	Suite *s = suite_create("route");
	TCase *t = tcase_create("route");

	tcase_add_loop_test(t, defaults, 0, sizeof(cases) / sizeof(*cases));
	suite_add_tcase(s, t);
	return s;
}
