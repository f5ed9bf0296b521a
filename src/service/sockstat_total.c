/* SPDX-License-Identifier: MIT */
#include "service/sockstat_total.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "kernel/sound.h"
#include "proc/sockstats.h"
#include "util/value.h"

#define LIMITS_EVERY (10 * QMEM_SECOND)

static const char *const names[TOTAL_FILES] = {
	[TOTAL_SOCKSTAT] = "sockstat", [TOTAL_SOCKSTAT6] = "sockstat6", [TOTAL_NETSTAT] = "netstat",
	[TOTAL_SNMP] = "snmp",         [TOTAL_SNMP6] = "snmp6",
};

static const char *const limits[LIMITS] = {
	[LIMIT_TCP_MEM] = "proc/sys/net/ipv4/tcp_mem",
	[LIMIT_UDP_MEM] = "proc/sys/net/ipv4/udp_mem",
	[LIMIT_ORPHANS] = "proc/sys/net/ipv4/tcp_max_orphans",
	[LIMIT_TIME_WAIT] = "proc/sys/net/ipv4/tcp_max_tw_buckets",
};

/* Which counters the rows are, in their order. */
static const enum sockstat_counter netstat_counters[] = {
	OVERFLOWS,
	DROPS,
	SYNCOOKIES,
	SYNCOOKIES_RECEIVED,
	SYNCOOKIES_FAILED,
	TIMEOUTS,
	SYN_RETRANSMITS,
	LOST_RETRANSMITS,
	ABORTS_MEMORY,
	ABORTS_TIMEOUT,
	MEMORY_PRESSURES,
	PRUNED,
	RECEIVE_PRUNED,
	BACKLOG_DROPS,
	RECEIVE_QUEUE_DROPS,
	REQUEST_QUEUE_DROPS,
	REQUEST_QUEUE_COOKIES,
	TIME_WAIT_OVERFLOWS,
};
static const struct snmp_row netstat_rows[] = {
	{ "TcpExt", "ListenOverflows", false },
	{ "TcpExt", "ListenDrops", false },
	{ "TcpExt", "SyncookiesSent", false },
	{ "TcpExt", "SyncookiesRecv", false },
	{ "TcpExt", "SyncookiesFailed", false },
	{ "TcpExt", "TCPTimeouts", false },
	{ "TcpExt", "TCPSynRetrans", false },
	{ "TcpExt", "TCPLostRetransmit", false },
	{ "TcpExt", "TCPAbortOnMemory", false },
	{ "TcpExt", "TCPAbortOnTimeout", false },
	{ "TcpExt", "TCPMemoryPressures", false },
	{ "TcpExt", "PruneCalled", false },
	{ "TcpExt", "RcvPruned", false },
	{ "TcpExt", "TCPBacklogDrop", false },
	{ "TcpExt", "TCPRcvQDrop", false },
	{ "TcpExt", "TCPReqQFullDrop", false },
	{ "TcpExt", "TCPReqQFullDoCookies", false },
	{ "TcpExt", "TCPTimeWaitOverflow", false },
};
#define NETSTAT_ROWS (sizeof(netstat_rows) / sizeof(*netstat_rows))

/* Of TCP they are of both families, of UDP of IPv4. */
static const enum sockstat_counter snmp_counters[] = {
	RETRANSMITS,        RESETS,          ATTEMPTS_FAILED, ESTABLISHED_RESETS, UDP_NO_PORT,
	UDP_RECEIVE_BUFFER, UDP_SEND_BUFFER, UDP_MEMORY,      UDP_CHECKSUM,
};
static const struct snmp_row snmp_rows[] = {
	{ "Tcp", "RetransSegs", false },  { "Tcp", "OutRsts", false },   { "Tcp", "AttemptFails", false },
	{ "Tcp", "EstabResets", false },  { "Udp", "NoPorts", false },   { "Udp", "RcvbufErrors", false },
	{ "Udp", "SndbufErrors", false }, { "Udp", "MemErrors", false }, { "Udp", "InCsumErrors", false },
};
#define SNMP_ROWS_ (sizeof(snmp_rows) / sizeof(*snmp_rows))

