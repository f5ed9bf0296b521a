/* SPDX-License-Identifier: MIT */
/* The service on a root whose mounts are out of reach, and on one that lies on a tmpfs itself. */
#include "unit.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "procroot.h"
#include "service/shmem_look.h"
#include "services.h"

#define KIB INT64_C(1024)
#define HEADER                                                                                                                \
	"       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime " \
	"     ctime                   rss                  swap\n"

static const struct qmem_service *const services[] = { &meminfo_service, &shmem_service, NULL };
static const char *text;

static void put_meminfo(void)
{
	procroot_put("proc/meminfo", "MemTotal: 100000 kB\nMemFree: 1 kB\nCached: 90000 kB\nShmem: 50000 kB\n");
}

static void setup(void)
{
	procroot_begin(services);
	procroot_set("meminfo", "Enabled", "no");
	procroot_set("shmem", "Detail", "yes");
	put_meminfo();
}

static void tick(void)
{
	text = procroot_tick();
}

static void check_has(const char *line)
{
	ck_assert_msg(strstr(text, line) != NULL, "no '%s' in\n%s", line, text);
}

static void check_lacks(const char *words)
{
	ck_assert_msg(strstr(text, words) == NULL, "'%s' in\n%s", words, text);
}

/* Of the i-th service. */
static const char *reason_of(size_t i)
{
	struct qmem_status status;

	ck_assert(qmem_status(procroot_host.q, i, &status));
	return status.reason;
}

static const char *reason(void)
{
	return reason_of(1);
}

/* Who has made it, if he still has that number. */
START_TEST(segments)
{
	static const struct process first[] = {
		{ .pid = 712, .comm = "post (gres)", .state = 'S', .start = 1000 },
		{ .pid = 713, .comm = "late", .state = 'S', .start = 90000 },
		{ 0 },
	};

	procroot_put("proc/stat", "cpu 1 2\nbtime 1700000000\nprocesses 3\n");
	procroot_processes(first);
	procroot_set("shmem", "TopSegments", "3");
	procroot_put(
		"proc/sysvipc/shm", HEADER
		"  5432001      32769  600  56229888   712   712      6   113   120   113   120 0 0 1700000011 40960000 4096\n"
		"        0          7  600   8388608   713   713      0     0     0  1000     0 0 0 1700000500  8000000 1000000\n"
		"       -1          8  600   4194304   999   999      0     0     0     0     0 0 0 1700000500  4000000       0\n"
		"        5          9  600    100000     0     0      1     0     0     0     0 0 0 1700000500    96000       0\n");
	procroot_start();
	tick();
	check_has("shmem.segment.size[post (gres):32769] 56229888 bytes\n");
	check_has("shmem.segment.rss[post (gres):32769] 40960000 bytes\n");
	check_has("shmem.segment.swap[post (gres):32769] 4096 bytes\n");
	check_has("shmem.attached.attached[post (gres):32769] 6 processes\n");
	/* process 713 began 900 s after boot, the segment is 400 s older */
	check_has("shmem.segment.rss[pid713:7] 8000000 bytes\n");
	check_has("shmem.attached.attached[pid713:7] 0 processes\n");
	check_has("shmem.segment.rss[pid999:8] 4000000 bytes\n");
	check_has("shmem.segment.rss[other] 96000 bytes\n");
	check_has("shmem.total.sysv 53056000 bytes\n");
	check_has("shmem.orphaned.sysv 13000000 bytes\n");
	check_has("shmem.count.segments 4 value\n");
	check_has("shmem.total.tmpfs - bytes\n");
	check_has("shmem.total.other 0 bytes\n");
	check_lacks("shmem.mount.");
	/* the creator ends: the segment keeps its name */
	procroot_processes(&(struct process){ 0 });
	tick();
	check_has("shmem.segment.rss[post (gres):32769] 40960000 bytes\n");
	procroot_put("proc/sysvipc/shm", HEADER);
	tick();
	check_lacks("shmem.segment.");
	check_has("shmem.total.sysv 0 bytes\n");
	check_has("shmem.total.other 51200000 bytes\n");
	check_has("shmem.count.segments 0 value\n");
}
END_TEST

