/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "proc/sockdiag.h"
#include "qmem.h"

#define SEQUENCE 4242

static unsigned char bytes[4096];
static size_t used;

static void add(const void *data, size_t len)
{
	memcpy(bytes + used, data, len);
	used += NLMSG_ALIGN(len);
}

/* A message whose length is written when it is complete. */
static size_t begin(uint16_t type, uint16_t flags, uint32_t sequence)
{
	struct nlmsghdr header = { .nlmsg_type = type, .nlmsg_flags = flags, .nlmsg_seq = sequence };
	size_t at = used;

	add(&header, sizeof(header));
	return at;
}

static void end(size_t at)
{
	uint32_t len = (uint32_t)(used - at);

	memcpy(bytes + at, &len, sizeof(len));
}

static void attribute(uint16_t type, const void *data, uint16_t len)
{
	struct nlattr a = { .nla_type = type, .nla_len = (uint16_t)(sizeof(a) + len) };

	add(&a, sizeof(a));
	add(data, len);
}

static void add_socket(uint8_t state, uint16_t port)
{
	struct inet_diag_msg m = { .idiag_family = AF_INET, .idiag_state = state, .id.idiag_sport = htons(port) };
	size_t at = begin(SOCK_DIAG_BY_FAMILY, NLM_F_MULTI, SEQUENCE);

	add(&m, sizeof(m));
	end(at);
}

static void add_done(int32_t error)
{
	size_t at = begin(NLMSG_DONE, NLM_F_MULTI, SEQUENCE);

	add(&error, sizeof(error));
	end(at);
}

static void setup(void)
{
	memset(bytes, 0, sizeof(bytes));
	used = 0;
}

static struct sockdiag_walk walk;
static struct sockdiag socks[16];

/* Of a copy that is as long as it says: a read beyond it is found. */
static size_t parse(enum sockdiag_kind kind, size_t len)
{
	unsigned char *copy = malloc(len ? len : 1);
	size_t n = 0;

	memcpy(copy, bytes, len);
	walk = (struct sockdiag_walk){ .at = copy, .end = copy + len, .kind = kind, .sequence = SEQUENCE };
	while (n < 16 && sockdiag_next(&walk, &socks[n]))
		n++;
	free(copy);
	return n;
}

/* Of a machine whose least byte is the first: nine words and an attribute that nobody knows, eight words behind a MEMINFO, none. */
static const unsigned char recorded[] = {
	0x8c, 0x00, 0x00, 0x00, 0x14, 0x00, 0x02, 0x00, 0x01, 0x00, 0x00, 0x00, 0x92, 0x10, 0x00, 0x00, 0x02, 0x01,
	0x00, 0x00, 0x1f, 0x90, 0x9c, 0x40, 0x7f, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x7f, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x22, 0x22, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x10, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x91, 0x5f, 0x01, 0x00, 0x28, 0x00,
	0x07, 0x00, 0x00, 0x11, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x09, 0x00, 0x00, 0x00, 0x54, 0x01, 0x00,
	0x00, 0x0f, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x05, 0x00,
	0x00, 0x00, 0x0c, 0x00, 0x29, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x98, 0x00, 0x00, 0x00,
	0x14, 0x00, 0x02, 0x00, 0x01, 0x00, 0x00, 0x00, 0x92, 0x10, 0x00, 0x00, 0x02, 0x01, 0x00, 0x00, 0x1f, 0x90,
	0x9c, 0x41, 0x7f, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x7f, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x22, 0x22, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x92, 0x5f, 0x01, 0x00, 0x14, 0x00, 0x01, 0x00, 0x00, 0x03,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0d, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x24, 0x00, 0x07, 0x00,
	0x00, 0x03, 0x00, 0x00, 0x54, 0x55, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x40, 0x00, 0x00, 0x00, 0x0d,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x05, 0x00, 0x08, 0x00,
	0x03, 0x00, 0x00, 0x00, 0x58, 0x00, 0x00, 0x00, 0x14, 0x00, 0x02, 0x00, 0x01, 0x00, 0x00, 0x00, 0x92, 0x10,
	0x00, 0x00, 0x02, 0x06, 0x00, 0x00, 0x1f, 0x90, 0x9c, 0x42, 0x7f, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x7f, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x22, 0x22,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x03, 0x00, 0x02, 0x00, 0x01, 0x00, 0x00, 0x00, 0x92, 0x10, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00,
};

