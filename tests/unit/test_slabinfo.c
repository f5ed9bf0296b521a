/* SPDX-License-Identifier: MIT */
/* The parser, families of caches, and the service on a root that changes from tick to tick. */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc/slabs.h"
#include "procroot.h"
#include "rows.h"
#include "service/slabinfo_alias.h"
#include "service/slabinfo_event.h"
#include "service/slabinfo_who.h"
#include "services.h"

#define HEAD                                                                                                                    \
	"slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables " \
	"<limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>\n"
#define MEMINFO "MemTotal: 1000000 kB\nMemFree: 1 kB\n"

static const struct qmem_service *const services[] = { &slabinfo_service, NULL };
static struct recorder *const r = &procroot_host;
static int64_t page;

/* ---- the parser ---- */

static const struct {
	const char *line, *name; /* NULL: none */
	int64_t column[SLABINFO_COLUMNS];
	const char *wrong;
} cases[] = {
	{ "dentry  10 20 192 21 1 : tunables 0 0 0 : slabdata 3 4 0", "dentry", { 10, 20, 192, 21, 1, 3, 4 }, "" },
	/* blanks, parentheses, a number at the end */
	{ "ipc ports 40 64 128 32 1 : tunables 0 0 0 : slabdata 2 2 0", "ipc ports", { 40, 64, 128, 32, 1, 2, 2 }, "" },
	{ "bio pool 8 12 16 512 16 2 : tunables 0 0 0 : slabdata 1 1 0",
	  "bio pool 8",
	  { 12, 16, 512, 16, 2, 1, 1 },
	  "" },
	{ "req cache (dev 3)    120    126 192 21 1 : tunables 0 0 0 : slabdata 6 6 0",
	  "req cache (dev 3)",
	  { 120, 126, 192, 21, 1, 6, 6 },
	  "" },
	{ "a : tunables b 1 2 3 4 5 : tunables 0 0 0 : slabdata 6 7 0", "a : tunables b", { 1, 2, 3, 4, 5, 6, 7 }, "" },
	/* SLAB has more behind it */
	{ "filp 1 2 3 4 5 : tunables 54 27 8 : slabdata 6 7 0 : globalstat 1 2 3 4 5 6 7 8 9 : cpustat 1 2 3 4",
	  "filp",
	  { 1, 2, 3, 4, 5, 6, 7 },
	  "" },
	/* what is malformed costs itself */
	{ "filp 1 x 3 4 5 : tunables 0 0 0 : slabdata 6 7 0",
	  "filp",
	  { 1, QMEM_NA, 3, 4, 5, 6, 7 },
	  "'filp num_objs' is malformed" },
	{ "filp -1 2 3 4 5 : tunables 0 0 0 : slabdata 6 7 0",
	  "filp",
	  { QMEM_NA, 2, 3, 4, 5, 6, 7 },
	  "'filp active_objs' is negative" },
	{ "filp 99999999999999999999 2 3 4 5 : tunables 0 0 0 : slabdata 6 7 0",
	  "filp",
	  { QMEM_NA, 2, 3, 4, 5, 6, 7 },
	  "'filp active_objs' is too large" },
	{ "filp 1 2 3 4 5 : tunables 0 0 0",
	  "filp",
	  { 1, 2, 3, 4, 5, QMEM_NA, QMEM_NA },
	  "'filp active_slabs' is malformed, and 1 more" },
	{ "filp 1 2 3 4 5", NULL, { 0 }, "'filp 1 2 3 4 5' is malformed" },
	{ "1 2 3 4 5 : tunables 0 0 0 : slabdata 6 7 0",
	  NULL,
	  { 0 },
	  "'1 2 3 4 5 : tunables 0 0 0 : slabdata 6 7 0' is malformed" },
	{ "slabinfo - version: 2.1", NULL, { 0 }, "" },
	{ "# name <active_objs>", NULL, { 0 }, "" },
	{ "", NULL, { 0 }, "" },
};

