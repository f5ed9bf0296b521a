/* SPDX-License-Identifier: MIT */
#include "service/procio_event.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "process/ask.h"
#include "util/escape.h"
#include "util/value.h"
#include "util/words.h"

#define OF_USER 2
#define BELOW 500 /* 1/100 percent below the share that is told, until it is over */
#define USER 64
#define NAME (4 * sizeof(((struct proc *)0)->comm) + 1)

static const struct {
	const char *event, *what, *noun, *then, *look;
} limits[PROCIO_LIMITS] = {
	[PROCIO_FILES] = { "files", "a process has nearly as many files open as it may", "files",
			   "open() will fail with EMFILE", "raise its RLIMIT_NOFILE (LimitNOFILE)" },
	[PROCIO_MAPS] = { "maps", "a process has nearly as many memory maps as it may", "maps",
			  "mmap() will fail with ENOMEM though memory is free", "raise vm.max_map_count" },
};

void procio_event_release(struct procio_event *e)
{
	procask_free(e->ask);
	e->ask = NULL;
}

/* ---- how full ---- */

static int64_t share_of(enum procio_limit limit, const struct proc *p, int64_t max_maps, int64_t *ret_used,
			int64_t *ret_limit)
{
	*ret_used = limit == PROCIO_FILES ? p->fds : p->maps;
	*ret_limit = limit == PROCIO_FILES ? p->fd_limit : max_maps;
	if (*ret_used == QMEM_NA || *ret_limit == QMEM_NA)
		return QMEM_NA;
	/* more than it may have: the limit was lowered afterwards, by one who wants no more */
	if (limit == PROCIO_FILES && (*ret_limit < PROCIO_LEAST || *ret_used > *ret_limit))
		return QMEM_NA;
	return value_ratio(*ret_used, *ret_limit);
}

/* Behind three quarters of what is left it is a failure. */
static enum qmem_severity severity_of(const struct procio_event *e, int64_t share)
{
	return share >= e->full + (PROCIO_HUNDRED - e->full) * 3 / 4 ? QMEM_FAILURE : QMEM_WARNING;
}

/* ---- whose ---- */

static struct procio_condition *find(struct procio_event *e, enum procio_limit limit, const struct proc *p)
{
	for (size_t i = 0; i < 2 * PROCIO_NAMED; i++) {
		struct procio_condition *c = &e->conditions[limit][i];

		if (c->on && c->uid == p->uid && memcmp(c->comm, p->comm, sizeof(c->comm)) == 0)
			return c;
	}
	return NULL;
}

static struct procio_condition *place(struct procio_event *e, enum procio_limit limit, const struct proc *p)
{
	struct procio_condition *first = e->conditions[limit] + (p->uid ? PROCIO_NAMED : 0), *found = NULL;
	size_t his = 0;

	for (struct procio_condition *c = first; c < first + PROCIO_NAMED; c++) {
		if (c->on)
			his += c->uid == p->uid;
		else if (!found)
			found = c;
	}
	if (!found || (p->uid && his >= OF_USER))
		return NULL;
	*found = (struct procio_condition){ .uid = p->uid, .on = true, .since = qmem_now(e->q) };
	memcpy(found->comm, p->comm, sizeof(found->comm));
	return found;
}

static void join(struct procio_condition *c, const struct proc *p, int64_t used, int64_t limit, int64_t share)
{
	if (!c->n++ || share > c->share) {
		c->pid = p->pid;
		c->uid = p->uid;
		c->used = used;
		c->limit = limit;
		c->share = share;
	}
}

static void look_at(struct procio_event *e, enum procio_limit limit, const struct proc *p, int64_t max_maps)
{
	struct procio_condition *c;
	int64_t used, most, share = share_of(limit, p, max_maps, &used, &most);

	if (share == QMEM_NA)
		return;
	if (share > e->fullest[limit])
		e->fullest[limit] = share;
	if (!e->full || share < e->full - BELOW)
		return;
	/* so that no event has to wait for its words */
	if (e->ask && p->uid && p->uid != PROC_NO_UID && !procask_user(e->ask, p->uid))
		(void)procask_add(e->q, e->ask, p);
	c = find(e, limit, p);
	if (!c && share >= e->full)
		c = place(e, limit, p);
	if (!c && share >= e->full)
		c = &e->others[limit];
	if (c)
		join(c, p, used, most, share);
}

/* ---- what is said ---- */

/* The same for the same thing: no numbers of processes. */
static void instance_of(char *dst, size_t size, const struct procio_condition *c)
{
	snprintf(dst, size, "%.*s", (int)sizeof(c->comm), c->comm);
	if (c->uid)
		words_add(dst, size, c->uid == PROC_NO_UID ? ":?" : ":%" PRIu32, c->uid);
}

