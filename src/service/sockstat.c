/* SPDX-License-Identifier: MIT */
/*
 * Sockets of a network namespace: totals, memory and counters from its files at each tick; by state and port from a dump, when its
 * budget allows for one.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "engine/root.h"
#include "kernel/instances.h"
#include "rows.h"
#include "service/sockstat_cgroup.h"
#include "service/sockstat_counter.h"
#include "service/sockstat_dump.h"
#include "service/sockstat_event.h"
#include "service/sockstat_port.h"
#include "service/sockstat_process.h"
#include "service/sockstat_space.h"
#include "service/sockstat_total.h"
#include "services.h"
#include "util/value.h"

#define AGAIN (10 * QMEM_SECOND)             /* a process of which there is none is looked for */
#define OWN "/proc/thread-self/net/sockstat" /* ours, whatever HostRoot is */

struct sockstat {
	char *namespace;
	int64_t max, max_spaces, max_cgroups;
	int64_t budget;
	int64_t full;
	int64_t repeat;

	bool detail;
	bool chosen; /* whose files they are */
	bool dumps;  /* its sockets are counted */
	bool going;  /* a slice of a turn was done */
	bool missed; /* it was said that there is nobody whose files they would be */
	struct sockstat_sample sample;
	struct sockstat_total total;
	struct sockstat_counters counters;
	struct sockstat_ports ports;
	struct sockstat_dump dump;
	struct sockstat_events events;
	struct sockstat_spaces spaces;
	struct sockstat_cgroups cgroups;
	struct sockstat_process process; /* whose namespace it is, if he may end */
	uint64_t due;                    /* he is looked for again */
	char shown[160];                 /* whose, for people */
	int told;                        /* of the dump, in the note */
};

/* ---- what is told ---- */

static const struct qmem_metric tcp_metrics[] = {
	METRIC(sockstat_sample, "established", NULL, dumped.tcp[STATE_ESTABLISHED], "connected"),
	METRIC(sockstat_sample, "syn_sent", NULL, dumped.tcp[STATE_SYN_SENT], "have asked for a connection"),
	METRIC(sockstat_sample, "syn_recv", NULL, dumped.tcp[STATE_SYN_RECV],
	       "have been asked for one: requests that are not yet connected"),
	METRIC(sockstat_sample, "fin_wait1", NULL, dumped.tcp[STATE_FIN_WAIT1],
	       "closed here, of which the other end has not said that it knows"),
	METRIC(sockstat_sample, "fin_wait2", NULL, dumped.tcp[STATE_FIN_WAIT2],
	       "closed here, and not yet at the other end"),
	METRIC(sockstat_sample, "time_wait", NULL, dumped.tcp[STATE_TIME_WAIT],
	       "closed, and kept for a minute for what may still come"),
	METRIC(sockstat_sample, "close_wait", NULL, dumped.tcp[STATE_CLOSE_WAIT],
	       "closed at the other end: the program has not closed them, and leaks them if they grow"),
	METRIC(sockstat_sample, "last_ack", NULL, dumped.tcp[STATE_LAST_ACK],
	       "closed at both ends, the other one first"),
	METRIC(sockstat_sample, "listen", NULL, dumped.tcp[STATE_LISTEN], "wait for connections"),
	METRIC(sockstat_sample, "closing", NULL, dumped.tcp[STATE_CLOSING], "closed at both ends at once"),
	{ 0 },
};

static const struct qmem_metric sockets_metrics[] = {
	METRIC(sockstat_sample, "used", "sockets used", used,
	       "of all kinds, in this namespace; of the machine before Linux 4.16"),
	METRIC(sockstat_sample, "tcp", "TCP inuse", tcp, "TCP over IPv4, without TIME_WAIT and requests"),
	METRIC(sockstat_sample, "tcp6", "TCP6 inuse", tcp6, "TCP over IPv6, which may speak IPv4, too"),
	METRIC(sockstat_sample, "udp", "UDP inuse", udp, "UDP over IPv4"),
	METRIC(sockstat_sample, "udp6", "UDP6 inuse", udp6, "UDP over IPv6"),
	METRIC(sockstat_sample, "raw", NULL, raw, "raw, of both families"),
	METRIC(sockstat_sample, "packet", NULL, dumped.packet, "packet sockets, of captures and DHCP, as last counted"),
	METRIC(sockstat_sample, "netlink", NULL, dumped.netlink, "netlink sockets, as last counted"),
	{ 0 },
};

