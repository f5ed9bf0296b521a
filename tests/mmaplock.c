/* SPDX-License-Identifier: MIT */
/*
 * A process whose address space is locked, for the tests: mmaplock FILE UID
 *
 * Mounts a file system of one file over FILE, in a mount namespace of its own, and serves it itself. A child maps the file:
 * one thread faults on a page, which is refused once, so that the kernel tries again, now without letting go of the lock,
 * and then is never answered; another thread waits to change the address space, and whoever reads smaps_rollup or cmdline
 * waits behind it. Prints the child's pid. At the end of stdin, or killed, all of it goes, and those who wait go on.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define REFUSED 1 /* reads, before the one that is not answered */
#define SIZE (1 << 16)
#define NAME "qmemlocked"

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "mmaplock: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static void answer(int fd, const struct fuse_in_header *in, int err, const void *data, size_t size)
{
	struct fuse_out_header out = { .len = (uint32_t)(sizeof(out) + size), .error = -err, .unique = in->unique };
	struct iovec parts[] = { { &out, sizeof(out) }, { (void *)(uintptr_t)data, size } };

	/* one that has been given up meanwhile needs none */
	if (writev(fd, parts, 2) < 0 && errno != ENOENT)
		fail("/dev/fuse");
}

/* One request; true: it is the read that stays unanswered. */
static bool serve(int fd)
{
	static _Alignas(8) char request[FUSE_MIN_READ_BUFFER + SIZE];
	const struct fuse_in_header *in = (const void *)request;
	static int reads;

	if (read(fd, request, sizeof(request)) < (ssize_t)sizeof(*in)) {
		if (errno == EINTR || errno == ENOENT || errno == EAGAIN)
			return false;
		fail("/dev/fuse");
	}
	switch (in->opcode) {
	case FUSE_INIT: {
		const struct fuse_init_in *from = (const void *)(in + 1);
		struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION,
					      .minor = from->minor < 23 ? from->minor : 23,
					      .max_write = 4096 };

		answer(fd, in, 0, &init, sizeof(init));
		return false;
	}
	case FUSE_GETATTR: {
		struct fuse_attr_out attr = { .attr_valid = 3600,
					      .attr = { .ino = 1, .size = SIZE, .mode = S_IFREG | 0444, .nlink = 1 } };

		answer(fd, in, 0, &attr, sizeof(attr));
		return false;
	}
	case FUSE_OPEN: {
		struct fuse_open_out opened = { .open_flags = FOPEN_KEEP_CACHE };

		answer(fd, in, 0, &opened, sizeof(opened));
		return false;
	}
	case FUSE_READ:
		if (reads++ < REFUSED) {
			answer(fd, in, EIO, NULL, 0);
			return false;
		}
		return true;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		return false;
	default:
		answer(fd, in, in->opcode == FUSE_FLUSH || in->opcode == FUSE_RELEASE ? 0 : ENOSYS, NULL, 0);
		return false;
	}
}

static void *change(void *memory)
{
	char byte;

	/* the other one is to be in its fault: there is no way to see that from here, the byte comes from the server */
	if (read(0, &byte, 1) == 1)
		munmap(memory, SIZE);
	return NULL;
}

static void lock(const char *path, int go, uid_t uid)
{
	volatile char *memory;
	pthread_t thread;
	struct stat st;
	int fd;

	prctl(PR_SET_NAME, NAME);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	/* how long it is, is asked for only now */
	if (fd < 0 || fstat(fd, &st) || dup2(go, 0))
		fail(path);
	if (uid && setresuid(uid, uid, uid))
		fail("another user");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	memory = mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
	/* without reading ahead: the first read is of the page itself */
	if (memory == MAP_FAILED || madvise((void *)(uintptr_t)memory, SIZE, MADV_RANDOM) ||
	    pthread_create(&thread, NULL, change, (void *)(uintptr_t)memory))
		fail("mmap");
	(void)memory[0];
	_exit(0);
}

int main(int argc, char **argv)
{
	struct pollfd fds[2] = { { .fd = 0, .events = POLLIN }, { .events = POLLIN } };
	char options[128];
	int go[2];
	pid_t pid;

	if (argc != 3) {
		fprintf(stderr, "usage: mmaplock FILE UID\n");
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fds[1].fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (fds[1].fd < 0)
		fail("/dev/fuse");
	snprintf(options, sizeof(options), "fd=%d,rootmode=100444,user_id=%u,group_id=%u", fds[1].fd, getuid(),
		 getgid());
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		fail("a mount namespace");
	if (mount("qmem", argv[1], "fuse", MS_NOSUID | MS_NODEV, options))
		fail("mount");
	if (pipe(go))
		fail("pipe");
	pid = fork();
	if (!pid) {
		close(fds[1].fd);
		lock(argv[1], go[0], (uid_t)strtoul(argv[2], NULL, 10));
	}
	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			fail("poll");
		if (fds[1].revents && serve(fds[1].fd)) {
			if (write(go[1], "", 1) != 1)
				fail("pipe");
			printf("%d\n", pid);
			fflush(stdout);
		}
		if (fds[0].revents && read(0, options, sizeof(options)) <= 0)
			break;
	}
	kill(pid, SIGKILL);
	close(fds[1].fd); /* the end of the file system: the fault fails */
	waitpid(pid, NULL, 0);
	return 0;
}
