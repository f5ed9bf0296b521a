/* SPDX-License-Identifier: MIT */
/* Which of many names was meant by one that is not among them. */
#ifndef QMEM_UTIL_NEAR_H
#define QMEM_UTIL_NEAR_H

/*
 *	struct near near = NEAR("procmen");
 *
 *	for each name there is
 *		near_try(&near, name);
 *	near.name: "procmem", or NULL if none is like it
 */
struct near {
	const char *wanted;
	const char *name;
	unsigned distance; /* of that */
};
#define NEAR(wanted_) ((struct near){ .wanted = (wanted_) })

/* `name` must live as long as it is looked at. A letter in three may be another, missing, too much, or have changed its place
 * with its neighbour; case, blanks, '-' and '_' do not count. */
void near_try(struct near *near, const char *name);

#endif
