/* SPDX-License-Identifier: MIT */
/*
 * Errors that memory controllers have seen. Each tick reads two counters of each controller; its modules are looked at when one
 * of these has moved. A module is shown from its first error on.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/instances.h"
#include "proc/edacline.h"
#include "proc/text.h"
#include "rows.h"
#include "service/edac.h"
#include "services.h"
#include "util/room.h"
#include "util/top.h"
#include "util/value.h"

#define DIRECTORY "sys/devices/system/edac/mc"
#define CONTROLLERS_MOST 256
#define MODULES_MOST 4096
#define CHANNELS_MOST 16 /* of a row: the kernel has files for up to twelve */
#define OPEN_MOST 64
#define MARGIN 25
#define WEIGHT 1000 /* an uncorrected error among corrected ones, when those are chosen that are shown */

struct errors {
	int64_t corrected, uncorrected;
	int64_t corrected_nowhere, uncorrected_nowhere;
};

struct controller {
	char name[24]; /* "mc0" */
	struct smallfile corrected_file, uncorrected_file, corrected_nowhere_file, uncorrected_nowhere_file;
	struct edac_count corrected, corrected_nowhere, uncorrected;
	struct edac_module nowhere; /* what cannot be told of a module; its corrected ones are not judged */
	int64_t unknown;            /* uncorrected ones that were on no module, nor said to be on none, when we began */
	size_t first, n;            /* its modules */
};

struct state {
	int64_t max, limit, window;

	struct controller *controllers;
	size_t n_controllers, controllers_room;
	struct edac_module *modules;
	struct top_item *scores;
	size_t n, modules_room, scores_room;
	struct smallfiles files;
	struct top top;
	struct errors sample, other;
	bool others, begun;
};

static const struct qmem_metric errors_metrics[] = {
	METRIC(errors, "corrected", "ce_count", corrected, "by the error correcting code: nothing was lost"),
	METRIC(errors, "uncorrected", "ue_count", uncorrected, "what was there is lost"),
	{ 0 },
};

static const struct qmem_metric nowhere_metrics[] = {
	METRIC(errors, "corrected", "ce_noinfo_count", corrected_nowhere,
	       "of these, the controller could not tell where"),
	METRIC(errors, "uncorrected", "ue_noinfo_count", uncorrected_nowhere, "likewise"),
	{ 0 },
};

static const struct qmem_metric module_metrics[] = {
	METRIC(errors, "corrected", "dimm_ce_count", corrected, "by the error correcting code, on this module"),
	METRIC(errors, "uncorrected", "dimm_ue_count", uncorrected, "what was there is lost"),
	{ 0 },
};

static const struct qmem_family families[] = {
	FAMILY("errors", "Memory errors", "memory/errors", "line", errors_metrics, COUNTER("errors", 1, "derive")),
	FAMILY("nowhere", "Memory errors on no known module", "memory/errors", "line", nowhere_metrics,
	       COUNTER("errors", 1, "derive"), .flags = QMEM_DETAIL),
	FAMILY("module", "Memory errors of the module", "memory/errors", "line", module_metrics,
	       COUNTER("errors", 1, "derive"), .label = "module"),
	{ 0 },
};

static const struct qmem_option options[] = {
	{ .name = "Top",
	  .type = QMEM_INT,
	  .offset = offsetof(struct state, max),
	  .def = "4",
	  .min = 0,
	  .max = MODULES_MOST,
	  .help = "modules shown, of those that have had an error: the worst; the others are summed as '" INSTANCES_OTHER
		  "'" },
	{ .name = "Corrected",
	  .type = QMEM_INT,
	  .offset = offsetof(struct state, limit),
	  .def = "100",
	  .min = 0,
	  .max = 1000000000,
	  .help = "the event 'corrected' begins with so many corrected errors of a module within CorrectedWindow, and ends with half of them; 0: never" },
	{ .name = "CorrectedWindow",
	  .type = QMEM_DURATION,
	  .offset = offsetof(struct state, window),
	  .def = "24h",
	  .min = INT64_C(60000000000),
	  .max = INT64_C(86400000000000) * 30,
	  .help = "the time within which they are counted" },
	{ 0 },
};

