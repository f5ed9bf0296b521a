/* SPDX-License-Identifier: MIT */
#include "process/stuckevent.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "util/escape.h"
#include "util/words.h"

#define NAMED 8 /* tasks that have an event each */
#define TEXT WORDS_NUMBER

const char *stuckevent_channel(const struct stuck_task *task)
{
	return *task->channel ? task->channel : "unknown";
}

static void who(char *dst, size_t size, const struct stuck_task *task)
{
	char shown[2 * STUCK_NAME];

	escape_name(shown, sizeof(shown), task->name);
	if (task->id.tid == task->id.pid)
		snprintf(dst, size, "'%s' (pid %" PRId32 ")", shown, task->id.pid);
	else
		snprintf(dst, size, "'%s' (thread %" PRId32 " of pid %" PRId32 ")", shown, task->id.tid, task->id.pid);
}

void stuckevent_over(void *arg, const struct stuck_task *task)
{
	struct stuckevent *e = arg;
	char instance[TEXT], lasted[TEXT], name[2 * STUCK_NAME + 64], pid[TEXT], tid[TEXT];
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
	words_span(lasted, task->seen - task->since);
	who(name, sizeof(name), task);
	snprintf(event.message, sizeof(event.message), "task is no longer stuck: %s, it was for %s, in %s", name,
		 lasted, stuckevent_channel(task));
	qmem_raise(e->q, &event);
	e->named--;
}

static void raise(const struct stuckevent *e, const struct proctable *table, struct stuck_task *task, uint64_t now)
{
	char instance[TEXT], lasts[TEXT], name[2 * STUCK_NAME + 64], pid[TEXT], tid[TEXT], uid[TEXT] = "?";
	char path[512] = "?", cgroup[512], head[192], tail[160];
	const struct proc *p = proctable_find(table, task->id.pid);
	const struct qmem_label fields[] = {
		{ "pid", pid },
		{ "tid", tid },
		{ "comm", task->name },
		{ "uid", uid },
		{ "wchan", stuckevent_channel(task) },
		{ "cgroup", path },
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
		snprintf(task->name, sizeof(task->name), "%s", p->comm);
	if (p && p->uid != PROC_NO_UID)
		snprintf(uid, sizeof(uid), "%" PRIu32, p->uid);
	if (!p || proctable_cgroup(e->q, p, path, sizeof(path)))
		snprintf(path, sizeof(path), "?");
	escape_name(cgroup, sizeof(cgroup), path);
	words_span(lasts, now - task->since);
	who(name, sizeof(name), task);
	snprintf(head, sizeof(head), "task is stuck in state D: %s, user %s, cgroup ", name, uid);
	snprintf(tail, sizeof(tail), ", for %s, in %s; see the kernel's log", lasts, stuckevent_channel(task));
	words_around(event.message, sizeof(event.message), head, cgroup, tail);
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
	words_span(after, after_ns);
	snprintf(count, sizeof(count), "%zu", n);
	if (n)
		snprintf(
			event.message, sizeof(event.message),
			"tasks are stuck in state D: %zu more, for longer than %s, one of them in %s; see the kernel's log",
			n, after, channel);
	else
		snprintf(event.message, sizeof(event.message),
			 "tasks are no longer stuck: no more of them than have an event each");
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