static const struct qmem_metric unix_metrics[] = {
	METRIC(sockstat_sample, "stream_established", NULL, dumped.unix_[UNIX_STREAM_ESTABLISHED], "connected streams"),
	METRIC(sockstat_sample, "stream_listen", NULL, dumped.unix_[UNIX_STREAM_LISTEN], "streams that listen"),
	METRIC(sockstat_sample, "stream_unconnected", NULL, dumped.unix_[UNIX_STREAM_UNCONNECTED],
	       "streams that do neither"),
	METRIC(sockstat_sample, "dgram", NULL, dgram, "for datagrams, in all states"),
	METRIC(sockstat_sample, "seqpacket", NULL, seqpacket, "for packets in sequence, in all states"),
	{ 0 },
};

static const struct qmem_metric tcp_memory_metrics[] = {
	METRIC(sockstat_sample, "used", "TCP mem", tcp_memory, "buffers of all TCP sockets of the machine"),
	METRIC(sockstat_sample, "pressure", "tcp_mem[1]", tcp_memory_pressure,
	       "from which on the kernel shrinks buffers"),
	METRIC(sockstat_sample, "limit", "tcp_mem[2]", tcp_memory_limit,
	       "at which it allocates no more, and drops connections"),
	{ 0 },
};

static const struct qmem_metric udp_memory_metrics[] = {
	METRIC(sockstat_sample, "used", "UDP mem", udp_memory, "buffers of all UDP sockets of the machine"),
	METRIC(sockstat_sample, "limit", "udp_mem[2]", udp_memory_limit, "at which packets are dropped"),
	{ 0 },
};

static const struct qmem_metric ending_metrics[] = {
	METRIC(sockstat_sample, "orphans", "TCP orphan", orphans,
	       "TCP sockets of the machine that no process has any more, and that are not closed yet"),
	METRIC(sockstat_sample, "orphans_limit", "tcp_max_orphans", orphans_limit,
	       "beyond which they are reset, of the machine"),
	METRIC(sockstat_sample, "time_wait", "TCP tw", time_wait,
	       "in TIME_WAIT, in this namespace; of the machine before Linux 4.10"),
	METRIC(sockstat_sample, "time_wait_limit", "tcp_max_tw_buckets", time_wait_limit,
	       "beyond which they are forgotten at once, in this namespace"),
	{ 0 },
};

static const struct qmem_metric trouble_metrics[] = {
	METRIC(sockstat_sample, "retransmits", "Tcp RetransSegs", counter[RETRANSMITS], "segments sent again"),
	METRIC(sockstat_sample, "resets", "Tcp OutRsts", counter[RESETS],
	       "resets sent: nobody listens, or a connection was aborted"),
	METRIC(sockstat_sample, "overflows", "TcpExt ListenOverflows", counter[OVERFLOWS],
	       "connections refused because the queue of a port that listens was full"),
	METRIC(sockstat_sample, "drops", "TcpExt ListenDrops", counter[DROPS],
	       "connections refused by ports that listen, for that reason or another"),
	METRIC(sockstat_sample, "syncookies", "TcpExt SyncookiesSent", counter[SYNCOOKIES],
	       "cookies sent in place of keeping a request: there were too many"),
	{ 0 },
};

static const struct qmem_metric age_metrics[] = {
	METRIC(sockstat_sample, "dump", NULL, age,
	       "how old what was counted one by one is: states, ports, Unix sockets"),
	{ 0 },
};

static const struct qmem_metric port_metrics[] = {
	METRIC(sockstat_instance, "connections", NULL, v[PORT_CONNECTIONS], "to the port, connected or being closed"),
	METRIC(sockstat_instance, "queue", NULL, v[PORT_QUEUE], "that wait for the program to accept them"),
	METRIC(sockstat_instance, "backlog", NULL, v[PORT_BACKLOG], "that may wait, of all sockets that listen on it"),
	{ 0 },
};

