/* SPDX-License-Identifier: MIT */
#include "proc/sockdiag.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/netlink_diag.h>
#include <linux/packet_diag.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <string.h>
#include <sys/socket.h>

#include "qmem.h"

#define CGROUP_ID 21 /* INET_DIAG_CGROUP_ID, Linux 5.7: younger than some headers */

/* Of UDP only those that are asked for by their bits; the kernel has no state of its own for it. */
static size_t ask_inet(const struct sockdiag_request *request, unsigned char *body)
{
	struct inet_diag_req_v2 v2 = {
		.sdiag_family = request->family,
		.sdiag_protocol = request->protocol,
		.idiag_ext = request->memory ? 1 << (INET_DIAG_SKMEMINFO - 1) : 0,
		.idiag_states = request->states,
	};
	/* the old request walks through both families in one go */
	struct inet_diag_req both = { .idiag_ext = v2.idiag_ext, .idiag_states = request->states };

	if (request->family == AF_UNSPEC) {
		memcpy(body, &both, sizeof(both));
		return sizeof(both);
	}
	memcpy(body, &v2, sizeof(v2));
	return sizeof(v2);
}

static size_t ask_body(const struct sockdiag_request *request, unsigned char *body)
{
	struct unix_diag_req unix_ = { .sdiag_family = AF_UNIX, .udiag_states = request->states };
	struct packet_diag_req packet = { .sdiag_family = AF_PACKET };
	struct netlink_diag_req netlink = { .sdiag_family = AF_NETLINK, .sdiag_protocol = NDIAG_PROTO_ALL };

	switch (request->kind) {
	case SOCKDIAG_UNIX:
		memcpy(body, &unix_, sizeof(unix_));
		return sizeof(unix_);
	case SOCKDIAG_PACKET:
		memcpy(body, &packet, sizeof(packet));
		return sizeof(packet);
	case SOCKDIAG_NETLINK:
		memcpy(body, &netlink, sizeof(netlink));
		return sizeof(netlink);
	default:
		return ask_inet(request, body);
	}
}

size_t sockdiag_ask(const struct sockdiag_request *request, uint32_t sequence, void *buffer)
{
	unsigned char *bytes = buffer;
	struct nlmsghdr header = {
		.nlmsg_type = request->family == AF_UNSPEC ? TCPDIAG_GETSOCK : SOCK_DIAG_BY_FAMILY,
		.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		.nlmsg_seq = sequence,
	};

	memset(bytes, 0, SOCKDIAG_REQUEST);
	header.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + ask_body(request, bytes + NLMSG_HDRLEN));
	memcpy(bytes, &header, sizeof(header));
	return header.nlmsg_len;
}

static void take_memory(const unsigned char *data, size_t len, struct sockdiag *ret)
{
	for (size_t i = 0; i < SOCKDIAG_MEMORY && (i + 1) * sizeof(uint32_t) <= len; i++) {
		uint32_t word;

		memcpy(&word, data + i * sizeof(word), sizeof(word));
		ret->memory[i] = word;
	}
}

static void take_attribute(enum sockdiag_kind kind, unsigned type, const unsigned char *data, size_t len,
			   struct sockdiag *ret, unsigned *malformed)
{
	uint64_t id;

	if (kind != SOCKDIAG_INET)
		return;
	if (type == INET_DIAG_SKMEMINFO) {
		take_memory(data, len, ret);
	} else if (type == CGROUP_ID) {
		if (len < sizeof(id)) {
			++*malformed;
			return;
		}
		memcpy(&id, data, sizeof(id));
		if (id && id <= INT64_MAX)
			ret->cgroup = (int64_t)id;
	}
}

static void take_attributes(const unsigned char *at, const unsigned char *end, enum sockdiag_kind kind,
			    struct sockdiag *ret, unsigned *malformed)
{
	while (at < end) {
		struct nlattr attribute;
		size_t left = (size_t)(end - at), whole;

		if (left < sizeof(attribute)) {
			++*malformed;
			return;
		}
		memcpy(&attribute, at, sizeof(attribute));
		if (attribute.nla_len < sizeof(attribute) || attribute.nla_len > left) {
			++*malformed;
			return;
		}
		take_attribute(kind, attribute.nla_type & NLA_TYPE_MASK, at + NLA_HDRLEN,
			       attribute.nla_len - (size_t)NLA_HDRLEN, ret, malformed);
		whole = NLA_ALIGN(attribute.nla_len);
		at = whole < left ? at + whole : end;
	}
}

