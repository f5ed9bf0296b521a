/* SPDX-License-Identifier: MIT */
/* Names: what is safe to print in a protocol, what a human reads, and what two names have in common. */
#ifndef QMEM_ENGINE_NAME_H
#define QMEM_ENGINE_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "qmem.h"

struct ids;
struct ids_seat;

#define QMEM_NAME_SUFFIX 17 /* "_" and 16 hex digits, the longer one */

/*
 * An identifier made of any name: bytes other than [A-Za-z0-9_] and those in `allowed` become '_', and no more than
 * size - 1 bytes are written, then a NUL. A name that was altered or cut, that is empty, or that looks as if it had been,
 * ends in '_' and eight hex digits hashed from the original: so "eth0.100" and "eth0_100" stay two. Where another name has that
 * (ids.h), `turn` is more than 0, and there are 16 digits, others in each turn. systemd's escapes are undone before what is
 * hashed. `size` is at least QMEM_NAME_SUFFIX + 2. Returns the length.
 */
size_t qmem_name_safe(char *dst, size_t size, const char *name, const char *allowed, unsigned turn);

/* The name for a human, for a label, and as part of a text, so that two names stay two: escape_name() of escape.h. */
size_t qmem_name_label(char *dst, size_t size, const char *name);

/* Are they one when blanks are '_'? So two things must not be called that a user gives names to. */
bool qmem_name_blank_alike(const char *a, const char *b);

/* service.family.metric[instance], the instance as a label; metric and instance may be NULL. Two names stay two, also where one
 * has to be cut. Returns the length. */
#define QMEM_CANONICAL 4608 /* bytes: an instance may be a path */
size_t qmem_canonical(char *dst, size_t size, const char *service, const char *family, const char *metric,
		      const char *instance);

/*
 * ---- in collectd: plugin-plugin_instance/type-type_instance ----
 * Each part has QMEM_COLLECTD_NAME bytes, its NUL included; what does not fit is cut.
 */
#define QMEM_COLLECTD_NAME 128

/* qmem_<service> */
void qmem_collectd_plugin(char dst[QMEM_COLLECTD_NAME], const char *service);
/* The instance and nothing else; NULL: "". `ids` are those of all services, or NULL: then a hash may be another one's, too. True:
 * the name had to be altered. */
bool qmem_collectd_instance(char dst[QMEM_COLLECTD_NAME], struct ids *ids, const struct qmem_instance *instance);

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
/* The context, and _<instance> unless that is NULL. `ids` as above; returns the id's seat, to be used while the chart is there;
 * NULL: it needs none. */
struct ids_seat *qmem_netdata_chart(char dst[QMEM_NETDATA_NAME], struct ids *ids, const char *service,
				    const char *family, const struct qmem_instance *instance);
/* A label's value, to stand in single quotes. The agent has no backslash and no quotes there: it is as it would show it, and
 * systemd's escapes are undone. It is the id that tells two names apart. Returns the length. */
size_t qmem_netdata_label(char *dst, size_t size, const char *name);
/* The same for an instance that is safe already, or stands in for one. */
void qmem_netdata_chart_of(char dst[QMEM_NETDATA_NAME], const char *service, const char *family, const char *safe);

/* Equal but for case, blanks, '-' and '_'. */
bool qmem_name_same(const char *a, const char *b);

#endif
