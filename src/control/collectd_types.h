/* SPDX-License-Identifier: MIT */
/* What types.db of collectd 5.12 says of the types that have several sources: so names can be told where no daemon runs. */
#ifndef QMEM_CONTROL_COLLECTD_TYPES_H
#define QMEM_CONTROL_COLLECTD_TYPES_H

#include "engine/name.h"

/* How the daemon writes a family. Types that are not among those with several sources have one, of the family's kind. */
enum qmem_collectd_lists collectd_types_lists(const struct qmem_family *family);

#endif
