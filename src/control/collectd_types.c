/* SPDX-License-Identifier: MIT */
#include "control/collectd_types.h"

#include <string.h>

#define SOURCES(...) ((const char *const[]){ __VA_ARGS__ })
#define TYPE(name_, kind_, n_, ...)                                                                                    \
	{                                                                                                              \
		.name = name_, .kind = kind_, .n = n_, .sources = SOURCES(__VA_ARGS__)                                 \
	}

/* clang-format off */
static const struct qmem_collectd_type types[] = {
	TYPE("disk_merged", QMEM_COUNTER, 2, "read", "write"),
	TYPE("disk_octets", QMEM_COUNTER, 2, "read", "write"),
	TYPE("disk_ops", QMEM_COUNTER, 2, "read", "write"),
	TYPE("disk_time", QMEM_COUNTER, 2, "read", "write"),
	TYPE("if_dropped", QMEM_COUNTER, 2, "rx", "tx"),
	TYPE("if_errors", QMEM_COUNTER, 2, "rx", "tx"),
	TYPE("if_octets", QMEM_COUNTER, 2, "rx", "tx"),
	TYPE("if_packets", QMEM_COUNTER, 2, "rx", "tx"),
	TYPE("load", QMEM_GAUGE, 3, "shortterm", "midterm", "longterm"),
	TYPE("ps_count", QMEM_GAUGE, 2, "processes", "threads"),
	TYPE("ps_cputime", QMEM_COUNTER, 2, "user", "syst"),
	TYPE("ps_disk_octets", QMEM_COUNTER, 2, "read", "write"),
	TYPE("ps_disk_ops", QMEM_COUNTER, 2, "read", "write"),
	TYPE("ps_pagefaults", QMEM_COUNTER, 2, "minflt", "majflt"),
	TYPE("vmpage_faults", QMEM_COUNTER, 2, "minflt", "majflt"),
	TYPE("vmpage_io", QMEM_COUNTER, 2, "in", "out"),
};
/* clang-format on */

enum qmem_collectd_lists collectd_types_lists(const struct qmem_family *family)
{
	const struct qmem_collectd_type other = TYPE(family->type, family->kind, 1, "value"), *type = &other;

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (strcmp(types[i].name, family->type) == 0)
			type = &types[i];
	return qmem_collectd_lists(family, type);
}
