/* SPDX-License-Identifier: MIT */
/* Names: what is safe to print in a protocol, what a human reads, and what two names have in common. */
#ifndef QMEM_ENGINE_NAME_H
#define QMEM_ENGINE_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "qmem.h"

#define QMEM_NAME_SUFFIX 9 /* "_" and eight hex digits */

/*
 * An identifier made of any name: bytes other than [A-Za-z0-9_] and those in `allowed` become '_', and no more than
 * size - 1 bytes are written, then a NUL. A name that was altered or cut, that is empty, or that looks as if it had been,
 * ends in '_' and eight hex digits hashed from the original: so "eth0.100" and "eth0_100" stay two. `size` is at least
 * QMEM_NAME_SUFFIX + 2. Returns the length.
 */
size_t qmem_name_safe(char *dst, size_t size, const char *name, const char *allowed);

/* How many bytes the UTF-8 character has that a text begins with, in *ret which one it is; 0: it is none, or a control
 * character, or what some take for the end of a line. */
size_t qmem_name_character(const char *text, uint32_t *ret);

/*
 * The name for a human and for a label: UTF-8 kept whole, control bytes, what is no UTF-8, quotes and backslashes
 * become '?'; cut at a character's border. Returns the length.
 */
size_t qmem_name_label(char *dst, size_t size, const char *name);

/* service.family.metric[instance], the instance as a label; metric and instance may be NULL. Returns the length, cut to
 * size - 1. */
size_t qmem_canonical(char *dst, size_t size, const char *service, const char *family, const char *metric,
		      const char *instance);

/*
 * ---- in collectd: plugin-plugin_instance/type-type_instance ----
 * Each part has QMEM_COLLECTD_NAME bytes, its NUL included; what does not fit is cut.
 */
#define QMEM_COLLECTD_NAME 128

/* qmem_<service> */
void qmem_collectd_plugin(char dst[QMEM_COLLECTD_NAME], const char *service);
/* The instance and nothing else; NULL: "". True: it had to be altered. */
bool qmem_collectd_instance(char dst[QMEM_COLLECTD_NAME], const char *instance);

/* A type, as types.db has it. */
struct qmem_collectd_type {
	const char *name;
	enum qmem_kind kind;
	size_t n; /* sources */
	const char *const *sources;
};

enum qmem_collectd_lists {
	QMEM_COLLECTD_EACH,   /* a list for each metric: <type>-<family>_<metric> */
	QMEM_COLLECTD_JOINED, /* one list, since the metrics are called as the sources of the type are: <type>-<family> */
	QMEM_COLLECTD_PLAIN, /* a list for each metric, of the type "gauge" or "derive", since that of the family does not fit */
};

/* How a family is written. `type` is that of the family; NULL: there is none of that name. */
enum qmem_collectd_lists qmem_collectd_lists(const struct qmem_family *family, const struct qmem_collectd_type *type);
/* The type that is written then. */
const char *qmem_collectd_type(const struct qmem_family *family, enum qmem_collectd_lists lists);
/* <family>_<metric>; metric NULL: <family> */
void qmem_collectd_type_instance(char dst[QMEM_COLLECTD_NAME], const char *family, const char *metric);
/* All of it in one, as people write it; `plugin_instance` may be "". */
void qmem_collectd_identifier(char *dst, size_t size, const char *plugin, const char *plugin_instance, const char *type,
			      const char *type_instance);

/*
 * ---- in Netdata: a family is a context, its instances are charts, and a dimension is called as the metric is ----
 */
#define QMEM_NETDATA_NAME 201 /* with its NUL: type.id in Netdata 1.37.1 */

/* qmem.<service>_<family> */
void qmem_netdata_context(char dst[QMEM_NETDATA_NAME], const char *service, const char *family);
/* The context, and _<instance> unless that is NULL. */
void qmem_netdata_chart(char dst[QMEM_NETDATA_NAME], const char *service, const char *family, const char *instance);
/* The same for an instance that is safe already, or stands in for one. */
void qmem_netdata_chart_of(char dst[QMEM_NETDATA_NAME], const char *service, const char *family, const char *safe);

/* Equal but for case, blanks, '-' and '_'. */
bool qmem_name_same(const char *a, const char *b);

#endif
