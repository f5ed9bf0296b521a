/* SPDX-License-Identifier: MIT */
#include "sink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* without memory for the table an instance is not found again: it is left out instead */
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(obj) ((void)0)
#include <uthash.h>

#include "util/fnv.h"
#include "engine/ids.h"
#include "engine/name.h"

#define LABEL_MAX 512
#define PRIORITY 1700 /* the menu stands where its first chart does: behind "Memory", before "Disks" */
#define INT_MAX_20 20 /* the longest integer, with its sign */
#define SHORT 32      /* what is no longer is copied as if it were that long, by a few instructions */

struct sink_chart {
	UT_hash_handle hh;
	char *name;  /* the instance's original */
	char *begin; /* "BEGIN qmem.x", and SHORT bytes more to be copied */
	size_t begin_len;
	struct ids_seat *seat; /* of its id, unless that is the name itself */
	uint32_t labels;       /* hash of the further ones */
	uint64_t dims;         /* as declared: bit i for metric i */
	size_t index;          /* in the family's order */
	uint64_t interval;     /* as declared; 0: not declared */
	uint64_t last;         /* of BEGIN; 0: none since it was declared */
	uint64_t seen;
	struct trust_chart trust;
};

/* One family: its charts in the order in which their instances come, which is the same every tick. */
struct sink_family {
	const struct qmem_family *family;
	unsigned priority;
	char *sets; /* "SET a = ", one behind the other, then SHORT bytes; and where each begins */
	size_t *at;
	size_t n_metrics, round_size;
	struct sink_chart **charts;
	size_t n, size, cursor, seen;
	size_t there; /* instances in this collection, also such as have no value */
	size_t most;  /* of these in one collection */
	struct sink_chart *by_name;
};

struct sink_service {
	const struct qmem_service *service;
	struct sink_family *families;
	size_t n;
	bool stopped;
};

/* ---- units ---- */

static const struct {
	const char *unit;
	int kind;
	const char *shown, *remark;
	int64_t mult, div;
} units[] = {
	{ "bytes", QMEM_GAUGE, "MiB", "", 1, 1 << 20 },
	{ "bytes", QMEM_COUNTER, "KiB/s", "", 1, 1 << 10 },
	{ "bytes/s", QMEM_GAUGE, "KiB/s", "", 1, 1 << 10 },
	{ "seconds", QMEM_GAUGE, "seconds", "", 1, 1 },
	{ "seconds", QMEM_COUNTER, "ms/s", "", 1000, 1 },
	{ "percent", QMEM_GAUGE, "percentage", "", 1, 1 },
	{ "cpu-seconds", QMEM_COUNTER, "percentage", " (100 % is one CPU)", 100, 1 },
};

