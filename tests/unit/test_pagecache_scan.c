/* SPDX-License-Identifier: MIT */
/* Scans of a tree of files that are made here, and of what is in the page cache of them. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/root.h"
#include "procroot.h"
#include "service/pagecache_scan.h"
#include "services.h"

static const struct qmem_service *const services[] = { &meminfo_service, NULL };
static struct root *root;
static struct scan_list list;
static int64_t page;

static void make(const char *name, int pages)
{
	static const char byte = 'x';
	int fd;

	procroot_put(name, "%s", "");
	fd = open(procroot_path(name), O_WRONLY);
	ck_assert_int_ge(fd, 0);
	for (int i = 0; i < pages; i++)
		ck_assert_int_eq(pwrite(fd, &byte, 1, i * page), 1);
	ck_assert_int_eq(ftruncate(fd, pages * page), 0);
	close(fd);
}

static void setup(void)
{
	page = sysconf(_SC_PAGESIZE);
	procroot_begin(services);
	make("data/a.db", 3);
	make("data/b.db", 5);
	make("data/.hidden.db", 1);
	make("data/c.txt", 7);
	make("data/sub/d.db", 11);
	make("data/sub/deep/e.db", 13);
	make("data/sub/deep/f", 0);
	make("other/a.db", 17);
	ck_assert_int_eq(root_new(procroot_path("."), &root), 0);
}

static void teardown(void)
{
	scan_list_release(&list);
	root_drop(root);
	procroot_end();
}

static struct scan *begin(const char *pattern, int depth, size_t most)
{
	struct scan *s;

	ck_assert_int_eq(scan_new(root, pattern, depth, most, &s), 0);
	return s;
}

/* As many slices as it takes. */
static int pass(struct scan *s, int64_t ns)
{
	int slices = 1;

	for (; !scan_slice(s, ns); slices++)
		ck_assert_int_lt(slices, 100000);
	scan_swap(s, &list);
	return slices;
}

static const struct scan_file *find(const char *path)
{
	for (size_t i = 0; i < list.n; i++)
		if (strcmp(scan_path(&list, &list.files[i]), path) == 0)
			return &list.files[i];
	return NULL;
}

static int64_t sum(void)
{
	int64_t pages = 0;

	for (size_t i = 0; i < list.n; i++)
		pages += list.files[i].pages.resident;
	return pages;
}

static void look(const char *pattern, int depth)
{
	struct scan *s = begin(pattern, depth, 1000);

	pass(s, INT64_MAX);
	scan_free(s);
}

/* ---- */

/* How many files and pages, by pattern and depth. */
static const struct {
	const char *pattern;
	int depth;
	size_t files;
	int64_t pages;
} cases[] = {
	{ "/data/a.db", 0, 1, 3 },
	{ "//data///a.db/", 0, 1, 3 },
	{ "/data/*.db", 0, 2, 8 },
	{ "/data/.*.db", 0, 1, 1 },
	{ "/data/?.db", 0, 2, 8 },
	{ "/data/[bc].*", 0, 2, 12 },
	{ "/*/a.db", 0, 2, 20 },
	{ "/d*/s*/*.db", 0, 1, 11 },
	{ "/data/*/deep/?", 0, 1, 0 },
	/* directories: all that is in them, hidden files, too */
	{ "/data", 0, 0, 0 },
	{ "/data", 1, 4, 16 },
	{ "/data", 2, 5, 27 },
	{ "/data", 3, 7, 40 },
	{ "/data", 32, 7, 40 },
	{ "/*", 1, 5, 33 },
	{ "/data/*", 0, 3, 15 },
	{ "/data/*", 1, 4, 26 },
	{ "/data/nothing", 1, 0, 0 },
	{ "/nothing/*", 1, 0, 0 },
	/* a file is no directory */
	{ "/data/a.db/x", 1, 0, 0 },
	{ "/data/a.db/*", 1, 0, 0 },
	{ "/data/[", 1, 0, 0 },
	{ "/data/\\*.db", 1, 0, 0 },
};

START_TEST(patterns)
{
	struct scan *s = begin(cases[_i].pattern, cases[_i].depth, 1000);

	/* in one go, in the smallest slices, and again */
	for (int turn = 0; turn < 3; turn++) {
		int slices = pass(s, turn == 1 ? 1 : INT64_MAX);

		ck_assert_msg(list.n == cases[_i].files, "%s: %zu files", cases[_i].pattern, list.n);
		ck_assert_int_eq(sum(), cases[_i].pages);
		ck_assert_uint_eq(list.refused + list.failed + list.omitted, 0);
		ck_assert(!list.cut);
		if (turn == 1)
			ck_assert_int_gt(slices, 1);
		else
			ck_assert_int_eq(slices, 1);
	}
	scan_free(s);
}
END_TEST

