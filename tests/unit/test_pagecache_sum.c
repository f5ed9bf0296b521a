/* SPDX-License-Identifier: MIT */
/* What lists of files come to, against a sum of all of them. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "service/pagecache_scan.h"
#include "service/pagecache_sum.h"

#define TOP 3
#define FILES 1000

static const struct instances_kind kind = {
	.what = "files",
	.columns = FILE_COLUMNS,
	.gauges = (UINT64_C(1) << FILE_COLUMNS) - 1,
	.score = UINT64_C(1) << FILE_RESIDENT,
	.most = 10000,
};

static struct instances all;
static struct file_sum sum;
static struct scan_list list;
static char text[FILES * 8];
static int64_t page;
static uint64_t now;

static void setup(void)
{
	page = sysconf(_SC_PAGESIZE);
	now = 1000 * QMEM_SECOND;
	memset(&sum, 0, sizeof(sum));
	ck_assert_int_eq(instances_init(&all, &kind, NULL, false, TOP), 0);
	list = (struct scan_list){ .files = calloc(FILES, sizeof(*list.files)), .text = text };
	ck_assert_ptr_nonnull(list.files);
}

static void teardown(void)
{
	free(list.files);
	sum_release(&sum);
	instances_release(&all);
}

/* "/f000", ... */
static struct scan_file *add(int64_t resident)
{
	struct scan_file *file = &list.files[list.n];

	*file = (struct scan_file){
		.path = list.n * 8,
		.dev = 1,
		.ino = list.n + 1,
		.size = resident * page,
		.pages = { resident, 1, 0, 0, 0 },
	};
	snprintf(text + file->path, 8, "/f%03zu", list.n++);
	return file;
}

static size_t round_of(size_t top)
{
	size_t twice = 0;

	ck_assert_int_eq(sum_begin(&sum, &all, list.n, top), 0);
	for (size_t i = 0; i < list.n; i++)
		twice += !sum_add(&sum, &list, &list.files[i]);
	ck_assert_int_eq(sum_end(&sum, &all, now += QMEM_SECOND), 0);
	return twice;
}

/* In pages; -1: it is not shown. */
static int64_t shown(const char *name)
{
	for (size_t k = 0; k < all.n; k++)
		if (instances_shown(&all, k) && strcmp(all.all[k]->name, name) == 0)
			return all.all[k]->now[FILE_RESIDENT] / page;
	return -1;
}

static int64_t total(enum file_columns column)
{
	int64_t pages = all.others ? all.other[column] / page : 0;

	for (size_t k = 0; k < all.n; k++)
		if (instances_shown(&all, k))
			pages += all.all[k]->now[column] / page;
	return pages;
}

/* In any order of sizes; few names are kept. */
START_TEST(greatest)
{
	int64_t pages = 0;

	for (int64_t i = 0; i < FILES; i++) {
		int64_t resident = (i * 7919 + _i) % 1009;

		add(resident);
		pages += resident;
	}
	list.files[10].pages.resident += 2000;
	list.files[500 + _i].pages.resident += 3000;
	list.files[999].pages.resident += 4000;
	pages += 9000;
	ck_assert_uint_eq(round_of(TOP), 0);
	ck_assert_int_ge(shown("/f010"), 2000);
	ck_assert_int_ge(shown("/f999"), 4000);
	ck_assert_int_eq(total(FILE_RESIDENT), pages);
	ck_assert_int_eq(total(FILE_DIRTY), FILES);
	ck_assert_uint_eq(all.n, TOP + 1);
}
END_TEST

/* As many as there is room for: nothing is left over. */
START_TEST(few)
{
	round_of(TOP);
	ck_assert_uint_eq(all.n, 0);
	ck_assert(!all.others);
	for (int i = 0; i < TOP; i++)
		add(i);
	round_of(TOP);
	ck_assert_uint_eq(all.n, TOP);
	ck_assert(!all.others);
	add(7);
	now += 3600 * QMEM_SECOND;
	round_of(TOP);
	ck_assert(all.others);
	ck_assert_int_eq(shown("/f003"), 7);
	ck_assert_int_eq(total(FILE_RESIDENT), 10);
}
END_TEST

/* Of equals the first. */
START_TEST(equals)
{
	for (int i = 0; i < 50; i++)
		add(4);
	round_of(TOP);
	ck_assert_int_eq(shown("/f000"), 4);
	ck_assert_int_eq(shown("/f001"), 4);
	ck_assert_int_eq(shown("/f002"), 4);
	ck_assert_int_eq(total(FILE_RESIDENT), 200);
}
END_TEST

/* Who is shown stays, though others have a little more, and there are enough of them. */
START_TEST(places)
{
	for (int i = 0; i < 20; i++)
		add(i < 3 ? 100 : 1);
	round_of(TOP);
	for (int i = 3; i < 20; i++)
		list.files[i].pages.resident = 110;
	round_of(TOP);
	ck_assert_int_eq(shown("/f000"), 100);
	ck_assert_int_eq(shown("/f002"), 100);
	ck_assert_int_eq(total(FILE_RESIDENT), 300 + 17 * 110);
	list.files[19].pages.resident = 300;
	now += 3600 * QMEM_SECOND;
	round_of(TOP);
	ck_assert_int_eq(shown("/f019"), 300);
	ck_assert_int_eq(total(FILE_RESIDENT), 300 + 16 * 110 + 300);
	/* those that have gone leave theirs */
	list.n = 1;
	round_of(TOP);
	ck_assert_int_eq(shown("/f000"), 100);
	ck_assert_int_eq(shown("/f019"), -1);
	ck_assert_int_eq(total(FILE_RESIDENT), 100);
	ck_assert(!all.others);
}
END_TEST

START_TEST(once)
{
	struct scan_file *file;

	add(5);
	file = add(5);
	file->ino = list.files[0].ino;
	file = add(6);
	file->ino = list.files[0].ino;
	file->dev = 2;
	ck_assert_uint_eq(round_of(TOP), 1);
	ck_assert_int_eq(total(FILE_RESIDENT), 11);
	ck_assert_int_eq(shown("/f001"), -1);
}
END_TEST

START_TEST(none_shown)
{
	instances_release(&all);
	ck_assert_int_eq(instances_init(&all, &kind, NULL, false, 0), 0);
	add(5);
	add(6);
	for (int i = 0; i < 2; i++) {
		round_of(0);
		ck_assert_int_eq(total(FILE_RESIDENT), 11);
		ck_assert_int_eq(all.other[FILE_RESIDENT], 11 * page);
	}
}
END_TEST

/* What is not known of some is the sum of the others; of all, it is absent. */
START_TEST(absent)
{
	for (int i = 0; i < 10; i++)
		add(i)->pages.dirty = QMEM_NA;
	round_of(TOP);
	ck_assert(all.other[FILE_DIRTY] == QMEM_NA);
	list.files[0].pages.dirty = 0;
	round_of(TOP);
	ck_assert_int_eq(all.other[FILE_DIRTY], 0);
}
END_TEST

SUITE(pagecache_sum)
{
	Suite *s = suite_create("pagecache_sum");
	TCase *t = tcase_create("sums");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, greatest, 0, 5);
	tcase_add_test(t, few);
	tcase_add_test(t, equals);
	tcase_add_test(t, places);
	tcase_add_test(t, once);
	tcase_add_test(t, none_shown);
	tcase_add_test(t, absent);
	suite_add_tcase(s, t);
	return s;
}