static void put_pools(int total, int unused)
{
	procroot_put("proc/meminfo",
		     "MemTotal: 100000 kB\nMemFree: 1 kB\nCached: 90000 kB\nShmem: 50000 kB\nHugePages_Total: %d\n"
		     "HugePages_Free: %d\nHugepagesize: 2048 kB\nHugetlb: %d kB\n",
		     total, unused, total * 2048);
}

/* What is in huge pages is not in Shmem, and Linux 6.7 and later say too much of it. */
START_TEST(huge_segments)
{
	const int64_t page = sysconf(_SC_PAGESIZE), size = 2048 * KIB;
	const char *const head = "key shmid size cpid nattch rss swap\n";

	put_pools(5, 1);
	/* three huge pages, more than are in use, and base pages */
	procroot_put("proc/sysvipc/shm",
		     "%s0 1 6000000 0 1 6291456 0\n0 2 8388608 0 1 8388608 0\n0 3 8192 0 1 4096 0\n", head);
	procroot_start();
	tick();
	check_has("shmem.segment.rss[pid0:1] 6291456 bytes\n");
	ck_assert_int_eq(procroot_value("shmem.total.sysv"), (6291456 + 8388608 + 4096) * INT64_C(1000));
	ck_assert_int_eq(procroot_value("shmem.total.other"), (50000 * KIB - 8388608 - 4096) * 1000);
	/* one of one huge page, counted as one for each base page of it */
	procroot_put("proc/sysvipc/shm", "%s0 1 1048576 0 0 %" PRId64 " 0\n", head, size / page * size);
	tick();
	ck_assert_int_eq(procroot_value("shmem.segment.rss[pid0:1]"), size * 1000);
	ck_assert_int_eq(procroot_value("shmem.orphaned.sysv"), size * 1000);
	ck_assert_int_eq(procroot_value("shmem.total.other"), 50000 * KIB * 1000);
	/* one of very many, of which that is no more than the size */
	procroot_put("proc/sysvipc/shm", "%s0 1 %" PRId64 " 0 0 %" PRId64 " 0\n", head, 9 * size / page * size,
		     size / page * size);
	tick();
	ck_assert_int_eq(procroot_value("shmem.total.sysv"), size * 1000);
	ck_assert_int_eq(procroot_value("shmem.total.other"), 50000 * KIB * 1000);
	/* none is in use, or some is swapped: that is of base pages */
	put_pools(5, 5);
	procroot_put("proc/sysvipc/shm", "%s0 1 6291456 0 1 6291456 0\n", head);
	tick();
	ck_assert_int_eq(procroot_value("shmem.total.other"), (50000 * KIB - 6291456) * 1000);
	put_pools(5, 1);
	procroot_put("proc/sysvipc/shm", "%s0 1 6295552 0 1 6291456 4096\n", head);
	tick();
	ck_assert_int_eq(procroot_value("shmem.total.other"), (50000 * KIB - 6291456) * 1000);
}
END_TEST

START_TEST(hostile_segments)
{
	procroot_put("proc/sysvipc/shm",
		     HEADER "x\n 1 2 3 4x 5 6 7\n 1 2 600 4096 -5 6 0 0 0 0 0 0 0 1 99999999999999999999 1\n");
	procroot_start();
	tick();
	check_has("log warning shmem: '/proc/sysvipc/shm': '");
	check_has("shmem.segment.size[pid0:2] 4096 bytes\n");
	check_has("shmem.segment.rss[pid0:2] - bytes\n");
	tick();
	check_lacks("log ");
	procroot_put("proc/sysvipc/shm", HEADER);
	tick();
	check_has("log info shmem: '/proc/sysvipc/shm' is sound again\n");
}
END_TEST

static void put_segments(int first, int last)
{
	static char many[5000 * 64];
	size_t len = (size_t)snprintf(many, sizeof(many), "key shmid size cpid nattch rss swap\n");

	for (int i = first; i < last; i++)
		len += (size_t)snprintf(many + len, sizeof(many) - len, "0 %d 4096 0 0 4096 0\n", i);
	procroot_put("proc/sysvipc/shm", "%s", many);
}