START_TEST(parse)
{
	struct fault fault = { .n = 0 };
	struct slabinfo cache;
	char words[128] = "";
	int err = slabinfo_parse(cases[_i].line, strlen(cases[_i].line), &cache, &fault);

	if (fault.n)
		fault_print(words, sizeof(words), &fault);
	ck_assert_str_eq(words, cases[_i].wrong);
	ck_assert_msg((err == 0) == !!cases[_i].name, "'%s': %d", cases[_i].line, err);
	if (err)
		return;
	ck_assert_uint_eq(cache.name_len, strlen(cases[_i].name));
	ck_assert_mem_eq(cache.name, cases[_i].name, cache.name_len);
	for (int c = 0; c < SLABINFO_COLUMNS; c++)
		ck_assert_msg(cache.column[c] == cases[_i].column[c], "'%s': column %d", cases[_i].line, c);
}
END_TEST

START_TEST(cut_anywhere)
{
	static const char text[] = HEAD "dentry 10 20 192 21 1 : tunables 0 0 0 : slabdata 3 4 0\n"
					"filp 1 2 3 4 5 : tunables 0 0 0 : slabdata 6 17 0\n";

	for (size_t len = 0; len < sizeof(text); len++) {
		struct slabinfo_walk walk = { .at = text, .end = text + len };
		struct slabinfo cache;
		int n = 0;

		while (slabinfo_next(&walk, &cache)) {
			ck_assert_int_eq(cache.column[SLABINFO_NUM_SLABS], n++ ? 17 : 4);
		}
		ck_assert_int_eq(n, (int)(len >= sizeof(text) - 1) + (int)(len >= strlen(HEAD) + 56));
	}
}
END_TEST

static const struct {
	const char *name, *family;
} families[] = {
	{ "dentry", "dentry" },
	{ "kmalloc-192", "kmalloc-192" },
	{ "kmalloc-cg-192", "kmalloc-cg-192" },
	{ "kmalloc-rnd-07-192", "kmalloc-192" },
	{ "kmalloc-rnd-16-8k", "kmalloc-8k" },
	{ "kmalloc-rnd-", "kmalloc-rnd-" },
	{ "kmalloc-rnd-07", "kmalloc-rnd-07" },
	{ "kmalloc-rnd--8k", "kmalloc-rnd--8k" },
	{ "req cache (dev 3)", "req cache" },
	{ "dentry(12:user.slice)", "dentry" },
	{ "(dev 3)", "(dev 3)" },
	{ "zspage-zram0", "zspage" },
	{ "zs_handle-zram12", "zs_handle" },
	{ "dm_crypt-dm-3", "dm_crypt" },
	{ "q_nvme0n1", "q" },
	{ "fscache:253:0", "fscache" },
	{ "bio-312", "bio-312" },
	{ "ext4_groupinfo_4k", "ext4_groupinfo_4k" },
	{ "biovec-128", "biovec-128" },
	{ "ramdisk", "ramdisk" },
	{ "loop", "loop" },
	{ "sd_ext_cdb", "sd_ext_cdb" },
	{ "x", "x" },
};

START_TEST(family)
{
	char buffer[SLABINFO_FAMILY];
	size_t len = strlen(families[_i].name);
	const char *found = slabinfo_family(families[_i].name, &len, buffer);

	ck_assert_msg(len == strlen(families[_i].family) && !memcmp(found, families[_i].family, len), "'%s' is '%.*s'",
		      families[_i].name, (int)len, found);
}
END_TEST

/* ---- the service ---- */

static char file[400000];

static void cache(const char *name, int64_t active, int64_t objects, int64_t size, int64_t slabs, int64_t pages)
{
	size_t len = strlen(file);

	snprintf(file + len, sizeof(file) - len,
		 "%-17s %" PRId64 " %" PRId64 " %" PRId64 " 21 %" PRId64 " : tunables 0 0 0 : slabdata %" PRId64
		 " %" PRId64 " 0\n",
		 name, active, objects, size, pages, slabs, slabs);
}

