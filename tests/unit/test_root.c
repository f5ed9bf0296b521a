/* SPDX-License-Identifier: MIT */
/* How files below HostRoot are opened, with openat2() and without. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/root.h"
#include "openat2.h"

/* Two directories: one is HostRoot, the other is where it must not lead. */
static char dir[PATH_MAX];
static struct root *root;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
}

static void link_to(const char *target, const char *path)
{
	unlink(path);
	ck_assert_int_eq(symlink(target, path), 0);
}

static void setup(void)
{
	strcpy(dir, "/tmp/qmem-root-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
	for (const char *const *name = (const char *const[]){ "out", "in", "in/proc", "in/proc/7", "in/etc", "in/run",
							      "in/deep", "in/deep/er", NULL };
	     *name; name++)
		ck_assert_int_eq(mkdir(*name, 0755), 0);
	put("out/secret", "secret");
	put("in/file", "file");
	put("in/deep/er/file", "deep");
	put("in/proc/7/stat", "stat of 7");
	strcat(dir, "/in");
	ck_assert_int_eq(root_new(dir, &root), 0);
	openat2_calls = 0;
}

static void setup_old(void)
{
	openat2_refusal = -ENOSYS;
	setup();
}

static void setup_seccomp(void)
{
	openat2_refusal = -EPERM;
	setup();
}

static void teardown(void)
{
	root_drop(root);
	openat2_refusal = 0;
	ck_assert_int_eq(chdir("/"), 0);
	dir[strlen(dir) - strlen("/in")] = '\0';
	nftw(dir, remove_one, 16, FTW_PHYS | FTW_DEPTH);
}

/* The text, or the error in numbers. */
static const char *text_of(int fd)
{
	static char text[256];
	ssize_t n;

	if (fd < 0) {
		snprintf(text, sizeof(text), "%d", fd);
		return text;
	}
	ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	n = read(fd, text, sizeof(text) - 1);
	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	close(fd);
	return text;
}

#define OPENS(path, text) ck_assert_str_eq(text_of(root_open(root, path, O_RDONLY)), text)
#define REFUSES(path, err) ck_assert_int_eq(root_open(root, path, O_RDONLY), -(err))

START_TEST(plain)
{
	OPENS("file", "file");
	OPENS("deep/er/file", "deep");
	OPENS("deep/./er//file", "deep");
	OPENS("proc/7/stat", "stat of 7");
	ck_assert_str_eq(text_of(root_open_process(root, 7, "stat")), "stat of 7");
	REFUSES("nofile", ENOENT);
	REFUSES("deep/nofile/file", ENOENT);
	REFUSES("file/file", ENOTDIR);
	ck_assert(!root_is_real(root));
	/* what a kernel does not have it is asked for once, when the root is opened */
	ck_assert_uint_eq(openat2_calls > 0, !openat2_refusal);
}
END_TEST

/* Each stays below the root, which "/" is. */
START_TEST(links_inside)
{
	link_to("file", "in/one");
	OPENS("one", "file");
	link_to("/file", "in/two");
	OPENS("two", "file");
	link_to("../file", "in/deep/up");
	OPENS("deep/up", "file");
	link_to("/deep", "in/abs");
	OPENS("abs/er/file", "deep");
	link_to("er/../../deep/er", "in/deep/round");
	OPENS("deep/round/file", "deep");
	/* one to another, as a system has them that makes /etc of a store */
	put("in/run/passwd", "root:x:0:0::/:/bin/sh\n");
	link_to("/etc/static", "in/etc/current");
	link_to("../run", "in/etc/static");
	link_to("current/passwd", "in/etc/passwd");
	OPENS("etc/passwd", "root:x:0:0::/:/bin/sh\n");
	/* in a recorded root they are links like any other */
	link_to("7", "in/proc/self");
	OPENS("proc/self/stat", "stat of 7");
	link_to("../deep", "in/proc/8");
	put("in/deep/stat", "stat of 8");
	ck_assert_str_eq(text_of(root_open_process(root, 8, "stat")), "stat of 8");
}
END_TEST

START_TEST(links_outside)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%.*s/out/secret", (int)(strlen(dir) - strlen("/in")), dir);
	link_to(path, "in/abs");
	REFUSES("abs", ENOENT);
	link_to("../out/secret", "in/rel");
	REFUSES("rel", ENOENT);
	link_to("../../../../../../../../etc/passwd", "in/up");
	REFUSES("up", ENOENT);
	REFUSES("../out/secret", ENOENT);
	link_to("../../../out", "in/proc/9");
	ck_assert_int_eq(root_open_process(root, 9, "secret"), -ENOENT);
	link_to("/proc", "in/deep/proc");
	REFUSES("deep/proc/self/maps", ENOENT);
	link_to("one", "in/other");
	link_to("other", "in/one");
	REFUSES("one", ELOOP);
	link_to("in/proc", "in/magic");
	REFUSES("magic", ENOENT);
}
END_TEST

