/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <sys/sysmacros.h>

#include "kernel/inodes.h"

#define PAGE 4096

/* Two links, a directory that is mounted twice, and an equal inode elsewhere. */
static const struct {
	const char *path;
	unsigned major, minor;
	uint64_t ino;
	int64_t resident, dirty; /* pages */
} names[] = {
	{ "/data/first.img", 8, 1, 100, 2560, 0 }, { "/data/second.img", 8, 1, 100, 2560, 0 },
	{ "/data/c.bin", 8, 1, 101, 512, 16 },     { "/mnt/bind/c.bin", 8, 1, 101, 512, 16 },
	{ "/data2/c.bin", 8, 2, 101, 2, 0 },
};
#define NAMES (sizeof(names) / sizeof(*names))

START_TEST(each_once)
{
	struct inodes s = { .table = NULL };
	int64_t resident = 0, dirty = 0;
	int files = 0;

	/* in any order, and again when it has been emptied */
	for (size_t first = 0; first < NAMES; first++) {
		ck_assert_int_eq(inodes_begin(&s, NAMES), 0);
		files = 0;
		resident = dirty = 0;
		for (size_t i = 0; i < NAMES; i++) {
			size_t at = (first + i) % NAMES;

			if (!inodes_add(&s, makedev(names[at].major, names[at].minor), names[at].ino))
				continue;
			files++;
			resident += names[at].resident * PAGE;
			dirty += names[at].dirty * PAGE;
		}
		ck_assert_int_eq(files, 3);
		ck_assert_int_eq(resident, 12591104);
		ck_assert_int_eq(dirty, 65536);
	}
	inodes_release(&s);
}
END_TEST

START_TEST(many)
{
	struct inodes s = { .table = NULL };

	for (size_t most = 1; most <= 100000; most *= 10) {
		ck_assert_int_eq(inodes_begin(&s, most), 0);
		for (uint64_t i = 0; i < most; i++)
			ck_assert(inodes_add(&s, i % 3, i / 3));
		for (uint64_t i = 0; i < most; i++)
			ck_assert(!inodes_add(&s, i % 3, i / 3));
		/* beyond its room nothing is known */
		ck_assert(inodes_add(&s, 7, 7));
		ck_assert(inodes_add(&s, 7, 7));
	}
	ck_assert_int_eq(inodes_begin(&s, 1), 0);
	ck_assert(inodes_add(&s, 0, 0));
	ck_assert(!inodes_add(&s, 0, 0));
	inodes_release(&s);
}
END_TEST

SUITE(inodes)
{
	Suite *s = suite_create("inodes");
	TCase *t = tcase_create("inodes");

	tcase_add_test(t, each_once);
	tcase_add_test(t, many);
	suite_add_tcase(s, t);
	return s;
}
