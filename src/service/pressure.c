/* SPDX-License-Identifier: MIT */
/* Pressure stall information: how long tasks wait for memory, io, cpu; and events when it is too long. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "engine/number.h"
#include "engine/root.h"
#include "kernel/sound.h"
#include "proc/psi.h"
#include "rows.h"
#include "service/pressure_event.h"
#include "service/pressure_total.h"
#include "service/pressure_trigger.h"
#include "service/vmstat.h"
#include "services.h"
#include "util/words.h"

#define POLL_LEAST (QMEM_SECOND / 2)
#define POLL_MOST (2 * QMEM_SECOND)
#define ASK_AGAIN 60 /* rounds */
#define UNPRIVILEGED_WINDOW (2 * QMEM_SECOND)
#define HOLD_BEYOND QMEM_SECOND /* the window: it is over after twice that */

struct resource {
	struct qmem_file file;
	struct qmem_complaint complaint, faulty;
	struct fault fault;
	bool missing; /* not on this kernel: never looked for again */
	bool valid;
	int err; /* of the last read */
	struct psi psi;
	struct pressure_total totals[PSI_KINDS];
};

struct watcher {
	struct trigger trigger;
	struct pressure *pressure;
	struct pressure_condition *condition;
	char name[TRIGGER_NAME];
	int fd;          /* the kernel's trigger; -1: polled */
	bool off;        /* this kernel does not have the line */
	bool lies;       /* the kernel may fire without cause: samples are taken to tell */
	int refused;     /* polled: the kernel's error */
	unsigned rounds; /* since the kernel was asked last */
	uint64_t looked; /* when */
	char why[96];    /* it is polled, or off */
};

struct pressure {
	struct qmem_list triggers;
	int64_t hold, notify_interval;

	struct resource resources[PSI_RESOURCES];
	struct watcher *watchers;
	size_t n;
	struct pressure_condition conditions[PSI_RESOURCES * PSI_KINDS];
	size_t conditions_n;
	struct qmem_timer timer;
	uint64_t collected, apart; /* the last tick; how long after the one before: QMEM_NEVER at first */
	struct reclaim_history reclaims;
	struct pressure_who suspects;
};

struct trigger_values {
	int64_t state, severity, events, rejected;
};

static const struct qmem_metric avg_metrics[] = {
	METRIC(psi, "some_avg10", "some avg10", kind[PSI_SOME].avg10,
	       "part of the last 10 s in which some task waited"),
	METRIC(psi, "some_avg60", "some avg60", kind[PSI_SOME].avg60,
	       "part of the last 60 s in which some task waited"),
	METRIC(psi, "some_avg300", "some avg300", kind[PSI_SOME].avg300,
	       "part of the last 300 s in which some task waited"),
	METRIC(psi, "full_avg10", "full avg10", kind[PSI_FULL].avg10,
	       "part of the last 10 s in which all tasks waited at once"),
	METRIC(psi, "full_avg60", "full avg60", kind[PSI_FULL].avg60,
	       "part of the last 60 s in which all tasks waited at once"),
	METRIC(psi, "full_avg300", "full avg300", kind[PSI_FULL].avg300,
	       "part of the last 300 s in which all tasks waited at once"),
	{ 0 },
};

static const struct qmem_metric stall_metrics[] = {
	METRIC(psi, "some", "some total", kind[PSI_SOME].total, "time in which some task waited for the resource"),
	METRIC(psi, "full", "full total", kind[PSI_FULL].total,
	       "time in which all tasks waited at once, and no work was done"),
	{ 0 },
};

static const struct qmem_metric trigger_metrics[] = {
	METRIC(trigger_values, "state", NULL, state, "0 inactive, 1 easing: no event for the hold time, 2 active"),
	{ 0 },
};

static const struct qmem_metric severity_metrics[] = {
	METRIC(trigger_values, "severity", NULL, severity, "of what goes on: 0 okay, 1 warning, 2 failure"),
	{ 0 },
};

static const struct qmem_metric events_metrics[] = {
	METRIC(trigger_values, "events", NULL, events, "times a limit was exceeded, verified by the total"),
	METRIC(trigger_values, "rejected", NULL, rejected,
	       "notifications of the kernel that the total does not bear out"),
	{ 0 },
};

enum { FAMILY_AVG, FAMILY_STALL, FAMILY_TRIGGER, FAMILY_SEVERITY, FAMILY_EVENTS };