/* ---- what there is ---- */

struct search {
	struct state *s;
	struct controller *mc;
	const char *row; /* "csrow0" */
	bool counted;    /* a module with counters of its own was found */
};

static void read_line(struct qmem *q, char *ret, size_t size, const char *directory, const char *name)
{
	char text[256];
	ssize_t len = qmem_read_once(q, text, sizeof(text), "%s/%s", directory, name);

	(void)edacline_parse(text, len > 0 ? (size_t)len : 0, ret, size);
}

static bool is_there(struct qmem *q, const char *path)
{
	char text[1];

	return qmem_read_once(q, text, sizeof(text), "%s", path) >= 0;
}

static int add(struct state *s, struct controller *mc, struct edac_module **ret)
{
	int err = room_make(&s->modules, &s->modules_room, s->n + 1, sizeof(*s->modules));
	struct edac_module *m;

	if (!err)
		err = room_make(&s->scores, &s->scores_room, s->n + 1, sizeof(*s->scores));
	if (err)
		return err;
	s->scores[s->n] = (struct top_item){ 0 };
	m = &s->modules[s->n++];
	*m = (struct edac_module){ .many = false };
	memcpy(m->mc_name, mc->nowhere.mc_name, sizeof(m->mc_name));
	edac_count_init(&m->corrected);
	edac_count_init(&m->uncorrected);
	mc->n++;
	*ret = m;
	return 0;
}

/* "dimm3", or "rank3" where the controller counts ranks. */
static int add_dimm(struct qmem *q, const char *name, int64_t number, void *arg)
{
	struct search *search = arg;
	struct edac_module *m;
	char directory[SMALLFILE_PATH], path[SMALLFILE_PATH];
	int err;

	(void)number;
	if (search->s->n == MODULES_MOST || strlen(name) > 16)
		return 0;
	snprintf(directory, sizeof(directory), DIRECTORY "/%s/%.16s", search->mc->name, name);
	snprintf(path, sizeof(path), DIRECTORY "/%s/%.16s/dimm_ce_count", search->mc->name, name);
	/* since 4.17; a kernel before it counts rows and channels */
	if (!is_there(q, path))
		return 0;
	err = add(search->s, search->mc, &m);
	if (err)
		return err;
	search->counted = true;
	snprintf(m->name, sizeof(m->name), "%s_%.16s", search->mc->name, name);
	memcpy(m->corrected_path, path, sizeof(path));
	snprintf(m->uncorrected_path, sizeof(m->uncorrected_path), DIRECTORY "/%s/%.16s/dimm_ue_count",
		 search->mc->name, name);
	read_line(q, m->label, sizeof(m->label), directory, "dimm_label");
	read_line(q, m->location, sizeof(m->location), directory, "dimm_location");
	return 0;
}

static int add_channels(struct qmem *q, struct search *search)
{
	for (int i = 0; i < CHANNELS_MOST && search->s->n < MODULES_MOST; i++) {
		char path[SMALLFILE_PATH], directory[SMALLFILE_PATH], label[24];
		struct edac_module *m;
		int err;

		snprintf(directory, sizeof(directory), DIRECTORY "/%s/%.16s", search->mc->name, search->row);
		snprintf(path, sizeof(path), DIRECTORY "/%s/%.16s/ch%d_ce_count", search->mc->name, search->row, i);
		if (!is_there(q, path))
			continue;
		err = add(search->s, search->mc, &m);
		if (err)
			return err;
		snprintf(m->name, sizeof(m->name), "%s_%.16s_ch%d", search->mc->name, search->row, i);
		memcpy(m->corrected_path, path, sizeof(path));
		snprintf(label, sizeof(label), "ch%d_dimm_label", i);
		read_line(q, m->label, sizeof(m->label), directory, label);
	}
	return 0;
}

