/* SPDX-License-Identifier: MIT */
#include "control/option_row.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/name.h"
#include "engine/number.h"

const struct column option_columns[4] = {
	{ "Option", LITERAL },
	{ "Value", PHRASE },
	{ "Default", LITERAL },
	{ "Meaning", WORDS },
};

static void put_range(struct sheet *sheet, const struct qmem_option *option, const char *noun,
		      void (*print)(char *dst, size_t size, int64_t value))
{
	char min[48], max[48];

	print(min, sizeof(min), option->min);
	print(max, sizeof(max), option->max);
	if (!option->min && !option->max)
		sheet_put(sheet, noun);
	else if (option->max == INT64_MAX)
		sheet_printf(sheet, "%s, at least %s", noun, min);
	else
		sheet_printf(sheet, "%s, %s to %s", noun, min, max);
}

static void print_int(char *dst, size_t size, int64_t value)
{
	snprintf(dst, size, "%" PRId64, value);
}

/* `f` NULL: it could not be opened. */
static void take_stream(struct sheet *sheet, FILE *f, char **text)
{
	if (!f || fclose(f)) {
		free(*text);
		*text = NULL;
	}
	sheet_take(sheet, *text);
}

static void put_words(struct sheet *sheet, const char *const *words)
{
	char *text = NULL;
	size_t length = 0, i;
	FILE *f = open_memstream(&text, &length);

	for (i = 0; f && words[i]; i++)
		fprintf(f, "%s%s", !i ? "" : words[i + 1] ? ", " : " or ", words[i]);
	take_stream(sheet, f, &text);
}

static void put_value(struct sheet *sheet, const struct qmem_option *option)
{
	switch (option->type) {
	case QMEM_BOOL:
		sheet_put(sheet, "yes or no");
		break;
	case QMEM_TRISTATE:
		sheet_put(sheet, "auto, yes or no");
		break;
	case QMEM_INT:
		put_range(sheet, option, "number", print_int);
		break;
	case QMEM_SIZE:
		put_range(sheet, option, "size", qmem_print_size);
		break;
	case QMEM_DURATION:
		put_range(sheet, option, "duration", qmem_print_duration);
		break;
	case QMEM_PERCENT:
		put_range(sheet, option, "percentage", qmem_print_percent);
		break;
	case QMEM_STRING:
		sheet_put(sheet, "text");
		break;
	case QMEM_ENUM:
		put_words(sheet, option->words);
		break;
	case QMEM_LIST:
		sheet_put(sheet, "list");
		break;
	case QMEM_BLOCK:
		sheet_put(sheet, "named block");
		break;
	}
}

static void put_list(struct sheet *sheet, const char *items)
{
	char *text = NULL;
	size_t length = 0;
	FILE *f = open_memstream(&text, &length);

	while (f && *items) {
		size_t n = strcspn(items, "\n");

		fprintf(f, "%s\"%.*s\"", ftell(f) > 0 ? ", " : "", (int)n, items);
		items += n + (items[n] == '\n');
	}
	take_stream(sheet, f, &text);
}

static void put_default(struct sheet *sheet, const struct qmem_option *option)
{
	const char *def = option->def && *option->def ? option->def : NULL;

	switch (option->type) {
	case QMEM_BOOL:
	case QMEM_TRISTATE:
		sheet_put(sheet, def ? def : "no");
		break;
	case QMEM_INT:
	case QMEM_SIZE:
	case QMEM_DURATION:
	case QMEM_PERCENT:
		sheet_put(sheet, def ? def : "0");
		break;
	case QMEM_ENUM:
		sheet_put(sheet, def ? def : option->words[0]);
		break;
	case QMEM_LIST:
		put_list(sheet, def ? def : "");
		break;
	case QMEM_STRING:
	case QMEM_BLOCK:
		sheet_put(sheet, def);
		break;
	}
}

void option_row_put(struct sheet *sheet, const char *block, const struct qmem_option *option)
{
	sheet_printf(sheet, "%s%s%s", block ? block : "", block ? "." : "", option->name);
	put_value(sheet, option);
	put_default(sheet, option);
	sheet_put(sheet, option->help);
	if (option->type == QMEM_BLOCK) {
		const struct qmem_option *sub;

		for (sub = option->sub; sub && sub->name; sub++)
			option_row_put(sheet, option->name, sub);
	}
}

bool option_is_detail(const struct qmem_option *common)
{
	return qmem_name_same(common->name, "Detail");
}

bool option_is_for(const struct qmem_service *service, const struct qmem_option *common)
{
	const struct qmem_family *family;

	if (!option_is_detail(common))
		return true;
	for (family = service->families; family && family->id; family++)
		if (family->flags & QMEM_DETAIL)
			return true;
	return false;
}