static const struct qmem_family families[] = {
	[FAMILY_AVG] = FAMILY("avg", "Share of time tasks waited", "pressure/stalls", "line", avg_metrics,
			      GAUGE("percent", 100, "percent"), .label = "resource"),
	[FAMILY_STALL] = FAMILY("stall", "Time tasks waited", "pressure/stalls", "line", stall_metrics,
				COUNTER("seconds", 1000000, "total_time_in_ms"), .label = "resource"),
	[FAMILY_TRIGGER] = FAMILY("trigger", "State of pressure triggers", "pressure/triggers", "line", trigger_metrics,
				  GAUGE("state", 1, "gauge"), .label = "trigger"),
	[FAMILY_SEVERITY] = FAMILY("severity", "Severity of pressure triggers", "pressure/triggers", "line",
				   severity_metrics, GAUGE("level", 1, "gauge"), .label = "trigger"),
	[FAMILY_EVENTS] = FAMILY("events", "Events of pressure triggers", "pressure/triggers", "line", events_metrics,
				 EVENTS, .label = "trigger"),
	{ 0 },
};

static bool check(const char *text, char *why, size_t size)
{
	struct trigger_spec spec;

	if (strcmp(text, "none") == 0)
		return true;
	if (trigger_parse(text, &spec, why, size))
		return false;
	/* sched: psi: the root has no task of its own that all others wait for */
	if (spec.resource != PSI_CPU || spec.kind != PSI_FULL)
		return true;
	snprintf(why, size, "never fires: cpu full is always 0 for the whole machine");
	return false;
}

/* io has no trigger by default: a backup waits for its disk all night long, and no one should be woken for that. */
static const struct qmem_option options[] = {
	{ .name = "Trigger",
	  .type = QMEM_LIST,
	  .offset = offsetof(struct pressure, triggers),
	  .def = "memory some 200ms 2s\nmemory full 400ms 2s",
	  .check = check,
	  .phrase = true,
	  .help = "RESOURCE some|full STALL WINDOW [warning|failure]: an event when tasks were stalled for STALL within WINDOW, "
		  "500ms to 10s; without the last word some is a warning, full a failure; without CAP_SYS_RESOURCE the kernel "
		  "takes windows of 2s, 4s, 6s, 8s and 10s only, and others are polled; several of one resource and kind are "
		  "one condition, as severe as the severest that fires; none: no trigger" },
	{ .name = "Hold",
	  .type = QMEM_DURATION,
	  .offset = offsetof(struct pressure, hold),
	  .def = "10s",
	  .min = INT64_C(1000000000),
	  .max = INT64_C(3600000000000),
	  .help = "time without an event, the trigger's window and 1s at least, after which pressure is easing; after as long again it "
		  "is over" },
	{ .name = "NotifyInterval",
	  .type = QMEM_DURATION,
	  .offset = offsetof(struct pressure, notify_interval),
	  .def = "5m",
	  .min = 0,
	  .max = INT64_C(86400000000000),
	  .help = "time between two reminders while pressure lasts; 0: none" },
	{ 0 },
};

/* ---- files ---- */

static int read_resource(struct qmem *q, struct pressure *p, enum psi_resource which)
{
	struct resource *r = &p->resources[which];
	const char *text;
	ssize_t len;
	int err;

	r->valid = false;
	len = qmem_read(q, &r->file, &text);
	r->err = len < 0 ? (int)len : 0;
	if (len < 0)
		return (int)len;
	err = psi_parse(text, (size_t)len, &r->psi, &r->fault);
	if (err)
		return sound_fail(q, &r->file, err, &r->fault);
	for (int kind = 0; kind < PSI_KINDS; kind++)
		r->psi.kind[kind].total = pressure_total(&r->totals[kind], r->psi.kind[kind].total, qmem_now(q));
	r->valid = true;
	sound_read(q, &r->complaint, &r->file, 0);
	sound_fault(q, &r->faulty, &r->file, 0, &r->fault);
	return 0;
}

/* The same, with a word about it. */
static int read_or_complain(struct qmem *q, struct pressure *p, enum psi_resource which)
{
	struct resource *r = &p->resources[which];
	int err = r->missing ? -ENOENT : read_resource(q, p, which);

	if (err && !r->missing && r->err)
		sound_read(q, &r->complaint, &r->file, err);
	else if (err && !r->missing)
		sound_fault(q, &r->faulty, &r->file, err, &r->fault);
	return err;
}

