/* SPDX-License-Identifier: MIT */
#include "service/sockstat_port.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/room.h"
#include "util/value.h"

static const struct instances_kind kind = {
	.what = "ports",
	.columns = SOCKSTAT_COLUMNS,
	.gauges = UINT64_C(1) << PORT_CONNECTIONS | UINT64_C(1) << PORT_QUEUE | UINT64_C(1) << PORT_BACKLOG |
		  UINT64_C(1) << UDP_PORT_SOCKETS | UINT64_C(1) << UDP_PORT_QUEUED,
	.score = UINT64_C(1) << PORT_CONNECTIONS | UINT64_C(1) << PORT_QUEUE | UINT64_C(1) << PORT_DROPS |
		 UINT64_C(1) << UDP_PORT_QUEUED | UINT64_C(1) << UDP_PORT_DROPS,
	.most = PORTS,
	.sparse = true,
};

void sockstat_ports_begin(struct sockstat_ports *p)
{
	for (size_t i = 0; i < p->next_n; i++)
		p->at[p->next[i].port] = 0;
	for (size_t i = 0; i < p->udps_next_n; i++)
		p->udp[p->udps_next[i].port] = 0;
	p->next_n = p->udps_next_n = 0;
}

/* The port, made if need be. NULL: no memory. */
static struct sockstat_port *get(struct sockstat_port **ports, size_t *n, size_t *room, uint32_t *at, uint16_t port)
{
	struct sockstat_port *new;

	if (at[port])
		return &(*ports)[at[port] - 1];
	if (room_make(ports, room, *n + 1, sizeof(**ports)))
		return NULL;
	new = &(*ports)[*n];
	*new = (struct sockstat_port){ .port = port, .drops = QMEM_NA, .fullest_queue = -1, .cgroup = QMEM_NA };
	at[port] = (uint32_t)++ * n;
	return new;
}

/* Of several sockets of a port each has its own: one that nobody empties is too long, however empty the others are. */
bool sockstat_port_is_long(const struct sockstat_port *port, int64_t full)
{
	/* a backlog of nothing has room for one all the same */
	return port->fullest_queue > 0 &&
	       value_ratio(port->fullest_queue, port->fullest_backlog ? port->fullest_backlog : 1) >= full;
}

/* Is a more than b, of the backlog of each? */
static bool is_fuller(int64_t a, int64_t of_a, int64_t b, int64_t of_b)
{
	return (unsigned __int128)a * (uint64_t)(of_b + 1) > (unsigned __int128)b * (uint64_t)(of_a + 1);
}

static void add_listener(struct sockstat_ports *p, const struct sockdiag *s)
{
	struct sockstat_port *port = get(&p->next, &p->next_n, &p->room, p->at, s->port);

	if (!port)
		return;
	port->sockets++;
	port->queue += s->rqueue;
	port->backlog += s->wqueue;
	value_add(&port->drops, s->memory[SOCKDIAG_DROPS]);
	if (port->fullest_queue >= 0 && !is_fuller(s->rqueue, s->wqueue, port->fullest_queue, port->fullest_backlog))
		return;
	port->fullest_queue = s->rqueue;
	port->fullest_backlog = s->wqueue;
	port->uid = s->uid;
	port->cgroup = s->cgroup;
}

static void add_udp(struct sockstat_ports *p, const struct sockdiag *s)
{
	/* one that is connected has a port of its own, as a rule, and no server has many */
	struct sockstat_port *port = s->state == TCP_ESTABLISHED || !s->port ?
					     NULL :
					     get(&p->udps_next, &p->udps_next_n, &p->udps_next_room, p->udp, s->port);

	if (!port)
		return;
	port->sockets++;
	port->queue += s->rqueue;
	value_add(&port->drops, s->memory[SOCKDIAG_DROPS]);
}

void sockstat_ports_add(struct sockstat_ports *p, const struct sockdiag *s, bool udp)
{
	if (udp) {
		if (p->with_udp)
			add_udp(p, s);
		return;
	}
	switch (s->state) {
	case TCP_LISTEN:
		add_listener(p, s);
		break;
	case TCP_ESTABLISHED:
	case TCP_CLOSE_WAIT:
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
	case TCP_LAST_ACK:
	case TCP_CLOSING:
		if (p->at[s->port])
			p->next[p->at[s->port] - 1].connections++;
		break;
	default: /* one that is not yet, or not any more */
		break;
	}
}

