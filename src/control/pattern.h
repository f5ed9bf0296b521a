/* SPDX-License-Identifier: MIT */
/*
 * Which values are meant: a service, "meminfo"; part of a canonical name, "procmem.rss", "swap.space.used[zram0]"; each part may have
 * '*', '?' and '[...]' but for the last of these, "*.swap*", and what is left out is meant altogether. Case does not count, nor do
 * blanks, '-' and '_' in a service.
 */
#ifndef QMEM_CONTROL_PATTERN_H
#define QMEM_CONTROL_PATTERN_H

#include <stdbool.h>

#include "qmem.h"

/* Any value of the service, the family, the metric? The last two may be NULL: any of them. */
bool pattern_may(const char *pattern, const struct qmem_service *service, const struct qmem_family *family,
		 const struct qmem_metric *metric);
/* This value? `instance` NULL: it has none. */
bool pattern_is(const char *pattern, const struct qmem_service *service, const struct qmem_family *family,
		const struct qmem_metric *metric, const char *instance);
/* Does it name a family, and not a service altogether? */
bool pattern_is_narrow(const char *pattern);

#endif
