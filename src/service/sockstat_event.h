/* SPDX-License-Identifier: MIT */
/*
 * Ports whose queue is too long: connections wait there for a program that does not accept them, and further ones are refused. Asked
 * after each whole dump.
 */
#ifndef QMEM_SERVICE_SOCKSTAT_EVENT_H
#define QMEM_SERVICE_SOCKSTAT_EVENT_H

#include "service/sockstat_port.h"
#include "service/sockstat_who.h"

#define EVENT_PORTS 16 /* at a time; of others the queues are on charts */

struct sockstat_events {
	int64_t full; /* hundredths of a percent of the backlog */
	uint64_t repeat;
	struct sockstat_who *who;
	struct sockstat_long {
		uint16_t port;
		bool on, told;
		unsigned waited;      /* dumps that it was to be told in, and its names were not known */
		uint64_t since, last; /* ns: it began; it was too long last */
		int64_t drops;        /* when it was looked at last */
		int64_t first;        /* when it began */
		struct sockstat_names names;
	} ports[EVENT_PORTS];
};

void sockstat_events_look(struct qmem *q, struct sockstat_events *e, const struct sockstat_port *ports, size_t n);
/* Other sockets are counted from now on: all are over. */
void sockstat_events_leave(struct qmem *q, struct sockstat_events *e);

#endif