static const struct qmem_metric namespace_metrics[] = {
	METRIC(sockstat_instance, "sockets", "sockets used", v[NAMESPACE_SOCKETS], "of all kinds"),
	METRIC(sockstat_instance, "tcp", NULL, v[NAMESPACE_TCP], "TCP of both families, without TIME_WAIT"),
	METRIC(sockstat_instance, "udp", NULL, v[NAMESPACE_UDP], "UDP of both families"),
	METRIC(sockstat_instance, "time_wait", "TCP tw", v[NAMESPACE_TIME_WAIT], "in TIME_WAIT"),
	{ 0 },
};

static const struct qmem_metric cgroup_metrics[] = {
	METRIC(sockstat_instance, "sock", NULL, v[CGROUP_SOCK],
	       "sock of its memory.stat, less that of the cgroups in it: buffers of its sockets, without those of processes in no cgroup; of the machine, cgroup v2 only"),
	{ 0 },
};

static const struct qmem_metric drops_metrics[] = {
	METRIC(sockstat_instance, "refused", NULL, v[PORT_DROPS],
	       "connections that the port has dropped, of SK_MEMINFO_DROPS"),
	{ 0 },
};

static const struct qmem_metric udp_port_metrics[] = {
	METRIC(sockstat_instance, "sockets", NULL, v[UDP_PORT_SOCKETS], "bound to the port, and not connected"),
	{ 0 },
};

static const struct qmem_metric udp_queue_metrics[] = {
	METRIC(sockstat_instance, "bytes", NULL, v[UDP_PORT_QUEUED], "received, and not read by the program"),
	{ 0 },
};

static const struct qmem_metric udp_drops_metrics[] = {
	METRIC(sockstat_instance, "packets", NULL, v[UDP_PORT_DROPS],
	       "thrown away because the program does not read them"),
	{ 0 },
};

static const struct qmem_metric unix_state_metrics[] = {
	METRIC(sockstat_sample, "dgram_connected", NULL, dumped.unix_[UNIX_DGRAM_CONNECTED],
	       "for datagrams, connected"),
	METRIC(sockstat_sample, "dgram_unconnected", NULL, dumped.unix_[UNIX_DGRAM_UNCONNECTED],
	       "for datagrams, not connected"),
	METRIC(sockstat_sample, "seqpacket_established", NULL, dumped.unix_[UNIX_SEQPACKET_ESTABLISHED],
	       "for packets in sequence, connected"),
	METRIC(sockstat_sample, "seqpacket_listen", NULL, dumped.unix_[UNIX_SEQPACKET_LISTEN], "that listen"),
	METRIC(sockstat_sample, "seqpacket_unconnected", NULL, dumped.unix_[UNIX_SEQPACKET_UNCONNECTED],
	       "that do neither"),
	{ 0 },
};

static const struct qmem_metric more_metrics[] = {
	METRIC(sockstat_sample, "tcp_bound", NULL, dumped.tcp[STATE_BOUND],
	       "TCP, bound to a port, neither listening nor connected; Linux 6.8 and later"),
	METRIC(sockstat_sample, "tcp_allocated", "TCP alloc", allocated,
	       "TCP of the machine, in any state but TIME_WAIT"),
	METRIC(sockstat_sample, "udp_connected", NULL, dumped.udp_connected, "UDP of both families, connected"),
	METRIC(sockstat_sample, "udp_unconnected", NULL, dumped.udp_unconnected, "UDP of both families, not connected"),
	METRIC(sockstat_sample, "udplite", "UDPLITE inuse", udplite, "UDP-Lite over IPv4; until Linux 7.0"),
	METRIC(sockstat_sample, "udplite6", "UDPLITE6 inuse", udplite6, "UDP-Lite over IPv6"),
	{ 0 },
};

static const struct qmem_metric fragments_metrics[] = {
	METRIC(sockstat_sample, "ipv4", "FRAG memory", fragments_memory, "fragments of packets that are not complete"),
	METRIC(sockstat_sample, "ipv6", "FRAG6 memory", fragments6_memory, "the same of IPv6"),
	{ 0 },
};

static const struct qmem_metric fragmented_metrics[] = {
	METRIC(sockstat_sample, "ipv4", "FRAG inuse", fragments, "packets of which a part is there"),
	METRIC(sockstat_sample, "ipv6", "FRAG6 inuse", fragments6, "the same of IPv6"),
	{ 0 },
};

