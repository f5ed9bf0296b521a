/* SPDX-License-Identifier: MIT */
/* Which rows of capabilities are in use, and that a wide one is there for its file alone. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../recorder.h"
#include "rows.h"
#include "util/right.h"

struct state {
	bool open;
	int tristate, word;
	int64_t budget;
	char *text;
	struct qmem_list list;
	struct qmem_blocks blocks;
};

static const char *const words[] = { "comm", "exe", NULL };
static const struct qmem_option block_rows[] = { { .name = "Depth", .type = QMEM_INT }, { 0 } };

static const struct qmem_option options[] = {
	{ .name = "OpenFiles", .type = QMEM_BOOL, .offset = offsetof(struct state, open) },
	{ .name = "Way", .type = QMEM_TRISTATE, .offset = offsetof(struct state, tristate), .def = "no" },
	{ .name = "GroupBy", .type = QMEM_ENUM, .offset = offsetof(struct state, word), .def = "comm", .words = words },
	{ .name = "Budget", .type = QMEM_DURATION, .offset = offsetof(struct state, budget), .def = "0" },
	{ .name = "Namespace", .type = QMEM_STRING, .offset = offsetof(struct state, text), .def = "host" },
	{ .name = "Trigger", .type = QMEM_LIST, .offset = offsetof(struct state, list), .def = "a\nb" },
	{ .name = "File",
	  .type = QMEM_BLOCK,
	  .offset = offsetof(struct state, blocks),
	  .sub = block_rows,
	  .sub_size = sizeof(int64_t) },
	{ 0 },
};

#define TIMER_LIST "/proc/timer_list"
#define VMALLOCINFO "/proc/vmallocinfo"

enum { ALWAYS, OPEN, WAY, EXE, OTHER, BUDGET, NAMESPACE, TRIGGER, ITEM, FILES, ROWS };
static const struct qmem_capability capabilities[] = {
	[ALWAYS] = CAPABILITY(DAC_READ_SEARCH, "it", .file = "/proc/timer_*"),
	[OPEN] = CAPABILITY(SYS_PTRACE, "it", .file = "/proc/PID/fd", .option = "OpenFiles"),
	[WAY] = CAPABILITY(SYS_PTRACE, "it", .file = "x()", .option = "Way"),
	[EXE] = CAPABILITY(SYS_PTRACE, "it", .file = "x()", .option = "GroupBy", .value = "exe"),
	[OTHER] = CAPABILITY(SYS_PTRACE, "it", .file = "x()", .option = "group_by"),
	[BUDGET] = CAPABILITY(SYS_PTRACE, "it", .file = "x()", .option = "Budget"),
	[NAMESPACE] = CAPABILITY(SYS_ADMIN, "it", .file = "setns()", .option = "Namespace"),
	[TRIGGER] = CAPABILITY(SYS_PTRACE, "it", .file = "x()", .option = "Trigger"),
	[ITEM] = CAPABILITY(SYS_PTRACE, "it", .file = "x()", .option = "Trigger", .value = "b"),
	[FILES] = CAPABILITY(SYS_PTRACE, "it", .file = "x()", .option = "File"),
	{ 0 },
};

static int started;
static int start(struct qmem *q, void *state)
{
	(void)q;
	(void)state;
	return started;
}

static int fds[3];
static bool left;
static int collect(struct qmem *q, void *state)
{
	(void)state;
	fds[0] = qmem_open(q, O_RDONLY, "%s", TIMER_LIST + 1);
	fds[1] = qmem_open(q, O_RDONLY, "%s", VMALLOCINFO + 1);
	fds[2] = qmem_open(q, O_RDONLY, "%s", "proc/meminfo");
	left = right_raise(CAP_DAC_READ_SEARCH);
	return 0;
}

static const struct qmem_service below = { .name = "below", .shared = true, .capabilities = capabilities };
static const struct qmem_service service = {
	.name = "service",
	.needs = &below,
	.options = options,
	.capabilities = capabilities,
	.state_size = sizeof(struct state),
	.start = start,
	.collect = collect,
};
static const struct qmem_service *const services[] = { &below, &service, NULL };
static struct recorder r;

static void setup(void)
{
	started = 0;
	recorder_init(&r, NULL);
	r.q = qmem_new(&recorder_host, &r, services);
	ck_assert_ptr_nonnull(r.q);
}

static void teardown(void)
{
	qmem_free(r.q);
	recorder_release(&r);
}

static void set(const char *option, const char *value)
{
	struct qmem_error error;
	bool block = strcmp(option, "File") == 0;

	ck_assert_int_eq(qmem_set(r.q, "service", block ? option : NULL, block ? value : NULL, block ? NULL : option,
				  value, &error),
			 0);
}

static unsigned used(void)
{
	unsigned rows = 0;

	for (unsigned i = 0; i < ROWS; i++)
		rows |= (unsigned)qmem_uses(r.q, &service, &capabilities[i]) << i;
	return rows;
}

#define BIT(row_) (1u << (row_))

START_TEST(by_its_options)
{
	ck_assert_uint_eq(used(), BIT(ALWAYS) | BIT(ITEM));
	set("OpenFiles", "no");
	set("Namespace", "host");
	set("GroupBy", "comm");
	ck_assert_uint_eq(used(), BIT(ALWAYS) | BIT(ITEM));
	set("OpenFiles", "yes");
	set("Way", "auto");
	set("GroupBy", "exe");
	set("Budget", "5ms");
	set("Namespace", "all");
	set("Trigger", "a");
	set("File", "/x");
	ck_assert_uint_eq(used(), (BIT(ROWS) - 1) & ~BIT(ITEM));
	set("Trigger", "b");
	set("Namespace", "");
	ck_assert_uint_eq(used(), (BIT(ROWS) - 1) & ~BIT(NAMESPACE));
}
END_TEST

START_TEST(by_what_runs)
{
	const struct qmem_capability *row = &capabilities[ALWAYS];

	ck_assert(qmem_uses(r.q, &below, row));
	set("Enabled", "no");
	ck_assert(!qmem_uses(r.q, &below, row));
	ck_assert_uint_eq(used(), 0);
	set("Enabled", "auto");
	ck_assert(qmem_uses(r.q, &below, row));
	/* also while it cannot start, which may be for want of it */
	started = -ENOTSUP;
	(void)qmem_start(r.q, QMEM_SECOND, QMEM_SECOND, 0);
	ck_assert_uint_eq(used(), BIT(ALWAYS) | BIT(ITEM));
}
END_TEST