static int64_t total_of(const struct pressure *p, const struct trigger_spec *spec)
{
	const struct resource *r = &p->resources[spec->resource];

	return r->valid ? r->psi.kind[spec->kind].total : QMEM_NA;
}

/* ---- events ---- */

static void step(struct qmem *q, struct watcher *w, enum trigger_cause cause)
{
	struct trigger *t = &w->trigger;
	enum trigger_change change;

	change = trigger_step(t, cause, qmem_now(q), total_of(w->pressure, &t->spec));
	if (change == TRIGGER_REJECTED)
		qmem_log(q, QMEM_LOG_DEBUG, "%s: notified, but the total does not bear it out", w->name);
	condition_step(w->condition, t, change);
}

static void settle(struct qmem *q, struct pressure *p)
{
	for (struct pressure_condition *c = p->conditions; c < p->conditions + p->conditions_n; c++) {
		switch (condition_settle(c)) {
		case CONDITION_TELL:
			pressure_raise(q, c, &p->reclaims, &p->suspects, (uint64_t)p->notify_interval);
			break;
		case CONDITION_OVER:
			pressure_raise_over(q, c);
			break;
		case CONDITION_SAME:
			break;
		}
	}
}

/* ---- triggers ---- */

static uint64_t pace_of(const struct watcher *w, uint64_t most)
{
	uint64_t pace = (uint64_t)w->trigger.spec.window / 2;

	if (pace < POLL_LEAST)
		pace = POLL_LEAST;
	if (pace > most)
		pace = most;
	/* a tick of the same pace comes first, and saves a wakeup */
	return pace + pace / 8;
}

/* When the total is looked at next, if no tick does it. */
static uint64_t looks(const struct watcher *w)
{
	if (w->fd < 0)
		return w->looked + pace_of(w, POLL_MOST);
	/* what the kernel says is compared with a sample about a window old: ticks may take them often enough */
	if (w->lies && w->pressure->apart > (uint64_t)w->trigger.spec.window)
		return w->looked + pace_of(w, QMEM_NEVER);
	return QMEM_NEVER;
}

static uint64_t wakes(const struct watcher *w)
{
	uint64_t when = trigger_deadline(&w->trigger);

	if (w->off)
		return QMEM_NEVER;
	return looks(w) < when ? looks(w) : when;
}

static void arm(struct qmem *q, struct pressure *p)
{
	uint64_t first = QMEM_NEVER;

	for (size_t i = 0; i < p->n; i++)
		if (wakes(&p->watchers[i]) < first)
			first = wakes(&p->watchers[i]);
	if (first == QMEM_NEVER)
		qmem_timer_cancel(q, &p->timer);
	else if (!p->timer.set || p->timer.when != first)
		qmem_timer_set(q, &p->timer, first);
}

static void look(struct qmem *q, struct watcher *w)
{
	w->looked = qmem_now(q);
	step(q, w, w->fd < 0 ? TRIGGER_POLL : TRIGGER_TICK);
}

static void expired(struct qmem *q, struct qmem_timer *timer)
{
	struct pressure *p = timer->arg;
	bool fresh[PSI_RESOURCES] = { false };

	for (size_t i = 0; i < p->n; i++) {
		struct watcher *w = &p->watchers[i];
		enum psi_resource which = w->trigger.spec.resource;

		if (wakes(w) > qmem_now(q))
			continue;
		if (!fresh[which])
			(void)read_or_complain(q, p, which);
		fresh[which] = true;
		look(q, w);
	}
	settle(q, p);
	arm(q, p);
}

static bool privileged(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	if (syscall(SYS_capget, &header, data))
		return false;
	return data[CAP_TO_INDEX(CAP_SYS_RESOURCE)].effective & CAP_TO_MASK(CAP_SYS_RESOURCE);
}

/* What --check shows. */
static void note(struct qmem *q, const struct pressure *p)
{
	size_t kernel = 0;
	char text[256] = "";

	for (size_t i = 0; i < p->n; i++)
		kernel += p->watchers[i].fd >= 0;
	if (kernel)
		words_add(text, sizeof(text), "%zu trigger%s of the kernel%s", kernel, kernel == 1 ? "" : "s",
			  privileged() ? "" : " (without CAP_SYS_RESOURCE up to 2 s late; false ones are dropped)");
	for (size_t i = 0; i < p->n; i++) {
		const struct watcher *w = &p->watchers[i];

		if (w->fd < 0)
			words_add(text, sizeof(text), "%s%s %s: %s", *text ? "; " : "", w->name,
				  w->off ? "off" : "polled", w->why);
	}
	qmem_note(q, "%s", text);
}