static const struct qmem_metric events_metrics[] = {
	METRIC(sockstat_sample, "timeouts", "TcpExt TCPTimeouts", counter[TIMEOUTS],
	       "nothing was acknowledged in time"),
	METRIC(sockstat_sample, "syn_retransmits", "TcpExt TCPSynRetrans", counter[SYN_RETRANSMITS],
	       "requests for a connection sent again"),
	METRIC(sockstat_sample, "lost_retransmits", "TcpExt TCPLostRetransmit", counter[LOST_RETRANSMITS],
	       "what was sent again was lost again"),
	METRIC(sockstat_sample, "attempts_failed", "Tcp AttemptFails", counter[ATTEMPTS_FAILED],
	       "connections that were not made"),
	METRIC(sockstat_sample, "established_resets", "Tcp EstabResets", counter[ESTABLISHED_RESETS],
	       "connections that were reset"),
	METRIC(sockstat_sample, "aborts_memory", "TcpExt TCPAbortOnMemory", counter[ABORTS_MEMORY],
	       "connections dropped for want of memory, or as one orphan too many"),
	METRIC(sockstat_sample, "aborts_timeout", "TcpExt TCPAbortOnTimeout", counter[ABORTS_TIMEOUT],
	       "connections given up after too many timeouts"),
	METRIC(sockstat_sample, "memory_pressures", "TcpExt TCPMemoryPressures", counter[MEMORY_PRESSURES],
	       "how often the memory of TCP went past tcp_mem[1]"),
	METRIC(sockstat_sample, "pruned", "TcpExt PruneCalled", counter[PRUNED], "receive buffers that were too full"),
	METRIC(sockstat_sample, "receive_pruned", "TcpExt RcvPruned", counter[RECEIVE_PRUNED],
	       "packets dropped since that did not help"),
	METRIC(sockstat_sample, "backlog_drops", "TcpExt TCPBacklogDrop", counter[BACKLOG_DROPS],
	       "packets dropped while the socket was busy"),
	METRIC(sockstat_sample, "receive_queue_drops", "TcpExt TCPRcvQDrop", counter[RECEIVE_QUEUE_DROPS],
	       "packets dropped since the receive queue was full"),
	METRIC(sockstat_sample, "request_queue_drops", "TcpExt TCPReqQFullDrop", counter[REQUEST_QUEUE_DROPS],
	       "requests dropped since there were too many"),
	METRIC(sockstat_sample, "request_queue_cookies", "TcpExt TCPReqQFullDoCookies", counter[REQUEST_QUEUE_COOKIES],
	       "requests answered with a cookie for that reason"),
	METRIC(sockstat_sample, "syncookies_received", "TcpExt SyncookiesRecv", counter[SYNCOOKIES_RECEIVED],
	       "cookies that came back"),
	METRIC(sockstat_sample, "syncookies_failed", "TcpExt SyncookiesFailed", counter[SYNCOOKIES_FAILED],
	       "cookies that came back and were not ours"),
	METRIC(sockstat_sample, "time_wait_overflows", "TcpExt TCPTimeWaitOverflow", counter[TIME_WAIT_OVERFLOWS],
	       "sockets closed at once, since too many are in TIME_WAIT"),
	{ 0 },
};

static const struct qmem_metric udp_trouble_metrics[] = {
	METRIC(sockstat_sample, "no_port", NULL, counter[UDP_NO_PORT],
	       "packets for a port that nobody has; of both families"),
	METRIC(sockstat_sample, "receive_buffer", NULL, counter[UDP_RECEIVE_BUFFER],
	       "packets dropped because the program did not read them"),
	METRIC(sockstat_sample, "send_buffer", NULL, counter[UDP_SEND_BUFFER], "packets that could not be sent"),
	METRIC(sockstat_sample, "memory", NULL, counter[UDP_MEMORY], "packets dropped at udp_mem[2]"),
	METRIC(sockstat_sample, "checksum", NULL, counter[UDP_CHECKSUM], "packets with a wrong checksum"),
	{ 0 },
};

#define SOCKETS GAUGE("sockets", 1, "gauge")