static const enum sockstat_counter snmp6_counters[] = {
	UDP_NO_PORT, UDP_RECEIVE_BUFFER, UDP_SEND_BUFFER, UDP_MEMORY, UDP_CHECKSUM,
};
static const struct snmp_row snmp6_rows[] = {
	{ NULL, "Udp6NoPorts", false },   { NULL, "Udp6RcvbufErrors", false }, { NULL, "Udp6SndbufErrors", false },
	{ NULL, "Udp6MemErrors", false }, { NULL, "Udp6InCsumErrors", false },
};
#define SNMP6_ROWS (sizeof(snmp6_rows) / sizeof(*snmp6_rows))

_Static_assert(sizeof(netstat_counters) / sizeof(*netstat_counters) == NETSTAT_ROWS, "one for each");
_Static_assert(sizeof(snmp_counters) / sizeof(*snmp_counters) == SNMP_ROWS_, "one for each");
_Static_assert(sizeof(snmp6_counters) / sizeof(*snmp6_counters) == SNMP6_ROWS, "one for each");

/* Without IPv6 its files are not there, which is no fault. */
static ssize_t read_file(struct qmem *q, struct sockstat_total *t, int which, const char **ret_text)
{
	ssize_t len;

	if (t->files[which].absent)
		return -ENOENT;
	len = qmem_read(q, &t->files[which].file, ret_text);
	if (len == -ENOENT && which != TOTAL_SOCKSTAT)
		t->files[which].absent = true;
	else
		sound_read(q, &t->files[which].unread, &t->files[which].file, len < 0 ? (int)len : 0);
	return len;
}

static void read_counters(struct qmem *q, struct sockstat_total *t, int which, struct snmp *snmp, size_t n,
			  const enum sockstat_counter *counters, int64_t *ret)
{
	struct fault fault;
	int64_t v[SNMP_ROWS];
	const char *text;
	ssize_t len = read_file(q, t, which, &text);

	if (len < 0)
		return;
	if (snmp)
		(void)snmp_parse(snmp, text, (size_t)len, v, &fault);
	else
		(void)snmp_parse_keys(snmp6_rows, n, text, (size_t)len, v, &fault);
	sound_fault(q, &t->files[which].faulty, &t->files[which].file, 0, &fault);
	for (size_t i = 0; i < n; i++)
		ret[counters[i]] = value_sum(ret[counters[i]], v[i]);
}

static int read_sockstat(struct qmem *q, struct sockstat_total *t, int which, struct sockstats *s)
{
	struct fault fault;
	const char *text;
	ssize_t len = read_file(q, t, which, &text);

	if (len < 0)
		return (int)len;
	(void)sockstats_parse(text, (size_t)len, s, &fault);
	sound_fault(q, &t->files[which].faulty, &t->files[which].file, 0, &fault);
	return 0;
}

static void read_limits(struct qmem *q, struct sockstat_total *t)
{
	int64_t v[3];

	for (int i = 0; i < LIMITS; i++) {
		const char *text;
		ssize_t len = t->limit_absent[i] ? -ENOENT : qmem_read(q, &t->limits[i], &text);

		/* those of the machine are in the first namespace only */
		t->limit_absent[i] |= len == -ENOENT;
		sockstats_limits(text, len < 0 ? 0 : (size_t)len, v, 3);
		if (i == LIMIT_TCP_MEM)
			t->pressure = v[1];
		t->limit[i] = i == LIMIT_TCP_MEM || i == LIMIT_UDP_MEM ? v[2] : v[0];
	}
}

