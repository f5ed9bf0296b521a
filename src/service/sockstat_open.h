/* SPDX-License-Identifier: MIT */
/*
 * A netlink socket that answers for a network namespace. It is opened by the worker: to enter another namespace means to look at a
 * process's files, and the first question of a kind makes the kernel load the module that answers it. It stays in its namespace
 * whoever asks it then, and is asked by the tick.
 */
#ifndef QMEM_SERVICE_SOCKSTAT_OPEN_H
#define QMEM_SERVICE_SOCKSTAT_OPEN_H

#include <stdbool.h>

#include "proc/sockdiag.h"
#include "qmem.h"

/* What is asked for in a dump, in this order. */
enum sockstat_pass {
	PASS_LISTEN, /* with queues and drops; first, so that the ports are known that connections are counted for */
	PASS_TCP,
	PASS_LISTEN4, /* these four where the two above are not answered: a family at a time */
	PASS_LISTEN6,
	PASS_TCP4,
	PASS_TCP6,
	PASS_BOUND4, /* neither listening nor connected; Linux 6.8 */
	PASS_BOUND6,
	PASS_UDP4,
	PASS_UDP6,
	PASS_UNIX,
	PASS_PACKET,
	PASS_NETLINK,
	PASSES
};
extern const struct sockdiag_request sockstat_requests[PASSES];

struct sockstat_opener;

/* Of the namespace of this process; pid 0: of the one we are in. -ETIMEDOUT: one is stuck; -ENOMEM, or what qmem_work() says. */
int sockstat_open(struct qmem *q, int32_t pid, struct sockstat_opener **ret);
/* -EAGAIN: not yet. Else, once: the socket, or -errno; *ret_refused has bit i for a pass that this kernel does not answer.
 * -ETIMEDOUT: it is stuck, and not waited for; -ECANCELED: it has not begun. */
int sockstat_opened(struct sockstat_opener *o, unsigned *ret_refused);
/* Also while the worker is at it; may be NULL. */
void sockstat_open_cancel(struct sockstat_opener *o);

/* Sends what asks for a dump. 0 or -errno. */
int sockstat_send(int fd, const struct sockdiag_request *request, uint32_t sequence);
/* A datagram of the kernel's, which is there at once. Its length; -EAGAIN; -EMSGSIZE: it does not fit. */
ssize_t sockstat_receive(int fd, void *buffer, size_t size);

#endif