static const struct qmem_family families[] = {
	FAMILY("tcp", "TCP sockets by state", "network/sockets", "stacked", tcp_metrics, SOCKETS),
	FAMILY("sockets", "Sockets", "network/sockets", "line", sockets_metrics, SOCKETS),
	FAMILY("unix", "Unix sockets", "network/sockets", "stacked", unix_metrics, SOCKETS),
	FAMILY("tcp_memory", "Memory of TCP", "network/sockets", "line", tcp_memory_metrics, BYTES),
	FAMILY("udp_memory", "Memory of UDP", "network/sockets", "line", udp_memory_metrics, BYTES),
	FAMILY("ending", "TCP sockets that end, and their limits", "network/sockets", "line", ending_metrics, SOCKETS),
	FAMILY("trouble", "Trouble of TCP", "network/sockets", "line", trouble_metrics, EVENTS),
	FAMILY("port", "Connections by port that listens", "network/sockets", "line", port_metrics,
	       GAUGE("connections", 1, "gauge"), .label = "port"),
	FAMILY("age", "Age of the count of sockets", "network/sockets", "line", age_metrics,
	       GAUGE("seconds", QMEM_SECOND, "duration")),
	FAMILY("namespace", "Sockets by network namespace", "network/sockets", "line", namespace_metrics, SOCKETS,
	       .label = "namespace"),
	FAMILY("cgroup", "Memory of sockets by cgroup", "network/sockets", "line", cgroup_metrics, BYTES,
	       .label = "cgroup"),
	FAMILY("drops", "Connections refused by port", "network/sockets", "line", drops_metrics, EVENTS,
	       .label = "port", .flags = QMEM_DETAIL),
	FAMILY("receivers", "UDP sockets by port", "network/sockets", "line", udp_port_metrics, SOCKETS,
	       .label = "port", .flags = QMEM_DETAIL),
	FAMILY("unread", "UDP packets that are not read, by port", "network/sockets", "line", udp_queue_metrics, BYTES,
	       .label = "port", .flags = QMEM_DETAIL),
	FAMILY("lost", "UDP packets dropped by port", "network/sockets", "line", udp_drops_metrics,
	       COUNTER("packets", 1, "if_dropped"), .label = "port", .flags = QMEM_DETAIL),
	FAMILY("unix_states", "Other Unix sockets by state", "network/sockets", "line", unix_state_metrics, SOCKETS,
	       .flags = QMEM_DETAIL),
	FAMILY("more", "More sockets", "network/sockets", "line", more_metrics, SOCKETS, .flags = QMEM_DETAIL),
	FAMILY("fragments", "Memory of fragments", "network/sockets", "line", fragments_metrics, BYTES,
	       .flags = QMEM_DETAIL),
	FAMILY("fragmented", "Packets that are not complete", "network/sockets", "line", fragmented_metrics,
	       GAUGE("packets", 1, "gauge"), .flags = QMEM_DETAIL),
	FAMILY("tcp_events", "More events of TCP", "network/sockets", "line", events_metrics, EVENTS,
	       .flags = QMEM_DETAIL),
	FAMILY("udp_trouble", "Trouble of UDP", "network/sockets", "line", udp_trouble_metrics,
	       COUNTER("packets", 1, "if_dropped"), .flags = QMEM_DETAIL),
	{ 0 },
};

static const struct qmem_option options[] = {
	{ .name = "Namespace",
	  .type = QMEM_STRING,
	  .offset = offsetof(struct sockstat, namespace),
	  .def = "init",
	  .check = sockstat_space_check,
	  .help = "whose sockets: those of process 1 (init), those the agent itself sees (self), those of process 1 and of each other network namespace (all), of one of them: pid:N, name:NAME as ip-netns(8) has it, container:ID" },
	{ .name = "Top",
	  .type = QMEM_INT,
	  .offset = offsetof(struct sockstat, max),
	  .def = "2",
	  .max = 10000,
	  .help = "ports shown of those that listen: those whose queue is full first, then those with most connections; the others are summed as '" INSTANCES_OTHER
		  "'" },
	{ .name = "DumpBudget",
	  .type = QMEM_DURATION,
	  .offset = offsetof(struct sockstat, budget),
	  .def = "5ms",
	  .max = QMEM_SECOND,
	  .help = "CPU time a second to count sockets one by one, by state and port: where there are many, that is done less often; 0: never" },
	{ .name = "QueueFull",
	  .type = QMEM_PERCENT,
	  .offset = offsetof(struct sockstat, full),
	  .def = "80",
	  .min = 100,
	  .max = 10000,
	  .help = "share of its backlog from which on the queue of a port that listens is too long" },
	{ .name = "NotifyInterval",
	  .type = QMEM_DURATION,
	  .offset = offsetof(struct sockstat, repeat),
	  .def = "0",
	  .max = INT64_C(86400000000000),
	  .help = "time between two reminders while a queue stays too long; 0: none" },
	{ .name = "TopNamespaces",
	  .type = QMEM_INT,
	  .offset = offsetof(struct sockstat, max_spaces),
	  .def = "5",
	  .max = 1000,
	  .help = "network namespaces shown with Namespace all: those with most sockets; the others are summed as '" INSTANCES_OTHER
		  "'" },
	{ .name = "TopCgroups",
	  .type = QMEM_INT,
	  .offset = offsetof(struct sockstat, max_cgroups),
	  .def = "0",
	  .max = 1000,
	  .help = "cgroups shown, of v2: those whose sockets hold most memory, looked at every half minute; the others are summed as '" INSTANCES_OTHER
		  "'; 0: none, and not looked at" },
	{ 0 },
};

