/* SPDX-License-Identifier: MIT */
#include "plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "heartbeat.h"
#include "program/capabilities.h"
#include "program/clock.h"
#include "program/config.h"
#include "input.h"
#include "program/log.h"
#include "output.h"
#include "sink.h"
#include "program/worker.h"

#define KEEP_ALIVE (60 * QMEM_SECOND) /* 2.x ends a plugin that is silent for two minutes */
#define EVENTS 32

struct loop {
	struct qmem *q;
	struct log log;
	struct output out;
	struct sink sink;
	struct input in;
	struct worker *worker;
	int signal_fd;
	int flags;        /* of stdout, as they were; -1: not changed */
	bool ticking;     /* between sink_begin() and sink_end() */
	bool lost;        /* values came while the output was blocked */
	uint64_t skipped; /* ticks, since the output is blocked */
	uint64_t spoke;   /* when something was written last */
	bool leave;
	int status;
};

/* ---- what the engine calls ---- */

static void on_values(void *arg, const struct qmem_round *round, const struct qmem_family *family,
		      const struct qmem_instance *instance, const void *sample)
{
	struct loop *l = arg;

	l->lost |= l->ticking && l->sink.muted;
	sink_values(&l->sink, round, family, instance, sample);
}

static void on_collected(void *arg, const struct qmem_round *round)
{
	struct loop *l = arg;

	sink_collected(&l->sink, round);
}

static void on_stopped(void *arg, const struct qmem_service *service)
{
	struct loop *l = arg;

	sink_stopped(&l->sink, service);
}

static void on_event(void *arg, const struct qmem_event *event)
{
	static const struct {
		enum qmem_level level;
		const char *word;
	} severities[] = {
		[QMEM_OKAY] = { QMEM_LOG_NOTICE, "OKAY" },
		[QMEM_WARNING] = { QMEM_LOG_WARNING, "WARNING" },
		[QMEM_FAILURE] = { QMEM_LOG_ERROR, "FAILURE" },
	};
	const struct loop *l = arg;

	log_printf(&l->log, severities[event->severity].level, "%s: %s.%s%s%s%s: %s", severities[event->severity].word,
		   event->service, event->name, event->instance ? "[" : "", event->instance ? event->instance : "",
		   event->instance ? "]" : "", event->message);
}

static void on_log(void *arg, enum qmem_level level, const char *text)
{
	const struct loop *l = arg;

	log_line(&l->log, level, text);
}

static int on_work(void *arg, struct qmem_job *job)
{
	struct loop *l = arg;

	return l->worker ? worker_add(l->worker, job) : -EMFILE;
}

/* ---- what the loop waits for ---- */

static void leave(struct loop *l, const char *why)
{
	if (!l->leave)
		log_printf(&l->log, QMEM_LOG_INFO, "leaves: %s", why);
	l->leave = true;
}

static void on_signal(struct qmem *q, int fd, uint32_t events, void *arg)
{
	struct signalfd_siginfo info;

	(void)q;
	(void)events;
	if (read(fd, &info, sizeof(info)) == sizeof(info))
		leave(arg, strsignal((int)info.ssi_signo));
}

static void on_input(struct qmem *q, int fd, uint32_t events, void *arg)
{
	struct loop *l = arg;
	char text[4096];
	ssize_t n;

	(void)q;
	(void)events;
	n = read(fd, text, sizeof(text));
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		leave(l, "the agent has closed our input");
	else if (n > 0 && input_feed(&l->in, text, (size_t)n))
		leave(l, "the agent says QUIT");
}

static void flush(struct loop *l)
{
	bool was = output_blocked(&l->out), is;
	char words[128];
	int err = output_flush(&l->out);

	if (err == -EPIPE) {
		leave(l, "the agent has closed our output");
	} else if (err) {
		leave(l, strerror_r(-err, words, sizeof(words)));
		l->status = 1;
	}
	if (err)
		return;
	l->spoke = qmem_now(l->q);
	is = output_blocked(&l->out);
	/* not every kind of file can be waited for; those are tried again with each tick */
	(void)qmem_watch_events(l->q, l->out.fd, is ? EPOLLOUT : 0);
	if (was && !is && l->skipped) {
		log_printf(&l->log, QMEM_LOG_NOTICE, "the agent reads again: %llu ticks were skipped",
			   (unsigned long long)l->skipped);
		l->skipped = 0;
	}
}

static void on_output(struct qmem *q, int fd, uint32_t events, void *arg)
{
	struct loop *l = arg;

	(void)q;
	(void)fd;
	if (events & EPOLLOUT)
		flush(l);
	else if (events & (EPOLLERR | EPOLLHUP))
		leave(l, "the agent has closed our output");
}

/* ---- ticks ---- */

static void tick(struct loop *l, uint64_t now)
{
	l->lost = false;
	l->ticking = true;
	if (output_blocked(&l->out))
		flush(l);
	sink_begin(&l->sink);
	(void)qmem_collect(l->q, now); /* it has logged what failed */
	sink_end(&l->sink);
	l->ticking = false;
	if (l->lost) {
		qmem_dropped(l->q, 1, 0);
		if (!l->skipped++)
			log_line(&l->log, QMEM_LOG_WARNING, "the agent does not read: ticks are skipped until it does");
	} else if (l->out.len) {
		flush(l);
	}
}

