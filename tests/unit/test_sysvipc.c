/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <string.h>

#include "proc/mapfile.h"
#include "proc/sysvipc.h"
#include "qmem.h"

#define HEADER                                                                                                                \
	"       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime " \
	"     ctime                   rss                  swap\n"

static struct sysvipc_shm shm[8];
static struct fault fault;

static int parse(const char *text)
{
	struct sysvipc_walk walk = { .at = text, .end = text + strlen(text) };
	int n = 0;

	while (n < 8 && sysvipc_next(&walk, &shm[n]))
		n++;
	fault = walk.fault;
	return n;
}

START_TEST(sound)
{
	ck_assert_int_eq(parse(HEADER), 0);
	ck_assert_uint_eq(fault.n, 0);
	ck_assert_int_eq(
		parse(HEADER
		      "  21495808      32769  1600              56229888   712   713      6   113   120   113   120 "
		      "1700000000 1700000001 1699999999              40960000                  4096\n"
		      "-559038737          0   666                     1     0     0      0     0     0     0     0 "
		      "         0          0          1                     0                     0\n"),
		2);
	ck_assert_uint_eq(fault.n, 0);
	ck_assert_int_eq(shm[0].key, 21495808);
	ck_assert_int_eq(shm[0].column[SYSVIPC_SHMID], 32769);
	ck_assert_int_eq(shm[0].column[SYSVIPC_SIZE], 56229888);
	ck_assert_int_eq(shm[0].column[SYSVIPC_CPID], 712);
	ck_assert_int_eq(shm[0].column[SYSVIPC_NATTCH], 6);
	ck_assert_int_eq(shm[0].column[SYSVIPC_CUID], 113);
	ck_assert_int_eq(shm[0].column[SYSVIPC_CTIME], 1699999999);
	ck_assert_int_eq(shm[0].column[SYSVIPC_RSS], 40960000);
	ck_assert_int_eq(shm[0].column[SYSVIPC_SWAP], 4096);
	ck_assert_int_eq(shm[1].key, -559038737);
	ck_assert_int_eq(shm[1].column[SYSVIPC_NATTCH], 0);
}
END_TEST

/* Columns that have moved, are new or are missing. */
START_TEST(columns)
{
	ck_assert_int_eq(parse("key shmid new size nattch size\n1 2 3 4 5 6\n"), 1);
	ck_assert_int_eq(shm[0].column[SYSVIPC_SIZE], 4);
	ck_assert_int_eq(shm[0].column[SYSVIPC_NATTCH], 5);
	ck_assert_int_eq(shm[0].column[SYSVIPC_RSS], QMEM_NA);
	ck_assert_int_eq(shm[0].column[SYSVIPC_CPID], QMEM_NA);
	ck_assert_int_eq(parse("size shmid\n10 20 30 40\n"), 1);
	ck_assert_int_eq(shm[0].column[SYSVIPC_SHMID], 20);
	ck_assert_int_eq(shm[0].key, QMEM_NA);
	ck_assert_uint_eq(fault.n, 0);
}
END_TEST

START_TEST(refused)
{
	ck_assert_int_eq(parse("key shmid size nattch\n1 x 3 4\n1 2\n1 2 -3 4\n\n   \n9 7 3 99999999999999999999\n"),
			 1);
	ck_assert_int_eq(shm[0].column[SYSVIPC_SHMID], 7);
	ck_assert_int_eq(shm[0].column[SYSVIPC_NATTCH], QMEM_NA);
	ck_assert_uint_eq(fault.n, 6);
	ck_assert_int_eq(parse("key shmid size\n4294967296 1 1\n-2147483648 2 1\n-x 3 1\n-1- 4 1\n"), 4);
	ck_assert_int_eq(shm[0].key, QMEM_NA);
	ck_assert_int_eq(shm[1].key, -2147483648LL);
	ck_assert_int_eq(shm[2].key, QMEM_NA);
	ck_assert_int_eq(parse("1 2 3\n4 5 6\n"), 0);
	ck_assert_uint_eq(fault.n, 1);
	/* a number that is cut would pass for a smaller one */
	ck_assert_int_eq(parse("key shmid size\n1 2 300"), 0);
	ck_assert_int_eq(fault.kind, FAULT_TRUNCATED);
	ck_assert_int_eq(parse(""), 0);
}
END_TEST

START_TEST(maps)
{
	static const struct {
		const char *line;
		uint32_t major, minor;
		uint64_t inode; /* 0: none */
	} rows[] = {
		{ "7f1200000000-7f1200021000 rw-s 00000000 00:1a 4711                       /dev/shm/a b", 0, 0x1a,
		  4711 },
		{ "08048000-08056000 r-xp 00000000 fd:0c 64593 /usr/sbin/gpm", 0xfd, 0xc, 64593 },
		{ "7f12-7f13 rw-s 00000000 00:05 32769                              /SYSV00000000 (deleted)", 0, 5,
		  32769 },
		{ "7f12-7f13 rw-s 00000000 103:00002 18446744073709551615", 0, 0, 0 },
		{ "7f12-7f13 rw-s 00000000 103:00002 7", 0x103, 2, 7 },
		{ "7ffd1000-7ffd2000 rw-p 00000000 00:00 0                          [stack]", 0, 0, 0 },
		{ "7f12-7f13 rw-s 00000000 00:1a x", 0, 0, 0 },
		{ "7f12-7f13 rw-s 00000000 00:1a", 0, 0, 0 },
		{ "7f12-7f13 rw-s 00000000 001a 5", 0, 0, 0 },
		{ "7f12-7f13 rw-s 00000000 00:1a 47/x", 0, 0, 0 },
		{ "7f12-7f13 rw-s", 0, 0, 0 },
		{ "", 0, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct mapfile file = { 0 };
		bool of = mapfile_parse(rows[i].line, strlen(rows[i].line), &file);

		ck_assert_msg(of == (rows[i].inode > 0) && file.major == rows[i].major && file.minor == rows[i].minor &&
				      file.inode == rows[i].inode,
			      "%s", rows[i].line);
	}
}
END_TEST

SUITE(sysvipc)
{
	Suite *s = suite_create("sysvipc");
	TCase *t = tcase_create("sysvipc"), *m = tcase_create("mapfile");

	tcase_add_test(t, sound);
	tcase_add_test(t, columns);
	tcase_add_test(t, refused);
	suite_add_tcase(s, t);
	tcase_add_test(m, maps);
	suite_add_tcase(s, m);
	return s;
}
