/* SPDX-License-Identifier: MIT */
/* The options that all services and qmem as a whole have, and how any option is set. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/engine.h"
#include "engine/name.h"
#include "engine/number.h"
#include "engine/option.h"
#include "engine/place.h"
#include "util/near.h"
#include "util/words.h"

#define INTERVAL_LEAST (QMEM_SECOND / 10)

static bool check_interval(const char *text, char *why, size_t size)
{
	int64_t ns = 0;

	(void)qmem_parse_duration(text, &ns);
	if (!ns || (uint64_t)ns >= INTERVAL_LEAST)
		return true;
	snprintf(why, size, "must be 0, or at least 100ms");
	return false;
}

static bool check_directory(const char *path, char *why, size_t size)
{
	struct stat st;
	bool found = stat(path, &st) == 0;

	if (found && S_ISDIR(st.st_mode))
		return true;
	snprintf(why, size, "%s", found ? "is not a directory" : "cannot be found");
	return false;
}

const struct qmem_option qmem_common_options[] = {
	{ .name = "Enabled",
	  .type = QMEM_TRISTATE,
	  .offset = offsetof(struct qmem_common, enabled),
	  .def = "auto",
	  .help = "auto: on if the service can run; yes: an error if it cannot; no: off" },
	{ .name = "Interval",
	  .type = QMEM_DURATION,
	  .offset = offsetof(struct qmem_common, interval),
	  .min = 0,
	  .max = INT64_C(86400000000000),
	  .check = check_interval,
	  .help = "time between two collections, at least 100ms; in Netdata rounded up to a multiple of its own; 0: the agent's" },
	{ .name = "Budget",
	  .type = QMEM_DURATION,
	  .offset = offsetof(struct qmem_common, budget),
	  .def = "20ms",
	  .min = 0,
	  .max = INT64_C(1000000000),
	  .help = "CPU time a second. A service that costs more when it begins has a longer interval, for good, and so have those that "
		  "need it; one that costs more later leaves out collections until it does not. 0: no limit" },
	{ .name = "Detail",
	  .type = QMEM_BOOL,
	  .offset = offsetof(struct qmem_common, detail),
	  .def = "no",
	  .help = "also the metrics that are marked as detail" },
	{ 0 },
};

#define GLOBAL(member_) (offsetof(struct qmem, global.member_) - offsetof(struct qmem, global))

const struct qmem_option qmem_global_options[] = {
	{ .name = "HostRoot",
	  .type = QMEM_STRING,
	  .offset = GLOBAL(host_root),
	  .def = "/",
	  .check = check_directory,
	  .help = "the directory below which proc and sys of the host are found, such as /host in a container" },
	{ .name = "Overlap",
	  .type = QMEM_BOOL,
	  .offset = GLOBAL(overlap),
	  .def = "yes",
	  .help = "also what the agent's own plugins show by default: use of memory and swap, CPU time by mode, load, traffic of "
		  "interfaces, states of processes, forks" },
	{ .name = "StuckAfter",
	  .type = QMEM_DURATION,
	  .offset = GLOBAL(stuck_after),
	  .def = "30s",
	  .min = INT64_C(1000000000),
	  .max = INT64_C(3600000000000),
	  .help = "a file that has not let itself be read for so long is named in an event, and left to a thread of its own; "
		  "all else goes on. StuckAfter of procstat is about tasks in state D, not about what qmem reads" },
	{ 0 },
};

static int keep_root(struct qmem *q, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(q->global.host_root);
	q->global.host_root = copy;
	return -EINVAL;
}

/* Where an option is looked for: in a block of a service, in a service, or (no run) among those of qmem as a whole. */
struct scope {
	struct qmem_run *run;
	const struct qmem_option *block;
	void *state;     /* of the block */
	char where[192]; /* for people */
};

/* ---- names that nobody has ---- */

static int unknown(struct qmem_error *error, const char *where, const char *kind, const char *name)
{
	snprintf(error->text, sizeof(error->text), "%s%sno %s '%.100s'", where, *where ? ": " : "", kind, name);
	return -ENOENT;
}

static void offer(struct qmem_error *error, const struct near *near)
{
	if (near->name)
		words_add(error->text, sizeof(error->text), "; did you mean '%s'?", near->name);
}

static int unknown_service(const struct qmem *q, struct qmem_error *error, const char *name)
{
	struct near near = NEAR(name);

	for (size_t i = 0; i < q->n; i++)
		near_try(&near, q->runs[i].service->name);
	unknown(error, "", "service", name);
	offer(error, &near);
	return -ENOENT;
}

