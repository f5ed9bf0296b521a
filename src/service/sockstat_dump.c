/* SPDX-License-Identifier: MIT */
#include "service/sockstat_dump.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DATAGRAMS_MOST (UINT64_C(1) << 22) /* of one pass: hundreds of millions of sockets */
#define RETRY (60 * QMEM_SECOND)           /* of a namespace that could not be entered */

static void clear(struct sockstat_dumped *d, int64_t to)
{
	for (size_t i = 0; i < sizeof(*d) / sizeof(int64_t); i++)
		((int64_t *)(void *)d)[i] = to;
}

/* ---- counting ---- */

static const int8_t states[] = {
	[TCP_ESTABLISHED] = STATE_ESTABLISHED,
	[TCP_SYN_SENT] = STATE_SYN_SENT,
	[TCP_SYN_RECV] = STATE_SYN_RECV,
	[TCP_FIN_WAIT1] = STATE_FIN_WAIT1,
	[TCP_FIN_WAIT2] = STATE_FIN_WAIT2,
	[TCP_TIME_WAIT] = STATE_TIME_WAIT,
	[TCP_CLOSE] = STATE_BOUND,
	[TCP_CLOSE_WAIT] = STATE_CLOSE_WAIT,
	[TCP_LAST_ACK] = STATE_LAST_ACK,
	[TCP_LISTEN] = STATE_LISTEN,
	[TCP_CLOSING] = STATE_CLOSING,
	[TCP_CLOSING + 1] = STATE_SYN_RECV, /* NEW_SYN_RECV: a request */
	[SOCKDIAG_BOUND] = STATE_BOUND,
};

static void count_unix(struct sockstat_dumped *d, const struct sockdiag *s)
{
	enum sockstat_unix first = s->type == SOCK_STREAM ? UNIX_STREAM_ESTABLISHED : UNIX_SEQPACKET_ESTABLISHED;

	if (s->type == SOCK_DGRAM || s->type == SOCK_RAW)
		d->unix_[s->state == TCP_ESTABLISHED ? UNIX_DGRAM_CONNECTED : UNIX_DGRAM_UNCONNECTED]++;
	else if (s->type == SOCK_STREAM || s->type == SOCK_SEQPACKET)
		d->unix_[first + (s->state == TCP_ESTABLISHED ? 0 : s->state == TCP_LISTEN ? 1 : 2)]++;
}

static void count(struct sockstat_dump *d, const struct sockdiag *s)
{
	switch (d->pass) {
	case PASS_UNIX:
		count_unix(&d->now, s);
		break;
	case PASS_PACKET:
		d->now.packet++;
		break;
	case PASS_NETLINK:
		d->now.netlink++;
		break;
	case PASS_UDP4:
	case PASS_UDP6:
		++*(s->state == TCP_ESTABLISHED ? &d->now.udp_connected : &d->now.udp_unconnected);
		sockstat_ports_add(d->ports, s, true);
		break;
	default:
		if (s->state && s->state < sizeof(states))
			d->now.tcp[states[s->state]]++;
		sockstat_ports_add(d->ports, s, false);
		break;
	}
}

/* ---- passes ---- */

static bool refuses(const struct sockstat_dump *d, int pass)
{
	return d->refused >> pass & 1;
}

/* Both families in one go where the kernel does that: it walks once through a table that may be large and empty. */
static bool is_wanted(const struct sockstat_dump *d, int pass)
{
	bool both = !refuses(d, PASS_LISTEN) && !refuses(d, PASS_TCP);

	if (refuses(d, pass))
		return false;
	switch (pass) {
	case PASS_LISTEN:
	case PASS_TCP:
		return both;
	case PASS_LISTEN4:
	case PASS_LISTEN6:
	case PASS_TCP4:
	case PASS_TCP6:
		return !both;
	case PASS_BOUND4:
	case PASS_BOUND6:
	case PASS_UDP4:
	case PASS_UDP6:
		return d->detail;
	default:
		return true;
	}
}

/* What this kernel does not answer is absent, and not 0. */
static void mark_refused(const struct sockstat_dump *d, struct sockstat_dumped *r)
{
	bool listen = is_wanted(d, PASS_LISTEN) || is_wanted(d, PASS_LISTEN4);
	bool tcp = is_wanted(d, PASS_TCP) || is_wanted(d, PASS_TCP4);

	for (int i = 0; i < STATES; i++)
		if (i == STATE_LISTEN ? !listen : i == STATE_BOUND ? !is_wanted(d, PASS_BOUND4) : !tcp)
			r->tcp[i] = QMEM_NA;
	if (!is_wanted(d, PASS_UDP4))
		r->udp_connected = r->udp_unconnected = QMEM_NA;
	for (int i = 0; i < UNIXES; i++)
		if (!is_wanted(d, PASS_UNIX))
			r->unix_[i] = QMEM_NA;
	if (!is_wanted(d, PASS_PACKET))
		r->packet = QMEM_NA;
	if (!is_wanted(d, PASS_NETLINK))
		r->netlink = QMEM_NA;
}

/* The next pass from this one on is asked for. 0: it is, or there is none; -errno. */
static int ask(struct sockstat_dump *d, int pass)
{
	while (pass < PASSES && !is_wanted(d, pass))
		pass++;
	d->pass = pass;
	d->datagrams = 0;
	return pass < PASSES ? sockstat_send(d->fd, &sockstat_requests[pass], ++d->sequence) : 0;
}

