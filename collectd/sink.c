/* SPDX-License-Identifier: MIT */
#include "sink.h"

#include <collectd/core/utils/common/common.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/name.h"

#define SINK_PLUGIN "qmem"
/* '/' separates the parts of an identifier, and a blank must be quoted in every command on the unixsock; that is no matter
 * in notifications, which are read. */
#define VALUES_ALLOWED ".-:@"
#define EVENTS_ALLOWED VALUES_ALLOWED " "

/* Types whose unit is not the base unit. */
static const struct {
	const char *type;
	int64_t per_base; /* of its units */
} scales[] = {
	{ "total_time_in_ms", 1000 },
	{ "ps_cputime", 1000 * 1000 },
};

/* How a family is written. */
struct shape {
	const char *type;
	int64_t scale;
	size_t n;                           /* values of a list */
	const struct qmem_metric **sources; /* of the one list, in the type's order; NULL: a list for each metric */
};

struct sink_service {
	const struct qmem_service *service;
	struct shape *shapes; /* one for each of its families, in their order */
	size_t n;
};

struct sink {
	struct sink_service *services;
	size_t n;
	const struct sink_service *last; /* families come service by service */
	cdtime_t time;
	value_t *values; /* room for the longest list */
};

static bool fits(const struct qmem_family *family, const data_set_t *ds)
{
	for (size_t i = 0; ds && i < ds->ds_num; i++) {
		bool gauge = ds->ds[i].type == DS_TYPE_GAUGE;

		if (gauge != (family->kind == QMEM_GAUGE))
			return false;
	}
	return ds && ds->ds_num;
}

static const struct qmem_metric *metric_named(const struct qmem_family *family, const char *id)
{
	for (const struct qmem_metric *m = family->metrics; m->id; m++)
		if (strcmp(m->id, id) == 0)
			return m;
	return NULL;
}

static size_t count(const struct qmem_family *family)
{
	size_t n = 0;

	while (family->metrics[n].id)
		n++;
	return n;
}

/* The metrics in the order of the type's sources; NULL if they are not the same. */
static const struct qmem_metric **match_sources(const struct qmem_family *family, const data_set_t *ds)
{
	const struct qmem_metric **sources;

	if (count(family) != ds->ds_num)
		return NULL;
	sources = calloc(ds->ds_num, sizeof(*sources));
	for (size_t i = 0; sources && i < ds->ds_num; i++) {
		sources[i] = metric_named(family, ds->ds[i].name);
		if (!sources[i]) {
			free(sources);
			return NULL;
		}
	}
	return sources;
}

static int64_t scale_of(const char *type)
{
	for (size_t i = 0; i < STATIC_ARRAY_SIZE(scales); i++)
		if (strcmp(scales[i].type, type) == 0)
			return scales[i].per_base;
	return 1;
}

static struct shape shape_of(const struct qmem_service *service, const struct qmem_family *family)
{
	const data_set_t *ds = plugin_get_ds(family->type);
	struct shape shape = { .type = family->type, .scale = scale_of(family->type), .n = 1 };

	if (fits(family, ds) && ds->ds_num > 1)
		shape.sources = match_sources(family, ds);
	if (shape.sources)
		shape.n = ds->ds_num;
	else if (!fits(family, ds) || ds->ds_num > 1)
		shape.type = family->kind == QMEM_GAUGE ? "gauge" : "derive";
	if (shape.type != family->type) {
		shape.scale = 1;
		WARNING("qmem plugin: the type '%s' of %s.%s is not in types.db, or differs there: '%s' is used",
			family->type, service->name, family->id, shape.type);
	}
	return shape;
}

static int add_service(struct sink *sink, const struct qmem *q, const struct qmem_service *service)
{
	struct sink_service *s = &sink->services[sink->n];
	size_t n = 0;

	while (service->families && service->families[n].id)
		n++;
	if (!n)
		return 0;
	s->shapes = calloc(n, sizeof(*s->shapes));
	if (!s->shapes)
		return -ENOMEM;
	s->service = service;
	s->n = n;
	sink->n++;
	for (size_t i = 0; i < n; i++)
		if (qmem_shown(q, service, &service->families[i]))
			s->shapes[i] = shape_of(service, &service->families[i]);
	return 0;
}

struct sink *sink_new(const struct qmem *q)
{
	struct sink *sink = calloc(1, sizeof(*sink));
	struct qmem_status status;
	size_t n = 0, longest = 1;
	int err = 0;

	if (!sink)
		return NULL;
	while (qmem_status(q, n, &status))
		n++;
	sink->services = calloc(n + 1, sizeof(*sink->services));
	for (size_t i = 0; sink->services && !err && qmem_status(q, i, &status); i++)
		err = add_service(sink, q, status.service);
	for (size_t i = 0; i < sink->n; i++)
		for (size_t j = 0; j < sink->services[i].n; j++)
			longest = MAX(longest, sink->services[i].shapes[j].n);
	sink->values = calloc(longest, sizeof(*sink->values));
	if (sink->services && sink->values && !err)
		return sink;
	sink_free(sink);
	return NULL;
}

void sink_free(struct sink *sink)
{
	if (!sink)
		return;
	for (size_t i = 0; i < sink->n; i++) {
		for (size_t j = 0; j < sink->services[i].n; j++)
			free(sink->services[i].shapes[j].sources);
		free(sink->services[i].shapes);
	}
	free(sink->services);
	free(sink->values);
	free(sink);
}

void sink_round(struct sink *sink)
{
	sink->time = cdtime();
}

