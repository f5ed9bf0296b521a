/* SPDX-License-Identifier: MIT */
/* Traffic of the network interfaces: the busiest ones each, the rest as one sum. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/fnv.h"
#include "kernel/sound.h"
#include "proc/netdev.h"
#include "rows.h"
#include "util/select.h"
#include "services.h"
#include "util/top.h"
#include "util/value.h"

#define OTHER "other"
#define MARGIN 25                  /* percent more traffic to take another's place */
#define FORGET_AFTER 60            /* rounds without being seen */
#define SMOOTH 4                   /* rounds over which traffic is averaged */
#define DISTURBED_MOST 64          /* interfaces whose counters others may have taken over; more is another matter */
#define QUARTER (INT64_C(1) << 30) /* of 32 bits */
#define NONE UINT32_MAX

struct counters {
	int64_t v[NETDEV_COLUMNS];
};

struct device {
	char *name;
	size_t name_len;
	uint32_t hash;
	bool wanted;               /* by the rules */
	bool before;               /* the round before this one had it, too */
	uint64_t round;            /* that has seen it last */
	int64_t rate;              /* bytes per second, smoothed */
	struct counters raw, last; /* of this round, of the one before */
	struct counters total;     /* what hosts get: it never falls */
	struct counters delta;     /* since the round before; QMEM_NA: not known */
};

enum namespace { NAMESPACE_INIT, NAMESPACE_SELF };

struct netstat {
	int namespace;
	struct qmem_list interfaces;
	bool ignore_selected;
	int64_t max;

	struct qmem_file file;
	bool chosen; /* which file it is */
	struct select select;
	struct top top;
	struct qmem_complaint malformed, beyond;
	uint64_t round, now;

	struct device *devices; /* in the order of their first appearance */
	struct top_item *items; /* one each */
	size_t n, room;
	uint32_t *order; /* which device was on which line */
	size_t order_room;
	uint32_t *slots; /* hash table, twice `room` */
	struct counters other;
};

static const struct qmem_metric bytes_metrics[] = {
	METRIC(counters, "rx", "bytes", v[NETDEV_RX_BYTES], "received"),
	METRIC(counters, "tx", "bytes", v[NETDEV_TX_BYTES], "sent"),
	{ 0 },
};

static const struct qmem_metric packets_metrics[] = {
	METRIC(counters, "rx", "packets", v[NETDEV_RX_PACKETS], "received"),
	METRIC(counters, "tx", "packets", v[NETDEV_TX_PACKETS], "sent"),
	{ 0 },
};

static const struct qmem_metric errors_metrics[] = {
	METRIC(counters, "rx", "errs", v[NETDEV_RX_ERRORS], "bad packets received"),
	METRIC(counters, "tx", "errs", v[NETDEV_TX_ERRORS], "packets that could not be sent"),
	{ 0 },
};

static const struct qmem_metric drops_metrics[] = {
	METRIC(counters, "rx", "drop", v[NETDEV_RX_DROPPED],
	       "received and thrown away: no room, or no one wanted them"),
	METRIC(counters, "tx", "drop", v[NETDEV_TX_DROPPED], "thrown away instead of being sent"),
	{ 0 },
};

static const struct qmem_metric fifo_metrics[] = {
	METRIC(counters, "rx", "fifo", v[NETDEV_RX_FIFO], "overruns of the receive buffer"),
	METRIC(counters, "tx", "fifo", v[NETDEV_TX_FIFO], "underruns of the send buffer"),
	{ 0 },
};

static const struct qmem_metric link_metrics[] = {
	METRIC(counters, "frame", "frame", v[NETDEV_RX_FRAME],
	       "frames received with a wrong length, checksum or alignment"),
	METRIC(counters, "collisions", "colls", v[NETDEV_TX_COLLISIONS], "collisions while sending"),
	METRIC(counters, "carrier", "carrier", v[NETDEV_TX_CARRIER],
	       "carrier lost, aborted, out of window, no heartbeat, while sending"),
	{ 0 },
};

static const struct qmem_metric compressed_metrics[] = {
	METRIC(counters, "rx", "compressed", v[NETDEV_RX_COMPRESSED], "compressed packets received"),
	METRIC(counters, "tx", "compressed", v[NETDEV_TX_COMPRESSED], "compressed packets sent"),
	{ 0 },
};

static const struct qmem_metric multicast_metrics[] = {
	METRIC(counters, "received", "multicast", v[NETDEV_RX_MULTICAST], "multicast packets received"),
	{ 0 },
};