/* Corrected errors are told of a channel, others of the row alone. */
static int add_row(struct qmem *q, const char *name, int64_t number, void *arg)
{
	struct search *search = arg;
	struct edac_module *m;
	char path[SMALLFILE_PATH];
	int err;

	(void)number;
	if (search->s->n == MODULES_MOST || strlen(name) > 16)
		return 0;
	search->row = name;
	err = add_channels(q, search);
	snprintf(path, sizeof(path), DIRECTORY "/%s/%.16s/ue_count", search->mc->name, name);
	if (err || !is_there(q, path))
		return err;
	err = add(search->s, search->mc, &m);
	if (err)
		return err;
	snprintf(m->name, sizeof(m->name), "%s_%.16s", search->mc->name, name);
	memcpy(m->uncorrected_path, path, sizeof(path));
	return 0;
}

static int add_controller(struct qmem *q, const char *name, int64_t number, void *arg)
{
	struct state *s = arg;
	struct controller *mc;
	char directory[SMALLFILE_PATH];
	int err;

	(void)number;
	if (s->n_controllers == CONTROLLERS_MOST || strlen(name) > 16)
		return 0;
	err = room_make(&s->controllers, &s->controllers_room, s->n_controllers + 1, sizeof(*s->controllers));
	if (err)
		return err;
	mc = &s->controllers[s->n_controllers++];
	*mc = (struct controller){ .first = 0 };
	snprintf(mc->name, sizeof(mc->name), "%s", name);
	snprintf(mc->nowhere.name, sizeof(mc->nowhere.name), "%s", name);
	snprintf(directory, sizeof(directory), DIRECTORY "/%s", mc->name);
	read_line(q, mc->nowhere.mc_name, sizeof(mc->nowhere.mc_name), directory, "mc_name");
	(void)smallfile_name(&mc->corrected_file, DIRECTORY "/%s/ce_count", mc->name);
	(void)smallfile_name(&mc->uncorrected_file, DIRECTORY "/%s/ue_count", mc->name);
	(void)smallfile_name(&mc->corrected_nowhere_file, DIRECTORY "/%s/ce_noinfo_count", mc->name);
	(void)smallfile_name(&mc->uncorrected_nowhere_file, DIRECTORY "/%s/ue_noinfo_count", mc->name);
	edac_count_init(&mc->corrected);
	edac_count_init(&mc->uncorrected);
	edac_count_init(&mc->corrected_nowhere);
	edac_count_init(&mc->nowhere.corrected);
	edac_count_init(&mc->nowhere.uncorrected);
	return 0;
}

/* Names are in no order in a directory. */
static int controllers_by_name(const void *a, const void *b)
{
	const struct controller *x = a, *y = b;

	return strverscmp(x->name, y->name);
}

static int modules_by_name(const void *a, const void *b)
{
	const struct edac_module *x = a, *y = b;

	return strverscmp(x->name, y->name);
}

static int find_modules(struct qmem *q, struct state *s, struct controller *mc)
{
	struct search search = { .s = s, .mc = mc };
	char directory[SMALLFILE_PATH];
	int err;

	mc->first = s->n;
	snprintf(directory, sizeof(directory), DIRECTORY "/%s", mc->name);
	err = smallfiles_list(q, directory, "dimm", "", add_dimm, &search);
	if (!err)
		err = smallfiles_list(q, directory, "rank", "", add_dimm, &search);
	if (!err && !search.counted)
		err = smallfiles_list(q, directory, "csrow", "", add_row, &search);
	if (mc->n)
		qsort(s->modules + mc->first, mc->n, sizeof(*s->modules), modules_by_name);
	return err;
}

/* ---- values ---- */

static int64_t number(struct qmem *q, struct state *s, const char *path)
{
	int64_t value;
	char text[32];
	ssize_t len;

	if (!*path)
		return QMEM_NA;
	len = qmem_read_once(q, text, sizeof(text), "%s", path);
	if (len < 1 || text_alone(text, (size_t)len, &value)) {
		smallfiles_wrong(&s->files, path);
		return QMEM_NA;
	}
	return value;
}

