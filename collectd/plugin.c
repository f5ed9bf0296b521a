/* SPDX-License-Identifier: MIT */
/*
 * qmem in collectd: one engine, and who calls it.
 *
 * The daemon's read callback is the clock. A listener waits for what the engine watches and for its timers; a notifier sends
 * notifications, because a target may take its time, or call us; workers, started when there is something to do, run the
 * jobs that may block, and the listener takes what they have done. One mutex serialises all calls of the engine. Under it nothing of the daemon is called that could
 * call foreign code: notifications wait for the notifier, and log lines for the unlock.
 *
 * The daemon never unloads a plugin, so that a thread which cannot be joined finds its data where they were.
 */
#include <collectd/core/daemon/collectd.h>
#include <collectd/core/daemon/plugin.h>
#include <collectd/core/utils/common/common.h>

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "control/privilege.h"
#include "log.h"
#include "program/clock.h"
#include "program/worker.h"
#include "qmem.h"
#include "sink.h"
#include "util/right.h"

#define NOTIFICATIONS 64
#define READY 16
#define MOMENTS 200    /* in which who waits for the lock has it: 10 ms, then he is asleep for reasons of his own */
#define JOIN_SECONDS 2 /* for a notifier that is stuck in a target: half of what users wait before they kill */

struct line {
	struct line *next;
	int level;
	char text[];
};

struct lines {
	struct line *first, **end;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_uint waiting; /* for it */

/* All of it under the lock. */
static struct {
	struct qmem *q;
	struct sink *sink;
	struct lines lines;
	bool stopping;
	uint64_t tick;

	bool listening;
	pthread_t listener;
	int wake;         /* eventfd; -1: none */
	uint64_t planned; /* what the listener waits for */

	bool notifying;
	bool resting; /* the notifier, with nothing to do */
	pthread_t notifier;
	pthread_cond_t notify;
	notification_t notifications[NOTIFICATIONS]; /* a ring */
	size_t first, n;
	uint64_t lost; /* not yet told to the engine */
	bool losing;

	struct worker *worker; /* NULL: there can be none */
} host = {
	.wake = -1,
	.notify = PTHREAD_COND_INITIALIZER,
};

/* ---- log lines ---- */

static void add_line(int level, const char *text)
{
	size_t size = strlen(text) + 1;
	struct line *line = malloc(sizeof(*line) + size);

	if (!line)
		return;
	line->level = level;
	line->next = NULL;
	memcpy(line->text, text, size);
	*(host.lines.first ? host.lines.end : &host.lines.first) = line;
	host.lines.end = &line->next;
}

/* ---- the lock ---- */

static void enter(void)
{
	atomic_fetch_add(&waiting, 1);
	pthread_mutex_lock(&lock);
	atomic_fetch_sub(&waiting, 1);
}

static void wake_listener(void)
{
	uint64_t one = 1;

	/* it can only fail when the counter is full: then it wakes as well */
	if (host.wake >= 0 && write(host.wake, &one, sizeof(one)) < 0)
		return;
}

/* What the engine wants next may be nearer than what the listener waits for. */
static void leave(void)
{
	struct line *line = host.lines.first, *next;

	host.lines.first = NULL;
	if (host.q && host.lost) {
		qmem_dropped(host.q, 0, host.lost);
		host.lost = 0;
	}
	if (host.q && host.listening && qmem_next(host.q) < host.planned) {
		host.planned = 0; /* once is enough */
		wake_listener();
	}
	pthread_mutex_unlock(&lock);
	for (; line; line = next) {
		next = line->next;
		daemon_log(line->level, "%s", line->text);
		free(line);
	}
}

/* Between two slices of a collection, so that those who wait for the lock have it first: whoever unlocks a mutex and locks it
 * at once has it again before they are awake. */
static void give_way(void)
{
	const struct timespec moment = { .tv_nsec = 50000 };

	leave();
	for (int i = 0; i < MOMENTS && atomic_load(&waiting); i++)
		nanosleep(&moment, NULL);
	enter();
}

/* ---- threads ---- */

/* The daemon's signals are not for us. */
static int spawn(pthread_t *ret, void *(*run)(void *), const char *name)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = plugin_thread_create(ret, run, NULL, name);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err ? -EAGAIN : 0;
}

static void woken(struct qmem *q, int fd, uint32_t events, void *arg)
{
	uint64_t n;

	(void)q;
	(void)events;
	(void)arg;
	while (read(fd, &n, sizeof(n)) < 0 && errno == EINTR)
		;
}

static int timeout_ms(uint64_t when)
{
	uint64_t at = clock_now(), ms;

	if (when == QMEM_NEVER)
		return -1;
	ms = when <= at ? 0 : (when - at + 999999) / 1000000;
	return ms > INT_MAX ? INT_MAX : (int)ms;
}