/* More than there is room for: all are counted, and each has the place of one that ends. */
START_TEST(very_many_segments)
{
	procroot_set("shmem", "TopSegments", "1");
	put_segments(0, 4200);
	procroot_host.no_values = true;
	procroot_start();
	tick();
	procroot_host.no_values = false;
	tick();
	check_has("shmem.count.segments 4200 value\n");
	check_has("shmem.total.sysv 17203200 bytes\n");
	ck_assert_int_eq(procroot_value("shmem.segment.rss[other]"), 4095 * 4096 * INT64_C(1000));
	put_segments(200, 4250);
	for (int i = 0; i < 70; i++)
		tick();
	check_has("shmem.count.segments 4050 value\n");
	ck_assert_int_eq(procroot_value("shmem.segment.rss[other]"), 4049 * 4096 * INT64_C(1000));
	put_segments(4249, 4250);
	tick();
	check_lacks("shmem.segment.rss[pid0:4248]");
	check_has("shmem.count.segments 1 value\n");
}
END_TEST

/* What is mounted in another mount namespace, or over it, is not mistaken for it. */
START_TEST(out_of_reach)
{
	procroot_put(
		"proc/1/mountinfo",
		"20 1 0:20 / / rw - ext4 /dev/root rw\n21 20 250:77 / /dev/shm rw - tmpfs tmpfs rw\n"
		"22 20 250:78 / /no/such/place rw - tmpfs tmpfs rw\n23 20 250:79 /part /bind rw - tmpfs tmpfs rw\n"
		"24 20 250:78 / /again rw - tmpfs tmpfs rw\n25 20 250:80 / /huge\\040pages rw - hugetlbfs none rw\n"
		"nonsense\n");
	procroot_put("dev/shm/file", "something");
	procroot_start();
	tick();
	check_has("log warning shmem: '/proc/1/mountinfo': 'nonsense' is malformed\n");
	check_has("shmem.count.mounts 3 value\n");
	check_has("shmem.count.unreachable 3 value\n");
	check_has("shmem.count.files - value\n");
	check_has("shmem.total.tmpfs - bytes\n");
	check_has("shmem.orphaned.files - bytes\n");
	check_has("shmem.total.other 51200000 bytes\n");
	check_lacks("shmem.mount.");
	check_lacks("shmem.file.");
	ck_assert_str_eq(
		reason(),
		"mounts of process 1; those of other mount namespaces are not seen, 3 of 3 are out of reach; no "
		"segments: no /proc/sysvipc/shm");
}
END_TEST

START_TEST(nothing_at_all)
{
	procroot_remove("proc/meminfo");
	ck_assert_int_lt(qmem_start(procroot_host.q, QMEM_SECOND, QMEM_SECOND, procroot_now), 0);
	text = recorder_take(&procroot_host);
	check_has("neither /proc/1/mountinfo nor /proc/sysvipc/shm");
}
END_TEST

/* ---- on a tmpfs ---- */

static dev_t device;

static bool is_tmpfs(void)
{
	struct statfs fs;
	struct stat st;

	ck_assert_int_eq(statfs(procroot_path("proc"), &fs), 0);
	ck_assert_int_eq(stat(procroot_path("proc"), &st), 0);
	device = st.st_dev;
	return fs.f_type == TMPFS_MAGIC;
}

static void put_mounts(const char *more)
{
	procroot_put("proc/1/mountinfo", "21 20 %u:%u / /dev/shm rw - tmpfs shm rw,size=1k\n%s", major(device),
		     minor(device), more);
}

static void put_file(const char *name, size_t kib)
{
	char *content = malloc(kib * 1024 + 1);

	memset(content, 'x', kib * 1024);
	content[kib * 1024] = '\0';
	procroot_put(name, "%s", content);
	free(content);
}

