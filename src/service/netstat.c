/* SPDX-License-Identifier: MIT */
/* Traffic of the network interfaces: the busiest ones each, the rest as one sum. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/root.h"
#include "kernel/instances.h"
#include "kernel/sound.h"
#include "proc/netdev.h"
#include "rows.h"
#include "service/netstat_main.h"
#include "service/netstat_renamed.h"
#include "services.h"
#include "util/select.h"

#define NAME_MOST 15 /* bytes */

struct counters {
	int64_t v[NETDEV_COLUMNS];
};

enum namespace { NAMESPACE_INIT, NAMESPACE_SELF };

struct netstat {
	int namespace;
	struct qmem_list interfaces;
	bool ignore_selected;
	int64_t max;

	struct qmem_file file;
	bool chosen; /* which file it is */
	struct qmem_complaint faulty;
	struct instances all;
	struct netstat_main main;
};

static const struct instances_kind kind = {
	.what = "interfaces",
	.columns = NETDEV_COLUMNS,
	.score = UINT64_C(1) << NETDEV_RX_BYTES | UINT64_C(1) << NETDEV_TX_BYTES,
	.most = 16384,
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
	FAMILY("bytes", "Network traffic", "network/interfaces", "area", bytes_metrics,
	       COUNTER("bytes", 1, "if_octets"), .label = "device", .flags = QMEM_OVERLAP),
	FAMILY("packets", "Network packets", "network/interfaces", "line", packets_metrics,
	       COUNTER("packets", 1, "if_packets"), .label = "device", .flags = QMEM_OVERLAP),
	FAMILY("errors", "Network errors", "network/interfaces", "line", errors_metrics,
	       COUNTER("errors", 1, "if_errors"), .label = "device", .flags = QMEM_OVERLAP),
	FAMILY("drops", "Network packets dropped", "network/interfaces", "line", drops_metrics,
	       COUNTER("packets", 1, "if_dropped"), .label = "device", .flags = QMEM_OVERLAP),
	FAMILY("fifo", "Network buffer overruns", "network/interfaces", "line", fifo_metrics,
	       COUNTER("errors", 1, "if_errors"), .label = "device", .flags = QMEM_DETAIL),
	FAMILY("link", "Network link errors", "network/interfaces", "line", link_metrics,
	       COUNTER("errors", 1, "derive"), .label = "device", .flags = QMEM_DETAIL),
	FAMILY("compressed", "Network packets compressed", "network/interfaces", "line", compressed_metrics,
	       COUNTER("packets", 1, "if_packets"), .label = "device", .flags = QMEM_DETAIL),
	FAMILY("multicast", "Network multicast packets", "network/interfaces", "line", multicast_metrics,
	       COUNTER("packets", 1, "if_multicast"), .label = "device", .flags = QMEM_DETAIL),
	{ 0 },
};

static const char *const namespaces[] = { "init", "self", NULL };

/* What the kernel refuses as a name, and what users of other programs write. */
static bool check_interface(const char *name, char *why, size_t size)
{
	const char *bad;

	if (!select_check_plain(name, why, size))
		return false;
	if (select_is_expression(name))
		return true;
	bad = strpbrk(name, " \t,");
	if (bad)
		snprintf(why, size, "has a %s: give each interface by an option of its own",
			 *bad == ',' ? "comma" : "blank");
	else if (strpbrk(name, "*?"))
		snprintf(why, size, "has a '%c': write an expression between slashes, such as /^eth/",
			 *strpbrk(name, "*?"));
	else if (strpbrk(name, "/:"))
		snprintf(why, size, "has a '%c', which no interface has", *strpbrk(name, "/:"));
	else if (strlen(name) > NAME_MOST)
		snprintf(why, size, "is longer than the %d bytes that the kernel allows", NAME_MOST);
	else
		return true;
	return false;
}

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
	  .check = check_interface,
	  .help = "only these interfaces: a name, or an extended regular expression between slashes; none: all of them",
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
	  .help = "interfaces shown: those of a device or a default route first, then those with most traffic; the others are summed as '" INSTANCES_OTHER
		  "'" },
	{ 0 },
};

static const struct qmem_renamed renamed[] = {
	{ "MaxInterfaces", "Top" },
	{ 0 },
};

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
	words = root_words(err, buffer, sizeof(buffer));
	qmem_note(q, "the agent's own namespace: that of process 1 cannot be read: %s", words);
	qmem_log(q, QMEM_LOG_NOTICE, "shows the agent's own network namespace: that of process 1 cannot be read: %s",
		 words);
	s->chosen = true;
	return 0;
}

static int take(struct qmem *q, struct netstat *s, const char *text, size_t len)
{
	struct netdev_walk walk = { .at = text, .end = text + len };
	struct netdev dev;
	int err = 0;

	while (!err && netdev_next(&walk, &dev))
		err = instances_put(&s->all, dev.name, dev.name_len, dev.column);
	sound_fault(q, &s->faulty, &s->file, 0, &walk.fault);
	return err;
}

static int collect(struct qmem *q, void *state)
{
	struct netstat *s = state;
	const char *text;
	ssize_t len;
	int err;

	if (!s->chosen) {
		err = choose(q, s);
		if (err)
			return err;
	}
	len = qmem_read(q, &s->file, &text);
	if (len < 0)
		return (int)len;
	instances_begin(&s->all);
	err = take(q, s, text, (size_t)len);
	if (err)
		return err;
	if (instances_measure(&s->all))
		netstat_find_renamed(&s->all);
	netstat_main_find(q, &s->main, &s->all, s->file.path == paths[NAMESPACE_INIT] ? "proc/1/net" : "proc/self/net");
	instances_choose(&s->all, qmem_now(q));
	instances_emit(q, &s->all, families);
	return 0;
}

/* ---- life ---- */

static void stop(struct qmem *q, void *state)
{
	struct netstat *s = state;

	(void)q;
	instances_release(&s->all);
	qmem_file_close(&s->file);
}

static int start(struct qmem *q, void *state)
{
	struct netstat *s = state;
	char words[64];
	int err = instances_init(&s->all, &kind, &s->interfaces, s->ignore_selected, s->max);

	if (err)
		return err;
	s->file = QMEM_FILE(paths[s->namespace]);
	err = choose(q, s);
	if (err == -ENOENT)
		return err;
	/* any other reason may pass */
	if (err)
		qmem_note(q, "not read so far: %s", root_words(err, words, sizeof(words)));
	return 0;
}

const struct qmem_service netstat_service = {
	.name = "netstat",
	.help = "traffic of the network interfaces",
	.source = "/proc/1/net/dev",
	.kernel = "2.6",
	.privilege = "none",
	.priority = 6000,
	.families = families,
	.options = options,
	.renamed = renamed,
	.state_size = sizeof(struct netstat),
	.start = start,
	.collect = collect,
	.stop = stop,
};