static bool take_inet(const unsigned char *body, size_t len, struct sockdiag *ret)
{
	struct inet_diag_msg m;

	if (len < sizeof(m))
		return false;
	memcpy(&m, body, sizeof(m));
	ret->family = m.idiag_family;
	ret->state = m.idiag_state;
	ret->port = ntohs(m.id.idiag_sport);
	ret->rqueue = m.idiag_rqueue;
	ret->wqueue = m.idiag_wqueue;
	ret->uid = m.idiag_uid;
	return true;
}

static bool take_unix(const unsigned char *body, size_t len, struct sockdiag *ret)
{
	struct unix_diag_msg m;

	if (len < sizeof(m))
		return false;
	memcpy(&m, body, sizeof(m));
	ret->family = m.udiag_family;
	ret->type = m.udiag_type;
	ret->state = m.udiag_state;
	return true;
}

static bool take_packet(const unsigned char *body, size_t len, struct sockdiag *ret)
{
	struct packet_diag_msg m;

	if (len < sizeof(m))
		return false;
	memcpy(&m, body, sizeof(m));
	ret->family = m.pdiag_family;
	ret->type = m.pdiag_type;
	return true;
}

static bool take_netlink(const unsigned char *body, size_t len, struct sockdiag *ret)
{
	struct netlink_diag_msg m;

	if (len < sizeof(m))
		return false;
	memcpy(&m, body, sizeof(m));
	ret->family = m.ndiag_family;
	ret->type = m.ndiag_type;
	ret->state = m.ndiag_state;
	return true;
}

static const struct {
	size_t size; /* before the attributes */
	bool (*take)(const unsigned char *body, size_t len, struct sockdiag *ret);
} kinds[SOCKDIAG_KINDS] = {
	[SOCKDIAG_INET] = { sizeof(struct inet_diag_msg), take_inet },
	[SOCKDIAG_UNIX] = { sizeof(struct unix_diag_msg), take_unix },
	[SOCKDIAG_PACKET] = { sizeof(struct packet_diag_msg), take_packet },
	[SOCKDIAG_NETLINK] = { sizeof(struct netlink_diag_msg), take_netlink },
};

static void end(struct sockdiag_walk *walk, const unsigned char *body, size_t len, bool must)
{
	int32_t error = 0;

	walk->done = true;
	walk->at = walk->end;
	/* of DONE, old kernels say nothing more */
	if (len >= sizeof(error))
		memcpy(&error, body, sizeof(error));
	else if (must)
		walk->malformed++;
	if (error < 0 && error >= -4095)
		walk->error = error;
}

static bool take(struct sockdiag_walk *walk, const unsigned char *body, size_t len, struct sockdiag *ret)
{
	size_t size = NLMSG_ALIGN(kinds[walk->kind].size);

	*ret = (struct sockdiag){ .cgroup = QMEM_NA };
	for (int i = 0; i < SOCKDIAG_MEMORY; i++)
		ret->memory[i] = QMEM_NA;
	if (!kinds[walk->kind].take(body, len, ret)) {
		walk->malformed++;
		return false;
	}
	if (len > size)
		take_attributes(body + size, body + len, walk->kind, ret, &walk->malformed);
	return true;
}

bool sockdiag_next(struct sockdiag_walk *walk, struct sockdiag *ret)
{
	while (walk->at < walk->end) {
		size_t left = (size_t)(walk->end - walk->at), whole;
		const unsigned char *body = walk->at + NLMSG_HDRLEN;
		struct nlmsghdr header;
		size_t len;

		if (left < sizeof(header)) {
			walk->malformed++;
			break;
		}
		memcpy(&header, walk->at, sizeof(header));
		if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > left) {
			walk->malformed++;
			break;
		}
		len = header.nlmsg_len - (size_t)NLMSG_HDRLEN;
		whole = NLMSG_ALIGN((size_t)header.nlmsg_len);
		walk->at = whole < left ? walk->at + whole : walk->end;
		if (header.nlmsg_seq != walk->sequence)
			continue;
		walk->interrupted |= (header.nlmsg_flags & NLM_F_DUMP_INTR) != 0;
		if (header.nlmsg_type == NLMSG_DONE || header.nlmsg_type == NLMSG_ERROR) {
			end(walk, body, len, header.nlmsg_type == NLMSG_ERROR);
			return false;
		}
		if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY && header.nlmsg_type != TCPDIAG_GETSOCK)
			continue;
		if (take(walk, body, len, ret))
			return true;
	}
	walk->at = walk->end;
	return false;
}
