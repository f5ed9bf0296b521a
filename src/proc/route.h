/* SPDX-License-Identifier: MIT */
/* /proc/PID/net/route and ipv6_route: through which interfaces all goes that has no other way. */
#ifndef QMEM_PROC_ROUTE_H
#define QMEM_PROC_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

enum route_family { ROUTE_IPV4, ROUTE_IPV6 };

struct route_walk {
	const char *at, *end;
	enum route_family family;
};

/*
 * The interface of the next default route that is up and no refusal; false: there is none. It lies in the text, is not empty and
 * has no blank. Lines that are something else, malformed or cut are passed over.
 */
bool route_default_next(struct route_walk *walk, const char **ret_name, size_t *ret_len);

#endif
