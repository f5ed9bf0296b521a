/* SPDX-License-Identifier: MIT */
/* Files of NUMA nodes as kernels write them and as none does; the services of nodes and of huge pages on them. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kernel/nodes.h"
#include "kernel/smallfile.h"
#include "proc/nodeinfo.h"
#include "procroot.h"
#include "services.h"

#define K INT64_C(1024)
#define M (1024 * K)

static const struct qmem_service *const services[] = { &numa_service, &hugepages_service, NULL };

/* ---- the parser ---- */

START_TEST(memory)
{
	static const char text[] = "Node 8 MemTotal:       64000000 kB\nNode 8 MemFree:        40000000 kB\n"
				   "Node 8 MemUsed:        24000000 kB\nNode 8 Active(file):    1000000 kB\n"
				   "Node 8 FilePages:       2000000 kB\nNode 8 ShadowCallStack:        0 kB\n"
				   "Node 8 HugePages_Total:     4\n";
	struct fault fault = { .n = 0 };
	int64_t v[NODE_VALUES];

	ck_assert_int_eq(nodeinfo_parse(text, strlen(text), 8, v, &fault), 4);
	ck_assert_uint_eq(fault.n, 0);
	ck_assert_int_eq(v[NODE_TOTAL], 64000000 * K);
	ck_assert_int_eq(v[NODE_FREE], 40000000 * K);
	ck_assert_int_eq(v[NODE_FILE], 2000000 * K);
	ck_assert_int_eq(v[NODE_ACTIVE_FILE], 1000000 * K);
	ck_assert(v[NODE_ANON] == QMEM_NA);
	/* another node's */
	ck_assert_int_eq(nodeinfo_parse(text, strlen(text), 1, v, &fault), 0);
	ck_assert(v[NODE_TOTAL] == QMEM_NA);
}
END_TEST

