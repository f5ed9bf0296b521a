/* SPDX-License-Identifier: MIT */
/* Watched files: what the service makes of scans, on a root whose files are made here. */
#include "unit.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "procroot.h"
#include "services.h"

static const struct qmem_service *const services[] = { &pagecache_service, NULL };
static struct recorder *const r = &procroot_host;
static int64_t page;

static void make(const char *name, int pages)
{
	int fd;

	procroot_put(name, "%s", "");
	fd = open(procroot_path(name), O_WRONLY);
	ck_assert_int_ge(fd, 0);
	for (int i = 0; i < pages; i++)
		ck_assert_int_eq(pwrite(fd, "x", 1, i * page), 1);
	ck_assert_int_eq(ftruncate(fd, pages * page), 0);
	close(fd);
}

static void watch(const char *pattern, const char *depth)
{
	struct qmem_error error = { "" };

	ck_assert_msg(!qmem_set(r->q, "pagecache", "File", pattern, "Depth", depth, &error), "%s", error.text);
}

static void setup_root(const struct qmem_service *const *all)
{
	page = sysconf(_SC_PAGESIZE);
	procroot_begin(all);
	procroot_put("proc/vmstat", "nr_dirty 1\nnr_writeback 1\nnr_written 1\nnr_dirty_threshold 1000\n"
				    "nr_dirty_background_threshold 500\n");
	procroot_put("proc/meminfo", "Cached: %lld kB\n", (long long)(100 * page / 1024));
	procroot_set("pagecache", "TopDevices", "0");
	make("db/a", 4);
	make("db/b", 8);
	make("db/c", 2);
	make("db/d", 1);
	make("web/x", 16);
}

static void setup(void)
{
	setup_root(services);
}

/* Bytes of so many pages, as procroot_value() has them. */
static int64_t pages(int64_t n)
{
	return n * page * 1000;
}

static const char *reason(void)
{
	struct qmem_status status;

	ck_assert(qmem_status(r->q, 0, &status));
	return status.reason;
}

#define is(name_, value_) ck_assert_int_eq(procroot_value("pagecache." name_), value_)
#define absent(name_) ck_assert_int_eq(procroot_value("pagecache." name_), -1)

/* ---- */

START_TEST(values)
{
	procroot_set("pagecache", "TopFiles", "2");
	watch("/db/?", "0");
	procroot_start();
	procroot_tick();
	is("file.resident[/db/a]", pages(4));
	is("file.resident[/db/b]", pages(8));
	is("file.resident[other]", pages(3));
	is("file.writeback[/db/a]", 0);
	is("share.file[/db/a]", 100000);
	is("share.cache[/db/a]", 4000);
	is("share.cache[/db/b]", 8000);
	is("share.cache[other]", 3000);
	is("share.file[other]", 100000);
	is("files.measured", 4000);
	is("files.twice", 0);
	is("age.oldest", 0);
	/* repeated until they are looked at again */
	make("db/a", 9);
	for (int i = 1; i < 30; i++) {
		procroot_tick();
		is("file.resident[/db/a]", pages(4));
		is("age.oldest", i * 1000);
	}
	procroot_tick();
	is("file.resident[/db/a]", pages(9));
	is("age.oldest", 0);
	ck_assert_str_eq(reason(), "");
}
END_TEST

START_TEST(none_watched)
{
	procroot_start();
	procroot_tick();
	absent("files.measured");
	absent("age.oldest");
	is("dirty.hard", 200);
}
END_TEST

/* What cannot be begun holds nobody up. */
START_TEST(no_processes)
{
	procroot_set("pagecache", "OpenFiles", "yes");
	watch("/db/*", "0");
	procroot_start();
	procroot_tick();
	is("files.measured", 4000);
	ck_assert_ptr_nonnull(strstr(reason(), "no open files: no service runs that has the table of processes"));
}
END_TEST

/* A file counts once, whatever the names and the blocks. */
START_TEST(each_once)
{
	char path[256];

	snprintf(path, sizeof(path), "%s", procroot_path("db/a"));
	ck_assert_int_eq(link(path, procroot_path("web/a")), 0);
	ck_assert_int_eq(link(path, procroot_path("db/z")), 0);
	watch("/db/*", "0");
	watch("/web", "1");
	watch("/db/b", "0");
	procroot_start();
	procroot_tick();
	is("files.measured", 5000);
	is("files.twice", 3000);
	is("file.resident[/db/a]", pages(4));
	absent("file.resident[/web/a]");
	absent("file.resident[/db/z]");
	is("file.resident[/web/x]", pages(16));
	is("file.resident[/db/b]", pages(8));
}
END_TEST

