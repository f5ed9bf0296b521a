/* SPDX-License-Identifier: MIT */
#include "engine/option.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/name.h"
#include "engine/number.h"

const struct qmem_option *qmem_option_find(const struct qmem_option *rows, const char *name)
{
	for (const struct qmem_option *row = rows; row && row->name; row++)
		if (qmem_name_same(row->name, name))
			return row;
	return NULL;
}

static void *member(const struct qmem_option *row, void *state)
{
	return (char *)state + row->offset;
}

static int set_number(const struct qmem_option *row, void *state, const char *value, char *why, size_t why_size)
{
	bool limited = row->min || row->max;
	int64_t number;
	int err = number_parse(row->type, value, limited ? row->min : 0, limited ? row->max : INT64_MAX, &number, why,
			       why_size);

	if (!err && row->check && !row->check(value, why, why_size))
		err = -EINVAL;
	if (!err)
		*(int64_t *)member(row, state) = number;
	return err;
}

static int set_word(const struct qmem_option *row, void *state, const char *value, char *why, size_t why_size)
{
	size_t len;

	for (int i = 0; row->words[i]; i++) {
		if (qmem_name_same(row->words[i], value)) {
			*(int *)member(row, state) = i;
			return 0;
		}
	}
	len = (size_t)snprintf(why, why_size, "must be one of");
	for (int i = 0; row->words[i] && len < why_size; i++)
		len += (size_t)snprintf(why + len, why_size - len, "%s %s", i ? "," : "", row->words[i]);
	return -EINVAL;
}

/* Takes the item, also when it fails. */
static int append(struct qmem_list *list, char *item, char *why, size_t why_size)
{
	char **items = realloc(list->items, (list->n + 1) * sizeof(*items));

	if (!items) {
		free(item);
		snprintf(why, why_size, "no memory");
		return -ENOMEM;
	}
	list->items = items;
	items[list->n++] = item;
	return 0;
}

static int set_text(const struct qmem_option *row, void *state, const char *value, char *why, size_t why_size)
{
	char *copy, **text;

	if (row->check && !row->check(value, why, why_size))
		return -EINVAL;
	copy = strdup(value);
	if (!copy) {
		snprintf(why, why_size, "no memory");
		return -ENOMEM;
	}
	if (row->type == QMEM_LIST)
		return append(member(row, state), copy, why, why_size);
	text = member(row, state);
	free(*text);
	*text = copy;
	return 0;
}

static void list_clear(struct qmem_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct qmem_list){ 0 };
}

static int set_list(const struct qmem_option *row, void *state, const char *value, char *why, size_t why_size)
{
	struct qmem_list *list = member(row, state), old = *list;
	int err;

	if (list->given)
		return set_text(row, state, value, why, why_size);
	*list = (struct qmem_list){ .given = true };
	err = set_text(row, state, value, why, why_size);
	if (err)
		*list = old;
	else
		list_clear(&old);
	return err;
}

int qmem_option_set(const struct qmem_option *row, void *state, const char *value, char *why, size_t why_size)
{
	bool on;

	switch (row->type) {
	case QMEM_BOOL:
		if (qmem_parse_bool(value, member(row, state)) == 0)
			return 0;
		snprintf(why, why_size, "must be yes or no");
		return -EINVAL;
	case QMEM_TRISTATE:
		if (strcasecmp(value, "auto") == 0)
			*(int *)member(row, state) = QMEM_AUTO;
		else if (qmem_parse_bool(value, &on) == 0)
			*(int *)member(row, state) = on ? QMEM_YES : QMEM_NO;
		else
			break;
		return 0;
	case QMEM_INT:
	case QMEM_SIZE:
	case QMEM_DURATION:
	case QMEM_PERCENT:
		return set_number(row, state, value, why, why_size);
	case QMEM_ENUM:
		return set_word(row, state, value, why, why_size);
	case QMEM_STRING:
		return set_text(row, state, value, why, why_size);
	case QMEM_LIST:
		return set_list(row, state, value, why, why_size);
	case QMEM_BLOCK:
		snprintf(why, why_size, "is a block, not an option");
		return -EINVAL;
	}
	snprintf(why, why_size, "must be yes, no or auto");
	return -EINVAL;
}