static bool read_controller(struct qmem *q, struct state *s, struct controller *mc)
{
	edac_count_read(&mc->corrected, smallfile_number(q, &s->files, &mc->corrected_file));
	edac_count_read(&mc->uncorrected, smallfile_number(q, &s->files, &mc->uncorrected_file));
	return mc->corrected.fresh || mc->corrected.reset || mc->uncorrected.fresh || mc->uncorrected.reset;
}

static void read_modules(struct qmem *q, struct state *s, struct controller *mc)
{
	edac_count_read(&mc->corrected_nowhere, smallfile_number(q, &s->files, &mc->corrected_nowhere_file));
	edac_count_read(&mc->nowhere.uncorrected, smallfile_number(q, &s->files, &mc->uncorrected_nowhere_file));
	/* not often: those of each tick stay open */
	smallfile_close(&s->files, &mc->corrected_nowhere_file);
	smallfile_close(&s->files, &mc->uncorrected_nowhere_file);
	for (size_t i = mc->first; i < mc->first + mc->n; i++) {
		struct edac_module *m = &s->modules[i];

		edac_count_read(&m->corrected, number(q, s, m->corrected_path));
		edac_count_read(&m->uncorrected, number(q, s, m->uncorrected_path));
	}
}

/* Uncorrected errors that the controller has and none of its modules: not all kernels say that it could not tell where. */
static int64_t unknown(const struct state *s, const struct controller *mc)
{
	int64_t known = value_or(mc->nowhere.uncorrected.total, 0);

	for (size_t i = mc->first; i < mc->first + mc->n; i++)
		value_add(&known, s->modules[i].uncorrected.total);
	return value_or(mc->uncorrected.total, 0) - known;
}

static void find_unknown(const struct state *s, struct controller *mc, bool first)
{
	int64_t rest = unknown(s, mc), more;

	if (first)
		mc->unknown = rest;
	/* one that came while they were read is on its module already, and this is less for a moment */
	if (rest <= mc->unknown || __builtin_sub_overflow(rest, mc->unknown, &more))
		return;
	value_add(&mc->nowhere.uncorrected.fresh, more);
	value_add(&mc->nowhere.uncorrected.total, more);
}

static void rest_modules(struct state *s, struct controller *mc)
{
	struct edac_count *nowhere = &mc->nowhere.uncorrected;

	mc->corrected_nowhere.fresh = nowhere->fresh = 0;
	nowhere->reset = false;
	for (size_t i = mc->first; i < mc->first + mc->n; i++) {
		s->modules[i].corrected.fresh = s->modules[i].uncorrected.fresh = 0;
		s->modules[i].corrected.reset = s->modules[i].uncorrected.reset = false;
	}
}

static void judge(struct qmem *q, struct state *s, struct controller *mc)
{
	for (size_t i = mc->first; i < mc->first + mc->n; i++) {
		edac_judge_corrected(q, &s->modules[i], s->limit, s->window);
		edac_judge_uncorrected(q, &s->modules[i]);
	}
	edac_judge_uncorrected(q, &mc->nowhere);
}

static int64_t score(const struct edac_module *m)
{
	int64_t sum = value_times(value_or(m->uncorrected.total, 0), WEIGHT);

	sum = value_or(sum, INT64_MAX);
	value_add(&sum, m->corrected.total);
	return sum;
}

static void emit_module(struct qmem *q, const struct edac_module *m)
{
	const struct qmem_label labels[] = {
		{ "label", *m->label ? m->label : "-" },
		{ "location", *m->location ? m->location : "-" },
		{ 0 },
	};
	const struct qmem_instance instance = { .name = m->name, .labels = labels };
	const struct errors sample = { .corrected = m->corrected.total, .uncorrected = m->uncorrected.total };

	qmem_emit(q, &families[2], &instance, &sample);
}