static int64_t gcd(int64_t a, int64_t b)
{
	while (b) {
		int64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

void sink_unit_of(const struct qmem_family *family, struct sink_unit *ret)
{
	struct sink_unit unit = { .algorithm = "absolute", .remark = "", .mult = 1, .div = family->divisor };
	int64_t common;

	if (family->kind == QMEM_COUNTER && family->flags & QMEM_PARTS) {
		*ret = (struct sink_unit){ "percentage", "percentage-of-incremental-row", "", 1, 1 };
		return;
	}
	if (family->kind == QMEM_COUNTER)
		unit.algorithm = "incremental";
	snprintf(unit.text, sizeof(unit.text), "%s%s", family->unit, family->kind == QMEM_COUNTER ? "/s" : "");
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		/* the agent keeps both as 32 bits: what does not fit stays in base units */
		if (strcmp(units[i].unit, family->unit) != 0 || units[i].kind != (int)family->kind ||
		    family->divisor > INT32_MAX / units[i].div)
			continue;
		snprintf(unit.text, sizeof(unit.text), "%s", units[i].shown);
		unit.remark = units[i].remark;
		unit.mult = units[i].mult;
		unit.div = family->divisor * units[i].div;
	}
	common = gcd(unit.mult, unit.div);
	unit.mult /= common;
	unit.div /= common;
	*ret = unit;
}

/* ---- charts ---- */

static const char *chart_id(const struct sink_chart *chart)
{
	return chart->begin + strlen("BEGIN ");
}

static void free_chart(struct sink_chart *chart)
{
	free(chart->name);
	free(chart->begin);
	free(chart);
}

static const char *name_of(const struct qmem_instance *instance)
{
	return instance && instance->name ? instance->name : "";
}

static struct sink_chart *new_chart(const struct sink *sink, const struct sink_service *s, struct sink_family *f,
				    const struct qmem_instance *instance)
{
	struct sink_chart *chart = calloc(1, sizeof(*chart)), **charts;
	char id[QMEM_NETDATA_NAME];
	struct ids_seat *seat =
		qmem_netdata_chart(id, sink->ids, s->service->name, f->family->id, f->family->label ? instance : NULL);

	if (f->n == f->size) {
		charts = realloc(f->charts, (f->size ? f->size * 2 : 1) * sizeof(*charts));
		if (!charts)
			goto fail;
		f->charts = charts;
		f->size = f->size ? f->size * 2 : 1;
	}
	if (!chart)
		goto fail;
	chart->seat = seat;
	chart->name = strdup(name_of(instance));
	chart->begin = calloc(1, strlen("BEGIN ") + strlen(id) + 1 + SHORT);
	if (!chart->name || !chart->begin)
		goto fail;
	chart->begin_len = (size_t)sprintf(chart->begin, "BEGIN %s", id);
	HASH_ADD_KEYPTR(hh, f->by_name, chart->name, strlen(chart->name), chart);
	if (!chart->hh.tbl)
		goto fail;
	chart->index = f->n;
	f->charts[f->n++] = chart;
	return chart;
fail:
	if (chart)
		free_chart(chart);
	return NULL;
}

static struct sink_chart *find_chart(const struct sink *sink, const struct sink_service *s, struct sink_family *f,
				     const struct qmem_instance *instance)
{
	const char *name = name_of(instance);
	struct sink_chart *chart = f->cursor < f->n ? f->charts[f->cursor] : NULL;

	if (!chart || strcmp(chart->name, name) != 0) {
		HASH_FIND_STR(f->by_name, name, chart);
		if (!chart)
			chart = new_chart(sink, s, f, instance);
	}
	if (chart)
		f->cursor = chart->index + 1;
	return chart;
}

/* ---- what is printed ---- */

/* A title, in double quotes: there is no way to escape one. */
static void put_title(struct output *out, const char *text, const char *remark)
{
	char *at = output_room(out, strlen(text) + strlen(remark) + 2), *to = at;

	if (!at)
		return;
	*to++ = '"';
	for (; *text; text++)
		*to++ = *text == '"' || *text == '\\' ? '\'' : *text;
	for (; *remark; remark++)
		*to++ = *remark;
	*to++ = '"';
	out->len += (size_t)(to - at);
}

static void put_chart(const struct sink *sink, const struct sink_service *s, const struct sink_family *f,
		      const struct sink_chart *chart, bool obsolete)
{
	const struct qmem_family *family = f->family;
	char context[QMEM_NETDATA_NAME];
	struct sink_unit unit;

	sink_unit_of(family, &unit);
	output_printf(sink->out, "CHART %s '' ", chart_id(chart));
	put_title(sink->out, family->title, unit.remark);
	qmem_netdata_context(context, s->service->name, family->id);
	output_printf(sink->out, " '%s' '%s' '%s' '%s' %u %llu '%s' 'qmem.plugin' '%s'\n", unit.text,
		      family->menu ? family->menu : s->service->name, context, family->style ? family->style : "line",
		      f->priority, (unsigned long long)(chart->interval / QMEM_SECOND), obsolete ? "obsolete" : "",
		      s->service->name);
}

static void put_label(const struct sink *sink, const char *name, const char *value)
{
	char text[LABEL_MAX];

	qmem_netdata_label(text, sizeof(text), value);
	output_printf(sink->out, "CLABEL '%s' '%s' 1\n", name, *text ? text : "-");
}

static void declare(const struct sink *sink, const struct sink_service *s, const struct sink_family *f,
		    struct sink_chart *chart, const struct qmem_instance *instance)
{
	const struct qmem_family *family = f->family;
	struct sink_unit unit;
	bool labels = false;

	put_chart(sink, s, f, chart, false);
	sink_unit_of(family, &unit);
	for (size_t i = 0; i < f->n_metrics; i++)
		if (chart->dims >> i & 1)
			output_printf(sink->out, "DIMENSION '%s' '' %s %lld %lld\n", family->metrics[i].id,
				      unit.algorithm, (long long)unit.mult, (long long)unit.div);
	if (family->label) {
		put_label(sink, family->label, chart->name);
		labels = true;
	}
	for (const struct qmem_label *l = instance ? instance->labels : NULL; l && l->name; l++) {
		put_label(sink, l->name, l->value);
		labels = true;
	}
	/* alone it ends the plugin */
	if (labels)
		output_put(sink->out, "CLABEL_COMMIT\n", strlen("CLABEL_COMMIT\n"));
	chart->last = 0;
}

static uint32_t hash_labels(const struct qmem_instance *instance)
{
	uint64_t h = FNV_BEGIN;

	for (const struct qmem_label *l = instance ? instance->labels : NULL; l && l->name; l++) {
		h = fnv_add(h, l->name, strlen(l->name) + 1);
		h = fnv_add(h, l->value, strlen(l->value) + 1);
	}
	return fnv_fold(h);
}

static bool any_value(const struct qmem_family *family, const void *sample)
{
	for (const struct qmem_metric *m = family->metrics; m->id; m++)
		if (qmem_value(m, sample) != QMEM_NA)
			return true;
	return false;
}

/* " MICROSECONDS", which nearly all charts of a tick have in common. */
static char *put_since(struct sink *sink, char *to, uint64_t ns)
{
	if (ns != sink->since || !sink->since_len) {
		sink->since = ns;
		sink->since_text[0] = ' ';
		sink->since_len = (size_t)(output_int(sink->since_text + 1, (int64_t)(ns / 1000)) - sink->since_text);
	}
	memcpy(to, sink->since_text, sizeof(sink->since_text));
	return to + sink->since_len;
}

static struct sink_service *service_of(const struct sink *sink, const struct qmem_service *service)
{
	for (size_t i = 0; i < sink->n; i++)
		if (sink->services[i].service == service)
			return &sink->services[i];
	return NULL;
}

static char *copy(char *to, const char *from, size_t len)
{
	if (len <= SHORT)
		memcpy(to, from, SHORT);
	else
		memcpy(to, from, len);
	return to + len;
}

void sink_values(struct sink *sink, const struct qmem_round *round, const struct qmem_family *family,
		 const struct qmem_instance *instance, const void *sample)
{
	const struct sink_service *s;
	struct sink_family *f;
	struct sink_chart *chart;
	uint64_t dims;
	uint32_t labels;
	enum trust_begin begin;
	char *at, *to;

	if (sink->muted)
		return;
	s = service_of(sink, round->service);
	f = &s->families[family - s->service->families];
	f->there++;
	if (!any_value(family, sample))
		return;
	chart = find_chart(sink, s, f, instance);
	if (!chart) {
		sink->out->failed = true;
		return;
	}
	if (chart->seen == round->now)
		return; /* twice in one collection: the second BEGIN would have no time of its own */
	f->seen++;
	chart->seen = round->now;
	if (chart->seat)
		ids_use(sink->ids, chart->seat);
	labels = instance && instance->labels ? hash_labels(instance) : 0;
	/* what this kernel does not have is no dimension; but the charts of one context have all the same ones */
	dims = family->label ? UINT64_MAX : round->seen;
	if (!chart->interval || chart->labels != labels || chart->dims != dims) {
		chart->interval = round->interval;
		chart->labels = labels;
		chart->dims = dims;
		declare(sink, s, f, chart, instance);
	}

	begin = trust_chart(&sink->trust, &chart->trust, !chart->last);
	if (begin == TRUST_NOT)
		return;
	at = to = output_room(sink->out, chart->begin_len + f->round_size);
	if (!at)
		return;
	to = copy(to, chart->begin, chart->begin_len);
	if (begin == TRUST_SINCE)
		to = put_since(sink, to, round->now - chart->last);
	*to++ = '\n';
	chart->last = round->now;
	for (size_t i = 0; i < f->n_metrics; i++) {
		int64_t value = qmem_value(&family->metrics[i], sample);

		if (!(chart->dims >> i & 1))
			continue;
		to = copy(to, f->sets + f->at[i], f->at[i + 1] - f->at[i]);
		/* without a value it is a gap */
		if (value != QMEM_NA)
			to = output_int(to, value);
		*to++ = '\n';
	}
	memcpy(to, "END\n", 4);
	to += 4;
	sink->out->len += (size_t)(to - at);
}

/* ---- what is no longer there ---- */

/* Marks obsolete, and forgets, the charts last seen before `before`: should they come again, they are declared again. */
static void sweep(const struct sink *sink, const struct sink_service *s, struct sink_family *f, uint64_t before)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->n; i++) {
		struct sink_chart *chart = f->charts[i];

		if (chart->seen >= before) {
			chart->index = kept;
			f->charts[kept++] = chart;
			continue;
		}
		if (chart->interval)
			put_chart(sink, s, f, chart, true);
		HASH_DEL(f->by_name, chart);
		free_chart(chart);
	}
	f->n = kept;
}