START_TEST(bad_memory)
{
	static const struct {
		const char *text, *wrong;
	} cases[] = {
		{ "Node 0 MemFree: 5\n", "'MemFree' has no unit" },
		{ "Node 0 MemFree: x kB\n", "'MemFree' is malformed" },
		{ "Node 0 MemFree: -5 kB\n", "'MemFree' is negative" },
		{ "Node 0 MemFree: 9223372036854775807 kB\n", "'MemFree' is too large" },
		{ "Node 0 MemFree: 5 kB x\n", "'MemFree' has no unit" },
		{ "Node 0 MemFree:\n", "" },
		{ "Node 0 MemFreeX: 5 kB\n", "" },
		{ "Node 00 MemFree: 5 kB\n", "" },
		{ "MemFree: 5 kB\n", "" },
		{ "Node 0 MemFree: 5 kB", "cut" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fault fault = { .n = 0 };
		int64_t v[NODE_VALUES];
		char words[128];

		ck_assert_int_eq(nodeinfo_parse(cases[i].text, strlen(cases[i].text), 0, v, &fault), 0);
		ck_assert(v[NODE_FREE] == QMEM_NA);
		ck_assert_msg(fault.n == (*cases[i].wrong != '\0'), "%s", cases[i].text);
		fault_print(words, sizeof(words), &fault);
		if (fault.n && strcmp(cases[i].wrong, "cut") != 0 && strstr(cases[i].wrong, "unit") == NULL)
			ck_assert_str_eq(words, cases[i].wrong);
	}
}
END_TEST

START_TEST(stat)
{
	static const char text[] =
		"numa_hit 31000001\nnuma_miss 0\nnuma_foreign -2\ninterleave_hit 1093\nlocal_node 1\n"
		"local_node 2\nother_node x\n";
	struct fault fault = { .n = 0 };
	int64_t v[NUMASTAT_VALUES];

	ck_assert_int_eq(numastat_parse(text, strlen(text), v, &fault), 5);
	ck_assert_uint_eq(fault.n, 2);
	ck_assert_int_eq(v[NUMA_HIT], 31000001);
	ck_assert_int_eq(v[NUMA_MISS], 0);
	ck_assert_int_eq(v[NUMA_FOREIGN], 4294967294);
	ck_assert_int_eq(v[NUMA_LOCAL], 1);
	ck_assert(v[NUMA_OTHER] == QMEM_NA);
}
END_TEST

/* ---- nodes ---- */

static int64_t get(const char *name)
{
	int64_t value = procroot_value(name);

	return value == QMEM_NA || value == -1 ? value : value / 1000;
}

static const char *reason(size_t i)
{
	struct qmem_status status;

	ck_assert(qmem_status(procroot_host.q, i, &status));
	return status.reason;
}

static bool is_on(size_t i)
{
	struct qmem_status status;

	ck_assert(qmem_status(procroot_host.q, i, &status));
	return status.on;
}

static void put_node(int id, const char *cpus, int total, int free, int cache, int hit)
{
	char name[64];

	snprintf(name, sizeof(name), "sys/devices/system/node/node%d/meminfo", id);
	procroot_put(name,
		     "Node %d MemTotal: %d kB\nNode %d MemFree: %d kB\nNode %d Active(file): %d kB\n"
		     "Node %d Inactive(file): 0 kB\nNode %d SReclaimable: 0 kB\n",
		     id, total, id, free, id, cache, id, id);
	snprintf(name, sizeof(name), "sys/devices/system/node/node%d/numastat", id);
	procroot_put(name, "numa_hit %d\nnuma_miss 0\nnuma_foreign 0\ninterleave_hit 0\nlocal_node 0\nother_node 0\n",
		     hit);
	snprintf(name, sizeof(name), "sys/devices/system/node/node%d/cpulist", id);
	procroot_put(name, "%s\n", cpus);
}

static void put_online(const char *list)
{
	procroot_put("sys/devices/system/node/online", "%s\n", list);
}

static void setup(void)
{
	procroot_begin(services);
}

START_TEST(sparse)
{
	const char *text;

	put_online("0,8,252");
	put_node(0, "0-79", 1000, 100, 400, 7);
	put_node(8, "80-159", 1000, 600, 0, 8);
	put_node(252, "", 0, 0, 0, 0);
	procroot_start();
	text = procroot_tick();
	ck_assert_int_eq(get("numa.memory.total[0]"), 1000 * K);
	ck_assert_int_eq(get("numa.memory.used[0]"), 900 * K);
	ck_assert_int_eq(get("numa.memory.free[8]"), 600 * K);
	ck_assert_int_eq(get("numa.allocations.hit[8]"), 8);
	ck_assert_int_eq(get("numa.memory.total[1]"), -1);
	/* neither memory nor CPUs, and nothing has happened there */
	HAS_NOT(text, "[252]");
	ck_assert_int_eq(procroot_value("numa.imbalance.used"), 50000);
	/* 500 of 1000 without cache, 400 of 1000 */
	ck_assert_int_eq(procroot_value("numa.imbalance.held"), 10000);
	put_node(252, "", 0, 0, 0, 5);
	text = procroot_tick();
	ck_assert_int_eq(get("numa.allocations.hit[252]"), 5);
	HAS_NOT(text, "numa.memory.total[252]");
}
END_TEST

START_TEST(one_node)
{
	put_online("0");
	put_node(0, "0-3", 1000, 100, 0, 7);
	qmem_start(procroot_host.q, QMEM_SECOND, QMEM_SECOND, procroot_now);
	ck_assert(!is_on(0));
	ck_assert_str_eq(reason(0), "one node only: meminfo and vmstat have all of it");
}
END_TEST

START_TEST(no_nodes)
{
	qmem_start(procroot_host.q, QMEM_SECOND, QMEM_SECOND, procroot_now);
	ck_assert_str_eq(reason(0), "no '/sys/devices/system/node/online'");
	ck_assert_str_eq(reason(1), "no '/sys/kernel/mm/hugepages'");
}
END_TEST

/* Memory without processors is filled last, and that is no imbalance. */
START_TEST(memory_only)
{
	put_online("0-1");
	put_node(0, "0-3", 1000, 100, 0, 7);
	put_node(1, "", 9000, 9000, 0, 7);
	procroot_start();
	procroot_tick();
	ck_assert_int_eq(get("numa.memory.free[1]"), 9000 * K);
	ck_assert(get("numa.imbalance.used") == QMEM_NA);
}
END_TEST

START_TEST(comes_and_goes)
{
	const char *text;

	put_online("0-1");
	put_node(0, "0-3", 1000, 100, 0, 7);
	put_node(1, "4-7", 1000, 100, 0, 7);
	put_node(2, "8-9", 5000, 200, 0, 9);
	procroot_start();
	procroot_tick();
	ck_assert_int_eq(get("numa.memory.total[2]"), -1);
	put_online("0-2");
	procroot_tick();
	ck_assert_int_eq(get("numa.memory.total[2]"), 5000 * K);
	put_online("0,2");
	procroot_tick();
	ck_assert_int_eq(get("numa.memory.total[1]"), -1);
	ck_assert_int_eq(get("numa.memory.total[2]"), 5000 * K);
	put_online("junk");
	text = procroot_tick();
	HAS(text, "is no list of nodes");
	put_online("0,2");
	procroot_put("sys/devices/system/node/node2/meminfo", "Node 2 MemTotal: x kB\nNode 2 MemFree: 5 kB\n");
	text = procroot_tick();
	HAS(text, "'/sys/devices/system/node/node2/meminfo' cannot be understood");
	ck_assert(get("numa.memory.total[2]") == QMEM_NA);
	ck_assert_int_eq(get("numa.memory.free[2]"), 5 * K);
	ck_assert_int_eq(get("numa.memory.total[0]"), 1000 * K);
	put_node(2, "8-9", 5000, 200, 0, 9);
	HAS(procroot_tick(), "is sound again");
}
END_TEST

START_TEST(many_nodes)
{
	put_online("0-99");
	for (int i = 0; i < 100; i++)
		put_node(i, "0", 1000 + i, 100, 0, i);
	procroot_set("numa", "Top", "1");
	procroot_start();
	procroot_tick();
	ck_assert_int_eq(get("numa.memory.total[99]"), 1099 * K);
	ck_assert_int_eq(get("numa.memory.free[other]"), 99 * 100 * K);
	/* more files than stay open */
	procroot_tick();
	ck_assert_int_eq(get("numa.memory.free[other]"), 99 * 100 * K);
}
END_TEST

/* ---- huge pages ---- */

static void put_pool(const char *where, const char *size, int total, int free, int surplus, int reserved,
		     int overcommit)
{
	const struct {
		const char *name;
		int value;
	} files[] = { { "nr", total },
		      { "free", free },
		      { "surplus", surplus },
		      { "resv", reserved },
		      { "nr_overcommit", overcommit } };
	char name[128];

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		if (files[i].value < 0)
			continue;
		snprintf(name, sizeof(name), "%s/hugepages-%s/%s_hugepages", where, size, files[i].name);
		procroot_put(name, "%d\n", files[i].value);
	}
}