START_TEST(come_and_go)
{
	procroot_set("pagecache", "FileAge", "1s");
	watch("/db/*", "0");
	procroot_start();
	procroot_tick();
	ck_assert_int_eq(unlink(procroot_path("db/a")), 0);
	make("db/new", 3);
	procroot_tick();
	absent("file.resident[/db/a]");
	is("file.resident[/db/new]", pages(3));
	procroot_put("proc/meminfo", "MemFree: 1 kB\n");
	procroot_tick();
	ck_assert(procroot_value("pagecache.share.cache[/db/new]") == QMEM_NA);
	is("share.file[/db/new]", 100000);
}
END_TEST

START_TEST(empty_files)
{
	make("db/none", 0);
	watch("/db/none", "0");
	procroot_start();
	procroot_tick();
	is("file.resident[/db/none]", 0);
	ck_assert(procroot_value("pagecache.share.file[/db/none]") == QMEM_NA);
	is("share.cache[/db/none]", 0);
}
END_TEST

START_TEST(too_many)
{
	procroot_set("pagecache", "MaxFiles", "2");
	watch("/db/*", "0");
	procroot_start();
	procroot_tick();
	is("files.measured", 2000);
	is("files.omitted", 2000);
	procroot_tick();
	ck_assert_ptr_nonnull(strstr(reason(), "there are more files than MaxFiles"));
}
END_TEST

static const struct {
	const char *pattern, *error;
} wrong[] = {
	{ "db/*", "does not begin with '/'" },
	{ "/db/../x", "has a '.' or '..' for a name" },
	{ "/", "is all there is" },
};

START_TEST(wrong_patterns)
{
	struct qmem_error error = { "" };

	ck_assert_int_lt(qmem_set(r->q, "pagecache", "File", wrong[_i].pattern, "Depth", "1", &error), 0);
	ck_assert_msg(strstr(error.text, wrong[_i].error) != NULL, "%s", error.text);
}
END_TEST

/* ---- very many ---- */

static uint64_t look(void)
{
	return procroot_now += 5 * QMEM_SECOND / 1000;
}

/* A tick, and what is said to the end of it; between its first two slices what has been held is done. */
static const char *whole_tick(void)
{
	int err;

	procroot_now += QMEM_SECOND;
	recorder_take(r);
	err = qmem_collect(r->q, procroot_now);
	ck_assert_int_eq(err, QMEM_MORE);
	for (int i = 0; i < 3; i++)
		procroot_work(0);
	while (err == QMEM_MORE)
		err = qmem_go_on(r->q, procroot_now);
	ck_assert_int_eq(err, 0);
	return recorder_take(r);
}

/* No host is held until all are summed up; a list that comes meanwhile waits until that is done. */
START_TEST(slices)
{
	struct qmem_totals totals;
	const char *text;
	char name[32];

	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "many/%d", i);
		procroot_put(name, "%s", "");
	}
	procroot_set("pagecache", "FileAge", "1ms");
	watch("/many", "1");
	watch("/db/*", "0");
	r->clock = look;
	procroot_start();
	text = whole_tick();
	ck_assert_msg(strstr(text, "pagecache.files.measured 1004 ") != NULL, "%s", text);
	make("db/more", 3);
	r->hold_jobs = true;
	procroot_now += QMEM_SECOND;
	ck_assert_int_eq(qmem_collect(r->q, procroot_now), 0);
	for (int i = 0; i < 3; i++)
		procroot_work(0);
	make("db/still_more", 7);
	text = whole_tick();
	ck_assert_msg(strstr(text, "pagecache.files.measured 1005 ") != NULL, "%s", text);
	ck_assert_ptr_null(strstr(text, "still_more"));
	text = whole_tick();
	ck_assert_msg(strstr(text, "pagecache.files.measured 1006 ") != NULL, "%s", text);
	ck_assert_msg(strstr(text, "pagecache.file.resident[/db/still_more] ") != NULL, "%s", text);
	qmem_totals(r->q, &totals);
	ck_assert_uint_lt(totals.longest_hold, 50 * QMEM_SECOND / 1000);
}
END_TEST

/* ---- on the worker ---- */