static int default_list(const struct qmem_option *row, void *state)
{
	struct qmem_list *list = member(row, state);
	const char *item = row->def;
	char value[256], why[128];
	int err = 0;

	while (!err && *item) {
		size_t len = strcspn(item, "\n");

		snprintf(value, sizeof(value), "%.*s", (int)len, item);
		err = set_text(row, state, value, why, sizeof(why));
		item += len + (item[len] == '\n');
	}
	list->given = false;
	return err;
}

int qmem_option_defaults(const struct qmem_option *rows, void *state)
{
	char why[128];

	for (const struct qmem_option *row = rows; row && row->name; row++) {
		int err = 0;

		if (row->def && row->type == QMEM_LIST)
			err = default_list(row, state);
		else if (row->def)
			err = qmem_option_set(row, state, row->def, why, sizeof(why));
		if (err)
			return err;
	}
	return 0;
}

int qmem_option_block(const struct qmem_option *row, void *state, const char *name, void **ret_data)
{
	struct qmem_blocks *blocks = member(row, state);
	struct qmem_block *items, block;
	int err;

	for (size_t i = 0; i < blocks->n; i++) {
		if (strcmp(blocks->items[i].name, name) == 0) {
			*ret_data = blocks->items[i].data;
			return 0;
		}
	}
	items = realloc(blocks->items, (blocks->n + 1) * sizeof(*items));
	if (!items)
		return -ENOMEM;
	blocks->items = items;
	block.name = strdup(name);
	block.data = calloc(1, row->sub_size);
	err = block.name && block.data ? qmem_option_defaults(row->sub, block.data) : -ENOMEM;
	if (err) {
		if (block.data)
			qmem_option_release(row->sub, block.data);
		free(block.data);
		free(block.name);
		return err;
	}
	items[blocks->n++] = block;
	*ret_data = block.data;
	return 0;
}

void qmem_option_release(const struct qmem_option *rows, void *state)
{
	for (const struct qmem_option *row = rows; row && row->name; row++) {
		if (row->type == QMEM_STRING) {
			char **text = member(row, state);

			free(*text);
			*text = NULL;
		} else if (row->type == QMEM_LIST) {
			list_clear(member(row, state));
		} else if (row->type == QMEM_BLOCK) {
			struct qmem_blocks *blocks = member(row, state);

			for (size_t i = 0; i < blocks->n; i++) {
				qmem_option_release(row->sub, blocks->items[i].data);
				free(blocks->items[i].data);
				free(blocks->items[i].name);
			}
			free(blocks->items);
			*blocks = (struct qmem_blocks){ 0 };
		}
	}
}

void qmem_option_print(char *dst, size_t size, const struct qmem_option *row, const void *state)
{
	static const char *const tristate[] = { "no", "yes", "auto" };
	const void *at = (const char *)state + row->offset;
	size_t len = 0;

	dst[0] = '\0';
	switch (row->type) {
	case QMEM_BOOL:
		snprintf(dst, size, "%s", *(const bool *)at ? "yes" : "no");
		break;
	case QMEM_TRISTATE:
		snprintf(dst, size, "%s", tristate[*(const int *)at]);
		break;
	case QMEM_INT:
	case QMEM_SIZE:
	case QMEM_DURATION:
	case QMEM_PERCENT:
		number_print(row->type, dst, size, *(const int64_t *)at);
		break;
	case QMEM_STRING:
		snprintf(dst, size, "%s", *(char *const *)at ? *(char *const *)at : "");
		break;
	case QMEM_ENUM:
		snprintf(dst, size, "%s", row->words[*(const int *)at]);
		break;
	case QMEM_LIST: {
		const struct qmem_list *list = at;

		for (size_t i = 0; i < list->n && len < size; i++)
			len += (size_t)snprintf(dst + len, size - len, "%s%s", i ? ", " : "", list->items[i]);
		break;
	}
	case QMEM_BLOCK: {
		const struct qmem_blocks *blocks = at;

		for (size_t i = 0; i < blocks->n && len < size; i++)
			len += (size_t)snprintf(dst + len, size - len, "%s%s", i ? ", " : "", blocks->items[i].name);
		break;
	}
	}
}
