/* SPDX-License-Identifier: MIT */
#include "sink.h"

#include <collectd/core/utils/common/common.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/ids.h"
#include "engine/name.h"
#include "log.h"

_Static_assert(QMEM_COLLECTD_NAME == DATA_MAX_NAME_LEN, "the daemon's own limit");

#define SINK_ORIGINAL "qmem:instance" /* in meta data */
#define TYPE_SOURCES 8                /* of a type, at most; more than any type of types.db has */

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
	cdtime_t time;                   /* of the tick */
	uint64_t now;                    /* likewise, by the engine's clock */
	value_t *values;                 /* room for the longest list */
	struct ids *ids;                 /* one namespace, also for notifications */
};

static const struct qmem_metric *metric_named(const struct qmem_family *family, const char *id)
{
	const struct qmem_metric *m = family->metrics;

	while (strcmp(m->id, id) != 0)
		m++;
	return m;
}

/* What the daemon knows of a type. False: nothing, or one whose sources are not of one kind. */
static bool known_type(const data_set_t *ds, const char **sources, struct qmem_collectd_type *ret)
{
	if (!ds || !ds->ds_num || ds->ds_num > TYPE_SOURCES)
		return false;
	for (size_t i = 0; i < ds->ds_num; i++) {
		if ((ds->ds[i].type == DS_TYPE_GAUGE) != (ds->ds[0].type == DS_TYPE_GAUGE))
			return false;
		sources[i] = ds->ds[i].name;
	}
	*ret = (struct qmem_collectd_type){
		.name = ds->type,
		.kind = ds->ds[0].type == DS_TYPE_GAUGE ? QMEM_GAUGE : QMEM_COUNTER,
		.n = ds->ds_num,
		.sources = sources,
	};
	return true;
}

static int64_t scale_of(const char *type)
{
	for (size_t i = 0; i < STATIC_ARRAY_SIZE(scales); i++)
		if (strcmp(scales[i].type, type) == 0)
			return scales[i].per_base;
	return 1;
}

/* -ENOMEM. */
static int set_shape(struct shape *shape, const struct qmem_service *service, const struct qmem_family *family)
{
	const char *sources[TYPE_SOURCES];
	struct qmem_collectd_type type;
	bool known = known_type(plugin_get_ds(family->type), sources, &type);
	enum qmem_collectd_lists lists = qmem_collectd_lists(family, known ? &type : NULL);

	shape->type = qmem_collectd_type(family, lists);
	shape->scale = lists == QMEM_COLLECTD_PLAIN ? 1 : scale_of(family->type);
	shape->n = lists == QMEM_COLLECTD_JOINED ? type.n : 1;
	if (lists == QMEM_COLLECTD_PLAIN)
		daemon_log(LOG_WARNING, "the type '%s' of %s.%s is not in types.db, or differs there: '%s' is used",
			   family->type, service->name, family->id, shape->type);
	if (lists != QMEM_COLLECTD_JOINED)
		return 0;
	shape->sources = calloc(type.n, sizeof(*shape->sources));
	for (size_t i = 0; shape->sources && i < type.n; i++)
		shape->sources[i] = metric_named(family, sources[i]);
	return shape->sources ? 0 : -ENOMEM;
}

static int add_service(struct sink *sink, const struct qmem *q, const struct qmem_service *service)
{
	struct sink_service *s = &sink->services[sink->n];
	size_t n = 0;
	int err = 0;

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
	for (size_t i = 0; i < n && !err; i++)
		if (qmem_shown(q, service, &service->families[i]))
			err = set_shape(&s->shapes[i], service, &service->families[i]);
	return err;
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
	sink->ids = ids_new();
	if (sink->services && sink->values && sink->ids && !err)
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
	ids_free(sink->ids);
	free(sink);
}

void sink_round(struct sink *sink, uint64_t now)
{
	sink->time = cdtime();
	sink->now = now;
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
	qmem_collectd_type_instance(vl->type_instance, family->id, NULL);
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
		qmem_collectd_type_instance(vl->type_instance, family->id, m->id);
		plugin_dispatch_values(vl);
	}
}

/* The original of a name that had to be altered: only then, since the daemon copies meta data with every list. */
static void add_original(value_list_t *vl, const char *instance)
{
	char original[512];

	vl->meta = meta_data_create();
	if (!vl->meta)
		return;
	qmem_name_label(original, sizeof(original), instance);
	meta_data_add_string(vl->meta, SINK_ORIGINAL, original);
}

static cdtime_t time_of(const struct sink *sink, uint64_t now)
{
	return now >= sink->now ? sink->time + NS_TO_CDTIME_T(now - sink->now) :
				  sink->time - NS_TO_CDTIME_T(sink->now - now);
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
	vl.time = time_of(sink, round->now);
	/* what collectd remembers of a value it forgets after two of these: then there would be no rates */
	vl.interval = NS_TO_CDTIME_T(round->every);
	qmem_collectd_plugin(vl.plugin, round->service->name);
	sstrncpy(vl.type, shape->type, sizeof(vl.type));
	if (qmem_collectd_instance(vl.plugin_instance, sink->ids, instance))
		add_original(&vl, instance->name);
	if (shape->sources)
		dispatch_joined(sink, shape, family, sample, &vl);
	else
		dispatch_each(sink, shape, family, round->seen, sample, &vl);
	if (vl.meta)
		meta_data_destroy(vl.meta);
}

static void add_text(notification_t *n, const char *name, const char *text)
{
	char value[512];

	/* exec prints them one a line */
	qmem_name_label(value, sizeof(value), text);
	plugin_notification_meta_add_string(n, name, value);
}

void sink_notification(notification_t *ret, struct sink *sink, const struct qmem_event *event)
{
	const struct qmem_instance instance = { .name = event->instance };
	static const int severities[] = {
		[QMEM_OKAY] = NOTIF_OKAY, [QMEM_WARNING] = NOTIF_WARNING, [QMEM_FAILURE] = NOTIF_FAILURE
	};
	memset(ret, 0, sizeof(*ret));
	ret->severity = severities[event->severity];
	ret->time = cdtime();
	sstrncpy(ret->message, event->message, sizeof(ret->message));
	sstrncpy(ret->host, hostname_g, sizeof(ret->host));
	qmem_collectd_plugin(ret->plugin, event->service);
	sstrncpy(ret->type, event->name, sizeof(ret->type));
	if (qmem_collectd_instance(ret->plugin_instance, sink ? sink->ids : NULL, &instance))
		add_text(ret, SINK_ORIGINAL, event->instance);
	for (const struct qmem_label *field = event->fields; field && field->name; field++)
		add_text(ret, field->name, field->value ? field->value : "");
}