static void raise_over(struct procio_event *e, enum procio_limit limit, struct procio_condition *c,
		       const char *instance)
{
	char lasted[WORDS_NUMBER], name[NAME];
	const struct qmem_label fields[] = { { "duration", lasted }, { 0 } };
	struct qmem_event event = { .severity = QMEM_OKAY,
				    .service = "procio",
				    .name = limits[limit].event,
				    .instance = instance,
				    .fields = fields };

	escape_name(name, sizeof(name), c->comm);
	words_span(lasted, qmem_now(e->q) - c->since);
	snprintf(event.message, sizeof(event.message),
		 "no process %s%s%s has nearly as many %s any more as it may; it was so for %s",
		 *name ? "'" : "of the others", name, *name ? "'" : "", limits[limit].noun, lasted);
	qmem_raise(e->q, &event);
}

static void raise(struct procio_event *e, enum procio_limit limit, struct procio_condition *c, const char *instance)
{
	char comm[sizeof(c->comm) + 1], name[NAME], user[USER], pid[WORDS_NUMBER],
		uid[WORDS_NUMBER] = "?", used[WORDS_NUMBER], most[WORDS_NUMBER], count[WORDS_NUMBER],
		lasts[WORDS_NUMBER];
	const struct qmem_label fields[] = {
		{ "pid", pid },         { "comm", comm },      { "uid", uid },
		{ "user", user },       { "used", used },      { "limit", most },
		{ "processes", count }, { "duration", lasts }, { 0 },
	};
	struct qmem_event event = {
		.severity = severity_of(e, c->share),
		.service = "procio",
		.name = limits[limit].event,
		.instance = instance,
		.state = severity_of(e, c->share),
		.repeat = e->repeat,
		.fields = fields,
	};

	snprintf(comm, sizeof(comm), "%.*s", (int)sizeof(c->comm), c->comm);
	escape_name(name, sizeof(name), comm);
	procask_user_text(e->ask, user, sizeof(user), c->uid);
	snprintf(pid, sizeof(pid), "%" PRId32, c->pid);
	if (c->uid != PROC_NO_UID)
		snprintf(uid, sizeof(uid), "%" PRIu32, c->uid);
	snprintf(used, sizeof(used), "%" PRId64, c->used);
	snprintf(most, sizeof(most), "%" PRId64, c->limit);
	snprintf(count, sizeof(count), "%zu", c->n);
	words_span(lasts, qmem_now(e->q) - c->since);
	snprintf(event.message, sizeof(event.message), "%s: %s of %s (%" PRId64 " %%)", limits[limit].what, used, most,
		 c->share / 100);
	if (*name)
		words_add(event.message, sizeof(event.message), ", '%s' (pid %s), user %s", name, pid, user);
	else
		words_add(event.message, sizeof(event.message), ", pid %s, user %s", pid, user);
	if (c->n > 1)
		words_add(event.message, sizeof(event.message), ", one of %s", count);
	if (qmem_now(e->q) > c->since)
		words_add(event.message, sizeof(event.message), ", for %s", lasts);
	(void)words_add_whole(event.message, sizeof(event.message), ": %s; %s", limits[limit].then, limits[limit].look);
	(void)words_add_whole(event.message, sizeof(event.message), ", see /proc/%s/%s", pid,
			      limit == PROCIO_FILES ? "fd" : "maps");
	qmem_raise(e->q, &event);
}

static void tell(struct procio_event *e, enum procio_limit limit, struct procio_condition *c, const char *instance)
{
	if (c->n) {
		raise(e, limit, c, instance);
		return;
	}
	raise_over(e, limit, c, instance);
	*c = (struct procio_condition){ 0 };
}

static void tell_all(struct procio_event *e, enum procio_limit limit)
{
	struct procio_condition *others = &e->others[limit];
	char instance[sizeof(others->comm) + WORDS_NUMBER];

	for (size_t i = 0; i < 2 * PROCIO_NAMED; i++) {
		struct procio_condition *c = &e->conditions[limit][i];

		if (!c->on)
			continue;
		instance_of(instance, sizeof(instance), c);
		tell(e, limit, c, instance);
	}
	if (others->n && !others->on) {
		others->on = true;
		others->since = qmem_now(e->q);
	}
	/* no process has this name: it has a colon in front */
	if (others->on)
		tell(e, limit, others, ":other");
}

/* ---- a round ---- */

static void begin(struct procio_event *e)
{
	const struct procask_answer *answers;

	for (int limit = 0; limit < PROCIO_LIMITS; limit++) {
		e->fullest[limit] = QMEM_NA;
		e->others[limit].n = 0;
		for (size_t i = 0; i < 2 * PROCIO_NAMED; i++)
			e->conditions[limit][i].n = 0;
	}
	/* without it users are told by number */
	if (!e->ask && procask_new(e->q, PROCASK_USER, &e->ask))
		e->ask = NULL;
	if (e->ask)
		(void)procask_take(e->ask, &answers);
}

void procio_event_look(struct qmem *q, struct procio_event *e, const struct proctable *table, int64_t max_maps)
{
	const struct proc *p;

	e->q = q;
	begin(e);
	proctable_each(table, p) for (int limit = 0; limit < PROCIO_LIMITS; limit++)
		look_at(e, (enum procio_limit)limit, p, max_maps);
	if (e->ask)
		procask_go(q, e->ask);
	for (int limit = 0; limit < PROCIO_LIMITS; limit++)
		tell_all(e, (enum procio_limit)limit);
}