static const struct qmem_family families[] = {
	FAMILY("bytes", "Network traffic", "network", "area", bytes_metrics, COUNTER("bytes", 1, "if_octets"),
	       .label = "device"),
	FAMILY("packets", "Network packets", "network", "line", packets_metrics, COUNTER("packets", 1, "if_packets"),
	       .label = "device"),
	FAMILY("errors", "Network errors", "network", "line", errors_metrics, COUNTER("errors", 1, "if_errors"),
	       .label = "device"),
	FAMILY("drops", "Network packets dropped", "network", "line", drops_metrics,
	       COUNTER("packets", 1, "if_dropped"), .label = "device"),
	FAMILY("fifo", "Network buffer overruns", "network", "line", fifo_metrics, COUNTER("errors", 1, "if_errors"),
	       .label = "device", .flags = QMEM_DETAIL),
	FAMILY("link", "Network link errors", "network", "line", link_metrics, COUNTER("errors", 1, "derive"),
	       .label = "device", .flags = QMEM_DETAIL),
	FAMILY("compressed", "Network packets compressed", "network", "line", compressed_metrics,
	       COUNTER("packets", 1, "if_packets"), .label = "device", .flags = QMEM_DETAIL),
	FAMILY("multicast", "Network multicast packets", "network", "line", multicast_metrics,
	       COUNTER("packets", 1, "if_multicast"), .label = "device", .flags = QMEM_DETAIL),
	{ 0 },
};

static const char *const namespaces[] = { "init", "self", NULL };

static const struct qmem_option options[] = {
	{ .name = "Namespace",
	  .type = QMEM_ENUM,
	  .offset = offsetof(struct netstat, namespace),
	  .def = "init",
	  .words = namespaces,
	  .help = "whose interfaces: those of process 1, or those the agent itself sees" },
	{ .name = "Interface",
	  .type = QMEM_LIST,
	  .offset = offsetof(struct netstat, interfaces),
	  .check = select_check,
	  .help = "a name, or an extended regular expression between slashes: only these; all if none is given",
	  .example = "/^(docker|veth)/" },
	{ .name = "IgnoreSelected",
	  .type = QMEM_BOOL,
	  .offset = offsetof(struct netstat, ignore_selected),
	  .def = "no",
	  .help = "all but the interfaces given" },
	{ .name = "Top",
	  .type = QMEM_INT,
	  .offset = offsetof(struct netstat, max),
	  .def = "5",
	  .min = 0,
	  .max = 10000,
	  .help = "how many are shown, those with most traffic; the others are summed as '" OTHER "'" },
	{ 0 },
};

static const struct qmem_renamed renamed[] = {
	{ "MaxInterfaces", "Top" },
	{ 0 },
};

/* ---- the table of interfaces ---- */

static size_t slots_n(const struct netstat *s)
{
	return 2 * s->room;
}

static void enter(struct netstat *s, uint32_t index)
{
	size_t at = s->devices[index].hash % slots_n(s);

	while (s->slots[at] != NONE)
		at = at + 1 < slots_n(s) ? at + 1 : 0;
	s->slots[at] = index;
}

static void enter_all(struct netstat *s)
{
	memset(s->slots, 0xff, slots_n(s) * sizeof(*s->slots));
	for (size_t i = 0; i < s->n; i++)
		enter(s, (uint32_t)i);
}

static bool is_named(const struct device *d, const struct netdev *dev)
{
	return d->name_len == dev->name_len && memcmp(d->name, dev->name, dev->name_len) == 0;
}

static uint32_t find(const struct netstat *s, const struct netdev *dev)
{
	size_t at;

	if (!s->n)
		return NONE;
	at = fnv(dev->name, dev->name_len) % slots_n(s);
	for (; s->slots[at] != NONE; at = at + 1 < slots_n(s) ? at + 1 : 0)
		if (is_named(&s->devices[s->slots[at]], dev))
			return s->slots[at];
	return NONE;
}