static void put_maps(int pid, const char *name)
{
	char path[64];
	struct stat st = { 0 };

	if (name)
		ck_assert_int_eq(stat(procroot_path(name), &st), 0);
	snprintf(path, sizeof(path), "proc/%d/maps", pid);
	procroot_put(path,
		     "08048000-08056000 r-xp 00000000 fd:0c 64593 /usr/sbin/gpm\n"
		     "7f1200000000-7f1200021000 rw-s 00000000 %02x:%02x %" PRIu64 "                       /some name\n"
		     "7f1300000000-7f1300021000 rw-s 00000000 %02x:%02x %" PRIu64 "                       /some name\n",
		     major(device), minor(device), (uint64_t)st.st_ino, major(device), minor(device),
		     (uint64_t)st.st_ino);
}

/* Names that are hostile, hard links, directories, links that lead elsewhere; who maps what. */
START_TEST(files)
{
	char link_name[512];

	if (!is_tmpfs())
		return;
	procroot_set("shmem", "TopFiles", "3");
	put_mounts("");
	put_file("dev/shm/large", 400);
	put_file("dev/shm/a b\nc", 200);
	put_file("dev/shm/dir/below", 100);
	put_file("dev/shm/small", 4);
	put_file("elsewhere/huge", 1000);
	snprintf(link_name, sizeof(link_name), "%s", procroot_path("dev/shm/hard"));
	ck_assert_int_eq(link(procroot_path("dev/shm/large"), link_name), 0);
	ck_assert_int_eq(symlink("../../elsewhere", procroot_path("dev/shm/link")), 0);
	put_maps(11, "dev/shm/large");
	put_maps(12, "dev/shm/large");
	put_maps(13, NULL);
	procroot_start();
	tick();
	check_has("shmem.file.held[a b\\x0ac] 204800 bytes\n");
	check_has("shmem.count.files 4 value\n");
	check_has("shmem.count.unreachable 0 value\n");
	/* under either of its names */
	ck_assert(strstr(text, "shmem.mapped.mapped[large] 2 processes\n") ||
		  strstr(text, "shmem.mapped.mapped[hard] 2 processes\n"));
	check_has("shmem.mapped.mapped[a b\\x0ac] 0 processes\n");
	check_lacks("huge");
	/* what others have on that file system is not in the list */
	check_has("shmem.file.held[/unlisted] ");
	ck_assert_int_eq(procroot_value("shmem.orphaned.files"), (200 + 100 + 4) * KIB * 1000);
	ck_assert_int_gt(procroot_value("shmem.total.tmpfs"), 700 * KIB * 1000);
	/* in five minutes it is looked again who maps them; who is new is not known meanwhile */
	put_file("dev/shm/new", 300);
	put_maps(12, "dev/shm/new");
	procroot_now += 10 * QMEM_SECOND;
	tick();
	check_lacks("shmem.mapped.mapped[new]");
	procroot_now += 300 * QMEM_SECOND;
	tick();
	check_has("shmem.mapped.mapped[new] 1 processes\n");
}
END_TEST

/* That nobody maps a file is not known where somebody may not be looked at; that somebody does is. */
START_TEST(not_all_maps)
{
	static char maps[200000];

	if (!is_tmpfs())
		return;
	put_mounts("");
	put_file("dev/shm/mapped", 400);
	put_file("dev/shm/free", 200);
	put_maps(11, "dev/shm/mapped");
	/* no maps at all, and no end */
	memset(maps, 'x', sizeof(maps) - 1);
	procroot_put("proc/12/maps", "%s", maps);
	procroot_set("shmem", "TopFiles", "3");
	procroot_start();
	tick();
	check_has("shmem.mapped.mapped[mapped] 1 processes\n");
	check_lacks("shmem.mapped.mapped[free] 0");
	check_has("shmem.orphaned.files - bytes\n");
}
END_TEST

START_TEST(maps_are_bounded)
{
	static char maps[200000];

	if (!is_tmpfs())
		return;
	put_mounts("");
	put_file("dev/shm/free", 200);
	for (size_t i = 0; i + 50 < sizeof(maps); i += 50)
		memcpy(maps + i, "7f1200000000-7f1200021000 r-xp 00000000 00:00 0  \n", 50);
	procroot_put("proc/12/maps", "%s", maps);
	procroot_set("shmem", "MapsMost", "64k");
	procroot_start();
	tick();
	check_lacks("shmem.mapped.");
	ck_assert_ptr_nonnull(strstr(reason(), "who maps files is not known: there are more maps than MapsMost"));
}
END_TEST

