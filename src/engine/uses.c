/* SPDX-License-Identifier: MIT */
#include "engine/uses.h"

#include <errno.h>
#include <fnmatch.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "engine/engine.h"
#include "engine/name.h"
#include "engine/option.h"
#include "engine/root.h"
#include "engine/run.h"
#include "util/right.h"

static bool list_has(const struct qmem_list *list, const char *value)
{
	for (size_t i = 0; i < list->n; i++)
		if (qmem_name_same(list->items[i], value))
			return true;
	return false;
}

/* Is the option on, or what the row says? */
static bool is_on(const struct qmem_option *row, const void *state, const char *value)
{
	const void *member = (const char *)state + row->offset;
	const char *def = row->def ? row->def : "", *text;
	const struct qmem_list *list = member;
	int word;

	switch (row->type) {
	case QMEM_BOOL:
		return *(const bool *)member;
	case QMEM_TRISTATE:
		return *(const int *)member != QMEM_NO;
	case QMEM_INT:
	case QMEM_SIZE:
	case QMEM_DURATION:
	case QMEM_PERCENT:
		return *(const int64_t *)member != 0;
	case QMEM_STRING:
		text = *(char *const *)member;
		text = text ? text : "";
		return value ? qmem_name_same(text, value) : *text && strcmp(text, def) != 0;
	case QMEM_ENUM:
		word = *(const int *)member;
		return qmem_name_same(row->words[word], value ? value : def) == (value != NULL);
	case QMEM_LIST:
		return value ? list_has(list, value) : list->given && list->n;
	case QMEM_BLOCK:
		return ((const struct qmem_blocks *)member)->n > 0;
	}
	return false;
}

bool qmem_uses(const struct qmem *q, const struct qmem_service *service, const struct qmem_capability *capability)
{
	const struct qmem_run *run = run_of(q, service);
	const struct qmem_option *row;

	if (!run || !(run_wanted(q, run) || run_needed(q, run)))
		return false;
	if (!capability->option)
		return true;
	row = qmem_option_find(service->options, capability->option);
	return row && is_on(row, run->state, capability->value);
}

static const struct qmem_capability *lent_for(const struct qmem *q, const char *path)
{
	const struct qmem_capability *c = q->current ? q->current->service->capabilities : NULL;

	for (; c && c->name; c++)
		if (right_is_wide(c->number) && c->number != CAP_SYS_ADMIN && *c->file == '/' &&
		    fnmatch(c->file + 1, path, FNM_PATHNAME) == 0 && qmem_uses(q, q->current->service, c))
			return c;
	return NULL;
}

/* Nobody but the kernel makes files there. */
static bool is_kernels(int fd)
{
	static const long types[] = { PROC_SUPER_MAGIC, SYSFS_MAGIC, DEBUGFS_MAGIC, TRACEFS_MAGIC };
	struct statfs fs;

	if (fstatfs(fd, &fs))
		return false;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if ((long)fs.f_type == types[i])
			return true;
	return false;
}

int uses_open(struct qmem *q, const char *path, int flags)
{
	const struct qmem_capability *lent = lent_for(q, path);
	bool raised = lent && root_is_real(q->root) && right_raise(lent->number);
	int fd = root_open(q->root, path, flags);

	if (!raised)
		return fd;
	right_lower(lent->number);
	if (fd < 0 || is_kernels(fd))
		return fd;
	close(fd);
	return root_open(q->root, path, flags);
}
