/* SPDX-License-Identifier: MIT */
/* Files below the root prefix that stay open. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../recorder.h"

static struct recorder r;
static char root[] = "/tmp/qmem-file-XXXXXX";
static struct qmem_file file;
static void (*body)(struct qmem *q);

static int collect(struct qmem *q, void *state)
{
	(void)state;
	body(q);
	return 0;
}

static const struct qmem_service reader = { .name = "reader", .collect = collect };
static const struct qmem_service *const services[] = { &reader, NULL };

static void put(const char *text, size_t len)
{
	int fd = open("file", O_WRONLY | O_CREAT | O_TRUNC, 0644);

	ck_assert_int_eq(write(fd, text, len), (ssize_t)len);
	close(fd);
}

static void setup(void)
{
	struct qmem_error error;

	strcpy(root + strlen(root) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	ck_assert_int_eq(chdir(root), 0);
	recorder_init(&r, NULL);
	r.q = qmem_new(&recorder_host, &r, services);
	ck_assert_int_eq(qmem_set(r.q, NULL, NULL, NULL, "HostRoot", root, &error), 0);
	ck_assert_int_eq(qmem_start(r.q, QMEM_SECOND, QMEM_SECOND, 0), 0);
	file = QMEM_FILE("file");
}

static void teardown(void)
{
	qmem_file_close(&file);
	qmem_free(r.q);
	recorder_release(&r);
	unlink("file");
	ck_assert_int_eq(chdir("/"), 0);
	rmdir(root);
}

START_TEST(is_kept_open)
{
	const char *text;
	int fd;

	put("one\n", 4);
	ck_assert_int_eq(qmem_read(r.q, &file, &text), 4);
	ck_assert_str_eq(text, "one\n");
	fd = file.fd;
	put("three\n", 6);
	ck_assert_int_eq(qmem_read(r.q, &file, &text), 6);
	ck_assert_str_eq(text, "three\n");
	ck_assert_int_eq(file.fd, fd);
}
END_TEST

START_TEST(is_opened_again_when_the_descriptor_fails)
{
	const char *text;

	put("one\n", 4);
	ck_assert_int_eq(qmem_read(r.q, &file, &text), 4);
	/* what is behind it cannot be read any more */
	ck_assert_int_eq(dup2(open(".", O_RDONLY), file.fd), file.fd);
	ck_assert_int_eq(qmem_read(r.q, &file, &text), 4);
	ck_assert_str_eq(text, "one\n");
}
END_TEST

START_TEST(any_length)
{
	static char big[3000000];
	const char *text;

	memset(big, 'x', sizeof(big));
	put(big, sizeof(big));
	ck_assert_int_eq(qmem_read(r.q, &file, &text), sizeof(big));
	ck_assert_uint_eq(strlen(text), sizeof(big));
	put("a\0b", 3);
	ck_assert_int_eq(qmem_read(r.q, &file, &text), 3);
	ck_assert_int_eq(memcmp(text, "a\0b", 4), 0);
	/* exactly what the first buffer holds, and one around it */
	for (size_t len = 16383; len <= 16385; len++) {
		put(big, len);
		ck_assert_int_eq(qmem_read(r.q, &file, &text), (ssize_t)len);
	}
}
END_TEST

static void in_service_absent(struct qmem *q)
{
	const char *text = "untouched";

	ck_assert_int_eq(qmem_read(q, &file, &text), -ENOENT);
	ck_assert_str_eq(text, "untouched");
}

START_TEST(absent_empty_and_unreadable)
{
	const char *text = "untouched";
	struct qmem_file dir = QMEM_FILE(".");

	body = in_service_absent;
	qmem_collect(r.q, 0);
	put("", 0);
	ck_assert_int_eq(qmem_read(r.q, &file, &text), -ENODATA);
	ck_assert_int_eq(qmem_read(r.q, &dir, &text), -EISDIR);
	ck_assert_str_eq(text, "untouched");
	ck_assert_int_eq(dir.fd, -1);
}
END_TEST

START_TEST(no_descriptors_left)
{
	struct rlimit old, none;
	const char *text;

	put("one\n", 4);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = old.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_int_eq(qmem_read(r.q, &file, &text), -EMFILE);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	ck_assert_int_eq(qmem_read(r.q, &file, &text), 4);
}
END_TEST

START_TEST(open_is_below_the_root)
{
	int fd;

	put("one\n", 4);
	fd = qmem_open(r.q, O_RDONLY, "%s", "file");
	ck_assert_int_ge(fd, 0);
	ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	close(fd);
	ck_assert_int_eq(qmem_open(r.q, O_RDONLY, "%5000s", "x"), -ENAMETOOLONG);
}
END_TEST

START_TEST(read_once)
{
	char text[8];

	put("one\n", 4);
	ck_assert_int_eq(qmem_read_once(r.q, text, sizeof(text), "%s", "file"), 4);
	ck_assert_int_eq(memcmp(text, "one\n", 4), 0);
	ck_assert_int_eq(qmem_read_once(r.q, text, sizeof(text), "%s", "nofile"), -ENOENT);
	ck_assert_int_eq(qmem_read_once(r.q, text, sizeof(text), "%s", "."), -EISDIR);
	ck_assert_int_eq(qmem_read_once(r.q, text, sizeof(text), "%5000s", "x"), -ENAMETOOLONG);
	put("", 0);
	ck_assert_int_eq(qmem_read_once(r.q, text, sizeof(text), "%s", "file"), 0);
	/* what fits */
	put("one\ntwo\nthree\n", 14);
	ck_assert_int_eq(qmem_read_once(r.q, text, sizeof(text), "%s", "file"), sizeof(text));
	ck_assert_int_eq(memcmp(text, "one\ntwo\n", sizeof(text)), 0);
}
END_TEST

SUITE(file)
{
	Suite *s = suite_create("file");
	TCase *t = tcase_create("file");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, is_kept_open);
	tcase_add_test(t, is_opened_again_when_the_descriptor_fails);
	tcase_add_test(t, any_length);
	tcase_add_test(t, absent_empty_and_unreadable);
	tcase_add_test(t, no_descriptors_left);
	tcase_add_test(t, open_is_below_the_root);
	tcase_add_test(t, read_once);
	suite_add_tcase(s, t);
	return s;
}