START_TEST(as_a_kernel_says)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	int64_t rmem = 0, wmem = 0, fwd = 0;
	size_t n = 0;

	walk = (struct sockdiag_walk){ .at = recorded, .end = recorded + sizeof(recorded), .sequence = 1 };
	while (n < 16 && sockdiag_next(&walk, &socks[n]))
		n++;
	ck_assert_uint_eq(n, 3);
	ck_assert(walk.done && !walk.error && !walk.interrupted && !walk.malformed);
	for (size_t i = 0; i < n; i++) {
		ck_assert_int_eq(socks[i].family, AF_INET);
		ck_assert_int_eq(socks[i].state, i == 2 ? TCP_TIME_WAIT : TCP_ESTABLISHED);
		ck_assert_int_eq(socks[i].port, 8080);
		ck_assert(socks[i].cgroup == QMEM_NA);
		if (socks[i].memory[SOCKDIAG_RMEM_ALLOC] == QMEM_NA)
			continue;
		rmem += socks[i].memory[SOCKDIAG_RMEM_ALLOC];
		wmem += socks[i].memory[SOCKDIAG_WMEM_ALLOC];
		fwd += socks[i].memory[SOCKDIAG_FWD_ALLOC];
	}
	ck_assert_int_eq(rmem, 5120);
	ck_assert_int_eq(wmem, 2304);
	ck_assert_int_eq(fwd, 7168);
	ck_assert_int_eq(socks[0].memory[SOCKDIAG_DROPS], 5);
	ck_assert(socks[1].memory[SOCKDIAG_DROPS] == QMEM_NA);
	ck_assert(socks[2].memory[SOCKDIAG_DROPS] == QMEM_NA);
	ck_assert(socks[2].memory[SOCKDIAG_RMEM_ALLOC] == QMEM_NA);
#endif
}
END_TEST

START_TEST(listener)
{
	struct inet_diag_msg m = { .idiag_family = AF_INET6,
				   .idiag_state = TCP_LISTEN,
				   .id.idiag_sport = htons(443),
				   .idiag_rqueue = 129,
				   .idiag_wqueue = 128,
				   .idiag_uid = 33 };
	uint32_t words[12] = { [SOCKDIAG_DROPS] = 4000000000u };
	uint64_t cgroup = 4711;
	size_t at = begin(SOCK_DIAG_BY_FAMILY, NLM_F_MULTI, SEQUENCE);

	add(&m, sizeof(m));
	attribute(INET_DIAG_SKMEMINFO, words, sizeof(words)); /* more of them than are known */
	attribute(21, &cgroup, sizeof(cgroup));
	end(at);
	ck_assert_uint_eq(parse(SOCKDIAG_INET, used), 1);
	ck_assert(!walk.done && !walk.malformed);
	ck_assert_int_eq(socks[0].port, 443);
	ck_assert_uint_eq(socks[0].rqueue, 129);
	ck_assert_uint_eq(socks[0].wqueue, 128);
	ck_assert_uint_eq(socks[0].uid, 33);
	ck_assert_int_eq(socks[0].cgroup, 4711);
	ck_assert_int_eq(socks[0].memory[SOCKDIAG_DROPS], 4000000000);
}
END_TEST

START_TEST(unix_sockets)
{
	struct unix_diag_msg m = { .udiag_family = AF_UNIX, .udiag_type = SOCK_DGRAM, .udiag_state = TCP_CLOSE };
	size_t at = begin(SOCK_DIAG_BY_FAMILY, NLM_F_MULTI, SEQUENCE);

	add(&m, sizeof(m));
	end(at);
	ck_assert_uint_eq(parse(SOCKDIAG_UNIX, used), 1);
	ck_assert_int_eq(socks[0].type, SOCK_DGRAM);
	ck_assert_int_eq(socks[0].state, TCP_CLOSE);
	/* it is shorter than one of INET */
	ck_assert_uint_eq(parse(SOCKDIAG_INET, used), 0);
	ck_assert_uint_eq(walk.malformed, 1);
}
END_TEST

START_TEST(ends)
{
	struct nlmsgerr error = { .error = -ENOENT };
	size_t at;

	add_socket(TCP_ESTABLISHED, 1);
	add_done(0);
	add_socket(TCP_ESTABLISHED, 2);
	ck_assert_uint_eq(parse(SOCKDIAG_INET, used), 1);
	ck_assert(walk.done && !walk.error);
	setup();
	add_done(-ENOMEM);
	ck_assert_uint_eq(parse(SOCKDIAG_INET, used), 0);
	ck_assert(walk.done);
	ck_assert_int_eq(walk.error, -ENOMEM);
	setup();
	at = begin(NLMSG_ERROR, 0, SEQUENCE);
	add(&error, sizeof(error));
	end(at);
	ck_assert_uint_eq(parse(SOCKDIAG_INET, used), 0);
	ck_assert(walk.done);
	ck_assert_int_eq(walk.error, -ENOENT);
	setup();
	at = begin(NLMSG_ERROR, 0, SEQUENCE);
	end(at);
	ck_assert_uint_eq(parse(SOCKDIAG_INET, used), 0);
	ck_assert(walk.done && walk.malformed);
}
END_TEST