START_TEST(maps_never)
{
	if (!is_tmpfs())
		return;
	put_mounts("");
	put_file("dev/shm/free", 200);
	put_maps(11, NULL);
	procroot_set("shmem", "MappedAge", "0");
	procroot_start();
	tick();
	check_has("shmem.file.held[free] 204800 bytes\n");
	check_lacks("shmem.mapped.");
	check_has("shmem.age.mapped - seconds\n");
}
END_TEST

/* More files than are looked at, and deeper. */
START_TEST(bounds)
{
	char name[128];

	if (!is_tmpfs())
		return;
	put_mounts("");
	for (int i = 0; i < LOOK_FILES + 10; i++) {
		snprintf(name, sizeof(name), "dev/shm/f%d", i);
		procroot_put(name, "x");
	}
	procroot_host.no_values = true;
	procroot_start();
	tick();
	procroot_host.no_values = false;
	tick();
	check_has("shmem.count.files 4096 value\n");
	check_has("shmem.file.held[other] ");
}
END_TEST

static void wait_for_stuck(void)
{
	procroot_now += 31 * QMEM_SECOND;
	qmem_dispatch(procroot_host.q, NULL, 0, procroot_now);
	text = recorder_take(&procroot_host);
	ck_assert_ptr_nonnull(procroot_host.left);
}

/* A mount that does not answer is left, and the others are looked at. */
START_TEST(stuck)
{
	if (!is_tmpfs())
		return;
	procroot_put("proc/sysvipc/shm", HEADER);
	put_mounts("22 20 250:78 / /no/such/place rw - tmpfs tmpfs rw\n");
	put_file("dev/shm/file", 200);
	procroot_host.hold_jobs = true;
	procroot_start();
	tick();
	check_has("shmem.total.tmpfs - bytes\n");
	check_has("shmem.total.sysv 0 bytes\n");
	wait_for_stuck();
	check_has("event WARNING shmem.worker[tmpfs] file is stuck, all else goes on: ");
	/* it was at the first: that one is left out */
	tick();
	ck_assert(procroot_work(1000));
	tick();
	check_has("shmem.count.mounts 2 value\n");
	check_has("shmem.count.unreachable 2 value\n");
	/* it comes back late */
	ck_assert(recorder_come_back(&procroot_host));
	procroot_now += 10 * QMEM_SECOND;
	tick();
	ck_assert(procroot_work(1000));
	tick();
	check_has("shmem.count.unreachable 1 value\n");
	check_has("shmem.file.held[file] 204800 bytes\n");
}
END_TEST

/* As many mounts as there may be threads left behind do not answer: one after the other is left out. */
START_TEST(stuck_mounts)
{
	if (!is_tmpfs())
		return;
	put_mounts("22 20 250:78 / /no/such/place rw - tmpfs tmpfs rw\n23 20 250:79 / /nor/here rw - tmpfs tmpfs rw\n");
	put_file("dev/shm/file", 200);
	procroot_host.hold_jobs = true;
	procroot_start();
	tick();
	for (int at = 0; at < 3; at++) {
		/* it gets there, past those that are left out */
		((struct look *)(void *)procroot_host.jobs)->at = at;
		wait_for_stuck();
		tick();
	}
	ck_assert(procroot_work(1000));
	tick();
	check_has("shmem.count.unreachable 3 value\n");
	check_lacks("shmem.mount.used");
	/* that at the last of them comes back */
	ck_assert(recorder_come_back(&procroot_host));
	procroot_now += 10 * QMEM_SECOND;
	tick();
	ck_assert(procroot_work(1000));
	tick();
	check_has("shmem.count.unreachable 3 value\n");
	while (recorder_come_back(&procroot_host))
		continue;
	procroot_now += 10 * QMEM_SECOND;
	tick();
	ck_assert(procroot_work(1000));
	tick();
	check_has("shmem.count.unreachable 2 value\n");
	check_has("shmem.mount.used[/dev/shm] ");
}
END_TEST

/* ---- while others are stuck at a process ---- */

