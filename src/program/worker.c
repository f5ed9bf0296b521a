/* SPDX-License-Identifier: MIT */
#include "program/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "program/clock.h"

struct queue {
	struct qmem_job *head, **tail;
};

/* A thread. It and all that it points to last as long as it runs. */
struct hand {
	struct worker *worker;
	struct lane *lane;
	pthread_t thread;
	struct qmem_job *job; /* it is at; NULL: it waits for one */
	uint64_t spent;       /* CPU ns, until the end of its last job */
	bool left;            /* it has no lane any more, and ends behind its job */
};

struct lane {
	struct queue waiting;
	pthread_cond_t more;
	struct hand *hand; /* NULL: none yet */
};

struct worker {
	const struct worker_calls *calls;
	pthread_mutex_t lock;
	struct lane lanes[QMEM_LANES];
	struct queue finished;
	int fd;         /* -1: nobody looks for what is finished any more */
	bool going;     /* it may have threads */
	unsigned users; /* the host, and each thread that is left behind */
};

static const char *const names[] = { [QMEM_TARGETS] = "qmem targets", [QMEM_STORE] = "qmem store" };

/* ---- queues ---- */

static void queue_init(struct queue *queue)
{
	queue->head = NULL;
	queue->tail = &queue->head;
}

static void queue_put(struct queue *queue, struct qmem_job *job)
{
	job->next = NULL;
	*queue->tail = job;
	queue->tail = &job->next;
}

static struct qmem_job *queue_take(struct queue *queue)
{
	struct qmem_job *job = queue->head;

	if (job) {
		queue->head = job->next;
		if (!queue->head)
			queue->tail = &queue->head;
	}
	return job;
}

static void queue_give_back(struct queue *queue)
{
	struct qmem_job *job;

	while ((job = queue_take(queue)))
		qmem_worked(NULL, job, 0);
}

/* ---- threads ---- */

/* Who uses it last, frees it; the lock is held, and let go of. */
static void let_go(struct worker *w)
{
	bool last = !--w->users;

	pthread_mutex_unlock(&w->lock);
	if (!last)
		return;
	for (size_t i = 0; i < QMEM_LANES; i++)
		pthread_cond_destroy(&w->lanes[i].more);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

/* The lock is held, but for the job. */
static void work(struct worker *w, struct hand *hand)
{
	static const uint64_t one = 1;
	struct qmem_job *job = hand->job;
	uint64_t spent;

	pthread_mutex_unlock(&w->lock);
	job->run(job);
	/* to wait for it and to be woken is part of its cost: else many small ones are over a budget by some percent */
	spent = clock_cpu_ns(NULL);
	job->cpu_ns = spent - hand->spent;
	hand->spent = spent;
	pthread_mutex_lock(&w->lock);
	hand->job = NULL;
	if (w->fd < 0) {
		qmem_worked(NULL, job, 0);
		return;
	}
	queue_put(&w->finished, job);
	/* it fails only when the counter is full, and then the reader is woken anyway */
	if (write(w->fd, &one, sizeof(one)) < 0)
		return;
}

static void *run(void *arg)
{
	struct hand *hand = arg;
	struct worker *w = hand->worker;

	pthread_mutex_lock(&w->lock);
	while (!hand->left && w->fd >= 0) {
		hand->job = queue_take(&hand->lane->waiting);
		if (hand->job)
			work(w, hand);
		else
			pthread_cond_wait(&hand->lane->more, &w->lock);
	}
	if (hand->left) {
		free(hand);
		let_go(w);
	} else {
		pthread_mutex_unlock(&w->lock); /* it is joined */
	}
	return NULL;
}

static int create(const struct worker *w, struct hand *hand, const char *name)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (w->calls->create) {
		err = w->calls->create(&hand->thread, run, hand, name);
	} else {
		err = pthread_create(&hand->thread, NULL, run, hand);
		if (!err)
			(void)pthread_setname_np(hand->thread, name);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err ? -EAGAIN : 0;
}

/* The lock is held, so that the new thread waits until it has its place. */
static int add_hand(struct worker *w, struct lane *lane)
{
	struct hand *hand = calloc(1, sizeof(*hand));
	int err;

	if (!hand)
		return -ENOMEM;
	hand->worker = w;
	hand->lane = lane;
	err = create(w, hand, names[lane - w->lanes]);
	if (err)
		free(hand);
	else
		lane->hand = hand;
	return err;
}

static void leave_behind(struct worker *w, struct hand *hand)
{
	pthread_detach(hand->thread);
	hand->left = true;
	w->users++;
}

/* ---- what the host calls ---- */

int worker_new(const struct worker_calls *calls, struct worker **ret_worker)
{
	struct worker *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return -ENOMEM;
	w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->fd < 0) {
		err = -errno;
		free(w);
		return err;
	}
	w->calls = calls;
	w->users = 1;
	pthread_mutex_init(&w->lock, NULL);
	queue_init(&w->finished);
	for (size_t i = 0; i < QMEM_LANES; i++) {
		pthread_cond_init(&w->lanes[i].more, NULL);
		queue_init(&w->lanes[i].waiting);
	}
	*ret_worker = w;
	return 0;
}

