/* SPDX-License-Identifier: MIT */
#include "engine/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "engine/turn.h"

int watches_init(struct qmem *q)
{
	q->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return q->epoll_fd < 0 ? -errno : 0;
}

void watches_release(struct qmem *q)
{
	if (q->epoll_fd >= 0)
		close(q->epoll_fd);
	free(q->watches);
}

static struct qmem_watch *find_watch(struct qmem *q, int fd)
{
	for (size_t i = 0; i < q->watches_n; i++)
		if (q->watches[i].fd == fd)
			return &q->watches[i];
	return NULL;
}

static struct qmem_watch *free_watch(struct qmem *q)
{
	struct qmem_watch *w = find_watch(q, -1), *watches;

	if (w)
		return w;
	watches = realloc(q->watches, (q->watches_n + 1) * sizeof(*watches));
	if (!watches)
		return NULL;
	q->watches = watches;
	w = &watches[q->watches_n++];
	*w = (struct qmem_watch){ .fd = -1 };
	return w;
}

static int control(struct qmem *q, int op, const struct qmem_watch *w, uint32_t events)
{
	struct epoll_event event = {
		.events = events,
		/* a watch may be gone, and its place taken, between the host's wait and its dispatch */
		.data.u64 = (uint64_t)w->generation << 32 | (uint64_t)(w - q->watches),
	};

	return epoll_ctl(q->epoll_fd, op, w->fd, &event) < 0 ? -errno : 0;
}

int qmem_watch(struct qmem *q, int fd, uint32_t events, void (*ready)(struct qmem *, int, uint32_t, void *), void *arg)
{
	struct qmem_watch *w;
	int err;

	if (fd < 0)
		return -EBADF;
	if (find_watch(q, fd))
		return -EEXIST;
	w = free_watch(q);
	if (!w)
		return -ENOMEM;
	*w = (struct qmem_watch){
		.fd = fd, .generation = w->generation + 1, .ready = ready, .arg = arg, .owner = q->current
	};
	err = control(q, EPOLL_CTL_ADD, w, events);
	if (err)
		w->fd = -1;
	return err;
}

int qmem_watch_events(struct qmem *q, int fd, uint32_t events)
{
	struct qmem_watch *w = fd < 0 ? NULL : find_watch(q, fd);

	return w ? control(q, EPOLL_CTL_MOD, w, events) : -ENOENT;
}

int qmem_unwatch(struct qmem *q, int fd)
{
	struct qmem_watch *w = fd < 0 ? NULL : find_watch(q, fd);
	int err;

	if (!w)
		return -ENOENT;
	err = control(q, EPOLL_CTL_DEL, w, 0);
	w->fd = -1;
	return err;
}

int qmem_fd(const struct qmem *q)
{
	return q->epoll_fd;
}

void watches_dispatch(struct qmem *q, const struct epoll_event *events, int n)
{
	for (int i = 0; i < n; i++) {
		size_t slot = (uint32_t)events[i].data.u64;
		struct qmem_watch *w = slot < q->watches_n ? &q->watches[slot] : NULL;
		struct qmem_watch watch;

		if (!w || w->fd < 0 || w->generation != events[i].data.u64 >> 32)
			continue;
		watch = *w; /* the table may move meanwhile */
		TURN_OF(q, watch.owner, watch.ready(q, watch.fd, events[i].events, watch.arg));
	}
}