/* Everything is permitted, and nothing effective. */
static bool become_nobody(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (geteuid() || access(TIMER_LIST, F_OK) || access(VMALLOCINFO, F_OK) ||
	    !(right_permitted() >> CAP_DAC_READ_SEARCH & 1) || prctl(PR_SET_KEEPCAPS, 1) < 0 ||
	    setresuid(65534, 65534, 65534) < 0 || syscall(SYS_capget, &header, data) < 0)
		return false;
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		data[i].effective = 0;
	return syscall(SYS_capset, &header, data) == 0;
}

START_TEST(is_lent_for_its_file)
{
	if (!become_nobody())
		return;
	ck_assert_int_eq(open(TIMER_LIST, O_RDONLY), -1);
	ck_assert_int_eq(qmem_start(r.q, QMEM_SECOND, QMEM_SECOND, 0), 0);
	ck_assert_int_eq(qmem_collect(r.q, 0), 0);
	ck_assert_int_ge(fds[0], 0);
	ck_assert_int_eq(fds[1], -EACCES);
	ck_assert_int_ge(fds[2], 0);
	ck_assert_msg(left, "it was effective still");
}
END_TEST

/* A root that is no procfs of the kernel's: nothing is lent there, whatever the file is called. */
START_TEST(is_not_lent_elsewhere)
{
	static char root[] = "/tmp/qmem-uses-XXXXXX";
	struct qmem_error error;

	ck_assert_ptr_nonnull(mkdtemp(root));
	ck_assert_int_eq(chdir(root), 0);
	ck_assert(mkdir("proc", 0755) == 0 && chmod(root, 0755) == 0);
	close(open("proc/timer_list", O_WRONLY | O_CREAT, 0600));
	ck_assert_int_eq(qmem_set(r.q, NULL, NULL, NULL, "HostRoot", root, &error), 0);
	if (become_nobody()) {
		ck_assert_int_eq(qmem_start(r.q, QMEM_SECOND, QMEM_SECOND, 0), 0);
		ck_assert_int_eq(qmem_collect(r.q, 0), 0);
		ck_assert_int_eq(fds[0], -EACCES);
		ck_assert(right_raise(CAP_DAC_OVERRIDE));
	}
	ck_assert(unlink("proc/timer_list") == 0 && rmdir("proc") == 0);
	ck_assert_int_eq(chdir("/"), 0);
	(void)rmdir(root);
}
END_TEST

SUITE(uses)
{
	Suite *s = suite_create("uses");
	TCase *tc = tcase_create("uses");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, by_its_options);
	tcase_add_test(tc, by_what_runs);
	tcase_add_test(tc, is_lent_for_its_file);
	tcase_add_test(tc, is_not_lent_elsewhere);
	suite_add_tcase(s, tc);
	return s;
}
