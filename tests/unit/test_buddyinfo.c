/* SPDX-License-Identifier: MIT */
/* /proc/buddyinfo and /proc/zoneinfo as kernels write them and as none does, and the service on them. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc/buddy.h"
#include "proc/zoneinfo.h"
#include "procroot.h"
#include "services.h"

static struct buddy_walk walk_of(const char *text)
{
	return (struct buddy_walk){ .at = text, .end = text + strlen(text) };
}

static const char *words_of(const struct fault *fault)
{
	static char words[128];

	*words = '\0';
	if (fault->n)
		fault_print(words, sizeof(words), fault);
	return words;
}

/* ---- buddyinfo ---- */

/* arm64 with pages of 64 KiB; node 8 comes after 0 */
static const char orders_14[] =
	"Node 0, zone      DMA      2      1      0      0      0      0      0      0      0      0      0      0      1      3 \n"
	"Node 0, zone   Normal    100     50     20     10      5      2      1      0      0      0      0      0      0     40 \n"
	"Node 8, zone   Normal      0      0      0      0      0      0      0      0      0      0      0      0      0      7 \n";

START_TEST(many_orders)
{
	static const struct {
		int node;
		const char *zone;
		int64_t pages, last;
	} expected[] = { { 0, "DMA", 28676, 3 }, { 0, "Normal", 328248, 40 }, { 8, "Normal", 57344, 7 } };
	struct buddy_walk walk = walk_of(orders_14);
	struct buddy b;

	for (int i = 0; i < 3; i++) {
		ck_assert(buddy_next(&walk, &b));
		ck_assert_int_eq(b.node, expected[i].node);
		ck_assert_uint_eq(b.zone_len, strlen(expected[i].zone));
		ck_assert_mem_eq(b.zone, expected[i].zone, b.zone_len);
		ck_assert_int_eq(b.orders, 14);
		ck_assert_int_eq(b.blocks[13], expected[i].last);
		ck_assert(b.blocks[14] == QMEM_NA);
		ck_assert_int_eq(buddy_pages(b.blocks, b.orders), expected[i].pages);
	}
	ck_assert(!buddy_next(&walk, &b));
	ck_assert_uint_eq(walk.fault.n, 0);
}
END_TEST

START_TEST(bad_lines)
{
	static const char *const lines[] = {
		"Node 0, zone DMA\n",
		"Node 0, zone \n",
		"Node 0 zone DMA 1\n",
		"Node x, zone DMA 1\n",
		"Node 99999999999999999999, zone DMA 1\n",
		"Node 1048576, zone DMA 1\n",
		"Node -1, zone DMA 1\n",
		"node 0, zone DMA 1\n",
		"Node 0, zone ANameNoKernelHasX 1\n",
		"\n",
		"Node 0, zone DMA 1 2 3",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct buddy_walk walk = walk_of(lines[i]);
		struct buddy b;

		ck_assert_msg(!buddy_next(&walk, &b), "%s", lines[i]);
		ck_assert_uint_eq(walk.fault.n, 1);
	}
}
END_TEST

START_TEST(bad_columns)
{
	struct buddy_walk walk = walk_of("Node 1, zone Normal 1 x 3 -4 9223372036854775808 6\nNode 2, zone A 1\n");
	struct buddy b;

	ck_assert(buddy_next(&walk, &b));
	ck_assert_int_eq(b.orders, 6);
	ck_assert_int_eq(b.blocks[0], 1);
	ck_assert(b.blocks[1] == QMEM_NA);
	ck_assert_int_eq(b.blocks[2], 3);
	ck_assert(b.blocks[3] == QMEM_NA);
	ck_assert(b.blocks[4] == QMEM_NA);
	ck_assert_int_eq(b.blocks[5], 6);
	ck_assert_str_eq(words_of(&walk.fault), "'node 1 zone Normal order 1' is malformed, and 2 more");
	/* what a sum lacks it is not told of */
	ck_assert(buddy_pages(b.blocks, b.orders) == QMEM_NA);
	ck_assert(buddy_unusable(b.blocks, b.orders, 2) == QMEM_NA);
	ck_assert(buddy_fragmentation(b.blocks, b.orders, 2) == QMEM_NA);
	ck_assert(buddy_next(&walk, &b));
	ck_assert_int_eq(b.orders, 1);
}
END_TEST

