/* SPDX-License-Identifier: MIT */
#include "plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "heartbeat.h"
#include "input.h"
#include "output.h"
#include "program/clock.h"
#include "program/loop.h"
#include "sink.h"

#define KEEP_ALIVE (60 * QMEM_SECOND) /* 2.x ends a plugin that is silent for two minutes */

struct plugin {
	struct loop loop;
	struct output out;
	struct sink sink;
	struct input in;
	int signal_fd;
	int flags;        /* of stdout, as they were; -1: not changed */
	bool ticking;     /* between sink_begin() and sink_end() */
	bool more;        /* the tick is not done yet */
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
	struct plugin *p = arg;

	p->lost |= p->ticking && p->sink.muted;
	sink_values(&p->sink, round, family, instance, sample);
}

static void on_collected(void *arg, const struct qmem_round *round)
{
	struct plugin *p = arg;

	sink_collected(&p->sink, round);
}

static void on_stopped(void *arg, const struct qmem_service *service)
{
	struct plugin *p = arg;

	sink_stopped(&p->sink, service);
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
	const struct plugin *p = arg;

	log_printf(&p->loop.log, severities[event->severity].level, "%s: %s.%s%s%s%s: %s",
		   severities[event->severity].word, event->service, event->name, event->instance ? "[" : "",
		   event->instance ? event->instance : "", event->instance ? "]" : "", event->message);
}

/* ---- what the loop waits for ---- */

static void leave(struct plugin *p, const char *why)
{
	if (!p->leave)
		log_printf(&p->loop.log, QMEM_LOG_INFO, "leaves: %s", why);
	p->leave = true;
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
	struct plugin *p = arg;
	char text[4096];
	ssize_t n;

	(void)q;
	(void)events;
	n = read(fd, text, sizeof(text));
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		leave(p, "the agent has closed our input");
	else if (n > 0 && input_feed(&p->in, text, (size_t)n))
		leave(p, "the agent says QUIT");
}

static void flush(struct plugin *p)
{
	bool was = output_blocked(&p->out), is;
	char words[128];
	int err = output_flush(&p->out);

	if (err == -EPIPE) {
		leave(p, "the agent has closed our output");
	} else if (err) {
		leave(p, strerror_r(-err, words, sizeof(words)));
		p->status = 1;
	}
	if (err)
		return;
	p->spoke = qmem_now(p->loop.q);
	is = output_blocked(&p->out);
	/* not every kind of file can be waited for; those are tried again with each tick */
	(void)qmem_watch_events(p->loop.q, p->out.fd, is ? EPOLLOUT : 0);
	if (was && !is && p->skipped) {
		log_printf(&p->loop.log, QMEM_LOG_NOTICE, "the agent reads again: %llu ticks were skipped",
			   (unsigned long long)p->skipped);
		p->skipped = 0;
	}
}

static void on_output(struct qmem *q, int fd, uint32_t events, void *arg)
{
	struct plugin *p = arg;

	(void)q;
	(void)fd;
	if (events & EPOLLOUT)
		flush(p);
	else if (events & (EPOLLERR | EPOLLHUP))
		leave(p, "the agent has closed our output");
}

/* ---- ticks ---- */

/* Has the agent not yet read all that was written? Of what is no pipe it cannot be told. */
static bool is_behind(const struct plugin *p)
{
	int unread = 0;

	return ioctl(p->out.fd, FIONREAD, &unread) == 0 && unread > 0;
}

/* A tick, or another slice of it. */
static void collect(struct plugin *p, uint64_t now, int (*call)(struct qmem *q, uint64_t now))
{
	bool lost = p->lost;

	p->ticking = true;
	if (output_blocked(&p->out))
		flush(p);
	sink_begin(&p->sink);
	if (call == qmem_collect)
		sink_clock(&p->sink, now, clock_wall(), is_behind(p));
	p->more = call(p->loop.q, now) == QMEM_MORE; /* it has logged what failed */
	sink_end(&p->sink);
	p->ticking = false;
	if (p->lost && !lost) {
		qmem_dropped(p->loop.q, 1, 0);
		if (!p->skipped++)
			log_line(&p->loop.log, QMEM_LOG_WARNING,
				 "the agent does not read: ticks are skipped until it does");
	} else if (p->out.len) {
		flush(p);
	}
}

static void tick(struct plugin *p, uint64_t now)
{
	p->lost = false;
	collect(p, now, qmem_collect);
}