START_TEST(no_files)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "in/socket" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char words[128];

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	ck_assert_int_eq(mkfifo("in/fifo", 0644), 0);
	ck_assert_int_eq(mkfifo("in/proc/7/smaps", 0644), 0);
	ck_assert_int_eq(mkdir("in/proc/7/statm", 0755), 0);
	REFUSES("fifo", ROOT_NO_FILE);
	REFUSES("socket", ROOT_NO_FILE);
	REFUSES("deep", EISDIR);
	ck_assert_int_eq(root_open_process(root, 7, "smaps"), -ROOT_NO_FILE);
	ck_assert_int_eq(root_open_process(root, 7, "statm"), -EISDIR);
	ck_assert_ptr_nonnull(strstr(root_words(-ROOT_NO_FILE, words, sizeof(words)), "FIFO"));
	fd = root_open(root, "fifo", O_PATH);
	ck_assert_int_ge(fd, 0);
	close(fd);
	fd = root_open(root, "deep", O_RDONLY | O_DIRECTORY);
	ck_assert_int_ge(fd, 0);
	close(fd);
	if (!mknod("in/null", S_IFCHR | 0666, 1 << 8 | 5))
		REFUSES("null", ROOT_NO_FILE);
	else
		printf("# no device can be made\n");
	put("in/endless", "");
	ck_assert_int_eq(truncate("in/endless", (off_t)ROOT_FILE_MOST + 1), 0);
	REFUSES("endless", EFBIG);
}
END_TEST

START_TEST(link_itself)
{
	char text[64];

	link_to("/usr/bin/a (deleted)", "in/proc/7/exe");
	ck_assert_int_eq(root_read_link(root, 7, "exe", text, sizeof(text)), 20);
	ck_assert_int_eq(memcmp(text, "/usr/bin/a (deleted)", 20), 0);
	ck_assert_int_eq(root_read_link(root, 7, "stat", text, sizeof(text)), -EINVAL);
	ck_assert_int_eq(root_read_link(root, 77, "exe", text, sizeof(text)), -ENOENT);
}
END_TEST

START_TEST(too_deep)
{
	char path[PATH_MAX] = "";

	for (int i = 0; i < 100; i++)
		strcat(path, "d/");
	for (size_t i = 1; path[i]; i += 2) {
		char name[PATH_MAX + 4];

		snprintf(name, sizeof(name), "in/%.*s", (int)i, path);
		ck_assert_int_eq(mkdir(name, 0755), 0);
	}
	/* by the way of a link, so that all of it is walked */
	link_to("d", "in/l");
	path[0] = 'l';
	REFUSES(path, ENAMETOOLONG);
	memset(path, 'x', 300);
	path[300] = '\0';
	REFUSES(path, ENAMETOOLONG);
}
END_TEST

/* The root of this machine, as the agent has it. */
START_TEST(real)
{
	char text[PATH_MAX], other[PATH_MAX];
	struct root *own;
	ssize_t n;

	ck_assert_int_eq(root_new("/", &own), 0);
	ck_assert(root_is_real(own));
	n = root_read_link(own, getpid(), "exe", text, sizeof(text));
	ck_assert_int_gt(n, 0);
	ck_assert_int_eq(readlink("/proc/self/exe", other, sizeof(other)), n);
	ck_assert_int_eq(memcmp(text, other, (size_t)n), 0);
	/* where to look in procfs */
	ck_assert_int_gt(strlen(text_of(root_open(own, "proc/self/stat", O_RDONLY))), 10);
	ck_assert_int_gt(strlen(text_of(root_open(own, "proc/net/dev", O_RDONLY))), 10);
	ck_assert_int_gt(strlen(text_of(root_open_process(own, getpid(), "stat"))), 10);
	/* and what leads elsewhere */
	ck_assert_int_eq(root_open(own, "proc/self/exe", O_RDONLY), -ELOOP);
	ck_assert_int_eq(root_open(own, "proc/self/root/etc/passwd", O_RDONLY), -ELOOP);
	ck_assert_int_eq(root_open(own, "proc/self/cwd/file", O_RDONLY), -ELOOP);
	ck_assert_int_lt(root_open(own, "proc/self/ns/net", O_RDONLY), 0);
	ck_assert_int_lt(root_open(own, "proc/self/fd/0", O_RDONLY), 0);
	ck_assert_int_eq(root_open_process(own, getpid(), "exe"), -ELOOP);
	root_drop(own);
}
END_TEST