#define POOLS "sys/kernel/mm/hugepages"

START_TEST(pools)
{
	procroot_put("proc/meminfo", "MemTotal: 1 kB\nHugepagesize:    1048576 kB\n");
	put_pool(POOLS, "1048576kB", 2, 2, 0, 0, 0);
	put_pool(POOLS, "2048kB", 1024, 612, 3, 12, 64);
	put_pool(POOLS, "64kB", 0, 0, 0, 0, 0);
	put_online("0-1");
	put_node(0, "0", 1, 1, 0, 0);
	put_node(1, "1", 1, 1, 0, 0);
	put_pool("sys/devices/system/node/node0/hugepages", "2048kB", 512, 100, 0, -1, -1);
	put_pool("sys/devices/system/node/node1/hugepages", "2048kB", 512, 512, 3, -1, -1);
	put_pool("sys/devices/system/node/node1/hugepages", "1048576kB", 2, 2, 0, -1, -1);
	procroot_start();
	procroot_tick();
	ck_assert_int_eq(get("hugepages.pool.used[2048kB]"), 412 * 2 * M);
	ck_assert_int_eq(get("hugepages.pool.reserved[2048kB]"), 12 * 2 * M);
	ck_assert_int_eq(get("hugepages.pool.free[2048kB]"), 600 * 2 * M);
	ck_assert_int_eq(get("hugepages.limits.total[2048kB]"), 2048 * M);
	ck_assert_int_eq(get("hugepages.limits.surplus[2048kB]"), 6 * M);
	ck_assert_int_eq(get("hugepages.limits.overcommit[2048kB]"), 128 * M);
	/* of the default size the rest is meminfo's */
	ck_assert_int_eq(get("hugepages.pool.used[1048576kB]"), -1);
	ck_assert_int_eq(get("hugepages.limits.total[1048576kB]"), 2048 * M);
	ck_assert(get("hugepages.limits.surplus[1048576kB]") == QMEM_NA);
	ck_assert_int_eq(get("hugepages.limits.total[64kB]"), -1);
	ck_assert_int_eq(get("hugepages.node.used[0_2048kB]"), 824 * M);
	ck_assert_int_eq(get("hugepages.node.free[1_2048kB]"), 1024 * M);
	ck_assert_int_eq(get("hugepages.node.surplus[1_2048kB]"), 6 * M);
	ck_assert_int_eq(get("hugepages.node.used[1_1048576kB]"), 0);
	/* it has no pool of this size */
	ck_assert_int_eq(get("hugepages.node.used[0_1048576kB]"), -1);
	ck_assert_str_eq(reason(1), "");
}
END_TEST

