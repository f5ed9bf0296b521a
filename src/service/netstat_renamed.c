/* SPDX-License-Identifier: MIT */
#include "service/netstat_renamed.h"

#include "proc/netdev.h"

#define DISTURBED_MOST 64 /* interfaces whose counters others may have taken over; more is another matter */

/* Is the sum of a and b nearer to what another one had than to what i had itself? */
static bool nearer(const struct instance *i, const int64_t *had, enum netdev_column a, enum netdev_column b)
{
	double other = (double)had[a] + (double)had[b];

	return (double)i->now[a] + (double)i->now[b] - other < other - (double)i->last[a] - (double)i->last[b];
}

/* Are the counters of i those that another one had? Then a name has gone from one interface to another. Growing beyond
 * what another one had is not enough: a young interface does that by its own traffic. */
static bool continues(const struct instance *i, const int64_t *had)
{
	for (int c = 0; c < NETDEV_COLUMNS; c++)
		if (i->now[c] < had[c])
			return false;
	return nearer(i, had, NETDEV_RX_BYTES, NETDEV_TX_BYTES) && nearer(i, had, NETDEV_RX_PACKETS, NETDEV_TX_PACKETS);
}

/*
 * An interface is renamed to a name that another one had: the counters of one of the two fall, or it is gone, and those of
 * the other jump up by a lifetime of traffic. Only what is beyond that is traffic. Any number may have changed names.
 */
void netstat_find_renamed(struct instances *all)
{
	struct instance *disturbed[DISTURBED_MOST];
	size_t n = 0;

	for (size_t k = 0; k < all->n && n < DISTURBED_MOST; k++) {
		struct instance *i = all->all[k];

		if ((instance_there(all, i) && i->before && instance_fell(all, i)) || instance_gone(all, i))
			disturbed[n++] = i;
	}
	for (size_t d = 0; d < n; d++) {
		const struct instance *from = disturbed[d];
		const int64_t *had = instance_there(all, from) ? from->last : from->now;

		for (size_t k = 0; k < all->n; k++) {
			struct instance *i = all->all[k];

			if (i == from || !instance_there(all, i) || !i->before || !continues(i, had))
				continue;
			i->before = false;
			/* its own `last` stays: one more may have that name now */
			instance_measure(all, i, had);
			if (n < DISTURBED_MOST)
				disturbed[n++] = i;
		}
	}
}