static const struct shape *find_shape(struct sink *sink, const struct qmem_service *service,
				      const struct qmem_family *family)
{
	const struct sink_service *s = sink->last;

	for (size_t i = 0; (!s || s->service != service) && i < sink->n; i++)
		s = &sink->services[i];
	if (!s || s->service != service)
		return NULL;
	sink->last = s;
	for (size_t i = 0; i < s->n; i++)
		if (&service->families[i] == family)
			return s->shapes[i].type ? &s->shapes[i] : NULL;
	return NULL;
}

static void set_plugin_instance(char dst[DATA_MAX_NAME_LEN], const char *service, const char *instance,
				const char *allowed)
{
	size_t len;

	sstrncpy(dst, service, DATA_MAX_NAME_LEN);
	if (!instance)
		return;
	len = strlen(dst);
	dst[len++] = '-';
	qmem_name_safe(dst + len, DATA_MAX_NAME_LEN - len, instance, allowed);
}

/* False: there is no such value, and no way to say so. */
static bool convert(const struct shape *shape, const struct qmem_family *family, int64_t sample, value_t *ret)
{
	__int128 scaled = (__int128)sample * shape->scale;

	if (family->kind == QMEM_GAUGE) {
		ret->gauge = sample == QMEM_NA ? NAN : (double)scaled / (double)family->divisor;
		return true;
	}
	scaled /= family->divisor;
	if (sample == QMEM_NA || scaled > INT64_MAX || scaled < INT64_MIN)
		return false;
	ret->derive = (derive_t)scaled;
	return true;
}

static void dispatch_joined(struct sink *sink, const struct shape *shape, const struct qmem_family *family,
			    const void *sample, value_list_t *vl)
{
	for (size_t i = 0; i < shape->n; i++)
		if (!convert(shape, family, qmem_value(shape->sources[i], sample), &sink->values[i]))
			return;
	sstrncpy(vl->type_instance, family->id, sizeof(vl->type_instance));
	plugin_dispatch_values(vl);
}

/* A gauge that this kernel does not have at all is no series: those of `seen` are NaN when absent. */
static void dispatch_each(struct sink *sink, const struct shape *shape, const struct qmem_family *family, uint64_t seen,
			  const void *sample, value_list_t *vl)
{
	for (const struct qmem_metric *m = family->metrics; m->id; m++) {
		if (!(seen >> (m - family->metrics) & 1) ||
		    !convert(shape, family, qmem_value(m, sample), sink->values))
			continue;
		ssnprintf(vl->type_instance, sizeof(vl->type_instance), "%s_%s", family->id, m->id);
		plugin_dispatch_values(vl);
	}
}

/* The original of a name that had to be altered: only then, since the daemon copies meta data with every list. */
static void add_original(value_list_t *vl, const char *service, const char *instance)
{
	char original[256];

	if (strcmp(vl->plugin_instance + strlen(service) + 1, instance) == 0)
		return;
	vl->meta = meta_data_create();
	if (!vl->meta)
		return;
	qmem_name_label(original, sizeof(original), instance);
	meta_data_add_string(vl->meta, "qmem:instance", original);
}

void sink_values(struct sink *sink, const struct qmem_round *round, const struct qmem_family *family,
		 const struct qmem_instance *instance, const void *sample)
{
	const struct shape *shape = find_shape(sink, round->service, family);
	value_list_t vl = VALUE_LIST_INIT;

	if (!shape)
		return;
	vl.values = sink->values;
	vl.values_len = shape->n;
	vl.time = sink->time;
	vl.interval = NS_TO_CDTIME_T(round->interval);
	sstrncpy(vl.plugin, SINK_PLUGIN, sizeof(vl.plugin));
	sstrncpy(vl.type, shape->type, sizeof(vl.type));
	set_plugin_instance(vl.plugin_instance, round->service->name, instance ? instance->name : NULL, VALUES_ALLOWED);
	if (instance)
		add_original(&vl, round->service->name, instance->name);
	if (shape->sources)
		dispatch_joined(sink, shape, family, sample, &vl);
	else
		dispatch_each(sink, shape, family, round->seen, sample, &vl);
	if (vl.meta)
		meta_data_destroy(vl.meta);
}

void sink_notification(notification_t *ret, const struct qmem_event *event)
{
	static const int severities[] = {
		[QMEM_OKAY] = NOTIF_OKAY, [QMEM_WARNING] = NOTIF_WARNING, [QMEM_FAILURE] = NOTIF_FAILURE
	};
	char value[256];

	memset(ret, 0, sizeof(*ret));
	ret->severity = severities[event->severity];
	ret->time = cdtime();
	sstrncpy(ret->message, event->message, sizeof(ret->message));
	sstrncpy(ret->host, hostname_g, sizeof(ret->host));
	sstrncpy(ret->plugin, SINK_PLUGIN, sizeof(ret->plugin));
	set_plugin_instance(ret->plugin_instance, event->service, event->instance, EVENTS_ALLOWED);
	/* alerts are named after plugin and type: collectd_qmem_<name> */
	sstrncpy(ret->type, event->name, sizeof(ret->type));
	if (event->instance)
		qmem_name_safe(ret->type_instance, sizeof(ret->type_instance), event->instance, EVENTS_ALLOWED);
	for (const struct qmem_label *field = event->fields; field && field->name; field++) {
		/* exec prints them one a line */
		qmem_name_label(value, sizeof(value), field->value ? field->value : "");
		plugin_notification_meta_add_string(ret, field->name, value);
	}
}