static void emit_modules(struct qmem *q, struct state *s)
{
	static const struct qmem_instance instance = { .name = INSTANCES_OTHER };

	for (size_t i = 0; i < s->n; i++) {
		int64_t errors = score(&s->modules[i]);

		s->scores[i].score = errors ? errors : -1;
	}
	(void)top_update(&s->top, s->scores, s->n, qmem_now(q));
	for (size_t i = 0; i < s->n; i++) {
		const struct edac_module *m = &s->modules[i];

		if (s->scores[i].in) {
			emit_module(q, m);
		} else if (s->scores[i].score >= 0) {
			s->others = true;
			value_add(&s->other.corrected, m->corrected.fresh);
			value_add(&s->other.uncorrected, m->uncorrected.fresh);
		}
	}
	if (s->others)
		qmem_emit(q, &families[2], &instance, &s->other);
}

static int collect(struct qmem *q, void *state)
{
	struct state *s = state;
	struct errors *sum = &s->sample;

	smallfiles_begin(&s->files);
	*sum = (struct errors){ QMEM_NA, QMEM_NA, QMEM_NA, QMEM_NA };
	for (size_t i = 0; i < s->n_controllers; i++) {
		struct controller *mc = &s->controllers[i];

		if (read_controller(q, s, mc) || !s->begun) {
			read_modules(q, s, mc);
			find_unknown(s, mc, !s->begun);
		} else {
			rest_modules(s, mc);
		}
		judge(q, s, mc);
		value_add(&sum->corrected, mc->corrected.total);
		value_add(&sum->uncorrected, mc->uncorrected.total);
		value_add(&sum->corrected_nowhere, mc->corrected_nowhere.total);
		value_add(&sum->uncorrected_nowhere, mc->nowhere.uncorrected.total);
	}
	s->begun = true;
	smallfiles_tell(q, &s->files);
	qmem_emit_all(q, sum);
	emit_modules(q, s);
	return 0;
}

/* ---- life ---- */

static void stop(struct qmem *q, void *state)
{
	struct state *s = state;

	(void)q;
	for (size_t i = 0; i < s->n_controllers; i++) {
		smallfile_close(&s->files, &s->controllers[i].corrected_file);
		smallfile_close(&s->files, &s->controllers[i].uncorrected_file);
		smallfile_close(&s->files, &s->controllers[i].corrected_nowhere_file);
		smallfile_close(&s->files, &s->controllers[i].uncorrected_nowhere_file);
	}
	free(s->controllers);
	free(s->modules);
	free(s->scores);
	top_release(&s->top);
}

static int start(struct qmem *q, void *state)
{
	struct state *s = state;
	int err = top_init(&s->top, (size_t)s->max, MARGIN);

	s->files.most = OPEN_MOST;
	if (!err)
		err = smallfiles_list(q, DIRECTORY, "mc", "", add_controller, s);
	if (err)
		return err;
	if (!s->n_controllers)
		return qmem_fail(q, -ENOTSUP, "no memory controller in '/" DIRECTORY "'");
	qsort(s->controllers, s->n_controllers, sizeof(*s->controllers), controllers_by_name);
	for (size_t i = 0; !err && i < s->n_controllers; i++)
		err = find_modules(q, s, &s->controllers[i]);
	if (err)
		return err;
	qmem_note(q, "%zu memory controller%s, %zu counters of modules", s->n_controllers,
		  s->n_controllers == 1 ? "" : "s", s->n);
	return 0;
}

const struct qmem_service edac_service = {
	.name = "edac",
	.help = "memory errors, corrected and not, by module",
	.source = "/" DIRECTORY "/mcN/{ce_count,ue_count,ce_noinfo_count,ue_noinfo_count}",
	.kernel = "2.6.16 (CONFIG_EDAC)",
	.privilege = "none",
	.priority = 1500,
	.families = families,
	.options = options,
	.state_size = sizeof(struct state),
	.start = start,
	.collect = collect,
	.stop = stop,
};