/* Of a dump that was given up, and of what else may come. */
START_TEST(not_ours)
{
	size_t at = begin(SOCK_DIAG_BY_FAMILY, NLM_F_MULTI, SEQUENCE - 1);

	end(at);
	at = begin(NLMSG_DONE, NLM_F_MULTI, SEQUENCE - 1);
	end(at);
	at = begin(NLMSG_NOOP, 0, SEQUENCE);
	end(at);
	at = begin(77, NLM_F_DUMP_INTR, SEQUENCE);
	end(at);
	add_socket(TCP_CLOSE_WAIT, 7);
	ck_assert_uint_eq(parse(SOCKDIAG_INET, used), 1);
	ck_assert_int_eq(socks[0].state, TCP_CLOSE_WAIT);
	ck_assert(!walk.done && walk.interrupted && !walk.malformed);
}
END_TEST

/* Wherever it is cut, and whatever length a message or an attribute says it has. */
START_TEST(lengths)
{
	uint32_t words[9] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	struct inet_diag_msg m = { .idiag_family = AF_INET, .idiag_state = TCP_LISTEN };
	size_t at = begin(SOCK_DIAG_BY_FAMILY, NLM_F_MULTI, SEQUENCE), first;

	add(&m, sizeof(m));
	attribute(INET_DIAG_SKMEMINFO, words, sizeof(words));
	end(at);
	first = used;
	add_done(0);
	for (size_t len = 0; len < used; len++) {
		size_t n = parse(SOCKDIAG_INET, len);

		ck_assert_uint_eq(n, len >= first);
		ck_assert(!walk.done);
	}
	for (uint32_t len = 0; len < 200; len++) {
		size_t n;

		memcpy(bytes + at, &len, sizeof(len));
		n = parse(SOCKDIAG_INET, used);
		ck_assert_uint_le(n, 1);
		ck_assert(len < 16 ? n == 0 && walk.malformed : true);
	}
	end(at);
	memcpy(bytes + at, &(uint32_t){ (uint32_t)first }, sizeof(uint32_t));
	for (uint16_t len = 0; len < 100; len++) {
		size_t words_there = len >= 4 && len <= 40 ? (len - 4u) / 4 : 0;

		memcpy(bytes + at + NLMSG_HDRLEN + sizeof(m), &len, sizeof(len));
		ck_assert_uint_eq(parse(SOCKDIAG_INET, used), 1);
		for (size_t i = 0; i < SOCKDIAG_MEMORY; i++)
			ck_assert(socks[0].memory[i] == (i < words_there ? (int64_t)i + 1 : QMEM_NA));
	}
}
END_TEST

START_TEST(asks)
{
	struct sockdiag_request request = { .kind = SOCKDIAG_INET,
					    .family = AF_INET6,
					    .protocol = IPPROTO_UDP,
					    .memory = true,
					    .states = 1 << TCP_CLOSE };
	unsigned char buffer[SOCKDIAG_REQUEST];
	struct inet_diag_req_v2 v2;
	struct nlmsghdr header;

	ck_assert_uint_eq(sockdiag_ask(&request, 5, buffer), NLMSG_LENGTH(sizeof(v2)));
	memcpy(&header, buffer, sizeof(header));
	memcpy(&v2, buffer + NLMSG_HDRLEN, sizeof(v2));
	ck_assert_uint_eq(header.nlmsg_type, SOCK_DIAG_BY_FAMILY);
	ck_assert_uint_eq(header.nlmsg_seq, 5);
	ck_assert_uint_eq(v2.sdiag_family, AF_INET6);
	ck_assert_uint_eq(v2.sdiag_protocol, IPPROTO_UDP);
	ck_assert_uint_eq(v2.idiag_ext, 1 << (INET_DIAG_SKMEMINFO - 1));
	request.family = AF_UNSPEC;
	ck_assert_uint_eq(sockdiag_ask(&request, 5, buffer), NLMSG_LENGTH(sizeof(struct inet_diag_req)));
	memcpy(&header, buffer, sizeof(header));
	ck_assert_uint_eq(header.nlmsg_type, TCPDIAG_GETSOCK);
	for (int kind = 0; kind < SOCKDIAG_KINDS; kind++) {
		request.kind = (enum sockdiag_kind)kind;
		ck_assert_uint_le(sockdiag_ask(&request, 5, buffer), SOCKDIAG_REQUEST);
	}
}
END_TEST

SUITE(sockdiag)
{
	Suite *s = suite_create("sockdiag");
	TCase *t = tcase_create("sockdiag");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, as_a_kernel_says);
	tcase_add_test(t, listener);
	tcase_add_test(t, unix_sockets);
	tcase_add_test(t, ends);
	tcase_add_test(t, not_ours);
	tcase_add_test(t, lengths);
	tcase_add_test(t, asks);
	suite_add_tcase(s, t);
	return s;
}