/* Arrays that have grown stay, also if a later one cannot. */
static int grow(struct netstat *s)
{
	size_t room = s->room ? 2 * s->room : 16;
	struct device *devices = realloc(s->devices, room * sizeof(*devices));
	struct top_item *items = realloc(s->items, room * sizeof(*items));
	uint32_t *slots;

	if (devices)
		s->devices = devices;
	if (items)
		s->items = items;
	if (!devices || !items)
		return -ENOMEM;
	slots = malloc(2 * room * sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	free(s->slots);
	s->slots = slots;
	s->room = room;
	enter_all(s);
	return 0;
}

static int add(struct netstat *s, const struct netdev *dev, uint32_t *ret_index)
{
	struct device *d;
	int err;

	if (s->n == s->room) {
		err = grow(s);
		if (err)
			return err;
	}
	d = &s->devices[s->n];
	*d = (struct device){ .name = strndup(dev->name, dev->name_len), .hash = fnv(dev->name, dev->name_len) };
	if (!d->name)
		return -ENOMEM;
	d->name_len = dev->name_len;
	d->wanted = select_wants(&s->select, d->name);
	s->items[s->n] = (struct top_item){ 0 };
	*ret_index = (uint32_t)s->n++;
	enter(s, *ret_index);
	return 0;
}

static void forget(struct netstat *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (s->round - s->devices[i].round > FORGET_AFTER) {
			free(s->devices[i].name);
			continue;
		}
		s->devices[kept] = s->devices[i];
		s->items[kept] = s->items[i];
		kept++;
	}
	if (kept == s->n)
		return;
	s->n = kept;
	enter_all(s);
	memset(s->order, 0xff, s->order_room * sizeof(*s->order));
}

/* Which interface is on this line. The file's order is stable: it is nearly always the one of the round before. */
static int locate(struct netstat *s, size_t line, const struct netdev *dev, uint32_t *ret_index)
{
	uint32_t index;
	int err;

	if (line >= s->order_room) {
		size_t room = s->order_room ? 2 * s->order_room : 16;
		uint32_t *order = realloc(s->order, room * sizeof(*order));

		if (!order)
			return -ENOMEM;
		memset(order + s->order_room, 0xff, (room - s->order_room) * sizeof(*order));
		s->order = order;
		s->order_room = room;
	}
	index = s->order[line];
	if (index == NONE || !is_named(&s->devices[index], dev)) {
		index = find(s, dev);
		if (index == NONE) {
			err = add(s, dev, &index);
			if (err)
				return err;
		}
		s->order[line] = index;
	}
	*ret_index = index;
	return 0;
}

/* ---- counters ---- */

static bool wraps(int64_t last, int64_t raw)
{
	return last >= 3 * QUARTER && last < 4 * QUARTER && raw < QUARTER;
}

static bool falls(const struct device *d)
{
	for (int c = 0; c < NETDEV_COLUMNS; c++)
		if (d->raw.v[c] != QMEM_NA && d->last.v[c] != QMEM_NA && d->raw.v[c] < d->last.v[c] &&
		    !wraps(d->last.v[c], d->raw.v[c]))
			return true;
	return false;
}

/* Is the sum of a and b nearer to what another one had than to what d had itself? */
static bool nearer(const struct device *d, const struct counters *had, enum netdev_column a, enum netdev_column b)
{
	double other = (double)had->v[a] + (double)had->v[b];

	return (double)d->raw.v[a] + (double)d->raw.v[b] - other < other - (double)d->last.v[a] - (double)d->last.v[b];
}

/* Are the counters of d those that another one had? Then a name has gone from one interface to another. Growing beyond
 * what another one had is not enough: a young interface does that by its own traffic. */
static bool continues(const struct device *d, const struct counters *had)
{
	for (int c = 0; c < NETDEV_COLUMNS; c++)
		if (d->raw.v[c] < had->v[c])
			return false;
	return nearer(d, had, NETDEV_RX_BYTES, NETDEV_TX_BYTES) && nearer(d, had, NETDEV_RX_PACKETS, NETDEV_TX_PACKETS);
}

static void start_over(struct device *d)
{
	for (int c = 0; c < NETDEV_COLUMNS; c++)
		d->delta.v[c] = d->raw.v[c] == QMEM_NA ? QMEM_NA : 0;
}

static void measure(struct device *d, const struct counters *from)
{
	for (int c = 0; c < NETDEV_COLUMNS; c++) {
		int64_t raw = d->raw.v[c], last = from->v[c];

		if (raw == QMEM_NA || last == QMEM_NA)
			d->delta.v[c] = raw == QMEM_NA ? QMEM_NA : 0;
		else if (raw >= last)
			d->delta.v[c] = raw - last;
		else
			d->delta.v[c] = wraps(last, raw) ? raw + 4 * QUARTER - last : 0;
	}
}

/*
 * An interface is renamed to a name that another one had: the counters of one of the two fall, or it is gone, and those of
 * the other jump up by a lifetime of traffic. Only what is beyond that is traffic. Any number may have changed names.
 */