static void first_line(void)
{
	strcpy(file, HEAD);
}

static const char *tick(void)
{
	const char *text;

	procroot_put("proc/slabinfo", "%s", file);
	text = procroot_tick();
	first_line();
	return text;
}

static void setup(void)
{
	page = sysconf(_SC_PAGESIZE);
	procroot_begin(services);
	procroot_put("proc/meminfo", "%s", MEMINFO);
	first_line();
	procroot_put("proc/slabinfo", "%s", file);
	procroot_set("slabinfo", "ActiveAge", "0");
	r->hold_jobs = true;
}

static int64_t value(const char *name)
{
	int64_t v = procroot_value(name);

	return v > 0 ? v / 1000 : v;
}

START_TEST(values)
{
	procroot_set("slabinfo", "Detail", "yes");
	procroot_start();
	cache("dentry", 10, 21, 192, 2, 1);
	cache("kmalloc-8k", 3, 4, 8192, 1, 8);
	tick();
	ck_assert_int_eq(value("slabinfo.total.held"), 10 * page);
	ck_assert_int_eq(value("slabinfo.total.active"), 1920 + 3 * 8192);
	ck_assert_int_eq(value("slabinfo.total.waste"), 10 * page - 1920 - 3 * 8192);
	ck_assert_int_eq(value("slabinfo.age.active"), 0);
	ck_assert_int_eq(value("slabinfo.cache.held[dentry]"), 2 * page);
	ck_assert_int_eq(value("slabinfo.cache.active[dentry]"), 1920);
	ck_assert_int_eq(value("slabinfo.objects.total[dentry]"), 21);
	ck_assert_int_eq(value("slabinfo.objects.active[dentry]"), 10);
	ck_assert_int_eq(value("slabinfo.object.size[kmalloc-8k]"), 8192);
	ck_assert_int_eq(procroot_value("slabinfo.cache.held[other]"), -1);
}
END_TEST

/* What the kernel spreads is one, on several lines or under several names; no other name is lost. */
START_TEST(spread)
{
	procroot_set("slabinfo", "Top", "3");
	procroot_start();
	cache("nic_fs_ftes", 66, 88, 736, 2, 8);
	cache("nic_fs_fgs", 30, 60, 536, 2, 4);
	cache("nic_fs_ftes", 440, 440, 736, 10, 8);
	cache("kmalloc-rnd-14-192", 83990, 84000, 192, 4000, 1);
	cache("kmalloc-rnd-07-192", 41990, 42000, 192, 2000, 1);
	cache("kmalloc-192", 420, 420, 192, 20, 1);
	cache("kmalloc-cg-192", 630, 630, 192, 30, 1);
	cache("dentry", 21000, 21021, 192, 1001, 1);
	tick();
	ck_assert_int_eq(value("slabinfo.cache.held[nic_fs_ftes]"), 96 * page);
	ck_assert_int_eq(value("slabinfo.cache.active[nic_fs_ftes]"), 506 * 736);
	ck_assert_int_eq(value("slabinfo.cache.held[kmalloc-192]"), 6020 * page);
	ck_assert_int_eq(value("slabinfo.cache.held[dentry]"), 1001 * page);
	ck_assert_int_eq(value("slabinfo.cache.held[other]"), (8 + 30) * page);
	ck_assert_int_eq(value("slabinfo.total.held"), (96 + 8 + 6020 + 30 + 1001) * page);
}
END_TEST

START_TEST(goes_and_comes)
{
	procroot_start();
	cache("dentry", 10, 21, 192, 2, 1);
	cache("gone", 10, 21, 192, 7, 1);
	tick();
	ck_assert_int_eq(value("slabinfo.cache.held[gone]"), 7 * page);
	cache("new", 10, 21, 192, 1, 1);
	cache("dentry", 10, 21, 192, 3, 1);
	tick();
	ck_assert_int_eq(procroot_value("slabinfo.cache.held[gone]"), -1);
	ck_assert_int_eq(value("slabinfo.cache.held[dentry]"), 3 * page);
	ck_assert_int_eq(value("slabinfo.cache.held[new]"), page);
	ck_assert_int_eq(value("slabinfo.total.held"), 4 * page);
}
END_TEST

