/* SPDX-License-Identifier: MIT */
/* The options that all services and qmem as a whole have, and how any option is set. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <errno.h>
#include <string.h>

#include "engine/engine.h"
#include "engine/name.h"
#include "engine/option.h"

#define INTERVAL_LEAST (QMEM_SECOND / 10)

static const char *check_interval(const char *text)
{
	int64_t ns = 0;

	(void)qmem_parse_duration(text, &ns);
	return ns && (uint64_t)ns < INTERVAL_LEAST ? "must be 0, or at least 100ms" : NULL;
}

static const char *check_directory(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return "cannot be found";
	return S_ISDIR(st.st_mode) ? NULL : "is not a directory";
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
		  "all else goes on" },
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

static int unknown(struct qmem_error *error, const char *where, const char *kind, const char *name)
{
	snprintf(error->text, sizeof(error->text), "%s%sno %s '%.100s'", where, *where ? ": " : "", kind, name);
	return -ENOENT;
}

static int unknown_option(struct qmem_error *error, const char *where, const struct qmem_renamed *renamed,
			  const char *name)
{
	for (; renamed && renamed->was; renamed++)
		if (qmem_name_same(renamed->was, name)) {
			snprintf(error->text, sizeof(error->text), "%s: no option '%.100s': it is '%s' now", where,
				 name, renamed->is);
			return -ENOENT;
		}
	return unknown(error, where, "option", name);
}

/* The rows and the state that a name belongs to: a service's own, then those that all have. */
static const struct qmem_option *find_option(struct qmem_run *run, const char *name, void **ret_state)
{
	const struct qmem_option *row = qmem_option_find(run->service->options, name);

	*ret_state = run->state;
	if (row)
		return row;
	*ret_state = &run->common;
	return qmem_option_find(qmem_common_options, name);
}

/* The block that hosts would have one id for with the one of this name; NULL. */
static const char *same_block(const struct qmem_option *row, const void *state, const char *name)
{
	const struct qmem_blocks *blocks = (const void *)((const char *)state + row->offset);

	for (size_t i = 0; i < blocks->n; i++)
		if (strcmp(blocks->items[i].name, name) != 0 && qmem_name_blank_alike(blocks->items[i].name, name))
			return blocks->items[i].name;
	return NULL;
}

int qmem_set(struct qmem *q, const char *service, const char *block, const char *block_name, const char *option,
	     const char *value, struct qmem_error *error)
{
	char where[192] = "", why[160] = "", label[100];
	const struct qmem_option *row;
	struct qmem_run *run = NULL;
	const char *other;
	void *state = &q->global;
	int err;

	if (service) {
		for (size_t i = 0; i < q->n && !run; i++)
			if (qmem_name_same(q->runs[i].service->name, service))
				run = &q->runs[i];
		if (!run)
			return unknown(error, where, "service", service);
		snprintf(where, sizeof(where), "%s", run->service->name);
	}
	if (q->started) {
		snprintf(error->text, sizeof(error->text), "%s%s'%.100s' cannot be set any more", where,
			 *where ? ": " : "", option);
		return -EBUSY;
	}
	if (block) {
		row = run ? qmem_option_find(run->service->options, block) : NULL;
		if (!row || row->type != QMEM_BLOCK)
			return unknown(error, where, "block", block);
		if (!block_name || !*block_name) {
			snprintf(error->text, sizeof(error->text), "%s: block '%s' has no name", where, row->name);
			return -EINVAL;
		}
		qmem_name_label(label, sizeof(label), block_name);
		other = same_block(row, run->state, block_name);
		if (other) {
			snprintf(
				error->text, sizeof(error->text),
				"%s: %s '%.100s' and '%s' are one where blanks are '_': one of them needs another name",
				where, row->name, other, label);
			return -EINVAL;
		}
		err = qmem_option_block(row, run->state, block_name, &state);
		if (err) {
			snprintf(error->text, sizeof(error->text), "%s: no memory", where);
			return err;
		}
		snprintf(where, sizeof(where), "%s: %s '%s'", run->service->name, row->name, label);
		row = qmem_option_find(row->sub, option);
	} else if (run) {
		row = find_option(run, option, &state);
	} else {
		row = qmem_option_find(qmem_global_options, option);
	}
	if (!row)
		return unknown_option(error, where, run && !block ? run->service->renamed : NULL, option);
	err = qmem_option_set(row, state, value, why, sizeof(why));
	/* what is not there is not measured: least of all what the default would be */
	if (err == -EINVAL && state == &q->global && row->offset == GLOBAL(host_root))
		err = keep_root(q, value);
	if (err) {
		qmem_name_label(label, sizeof(label), value);
		snprintf(error->text, sizeof(error->text), "%s%s%s '%s' %s", where, *where ? ": " : "", row->name,
			 label, why);
	}
	return err;
}