/* HostRoot is the directory that it was, whatever has its name by now. */
START_TEST(renamed)
{
	ck_assert_int_eq(rename("in", "was"), 0);
	ck_assert_int_eq(mkdir("in", 0755), 0);
	put("in/file", "another");
	link_to("/proc", "in/proc");
	OPENS("file", "file");
	OPENS("proc/7/stat", "stat of 7");
	ck_assert_int_eq(rename("was/proc", "was/gone"), 0);
	link_to("/deep", "was/proc");
	REFUSES("proc/7/stat", ENOENT);
}
END_TEST

/* What a name other than proc leads to is nothing of procfs. */
START_TEST(into_procfs)
{
	struct root *own;
	char path[64];

	ck_assert_int_eq(root_new("/", &own), 0);
	snprintf(path, sizeof(path), "%.40s/passwd", dir + 1);
	link_to("/proc/self/maps", "in/passwd");
	ck_assert_int_eq(root_open(own, path, O_RDONLY), -ELOOP);
	link_to("/proc", "in/passwd");
	snprintf(path, sizeof(path), "%.40s/passwd/self/maps", dir + 1);
	ck_assert_int_eq(root_open(own, path, O_RDONLY), -ELOOP);
	root_drop(own);
}
END_TEST

/* Ways by which a user would say where it is. */
START_TEST(foreign)
{
	static const char *const ways[] = { "/proc/self/root", "/proc/self/cwd/..", "/proc/thread-self/root/", "." };
	char path[64];
	struct root *own;
	int fd = open("/", O_PATH | O_DIRECTORY);

	ck_assert_int_eq(chdir("/"), 0);
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		ck_assert_int_eq(root_new(ways[i], &own), 0);
		ck_assert(!root_is_real(own));
		ck_assert_int_gt(strlen(text_of(root_open_process(own, getpid(), "stat"))), 10);
		root_drop(own);
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ck_assert_int_eq(root_new(path, &own), 0);
	ck_assert(!root_is_real(own));
	root_drop(own);
	close(fd);
	/* a link of one's own is one's own, and leads to where it leads */
	ck_assert_int_eq(chdir(dir), 0);
	link_to("/", "slash");
	snprintf(path, sizeof(path), "%.50s/slash", dir);
	ck_assert_int_eq(root_new(path, &own), 0);
	ck_assert(root_is_real(own));
	root_drop(own);
	/* but not the proc below it */
	ck_assert_int_eq(rename("proc", "was"), 0);
	link_to("/proc", "proc");
	ck_assert_int_eq(root_new(dir, &own), 0);
	ck_assert(!root_is_real(own));
	ck_assert_int_lt(root_open_process(own, getpid(), "stat"), 0);
	root_drop(own);
	ck_assert_int_eq(root_new("/nowhere", &own), -ENOENT);
	ck_assert_int_eq(root_new("/proc/stat", &own), -ENOTDIR);
}
END_TEST

SUITE(root)
{
	static void (*const setups[])(void) = { setup, setup_old, setup_seccomp };
	static const char *const names[] = { "openat2", "before 5.6", "seccomp" };
	Suite *s = suite_create("root");

	for (size_t i = 0; i < sizeof(setups) / sizeof(*setups); i++) {
		TCase *t = tcase_create(names[i]);

		tcase_add_checked_fixture(t, setups[i], teardown);
		tcase_add_test(t, plain);
		tcase_add_test(t, links_inside);
		tcase_add_test(t, links_outside);
		tcase_add_test(t, no_files);
		tcase_add_test(t, link_itself);
		tcase_add_test(t, too_deep);
		tcase_add_test(t, real);
		tcase_add_test(t, renamed);
		tcase_add_test(t, into_procfs);
		tcase_add_test(t, foreign);
		suite_add_tcase(s, t);
	}
	return s;
}
