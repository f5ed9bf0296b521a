/* SPDX-License-Identifier: MIT */
/* /proc/PID/net/dev: the interfaces of a network namespace, one a line. */
#ifndef QMEM_PROC_NETDEV_H
#define QMEM_PROC_NETDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proc/fault.h"

/* In the file's order. */
enum netdev_column {
	NETDEV_RX_BYTES,
	NETDEV_RX_PACKETS,
	NETDEV_RX_ERRORS,
	NETDEV_RX_DROPPED,
	NETDEV_RX_FIFO,
	NETDEV_RX_FRAME,
	NETDEV_RX_COMPRESSED,
	NETDEV_RX_MULTICAST,
	NETDEV_TX_BYTES,
	NETDEV_TX_PACKETS,
	NETDEV_TX_ERRORS,
	NETDEV_TX_DROPPED,
	NETDEV_TX_FIFO,
	NETDEV_TX_COLLISIONS,
	NETDEV_TX_CARRIER,
	NETDEV_TX_COMPRESSED,
	NETDEV_COLUMNS
};

struct netdev {
	const char *name;               /* in the text, without a NUL */
	size_t name_len;                /* at least 1 */
	int64_t column[NETDEV_COLUMNS]; /* QMEM_NA: not in the file, or malformed */
};

/*
 * One line, without its newline. A name may hold any byte, ':' included: it ends at the last one. Columns that follow the
 * known ones are passed over; one that is malformed costs itself, and is told in *fault, which has what is wrong so far.
 * -ENODATA: not an interface (the two heading lines have no ':'); -EINVAL: malformed, none of its columns is a number.
 */
int netdev_parse(const char *line, size_t len, struct netdev *ret, struct fault *fault);

/* A walk over the text. */
struct netdev_walk {
	const char *at, *end;
	struct fault fault; /* columns and lines that are malformed, and the last line if the text ends within it */
};

bool netdev_next(struct netdev_walk *walk, struct netdev *ret);

#endif