/* ---- whose ---- */

enum whose { WHOSE_NONE, WHOSE_FILES, WHOSE_OWN, WHOSE_OTHER };

/* Each namespace has an inode of its own for each of its files. What is no procfs has no sockets that could be counted. */
static int look(struct qmem *q, const char *directory, enum whose *ret)
{
	struct stat there, own;
	struct statfs fs;
	int fd = qmem_open(q, O_RDONLY, "%s/sockstat", directory);

	if (fd < 0)
		return fd;
	*ret = WHOSE_FILES;
	if (!fstatfs(fd, &fs) && fs.f_type == PROC_SUPER_MAGIC && !fstat(fd, &there))
		*ret = !stat(OWN, &own) && own.st_ino == there.st_ino ? WHOSE_OWN : WHOSE_OTHER;
	close(fd);
	return 0;
}

static void settle(struct qmem *q, struct sockstat *s, const char *directory, int32_t pid, enum whose whose)
{
	sockstat_total_init(&s->total, directory, whose != WHOSE_OTHER, s->detail);
	s->chosen = true;
	s->missed = false;
	s->dumps = s->budget && whose != WHOSE_FILES;
	if (s->dumps)
		sockstat_dump_open(q, &s->dump, whose == WHOSE_OTHER ? pid : 0);
	qmem_note(q, "%s%s", s->shown, whose == WHOSE_FILES ? "; of files there are no counts by state and port" : "");
}

/* That of a process. */
static int choose_of(struct qmem *q, struct sockstat *s, int32_t pid)
{
	enum whose whose = WHOSE_NONE;
	char directory[32];
	int err;

	snprintf(directory, sizeof(directory), "proc/%d/net", (int)pid);
	err = look(q, directory, &whose);
	if (err)
		return err;
	snprintf(s->shown, sizeof(s->shown), "the namespace of process %d", (int)pid);
	settle(q, s, directory, pid, whose);
	return 0;
}

static int choose_own(struct qmem *q, struct sockstat *s, const char *words)
{
	enum whose whose = WHOSE_NONE;
	int err = look(q, "proc/self/net", &whose);

	if (err)
		return err;
	snprintf(s->shown, sizeof(s->shown), "the agent's own namespace%s%s",
		 words ? ": that of process 1 cannot be read: " : "", words ? words : "");
	settle(q, s, "proc/self/net", 1, whose);
	return 0;
}

/* -ENOENT: there is none. */
static int choose(struct qmem *q, struct sockstat *s)
{
	char buffer[64];
	const char *words;
	int err, other;

	if (s->spaces.whose == SPACE_SELF)
		return choose_own(q, s, NULL);
	err = choose_of(q, s, 1);
	if (!err || err == -EMFILE || err == -ENFILE || err == -ENOMEM)
		return err;
	words = root_words(err, buffer, sizeof(buffer));
	other = choose_own(q, s, words);
	if (other)
		return other == -ENOENT ? err : other;
	qmem_log(q, QMEM_LOG_NOTICE,
		 "shows the sockets of the agent's own network namespace: that of process 1 cannot be read: %s", words);
	return 0;
}

/* Is it one process's, which may end? */
static bool is_followed(const struct sockstat *s)
{
	return s->spaces.whose == SPACE_PID || s->spaces.whose == SPACE_NAMED || s->spaces.whose == SPACE_CONTAINER;
}

