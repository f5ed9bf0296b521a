/* SPDX-License-Identifier: MIT */
/*
 * How the rows of a service's tables are written.
 *
 *	static const struct qmem_metric swap[] = {
 *		METRIC(meminfo, "free", "SwapFree", SwapFree, "not in use"),
 *		{ 0 },
 *	};
 *
 *	static const struct qmem_family families[] = {
 *		FAMILY("swap", "Swap", "swap", "stacked", swap, BYTES),
 *		FAMILY("load", "Load average", "cpu", "line", load, GAUGE("threads", 100, "load"), .flags = QMEM_DETAIL),
 *		{ 0 },
 *	};
 *
 * Options are written member by member, `{ .name = "HeapOnly", .type = QMEM_BOOL, ... }`: hardly two have the same ones. Every
 * table ends with `{ 0 }`.
 */
#ifndef QMEM_ROWS_H
#define QMEM_ROWS_H

#include <linux/capability.h>

#include "qmem.h"

/* younger than some headers */
#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#endif
#ifndef CAP_BPF
#define CAP_BPF 39
#endif

/* clang-format takes the braces for blocks */
/* clang-format off */

/* A number of `struct sample_`: our name, the kernel's word or NULL, the member, one line of help. */
#define METRIC(sample_, id_, key_, member_, help_) \
	{ .id = id_, .key = key_, .offset = offsetof(struct sample_, member_), .help = help_ }

/* Metrics of one chart; then what they are, by one of those below; then .label and .flags, if it has any. */
#define FAMILY(id_, title_, menu_, style_, metrics_, ...) \
	{ .id = id_, .title = title_, .menu = menu_, .style = style_, .metrics = metrics_, __VA_ARGS__ }

/* The unit, what a sample is divided by to be in it, collectd's type. */
#define GAUGE(unit_, divisor_, type_) .unit = unit_, .kind = QMEM_GAUGE, .divisor = divisor_, .type = type_
#define COUNTER(unit_, divisor_, type_) .unit = unit_, .kind = QMEM_COUNTER, .divisor = divisor_, .type = type_
#define BYTES GAUGE("bytes", 1, "memory") /* up to 2^48, where collectd's type ends; address spaces have "bytes" */
#define EVENTS COUNTER("events", 1, "total_events")
#define PAGES COUNTER("pages", 1, "vmpage_action")

/* A capability without its CAP_, and what it is good for; then .file, and what else there is to it:
 *	CAPABILITY(SYS_ADMIN, "sockets of other network namespaces", .file = "setns()", .option = "Namespace", .extra = true),
 */
#define CAPABILITY(name_, why_, ...) \
	{ .number = CAP_##name_, .name = "CAP_" #name_, .why = why_, __VA_ARGS__ }

/* clang-format on */

#endif
