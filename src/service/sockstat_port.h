/* SPDX-License-Identifier: MIT */
/*
 * Sockets by local port: those that listen, with their queues, and how many connections each has. In each dump first come all that
 * listen, then the others:
 *
 *	sockstat_ports_begin(p);
 *	sockstat_ports_add(p, &s);		for each socket
 *	sockstat_ports_end(p);			that was all: what is asked below is of this dump
 */
#ifndef QMEM_SERVICE_SOCKSTAT_PORT_H
#define QMEM_SERVICE_SOCKSTAT_PORT_H

#include "kernel/instances.h"
#include "proc/sockdiag.h"
#include "service/sockstat_sample.h"

#define PORTS 65536

struct sockstat_port {
	uint16_t port;
	uint32_t sockets;                    /* that listen there */
	int64_t connections, queue, backlog; /* of all of them */
	int64_t drops;                       /* of all; QMEM_NA: the kernel does not tell */
	/* of the one whose queue is the fullest */
	int64_t fullest_queue, fullest_backlog;
	uint32_t uid;
	int64_t cgroup; /* its id; QMEM_NA */
};

struct sockstat_ports {
	struct sockstat_port *ports; /* of the whole dump, by port */
	size_t n;
	/* its own */
	struct sockstat_port *next; /* of the one that is being made */
	size_t next_n, room, ports_room;
	uint32_t *at; /* PORTS: of the next one, the place in it and 1; 0: nobody listens */
	uint32_t *udp;
	struct instances tcp_all, udp_all;
	bool with_udp;
	struct sockstat_port *udps, *udps_next;
	size_t udps_n, udps_next_n, udps_room, udps_next_room;
};

/* `max`: ports that are shown. -ENOMEM; release it also then. */
int sockstat_ports_init(struct sockstat_ports *p, int64_t max, bool with_udp);
void sockstat_ports_release(struct sockstat_ports *p);
void sockstat_ports_begin(struct sockstat_ports *p);
void sockstat_ports_add(struct sockstat_ports *p, const struct sockdiag *s, bool udp);
void sockstat_ports_end(struct sockstat_ports *p);
/* Is a queue of it too long? `full`: hundredths of a percent of the backlog. */
bool sockstat_port_is_long(const struct sockstat_port *port, int64_t full);
/* The counters go on, and have not grown since the last dump: that was of other sockets. */
void sockstat_ports_anew(struct sockstat_ports *p);
/* Once after each whole dump; ports of which a queue is too long are shown first. -ENOMEM. */
int sockstat_ports_choose(struct qmem *q, struct sockstat_ports *p, int64_t full);
void sockstat_ports_emit(struct qmem *q, struct sockstat_ports *p, const struct qmem_family *families);

#endif