static void fill(const struct sockstat_total *t, const struct sockstats *s, struct sockstat_sample *ret)
{
	ret->used = s->v[SOCKSTATS_USED];
	ret->tcp = s->v[SOCKSTATS_TCP];
	ret->tcp6 = s->v[SOCKSTATS_TCP6];
	ret->udp = s->v[SOCKSTATS_UDP];
	ret->udp6 = s->v[SOCKSTATS_UDP6];
	ret->raw = value_sum(s->v[SOCKSTATS_RAW], s->v[SOCKSTATS_RAW6]);
	ret->udplite = s->v[SOCKSTATS_UDPLITE];
	ret->udplite6 = s->v[SOCKSTATS_UDPLITE6];
	ret->allocated = s->v[SOCKSTATS_ALLOC];
	ret->orphans = s->v[SOCKSTATS_ORPHAN];
	ret->orphans_limit = t->limit[LIMIT_ORPHANS];
	ret->time_wait = s->v[SOCKSTATS_TW];
	ret->time_wait_limit = t->limit[LIMIT_TIME_WAIT];
	ret->tcp_memory = value_times(s->v[SOCKSTATS_TCP_MEM], t->page);
	ret->tcp_memory_pressure = value_times(t->pressure, t->page);
	ret->tcp_memory_limit = value_times(t->limit[LIMIT_TCP_MEM], t->page);
	ret->udp_memory = value_times(s->v[SOCKSTATS_UDP_MEM], t->page);
	ret->udp_memory_limit = value_times(t->limit[LIMIT_UDP_MEM], t->page);
	ret->fragments = s->v[SOCKSTATS_FRAG];
	ret->fragments6 = s->v[SOCKSTATS_FRAG6];
	ret->fragments_memory = s->v[SOCKSTATS_FRAG_MEMORY];
	ret->fragments6_memory = s->v[SOCKSTATS_FRAG6_MEMORY];
}

int sockstat_total_read(struct qmem *q, struct sockstat_total *t, struct sockstat_sample *ret)
{
	struct sockstats s;
	int err;

	for (size_t i = 0; i < sizeof(*ret) / sizeof(int64_t); i++)
		((int64_t *)(void *)ret)[i] = QMEM_NA;
	sockstats_clear(&s);
	err = read_sockstat(q, t, TOTAL_SOCKSTAT, &s);
	(void)read_sockstat(q, t, TOTAL_SOCKSTAT6, &s);
	if (t->limited && (!t->when || qmem_now(q) - t->when >= LIMITS_EVERY)) {
		t->when = qmem_now(q);
		read_limits(q, t);
	}
	fill(t, &s, ret);
	read_counters(q, t, TOTAL_NETSTAT, &t->netstat, NETSTAT_ROWS, netstat_counters, ret->counter);
	read_counters(q, t, TOTAL_SNMP, &t->snmp, SNMP_ROWS_, snmp_counters, ret->counter);
	if (t->detail)
		read_counters(q, t, TOTAL_SNMP6, NULL, SNMP6_ROWS, snmp6_counters, ret->counter);
	return err;
}

void sockstat_total_init(struct sockstat_total *t, const char *directory, bool limited, bool detail)
{
	*t = (struct sockstat_total){
		.limited = limited, .detail = detail, .page = sysconf(_SC_PAGESIZE), .pressure = QMEM_NA
	};
	for (int i = 0; i < TOTAL_FILES; i++) {
		snprintf(t->files[i].path, sizeof(t->files[i].path), "%s/%s", directory, names[i]);
		t->files[i].file = QMEM_FILE(t->files[i].path);
	}
	for (int i = 0; i < LIMITS; i++) {
		t->limits[i] = QMEM_FILE(limits[i]);
		t->limit[i] = QMEM_NA;
	}
	snmp_init(&t->netstat, netstat_rows, NETSTAT_ROWS);
	snmp_init(&t->snmp, snmp_rows, SNMP_ROWS_);
}

void sockstat_total_release(struct sockstat_total *t)
{
	for (int i = 0; i < TOTAL_FILES; i++)
		qmem_file_close(&t->files[i].file);
	for (int i = 0; i < LIMITS; i++)
		qmem_file_close(&t->limits[i]);
}
