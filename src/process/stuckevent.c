/* SPDX-License-Identifier: MIT */
#include "process/stuckevent.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "process/ask.h"
#include "util/escape.h"
#include "util/words.h"

#define OF_USER 4            /* conditions of one user, of those that are not the system's */
#define OF_USER_IN_CHANNEL 2 /* of these, in one function */
#define OWNERS 8             /* whose the others are: told apart */
#define SHOWN 64             /* of a user's name */
#define TEXT WORDS_NUMBER
#define CGROUP 4096

enum { NOBODYS, SYSTEMS, USERS };

const char *stuckevent_channel(const struct stuck_task *task)
{
	return *task->channel ? task->channel : "unknown";
}

void stuckevent_release(struct stuckevent *e)
{
	procask_free(e->ask);
	e->ask = NULL;
}

/* ---- whose ---- */

static uint32_t uid_of(const struct proctable *table, const struct stuck_task *task)
{
	const struct proc *p = proctable_find(table, task->id.pid);

	return p ? p->uid : PROC_NO_UID;
}

static bool is_below(const char *path, const char *top)
{
	size_t len = strlen(top);

	return strncmp(path, top, len) == 0 && (!path[len] || path[len] == '/');
}

/* Root's, or a service's: nobody else puts a task into these cgroups. */
static bool is_system(const struct stuckevent *e, const struct proctable *table, struct stuck_task *task)
{
	const struct proc *p = proctable_find(table, task->id.pid);
	struct proctable_cgroups cgroups;

	if (task->owner == NOBODYS && p && p->uid != PROC_NO_UID) {
		task->owner = USERS;
		if (p->uid == 0 || (!proctable_cgroups(e->q, p, &cgroups) &&
				    (is_below(cgroups.paths.path[CGROUP_UNITS], "/system.slice") ||
				     is_below(cgroups.paths.path[CGROUP_UNITS], "/init.scope"))))
			task->owner = SYSTEMS;
	}
	return task->owner == SYSTEMS;
}

/* Asks before there is anything to say, so that no event has to wait for its words. */
static void ask_users(struct stuckevent *e, const struct proctable *table, const struct stuck *census)
{
	const struct procask_answer *answers;
	bool any = false;

	if (e->ask)
		(void)procask_take(e->ask, &answers);
	for (size_t i = 0; i < census->n; i++) {
		const struct stuck_task *t = &census->tasks[i];
		const struct proc *p;

		if (!t->there || t->usual || t->frozen || census->now - t->since < census->after / 8)
			continue;
		p = proctable_find(table, t->id.pid);
		if (!p || !p->uid || p->uid == PROC_NO_UID || (e->ask && procask_user(e->ask, p->uid)))
			continue;
		if (!e->ask && procask_new(e->q, PROCASK_USER, &e->ask))
			return;
		any |= procask_add(e->q, e->ask, p);
	}
	if (any)
		procask_go(e->q, e->ask);
}

/* ---- conditions ---- */

/* The same for the same thing: no numbers of processes. A function has no colon, and does not begin with a digit. */
static void instance_of(char *dst, size_t size, const struct stuckevent_condition *c)
{
	snprintf(dst, size, "%s:%s", c->name, c->channel);
	if (c->uid)
		words_add(dst, size, c->uid == PROC_NO_UID ? ":?" : ":%" PRIu32, c->uid);
}

static void who(char *dst, size_t size, const struct stuckevent_condition *c)
{
	char shown[2 * STUCK_NAME];

	escape_name(shown, sizeof(shown), c->name);
	if (c->first.tid == c->first.pid)
		snprintf(dst, size, "'%s' (pid %" PRId32 ")", shown, c->first.pid);
	else
		snprintf(dst, size, "'%s' (thread %" PRId32 " of pid %" PRId32 ")", shown, c->first.tid, c->first.pid);
}

/* As much of its end as fits, of whole names: half of a container's id is none. */
static void add_cgroup(char *dst, size_t size, const char *path, const char *tail)
{
	const char *at = path;

	while (at && !words_add_whole(dst, size, ", cgroup %s%s%s", at == path ? "" : "...", at, tail))
		at = strchr(at + 1, '/');
	if (!at)
		words_add(dst, size, "%s", tail);
}

static void raise_over(struct stuckevent *e, struct stuckevent_condition *c)
{
	char instance[STUCK_NAME + STUCK_CHANNEL + TEXT], lasted[TEXT], name[2 * STUCK_NAME + 64], pid[TEXT], tid[TEXT];
	const struct qmem_label fields[] = {
		{ "pid", pid },          { "tid", tid },         { "comm", c->name },
		{ "wchan", c->channel }, { "duration", lasted }, { 0 },
	};
	struct qmem_event event = {
		.severity = QMEM_OKAY,
		.service = e->service,
		.name = "stuck",
		.instance = instance,
		.fields = fields,
	};

	instance_of(instance, sizeof(instance), c);
	snprintf(pid, sizeof(pid), "%" PRId32, c->first.pid);
	snprintf(tid, sizeof(tid), "%" PRId32, c->first.tid);
	words_span(lasted, c->seen - c->since);
	who(name, sizeof(name), c);
	snprintf(event.message, sizeof(event.message), "%s no longer stuck: %s%s, it was for %s, in %s",
		 c->state > 1 ? "tasks are" : "task is", name, c->state > 1 ? " and those like it" : "", lasted,
		 c->channel);
	qmem_raise(e->q, &event);
	c->state = 0;
}