static int milliseconds(uint64_t now, uint64_t until)
{
	uint64_t ms = until <= now ? 0 : (until - now + 999999) / 1000000;

	return ms > 3600000 ? 3600000 : (int)ms;
}

static void run(struct loop *l, uint64_t step)
{
	struct epoll_event events[EVENTS];
	uint64_t now = clock_now(), due = heartbeat_next(now, step);

	l->spoke = now;
	while (!l->leave) {
		uint64_t until = due, next = qmem_next(l->q);
		int n;

		if (next < until)
			until = next;
		if (!output_blocked(&l->out) && l->spoke + KEEP_ALIVE < until)
			until = l->spoke + KEEP_ALIVE;
		n = epoll_wait(qmem_fd(l->q), events, EVENTS, milliseconds(now, until));
		now = clock_now();
		qmem_dispatch(l->q, events, n < 0 ? 0 : n, now);
		if (!l->leave && now >= due) {
			/* from when it began: a tick that takes long does not move the next one, and what is missed is skipped */
			due = heartbeat_next(now, step);
			tick(l, now);
			now = clock_now();
			if (due <= now)
				due = heartbeat_next(now, step);
		}
		if (!l->leave && !output_blocked(&l->out) && now >= l->spoke + KEEP_ALIVE) {
			output_put(&l->out, "\n", 1);
			flush(l);
		}
	}
}

/* ---- life ---- */

static void watch_signals(struct loop *l)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	l->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	/* without it they end us the hard way, which the agent takes for a clean end as well */
	if (l->signal_fd < 0 || qmem_watch(l->q, l->signal_fd, EPOLLIN, on_signal, l) < 0)
		sigprocmask(SIG_UNBLOCK, &signals, NULL);
}

static void watch_agent(struct loop *l)
{
	int err = qmem_watch(l->q, STDIN_FILENO, EPOLLIN, on_input, l);

	/* a file or /dev/null: no one will ever say anything */
	if (err && err != -EPERM)
		log_printf(&l->log, QMEM_LOG_WARNING, "cannot wait for input: %s", strerror(-err));
	l->flags = fcntl(STDOUT_FILENO, F_GETFL);
	if (l->flags >= 0 && fcntl(STDOUT_FILENO, F_SETFL, l->flags | O_NONBLOCK) < 0)
		l->flags = -1;
	err = qmem_watch(l->q, STDOUT_FILENO, 0, on_output, l);
	if (err && err != -EPERM)
		log_printf(&l->log, QMEM_LOG_WARNING, "cannot wait for output: %s", strerror(-err));
}

static int configure(struct loop *l, const char *config)
{
	struct config_errors errors = { 0 };
	int err = config_read(l->q, config, &errors);

	for (size_t i = 0; i < errors.n; i++)
		log_line(&l->log, QMEM_LOG_ERROR, errors.items[i]);
	config_errors_release(&errors);
	return err;
}

int plugin_run(const char *config, unsigned update_every)
{
	static const struct qmem_host host = {
		.values = on_values,
		.collected = on_collected,
		.stopped = on_stopped,
		.event = on_event,
		.log = on_log,
		.work = on_work,
		.cpu_ns = clock_cpu_ns,
	};
	struct loop l = { .out.fd = STDOUT_FILENO, .signal_fd = -1, .flags = -1 };
	uint64_t step = update_every * QMEM_SECOND;
	int err;

	log_init(&l.log);
	err = sink_init(&l.sink, qmem_services, &l.out);
	l.q = err ? NULL : qmem_new(&host, &l, qmem_services);
	if (!l.q) {
		log_line(&l.log, QMEM_LOG_ERROR, "no memory");
		l.status = 1;
		goto out;
	}
	watch_signals(&l);
	watch_agent(&l);
	err = worker_new(&l.worker);
	if (!err)
		err = qmem_watch(l.q, worker_fd(l.worker), EPOLLIN, worker_ready, l.worker);
	if (err)
		log_printf(&l.log, QMEM_LOG_WARNING, "no worker: %s", strerror(-err));
	err = configure(&l, config);
	if (!err)
		err = capabilities_raise();
	if (err)
		log_printf(&l.log, QMEM_LOG_WARNING, "%s", strerror(-err));

	err = qmem_start(l.q, step, step, clock_now());
	(void)capabilities_settle();
	if (err) {
		/* trying again will not help: the agent is told not to */
		log_printf(&l.log, QMEM_LOG_ERROR, "nothing to do: %s", strerror(-err));
		output_put(&l.out, "DISABLE\n", strlen("DISABLE\n"));
		(void)output_flush(&l.out);
		l.status = 1;
		goto out;
	}
	log_printf(&l.log, QMEM_LOG_INFO, "version %s, every %u s", qmem_version(), update_every);
	run(&l, step);
out:
	qmem_free(l.q);
	worker_free(l.worker);
	if (l.signal_fd >= 0)
		close(l.signal_fd);
	if (l.flags >= 0)
		(void)fcntl(STDOUT_FILENO, F_SETFL, l.flags);
	sink_release(&l.sink);
	output_release(&l.out);
	return l.status;
}
