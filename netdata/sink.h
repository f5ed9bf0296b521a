/* SPDX-License-Identifier: MIT */
/*
 * Samples -> Netdata's text protocol. A family is a context, `qmem.<service>_<family>`; each instance of it is a chart,
 * declared when it first has a value, and marked obsolete when it has had none for a while. Base units become those that
 * dashboards show here, and only here.
 */
#ifndef QMEM_NETDATA_SINK_H
#define QMEM_NETDATA_SINK_H

#include "qmem.h"
#include "output.h"
#include "trust.h"

struct sink {
	struct output *out;
	struct ids *ids; /* of all charts */
	struct trust trust;
	struct sink_service *services;
	size_t n;
	uint64_t since; /* nanoseconds, and as printed */
	char since_text[32];
	size_t since_len;
	bool muted; /* nothing is taken: between ticks, and while the output is blocked */
};

/* `services` up to NULL; they and `out` outlive the sink. -ENOMEM. */
int sink_init(struct sink *sink, const struct qmem_service *const *services, struct output *out);
void sink_release(struct sink *sink);

/* A tick: what is handed in between the two is put out. sink_end() throws a tick away for which memory was lacking. */
void sink_begin(struct sink *sink);
void sink_end(struct sink *sink);
/* After sink_begin(), but not for further slices of a tick: the clocks, and whether the agent is behind in reading. */
void sink_clock(struct sink *sink, uint64_t now, uint64_t wall, bool unread);

/* The host's callbacks. */
void sink_values(struct sink *sink, const struct qmem_round *round, const struct qmem_family *family,
		 const struct qmem_instance *instance, const void *sample);
void sink_collected(struct sink *sink, const struct qmem_round *round);
/* Its charts become obsolete with the next tick. */
void sink_stopped(struct sink *sink, const struct qmem_service *service);

/* How a family is shown: value = sample * mult / div, in that unit, which the remark on the title explains. */
struct sink_unit {
	char text[32];
	const char *algorithm, *remark;
	int64_t mult, div;
};
void sink_unit_of(const struct qmem_family *family, struct sink_unit *ret);

#endif