static void *listen_loop(void *arg)
{
	struct epoll_event ready[READY];

	(void)arg;
	enter();
	while (!host.stopping) {
		int fd = qmem_fd(host.q), n;

		host.planned = qmem_next(host.q);
		n = timeout_ms(host.planned);
		leave();
		n = epoll_wait(fd, ready, READY, n);
		enter();
		if (!host.stopping)
			qmem_dispatch(host.q, ready, n > 0 ? n : 0, clock_now());
	}
	leave();
	return NULL;
}

/* From when there is something to do it is one of those who wait for the lock. */
static void rest(void)
{
	host.resting = true;
	while (host.resting)
		pthread_cond_wait(&host.notify, &lock);
	atomic_fetch_sub(&waiting, 1);
}

static void wake_notifier(void)
{
	if (!host.resting)
		return;
	host.resting = false;
	atomic_fetch_add(&waiting, 1);
	pthread_cond_signal(&host.notify);
}

static void *notify_loop(void *arg)
{
	notification_t n;

	(void)arg;
	enter();
	while (!host.stopping || host.n) {
		if (!host.n) {
			rest();
			continue;
		}
		n = host.notifications[host.first];
		host.first = (host.first + 1) % NOTIFICATIONS;
		host.n--;
		if (host.losing && !host.n) {
			host.losing = false;
			add_line(LOG_INFO, "notifications are no longer lost");
		}
		leave();
		plugin_dispatch_notification(&n);
		if (n.meta)
			plugin_notification_meta_free(n.meta);
		enter();
	}
	leave();
	return NULL;
}

/* ---- what the engine calls, under the lock ---- */

static void on_values(void *arg, const struct qmem_round *round, const struct qmem_family *family,
		      const struct qmem_instance *instance, const void *sample)
{
	(void)arg;
	sink_values(host.sink, round, family, instance, sample);
}

static void drop_oldest(void)
{
	notification_t *n = &host.notifications[host.first];

	if (n->meta)
		plugin_notification_meta_free(n->meta);
	host.first = (host.first + 1) % NOTIFICATIONS;
	host.n--;
	host.lost++;
	if (host.losing)
		return;
	host.losing = true;
	add_line(LOG_WARNING, "notifications are lost: a target does not take them as fast as they come");
}

/* The newest word of a condition matters most. */
static void on_event(void *arg, const struct qmem_event *event)
{
	(void)arg;
	if (host.n == NOTIFICATIONS)
		drop_oldest();
	sink_notification(&host.notifications[(host.first + host.n) % NOTIFICATIONS], host.sink, event);
	host.n++;
	wake_notifier();
}

static void on_log(void *arg, enum qmem_level level, const char *text)
{
	static const int levels[] = {
		[QMEM_LOG_ERROR] = LOG_ERR, [QMEM_LOG_WARNING] = LOG_WARNING, [QMEM_LOG_NOTICE] = LOG_NOTICE,
		[QMEM_LOG_INFO] = LOG_INFO, [QMEM_LOG_DEBUG] = LOG_DEBUG,
	};

	(void)arg;
	add_line(levels[level], text);
}

static int on_work(void *arg, struct qmem_job *job)
{
	(void)arg;
	return host.worker ? worker_add(host.worker, job) : -EMFILE;
}

static int on_leave(void *arg, struct qmem_job *job)
{
	(void)arg;
	return worker_leave(host.worker, job);
}

static int on_recall(void *arg, struct qmem_job *job)
{
	(void)arg;
	return worker_recall(host.worker, job);
}

static uint64_t on_now(void *arg)
{
	(void)arg;
	return clock_now();
}

static const struct qmem_host calls = {
	.values = on_values,
	.event = on_event,
	.log = on_log,
	.work = on_work,
	.leave = on_leave,
	.recall = on_recall,
	.cpu_ns = clock_cpu_ns,
	.now = on_now,
};

/* ---- what the daemon calls ---- */

/* The daemon exits if this fails. */
static int on_config(oconfig_item_t *block)
{
	if (host.q)
		config_apply(host.q, block);
	return 0;
}

static void dispatch(void)
{
	struct epoll_event ready[READY];
	int n = epoll_wait(qmem_fd(host.q), ready, READY, 0);

	qmem_dispatch(host.q, ready, n > 0 ? n : 0, clock_now());
}

/* The daemon does not call again before it has returned: ticks that come meanwhile are its own. */
static int on_read(user_data_t *data)
{
	uint64_t now, due = 0;
	int err = 0;

	(void)data;
	enter();
	while (host.q && !host.stopping) {
		now = clock_now();
		if (now >= due) {
			due = now + host.tick;
			sink_round(host.sink, now);
			err = qmem_collect(host.q, now);
		} else {
			err = qmem_go_on(host.q, now);
		}
		/* late is better than never */
		if (!host.listening)
			dispatch();
		if (err != QMEM_MORE)
			break;
		give_way();
	}
	leave();
	return err < 0 ? -1 : 0;
}

