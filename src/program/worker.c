/* SPDX-License-Identifier: MIT */
#include "program/worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "program/capabilities.h"
#include "program/clock.h"

struct queue {
	struct qmem_job *head, **tail;
};

struct worker {
	pthread_mutex_t lock;
	pthread_cond_t more;
	pthread_t thread;
	bool started, busy, leave;
	int fd;
	struct queue waiting, finished;
};

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

static void *run(void *arg)
{
	static const uint64_t one = 1;
	struct worker *w = arg;

	(void)capabilities_settle();
	pthread_mutex_lock(&w->lock);
	while (!w->leave) {
		struct qmem_job *job = queue_take(&w->waiting);
		uint64_t before;

		if (!job) {
			pthread_cond_wait(&w->more, &w->lock);
			continue;
		}
		w->busy = true;
		pthread_mutex_unlock(&w->lock);
		before = clock_cpu_ns(NULL);
		job->run(job);
		job->cpu_ns = clock_cpu_ns(NULL) - before;
		pthread_mutex_lock(&w->lock);
		w->busy = false;
		queue_put(&w->finished, job);
		/* it fails only when the counter is full, and then the reader is woken anyway */
		if (write(w->fd, &one, sizeof(one)) < 0)
			continue;
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

int worker_new(struct worker **ret_worker)
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
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->more, NULL);
	queue_init(&w->waiting);
	queue_init(&w->finished);
	*ret_worker = w;
	return 0;
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
	int err = 0;

	pthread_mutex_lock(&w->lock);
	if (!w->started) {
		err = -pthread_create(&w->thread, NULL, run, w);
		w->started = !err;
	}
	if (!err) {
		queue_put(&w->waiting, job);
		pthread_cond_signal(&w->more);
	}
	pthread_mutex_unlock(&w->lock);
	return err;
}

void worker_free(struct worker *w)
{
	struct qmem_job *job;
	bool busy;

	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->leave = true;
	busy = w->busy;
	pthread_cond_signal(&w->more);
	while ((job = queue_take(&w->waiting)))
		qmem_worked(NULL, job, 0);
	while ((job = queue_take(&w->finished)))
		qmem_worked(NULL, job, 0);
	pthread_mutex_unlock(&w->lock);
	if (busy)
		return; /* it may be stuck in the kernel: the process ends with it */
	if (w->started)
		pthread_join(w->thread, NULL);
	close(w->fd);
	pthread_cond_destroy(&w->more);
	pthread_mutex_destroy(&w->lock);
	free(w);
}