static void lose(struct qmem *q, struct watcher *w, const char *why)
{
	(void)qmem_unwatch(q, w->fd);
	close(w->fd);
	w->fd = -1;
	snprintf(w->why, sizeof(w->why), "%s", why);
	qmem_log(q, QMEM_LOG_WARNING, "trigger %s is polled from now on: %s", w->name, w->why);
	note(q, w->pressure);
}

static void ready(struct qmem *q, int fd, uint32_t events, void *arg)
{
	struct watcher *w = arg;

	(void)fd;
	if (events & (EPOLLERR | EPOLLHUP))
		lose(q, w, "the kernel has given it up");
	(void)read_or_complain(q, w->pressure, w->trigger.spec.resource);
	if (events & EPOLLPRI)
		step(q, w, TRIGGER_EVENT);
	else
		look(q, w);
	settle(q, w->pressure);
	arm(q, w->pressure);
}

/* The kernel refuses in few words. */
static void refusal(struct watcher *w, const struct resource *r, int err)
{
	const struct trigger_spec *spec = &w->trigger.spec;
	const char *path = r->file.path;
	char window[24], words[64];

	qmem_print_duration(window, sizeof(window), spec->window);
	if (r->file.fd < 0)
		snprintf(w->why, sizeof(w->why), "cannot read /%s: %s", path, root_words(err, words, sizeof(words)));
	else if (err == -ENOTTY)
		snprintf(w->why, sizeof(w->why), "/%s is not of procfs", path);
	else if (err == -EROFS)
		snprintf(w->why, sizeof(w->why), "/%s is read-only", path);
	else if (err == -EINVAL && (uint64_t)spec->window % UNPRIVILEGED_WINDOW)
		snprintf(w->why, sizeof(w->why), "a window of %s needs CAP_SYS_RESOURCE", window);
	else if (err == -EINVAL)
		snprintf(w->why, sizeof(w->why), "this kernel has no such trigger");
	else if (err == -EACCES)
		snprintf(w->why, sizeof(w->why), "cannot write /%s, which takes CAP_DAC_OVERRIDE before Linux 6.1.42",
			 path);
	else
		snprintf(w->why, sizeof(w->why), "cannot write /%s: %s", path, strerror_r(-err, words, sizeof(words)));
}

/* A descriptor the kernel notifies us by, or -errno. */
static int ask_kernel(struct qmem *q, struct watcher *w, const struct resource *r)
{
	const struct qmem_file *file = &r->file;
	const struct trigger_spec *spec = &w->trigger.spec;
	char text[64];
	struct statfs fs;
	int fd, len, err = 0;

	/* never write into a recorded file */
	if (file->fd < 0)
		return r->err ? r->err : -EBADF;
	if (fstatfs(file->fd, &fs) || fs.f_type != PROC_SUPER_MAGIC)
		return -ENOTTY;
	fd = qmem_open(q, O_RDWR | O_NONBLOCK, "%s", file->path);
	if (fd < 0)
		return fd;
	/* nor into what has taken its place */
	if (fstatfs(fd, &fs) || fs.f_type != PROC_SUPER_MAGIC) {
		close(fd);
		return -ENOTTY;
	}
	len = snprintf(text, sizeof(text), "%s %" PRId64 " %" PRId64, psi_kinds[spec->kind], spec->stall / 1000,
		       spec->window / 1000);
	/* with its NUL: the kernel cuts the last byte off, whatever it is */
	if (write(fd, text, (size_t)len + 1) < 0)
		err = -errno;
	if (!err)
		err = qmem_watch(q, fd, EPOLLPRI, ready, w);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

/* Is the line not on this kernel? */
static bool is_off(struct qmem *q, struct watcher *w)
{
	struct pressure *p = w->pressure;
	const struct resource *r = &p->resources[w->trigger.spec.resource];

	if (!r->missing && (!r->valid || r->fault.n || total_of(p, &w->trigger.spec) != QMEM_NA))
		return false;
	w->off = true;
	snprintf(w->why, sizeof(w->why), "this kernel does not report it");
	qmem_log(q, QMEM_LOG_WARNING, "trigger %s is off: %s", w->name, w->why);
	return true;
}

/* By the kernel, if it will; else by polling. */
static int watch(struct qmem *q, struct watcher *w)
{
	const struct resource *r = &w->pressure->resources[w->trigger.spec.resource];

	w->rounds = 0;
	w->fd = ask_kernel(q, w, r);
	w->refused = w->fd < 0 ? w->fd : 0;
	w->lies = !w->refused && !privileged();
	if (w->refused) {
		w->fd = -1;
		refusal(w, r, w->refused);
	}
	return w->refused;
}

static void watch_first(struct qmem *q, struct watcher *w)
{
	w->looked = qmem_now(q);
	if (is_off(q, w))
		return;
	/* the reference for what comes next */
	(void)trigger_step(&w->trigger, TRIGGER_TICK, qmem_now(q), total_of(w->pressure, &w->trigger.spec));
	if (watch(q, w))
		qmem_log(q, QMEM_LOG_INFO, "trigger %s is polled: %s", w->name, w->why);
}

/* What was refused for want of a descriptor or of memory may be granted later. */
static void watch_again(struct qmem *q, struct watcher *w)
{
	int before = w->refused;

	if ((before != -EMFILE && before != -ENFILE && before != -ENOMEM) || ++w->rounds < ASK_AGAIN)
		return;
	if (!is_off(q, w) && watch(q, w) == before)
		return;
	if (!w->off && w->refused)
		qmem_log(q, QMEM_LOG_INFO, "trigger %s is polled: %s", w->name, w->why);
	else if (!w->off)
		qmem_log(q, QMEM_LOG_INFO, "trigger %s is the kernel's now", w->name);
	note(q, w->pressure);
}

static bool known(const struct pressure *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->watchers[i].name, name) == 0)
			return true;
	return false;
}