static void run_nothing(struct qmem_job *job)
{
	(void)job;
}

static void done_nothing(struct qmem *q, struct qmem_job *job)
{
	(void)q;
	(void)job;
}

static struct qmem_job blocked;

/* Before shmem in the lane. */
static int block(struct qmem *q, void *state)
{
	(void)state;
	if (blocked.run)
		return 0;
	blocked = (struct qmem_job){
		.run = run_nothing, .done = done_nothing, .lane = QMEM_TARGETS, .what = "smaps", .pid = 12, .uid = 7
	};
	return qmem_work(q, &blocked);
}

static const struct qmem_service blocker_service = { .name = "blocker", .priority = 9900, .collect = block };
static const struct qmem_service *const more_services[] = { &meminfo_service, &blocker_service, &shmem_service,
							    &proctable_service, NULL };

static void setup_more(void)
{
	memset(&blocked, 0, sizeof(blocked));
	procroot_begin(more_services);
	procroot_set("meminfo", "Enabled", "no");
	procroot_set("proctable", "Enabled", "yes");
	procroot_set("shmem", "Detail", "yes");
	put_meminfo();
}

/* Whoever has a process that does not let itself be read keeps nobody from looking at the others. */
START_TEST(shunned)
{
	static const struct process all[] = {
		{ .pid = 11, .comm = "a", .state = 'S', .start = 10, .uid = 8 },
		{ .pid = 12, .comm = "b", .state = 'S', .start = 10 },
		{ 0 },
	};

	if (!is_tmpfs())
		return;
	put_mounts("");
	put_file("dev/shm/file", 200);
	procroot_processes(all);
	put_maps(11, "dev/shm/file");
	put_maps(12, "dev/shm/file");
	procroot_host.hold_jobs = true;
	procroot_start();
	tick();
	wait_for_stuck();
	check_has("event WARNING blocker.worker[smaps_12] file is stuck, all else goes on: ");
	/* what waited behind it looks again whom to leave alone */
	ck_assert_ptr_null(procroot_host.jobs);
	tick();
	ck_assert(procroot_work(1000));
	tick();
	check_has("shmem.mapped.mapped[file] 1 processes\n");
	check_has("shmem.orphaned.files - bytes\n");
	ck_assert_ptr_nonnull(
		strstr(reason_of(2), "the maps of 1 processes are left alone, as files of theirs are stuck"));
	ck_assert(recorder_come_back(&procroot_host));
	procroot_now += 300 * QMEM_SECOND;
	tick();
	ck_assert(procroot_work(1000));
	tick();
	check_has("shmem.mapped.mapped[file] 2 processes\n");
}
END_TEST

/* Ends while a look is at the worker, and while one is left. */
START_TEST(end_meanwhile)
{
	if (!is_tmpfs())
		return;
	put_mounts("");
	procroot_host.hold_jobs = true;
	procroot_start();
	tick();
	wait_for_stuck();
	tick();
	ck_assert_ptr_nonnull(procroot_host.jobs);
}
END_TEST

SUITE(shmem)
{
	Suite *s = suite_create("shmem");
	TCase *t = tcase_create("shmem"), *u = tcase_create("on a tmpfs"), *v = tcase_create("with others");

	tcase_add_checked_fixture(t, setup, procroot_end);
	tcase_add_test(t, segments);
	tcase_add_test(t, huge_segments);
	tcase_add_test(t, hostile_segments);
	tcase_add_test(t, very_many_segments);
	tcase_add_test(t, out_of_reach);
	tcase_add_test(t, nothing_at_all);
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(u, setup, procroot_end);
	tcase_add_test(u, files);
	tcase_add_test(u, not_all_maps);
	tcase_add_test(u, maps_are_bounded);
	tcase_add_test(u, maps_never);
	tcase_add_test(u, bounds);
	tcase_add_test(u, stuck);
	tcase_add_test(u, stuck_mounts);
	tcase_add_test(u, end_meanwhile);
	suite_add_tcase(s, u);
	tcase_add_checked_fixture(v, setup_more, procroot_end);
	tcase_add_test(v, shunned);
	suite_add_tcase(s, v);
	return s;
}