static const struct {
	const char *pattern, *why;
} refused[] = {
	{ "", "does not begin with '/'" },
	{ "data/*", "does not begin with '/'" },
	{ "/", "is all there is: name a directory" },
	{ "///", "is all there is: name a directory" },
	{ "/data/../x", "has a '.' or '..' for a name" },
	{ "/..", "has a '.' or '..' for a name" },
	{ "/./x", "has a '.' or '..' for a name" },
	{ "/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/"
	  "a/a/a/a",
	  "has more than 64 names" },
	{ "/var/lib/*", NULL },
	{ "/...", NULL },
	{ "/.a", NULL },
};

START_TEST(checks)
{
	char why[128] = "";

	ck_assert(scan_check(refused[_i].pattern, why, sizeof(why)) == !refused[_i].why);
	ck_assert_str_eq(why, refused[_i].why ? refused[_i].why : "");
}
END_TEST

START_TEST(values)
{
	const struct scan_file *file;
	struct stat st;
	int fd;

	look("/data/*.db", 0);
	file = find("/data/b.db");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(stat(procroot_path("data/b.db"), &st), 0);
	ck_assert_uint_eq(file->ino, st.st_ino);
	ck_assert_uint_eq(file->dev, st.st_dev);
	ck_assert_int_eq(file->size, 5 * page);
	ck_assert_int_eq(file->pages.resident, 5);
	/* holes are not there */
	fd = open(procroot_path("data/hole"), O_WRONLY | O_CREAT, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, "x", 1, 600 << 20), 1);
	close(fd);
	look("/data/hole", 0);
	ck_assert_int_eq(list.files[0].pages.resident, 1);
	ck_assert_int_eq(list.files[0].size, (600 << 20) + 1);
}
END_TEST

/* By name: always the same one stands for those that are one file. */
START_TEST(order)
{
	char path[256];

	snprintf(path, sizeof(path), "%s", procroot_path("data/b.db"));
	ck_assert_int_eq(link(path, procroot_path("data/a.a.db")), 0);
	ck_assert_int_eq(link(path, procroot_path("data/z.db")), 0);
	look("/data/*.db", 0);
	ck_assert_uint_eq(list.n, 4);
	for (size_t i = 1; i < list.n; i++)
		ck_assert_int_lt(strcmp(scan_path(&list, &list.files[i - 1]), scan_path(&list, &list.files[i])), 0);
	ck_assert_uint_eq(find("/data/z.db")->ino, find("/data/a.a.db")->ino);
}
END_TEST

/* What is no file costs nobody any time, and nothing is followed that is found. */
START_TEST(no_files)
{
	ck_assert_int_eq(mkfifo(procroot_path("data/fifo.db"), 0600), 0);
	ck_assert_int_eq(symlink("a.db", procroot_path("data/link.db")), 0);
	ck_assert_int_eq(symlink("../other", procroot_path("data/link")), 0);
	ck_assert_int_eq(symlink(".", procroot_path("data/self")), 0);
	look("/data/*.db", 0);
	ck_assert_uint_eq(list.n, 2);
	look("/data/*/a.db", 0);
	ck_assert_uint_eq(list.n, 0);
	look("/data", 32);
	ck_assert_uint_eq(list.n, 7);
	/* before the first pattern it is the user's way to there */
	look("/data/link/*.db", 0);
	ck_assert_uint_eq(list.n, 1);
	ck_assert_ptr_nonnull(find("/data/link/a.db"));
	look("/data/self/self/a.db", 0);
	ck_assert_uint_eq(list.n, 1);
}
END_TEST

/* None leads out of the root. */
START_TEST(links_out)
{
	ck_assert_int_eq(symlink("/../../../../../../etc", procroot_path("out")), 0);
	make("etc/passwd", 2);
	look("/out/passwd", 0);
	ck_assert_uint_eq(list.n, 1);
	ck_assert_int_eq(list.files[0].pages.resident, 2);
}
END_TEST

START_TEST(bounds)
{
	struct scan *s = begin("/data", 32, 2);
	char name[64];

	pass(s, 1);
	ck_assert_uint_eq(list.n, 2);
	ck_assert_uint_eq(list.omitted, 5);
	scan_free(s);
	/* a hundred names for each file that there may be */
	for (int i = 0; i < 250; i++) {
		snprintf(name, sizeof(name), "data/n%d", i);
		make(name, 0);
	}
	s = begin("/data/*.db", 0, 2);
	pass(s, INT64_MAX);
	ck_assert(list.cut);
	scan_free(s);
	s = begin("/data/*.db", 0, 10);
	pass(s, INT64_MAX);
	ck_assert(!list.cut);
	ck_assert_uint_eq(list.n, 2);
	/* what takes too long is cut, and the next pass is whole */
	ck_assert(!scan_slice(s, 1));
	scan_hurry(s);
	pass(s, 1);
	ck_assert(list.cut);
	scan_hurry(s);
	pass(s, INT64_MAX);
	ck_assert(!list.cut);
	ck_assert_uint_eq(list.n, 2);
	scan_free(s);
}
END_TEST