static void raise(const struct stuckevent *e, const struct proctable *table, struct stuckevent_condition *c,
		  uint64_t now)
{
	char instance[STUCK_NAME + STUCK_CHANNEL + TEXT], lasts[TEXT], name[2 * STUCK_NAME + 64], pid[TEXT], tid[TEXT],
		uid[TEXT] = "?", user[SHOWN], count[TEXT], cgroup[CGROUP], tail[160];
	struct proctable_cgroups cgroups;
	const struct proc *p = proctable_find(table, c->first.pid);
	const struct qmem_label fields[] = {
		{ "pid", pid },          { "tid", tid },
		{ "comm", c->name },     { "uid", uid },
		{ "user", user },        { "count", count },
		{ "wchan", c->channel }, { "cgroup", cgroup },
		{ "duration", lasts },   { 0 },
	};
	struct qmem_event event = {
		.severity = QMEM_WARNING,
		.service = e->service,
		.name = "stuck",
		.instance = instance,
		.state = c->state,
		.repeat = e->repeat,
		.fields = fields,
	};

	instance_of(instance, sizeof(instance), c);
	snprintf(pid, sizeof(pid), "%" PRId32, c->first.pid);
	snprintf(tid, sizeof(tid), "%" PRId32, c->first.tid);
	snprintf(count, sizeof(count), "%zu", c->tasks);
	if (c->uid != PROC_NO_UID)
		snprintf(uid, sizeof(uid), "%" PRIu32, c->uid);
	procask_user_text(e->ask, user, sizeof(user), c->uid);
	escape_name(cgroup, sizeof(cgroup),
		    p && !proctable_cgroups(e->q, p, &cgroups) ? cgroups.paths.path[CGROUP_UNITS] : "?");
	words_span(lasts, now - c->since);
	who(name, sizeof(name), c);
	if (c->tasks > 1)
		snprintf(event.message, sizeof(event.message), "tasks are stuck in state D: %s and %zu more like it",
			 name, c->tasks - 1);
	else
		snprintf(event.message, sizeof(event.message), "task is stuck in state D: %s", name);
	words_add(event.message, sizeof(event.message), ", user %s", user);
	snprintf(tail, sizeof(tail), ", for %s, in %s; see the kernel's log", lasts, c->channel);
	add_cgroup(event.message, sizeof(event.message), cgroup, tail);
	qmem_raise(e->q, &event);
	c->told = now;
}

static struct stuckevent_condition *find(struct stuckevent *e, const struct stuck_task *task, uint32_t uid, bool system)
{
	for (size_t i = 0; i < 2 * STUCKEVENT_NAMED; i++) {
		struct stuckevent_condition *c = &e->conditions[i];

		if ((c->tasks || c->state) && c->uid == uid && c->system == system &&
		    strcmp(c->name, task->name) == 0 && strcmp(c->channel, stuckevent_channel(task)) == 0)
			return c;
	}
	return NULL;
}

/* A free place, unless whose it would be has enough of them. */
static struct stuckevent_condition *place(struct stuckevent *e, const struct stuck_task *task, uint32_t uid,
					  bool system)
{
	struct stuckevent_condition *first = e->conditions + (system ? 0 : STUCKEVENT_NAMED), *found = NULL;
	size_t his = 0, there = 0;

	for (struct stuckevent_condition *c = first; c < first + STUCKEVENT_NAMED; c++) {
		if (!c->tasks && !c->state) {
			found = found ? found : c;
			continue;
		}
		his += c->uid == uid;
		there += c->uid == uid && strcmp(c->channel, stuckevent_channel(task)) == 0;
	}
	return there < OF_USER_IN_CHANNEL && (system || his < OF_USER) ? found : NULL;
}

static void join(struct stuckevent *e, struct stuckevent_condition *c, struct stuck_task *task)
{
	if (!c->tasks || task->since < c->since) {
		c->since = task->since;
		c->first = task->id;
	}
	c->tasks++;
	task->told = (uint64_t)(c - e->conditions) + 1;
}

static void begin(struct stuckevent *e, struct stuckevent_condition *c, struct stuck_task *task, uint32_t uid,
		  bool system)
{
	*c = (struct stuckevent_condition){ .uid = uid, .system = system };
	memcpy(c->name, task->name, sizeof(c->name));
	snprintf(c->channel, sizeof(c->channel), "%s", stuckevent_channel(task));
	join(e, c, task);
}

void stuckevent_over(void *arg, const struct stuck_task *task)
{
	struct stuckevent *e = arg;
	struct stuckevent_condition *c = &e->conditions[task->told - 1];

	c->tasks--;
	c->seen = task->seen;
}

