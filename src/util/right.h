/* SPDX-License-Identifier: MIT */
/*
 * Capabilities of the calling thread that are effective for one call only, since they open other doors, too:
 *	bool raised = right_raise(CAP_SYS_ADMIN);
 *	err = setns(fd, CLONE_NEWNET) ? -errno : 0;
 *	if (raised)
 *		right_lower(CAP_SYS_ADMIN);
 */
#ifndef QMEM_UTIL_RIGHT_H
#define QMEM_UTIL_RIGHT_H

#include <stdbool.h>
#include <stdint.h>

/* One that goes before the modes of files, or the like. */
bool right_is_wide(int capability);
/* All that are permitted: bit i is capability i. */
uint64_t right_permitted(void);
/* Makes it effective, if it is permitted and was not: then true. */
bool right_raise(int capability);
/* Not effective any more; it stays permitted. errno stays what it was. */
void right_lower(int capability);

#endif