START_TEST(slower_beat)
{
	procroot_set("slabinfo", "ActiveAge", "3s");
	procroot_start();
	for (int i = 0; i < 8; i++) {
		cache("dentry", i + 1, 21, 100, i + 1, 1);
		tick();
		ck_assert_int_eq(value("slabinfo.age.active"), i % 3);
		ck_assert_int_eq(value("slabinfo.cache.active[dentry]"), 100 * (i / 3 * 3 + 1));
		ck_assert_int_eq(value("slabinfo.total.active"), 100 * (i / 3 * 3 + 1));
	}
}
END_TEST

START_TEST(absent)
{
	struct qmem_status status;

	procroot_remove("proc/slabinfo");
	ck_assert_int_ne(qmem_start(r->q, QMEM_SECOND, QMEM_SECOND, procroot_now), 0);
	ck_assert(qmem_status(r->q, 0, &status));
	ck_assert_str_eq(status.reason, "this kernel has no '/proc/slabinfo'");
}
END_TEST

/* A window of ten seconds; memory is 1000000 kB, a percent of it 10000 kB. */
static const char *grow(const char *name, int seconds, int64_t per_second, int64_t *slabs)
{
	static char all[65536];

	all[0] = '\0';
	for (int i = 0; i < seconds; i++) {
		const char *text;

		*slabs += per_second;
		cache(name, 1, 1, 192, *slabs, 1);
		cache("quiet", 1, 1, 192, 100, 1);
		text = tick();
		while ((text = strstr(text, "event "))) {
			size_t len = strcspn(text, "\n");

			snprintf(all + strlen(all), sizeof(all) - strlen(all), "%.*s\n", (int)len, text);
			text += len;
		}
	}
	return all;
}

START_TEST(growth)
{
	int64_t slabs = 1000;

	procroot_set("slabinfo", "Window", "10s");
	procroot_set("slabinfo", "Growth", "0");
	procroot_set("slabinfo", "GrowthReclaimable", "0");
	procroot_start();
	/* the first part is not over */
	grow("leaks", 2, 5, &slabs);
	ck_assert_int_eq(procroot_value("slabinfo.growth.rate[leaks]"), -1);
	grow("leaks", 2, 5, &slabs);
	ck_assert_int_eq(value("slabinfo.growth.rate[leaks]"), 5 * page);
	ck_assert_int_eq(procroot_value("slabinfo.growth.rate[quiet]"), -1);
	grow("leaks", 20, -3, &slabs);
	ck_assert_int_eq(procroot_value("slabinfo.growth.rate[leaks]") / 1000, -3 * page);
	/* at rest it has its place for a minute */
	grow("leaks", 20, 0, &slabs);
	ck_assert_int_eq(value("slabinfo.growth.rate[leaks]"), 0);
	grow("leaks", 60, 0, &slabs);
	ck_assert_int_eq(procroot_value("slabinfo.growth.rate[leaks]"), -1);
}
END_TEST

START_TEST(event)
{
	int64_t slabs = 1000, per_second = 12000 * 1024 / page / 10;
	const char *text;

	procroot_set("slabinfo", "Window", "10s");
	procroot_set("slabinfo", "Who", "no");
	procroot_start();
	text = grow("filp", 10, per_second, &slabs);
	ck_assert_str_eq(text, "");
	text = grow("filp", 4, per_second, &slabs);
	ck_assert_int_eq(count_of(text, "event "), 1);
	ck_assert_ptr_nonnull(strstr(text, "event WARNING slabinfo.growth[filp]"));
	ck_assert_ptr_nonnull(strstr(text, "slab cache filp grows: 1"));
	ck_assert_int_eq(value("slabinfo.growing.caches"), 1);
	ck_assert_ptr_nonnull(strstr(text, "usually: open files, of processes that leave them open"));
	/* it stands still for a part of the window */
	text = grow("filp", 4, 0, &slabs);
	ck_assert_int_eq(count_of(text, "event "), 1);
	ck_assert_ptr_nonnull(strstr(text, "event OKAY slabinfo.growth[filp]"));
}
END_TEST

