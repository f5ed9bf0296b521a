/* SPDX-License-Identifier: MIT */
/*
 * Processes to be looked at.
 *	crowd KIND [N]
 * prints a line of their pids once they are what they shall be, and ends, with all of them, when stdin does.
 *	sleepers	N, each with some memory of its own
 *	burners		N that run and touch memory, now and then
 *	spinners	N that run
 *	machine		N of 50 names; one in 25 runs and touches memory for a moment each second, the others sleep
 *	sharers		N with one shared memory, and a file
 *	threads		one with N threads more
 *	wrapped		one with a thread that has run, and has a smaller number, if that can be chosen
 *	ended		one of whose threads N have run, and ended; another one has run, and sleeps
 *	vmas		one with N mappings
 *	quiet		N of N names, that sleep
 *	renamers	the same, but each gives itself a new name, again and again, some times a second
 *	zombie		one that has ended
 *	leaderless	one whose first thread has ended, while another one lives and has some memory
 *	stopped		one
 *	blocked		one in state D
 *	mob		N in state D, each with a name of its own, of the user nobody if we are root
 *	blocked_thread	one with a thread in state D, which is not its first
 *	names		one for each hostile name
 *	robbed		a line on stdin: it loses N pages of shared memory, in its sleep
 *	paged		a line on stdin: N pages of its memory go to swap, in its sleep
 *	files		one with N open descriptors, of which few are neighbours
 *	io		at each line on stdin a thread, which ends, writes N pages to a file in $TMPDIR, syncs it, and reads it from the disk;
 *			a child, which is waited for, and another one, which nobody waits for, do the same; then N pages more are
 *			written, and cut off
 *	mapper		changes its address space N times at each line on stdin
 *	reused		a line on stdin: ends, and another process gets its pid
 *	churn		N processes, one after the other, of a few at a time; a line "done". With a second number, so many at a
 *			time, which live for a moment, have some memory, and names that come again and again
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *const names[] = {
	"a) S\n1 (b",
	"((sd-pam))",
	")",
	"(",
	" ",
	"",
	"\n",
	"\xff\xfe\x01",
	"x y z",
	"1234567890123456",
	"kworker/9:9-me",
	/* two of each, that must not be taken for one */
	"q\x01",
	"q\x02",
	"q\\x01",
	"q\\x5cx01",
	"DOM\\alice",
	"q\xe2\x80\xae",
	"q\xe2\x80\xab",
};

static size_t page;
static int ready[2]; /* children write a byte when they are set up */

static void fail(const char *what)
{
	perror(what);
	_exit(1);
}

static void *map(size_t size, int flags, int fd)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (memory == MAP_FAILED)
		fail("mmap");
	return memory;
}

static void touch(void *memory, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		((volatile char *)memory)[i * page] = 1;
}

static void set_up(void)
{
	if (write(ready[1], "", 1) != 1)
		_exit(1);
}

static void sleep_for_ever(void)
{
	set_up();
	for (;;)
		pause();
}

static pid_t child(void)
{
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (!pid && prctl(PR_SET_PDEATHSIG, SIGKILL))
		_exit(1);
	return pid;
}

static void burn(long i)
{
	char *memory = map(64 * page, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	set_up();
	for (unsigned n = 0;; n++) {
		((volatile char *)memory)[(n & 63) * page] = (char)i;
		if (n % 4096 == 0)
			usleep(5000); /* the machine has other things to do, too */
		if (n % 65536 == 0)
			madvise(memory, 64 * page, MADV_DONTNEED);
	}
}

/* Once a second a tenth of a millisecond, each at its own time. */
static void work(long i)
{
	char *memory = map(16 * page, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	struct timespec before, now;

	set_up();
	usleep((useconds_t)(i * 7919 % 1000000));
	for (;;) {
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
		touch(memory, 16);
		madvise(memory, 16 * page, MADV_DONTNEED);
		do
			clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
		while ((now.tv_sec - before.tv_sec) * 1000000000 + now.tv_nsec - before.tv_nsec < 100000);
		sleep(1);
	}
}

static bool busy; /* threads run before they sleep */

static void *run_thread(void *unused)
{
	struct timespec t;

	(void)unused;
	touch(map(50 * page, MAP_PRIVATE | MAP_ANONYMOUS, -1), 50);
	do
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	while (t.tv_nsec < 40000000);
	return NULL;
}

static void *sleep_thread(void *arg)
{
	if (busy)
		run_thread(NULL);
	touch(map(4 * page, MAP_PRIVATE | MAP_ANONYMOUS, -1), 4);
	pthread_barrier_wait(arg);
	for (;;)
		pause();
	return NULL;
}

static void run_threads(long n)
{
	pthread_barrier_t *barrier = map(sizeof(*barrier), MAP_PRIVATE | MAP_ANONYMOUS, -1);
	pthread_attr_t attr;
	pthread_t thread;

	pthread_barrier_init(barrier, NULL, (unsigned)n + 1);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 << 10);
	for (long i = 0; i < n; i++)
		if (pthread_create(&thread, &attr, sleep_thread, barrier))
			fail("pthread_create");
	pthread_barrier_wait(barrier);
	sleep_for_ever();
}

static void run_ended(long n)
{
	pthread_t thread;

	for (long i = 0; i < n; i++)
		if (pthread_create(&thread, NULL, run_thread, NULL) || pthread_join(thread, NULL))
			fail("pthread_create");
	busy = true;
	run_threads(1);
}

static void *lone_thread(void *unused)
{
	(void)unused;
	touch(map(50 * page, MAP_PRIVATE | MAP_ANONYMOUS, -1), 50);
	sleep_for_ever();
	return NULL;
}

static _Noreturn void run_leaderless(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, lone_thread, NULL))
		fail("pthread_create");
	/* pthread_exit() would want libgcc_s */
	syscall(SYS_exit, 0);
	abort();
}