static void start_listener(void)
{
	host.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	host.planned = 0;
	host.listening = host.wake >= 0 && !qmem_watch(host.q, host.wake, EPOLLIN, woken, NULL) &&
			 !spawn(&host.listener, listen_loop, "qmem listen");
	if (!host.listening)
		add_line(LOG_WARNING, "there is no thread to listen: events come with the next read, or not at all");
}

static void start_notifier(void)
{
	host.notifying = !spawn(&host.notifier, notify_loop, "qmem notify");
	if (!host.notifying)
		add_line(LOG_WARNING, "there is no thread to send notifications: none will be sent");
}

/* Before services start, which may have something for it to do. */
static void make_worker(void)
{
	static const struct worker_calls worker_calls = { .create = plugin_thread_create };

	if (worker_new(&worker_calls, &host.worker))
		host.worker = NULL;
	else if (!qmem_watch(host.q, worker_fd(host.worker), EPOLLIN, worker_ready, host.worker))
		return;
	worker_free(host.worker);
	host.worker = NULL;
}

static void start_worker(void)
{
	if (!host.worker || worker_go(host.worker))
		add_line(LOG_WARNING, "there are no workers: what may block is not read");
}

/* The table is that of docs/security.md. */
static void tell_capabilities(void)
{
	uint64_t permitted = right_permitted();
	struct privilege p = { 0 };
	char subject[128];
	const char *why;

	while (privilege_next(&p, qmem_services)) {
		if (privilege_state(host.q, &p, permitted, &why) != PRIVILEGE_LACKING || p.row->starting)
			continue;
		privilege_subject(subject, sizeof(subject), p.row);
		daemon_log(LOG_INFO, "%s: lacks %s for %s (%s: %s): capability %u in docs/security.md, %s",
			   p.service->name, p.row->name, subject, p.row->why, why, p.line,
			   privilege_of_collectd(p.row));
	}
}

static void stop(void);

/* There are no threads yet, of the daemon's or ours, until the listener is started. */
static int start(void)
{
	uint64_t interval = CDTIME_T_TO_NS(plugin_get_interval());
	uint64_t tick = qmem_tick(host.q, interval);
	int err;

	make_worker();
	err = qmem_start(host.q, tick, interval, clock_now());
	if (err)
		return err;
	tell_capabilities();
	host.tick = tick;
	host.sink = sink_new(host.q);
	if (!host.sink)
		return -ENOMEM;
	if (plugin_register_complex_read(NULL, "qmem", on_read, NS_TO_CDTIME_T(tick), NULL))
		return -EIO;
	enter();
	start_worker();
	start_listener();
	start_notifier();
	leave();
	return 0;
}

/* The daemon would end with an error if this failed, whatever else it does. */
static int on_init(void)
{
	int err = host.q ? start() : -ENOMEM;

	if (!err)
		return 0;
	stop();
	if (err == -ENODEV)
		daemon_log(LOG_ERR, "nothing is measured: no service is on");
	else
		daemon_log(LOG_ERR, "nothing can be measured here: %s", STRERROR(-err));
	return 0;
}

static void join(pthread_t thread, const struct timespec *until, const char *who)
{
	if (pthread_timedjoin_np(thread, NULL, until) == 0)
		return;
	pthread_detach(thread);
	daemon_log(LOG_WARNING, "the %s does not end, and is left behind", who);
}

static void free_notifications(void)
{
	for (; host.n; host.n--) {
		if (host.notifications[host.first].meta)
			plugin_notification_meta_free(host.notifications[host.first].meta);
		host.first = (host.first + 1) % NOTIFICATIONS;
	}
}

/* Also when init has not run, or has failed half way. */
static void stop(void)
{
	struct timespec until;
	struct qmem *q;
	bool listening, notifying;

	enter();
	host.stopping = true;
	listening = host.listening;
	notifying = host.notifying;
	wake_listener();
	wake_notifier();
	leave();

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += JOIN_SECONDS;
	if (listening)
		join(host.listener, &until, "listener");
	if (notifying)
		join(host.notifier, &until, "notifier");

	enter();
	host.listening = host.notifying = false;
	q = host.q;
	host.q = NULL;
	qmem_free(q);
	worker_free(host.worker);
	host.worker = NULL;
	free_notifications();
	sink_free(host.sink);
	host.sink = NULL;
	if (host.wake >= 0)
		close(host.wake);
	host.wake = -1;
	leave();
}

static int on_shutdown(void)
{
	stop();
	return 0;
}

void module_register(void)
{
	host.q = qmem_new(&calls, NULL, qmem_services);
	if (!host.q)
		daemon_log(LOG_ERR, "no memory, or no descriptor, for the engine");
	plugin_register_complex_config("qmem", on_config);
	plugin_register_init("qmem", on_init);
	plugin_register_shutdown("qmem", on_shutdown);
}