/* More directories than may wait at a time, below one another: none is left out, and what waits stays small. */
START_TEST(broad)
{
	struct scan *s = begin("/tree", 32, 100);
	char name[64];

	ck_assert(!mkdir(procroot_path("tree"), 0755));
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "tree/%d", i);
		ck_assert(!mkdir(procroot_path(name), 0755));
		for (int k = 0; k < 40; k++) {
			snprintf(name, sizeof(name), "tree/%d/%d", i, k);
			ck_assert(!mkdir(procroot_path(name), 0755));
		}
	}
	make("tree/39/39/last", 1);
	make("tree/0/0/first", 2);
	pass(s, 1);
	ck_assert(!list.cut);
	ck_assert_uint_eq(list.n, 2);
	ck_assert_int_eq(sum(), 3);
	ck_assert_uint_lt(scan_room(s), 30000);
	scan_free(s);
}
END_TEST

/* It is said where a pass waits, from its second turn on also before it has come there. */
START_TEST(devices)
{
	struct scan *s = begin("/data", 32, 1000);
	char path[256];
	struct stat st;

	ck_assert_int_eq(stat(procroot_path("data"), &st), 0);
	ck_assert_uint_eq(scan_device(s), 0);
	for (int turn = 0; turn < 2; turn++) {
		ck_assert(!scan_slice(s, 1));
		ck_assert_uint_eq(scan_device(s), st.st_dev);
		pass(s, 1);
		ck_assert_uint_eq(list.devices.n, 1);
		ck_assert_uint_eq(list.devices.device[0], st.st_dev);
		ck_assert(!list.devices.more);
	}
	/* that which is not there any more is where it was */
	snprintf(path, sizeof(path), "%s", procroot_path("gone"));
	ck_assert_int_eq(rename(procroot_path("data"), path), 0);
	ck_assert(!scan_slice(s, 1));
	ck_assert_uint_eq(list.devices.n, 1);
	ck_assert_uint_eq(scan_device(s), st.st_dev);
	scan_free(s);
}
END_TEST

/* Gone, or another, from one slice to the next. */
START_TEST(changes)
{
	struct scan *s = begin("/data", 32, 1000);

	for (int slices = 1; slices < 60; slices++) {
		int n = 0;

		while (n++ < slices && !scan_slice(s, 1))
			;
		if (n <= slices)
			break;
		make("data/sub/deep/e.db", slices % 5);
		make("data/sub/g", 1);
		unlink(procroot_path("data/sub/g"));
		rename(procroot_path("data/sub/deep"), procroot_path("data/sub/gone"));
		pass(s, INT64_MAX);
		ck_assert_uint_ge(list.n, 5);
		rename(procroot_path("data/sub/gone"), procroot_path("data/sub/deep"));
	}
	scan_free(s);
}
END_TEST

/* By mincore(2) it is the same, of what that tells. */
START_TEST(mincore)
{
	struct scan *s = begin("/data", 32, 1000);

	scan_without_cachestat(s);
	pass(s, 1);
	ck_assert_uint_eq(list.n, 7);
	ck_assert_int_eq(sum(), 40);
	ck_assert_uint_eq(list.partial, 6);
	ck_assert(find("/data/b.db")->pages.dirty == QMEM_NA);
	ck_assert_int_eq(find("/data/sub/deep/f")->pages.resident, 0);
	scan_free(s);
}
END_TEST

/* That looks at each page, whether it is there or not. */
START_TEST(mincore_costs)
{
	struct scan *s = begin("/data/hole", 0, 1000);
	int fd = open(procroot_path("data/hole"), O_WRONLY | O_CREAT, 0600);
	int slices = 1;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, INT64_C(100000) * page), 0);
	close(fd);
	scan_without_cachestat(s);
	for (; !scan_slice(s, 1000000); slices++)
		ck_assert_int_lt(slices, 1000);
	ck_assert_int_ge(slices, 3);
	scan_free(s);
}
END_TEST