/* Whoever is next has other sockets: nothing of them is growth of these. */
static void leave(struct qmem *q, struct sockstat *s)
{
	sockstat_total_release(&s->total);
	sockstat_dump_close(&s->dump);
	sockstat_process_release(&s->process);
	sockstat_counters_anew(&s->counters);
	sockstat_ports_anew(&s->ports);
	sockstat_events_leave(q, &s->events);
	s->chosen = s->dumps = s->going = false;
	s->told = 0;
	s->due = 0;
}

static void miss(struct qmem *q, struct sockstat *s)
{
	if (s->missed)
		return;
	s->missed = true;
	if (s->spaces.whose == SPACE_PID)
		qmem_note(q, "there is no process %s now", s->spaces.what);
	else
		qmem_note(q, "there is no process in the network namespace '%s' now", s->namespace);
}

static int hold(struct qmem *q, struct sockstat *s, int32_t pid)
{
	int err = sockstat_process_hold(q, &s->process, pid);

	if (err != -ENOENT)
		err = choose_of(q, s, pid);
	if (err)
		sockstat_process_release(&s->process);
	return err;
}

/* Whoever is found may be another one, or nobody, later: a container is started anew. 0 and not chosen: there is nobody. */
static int follow(struct qmem *q, struct sockstat *s)
{
	bool given = s->spaces.whose == SPACE_PID, ended;
	int err;

	if (given)
		s->spaces.pid = atoi(s->spaces.what);
	else
		sockstat_spaces_look(q, &s->spaces);
	if (s->chosen) {
		ended = !sockstat_process_lives(q, &s->process);
		if (!ended && s->process.pid == s->spaces.pid)
			return 0;
		leave(q, s);
		if (ended && !given)
			sockstat_spaces_lost(q, &s->spaces);
	}
	if ((!given && !s->spaces.looked) || qmem_now(q) < s->due)
		return 0;
	err = s->spaces.pid ? hold(q, s, s->spaces.pid) : -ENOENT;
	if (err != -ENOENT)
		return err;
	/* the worker looks again by itself */
	if (given)
		s->due = qmem_now(q) + AGAIN;
	else
		s->spaces.pid = 0;
	miss(q, s);
	return 0;
}

/* ---- rounds ---- */

static void fill(struct qmem *q, struct sockstat *s)
{
	struct sockstat_sample *v = &s->sample;
	const int64_t *u = v->dumped.unix_;

	v->dumped = s->dump.last;
	v->dgram = value_sum(u[UNIX_DGRAM_CONNECTED], u[UNIX_DGRAM_UNCONNECTED]);
	v->seqpacket = QMEM_NA;
	for (int i = UNIX_SEQPACKET_ESTABLISHED; i <= UNIX_SEQPACKET_UNCONNECTED; i++)
		v->seqpacket = value_sum(v->seqpacket, u[i]);
	v->age = s->dump.when ? (int64_t)(qmem_now(q) - s->dump.when) : QMEM_NA;
}

static void say(struct qmem *q, struct sockstat *s, int err)
{
	char buffer[64];

	if (err == s->told)
		return;
	s->told = err;
	if (!err)
		qmem_note(q, "%s", s->shown);
	else if (err == -EPERM || err == -EACCES)
		qmem_note(q, "%s, which is not ours: no counts by state and port, for want of CAP_SYS_ADMIN", s->shown);
	else
		qmem_note(q, "%s; no counts by state and port: %s", s->shown, root_words(err, buffer, sizeof(buffer)));
}