/* What is larger than the last order is several blocks of it. */
START_TEST(too_many_orders)
{
	char text[512] = "Node 0, zone Normal";
	struct buddy_walk walk;
	struct buddy b;

	for (int i = 0; i < BUDDY_ORDERS + 3; i++)
		strcat(text, " 1");
	strcat(text, "\n");
	walk = walk_of(text);
	ck_assert(buddy_next(&walk, &b));
	ck_assert_int_eq(b.orders, BUDDY_ORDERS);
	ck_assert_int_eq(b.blocks[BUDDY_ORDERS - 1], 1 + 2 + 4 + 8);
	ck_assert_int_eq(buddy_pages(b.blocks, b.orders), (INT64_C(1) << (BUDDY_ORDERS + 3)) - 1);
	ck_assert_uint_eq(walk.fault.n, 0);
	strcpy(text + strlen(text) - 1, " x 1\n");
	walk = walk_of(text);
	ck_assert(buddy_next(&walk, &b));
	ck_assert(b.blocks[BUDDY_ORDERS - 1] == QMEM_NA);
	ck_assert_int_eq(b.blocks[BUDDY_ORDERS - 2], 1);
	ck_assert_str_eq(words_of(&walk.fault), "'node 0 zone Normal order 21' is malformed");
	b.blocks[BUDDY_ORDERS - 1] = INT64_C(1) << 50;
	ck_assert(buddy_pages(b.blocks, b.orders) == QMEM_NA);
}
END_TEST

START_TEST(endless_orders)
{
	char text[512] = "Node 0, zone Normal";
	struct buddy_walk walk;
	struct buddy b;

	for (int i = 0; i < 100; i++)
		strcat(text, " 0");
	strcat(text, "\n");
	walk = walk_of(text);
	ck_assert(buddy_next(&walk, &b));
	ck_assert_int_eq(buddy_pages(b.blocks, b.orders), 0);
	strcpy(text + strlen(text) - 1, " 7\n");
	walk = walk_of(text);
	ck_assert(buddy_next(&walk, &b));
	ck_assert_str_eq(words_of(&walk.fault), "'node 0 zone Normal order 100' is too large");
	ck_assert(buddy_pages(b.blocks, b.orders) == QMEM_NA);
}
END_TEST

/* What the kernel's formulas give: mm/vmstat.c, unusable_free_index() and __fragmentation_index(). */
START_TEST(indexes)
{
	static const int64_t blocks[11] = { 4, 3, 2 };
	static const int64_t none[11], one[11] = { 1 };

	ck_assert_int_eq(buddy_unusable(blocks, 11, 0), 0);
	ck_assert_int_eq(buddy_unusable(blocks, 11, 1), 222);
	ck_assert_int_eq(buddy_unusable(blocks, 11, 2), 555);
	ck_assert_int_eq(buddy_unusable(blocks, 11, 3), 1000);
	ck_assert_int_eq(buddy_unusable(blocks, 11, 20), 1000);
	ck_assert(buddy_unusable(none, 11, 3) == QMEM_NA);
	ck_assert(buddy_fragmentation(blocks, 11, 2) == QMEM_NA);
	/* 1000 - (1000 + 18 * 1000 / 8) / 9 */
	ck_assert_int_eq(buddy_fragmentation(blocks, 11, 3), 639);
	ck_assert_int_eq(buddy_fragmentation(blocks, 11, 10), 887);
	ck_assert_int_eq(buddy_fragmentation(none, 11, 3), 0);
	/* as the kernel says it */
	ck_assert_int_eq(buddy_fragmentation(one, 11, 1), -500);
}
END_TEST

/* ---- zoneinfo ---- */

