/* SPDX-License-Identifier: MIT */
#include "service/sockstat_open.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/root.h"
#include "util/right.h"

#define ALL ((1u << (TCP_CLOSING + 2)) - 2) /* with SYN_RECV of requests, which the kernel calls NEW_SYN_RECV */
#define LISTEN (1u << TCP_LISTEN)
#define WHAT "sock_diag" /* as it is said of a job that is stuck */
#define BOUND (1u << SOCKDIAG_BOUND)

const struct sockdiag_request sockstat_requests[PASSES] = {
	[PASS_LISTEN] = { SOCKDIAG_INET, AF_UNSPEC, IPPROTO_TCP, true, LISTEN },
	[PASS_TCP] = { SOCKDIAG_INET, AF_UNSPEC, IPPROTO_TCP, false, ALL & ~LISTEN },
	[PASS_LISTEN4] = { SOCKDIAG_INET, AF_INET, IPPROTO_TCP, true, LISTEN },
	[PASS_LISTEN6] = { SOCKDIAG_INET, AF_INET6, IPPROTO_TCP, true, LISTEN },
	[PASS_TCP4] = { SOCKDIAG_INET, AF_INET, IPPROTO_TCP, false, ALL & ~LISTEN },
	[PASS_TCP6] = { SOCKDIAG_INET, AF_INET6, IPPROTO_TCP, false, ALL & ~LISTEN },
	[PASS_BOUND4] = { SOCKDIAG_INET, AF_INET, IPPROTO_TCP, false, BOUND },
	[PASS_BOUND6] = { SOCKDIAG_INET, AF_INET6, IPPROTO_TCP, false, BOUND },
	[PASS_UDP4] = { SOCKDIAG_INET, AF_INET, IPPROTO_UDP, true, ~0u },
	[PASS_UDP6] = { SOCKDIAG_INET, AF_INET6, IPPROTO_UDP, true, ~0u },
	[PASS_UNIX] = { SOCKDIAG_UNIX, AF_UNIX, 0, false, ~0u },
	[PASS_PACKET] = { SOCKDIAG_PACKET, AF_PACKET, 0, false, 0 },
	[PASS_NETLINK] = { SOCKDIAG_NETLINK, AF_NETLINK, 0, false, 0 },
};

struct sockstat_opener {
	struct qmem_job job;
	struct root *root; /* NULL: our own namespace */
	int32_t pid;
	bool gone, back; /* nobody waits for it; it is done */
	int fd;          /* or -errno */
	unsigned refused;
};

int sockstat_send(int fd, const struct sockdiag_request *request, uint32_t sequence)
{
	unsigned char message[SOCKDIAG_REQUEST];
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	size_t len = sockdiag_ask(request, sequence, message);
	ssize_t n = sendto(fd, message, len, MSG_DONTWAIT, (const struct sockaddr *)&kernel, sizeof(kernel));

	return n < 0 ? -errno : n == (ssize_t)len ? 0 : -EMSGSIZE;
}

ssize_t sockstat_receive(int fd, void *buffer, size_t size)
{
	for (;;) {
		struct sockaddr_nl from = { 0 };
		socklen_t from_len = sizeof(from);
		ssize_t n = recvfrom(fd, buffer, size, MSG_DONTWAIT | MSG_TRUNC, (struct sockaddr *)&from, &from_len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		/* no process may answer for the kernel */
		if (from_len != sizeof(from) || from.nl_pid)
			continue;
		return n > (ssize_t)size ? -EMSGSIZE : n;
	}
}

/* ---- on the worker ---- */

/* Asks for what there is none of: the answer is short. */
static bool answers(int fd, int pass, unsigned char *buffer)
{
	struct sockdiag_request request = sockstat_requests[pass];
	struct sockdiag_walk walk = { .kind = request.kind, .sequence = (uint32_t)pass + 1 };
	struct sockdiag s;
	int err;

	request.states = 0;
	err = sockstat_send(fd, &request, walk.sequence);
	while (!err && !walk.done) {
		ssize_t n = sockstat_receive(fd, buffer, SOCKDIAG_DATAGRAM);

		if (n < 0)
			return false;
		walk.at = buffer;
		walk.end = buffer + n;
		while (sockdiag_next(&walk, &s))
			;
	}
	return !err && !walk.error;
}

static int open_here(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	return fd < 0 ? -errno : fd;
}

static int open_there(const struct sockstat_opener *o)
{
	int fd, err;
	bool raised;

	fd = root_open_namespace(o->root, o->pid, NULL);
	if (fd < 0)
		return fd;
	raised = right_raise(CAP_SYS_ADMIN);
	err = setns(fd, CLONE_NEWNET) ? -errno : 0;
	if (raised)
		right_lower(CAP_SYS_ADMIN);
	close(fd);
	return err ? err : open_here();
}

/* A thread that has entered another namespace is not used for anything else, whatever may fail on the way back. */
static void *enter(void *arg)
{
	struct sockstat_opener *o = arg;

	o->fd = open_there(o);
	return NULL;
}

static void run(struct qmem_job *job)
{
	struct sockstat_opener *o = (struct sockstat_opener *)(void *)job;
	unsigned char *buffer = malloc(SOCKDIAG_DATAGRAM);
	pthread_t thread;
	int err;

	if (!buffer) {
		o->fd = -ENOMEM;
		return;
	}
	if (!o->root) {
		o->fd = open_here();
	} else {
		err = pthread_create(&thread, NULL, enter, o);
		if (err)
			o->fd = -err;
		else
			pthread_join(thread, NULL);
	}
	for (int i = 0; o->fd >= 0 && i < PASSES; i++)
		if (!answers(o->fd, i, buffer))
			o->refused |= 1u << i;
	free(buffer);
}

/* ---- in the engine ---- */

static void release(struct sockstat_opener *o)
{
	if (o->back && o->fd >= 0)
		close(o->fd);
	if (o->root)
		root_drop(o->root);
	free(o);
}

static void done(struct qmem *q, struct qmem_job *job)
{
	struct sockstat_opener *o = (struct sockstat_opener *)(void *)job;

	o->back = true;
	if (job->recalled)
		o->fd = -ECANCELED;
	if (!q || o->gone)
		release(o);
}

int sockstat_open(struct qmem *q, int32_t pid, struct sockstat_opener **ret)
{
	struct sockstat_opener *o;
	int err;

	if (qmem_is_stuck(q, WHAT, 0))
		return -ETIMEDOUT;
	o = calloc(1, sizeof(*o));
	if (!o)
		return -ENOMEM;
	o->fd = -EAGAIN;
	o->job.run = run;
	o->job.done = done;
	o->job.lane = QMEM_TARGETS;
	o->job.wary = true;
	snprintf(o->job.what, sizeof(o->job.what), WHAT);
	if (pid) {
		o->root = root_of(q);
		o->pid = pid;
	}
	*ret = o;
	err = qmem_work(q, &o->job);
	if (err) {
		*ret = NULL;
		release(o);
	}
	return err;
}

int sockstat_opened(struct sockstat_opener *o, unsigned *ret_refused)
{
	int fd;

	if (!o->back && !o->job.left)
		return -EAGAIN;
	if (!o->back) {
		o->gone = true;
		return -ETIMEDOUT;
	}
	fd = o->fd;
	*ret_refused = o->refused;
	o->fd = -EBADF;
	release(o);
	return fd;
}

void sockstat_open_cancel(struct sockstat_opener *o)
{
	if (!o)
		return;
	if (o->back)
		release(o);
	else
		o->gone = true;
}
