/* SPDX-License-Identifier: MIT */
/*
 * What groups of processes read, write and hold: the groups with most, those of the configuration, the kernel's threads, and all
 * others as one sum. As with CPU time (process/cputime.h) a group's counter takes what its members do while it is shown, and the
 * sum of the others what is done otherwise: none ever falls, and none jumps when groups change places.
 */
#ifndef QMEM_SERVICE_PROCIO_GROUP_H
#define QMEM_SERVICE_PROCIO_GROUP_H

#include "process/group.h"
#include "process/iocount.h"
#include "util/top.h"

enum procio_by { PROCIO_BY_DISK, PROCIO_BY_CALLS, PROCIO_BY_FILES, PROCIO_BY_MAPS };

struct procio_sample {
	int64_t io[PROC_IOS];
	int64_t fds, most_fds; /* of all members, of the one with most */
	int64_t maps, most_maps;
};

struct procio_group {
	uint32_t generation; /* of its index */
	bool shown;
	/* a member may not be looked at, or not all of it was: what is not known of one is not known of all */
	bool no_io, no_fds;
	struct procio_sample sample; /* of counters: what it has had while it was shown */
	int64_t delta[PROC_IOS];
	int64_t rate; /* of what is chosen by, a second, smoothed; in the first round of what its members have done in their lives */
};

struct procio_groups {
	enum procio_by by;
	struct top top;
	struct iocount count;
	struct procio_group *groups; /* by index */
	struct top_item *items;
	size_t n, groups_room, items_room;
	struct procio_group other;
	bool others;                                    /* has there been a group that was not shown? */
	bool known_io[PROC_IOS], known_fds, known_maps; /* the kernel, and the back end, have told it of any process */
	bool judged;                                    /* there has been something to choose by */
	uint64_t now;
};

/* `max` groups compete for being shown; those of the configuration and the kernel's are beside them. -ENOMEM. */
int procio_groups_init(struct procio_groups *g, enum procio_by by, size_t max);
void procio_groups_release(struct procio_groups *g);

/* Then groups[i] with `shown` for i < n, and `other` if there are others. -ENOMEM: nothing has changed. */
int procio_groups_update(struct procio_groups *g, const struct proctable *table, const struct procgroups *groups,
			 uint64_t now);
/* As it is emitted. */
struct procio_sample procio_groups_sample(const struct procio_groups *g, const struct procio_group *group);

#endif