void sink_collected(struct sink *sink, const struct qmem_round *round)
{
	uint64_t grace = qmem_grace(round->interval);
	const struct sink_service *s;

	if (sink->muted)
		return;
	s = service_of(sink, round->service);
	for (size_t i = 0; i < s->n; i++) {
		struct sink_family *f = &s->families[i];

		if (f->there > f->most)
			f->most = f->there;
		/* one that has no instances stays: it is the gaps in it that tell something */
		if (f->family->label && f->n > f->most)
			/* others have their places: what is chosen from many is no more charts for being chosen anew */
			sweep(sink, s, f, round->now);
		else if (f->family->label && f->seen < f->n && round->now > grace)
			sweep(sink, s, f, round->now - grace);
		f->seen = f->there = f->cursor = 0;
	}
}

void sink_stopped(struct sink *sink, const struct qmem_service *service)
{
	service_of(sink, service)->stopped = true;
}

/* ---- ticks ---- */

void sink_begin(struct sink *sink)
{
	sink->muted = output_blocked(sink->out);
	for (size_t i = 0; i < sink->n && !sink->muted; i++) {
		struct sink_service *s = &sink->services[i];

		for (size_t k = 0; k < s->n; k++) {
			/* a collection that failed has left them where they were */
			s->families[k].seen = s->families[k].there = s->families[k].cursor = 0;
			if (s->stopped)
				sweep(sink, s, &s->families[k], UINT64_MAX);
		}
		s->stopped = false;
	}
}