/* Of the first zone that has memory, a node's counters stand before its own. */
static const char per_node[] = "Node 0, zone      DMA\n"
			       "  per-node stats\n"
			       "      nr_inactive_file 123456\n"
			       "      min_of_the_node 7\n"
			       "  pages free     3840\n"
			       "        boost    0\n"
			       "        min      5\n"
			       "        low      6\n"
			       "        high     7\n"
			       "        spanned  4095\n"
			       "        present  3998\n"
			       "        managed  3840\n"
			       "        cma      0\n"
			       "        protection: (0, 2266, 20000, 20000, 20000)\n"
			       "      nr_free_pages 3840\n"
			       "  pagesets\n"
			       "    cpu: 0\n"
			       "              count:    11\n"
			       "              high:     378\n"
			       "              batch:    63\n"
			       "  vm stats threshold: 4\n"
			       "  node_unreclaimable:  0\n"
			       "  start_pfn:           1\n"
			       "Node 0, zone  Movable\n"
			       "  pages free     0\n"
			       "        boost    0\n"
			       "        min      0\n"
			       "        low      0\n"
			       "        high     0\n"
			       "        spanned  0\n"
			       "        present  0\n"
			       "        managed  0\n"
			       "        cma      0\n"
			       "        protection: (0, 0, 0, 0, 0)\n"
			       "Node 1, zone   Normal\n"
			       "  per-node stats\n"
			       "      nr_inactive_file 65432\n"
			       "  pages free     1500000\n"
			       "        min      6300\n"
			       "        low      7800\n"
			       "        high     9400\n"
			       "        scanned  0\n"
			       "        spanned  4718592\n"
			       "        present  4718592\n"
			       "        managed  4600000\n"
			       "    nr_free_pages 1500000\n"
			       "        protection: (0, 0, 0, 0)\n";

START_TEST(zones)
{
	static const struct {
		int node;
		const char *name;
		int64_t value[ZONE_VALUES];
	} expected[] = {
		{ 0, "DMA", { 3840, 5, 6, 7, 3998, 3840, 20000 } },
		{ 0, "Movable", { 0, 0, 0, 0, 0, 0, 0 } },
		{ 1, "Normal", { 1500000, 6300, 7800, 9400, 4718592, 4600000, 0 } },
	};
	struct zone_walk walk = { .at = per_node, .end = per_node + strlen(per_node) };
	struct zone z;

	for (int i = 0; i < 3; i++) {
		ck_assert(zone_next(&walk, &z));
		ck_assert_int_eq(z.node, expected[i].node);
		ck_assert_uint_eq(z.name_len, strlen(expected[i].name));
		ck_assert_mem_eq(z.name, expected[i].name, z.name_len);
		for (int k = 0; k < ZONE_VALUES; k++)
			ck_assert_msg(z.value[k] == expected[i].value[k], "zone %d, %d: %lld", i, k,
				      (long long)z.value[k]);
	}
	ck_assert(!zone_next(&walk, &z));
	ck_assert_str_eq(words_of(&walk.fault), "");
}
END_TEST