static void try_rows(struct near *near, const struct qmem_option *rows)
{
	for (const struct qmem_option *row = rows; row && row->name; row++)
		near_try(near, row->name);
}

static int unknown_block(const struct qmem_run *run, struct qmem_error *error, const char *name)
{
	struct near near = NEAR(name);

	for (const struct qmem_option *row = run->service->options; row && row->name; row++)
		if (row->type == QMEM_BLOCK)
			near_try(&near, row->name);
	unknown(error, run->service->name, "block", name);
	offer(error, &near);
	return -ENOENT;
}

static const struct qmem_option *block_with(const struct qmem_service *service, const char *option)
{
	for (const struct qmem_option *row = service->options; row && row->name; row++)
		if (row->type == QMEM_BLOCK && qmem_option_find(row->sub, option))
			return row;
	return NULL;
}

static bool owns(const struct qmem_service *service, const char *option)
{
	return qmem_option_find(service->options, option) != NULL;
}

/* Says who else has an option of this name. False: nobody. */
static bool say_elsewhere(const struct qmem *q, const struct scope *scope, const char *name, struct qmem_error *error)
{
	const struct qmem_service *service = scope->run ? scope->run->service : NULL;
	bool common = qmem_option_find(qmem_common_options, name) != NULL, any = false;
	const size_t size = sizeof(error->text);

	if (service && qmem_option_find(qmem_global_options, name))
		words_add(error->text, size, "; it is one of qmem as a whole, outside of all services");
	else if (scope->block && (common || owns(service, name)))
		words_add(error->text, size, "; it is one of %s, outside of its blocks", service->name);
	else if (common)
		words_add(error->text, size, "; each service has one of its own");
	else if (service && !scope->block && block_with(service, name))
		words_add(error->text, size, "; it is one of a block '%s'", block_with(service, name)->name);
	else
		for (size_t i = 0; i < q->n; i++)
			if (owns(q->runs[i].service, name)) {
				words_add(error->text, size, "%s %s", any ? "," : "; there is one in",
					  q->runs[i].service->name);
				any = true;
			}
	return strchr(error->text, ';') != NULL;
}

static int unknown_option(const struct qmem *q, const struct scope *scope, const char *name, struct qmem_error *error)
{
	const struct qmem_renamed *renamed = scope->run && !scope->block ? scope->run->service->renamed : NULL;
	struct near near = NEAR(name);

	unknown(error, scope->where, "option", name);
	for (; renamed && renamed->was; renamed++)
		if (qmem_name_same(renamed->was, name)) {
			words_add(error->text, sizeof(error->text), ": it is '%s' now", renamed->is);
			return -ENOENT;
		}
	if (say_elsewhere(q, scope, name, error))
		return -ENOENT;
	if (scope->block)
		try_rows(&near, scope->block->sub);
	else if (scope->run)
		try_rows(&near, scope->run->service->options);
	if (scope->run && !scope->block)
		try_rows(&near, qmem_common_options);
	if (!scope->run)
		try_rows(&near, qmem_global_options);
	offer(error, &near);
	return -ENOENT;
}

/* ---- what is set ---- */

/* The block that hosts would have one id for with the one of this name; NULL. */
static const char *same_block(const struct qmem_option *row, const void *state, const char *name)
{
	const struct qmem_blocks *blocks = (const void *)((const char *)state + row->offset);

	for (size_t i = 0; i < blocks->n; i++)
		if (strcmp(blocks->items[i].name, name) != 0 && qmem_name_blank_alike(blocks->items[i].name, name))
			return blocks->items[i].name;
	return NULL;
}

static int wrong_block(struct qmem_error *error, const struct qmem_run *run, const struct qmem_option *row,
		       const char *name)
{
	const char *service = run->service->name, *other;
	char why[200], label[100];

	if (!name || !*name) {
		snprintf(error->text, sizeof(error->text), "%s: block '%s' has no name", service, row->name);
		return -EINVAL;
	}
	qmem_name_label(label, sizeof(label), name);
	other = same_block(row, run->state, name);
	if (other) {
		snprintf(error->text, sizeof(error->text),
			 "%s: %s '%.100s' and '%s' are one where blanks are '_': one of them needs another name",
			 service, row->name, other, label);
		return -EINVAL;
	}
	if (!row->check || row->check(name, why, sizeof(why)))
		return 0;
	snprintf(error->text, sizeof(error->text), "%s: %s '%s' %s", service, row->name, label, why);
	return -EINVAL;
}