static uint64_t next_due(uint64_t now, uint64_t step)
{
	return now + heartbeat_wait(clock_wall(), step);
}

static void run(struct plugin *p, uint64_t step)
{
	uint64_t now = clock_now(), due = next_due(now, step);

	p->spoke = now;
	while (!p->leave) {
		uint64_t until = p->more ? 0 : due;

		if (!output_blocked(&p->out) && p->spoke + KEEP_ALIVE < until)
			until = p->spoke + KEEP_ALIVE;
		now = loop_wait(&p->loop, until);
		if (!p->leave && now >= due) {
			/* from when it began: a tick that takes long does not move the next one, and what is missed is skipped */
			due = next_due(now, step);
			tick(p, now);
			now = clock_now();
			if (due <= now)
				due = next_due(now, step);
		} else if (!p->leave && p->more) {
			collect(p, now, qmem_go_on);
			now = clock_now();
		}
		if (!p->leave && !output_blocked(&p->out) && now >= p->spoke + KEEP_ALIVE) {
			output_put(&p->out, "\n", 1);
			flush(p);
		}
	}
}

/* ---- life ---- */

static void watch_signals(struct plugin *p)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	p->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	/* without it they end us the hard way, which the agent takes for a clean end as well */
	if (p->signal_fd < 0 || qmem_watch(p->loop.q, p->signal_fd, EPOLLIN, on_signal, p) < 0)
		sigprocmask(SIG_UNBLOCK, &signals, NULL);
}

static void watch_agent(struct plugin *p)
{
	int err = qmem_watch(p->loop.q, STDIN_FILENO, EPOLLIN, on_input, p);

	/* a file or /dev/null: no one will ever say anything */
	if (err && err != -EPERM)
		log_printf(&p->loop.log, QMEM_LOG_WARNING, "cannot wait for input: %s", strerror(-err));
	p->flags = fcntl(STDOUT_FILENO, F_GETFL);
	if (p->flags >= 0 && fcntl(STDOUT_FILENO, F_SETFL, p->flags | O_NONBLOCK) < 0)
		p->flags = -1;
	err = qmem_watch(p->loop.q, STDOUT_FILENO, 0, on_output, p);
	if (err && err != -EPERM)
		log_printf(&p->loop.log, QMEM_LOG_WARNING, "cannot wait for output: %s", strerror(-err));
}

int plugin_run(const struct request *r, unsigned update_every)
{
	static const struct qmem_host host = {
		LOOP_HOST, .values = on_values, .collected = on_collected, .stopped = on_stopped, .event = on_event,
	};
	struct plugin p = { .out.fd = STDOUT_FILENO, .signal_fd = -1, .flags = -1 };
	struct config config = { 0 };
	uint64_t step = update_every * QMEM_SECOND;
	int err;

	log_init(&p.loop.log, r->program);
	err = sink_init(&p.sink, qmem_services, &p.out);
	p.sink.trust.known = trust_known(getenv("NETDATA_VERSION"));
	if (!err)
		err = loop_init(&p.loop, &host);
	if (err) {
		log_line(&p.loop.log, QMEM_LOG_ERROR, "no memory");
		p.status = 1;
		goto out;
	}
	watch_signals(&p);
	watch_agent(&p);
	err = loop_configure(&p.loop, r, &config);
	loop_complain(&p.loop, &config);
	if (err)
		log_printf(&p.loop.log, QMEM_LOG_WARNING, "%s", strerror(-err));
	err = loop_start(&p.loop, step);
	if (err) {
		/* trying again will not help: the agent is told not to */
		log_printf(&p.loop.log, QMEM_LOG_ERROR, "nothing to do: %s",
			   err == -ENODEV ? "all services are off" : strerror(-err));
		output_put(&p.out, "DISABLE\n", strlen("DISABLE\n"));
		(void)output_flush(&p.out);
		p.status = 1;
		goto out;
	}
	log_printf(&p.loop.log, QMEM_LOG_INFO, "version %s, every %u s", qmem_version(), update_every);
	run(&p, step);
out:
	loop_release(&p.loop);
	if (p.signal_fd >= 0)
		close(p.signal_fd);
	if (p.flags >= 0)
		(void)fcntl(STDOUT_FILENO, F_SETFL, p.flags);
	sink_release(&p.sink);
	output_release(&p.out);
	return p.status;
}