/* The file is all there is, and it is read seldom: what it says is of when it was read, and each part of the window has its own. */
START_TEST(growth_between_readings)
{
	int64_t slabs = 1000;

	procroot_set("slabinfo", "Window", "100s");
	procroot_set("slabinfo", "ActiveAge", "10s");
	procroot_start();
	grow("leaks", 26, 5, &slabs);
	ck_assert_int_eq(value("slabinfo.age.active"), 5);
	ck_assert_int_eq(value("slabinfo.growth.rate[leaks]"), 5 * page);
}
END_TEST

START_TEST(event_between_readings)
{
	int64_t slabs = 1000, per_second = 12000 * 1024 / page / 10;

	procroot_set("slabinfo", "Window", "10s");
	procroot_set("slabinfo", "ActiveAge", "1h");
	procroot_set("slabinfo", "Who", "no");
	procroot_start();
	ck_assert_ptr_nonnull(strstr(grow("filp", 14, per_second, &slabs), "event WARNING slabinfo.growth[filp]"));
}
END_TEST

/* As fast in all, but not in each part: a cache that is filled once. */
START_TEST(step_is_no_growth)
{
	int64_t slabs = 1000;

	procroot_set("slabinfo", "Window", "10s");
	procroot_set("slabinfo", "Who", "no");
	procroot_start();
	ck_assert_str_eq(grow("filp", 12, 0, &slabs), "");
	ck_assert_str_eq(grow("filp", 4, 100000 * 1024 / page, &slabs), "");
	ck_assert_str_eq(grow("filp", 20, 0, &slabs), "");
}
END_TEST

/* Ten times as much for what can be reclaimed. */
START_TEST(reclaimable)
{
	int64_t slabs = 1000;

	procroot_put("sys/kernel/slab/dentry/reclaim_account", "1\n");
	procroot_set("slabinfo", "Window", "10s");
	procroot_set("slabinfo", "Who", "no");
	procroot_start();
	ck_assert_str_eq(grow("dentry", 20, 20000 * 1024 / page / 10, &slabs), "");
	ck_assert_ptr_nonnull(strstr(grow("dentry", 20, 120000 * 1024 / page / 10, &slabs), ", reclaimable"));
}
END_TEST

/* Where the kernel does not say it, those are known that everybody has. */
START_TEST(reclaimable_by_name)
{
	static const struct {
		const char *name;
		bool told;
	} names[] = { { "dentry", false }, { "kmalloc-rcl-96", false }, { "dentry_of_mine", true } };
	int64_t slabs = 1000;

	procroot_set("slabinfo", "Window", "10s");
	procroot_set("slabinfo", "Who", "no");
	procroot_start();
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		ck_assert_int_eq(!!strstr(grow(names[i].name, 20, 20000 * 1024 / page / 10, &slabs), "event WARNING"),
				 names[i].told);
}
END_TEST