/* What a job costs is paid for before the next. */
START_TEST(budget)
{
	int jobs = 0;

	procroot_set("pagecache", "FileBudget", "10ms");
	procroot_set("pagecache", "FileAge", "1ms");
	watch("/db/*", "0");
	r->hold_jobs = true;
	procroot_start();
	for (int i = 0; i < 100; i++) {
		procroot_tick();
		while (procroot_work(50000000))
			jobs++;
	}
	ck_assert_int_ge(jobs, 19);
	ck_assert_int_le(jobs, 23);
	is("file.resident[/db/a]", pages(4));
}
END_TEST

static void pass_time(int seconds)
{
	procroot_now += (uint64_t)seconds * QMEM_SECOND;
	qmem_dispatch(r->q, NULL, 0, procroot_now);
}

/* A file server that is dead holds one thread, and the other blocks go on. */
START_TEST(stuck)
{
	const char *text;

	procroot_set("pagecache", "FileAge", "1s");
	watch("/db/*", "0");
	watch("/web", "1");
	r->hold_jobs = true;
	procroot_start();
	procroot_tick();
	/* one at a time */
	ck_assert_ptr_nonnull(r->jobs);
	ck_assert_ptr_null(r->jobs->next);
	ck_assert_str_eq(r->jobs->what, "files of '/web'");
	pass_time(30);
	text = recorder_take(r);
	ck_assert_msg(strstr(text, "event WARNING pagecache.worker[files_2]") != NULL, "%s", text);
	ck_assert_ptr_nonnull(r->left);
	for (int i = 0; i < 5; i++) {
		procroot_tick();
		ck_assert_str_eq(r->jobs->what, "files of '/db/*'");
		ck_assert_ptr_null(r->jobs->next);
		make("db/a", i + 1);
		procroot_work(0);
	}
	procroot_tick();
	is("file.resident[/db/a]", pages(5));
	absent("file.resident[/web/x]");
	ck_assert(recorder_come_back(r));
	for (int i = 0; i < 5; i++) {
		procroot_work(0);
		procroot_tick();
	}
	is("file.resident[/web/x]", pages(16));
}
END_TEST

/* What has been known of it is shown for a while, and then it is not. */
START_TEST(stuck_later)
{
	procroot_set("pagecache", "FileAge", "1s");
	watch("/web", "1");
	procroot_start();
	procroot_tick();
	is("file.resident[/web/x]", pages(16));
	r->hold_jobs = true;
	procroot_tick();
	pass_time(30);
	ck_assert_ptr_nonnull(r->left);
	procroot_tick();
	is("file.resident[/web/x]", pages(16));
	pass_time(300);
	procroot_tick();
	absent("file.resident[/web/x]");
	absent("files.measured");
	ck_assert(recorder_come_back(r));
	procroot_tick();
	is("file.resident[/web/x]", pages(16));
}
END_TEST

/* Ticks until it is the turn of this one, which is left behind then. */
static void get_stuck(const char *what)
{
	const struct qmem_job *left = r->left;

	for (int i = 0; i < 20; i++) {
		procroot_tick();
		if (r->jobs && strcmp(r->jobs->what, what) == 0)
			break;
		procroot_work(0);
	}
	ck_assert_ptr_nonnull(r->jobs);
	ck_assert_str_eq(r->jobs->what, what);
	pass_time(30);
	ck_assert_ptr_ne(r->left, left);
}

/* What is on the same device waits, however often it has come to an end: it would be stuck, too. */
START_TEST(stuck_device)
{
	procroot_set("pagecache", "FileAge", "1s");
	watch("/db/*", "0");
	watch("/web", "1");
	watch("/web/*", "0");
	procroot_start();
	procroot_tick();
	r->hold_jobs = true;
	get_stuck("files of '/web'");
	for (int i = 0; i < 5; i++) {
		procroot_tick();
		ck_assert_ptr_null(r->jobs);
	}
	ck_assert_ptr_nonnull(strstr(reason(), "2 patterns wait for one that is stuck"));
	is("file.resident[/db/a]", pages(4));
	ck_assert(recorder_come_back(r));
	make("db/a", 9);
	for (int i = 0; i < 5; i++) {
		procroot_work(0);
		procroot_tick();
	}
	is("file.resident[/db/a]", pages(9));
	ck_assert_ptr_null(strstr(reason(), "patterns wait"));
}
END_TEST

/* false: it may not be done here. */
static bool mount_at(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s", procroot_path(name));
	return !mkdir(path, 0755) && !mount("none", path, "tmpfs", 0, NULL);
}

