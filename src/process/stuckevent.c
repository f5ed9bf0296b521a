/* SPDX-License-Identifier: MIT */
#include "process/stuckevent.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "engine/name.h"

#define NAMED 8 /* tasks that have an event each */
#define TEXT 32

/* "45 s", "3 min 20 s", "5 h 3 min" */
static void span_text(char *dst, uint64_t ns)
{
	unsigned long long s = ns / QMEM_SECOND;

	if (s < 120)
		snprintf(dst, TEXT, "%llu s", s);
	else if (s < 7200)
		snprintf(dst, TEXT, "%llu min %llu s", s / 60, s % 60);
	else
		snprintf(dst, TEXT, "%llu h %llu min", s / 3600, s / 60 % 60);
}

const char *stuckevent_channel(const struct stuck_task *task)
{
	return *task->channel ? task->channel : "unknown";
}

static void who(char *dst, size_t size, const struct stuck_task *task)
{
	if (task->id.tid == task->id.pid)
		snprintf(dst, size, "'%s' (pid %" PRId32 ")", task->name, task->id.pid);
	else
		snprintf(dst, size, "'%s' (thread %" PRId32 " of pid %" PRId32 ")", task->name, task->id.tid,
			 task->id.pid);
}

static void say(struct qmem_event *event, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct qmem_event *event, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(event->message, sizeof(event->message), fmt, args);
	va_end(args);
}

void stuckevent_over(void *arg, const struct stuck_task *task)
{
	struct stuckevent *e = arg;
	char instance[TEXT], lasted[TEXT], name[STUCK_NAME + 64], pid[TEXT], tid[TEXT];
	const struct qmem_label fields[] = {
		{ "pid", pid },         { "tid", tid }, { "comm", task->name }, { "wchan", stuckevent_channel(task) },
		{ "duration", lasted }, { 0 },
	};
	struct qmem_event event = {
		.severity = QMEM_OKAY,
		.service = e->service,
		.name = "stuck",
		.instance = instance,
		.fields = fields,
	};

	snprintf(instance, sizeof(instance), "%" PRId32, task->id.tid);
	snprintf(pid, sizeof(pid), "%" PRId32, task->id.pid);
	snprintf(tid, sizeof(tid), "%" PRId32, task->id.tid);
	span_text(lasted, task->seen - task->since);
	who(name, sizeof(name), task);
	say(&event, "%s is no longer stuck in state D: it was for %s, in %s", name, lasted, stuckevent_channel(task));
	qmem_raise(e->q, &event);
	e->named--;
}

static void raise(const struct stuckevent *e, const struct proctable *table, struct stuck_task *task, uint64_t now)
{
	char instance[TEXT], lasts[TEXT], name[STUCK_NAME + 64], pid[TEXT], tid[TEXT], uid[TEXT] = "?";
	char path[512], cgroup[512] = "?";
	const struct proc *p = proctable_find(table, task->id.pid);
	const struct qmem_label fields[] = {
		{ "pid", pid },
		{ "tid", tid },
		{ "comm", task->name },
		{ "uid", uid },
		{ "wchan", stuckevent_channel(task) },
		{ "cgroup", cgroup },
		{ "duration", lasts },
		{ 0 },
	};
	struct qmem_event event = {
		.severity = QMEM_WARNING,
		.service = e->service,
		.name = "stuck",
		.instance = instance,
		.repeat = e->repeat,
		.fields = fields,
	};

	snprintf(instance, sizeof(instance), "%" PRId32, task->id.tid);
	snprintf(pid, sizeof(pid), "%" PRId32, task->id.pid);
	snprintf(tid, sizeof(tid), "%" PRId32, task->id.tid);
	if (!*task->name && p)
		qmem_name_label(task->name, sizeof(task->name), p->comm);
	if (p && p->uid != PROC_NO_UID)
		snprintf(uid, sizeof(uid), "%" PRIu32, p->uid);
	if (p && !proctable_cgroup(e->q, p, path, sizeof(path)))
		qmem_name_label(cgroup, sizeof(cgroup), path);
	span_text(lasts, now - task->since);
	who(name, sizeof(name), task);
	say(&event, "%s has been stuck in state D for %s, in %s; user %s, cgroup %s", name, lasts,
	    stuckevent_channel(task), uid, cgroup);
	qmem_raise(e->q, &event);
	task->told = now;
}

/* Those who have no event of their own. One word for each doubling of their number. */
static void raise_others(const struct stuckevent *e, size_t n, const char *channel, uint64_t after_ns)
{
	char after[TEXT], count[TEXT];
	const struct qmem_label fields[] = { { "count", count }, { "wchan", channel }, { 0 } };
	struct qmem_event event = {
		.severity = n ? QMEM_WARNING : QMEM_OKAY,
		.service = e->service,
		.name = "stuck",
		.instance = "other",
		.repeat = e->repeat,
		.fields = fields,
	};

	for (size_t i = n; i; i /= 2)
		event.state++;
	span_text(after, after_ns);
	snprintf(count, sizeof(count), "%zu", n);
	if (n)
		say(&event, "%zu more tasks have been stuck in state D for longer than %s, one of them in %s", n, after,
		    channel);
	else
		say(&event, "no more tasks are stuck in state D than are named");
	qmem_raise(e->q, &event);
}

void stuckevent_raise(struct stuckevent *e, const struct proctable *table, struct stuck *census)
{
	const char *channel = "";
	size_t others = 0;

	for (;;) {
		struct stuck_task *next = NULL;

		others = 0;
		for (size_t i = 0; i < census->n; i++) {
			struct stuck_task *t = &census->tasks[i];

			if (!t->there || !t->stuck || t->told)
				continue;
			others++;
			channel = stuckevent_channel(t);
			if (!next || t->since < next->since)
				next = t;
		}
		if (!next || e->named >= NAMED)
			break;
		raise(e, table, next, census->now);
		e->named++;
	}
	for (size_t i = 0; e->repeat && i < census->n; i++) {
		struct stuck_task *t = &census->tasks[i];

		if (t->told && census->now - t->told >= e->repeat)
			raise(e, table, t, census->now);
	}
	if (others || e->others)
		raise_others(e, others, channel, census->after);
	e->others = others > 0;
}
