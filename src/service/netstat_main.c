/* SPDX-License-Identifier: MIT */
#include "service/netstat_main.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "proc/route.h"

#define EVERY (60 * QMEM_SECOND)
#define LOOKS 64  /* at devices, in a round */
#define ROUTES 16 /* of a family that count */
#define TEXT 16384

enum { LOOKED = 1, DEVICE = 2, ROUTE = 4 };

/* The directory is a link to the device, which nothing has that is made of software. */
static void look(struct qmem *q, struct instance *i)
{
	int fd;

	i->mark |= LOOKED;
	/* they are names of files as the kernel has them; what is not has no device */
	if (strchr(i->name, '/') || i->name[0] == '.')
		return;
	fd = qmem_open(q, O_PATH | O_DIRECTORY, "sys/class/net/%s/device", i->name);
	if (fd < 0)
		return;
	close(fd);
	i->mark |= DEVICE;
}

static void mark(struct instances *all, const char *name, size_t len)
{
	for (size_t k = 0; k < all->n; k++)
		if (strncmp(all->all[k]->name, name, len) == 0 && !all->all[k]->name[len])
			all->all[k]->mark |= ROUTE;
}

/* A router may have a million of routes; the default ones are at the beginning. */
static void read_routes(struct qmem *q, struct instances *all, const char *namespace, enum route_family family)
{
	static const char *const files[] = { [ROUTE_IPV4] = "route", [ROUTE_IPV6] = "ipv6_route" };
	char text[TEXT];
	ssize_t len = qmem_read_once(q, text, sizeof(text), "%s/%s", namespace, files[family]);
	struct route_walk walk = { text, text + (len > 0 ? len : 0), family };
	const char *name;
	size_t name_len;

	for (int n = 0; n < ROUTES && route_default_next(&walk, &name, &name_len); n++)
		mark(all, name, name_len);
}

void netstat_main_find(struct qmem *q, struct netstat_main *m, struct instances *all, const char *namespace)
{
	uint64_t now = qmem_now(q);
	bool changed = !m->when || now - m->when >= EVERY;
	size_t looks = 0;

	for (size_t k = 0; k < all->n; k++) {
		struct instance *i = all->all[k];

		changed |= instance_there(all, i) && !i->before;
		if (i->mark & LOOKED || looks == LOOKS)
			continue;
		look(q, i);
		looks++;
	}
	if (changed) {
		m->when = now;
		for (size_t k = 0; k < all->n; k++)
			all->all[k]->mark &= ~(unsigned)ROUTE;
		read_routes(q, all, namespace, ROUTE_IPV4);
		read_routes(q, all, namespace, ROUTE_IPV6);
	}
	for (size_t k = 0; k < all->n; k++)
		all->all[k]->main = all->all[k]->mark & (DEVICE | ROUTE);
}