static bool jobs_are_of(const char *what, int ticks)
{
	bool any = false;

	for (int i = 0; i < ticks; i++) {
		procroot_tick();
		any |= r->jobs && strcmp(r->jobs->what, what) == 0;
		procroot_work(0);
	}
	return any;
}

/* Those on other devices go on, until there is one thread left for others. */
START_TEST(stuck_devices)
{
	static const char *const far[] = { "far0", "far1", "far2" };
	char pattern[32];

	if (unshare(CLONE_NEWNS) || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL))
		return;
	procroot_set("pagecache", "FileAge", "1s");
	for (int i = 0; i < 3; i++) {
		ck_assert(mount_at(far[i]));
		snprintf(pattern, sizeof(pattern), "far%d/x", i);
		make(pattern, i + 1);
		snprintf(pattern, sizeof(pattern), "/far%d", i);
		watch(pattern, "1");
	}
	watch("/far0/*", "0");
	watch("/db/*", "0");
	procroot_start();
	procroot_tick();
	is("files.measured", 7000);
	r->hold_jobs = true;
	get_stuck("files of '/far0'");
	ck_assert(!jobs_are_of("files of '/far0/*'", 10));
	ck_assert(jobs_are_of("files of '/db/*'", 10));
	get_stuck("files of '/far1'");
	ck_assert(jobs_are_of("files of '/db/*'", 10));
	get_stuck("files of '/far2'");
	for (int i = 0; i < 5; i++) {
		procroot_tick();
		ck_assert_ptr_null(r->jobs);
	}
	ck_assert_ptr_nonnull(strstr(reason(), "2 patterns wait"));
	/* what is known of them is known no longer */
	pass_time(310);
	procroot_tick();
	absent("files.measured");
	ck_assert(recorder_come_back(r));
	ck_assert(jobs_are_of("files of '/db/*'", 10));
	ck_assert(!jobs_are_of("files of '/far0/*'", 10));
	ck_assert(recorder_come_back(r));
	ck_assert(recorder_come_back(r));
	ck_assert(jobs_are_of("files of '/far0/*'", 10));
	r->hold_jobs = false;
	procroot_tick();
	is("files.measured", 7000);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(umount2(procroot_path(far[i]), MNT_DETACH), 0);
}
END_TEST

/* Of a list that is not known any more nothing is counted. */
START_TEST(stuck_uncounted)
{
	procroot_set("pagecache", "FileAge", "1s");
	procroot_set("pagecache", "MaxFiles", "2");
	watch("/db/*", "0");
	watch("/web", "1");
	procroot_start();
	for (int i = 0; i < 3; i++)
		procroot_tick();
	is("files.measured", 3000);
	is("files.omitted", 2000);
	ck_assert_ptr_nonnull(strstr(reason(), "MaxFiles"));
	r->hold_jobs = true;
	procroot_tick();
	while (strcmp(r->jobs->what, "files of '/db/*'") != 0) {
		procroot_work(0);
		procroot_tick();
	}
	pass_time(30);
	ck_assert_ptr_nonnull(r->left);
	pass_time(300);
	procroot_tick();
	absent("files.measured");
	procroot_tick();
	ck_assert_ptr_null(strstr(reason(), "MaxFiles"));
}
END_TEST

/* No more threads than two; those that have been seen to work go on, and all when these are back. */
START_TEST(stuck_many)
{
	procroot_set("pagecache", "FileAge", "1s");
	make("db2/a", 1);
	make("db3/a", 1);
	watch("/db/*", "0");
	watch("/web", "1");
	watch("/db2", "1");
	watch("/db3", "1");
	procroot_start();
	r->hold_jobs = true;
	procroot_tick();
	ck_assert_str_eq(r->jobs->what, "files of '/web'");
	procroot_work(0);
	for (int i = 0; i < 2; i++) {
		procroot_tick();
		ck_assert_ptr_nonnull(r->jobs);
		ck_assert_str_ne(r->jobs->what, "files of '/web'");
		pass_time(30);
		recorder_take(r);
	}
	ck_assert_ptr_nonnull(r->left);
	ck_assert_ptr_nonnull(r->left->next);
	for (int i = 0; i < 10; i++) {
		procroot_tick();
		ck_assert_ptr_nonnull(r->jobs);
		ck_assert_str_eq(r->jobs->what, "files of '/web'");
		procroot_work(0);
	}
	ck_assert(recorder_come_back(r));
	ck_assert(recorder_come_back(r));
	for (int i = 0; i < 10; i++) {
		procroot_tick();
		procroot_work(0);
	}
	is("file.resident[/db3/a]", pages(1));
	is("files.measured", 7000);
}
END_TEST

