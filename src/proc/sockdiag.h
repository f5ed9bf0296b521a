/* SPDX-License-Identifier: MIT */
/*
 * What the kernel answers when it is asked for its sockets (NETLINK_SOCK_DIAG): datagrams of messages, one for each socket, each
 * with attributes behind it. The bytes of a datagram are a buffer's; nothing of them is trusted.
 *
 * This is all of netlink that is needed: there is no library that could be missing where the plugin is loaded.
 */
#ifndef QMEM_PROC_SOCKDIAG_H
#define QMEM_PROC_SOCKDIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sockdiag_kind { SOCKDIAG_INET, SOCKDIAG_UNIX, SOCKDIAG_PACKET, SOCKDIAG_NETLINK, SOCKDIAG_KINDS };

/* What was asked for. */
struct sockdiag_request {
	enum sockdiag_kind kind;
	uint8_t family;   /* AF_INET, AF_INET6; AF_UNSPEC: both, of TCP only; else AF_UNIX, ... */
	uint8_t protocol; /* IPPROTO_TCP, IPPROTO_UDP */
	bool memory;      /* SKMEMINFO, too */
	uint32_t states;  /* bit TCP_LISTEN: those that listen */
};
#define SOCKDIAG_REQUEST 128    /* bytes it may have */
#define SOCKDIAG_DATAGRAM 65536 /* bytes for an answer: the kernel makes none that is longer than half of that */
#define SOCKDIAG_BOUND 13       /* TCP_BOUND_INACTIVE, younger than some headers */

/* The message that asks for a dump: its length. `buffer` has SOCKDIAG_REQUEST bytes. */
size_t sockdiag_ask(const struct sockdiag_request *request, uint32_t sequence, void *buffer);

/* linux/sock_diag.h, SK_MEMINFO_; kernels have as many as they know. */
enum sockdiag_memory {
	SOCKDIAG_RMEM_ALLOC,
	SOCKDIAG_RCVBUF,
	SOCKDIAG_WMEM_ALLOC,
	SOCKDIAG_SNDBUF,
	SOCKDIAG_FWD_ALLOC,
	SOCKDIAG_WMEM_QUEUED,
	SOCKDIAG_OPTMEM,
	SOCKDIAG_BACKLOG,
	SOCKDIAG_DROPS,
	SOCKDIAG_MEMORY
};

struct sockdiag {
	uint8_t family, type;            /* type: SOCK_STREAM, ...; 0 of INET */
	uint8_t state;                   /* TCP_ESTABLISHED, ...; 0 of packet */
	uint16_t port;                   /* local, of INET; else 0 */
	uint32_t rqueue, wqueue;         /* INET; of one that listens: how many wait to be accepted, and how many may */
	uint32_t uid;                    /* INET */
	int64_t cgroup;                  /* its id in the hierarchy of v2; QMEM_NA: not told */
	int64_t memory[SOCKDIAG_MEMORY]; /* bytes, and DROPS; QMEM_NA: not told. Not of a shorter MEMINFO */
};

/* A walk over one datagram. */
struct sockdiag_walk {
	const unsigned char *at, *end;
	enum sockdiag_kind kind;
	uint32_t sequence; /* messages of another one are passed over */
	/* set as it goes */
	bool done;          /* that was all of the dump */
	int error;          /* -errno: the kernel's answer; it is done then */
	bool interrupted;   /* the table changed meanwhile: some may be missing or twice */
	unsigned malformed; /* messages and attributes */
};

/* The next socket. false: there is none in this datagram any more. */
bool sockdiag_next(struct sockdiag_walk *walk, struct sockdiag *ret);

#endif