static struct pressure_condition *condition_of(struct pressure *p, const struct trigger *t)
{
	struct pressure_condition *c = p->conditions;

	while (c < p->conditions + p->conditions_n && !condition_is(c, t))
		c++;
	if (c == p->conditions + p->conditions_n) {
		condition_init(c, t);
		p->conditions_n++;
	}
	return c;
}

/* Each tells once a window at most, and that up to 2 s late: shorter quiet says nothing. */
static uint64_t hold_of(const struct pressure *p, const struct trigger_spec *spec)
{
	uint64_t least = (uint64_t)spec->window + HOLD_BEYOND;

	return (uint64_t)p->hold > least ? (uint64_t)p->hold : least;
}

static int watch_all(struct qmem *q, struct pressure *p)
{
	p->watchers = calloc(p->triggers.n + 1, sizeof(*p->watchers));
	if (!p->watchers)
		return -ENOMEM;
	for (size_t i = 0; i < p->triggers.n; i++) {
		struct watcher *w = &p->watchers[p->n];
		char why[160];

		if (trigger_parse(p->triggers.items[i], &w->trigger.spec, why, sizeof(why)))
			continue; /* "none" */
		trigger_name(w->name, sizeof(w->name), &w->trigger.spec);
		if (known(p, w->name)) {
			qmem_log(q, QMEM_LOG_WARNING, "trigger %s is given twice", w->name);
			continue;
		}
		w->pressure = p;
		w->fd = -1;
		w->trigger.hold = hold_of(p, &w->trigger.spec);
		w->condition = condition_of(p, &w->trigger);
		condition_add(w->condition, &w->trigger);
		p->n++;
		watch_first(q, w);
	}
	return 0;
}

/* ---- the service ---- */

static int start(struct qmem *q, void *state)
{
	static const char *const paths[PSI_RESOURCES] = {
		[PSI_MEMORY] = "proc/pressure/memory",
		[PSI_IO] = "proc/pressure/io",
		[PSI_CPU] = "proc/pressure/cpu",
		[PSI_IRQ] = "proc/pressure/irq",
	};
	struct pressure *p = state;
	bool any = false, disabled = false;
	int err;

	for (int i = 0; i < PSI_RESOURCES; i++) {
		struct resource *r = &p->resources[i];

		r->file = QMEM_FILE_SINGLE(paths[i]);
		err = read_resource(q, p, (enum psi_resource)i);
		disabled |= err == -EOPNOTSUPP;
		r->missing = err == -EOPNOTSUPP || err == -ENOENT || err == -ENOTDIR;
		any |= !r->missing;
	}
	if (!any && disabled)
		return qmem_fail(q, -ENOTSUP, "PSI is off: the kernel needs psi=1 on its command line");
	if (!any)
		return qmem_fail(q, -ENOTSUP,
				 "no /proc/pressure: needs Linux 4.20 with CONFIG_PSI, and psi=1 where that is not "
				 "the default");
	p->apart = QMEM_NEVER;
	p->timer = (struct qmem_timer){ .expired = expired, .arg = p };
	err = watch_all(q, p);
	if (err)
		return err;
	note(q, p);
	arm(q, p);
	return 0;
}