/* Of a file that is nearly all hole, as long as its file system lets it be. */
START_TEST(endless)
{
	struct scan *s = begin("/data/*", 0, 1000);
	int64_t size = INT64_C(1) << 62;
	int fd = open(procroot_path("data/hole"), O_RDWR | O_CREAT, 0600);

	pass(s, INT64_MAX);
	/* mincore(2) cannot pass over a hole */
	if (!list.partial) {
		ck_assert_int_ge(fd, 0);
		while (ftruncate(fd, size))
			size /= 2;
		ck_assert_int_eq(pwrite(fd, "x", 1, size - 1), 1);
		ck_assert_int_le(pass(s, 5000000), 2);
		ck_assert_int_eq(find("/data/hole")->size, size);
		ck_assert_int_eq(find("/data/hole")->pages.resident, 1);
	}
	close(fd);
	scan_free(s);
}
END_TEST

/* Who neither owns a file nor may write to it is told by nobody, and the file is no zero. */
START_TEST(not_ours)
{
	struct scan *s;

	if (geteuid())
		return;
	ck_assert_int_eq(chmod(procroot_path("."), 0755), 0);
	ck_assert_int_eq(chmod(procroot_path("data"), 0755), 0);
	ck_assert_int_eq(chmod(procroot_path("data/a.db"), 0644), 0);
	ck_assert_int_eq(chmod(procroot_path("data/b.db"), 0666), 0);
	ck_assert_int_eq(chmod(procroot_path("data/c.txt"), 0600), 0);
	ck_assert_int_eq(chown(procroot_path("data/.hidden.db"), 65534, 65534), 0);
	ck_assert_int_eq(chmod(procroot_path("data/.hidden.db"), 0400), 0);
	ck_assert_int_eq(seteuid(65534), 0);
	for (int turn = 0; turn < 2; turn++) {
		s = begin("/data", 1, 1000);
		if (turn)
			scan_without_cachestat(s);
		pass(s, INT64_MAX);
		scan_free(s);
		ck_assert_uint_eq(list.n, 2);
		ck_assert_uint_eq(list.refused, 2);
		ck_assert_int_eq(find("/data/b.db")->pages.resident, 5);
		ck_assert_int_eq(find("/data/.hidden.db")->pages.resident, 1);
	}
	ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

/* Of names that are given, each where it stands. */
START_TEST(lists)
{
	struct scan *s;

	ck_assert_int_eq(scan_new_list(root, 3, &s), 0);
	ck_assert_int_eq(symlink("a.db", procroot_path("data/link.db")), 0);
	for (int turn = 0; turn < 3; turn++) {
		scan_begin_list(s);
		scan_add(s, "/data/a.db");
		scan_add(s, "/data/sub/deep/e.db");
		scan_add(s, "/data/*.db");
		scan_add(s, "/data/nothing");
		scan_add(s, "/nothing/at/all");
		scan_add(s, "/data");
		scan_add(s, "/data/");
		scan_add(s, "/");
		scan_add(s, "/data/link.db");
		pass(s, turn ? 1 : INT64_MAX);
		ck_assert_uint_eq(list.n, 2);
		ck_assert_int_eq(find("/data/a.db")->pages.resident, 3);
		ck_assert_int_eq(find("/data/sub/deep/e.db")->pages.resident, 13);
		ck_assert_uint_eq(list.refused + list.failed + list.omitted, 0);
	}
	scan_begin_list(s);
	pass(s, 1);
	ck_assert_uint_eq(list.n, 0);
	scan_free(s);
}
END_TEST

/* Of names for which there is no place nothing is kept. */
START_TEST(too_many_names)
{
	size_t room = 0;
	struct scan *s;
	char path[128];

	ck_assert_int_eq(scan_new_list(root, 3, &s), 0);
	scan_begin_list(s);
	for (int i = 0; i < 20000; i++) {
		snprintf(path, sizeof(path), "/nothing/%0100d", i);
		scan_add(s, path);
		if (i == 2000)
			room = scan_room(s);
	}
	ck_assert_uint_eq(scan_room(s), room);
	pass(s, INT64_MAX);
	ck_assert(list.cut);
	scan_free(s);
}
END_TEST

SUITE(pagecache_scan)
{
	Suite *s = suite_create("pagecache_scan");
	TCase *t = tcase_create("scans");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, patterns, 0, sizeof(cases) / sizeof(*cases));
	tcase_add_loop_test(t, checks, 0, sizeof(refused) / sizeof(*refused));
	tcase_add_test(t, values);
	tcase_add_test(t, order);
	tcase_add_test(t, no_files);
	tcase_add_test(t, links_out);
	tcase_add_test(t, bounds);
	tcase_add_test(t, broad);
	tcase_add_test(t, devices);
	tcase_add_test(t, changes);
	tcase_add_test(t, lists);
	tcase_add_test(t, too_many_names);
	tcase_add_test(t, mincore);
	tcase_add_test(t, mincore_costs);
	tcase_add_test(t, endless);
	tcase_add_test(t, not_ours);
	suite_add_tcase(s, t);
	return s;
}