static void find_renamed(struct netstat *s)
{
	uint32_t disturbed[DISTURBED_MOST];
	size_t n = 0;

	for (size_t i = 0; i < s->n && n < DISTURBED_MOST; i++) {
		const struct device *d = &s->devices[i];

		if ((d->round == s->round && d->before && falls(d)) || d->round + 1 == s->round)
			disturbed[n++] = (uint32_t)i;
	}
	for (size_t k = 0; k < n; k++) {
		const struct device *from = &s->devices[disturbed[k]];
		const struct counters *had = from->round == s->round ? &from->last : &from->raw;

		for (size_t i = 0; i < s->n; i++) {
			struct device *d = &s->devices[i];

			if (d == from || d->round != s->round || !d->before || !continues(d, had))
				continue;
			d->before = false;
			/* its own `last` stays: one more may have that name now */
			measure(d, had);
			if (n < DISTURBED_MOST)
				disturbed[n++] = (uint32_t)i;
		}
	}
}

static void accumulate(struct counters *to, const struct counters *delta)
{
	for (int c = 0; c < NETDEV_COLUMNS; c++)
		value_add(&to->v[c], delta->v[c]);
}

static int64_t bytes(const struct counters *c)
{
	int64_t both = 0;

	value_add(&both, c->v[NETDEV_RX_BYTES]);
	value_add(&both, c->v[NETDEV_TX_BYTES]);
	return both;
}

/* ---- rounds ---- */

static void saw(struct netstat *s, struct device *d, const struct netdev *dev)
{
	d->before = d->round && d->round + 1 == s->round;
	for (int c = 0; c < NETDEV_COLUMNS; c++) {
		/* what could not be read goes on from the last that could */
		if (d->raw.v[c] != QMEM_NA || !d->before)
			d->last.v[c] = d->raw.v[c];
		d->raw.v[c] = dev->column[c];
	}
	if (!d->round)
		memcpy(d->total.v, dev->column, sizeof(d->total.v));
	d->round = s->round;
}

static int take(struct netstat *s, const char *text, size_t len, bool *ret_beyond, size_t *ret_malformed)
{
	struct netdev_walk walk = { .at = text, .end = text + len };
	struct netdev dev;

	*ret_beyond = false;
	for (size_t line = 0; netdev_next(&walk, &dev); line++) {
		uint32_t index;
		int err = locate(s, line, &dev, &index);

		if (err)
			return err;
		/* twice in one file: the kernel was changing it */
		if (s->devices[index].round == s->round)
			continue;
		*ret_beyond |= dev.beyond;
		saw(s, &s->devices[index], &dev);
	}
	*ret_malformed = walk.malformed;
	return 0;
}

static void account(struct netstat *s, uint64_t now)
{
	uint64_t elapsed = now - s->now;
	bool disturbed = false;

	for (size_t i = 0; i < s->n; i++) {
		struct device *d = &s->devices[i];

		if (d->round == s->round && d->before)
			measure(d, &d->last);
		else if (d->round == s->round)
			start_over(d);
		disturbed |= d->round == s->round ? d->before && falls(d) : d->round + 1 == s->round;
	}
	if (disturbed)
		find_renamed(s);
	for (size_t i = 0; i < s->n; i++) {
		struct device *d = &s->devices[i];

		s->items[i].score = -1;
		if (d->round != s->round || !d->wanted)
			continue;
		accumulate(&d->total, &d->delta);
		if (elapsed)
			d->rate += (value_rate(bytes(&d->delta), elapsed) - d->rate) / SMOOTH;
		/* at first there is no traffic yet to choose by */
		s->items[i].score = s->round == 1 ? bytes(&d->raw) : d->rate;
		/* one that is called like the sum of the others is one of them */
		if (strcmp(d->name, OTHER) == 0)
			s->items[i].score = -1;
	}
	s->now = now;
	(void)top_update(&s->top, s->items, s->n);
}

static void emit(struct qmem *q, const char *name, const struct counters *counters)
{
	const struct qmem_instance instance = { name, NULL };

	for (const struct qmem_family *f = families; f->id; f++)
		qmem_emit(q, f, &instance, counters);
}