static bool is_watched(const struct pressure *p, const struct pressure_condition *c)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->watchers[i].condition == c && !p->watchers[i].off)
			return true;
	return false;
}

static void emit_condition(struct qmem *q, const struct pressure *p, const struct pressure_condition *c)
{
	const struct qmem_instance instance = { .name = c->name, .labels = c->labels };
	struct condition_sum sum;
	struct trigger_values values;

	if (!is_watched(p, c))
		return;
	condition_sum(c, &sum);
	values = (struct trigger_values){ (int64_t)sum.state, (int64_t)sum.severity, sum.events, sum.rejected };
	qmem_emit(q, &families[FAMILY_TRIGGER], &instance, &values);
	qmem_emit(q, &families[FAMILY_SEVERITY], &instance, &values);
	qmem_emit(q, &families[FAMILY_EVENTS], &instance, &values);
}

/* What was before the pressure stays, while there is some. */
static void look_at_suspects(struct qmem *q, struct pressure *p)
{
	for (size_t i = 0; i < p->conditions_n; i++)
		if (p->conditions[i].on)
			return;
	if (p->conditions_n)
		(void)pressure_who_look(q, &p->suspects);
}

static int collect(struct qmem *q, void *state)
{
	struct pressure *p = state;
	const struct vmstat *vm;
	uint64_t when;
	bool any = false;
	int err = 0;

	for (int i = 0; i < PSI_RESOURCES; i++) {
		const struct resource *r = &p->resources[i];
		const struct qmem_instance instance = { .name = psi_resources[i] };
		int wrong;

		if (r->missing)
			continue;
		wrong = read_or_complain(q, p, (enum psi_resource)i);
		if (wrong) {
			err = wrong;
			continue;
		}
		any = true;
		qmem_emit(q, &families[FAMILY_AVG], &instance, &r->psi);
		qmem_emit(q, &families[FAMILY_STALL], &instance, &r->psi);
	}
	if (p->collected)
		p->apart = qmem_now(q) - p->collected;
	p->collected = qmem_now(q);
	vm = vmstat_last(q, &when);
	if (vm)
		reclaim_keep(&p->reclaims, vm, when);
	for (size_t i = 0; i < p->n; i++) {
		if (!p->watchers[i].off)
			watch_again(q, &p->watchers[i]);
		if (p->watchers[i].off)
			continue;
		look(q, &p->watchers[i]);
	}
	settle(q, p);
	look_at_suspects(q, p);
	for (size_t i = 0; i < p->conditions_n; i++)
		emit_condition(q, p, &p->conditions[i]);
	arm(q, p);
	return any ? 0 : err;
}

static void stop(struct qmem *q, void *state)
{
	struct pressure *p = state;

	qmem_timer_cancel(q, &p->timer);
	for (size_t i = 0; i < p->n; i++) {
		if (p->watchers[i].fd < 0)
			continue;
		(void)qmem_unwatch(q, p->watchers[i].fd);
		close(p->watchers[i].fd);
	}
	free(p->watchers);
	pressure_who_release(&p->suspects);
	for (int i = 0; i < PSI_RESOURCES; i++)
		qmem_file_close(&p->resources[i].file);
}

static const struct qmem_capability capabilities[] = {
	CAPABILITY(SYS_RESOURCE, "triggers with any window", .file = "/proc/pressure/*"),
	CAPABILITY(DAC_OVERRIDE, "triggers before Linux 6.1.42 and 6.4", .file = "/proc/pressure/*", .starting = true,
		   .extra = true),
	{ 0 },
};

const struct qmem_service pressure_service = {
	.name = "pressure",
	.help = "how long tasks are stalled for want of memory, io, cpu; events by the kernel's own triggers",
	.source = "/proc/pressure/{memory,io,cpu,irq}",
	.kernel = "4.20 (CONFIG_PSI); irq: 6.1; triggers: 5.2",
	.privilege =
		"none; triggers: CAP_DAC_OVERRIDE before Linux 6.1.42, CAP_SYS_RESOURCE for windows other than 2s, 4s, ... 10s",
	.needs = &vmstat_service,
	.capabilities = capabilities,
	.priority = 2500,
	.families = families,
	.options = options,
	.state_size = sizeof(struct pressure),
	.start = start,
	.collect = collect,
	.stop = stop,
};