static int begin(struct sockstat_dump *d)
{
	clear(&d->now, 0);
	sockstat_ports_begin(d->ports);
	d->cost = 0;
	return ask(d, 0);
}

/* One datagram: how many there may be is the kernel's, how long one takes is not much. */
static int step(struct sockstat_dump *d)
{
	struct sockdiag_walk walk = { .kind = sockstat_requests[d->pass].kind, .sequence = d->sequence };
	ssize_t n = sockstat_receive(d->fd, d->buffer, SOCKDIAG_DATAGRAM);
	struct sockdiag s;

	if (n < 0)
		return (int)n;
	if (++d->datagrams > DATAGRAMS_MOST)
		return -EOVERFLOW;
	walk.at = d->buffer;
	walk.end = d->buffer + n;
	while (sockdiag_next(&walk, &s))
		count(d, &s);
	if (walk.malformed)
		return -EBADMSG;
	if (!walk.done)
		return 0;
	if (walk.error)
		return walk.error;
	return ask(d, d->pass + 1);
}

static void finish(struct qmem *q, struct sockstat_dump *d)
{
	uint64_t now = qmem_now(q);

	mark_refused(d, &d->now);
	d->last = d->now;
	d->when = now;
	d->err = 0;
	sockstat_ports_end(d->ports);
	qmem_release(q, &d->broken, "the sockets can be counted again");
}

/* After what went wrong, answers to a question that nobody waits for may be left on the socket: it is another one next time. */
static int give_up(struct qmem *q, struct sockstat_dump *d, int err)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
	d->usable = false;
	d->pass = PASSES;
	clear(&d->last, QMEM_NA);
	d->when = 0;
	d->due = qmem_now(q) + RETRY;
	d->err = err;
	/* of what is stuck the engine tells */
	if (err != -EPERM && err != -EACCES && err != -ETIMEDOUT)
		qmem_complain(q, &d->broken, "the sockets cannot be counted: %s", strerror(-err));
	return err;
}

/* ---- turns ---- */

/* -EAGAIN: the worker is at it. */
static int ready(struct qmem *q, struct sockstat_dump *d)
{
	int err;

	if (d->usable)
		return 0;
	if (!d->opener) {
		if (d->due > qmem_now(q))
			return -EAGAIN;
		err = sockstat_open(q, d->pid, &d->opener);
		if (err)
			return err == -EAGAIN ? -EBUSY : err;
	}
	err = sockstat_opened(d->opener, &d->refused);
	if (err == -EAGAIN)
		return err;
	d->opener = NULL;
	if (err < 0)
		return err == -ECANCELED ? -EAGAIN : err;
	d->fd = err;
	d->usable = true;
	d->due = 0;
	return 0;
}

static int go_on(struct qmem *q, struct sockstat_dump *d)
{
	int err = 0;

	while (!err && d->pass < PASSES) {
		err = step(d);
		if (!err && d->pass < PASSES && qmem_enough(q))
			return QMEM_MORE;
	}
	return err;
}

int sockstat_dump_go(struct qmem *q, struct sockstat_dump *d, bool *ret_new)
{
	uint64_t spent;
	int err = ready(q, d);

	*ret_new = false;
	/* what was wrong last is so until it goes better */
	if (err == -EAGAIN)
		return d->err;
	if (err)
		return give_up(q, d, err);
	spent = qmem_cpu(q);
	if (d->pass == PASSES) {
		if (qmem_now(q) < d->due)
			return 0;
		err = begin(d);
	}
	if (!err)
		err = go_on(q, d);
	d->cost += qmem_cpu(q) - spent;
	if (err == QMEM_MORE)
		return err;
	if (err)
		return give_up(q, d, err);
	finish(q, d);
	if (d->budget)
		d->due = qmem_now(q) + d->cost * QMEM_SECOND / (uint64_t)d->budget;
	*ret_new = true;
	return 0;
}

void sockstat_dump_open(struct qmem *q, struct sockstat_dump *d, int32_t pid)
{
	d->pid = pid;
	/* else it is opened later, or that says why not */
	if (sockstat_open(q, pid, &d->opener))
		d->opener = NULL;
}

void sockstat_dump_close(struct sockstat_dump *d)
{
	sockstat_open_cancel(d->opener);
	if (d->fd >= 0)
		close(d->fd);
	d->opener = NULL;
	d->fd = -1;
	d->usable = false;
	d->pass = PASSES;
	d->when = d->due = 0;
	d->err = 0;
	clear(&d->last, QMEM_NA);
}

int sockstat_dump_init(struct sockstat_dump *d, int64_t budget, bool detail, struct sockstat_ports *ports)
{
	*d = (struct sockstat_dump){ .budget = budget,
				     .detail = detail,
				     .ports = ports,
				     .fd = -1,
				     .pass = PASSES,
				     .buffer = malloc(SOCKDIAG_DATAGRAM) };
	clear(&d->last, QMEM_NA);
	return d->buffer ? 0 : -ENOMEM;
}

void sockstat_dump_release(struct sockstat_dump *d)
{
	if (d->buffer)
		sockstat_dump_close(d);
	free(d->buffer);
	d->buffer = NULL;
}