/* A pool appears with its first page, and stays when it is empty again. */
START_TEST(appears)
{
	procroot_put("proc/meminfo", "Hugepagesize: 2048 kB\n");
	put_pool(POOLS, "2048kB", 0, 0, 0, 0, 0);
	put_pool(POOLS, "1048576kB", 0, 0, 0, 0, 0);
	procroot_start();
	HAS_NOT(procroot_tick(), "hugepages.limits");
	ck_assert_str_eq(reason(1), "none so far: no pool has a page");
	ck_assert(is_on(1));
	put_pool(POOLS, "1048576kB", 1, 1, 0, 0, 0);
	procroot_tick();
	ck_assert_int_eq(get("hugepages.pool.free[1048576kB]"), 1024 * M);
	ck_assert_int_eq(get("hugepages.limits.total[2048kB]"), -1);
	ck_assert_str_eq(reason(1), "");
	put_pool(POOLS, "1048576kB", 0, 0, 0, 0, 0);
	put_pool(POOLS, "2048kB", 0, 0, 0, 0, 5);
	procroot_tick();
	ck_assert_int_eq(get("hugepages.pool.free[1048576kB]"), 0);
	ck_assert_int_eq(get("hugepages.limits.overcommit[2048kB]"), 10 * M);
}
END_TEST

START_TEST(bad_pools)
{
	const char *text;

	put_pool(POOLS, "2048kB", 5, 9, 0, 0, 0);
	procroot_put(POOLS "/hugepages-2048kB/resv_hugepages", "x\n");
	procroot_put(POOLS "/hugepages-0kB/nr_hugepages", "5\n");
	procroot_put(POOLS "/hugepages-9223372036854775807kB/nr_hugepages", "5\n");
	procroot_put(POOLS "/hugepages-kB/nr_hugepages", "5\n");
	procroot_put(POOLS "/hugepages-64kB/nr_hugepages", "9223372036854775807\n");
	procroot_start();
	text = procroot_tick();
	HAS(text, "'/sys/kernel/mm/hugepages/hugepages-2048kB/resv_hugepages' cannot be understood");
	/* without meminfo none is the default; more are free than there are */
	ck_assert_int_eq(get("hugepages.pool.used[2048kB]"), 0);
	ck_assert(get("hugepages.pool.free[2048kB]") == QMEM_NA);
	ck_assert(get("hugepages.limits.total[64kB]") == QMEM_NA);
	HAS_NOT(text, "[0kB]");
	HAS_NOT(text, "[9223372036854775807kB]");
	HAS_NOT(text, "[kB]");
}
END_TEST

/* ---- small files ---- */

START_TEST(long_path)
{
	struct smallfiles all = { .most = 1 };
	struct smallfile f;
	const char *text;

	ck_assert(!smallfile_name(&f, "%0*d", SMALLFILE_PATH, 1));
	ck_assert_int_eq(smallfile_read(NULL, &all, &f, &text), -2);
	smallfile_close(&all, &f);
}
END_TEST

/* Those that there may be: more than there are, with gaps, many. */
START_TEST(possible)
{
	static const struct {
		const char *text;
		int nodes;
	} cases[] = {
		{ "0\n", 1 },         { "0-1\n", 2 },          { "0-255\n", 256 },
		{ "0,8,252\n", 253 }, { "0-2000\n", -ERANGE }, { "x\n", -EINVAL },
		{ "0-1", -EINVAL },
	};
	char text[2048] = "0";

	ck_assert_int_ge(qmem_open_root(procroot_host.q), 0);
	ck_assert_int_eq(nodes_possible(procroot_host.q), 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		procroot_put("sys/devices/system/node/possible", "%s", cases[i].text);
		ck_assert_int_eq(nodes_possible(procroot_host.q), cases[i].nodes);
	}
	for (int i = 1; i < 200; i++)
		sprintf(text + strlen(text), ",%d", 2 * i);
	procroot_put("sys/devices/system/node/possible", "%s\n", text);
	ck_assert_int_eq(nodes_possible(procroot_host.q), 399);
}
END_TEST

SUITE(numa)
{
	Suite *suite = suite_create("numa");
	TCase *parsers = tcase_create("parsers"), *tests = tcase_create("services");

	tcase_add_test(parsers, memory);
	tcase_add_test(parsers, bad_memory);
	tcase_add_test(parsers, stat);
	tcase_add_test(parsers, long_path);
	suite_add_tcase(suite, parsers);
	tcase_add_checked_fixture(tests, setup, procroot_end);
	tcase_add_test(tests, sparse);
	tcase_add_test(tests, one_node);
	tcase_add_test(tests, no_nodes);
	tcase_add_test(tests, memory_only);
	tcase_add_test(tests, comes_and_goes);
	tcase_add_test(tests, possible);
	tcase_add_test(tests, many_nodes);
	tcase_add_test(tests, pools);
	tcase_add_test(tests, appears);
	tcase_add_test(tests, bad_pools);
	suite_add_tcase(suite, tests);
	return suite;
}