/* ---- the others ---- */

struct owner {
	uint32_t uid;
	size_t n;
	const char *channel;
};

/* By their number, the system's first; the last of them is all further ones. */
struct owners {
	struct owner items[OWNERS + 1];
	size_t n, all;
};

static void add_owner(struct owners *o, uint32_t uid, const struct stuck_task *task)
{
	size_t i = 0;

	while (i < o->n && i < OWNERS && o->items[i].uid != uid)
		i++;
	if (i == o->n)
		o->items[o->n++] = (struct owner){ .uid = uid, .channel = stuckevent_channel(task) };
	o->items[i].n++;
	o->all++;
}

/* One word for each doubling of their number. */
static void raise_others(const struct stuckevent *e, const struct owners *o, uint64_t after_ns)
{
	char after[TEXT], count[TEXT], user[SHOWN], whose[160] = "", tail[STUCK_CHANNEL + 80];
	const char *channel = o->n ? o->items[0].channel : "";
	const struct qmem_label fields[] = { { "count", count }, { "users", whose }, { "wchan", channel }, { 0 } };
	struct qmem_event event = {
		.severity = o->all ? QMEM_WARNING : QMEM_OKAY,
		.service = e->service,
		.name = "stuck",
		.instance = "other",
		.repeat = e->repeat,
		.fields = fields,
	};
	size_t shown = 0;

	for (size_t i = o->all; i; i /= 2)
		event.state++;
	words_span(after, after_ns);
	snprintf(count, sizeof(count), "%zu", o->all);
	for (size_t i = 0; i < o->n && i < OWNERS; i++) {
		procask_user_text(e->ask, user, sizeof(user), o->items[i].uid);
		/* with room for the rest */
		if (!words_add_whole(whose, 100, "%s%zu of user %s", i ? ", " : "", o->items[i].n, user))
			break;
		shown += o->items[i].n;
	}
	if (shown < o->all)
		words_add(whose, sizeof(whose), "%s%zu of others", *whose ? ", " : "", o->all - shown);
	if (!o->all) {
		snprintf(event.message, sizeof(event.message),
			 "tasks are no longer stuck: no more of them than have an event each");
	} else {
		snprintf(event.message, sizeof(event.message),
			 "tasks are stuck in state D: %zu more (%s), for longer than %s", o->all, whose, after);
		snprintf(tail, sizeof(tail), ", one of them in %s", channel);
		(void)words_add_whole(event.message, sizeof(event.message), "%s", tail);
		(void)words_add_whole(event.message, sizeof(event.message), "; see the kernel's log");
	}
	qmem_raise(e->q, &event);
}

/* ---- a round ---- */

static bool is_untold(const struct stuck_task *t)
{
	return t->there && t->stuck && !t->told;
}

/* Those of conditions that are there join them; of the rest the oldest get those that are free. */
static void name_all(struct stuckevent *e, const struct proctable *table, struct stuck *census)
{
	struct stuck_task *next;

	for (;;) {
		next = NULL;
		for (size_t i = 0; i < census->n; i++) {
			struct stuck_task *t = &census->tasks[i];
			uint32_t uid = uid_of(table, t);
			struct stuckevent_condition *c;
			bool system;

			if (!is_untold(t))
				continue;
			if (!*t->name && proctable_find(table, t->id.pid))
				snprintf(t->name, sizeof(t->name), "%s", proctable_find(table, t->id.pid)->comm);
			system = is_system(e, table, t);
			c = find(e, t, uid, system);
			if (c)
				join(e, c, t);
			else if ((!next || t->since < next->since) && place(e, t, uid, system))
				next = t;
		}
		if (!next)
			return;
		begin(e, place(e, next, uid_of(table, next), next->owner == SYSTEMS), next, uid_of(table, next),
		      next->owner == SYSTEMS);
	}
}

static void tell(struct stuckevent *e, const struct proctable *table, const struct stuck *census)
{
	for (size_t i = 0; i < 2 * STUCKEVENT_NAMED; i++) {
		struct stuckevent_condition *c = &e->conditions[i];
		unsigned state = 0;

		for (size_t n = c->tasks; n; n /= 2)
			state++;
		if (!c->tasks && c->state)
			raise_over(e, c);
		if (state <= c->state && !(c->tasks && e->repeat && census->now - c->told >= e->repeat))
			continue;
		if (state > c->state)
			c->state = state;
		raise(e, table, c, census->now);
	}
}

void stuckevent_raise(struct stuckevent *e, const struct proctable *table, struct stuck *census)
{
	struct owners owners = { .n = 0 };

	ask_users(e, table, census);
	name_all(e, table, census);
	tell(e, table, census);
	for (int system = 1; system >= 0; system--)
		for (size_t i = 0; i < census->n; i++)
			if (is_untold(&census->tasks[i]) && (census->tasks[i].owner == SYSTEMS) == system)
				add_owner(&owners, uid_of(table, &census->tasks[i]), &census->tasks[i]);
	if (owners.all || e->others)
		raise_others(e, &owners, census->after);
	e->others = owners.all > 0;
}