static int collect(struct qmem *q, void *state)
{
	struct sockstat *s = state;
	bool new = false;
	int err = 0;

	if (!s->going) {
		sockstat_cgroups_look(q, &s->cgroups);
		if (is_followed(s))
			err = follow(q, s);
		else if (!s->chosen)
			err = choose(q, s);
		if (err)
			return err;
	}
	/* cgroups are the machine's, whose sockets the others are or not */
	if (!s->chosen) {
		sockstat_cgroups_emit(q, &s->cgroups, families);
		return 0;
	}
	if (!s->going && s->spaces.whose == SPACE_ALL)
		sockstat_spaces_look(q, &s->spaces);
	if (!s->going) {
		err = sockstat_total_read(q, &s->total, &s->sample);
		if (err)
			return err;
		sockstat_counters_add(&s->counters, s->sample.counter);
	}
	if (s->dumps) {
		err = sockstat_dump_go(q, &s->dump, &new);
		s->going = err == QMEM_MORE;
		if (s->going)
			return err;
		say(q, s, err);
		err = new ? sockstat_ports_choose(q, &s->ports, s->full) : 0;
		if (err)
			return err;
		if (new)
			sockstat_events_look(q, &s->events, s->ports.ports, s->ports.n);
	}
	fill(q, s);
	qmem_emit_all(q, &s->sample);
	if (s->dump.when)
		sockstat_ports_emit(q, &s->ports, families);
	sockstat_spaces_emit(q, &s->spaces, families);
	sockstat_cgroups_emit(q, &s->cgroups, families);
	return 0;
}

/* ---- life ---- */

static void stop(struct qmem *q, void *state)
{
	struct sockstat *s = state;

	(void)q;
	if (s->chosen)
		sockstat_total_release(&s->total);
	sockstat_process_release(&s->process);
	sockstat_dump_release(&s->dump);
	sockstat_ports_release(&s->ports);
	sockstat_spaces_release(&s->spaces);
	sockstat_cgroups_release(&s->cgroups);
	sockstat_who_free(s->events.who);
}

static bool wants_detail(const struct qmem *q)
{
	return qmem_shown(q, &sockstat_service, &families[sizeof(families) / sizeof(*families) - 2]);
}

static int start(struct qmem *q, void *state)
{
	struct sockstat *s = state;
	char words[64];
	int err;

	s->detail = wants_detail(q);
	err = sockstat_dump_init(&s->dump, s->budget, s->detail, &s->ports);
	if (!err)
		err = sockstat_ports_init(&s->ports, s->max, s->detail);
	if (!err)
		err = sockstat_spaces_init(&s->spaces, s->namespace, s->max_spaces);
	if (!err)
		err = sockstat_cgroups_init(&s->cgroups, s->max_cgroups);
	if (!err)
		err = sockstat_who_new(q, &s->events.who);
	if (err)
		return err;
	s->events.full = s->full;
	s->events.repeat = (uint64_t)s->repeat;
	sockstat_counters_init(&s->counters);
	if (s->spaces.whose == SPACE_NAMED || s->spaces.whose == SPACE_CONTAINER) {
		qmem_note(q, "the network namespace '%s' is looked for", s->namespace);
		return 0;
	}
	err = is_followed(s) ? follow(q, s) : choose(q, s);
	if (err == -ENOENT)
		return err;
	/* any other reason may pass */
	if (err)
		qmem_note(q, "not read so far: %s", root_words(err, words, sizeof(words)));
	return 0;
}

static const struct qmem_capability capabilities[] = {
	CAPABILITY(SYS_ADMIN, "sockets by state and port of another network namespace than the agent's own",
		   .file = "setns()", .extra = true),
	CAPABILITY(SYS_PTRACE, "the network namespace of process 1, where it is another one",
		   .file = "/proc/PID/ns/net"),
	{ 0 },
};

const struct qmem_service sockstat_service = {
	.name = "sockstat",
	.help = "sockets: by state and port, their memory, their trouble",
	.source = "/proc/1/net/sockstat; /proc/1/net/sockstat6; /proc/1/net/netstat; /proc/1/net/snmp; "
		  "/proc/sys/net/ipv4/tcp_mem; /proc/sys/net/ipv4/udp_mem; /proc/sys/net/ipv4/tcp_max_orphans; "
		  "/proc/sys/net/ipv4/tcp_max_tw_buckets; NETLINK_SOCK_DIAG",
	.kernel =
		"2.6; sockets one by one 3.3 (CONFIG_INET_DIAG, CONFIG_UNIX_DIAG, CONFIG_PACKET_DIAG, CONFIG_NETLINK_DIAG)",
	.privilege =
		"none; CAP_SYS_ADMIN and CAP_SYS_PTRACE where process 1 is in another network namespace than the agent",
	.priority = 6200,
	.families = families,
	.options = options,
	.capabilities = capabilities,
	.relief = "DumpBudget",
	.state_size = sizeof(struct sockstat),
	.start = start,
	.collect = collect,
	.stop = stop,
};