/* The engine goes while a job is out: the job frees what it has. */
START_TEST(gone_meanwhile)
{
	watch("/db/*", "0");
	r->hold_jobs = true;
	procroot_start();
	procroot_tick();
	ck_assert_ptr_nonnull(r->jobs);
}
END_TEST

START_TEST(no_worker)
{
	watch("/db/*", "0");
	r->no_jobs = true;
	procroot_start();
	for (int i = 0; i < 3; i++)
		procroot_tick();
	absent("files.measured");
	r->no_jobs = false;
	procroot_tick();
	is("files.measured", 4000);
	/* what was known once is shown for a while */
	r->no_jobs = true;
	for (int i = 0; i < 100; i++)
		procroot_tick();
	is("files.measured", 4000);
	pass_time(300);
	procroot_tick();
	absent("files.measured");
	r->no_jobs = false;
	procroot_tick();
	is("files.measured", 4000);
}
END_TEST

/* ---- open files ---- */

static const struct qmem_service *const with_processes[] = { &pagecache_service, &proctable_service, &procmem_service,
							     NULL };

/* The same, and two processes. */
static void setup_processes(void)
{
	static const struct process all[] = {
		{ .pid = 1, .comm = "init", .state = 'S', .start = 1 },
		{ .pid = 10, .ppid = 1, .comm = "db", .state = 'S', .start = 2 },
		{ 0 },
	};

	setup_root(with_processes);
	procroot_processes(all);
	procroot_set("pagecache", "OpenFiles", "yes");
	procroot_set("pagecache", "FileAge", "1s");
}

/* The next one of maps that is not of a process yet, others are done; NULL: there is none. */
static struct qmem_job *next_maps(void)
{
	for (int i = 0; i < 20; i++) {
		procroot_tick();
		for (int k = 0; k < 20 && r->jobs; k++) {
			if (strcmp(r->jobs->what, "maps") == 0 && !r->jobs->pid)
				return r->jobs;
			procroot_work(0);
		}
	}
	return NULL;
}

/* A process that lets nobody read its maps holds up the others no longer than that takes to be seen. */
START_TEST(stuck_process)
{
	struct qmem_job *job;

	watch("/db/*", "0");
	procroot_start();
	for (int i = 0; i < 5; i++)
		procroot_tick();
	r->hold_jobs = true;
	for (int32_t pid = 10; pid < 13; pid++) {
		job = next_maps();
		ck_assert_ptr_nonnull(job);
		QMEM_JOB_AT(job, pid, 7);
		pass_time(30);
		ck_assert_ptr_eq(r->left, job);
	}
	/* three, and there is no fourth, nor any other job of ours */
	for (int i = 0; i < 10; i++) {
		procroot_tick();
		for (int k = 0; k < 20 && r->jobs; k++) {
			ck_assert_str_ne(r->jobs->what, "maps");
			ck_assert_ptr_null(strstr(r->jobs->what, "files of"));
			procroot_work(0);
		}
	}
	ck_assert(recorder_come_back(r));
	ck_assert_ptr_nonnull(next_maps());
}
END_TEST

SUITE(pagecache_file)
{
	Suite *s = suite_create("pagecache_file");
	TCase *t = tcase_create("files");

	tcase_add_checked_fixture(t, setup, procroot_end);
	tcase_add_test(t, values);
	tcase_add_test(t, none_watched);
	tcase_add_test(t, no_processes);
	tcase_add_test(t, each_once);
	tcase_add_test(t, come_and_go);
	tcase_add_test(t, empty_files);
	tcase_add_test(t, too_many);
	tcase_add_loop_test(t, wrong_patterns, 0, sizeof(wrong) / sizeof(*wrong));
	tcase_add_test(t, slices);
	tcase_add_test(t, budget);
	tcase_add_test(t, stuck);
	tcase_add_test(t, stuck_later);
	tcase_add_test(t, stuck_device);
	tcase_add_test(t, stuck_devices);
	tcase_add_test(t, stuck_uncounted);
	tcase_add_test(t, stuck_many);
	tcase_add_test(t, gone_meanwhile);
	tcase_add_test(t, no_worker);
	suite_add_tcase(s, t);

	t = tcase_create("processes");
	tcase_add_checked_fixture(t, setup_processes, procroot_end);
	tcase_add_test(t, stuck_process);
	suite_add_tcase(s, t);
	return s;
}