int worker_go(struct worker *w)
{
	int err = 0;

	pthread_mutex_lock(&w->lock);
	w->going = true;
	for (size_t i = 0; i < QMEM_LANES; i++)
		if (!err && !w->lanes[i].hand && w->lanes[i].waiting.head)
			err = add_hand(w, &w->lanes[i]);
	pthread_mutex_unlock(&w->lock);
	return err;
}

int worker_fd(const struct worker *w)
{
	return w->fd;
}

void worker_ready(struct qmem *q, int fd, uint32_t events, void *arg)
{
	struct worker *w = arg;
	struct qmem_job *job;
	uint64_t n;

	(void)events;
	if (read(fd, &n, sizeof(n)) < 0 && errno != EAGAIN)
		return;
	do {
		pthread_mutex_lock(&w->lock);
		job = queue_take(&w->finished);
		pthread_mutex_unlock(&w->lock);
		if (job)
			qmem_worked(q, job, qmem_now(q));
	} while (job);
}

int worker_add(struct worker *w, struct qmem_job *job)
{
	struct lane *lane = &w->lanes[job->lane];
	int err = 0;

	pthread_mutex_lock(&w->lock);
	if (!lane->hand && w->going)
		err = add_hand(w, lane);
	if (!err) {
		queue_put(&lane->waiting, job);
		pthread_cond_signal(&lane->more);
	}
	pthread_mutex_unlock(&w->lock);
	return err;
}

int worker_leave(struct worker *w, struct qmem_job *job)
{
	struct lane *lane = &w->lanes[job->lane];
	struct hand *hand;
	int err = -EALREADY; /* it has come back meanwhile */

	pthread_mutex_lock(&w->lock);
	hand = lane->hand;
	/* nobody has taken it so far: now, or that is told */
	if (!hand)
		err = add_hand(w, lane) ? -EAGAIN : -EALREADY;
	else if (hand->job == job)
		err = add_hand(w, lane);
	if (!err)
		leave_behind(w, hand);
	pthread_mutex_unlock(&w->lock);
	return err;
}

int worker_recall(struct worker *w, struct qmem_job *job)
{
	struct queue *queue = &w->lanes[job->lane].waiting;
	struct qmem_job **at = &queue->head;
	int err = -EALREADY;

	pthread_mutex_lock(&w->lock);
	while (*at && *at != job)
		at = &(*at)->next;
	if (*at) {
		*at = job->next;
		if (queue->tail == &job->next)
			queue->tail = at;
		err = 0;
	}
	pthread_mutex_unlock(&w->lock);
	return err;
}

void worker_free(struct worker *w)
{
	struct hand *idle[QMEM_LANES] = { NULL };

	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	close(w->fd);
	w->fd = -1;
	for (size_t i = 0; i < QMEM_LANES; i++) {
		struct lane *lane = &w->lanes[i];

		queue_give_back(&lane->waiting);
		if (lane->hand && lane->hand->job)
			leave_behind(w, lane->hand);
		else
			idle[i] = lane->hand;
		pthread_cond_signal(&lane->more);
	}
	queue_give_back(&w->finished);
	pthread_mutex_unlock(&w->lock);
	for (size_t i = 0; i < QMEM_LANES; i++) {
		if (idle[i])
			pthread_join(idle[i]->thread, NULL);
		free(idle[i]);
	}
	pthread_mutex_lock(&w->lock);
	let_go(w);
}