static void emit_all(struct qmem *q, struct netstat *s)
{
	bool others = false;

	for (size_t i = 0; i < s->n; i++) {
		const struct device *d = &s->devices[i];
		struct counters shown;

		if (d->round != s->round || !d->wanted)
			continue;
		if (!s->items[i].in) {
			others = true;
			accumulate(&s->other, &d->delta);
			continue;
		}
		for (int c = 0; c < NETDEV_COLUMNS; c++)
			shown.v[c] = d->raw.v[c] == QMEM_NA ? QMEM_NA : d->total.v[c];
		emit(q, d->name, &shown);
	}
	if (others)
		emit(q, OTHER, &s->other);
}

/* ---- the file ---- */

static const char *const paths[] = {
	[NAMESPACE_INIT] = "proc/1/net/dev",
	[NAMESPACE_SELF] = "proc/self/net/dev",
};

/* The agent's fault, not the file's. */
static bool is_passing(int err)
{
	return err == -EMFILE || err == -ENFILE || err == -ENOMEM;
}

static int try_file(struct qmem *q, struct netstat *s, enum namespace which)
{
	const char *text;
	ssize_t len;

	s->file = QMEM_FILE(paths[which]);
	len = qmem_read(q, &s->file, &text);
	return len < 0 && len != -ENODATA ? (int)len : 0;
}

/* Which namespace is shown, once and for all. -ENOENT: there is none. */
static int choose(struct qmem *q, struct netstat *s)
{
	int err = try_file(q, s, (enum namespace)s->namespace), other;
	char buffer[64];
	const char *words;

	if (!err) {
		qmem_note(q,
			  s->namespace == NAMESPACE_INIT ? "the namespace of process 1" : "the agent's own namespace");
		s->chosen = true;
		return 0;
	}
	if (s->namespace != NAMESPACE_INIT || is_passing(err))
		return err;
	other = try_file(q, s, NAMESPACE_SELF);
	if (other)
		return other == -ENOENT ? err : other;
	words = strerror_r(-err, buffer, sizeof(buffer));
	qmem_note(q, "the agent's own namespace: that of process 1 cannot be read: %s", words);
	qmem_log(q, QMEM_LOG_NOTICE, "shows the agent's own network namespace: that of process 1 cannot be read: %s",
		 words);
	s->chosen = true;
	return 0;
}

static int collect(struct qmem *q, void *state)
{
	struct netstat *s = state;
	char words[64];
	size_t malformed;
	const char *text;
	ssize_t len;
	bool beyond;
	int err;

	if (!s->chosen) {
		err = choose(q, s);
		if (err)
			return err;
	}
	len = qmem_read(q, &s->file, &text);
	if (len < 0)
		return (int)len;
	s->round++;
	err = take(s, text, (size_t)len, &beyond, &malformed);
	if (err)
		return err;
	if (malformed)
		snprintf(words, sizeof(words), "%zu lines are no interface's", malformed);
	sound_text(q, &s->malformed, &s->file, malformed ? words : NULL);
	sound_range(q, &s->beyond, &s->file, beyond);
	account(s, qmem_now(q));
	emit_all(q, s);
	forget(s);
	return 0;
}

/* ---- life ---- */

static void stop(struct qmem *q, void *state)
{
	struct netstat *s = state;

	(void)q;
	for (size_t i = 0; i < s->n; i++)
		free(s->devices[i].name);
	free(s->devices);
	free(s->items);
	free(s->order);
	free(s->slots);
	select_release(&s->select);
	top_release(&s->top);
	qmem_file_close(&s->file);
}

static int start(struct qmem *q, void *state)
{
	struct netstat *s = state;
	char words[64];
	int err;

	for (int c = 0; c < NETDEV_COLUMNS; c++)
		s->other.v[c] = QMEM_NA;
	s->file = QMEM_FILE(paths[s->namespace]);
	err = select_init(&s->select, &s->interfaces, s->ignore_selected);
	if (!err)
		err = top_init(&s->top, (size_t)s->max, MARGIN);
	if (err)
		return err;
	err = choose(q, s);
	if (err == -ENOENT)
		return err;
	/* any other reason may pass */
	if (err)
		qmem_note(q, "not read so far: %s", strerror_r(-err, words, sizeof(words)));
	return 0;
}

const struct qmem_service netstat_service = {
	.name = "netstat",
	.help = "traffic of the network interfaces",
	.source = "/proc/1/net/dev",
	.kernel = "2.6",
	.privilege = "none",
	.priority = 2000,
	.families = families,
	.options = options,
	.renamed = renamed,
	.state_size = sizeof(struct netstat),
	.start = start,
	.collect = collect,
	.stop = stop,
};