START_TEST(bad_zones)
{
	static const struct {
		const char *line, *wrong;
	} cases[] = {
		{ "        min      x\n", "'node 0 zone DMA min' is malformed" },
		{ "        min      -5\n", "'node 0 zone DMA min' is negative" },
		{ "        min      9223372036854775808\n", "'node 0 zone DMA min' is too large" },
		{ "        min      5 6\n", "'node 0 zone DMA min' is malformed" },
		{ "        min\n", "" },
		{ "        minimum 5\n", "" },
		{ "        protection: 5\n", "'node 0 zone DMA protection' is malformed" },
		{ "        protection: (5, 6\n", "'node 0 zone DMA protection' is malformed" },
		{ "        protection: (5, x)\n", "'node 0 zone DMA protection' is malformed" },
		{ "        protection: ()\n", "'node 0 zone DMA protection' is malformed" },
		{ "        protection: (5) 6\n", "'node 0 zone DMA protection' is malformed" },
		{ "        protection: (-5)\n", "'node 0 zone DMA protection' is negative" },
		{ "        min      7", "'        min      7' is cut" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[256];
		struct zone_walk walk = { .at = text };
		struct zone z;

		snprintf(text, sizeof(text), "Node 0, zone DMA\n  pages free 9\n%s", cases[i].line);
		walk.end = text + strlen(text);
		ck_assert(zone_next(&walk, &z));
		ck_assert_int_eq(z.value[ZONE_FREE], 9);
		ck_assert(z.value[ZONE_MIN] == QMEM_NA);
		ck_assert(z.value[ZONE_RESERVE] == QMEM_NA);
		if (i + 1 == sizeof(cases) / sizeof(*cases))
			ck_assert_uint_eq(walk.fault.n, 1);
		else
			ck_assert_str_eq(words_of(&walk.fault), cases[i].wrong);
	}
}
END_TEST

START_TEST(twice)
{
	static const char text[] = "junk\nNode 0, zone DMA\n        min 5\n        min 6\n";
	struct zone_walk walk = { .at = text, .end = text + sizeof(text) - 1 };
	struct zone z;

	ck_assert(zone_next(&walk, &z));
	ck_assert_int_eq(z.value[ZONE_MIN], 5);
	ck_assert_uint_eq(walk.fault.n, 2);
}
END_TEST

/* ---- the service ---- */

static const struct qmem_service *const services[] = { &buddyinfo_service, NULL };
static int64_t page;

static void setup(void)
{
	procroot_begin(services);
	page = sysconf(_SC_PAGESIZE);
}

/* In units, not in 1/1000. */
static int64_t get(const char *name)
{
	char whole[128];
	int64_t value;

	snprintf(whole, sizeof(whole), "buddyinfo.%s", name);
	value = procroot_value(whole);
	return value == QMEM_NA || value == -1 ? value : value / 1000;
}

static void put_zone(const char *name, const char *free, int min, int low, int reserve)
{
	procroot_put(
		name,
		"Node 0, zone   Normal\n  pages free %s\n min %d\n low %d\n high %d\n managed 100000\n protection: (0, %d)\n",
		free, min, low, low + 10, reserve);
}

START_TEST(headroom)
{
	procroot_put("proc/buddyinfo", "Node 0, zone   Normal 100 50 20 10 5 2 1 0 0 0 0\n");
	put_zone("proc/zoneinfo", "488", 100, 200, 50);
	procroot_start();
	procroot_tick();
	/* 100 + 100 + 80 + 80 + 80 + 64 + 64 */
	ck_assert_int_eq(get("headroom.kswapd"), (568 - 200 - 50) * page);
	ck_assert_int_eq(get("headroom.direct"), (568 - 100 - 50) * page);
	ck_assert_int_eq(get("orders.order3"), 80 * page);
	ck_assert_int_eq(get("orders.order10"), 0);
	ck_assert_int_eq(get("orders.order11"), QMEM_NA);
	/* 63 more pages than the block's first one can go */
	ck_assert_int_eq(get("largest.order"), 6);
	ck_assert_int_eq(procroot_value("buddyinfo.unusable.costly"), 49200);
	ck_assert_int_eq(procroot_value("buddyinfo.unusable.huge"),
			 page == 4096 ? 100000 : procroot_value("buddyinfo.unusable.huge"));
	/* nothing of a zone without Detail */
	ck_assert_int_eq(get("watermarks.free[0_Normal]"), -1);
}
END_TEST

static int64_t unusable_with(int order)
{
	procroot_put("proc/buddyinfo", "Node 0, zone   Normal 100 50 20 10 5 2 1 0 0 0 0\n");
	procroot_put("sys/kernel/mm/transparent_hugepage/hpage_pmd_size", "%lld\n", (long long)page << order);
	procroot_start();
	procroot_tick();
	return procroot_value("buddyinfo.unusable.huge");
}

/* It is not on all machines what a page table maps. */
START_TEST(huge_page)
{
	ck_assert_int_eq(unusable_with(5), 77400);
}
END_TEST

START_TEST(no_huge_block)
{
	/* no block of this kernel is as large: that is no fragmentation */
	ck_assert(unusable_with(13) == QMEM_NA);
}
END_TEST

/* A block that is there cannot be had where the mark would not hold without it. */
START_TEST(largest)
{
	procroot_put("proc/buddyinfo", "Node 0, zone   Normal 10 0 0 0 0 0 1 0 0 0 0\n");
	procroot_start();
	procroot_tick();
	/* without marks it is what there is */
	ck_assert_int_eq(get("largest.order"), 6);
	ck_assert(get("headroom.direct") == QMEM_NA);
	put_zone("proc/zoneinfo", "74", 10, 20, 0);
	procroot_tick();
	ck_assert_int_eq(get("largest.order"), 6);
	put_zone("proc/zoneinfo", "74", 11, 20, 0);
	procroot_tick();
	ck_assert_int_eq(get("largest.order"), 5);
	put_zone("proc/zoneinfo", "74", 11, 20, 62);
	procroot_tick();
	ck_assert_int_eq(get("largest.order"), 0);
	put_zone("proc/zoneinfo", "74", 11, 20, 63);
	procroot_tick();
	ck_assert_int_eq(procroot_value("buddyinfo.largest.order"), -1000);
	ck_assert_int_eq(get("headroom.direct"), 0);
	ck_assert_int_eq(get("headroom.kswapd"), 0);
}
END_TEST

START_TEST(of_zones)
{
	procroot_set("buddyinfo", "Detail", "yes");
	procroot_put("proc/buddyinfo", "%s", orders_14);
	procroot_put("proc/zoneinfo", "%s", per_node);
	procroot_start();
	procroot_tick();
	ck_assert_int_eq(get("watermarks.free[0_DMA]"), 28676 * page);
	ck_assert_int_eq(get("watermarks.min[0_DMA]"), 5 * page);
	ck_assert_int_eq(get("watermarks.reserve[0_DMA]"), 20000 * page);
	ck_assert_int_eq(get("distance.kswapd[0_DMA]"), 8670 * page);
	ck_assert_int_eq(get("distance.direct[0_DMA]"), 8671 * page);
	/* no line of zoneinfo is this one's */
	ck_assert_int_eq(get("watermarks.free[8_Normal]"), 57344 * page);
	ck_assert(get("watermarks.min[8_Normal]") == QMEM_NA);
	ck_assert(get("distance.direct[8_Normal]") == QMEM_NA);
	ck_assert(get("headroom.direct") == QMEM_NA);
	ck_assert_int_eq(get("blocks.order13[0_Normal]"), 40);
	ck_assert(get("blocks.order14[0_Normal]") == QMEM_NA);
	ck_assert_int_eq(procroot_value("buddyinfo.fragmentation.order13[0_Normal]"), 100);
	ck_assert(get("extfrag.order13[0_Normal]") == QMEM_NA);
	/* a zone without memory has no line in buddyinfo */
	ck_assert_int_eq(get("watermarks.free[0_Movable]"), -1);
	/* memory goes offline */
	procroot_put("proc/buddyinfo", "Node 0, zone DMA 1\nNode 0, zone Normal 3\n");
	procroot_tick();
	ck_assert_int_eq(get("watermarks.free[8_Normal]"), -1);
	ck_assert_int_eq(get("blocks.order0[0_Normal]"), 3);
	ck_assert(get("blocks.order1[0_Normal]") == QMEM_NA);
	ck_assert_int_eq(get("orders.order0"), 4 * page);
}
END_TEST

START_TEST(the_largest)
{
	static const char names[][8] = { "A", "B", "C" };
	const char *text;

	procroot_set("buddyinfo", "Detail", "yes");
	procroot_set("buddyinfo", "Top", "1");
	procroot_put("proc/buddyinfo", "Node 0, zone A 1 1\nNode 0, zone B 3\nNode 1, zone C 5 6 7\n");
	procroot_put("proc/zoneinfo", "Node 0, zone A\n managed 10\n min 1\nNode 0, zone B\n managed 30\n min 2\n"
				      "Node 1, zone C\n managed 20\n min 4\n");
	procroot_start();
	text = procroot_tick();
	ck_assert_int_eq(get("blocks.order0[0_B]"), 3);
	ck_assert_int_eq(get("blocks.order0[other]"), 6);
	ck_assert_int_eq(get("blocks.order1[other]"), 7);
	ck_assert_int_eq(get("watermarks.min[other]"), 5 * page);
	/* of the sum, not the sum of the parts: 6 of 48 */
	ck_assert_int_eq(procroot_value("buddyinfo.fragmentation.order1[other]"), 12500);
	for (int i = 0; i < 3; i++) {
		char instance[16];

		snprintf(instance, sizeof(instance), "[%d_%s]", i == 2, names[i]);
		ck_assert_int_eq(strstr(text, instance) != NULL, i == 1);
	}
}
END_TEST

/* A number that is wrong costs what is made of it. */
START_TEST(partly_wrong)
{
	procroot_put("proc/buddyinfo", "Node 0, zone A 1 x 3\n");
	put_zone("proc/zoneinfo", "9", 1, 2, 0);
	procroot_start();
	HAS(procroot_tick(), "'node 0 zone A order 1' is malformed");
	ck_assert_int_eq(get("orders.order0"), page);
	ck_assert(get("orders.order1") == QMEM_NA);
	ck_assert_int_eq(get("orders.order2"), 12 * page);
	ck_assert(get("unusable.costly") == QMEM_NA);
	procroot_put("proc/buddyinfo", "garbage\n");
	HAS(procroot_tick(), "'/proc/buddyinfo' has no value");
	procroot_put("proc/buddyinfo", "Node 0, zone Normal 1 2 3\n");
	HAS(procroot_tick(), "is sound again");
	ck_assert_int_eq(get("orders.order1"), 4 * page);
}
END_TEST

/* With very many CPUs it is long, and its marks hardly change. */
START_TEST(long_zoneinfo)
{
	char *text = calloc(1, 128 << 10);

	procroot_put("proc/buddyinfo", "Node 0, zone Normal 1000\n");
	strcpy(text, "Node 0, zone Normal\n pages free 1000\n min 10\n low 20\n protection: (0)\n  pagesets\n");
	for (int i = 0; i < 4000; i++)
		strcat(text + (size_t)i * 20, "    cpu: 0 count: 11\n");
	procroot_put("proc/zoneinfo", "%s", text);
	procroot_start();
	procroot_tick();
	ck_assert_int_eq(get("headroom.direct"), 990 * page);
	put_zone("proc/zoneinfo", "1000", 100, 200, 0);
	for (int i = 1; i < 10; i++) {
		procroot_put("proc/buddyinfo", "Node 0, zone Normal %d\n", 1000 - i);
		procroot_tick();
		ck_assert_int_eq(get("headroom.direct"), (990 - i) * page);
	}
	procroot_tick();
	ck_assert_int_eq(get("headroom.direct"), 891 * page);
	free(text);
}
END_TEST

START_TEST(no_file)
{
	struct qmem_status status;

	qmem_start(procroot_host.q, QMEM_SECOND, QMEM_SECOND, procroot_now);
	ck_assert(qmem_status(procroot_host.q, 0, &status));
	ck_assert(!status.on);
	ck_assert_str_eq(status.reason, "no '/proc/buddyinfo'");
}
END_TEST

SUITE(buddyinfo)
{
	Suite *suite = suite_create("buddyinfo");
	TCase *parsers = tcase_create("parsers"), *service = tcase_create("service");

	tcase_add_test(parsers, many_orders);
	tcase_add_test(parsers, bad_lines);
	tcase_add_test(parsers, bad_columns);
	tcase_add_test(parsers, too_many_orders);
	tcase_add_test(parsers, endless_orders);
	tcase_add_test(parsers, indexes);
	tcase_add_test(parsers, zones);
	tcase_add_test(parsers, bad_zones);
	tcase_add_test(parsers, twice);
	suite_add_tcase(suite, parsers);
	tcase_add_checked_fixture(service, setup, procroot_end);
	tcase_add_test(service, headroom);
	tcase_add_test(service, huge_page);
	tcase_add_test(service, no_huge_block);
	tcase_add_test(service, largest);
	tcase_add_test(service, of_zones);
	tcase_add_test(service, the_largest);
	tcase_add_test(service, partly_wrong);
	tcase_add_test(service, long_zoneinfo);
	tcase_add_test(service, no_file);
	suite_add_tcase(suite, service);
	return suite;
}
