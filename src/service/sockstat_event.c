/* SPDX-License-Identifier: MIT */
#include "service/sockstat_event.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "util/escape.h"
#include "util/value.h"
#include "util/words.h"

#define QUIET (30 * QMEM_SECOND) /* until it is over: a queue that is emptied in bursts is one condition */
#define PATIENCE 5               /* dumps, for names */

static struct sockstat_long *find(struct sockstat_events *e, uint16_t port)
{
	for (size_t i = 0; i < EVENT_PORTS; i++)
		if (e->ports[i].on && e->ports[i].port == port)
			return &e->ports[i];
	return NULL;
}

static struct sockstat_long *make(struct qmem *q, struct sockstat_events *e, const struct sockstat_port *p)
{
	for (size_t i = 0; i < EVENT_PORTS; i++) {
		if (e->ports[i].on)
			continue;
		e->ports[i] = (struct sockstat_long){
			.port = p->port, .on = true, .since = qmem_now(q), .drops = p->drops, .first = p->drops
		};
		return &e->ports[i];
	}
	return NULL;
}

/* Since it began; QMEM_NA: the kernel does not tell. A socket that was made anew counts from 0. */
static int64_t dropped(const struct sockstat_long *l, const struct sockstat_port *p)
{
	return p->drops != QMEM_NA && l->first != QMEM_NA && p->drops >= l->first ? p->drops - l->first : p->drops;
}

static void raise(struct qmem *q, const struct sockstat_events *e, const struct sockstat_long *l,
		  const struct sockstat_port *p, bool refuses)
{
	char port[8], queue[24], backlog[24], drops[24], lasts[WORDS_NUMBER], user[128], cgroup[WHO_PATH];
	const struct qmem_label fields[] = {
		{ "port", port },      { "queue", queue },        { "backlog", backlog },
		{ "drops", drops },    { "user", l->names.user }, { "cgroup", l->names.cgroup },
		{ "duration", lasts }, { "state", "active" },     { 0 },
	};
	struct qmem_event event = {
		.severity = refuses ? QMEM_FAILURE : QMEM_WARNING,
		.service = "sockstat",
		.name = "listen_queue",
		.instance = port,
		.repeat = e->repeat,
		.fields = fields,
	};
	int64_t lost = dropped(l, p);
	size_t size = sizeof(event.message) - strlen("; see sockstat.port");

	snprintf(port, sizeof(port), "%u", (unsigned)p->port);
	snprintf(queue, sizeof(queue), "%" PRIi64, p->fullest_queue);
	snprintf(backlog, sizeof(backlog), "%" PRIi64, p->fullest_backlog);
	snprintf(drops, sizeof(drops), "%" PRIi64, value_or(lost, 0));
	words_span(lasts, qmem_now(q) - l->since);
	escape_name(user, sizeof(user), l->names.user);
	escape_name(cgroup, 100, l->names.cgroup);
	snprintf(event.message, size, "port %s does not accept its connections: %s wait, of a backlog of %s", port,
		 queue, backlog);
	if (lost != QMEM_NA && lost)
		(void)words_add_whole(event.message, size, ", %s refused since it began", drops);
	(void)words_add_whole(event.message, size, "; user %s", user);
	if (*cgroup)
		(void)words_add_whole(event.message, size, ", cgroup %s", cgroup);
	(void)words_add_whole(event.message, size, "; for %s", lasts);
	words_add(event.message, sizeof(event.message), "; see sockstat.port");
	qmem_raise(q, &event);
}

/* `gone`: what became of it nobody knows. */
static void raise_over(struct qmem *q, const struct sockstat_long *l, bool gone)
{
	char port[8], lasted[WORDS_NUMBER];
	const struct qmem_label fields[] = { { "port", port }, { "duration", lasted }, { "state", "inactive" }, { 0 } };
	struct qmem_event event = {
		.severity = QMEM_OKAY, .service = "sockstat", .name = "listen_queue", .instance = port, .fields = fields
	};

	snprintf(port, sizeof(port), "%u", (unsigned)l->port);
	words_span(lasted, l->last - l->since);
	snprintf(event.message, sizeof(event.message), "port %s %s: the queue was too long for %s", port,
		 gone ? "is of a network namespace that is not looked at any more" : "accepts its connections again",
		 lasted);
	qmem_raise(q, &event);
}

static void look(struct qmem *q, struct sockstat_events *e, const struct sockstat_port *p)
{
	struct sockstat_long *l = find(e, p->port);
	bool refuses = p->fullest_queue > p->fullest_backlog;

	if (!sockstat_port_is_long(p, e->full))
		return;
	if (!l)
		l = make(q, e, p);
	if (!l)
		return;
	refuses |= p->drops != QMEM_NA && l->drops != QMEM_NA && p->drops > l->drops;
	l->drops = p->drops;
	l->last = qmem_now(q);
	if (sockstat_who_names(q, e->who, p->uid, p->cgroup, &l->names)) {
		if (!l->told && ++l->waited < PATIENCE)
			return;
		/* the worker has other things to do */
		if (!*l->names.user)
			snprintf(l->names.user, sizeof(l->names.user), "%" PRIu32, p->uid);
	}
	/* a burst is none: it is too long in two dumps at least */
	if (!l->told && l->since == l->last)
		return;
	l->told = true;
	raise(q, e, l, p, refuses);
}

void sockstat_events_look(struct qmem *q, struct sockstat_events *e, const struct sockstat_port *ports, size_t n)
{
	for (size_t i = 0; i < n; i++)
		look(q, e, &ports[i]);
	for (size_t i = 0; i < EVENT_PORTS; i++) {
		struct sockstat_long *l = &e->ports[i];

		if (!l->on || qmem_now(q) - l->last < (l->told ? QUIET : 1))
			continue;
		l->on = false;
		if (l->told)
			raise_over(q, l, false);
	}
}

void sockstat_events_leave(struct qmem *q, struct sockstat_events *e)
{
	for (size_t i = 0; i < EVENT_PORTS; i++) {
		if (e->ports[i].on && e->ports[i].told)
			raise_over(q, &e->ports[i], true);
		e->ports[i].on = false;
	}
}