START_TEST(aliases)
{
	char *path;

	procroot_put("sys/kernel/slab/:0000192/objs_per_slab", "21\n");
	path = strdup(procroot_path("sys/kernel/slab"));
	for (int i = 0; i < 20; i++) {
		static const char *const names[] = { "dentry", "fuse_inode", "ovl_inode" };
		char name[512];

		snprintf(name, sizeof(name), "%s/%s", path, i < 3 ? names[i] : "x");
		if (i >= 3)
			snprintf(name, sizeof(name), "%s/a_long_name_of_a_cache_%d", path, i);
		ck_assert_int_eq(symlink(i < 10 ? ":0000192" : ":0000200", name), 0);
	}
	free(path);
	r->hold_jobs = false;
	procroot_start();
	cache("dentry", 1, 1, 192, 1, 1);
	tick();
	ck_assert_int_eq(value("slabinfo.cache.held[dentry]"), page);
	{
		struct slab_caches caches = { 0 };
		struct slab_cache *found;

		slab_caches_begin(&caches, SLAB_FROM_FILE);
		found = slab_caches_find(&caches, SLAB_FROM_FILE, "dentry", 6);
		slab_aliases_look(r->q, &caches);
		ck_assert_str_eq(found->aliases,
				 "a_long_name_of_a_cache_3, a_long_name_of_a_cache_4, a_long_name_of_a_cache_5, "
				 "a_long_name_of_a_cache_6, and 5 more");
		slab_caches_release(&caches);
	}
}
END_TEST

/* What was merged into a cache after it was first seen is told when it grows. */
START_TEST(aliases_of_late)
{
	int64_t slabs = 1000, per_second = 12000 * 1024 / page / 10;
	char *path;

	procroot_put("sys/kernel/slab/:0000192/objs_per_slab", "21\n");
	path = strdup(procroot_path("sys/kernel/slab/filp"));
	ck_assert_int_eq(symlink(":0000192", path), 0);
	free(path);
	procroot_set("slabinfo", "Window", "10s");
	procroot_set("slabinfo", "Who", "no");
	procroot_start();
	tick();
	path = strdup(procroot_path("sys/kernel/slab/fuse_inode"));
	ck_assert_int_eq(symlink(":0000192", path), 0);
	free(path);
	ck_assert_ptr_nonnull(strstr(grow("filp", 16, per_second, &slabs), "; also called fuse_inode; usually: "));
}
END_TEST

/* What it cannot know it says. */
START_TEST(who_is_unknown)
{
	int64_t slabs = 1000, per_second = 12000 * 1024 / page / 10;

	procroot_set("slabinfo", "Window", "10s");
	procroot_start();
	ck_assert_ptr_nonnull(
		strstr(grow("filp", 14, per_second, &slabs),
		       "; see slabinfo.growth; who allocates is not known: HostRoot is not this kernel's"));
}
END_TEST

/* A name that never comes again leaves its place to another one, after a window. */
START_TEST(forgets_names)
{
	const char *said;

	procroot_set("slabinfo", "Window", "10s");
	procroot_set("slabinfo", "Who", "no");
	procroot_start();
	for (int i = 0; i < SLAB_CACHES + 2; i++) {
		char name[16];

		snprintf(name, sizeof(name), "old%d", i);
		cache(name, 1, 1, 192, 1, 1);
	}
	said = tick();
	ck_assert_ptr_nonnull(strstr(said, "4096 slab caches are too many, 2 more are left out"));
	ck_assert_int_eq(value("slabinfo.total.held"), SLAB_CACHES * page);
	for (int i = 0; i < 16; i++)
		tick();
	for (int i = 0; i < SLAB_CACHES; i++) {
		char name[16];

		snprintf(name, sizeof(name), "new%d", i);
		cache(name, 1, 1, 192, 2, 1);
	}
	said = tick();
	ck_assert_int_eq(value("slabinfo.total.held"), SLAB_CACHES * 2 * page);
	ck_assert_int_eq(value("slabinfo.cache.held[other]"), (SLAB_CACHES - 5) * 2 * page);
	ck_assert_ptr_null(strstr(said, "left out"));
}
END_TEST

/* ---- who ---- */

struct asking {
	struct slab_who who;
	struct slab_who_answer answer;
	bool asked, answered;
};

static int ask_collect(struct qmem *q, void *state)
{
	static const struct slab_who_question question = { "kmalloc-64", "kmalloc-64", 64 };
	struct asking *a = state;

	if (!a->asked)
		a->asked = slab_who_ask(q, &a->who, &question);
	else if (!a->answered)
		a->answered = slab_who_take(q, &a->who, question.cache, &a->answer);
	return 0;
}