static void run_wrapped(void)
{
	int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "300", 3) != 3)
		perror("ns_last_pid");
	close(fd);
	busy = true;
	run_threads(1);
}

static void run_vmas(long n)
{
	char *memory = map((size_t)n * page, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	touch(memory, (size_t)n);
	for (long i = 0; i < n; i += 2)
		mprotect(memory + (size_t)i * page, page, PROT_READ);
	sleep_for_ever();
}

#define NOBODY 65534

/* Whoever has vforked waits in state D until the child is another program, or gone. */
static void run_blocked(void)
{
	set_up();
	if (vfork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		syscall(SYS_pause);
		_exit(0);
	}
	_exit(0);
}

static void run_mob(long i)
{
	char name[32];

	snprintf(name, sizeof(name), "mob-%ld", i);
	prctl(PR_SET_NAME, name);
	if (geteuid() == 0 && (setgid(NOBODY) || setuid(NOBODY)))
		fail("setuid");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	run_blocked();
}

static void *block_thread(void *arg)
{
	(void)arg;
	prctl(PR_SET_NAME, "crowd-thread");
	run_blocked();
	return NULL;
}

static void run_blocked_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, block_thread, NULL))
		fail("pthread_create");
	for (;;)
		pause();
}

static void run_sharer(void *shared)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	volatile char *file = mmap(NULL, 2 * page, PROT_READ, MAP_PRIVATE, fd, 0);

	if (file == MAP_FAILED)
		fail("mmap");
	(void)file[0];
	touch(shared, 300);
	sleep_for_ever();
}

static void wait_ready(size_t n)
{
	char byte;

	for (size_t i = 0; i < n; i++)
		if (read(ready[0], &byte, 1) != 1)
			fail("read");
}