static int by_port(const void *a, const void *b)
{
	const struct sockstat_port *x = a, *y = b;

	return (x->port > y->port) - (x->port < y->port);
}

static void swap(struct sockstat_port **a, size_t *a_n, size_t *a_room, struct sockstat_port **b, size_t *b_n,
		 size_t *b_room, uint32_t *at)
{
	struct sockstat_port *ports = *a;
	size_t room = *a_room;

	for (size_t i = 0; i < *b_n; i++)
		at[(*b)[i].port] = 0;
	/* the order of a hash is none: places of instances would change with it */
	if (*b_n)
		qsort(*b, *b_n, sizeof(**b), by_port);
	*a = *b;
	*a_n = *b_n;
	*a_room = *b_room;
	*b = ports;
	*b_n = 0;
	*b_room = room;
}

void sockstat_ports_end(struct sockstat_ports *p)
{
	swap(&p->ports, &p->n, &p->ports_room, &p->next, &p->next_n, &p->room, p->at);
	if (p->with_udp)
		swap(&p->udps, &p->udps_n, &p->udps_room, &p->udps_next, &p->udps_next_n, &p->udps_next_room, p->udp);
}

static int put(struct instances *all, const struct sockstat_port *port, bool udp, int64_t full)
{
	int64_t v[SOCKSTAT_COLUMNS];
	char name[8];
	int len = snprintf(name, sizeof(name), "%u", (unsigned)port->port), err;

	for (int i = 0; i < SOCKSTAT_COLUMNS; i++)
		v[i] = QMEM_NA;
	if (udp) {
		v[UDP_PORT_SOCKETS] = port->sockets;
		v[UDP_PORT_QUEUED] = port->queue;
		v[UDP_PORT_DROPS] = port->drops;
	} else {
		v[PORT_CONNECTIONS] = port->connections;
		v[PORT_QUEUE] = port->queue;
		v[PORT_BACKLOG] = port->backlog;
		v[PORT_DROPS] = port->drops;
	}
	err = instances_put(all, name, (size_t)len, v);
	if (!err && all->put)
		all->put->main = !udp && sockstat_port_is_long(port, full);
	return err;
}

static int choose(struct qmem *q, struct instances *all, const struct sockstat_port *ports, size_t n, bool udp,
		  int64_t full)
{
	int err = 0;

	instances_begin(all);
	for (size_t i = 0; !err && i < n; i++)
		err = put(all, &ports[i], udp, full);
	if (err)
		return err;
	(void)instances_measure(all);
	instances_choose(all, qmem_now(q));
	return 0;
}

void sockstat_ports_anew(struct sockstat_ports *p)
{
	/* a round without any */
	instances_begin(&p->tcp_all);
	if (p->with_udp)
		instances_begin(&p->udp_all);
}

int sockstat_ports_choose(struct qmem *q, struct sockstat_ports *p, int64_t full)
{
	int err = choose(q, &p->tcp_all, p->ports, p->n, false, full);

	if (!err && p->with_udp)
		err = choose(q, &p->udp_all, p->udps, p->udps_n, true, full);
	return err;
}

void sockstat_ports_emit(struct qmem *q, struct sockstat_ports *p, const struct qmem_family *families)
{
	instances_emit(q, &p->tcp_all, families);
	if (p->with_udp)
		instances_emit(q, &p->udp_all, families);
}

int sockstat_ports_init(struct sockstat_ports *p, int64_t max, bool with_udp)
{
	int err = instances_init(&p->tcp_all, &kind, NULL, false, max);

	p->with_udp = with_udp;
	if (!err && with_udp)
		err = instances_init(&p->udp_all, &kind, NULL, false, max);
	p->at = calloc(PORTS, sizeof(*p->at));
	if (with_udp)
		p->udp = calloc(PORTS, sizeof(*p->udp));
	return err ? err : !p->at || (with_udp && !p->udp) ? -ENOMEM : 0;
}

void sockstat_ports_release(struct sockstat_ports *p)
{
	instances_release(&p->tcp_all);
	if (p->with_udp)
		instances_release(&p->udp_all);
	free(p->at);
	free(p->udp);
	free(p->ports);
	free(p->next);
	free(p->udps);
	free(p->udps_next);
}