void sink_clock(struct sink *sink, uint64_t now, uint64_t wall, bool unread)
{
	const char *line;

	if (sink->muted) {
		trust_skip(&sink->trust);
		return;
	}
	line = trust_tick(&sink->trust, now, wall, unread);
	if (line)
		output_put(sink->out, line, strlen(line));
}

void sink_end(struct sink *sink)
{
	sink->muted = true;
	if (!sink->out->failed)
		return;
	output_drop(sink->out);
	trust_unsaid(&sink->trust);
	/* what was declared in it the agent does not know */
	for (size_t i = 0; i < sink->n; i++)
		for (size_t k = 0; k < sink->services[i].n; k++)
			for (size_t c = 0; c < sink->services[i].families[k].n; c++)
				sink->services[i].families[k].charts[c]->interval = 0;
}

/* ---- life ---- */

static int init_family(struct sink_family *f, const struct qmem_family *family, unsigned priority)
{
	size_t len = 0, n = 0;

	f->family = family;
	f->priority = priority;
	for (const struct qmem_metric *m = family->metrics; m->id; m++, n++)
		len += strlen(m->id) + strlen("SET  = ");
	f->n_metrics = n;
	f->sets = calloc(1, len + 1 + SHORT);
	f->at = calloc(n + 1, sizeof(*f->at));
	if (!f->sets || !f->at)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		f->at[i + 1] = f->at[i] + (size_t)sprintf(f->sets + f->at[i], "SET %s = ", family->metrics[i].id);
	f->round_size = sizeof(((struct sink *)0)->since_text) + len + n * (INT_MAX_20 + 1) + strlen("END\n") + SHORT;
	return 0;
}

int sink_init(struct sink *sink, const struct qmem_service *const *services, struct output *out)
{
	int err = 0;

	*sink = (struct sink){ .out = out, .muted = true };
	while (services[sink->n])
		sink->n++;
	sink->services = calloc(sink->n + 1, sizeof(*sink->services));
	sink->ids = ids_new();
	if (!sink->services || !sink->ids) {
		sink->n = sink->services ? sink->n : 0;
		sink_release(sink);
		return -ENOMEM;
	}
	for (size_t i = 0; i < sink->n && !err; i++) {
		struct sink_service *s = &sink->services[i];
		const struct qmem_family *family = services[i]->families;
		size_t n = 0;

		s->service = services[i];
		while (family && family[n].id)
			n++;
		s->families = calloc(n + 1, sizeof(*s->families));
		if (!s->families)
			err = -ENOMEM;
		while (!err && s->n < n) {
			err = init_family(&s->families[s->n], &family[s->n],
					  PRIORITY + services[i]->priority + (unsigned)s->n);
			s->n++;
		}
	}
	if (err)
		sink_release(sink);
	return err;
}

void sink_release(struct sink *sink)
{
	for (size_t i = 0; i < sink->n; i++) {
		for (size_t k = 0; k < sink->services[i].n; k++) {
			struct sink_family *f = &sink->services[i].families[k];

			HASH_CLEAR(hh, f->by_name);
			for (size_t c = 0; c < f->n; c++)
				free_chart(f->charts[c]);
			free(f->charts);
			free(f->sets);
			free(f->at);
		}
		free(sink->services[i].families);
	}
	free(sink->services);
	ids_free(sink->ids);
	sink->ids = NULL;
	sink->services = NULL;
	sink->n = 0;
}
