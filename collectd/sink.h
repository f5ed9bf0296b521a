/* SPDX-License-Identifier: MIT */
/* Samples -> value lists, events -> notifications. */
#ifndef QMEM_COLLECTD_SINK_H
#define QMEM_COLLECTD_SINK_H

#include <collectd/core/daemon/collectd.h>
#include <collectd/core/daemon/plugin.h>

#include "qmem.h"

struct sink;

/* Asks types.db once how each family is to be written; so call it when the daemon has read its configuration. NULL: no
 * memory. */
struct sink *sink_new(const struct qmem *q);
void sink_free(struct sink *sink);

/* A tick at `now` of the engine's clock, which is this moment: by it values get their wall time. */
void sink_round(struct sink *sink, uint64_t now);

/*
 * qmem_<service>[-<instance>]/<type>-<family>_<metric>, or one list <type>-<family> when the type has several sources with
 * the names of the metrics (name.h). An absent gauge is NaN if it was ever there, an absent counter leaves its list out. Calls no
 * foreign code: the daemon only queues what it is given.
 */
void sink_values(struct sink *sink, const struct qmem_round *round, const struct qmem_family *family,
		 const struct qmem_instance *instance, const void *sample);

/* qmem_<service>[-<instance>]/<condition>. The notification owns its meta data: plugin_notification_meta_free(). `sink` is NULL
 * before there is one. */
void sink_notification(notification_t *ret, struct sink *sink, const struct qmem_event *event);

#endif