static int find_scope(struct qmem *q, const char *service, const char *block, const char *block_name,
		      struct scope *scope, struct qmem_error *error)
{
	char label[100];
	int err;

	if (!service)
		return block ? unknown(error, "", "block", block) : 0;
	for (size_t i = 0; i < q->n && !scope->run; i++)
		if (qmem_name_same(q->runs[i].service->name, service))
			scope->run = &q->runs[i];
	if (!scope->run)
		return unknown_service(q, error, service);
	snprintf(scope->where, sizeof(scope->where), "%s", scope->run->service->name);
	if (!block)
		return 0;
	scope->block = qmem_option_find(scope->run->service->options, block);
	if (!scope->block || scope->block->type != QMEM_BLOCK)
		return unknown_block(scope->run, error, block);
	err = wrong_block(error, scope->run, scope->block, block_name);
	if (err)
		return err;
	qmem_name_label(label, sizeof(label), block_name);
	snprintf(scope->where, sizeof(scope->where), "%s: %s '%s'", scope->run->service->name, scope->block->name,
		 label);
	return 0;
}

/* The row and the state that a name belongs to; a service's own goes before those that all have. */
static const struct qmem_option *find_row(struct qmem *q, const struct scope *scope, const char *name, void **ret_state)
{
	const struct qmem_option *row;

	if (!scope->run) {
		*ret_state = &q->global;
		return qmem_option_find(qmem_global_options, name);
	}
	*ret_state = scope->block ? scope->state : scope->run->state;
	row = qmem_option_find(scope->block ? scope->block->sub : scope->run->service->options, name);
	if (row || scope->block)
		return row;
	*ret_state = &scope->run->common;
	return qmem_option_find(qmem_common_options, name);
}

static const struct qmem_option *row_of(const struct qmem *q, const char *service, const char *name)
{
	for (size_t i = 0; service && i < q->n; i++)
		if (qmem_name_same(q->runs[i].service->name, service))
			return qmem_option_find(q->runs[i].service->options, name);
	return NULL;
}

bool qmem_is_phrase(const struct qmem *q, const char *service, const char *block, const char *option)
{
	const struct qmem_option *row = row_of(q, service, block ? block : option);

	if (row && block)
		row = qmem_option_find(row->sub, option);
	else if (!row && !block)
		row = qmem_option_find(service ? qmem_common_options : qmem_global_options, option);
	/* a number and its unit */
	return row &&
	       (row->phrase || row->type == QMEM_DURATION || row->type == QMEM_SIZE || row->type == QMEM_PERCENT);
}

bool qmem_is_block(const struct qmem *q, const char *service, const char *name)
{
	const struct qmem_option *row = row_of(q, service, name);

	return row && row->type == QMEM_BLOCK;
}

int qmem_set(struct qmem *q, const char *service, const char *block, const char *block_name, const char *option,
	     const char *value, struct qmem_error *error)
{
	char why[200] = "", label[100];
	const struct qmem_option *row = NULL;
	struct scope scope = { 0 };
	void *state;
	int err = find_scope(q, service, block, block_name, &scope, error);
	const char *where = scope.where;

	if (err)
		return err;
	if (q->started) {
		snprintf(error->text, sizeof(error->text), "%s%s'%.100s' cannot be set any more", where,
			 *where ? ": " : "",
			 option ? option :
			 block  ? block :
				  "it");
		return -EBUSY;
	}
	if (scope.block)
		err = qmem_option_block(scope.block, scope.run->state, block_name, &scope.state);
	if (!err && option) {
		row = find_row(q, &scope, option, &state);
		if (!row)
			return unknown_option(q, &scope, option, error);
		err = qmem_option_set(row, state, value, why, sizeof(why));
		/* what is not there is not measured: least of all what the default would be */
		if (err == -EINVAL && state == &q->global && row->offset == GLOBAL(host_root))
			err = keep_root(q, value);
	}
	if (!err)
		return place_keep(q, scope.run, scope.block, block_name, row, value);
	if (!row)
		snprintf(error->text, sizeof(error->text), "%s: no memory", where);
	if (row) {
		qmem_name_label(label, sizeof(label), value);
		snprintf(error->text, sizeof(error->text), "%s%s%s '%s' %s", where, *where ? ": " : "", row->name,
			 label, why);
	}
	return err;
}