static void ask_stop(struct qmem *q, void *state)
{
	struct asking *a = state;

	slab_who_release(q, &a->who);
}

static const struct qmem_service ask_service = {
	.name = "asking",
	.help = "asks who allocates",
	.source = "none",
	.kernel = "6.1",
	.privilege = "none",
	.priority = 100,
	.state_size = sizeof(struct asking),
	.collect = ask_collect,
	.stop = ask_stop,
};

static const struct qmem_service *const asking[] = { &ask_service, NULL };

static void ask_setup(void)
{
	procroot_begin(asking);
	r->hold_jobs = true;
}

/* Where BPF programs are attached, by this process. */
static int links(void)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	int n = 0;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir))) {
		char text[64];
		ssize_t len = readlinkat(dirfd(dir), entry->d_name, text, sizeof(text) - 1);

		text[len < 0 ? 0 : len] = '\0';
		n += strstr(text, "bpf") && strstr(text, "link");
	}
	closedir(dir);
	return n;
}

/* The worker has something else to do when the time is over: nothing is attached any more all the same. */
START_TEST(who_ends_in_time)
{
	const struct asking *a;

	procroot_start();
	a = qmem_state(r->q, &ask_service);
	procroot_tick();
	/* no BPF here, or not for this user */
	if (!procroot_work(0) || !links())
		return;
	procroot_now += SLAB_WHO_TIME;
	qmem_dispatch(r->q, NULL, 0, procroot_now);
	ck_assert_int_eq(links(), 0);
	ck_assert(procroot_work(0));
	procroot_tick();
	ck_assert(a->answered);
	ck_assert(*a->answer.processes || *a->answer.why);
}
END_TEST

START_TEST(stands_behind)
{
	ck_assert_str_eq(slab_usually("dentry"), "names of files looked up, many of them not there");
	ck_assert_str_eq(slab_usually("sock_inode_cache"), "sockets left open");
	ck_assert_str_eq(slab_usually("ext4_inode_cache"), "files of a file system that were opened or listed");
	ck_assert_str_eq(slab_usually("kmalloc-cg-192"),
			 "what processes have the kernel keep: pipes, messages, filters");
	ck_assert_str_eq(slab_usually("kmalloc-192"), "drivers and network: who allocates tells more");
	ck_assert_ptr_null(slab_usually("of_nobody"));
}
END_TEST

SUITE(slabinfo)
{
	Suite *suite = suite_create("slabinfo");
	TCase *tests = tcase_create("parser"), *service = tcase_create("service");
	TCase *who = tcase_create("who");

	tcase_add_loop_test(tests, parse, 0, sizeof(cases) / sizeof(*cases));
	tcase_add_test(tests, cut_anywhere);
	tcase_add_loop_test(tests, family, 0, sizeof(families) / sizeof(*families));
	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(service, setup, procroot_end);
	tcase_add_test(service, values);
	tcase_add_test(service, spread);
	tcase_add_test(service, goes_and_comes);
	tcase_add_test(service, slower_beat);
	tcase_add_test(service, absent);
	tcase_add_test(service, growth);
	tcase_add_test(service, event);
	tcase_add_test(service, growth_between_readings);
	tcase_add_test(service, event_between_readings);
	tcase_add_test(service, step_is_no_growth);
	tcase_add_test(service, reclaimable);
	tcase_add_test(service, reclaimable_by_name);
	tcase_add_test(service, aliases);
	tcase_add_test(service, aliases_of_late);
	tcase_add_test(service, who_is_unknown);
	tcase_add_test(service, forgets_names);
	tcase_add_test(service, stands_behind);
	suite_add_tcase(suite, service);
	tcase_add_checked_fixture(who, ask_setup, procroot_end);
	tcase_add_test(who, who_ends_in_time);
	suite_add_tcase(suite, who);
	return suite;
}