static void robbed(long n)
{
	int fd = memfd_create("robbed", MFD_CLOEXEC);
	char line[64];
	pid_t pid;

	if (fd < 0 || ftruncate(fd, n * (long)page) || pipe(ready))
		fail("memfd_create");
	pid = child();
	if (!pid) {
		touch(map((size_t)n * page, MAP_SHARED, fd), (size_t)n);
		sleep_for_ever();
	}
	wait_ready(1);
	printf("%d\n", pid);
	fflush(stdout);
	while (read(0, line, sizeof(line)) > 0) {
		printf(ftruncate(fd, 0) ? "not\n" : "done\n");
		fflush(stdout);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void paged(long n)
{
	char *memory = map((size_t)n * page, MAP_PRIVATE | MAP_ANONYMOUS, -1), line[64];
	struct iovec all = { .iov_base = memory, .iov_len = (size_t)n * page };
	pid_t pid;
	int fd;

	if (pipe(ready))
		fail("pipe");
	pid = child();
	if (!pid) {
		touch(memory, (size_t)n);
		sleep_for_ever();
	}
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	wait_ready(1);
	printf("%d\n", pid);
	fflush(stdout);
	while (read(0, line, sizeof(line)) > 0) {
		if (syscall(SYS_process_madvise, fd, &all, 1, MADV_PAGEOUT, 0) < 0)
			printf("%s\n", strerrorname_np(errno));
		else
			printf("done\n");
		fflush(stdout);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void mapper(long n)
{
	char line[64];

	printf("%d\n", getpid());
	fflush(stdout);
	while (read(0, line, sizeof(line)) > 0) {
		for (long i = 0; i < n / 2; i++) {
			void *memory = mmap(NULL, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

			munmap(memory, page);
		}
		if (write(1, "done\n", 5) != 5)
			_exit(1);
	}
}

/* N pages, each with one call: there, and back from where they are kept. */
static void write_and_read(long n)
{
	const char *where = getenv("TMPDIR");
	char *memory = map(page, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	int fd = open(where ? where : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		fail("open");
	memset(memory, 1, page);
	for (long i = 0; i < n; i++)
		if (pwrite(fd, memory, page, i * (long)page) != (ssize_t)page)
			fail("write");
	fsync(fd);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	for (long i = 0; i < n; i++)
		if (pread(fd, memory, page, i * (long)page) != (ssize_t)page)
			fail("read");
	for (long i = 0; i < n; i++)
		if (pwrite(fd, memory, page, (n + i) * (long)page) != (ssize_t)page)
			fail("write");
	if (ftruncate(fd, n * (long)page))
		fail("ftruncate");
	close(fd);
	munmap(memory, page);
}

static void *write_and_read_thread(void *n)
{
	write_and_read((long)(intptr_t)n);
	return NULL;
}

static void io(long n)
{
	pthread_t thread;
	char line[64];
	pid_t pid;

	printf("%d\n", getpid());
	fflush(stdout);
	while (read(0, line, sizeof(line)) > 0) {
		if (pthread_create(&thread, NULL, write_and_read_thread, (void *)(intptr_t)n) ||
		    pthread_join(thread, NULL))
			fail("pthread_create");
		for (int ignored = 0; ignored < 2; ignored++) {
			signal(SIGCHLD, ignored ? SIG_IGN : SIG_DFL);
			pid = child();
			if (!pid) {
				write_and_read(n);
				_exit(0);
			}
			/* without a signal to handle it ends all the same when there are no children any more */
			waitpid(pid, NULL, 0);
		}
		if (write(1, "done\n", 5) != 5)
			_exit(1);
	}
}

static void run_files(long n)
{
	struct rlimit limit, wanted = { (rlim_t)(20 + 3 * n), (rlim_t)(20 + 3 * n) };
	long apart = 3;

	/* holes between them, if they may be: the hard limit of an old kernel is 4096 */
	if (getrlimit(RLIMIT_NOFILE, &limit))
		fail("getrlimit");
	if (limit.rlim_max > wanted.rlim_max)
		wanted.rlim_max = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &wanted)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
		apart = ((long)limit.rlim_cur - 20) / n;
	}
	/* beside those that it has */
	for (long i = 0; i < n; i++)
		if (fcntl(2, F_DUPFD_CLOEXEC, (int)(20 + apart * i)) < 0)
			fail("dup");
	sleep_for_ever();
}

static pid_t clone_as(pid_t pid)
{
	struct clone_args args = { .exit_signal = SIGCHLD, .set_tid_size = pid ? 1 : 0 };
	pid_t got;

	args.set_tid = pid ? (uint64_t)(uintptr_t)&pid : 0;
	got = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (!got) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return got;
}

static void reused(void)
{
	char line[64];
	pid_t pid = clone_as(0);

	printf("%d\n", pid);
	fflush(stdout);
	while (pid > 0 && read(0, line, sizeof(line)) > 0) {
		pid_t again;

		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		again = clone_as(pid);
		printf("%s %d\n", again == pid ? "reused" : "not", again < 0 ? -errno : again);
		fflush(stdout);
		/* the number that could not be had may be somebody else's by now */
		pid = again;
	}
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}

static _Noreturn void live_for_a_moment(long i)
{
	char name[16];

	snprintf(name, sizeof(name), "churn%ld", i % 20);
	prctl(PR_SET_NAME, name);
	touch(map(20 * page, MAP_PRIVATE | MAP_ANONYMOUS, -1), 20);
	usleep(100000);
	_exit(0);
}

static void churn(long n, long at_a_time)
{
	long running = 0;

	for (long i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid < 0)
			fail("fork");
		if (!pid && at_a_time)
			live_for_a_moment(i);
		if (!pid)
			_exit(0);
		if (++running == (at_a_time ? at_a_time : 8))
			running -= wait(NULL) > 0;
	}
	while (wait(NULL) > 0)
		;
	printf("done\n");
}

/* 15 bytes each time, and no name twice. */
static void rename_again_and_again(long i)
{
	char name[16];

	set_up();
	for (unsigned turn = 1;; turn++) {
		usleep(300000);
		snprintf(name, sizeof(name), "%05lx-%09x", i & 0xfffff, turn);
		prctl(PR_SET_NAME, name);
	}
}

static bool run_kind(const char *kind, long n, long i, void *shared)
{
	if (strcmp(kind, "sleepers") == 0) {
		size_t pages = 5 + (size_t)(i % 60);

		touch(map(pages * page, MAP_PRIVATE | MAP_ANONYMOUS, -1), pages);
		sleep_for_ever();
	} else if (strcmp(kind, "quiet") == 0 || strcmp(kind, "renamers") == 0) {
		char name[16];

		snprintf(name, sizeof(name), "%05lx-%09x", i & 0xfffff, 0);
		prctl(PR_SET_NAME, name);
		if (*kind == 'q')
			sleep_for_ever();
		rename_again_and_again(i);
	} else if (strcmp(kind, "machine") == 0) {
		char name[16];

		snprintf(name, sizeof(name), "program-%ld", i / 7 % 50);
		prctl(PR_SET_NAME, name);
		if (i % 25 == 0)
			work(i);
		run_kind("sleepers", n, i, shared);
	} else if (strcmp(kind, "burners") == 0) {
		burn(i);
	} else if (strcmp(kind, "spinners") == 0) {
		set_up();
		for (;;)
			__asm__ volatile("");
	} else if (strcmp(kind, "sharers") == 0) {
		run_sharer(shared);
	} else if (strcmp(kind, "threads") == 0) {
		run_threads(n);
	} else if (strcmp(kind, "wrapped") == 0) {
		run_wrapped();
	} else if (strcmp(kind, "ended") == 0) {
		run_ended(n);
	} else if (strcmp(kind, "leaderless") == 0) {
		run_leaderless();
	} else if (strcmp(kind, "vmas") == 0) {
		run_vmas(n);
	} else if (strcmp(kind, "files") == 0) {
		run_files(n);
	} else if (strcmp(kind, "stopped") == 0) {
		set_up();
		raise(SIGSTOP);
	} else if (strcmp(kind, "blocked") == 0) {
		run_blocked();
	} else if (strcmp(kind, "mob") == 0) {
		run_mob(i);
	} else if (strcmp(kind, "blocked_thread") == 0) {
		run_blocked_thread();
	} else if (strcmp(kind, "zombie") == 0) {
		set_up();
		_exit(0);
	} else if (strcmp(kind, "names") == 0) {
		prctl(PR_SET_NAME, names[i]);
		sleep_for_ever();
	}
	return false;
}

int main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "";
	long n = argc > 2 ? atol(argv[2]) : 1, children = n;
	void *shared;
	pid_t *pids;
	char byte;

	page = (size_t)sysconf(_SC_PAGESIZE);
	if (strcmp(kind, "robbed") == 0) {
		robbed(n);
		return 0;
	}
	if (strcmp(kind, "paged") == 0) {
		paged(n);
		return 0;
	}
	if (strcmp(kind, "mapper") == 0) {
		mapper(n);
		return 0;
	}
	if (strcmp(kind, "io") == 0) {
		io(n);
		return 0;
	}
	if (strcmp(kind, "reused") == 0) {
		reused();
		return 0;
	}
	if (strcmp(kind, "churn") == 0) {
		churn(n, argc > 3 ? atol(argv[3]) : 0);
		return 0;
	}
	if (strcmp(kind, "names") == 0)
		children = sizeof(names) / sizeof(*names);
	else if (strcmp(kind, "sleepers") && strcmp(kind, "burners") && strcmp(kind, "spinners") &&
		 strcmp(kind, "sharers") && strcmp(kind, "machine") && strcmp(kind, "mob") && strcmp(kind, "quiet") &&
		 strcmp(kind, "renamers"))
		children = 1;
	/* what a child leaves behind is reaped here too */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pids = calloc((size_t)children, sizeof(*pids));
	shared = map(300 * page, MAP_SHARED | MAP_ANONYMOUS, -1);
	if (!pids || pipe(ready))
		fail("pipe");
	for (long i = 0; i < children; i++) {
		pids[i] = child();
		if (!pids[i]) {
			close(0);
			run_kind(kind, n, i, shared);
			_exit(1);
		}
	}
	wait_ready((size_t)children);
	for (long i = 0; i < children; i++)
		printf("%d%c", pids[i], i + 1 < children ? ' ' : '\n');
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	for (long i = 0; i < children; i++)
		kill(pids[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	free(pids);
	return 0;
}
