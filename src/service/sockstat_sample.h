/* SPDX-License-Identifier: MIT */
/* What the files of the service share: one sample, and of what its columns are that have instances. */
#ifndef QMEM_SERVICE_SOCKSTAT_SAMPLE_H
#define QMEM_SERVICE_SOCKSTAT_SAMPLE_H

#include "qmem.h"

enum sockstat_state {
	STATE_ESTABLISHED,
	STATE_SYN_SENT,
	STATE_SYN_RECV,
	STATE_FIN_WAIT1,
	STATE_FIN_WAIT2,
	STATE_TIME_WAIT,
	STATE_CLOSE_WAIT,
	STATE_LAST_ACK,
	STATE_LISTEN,
	STATE_CLOSING,
	STATE_BOUND,
	STATES
};

enum sockstat_unix {
	UNIX_STREAM_ESTABLISHED,
	UNIX_STREAM_LISTEN,
	UNIX_STREAM_UNCONNECTED,
	UNIX_DGRAM_CONNECTED,
	UNIX_DGRAM_UNCONNECTED,
	UNIX_SEQPACKET_ESTABLISHED,
	UNIX_SEQPACKET_LISTEN,
	UNIX_SEQPACKET_UNCONNECTED,
	UNIXES
};

/* Made of one whole dump; QMEM_NA: the kernel does not tell. */
struct sockstat_dumped {
	int64_t tcp[STATES];
	int64_t unix_[UNIXES];
	int64_t udp_connected, udp_unconnected;
	int64_t packet, netlink;
};

/* Counters of netstat and snmp, each once, whichever table it stands in. */
enum sockstat_counter {
	RETRANSMITS,
	RESETS,
	OVERFLOWS,
	DROPS,
	SYNCOOKIES,
	SYNCOOKIES_RECEIVED,
	SYNCOOKIES_FAILED,
	TIMEOUTS,
	SYN_RETRANSMITS,
	LOST_RETRANSMITS,
	ATTEMPTS_FAILED,
	ESTABLISHED_RESETS,
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
	UDP_NO_PORT,
	UDP_RECEIVE_BUFFER,
	UDP_SEND_BUFFER,
	UDP_MEMORY,
	UDP_CHECKSUM,
	COUNTERS
};

struct sockstat_sample {
	int64_t used, tcp, tcp6, udp, udp6, raw, packet, netlink, udplite, udplite6, allocated; /* sockets */
	int64_t orphans, orphans_limit, time_wait, time_wait_limit;
	int64_t tcp_memory, tcp_memory_pressure, tcp_memory_limit, udp_memory, udp_memory_limit; /* bytes */
	int64_t fragments, fragments6;                                                           /* queues */
	int64_t fragments_memory, fragments6_memory;                                             /* bytes */
	int64_t counter[COUNTERS];
	struct sockstat_dumped dumped;
	int64_t dgram, seqpacket; /* in all states */
	int64_t age;              /* ns, of what was dumped */
};

/* Of each port, cgroup and namespace; those have some of them, and the others are QMEM_NA. */
enum sockstat_column {
	PORT_CONNECTIONS,
	PORT_QUEUE,
	PORT_BACKLOG,
	PORT_DROPS,
	UDP_PORT_SOCKETS,
	UDP_PORT_QUEUED,
	UDP_PORT_DROPS,
	CGROUP_SOCK,
	NAMESPACE_SOCKETS,
	NAMESPACE_TCP,
	NAMESPACE_UDP,
	NAMESPACE_TIME_WAIT,
	SOCKSTAT_COLUMNS
};

struct sockstat_instance {
	int64_t v[SOCKSTAT_COLUMNS];
};

#endif
