/* SPDX-License-Identifier: MIT */
#include "engine/option.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/name.h"

struct unit {
	const char *name;
	int64_t factor;
};

/* The largest that divides a value names it when printed: so from small to large. */
static const struct unit durations[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "ms", 1000 * 1000 },
	{ "s", INT64_C(1000000000) },
	{ "m", INT64_C(60000000000) },
	{ "h", INT64_C(3600000000000) },
	{ "d", INT64_C(86400000000000) },
	{ "min", INT64_C(60000000000) },
	{ "", INT64_C(1000000000) },
	{ 0 },
};

static const struct unit sizes[] = {
	{ "B", 1 },
	{ "KiB", INT64_C(1) << 10 },
	{ "MiB", INT64_C(1) << 20 },
	{ "GiB", INT64_C(1) << 30 },
	{ "TiB", INT64_C(1) << 40 },
	{ "k", INT64_C(1) << 10 },
	{ "M", INT64_C(1) << 20 },
	{ "G", INT64_C(1) << 30 },
	{ "T", INT64_C(1) << 40 },
	{ "kB", INT64_C(1) << 10 },
	{ "MB", INT64_C(1) << 20 },
	{ "GB", INT64_C(1) << 30 },
	{ "TB", INT64_C(1) << 40 },
	{ "", 1 },
	{ 0 },
};

static const struct unit percents[] = { { "%", 100 }, { "", 100 }, { 0 } };

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

static int append_digit(int64_t *value, char c)
{
	if (__builtin_mul_overflow(*value, 10, value) || __builtin_add_overflow(*value, c - '0', value))
		return -ERANGE;
	return 0;
}

/* Decimals beyond the ninth are dropped: no unit here is finer than that. */
static int parse_scaled(const char *text, const struct unit *units, int64_t *ret)
{
	int64_t whole = 0, part = 0, scale = 1;
	const char *s = text + strspn(text, " \t");

	if (!digit(*s))
		return -EINVAL;
	for (; digit(*s); s++)
		if (append_digit(&whole, *s))
			return -ERANGE;
	if (*s == '.') {
		if (!digit(*++s))
			return -EINVAL;
		for (; digit(*s); s++) {
			if (scale >= 1000000000)
				continue;
			part = part * 10 + (*s - '0');
			scale *= 10;
		}
	}
	s += strspn(s, " \t");
	for (const struct unit *u = units; u->name; u++) {
		int64_t value, fraction;

		if (strcasecmp(s, u->name) != 0)
			continue;
		if (__builtin_mul_overflow(whole, u->factor, &value))
			return -ERANGE;
		fraction = (int64_t)((__int128)part * u->factor / scale);
		if (__builtin_add_overflow(value, fraction, &value))
			return -ERANGE;
		*ret = value;
		return 0;
	}
	return -EINVAL;
}

int qmem_parse_duration(const char *text, int64_t *ret_ns)
{
	return parse_scaled(text, durations, ret_ns);
}

int qmem_parse_size(const char *text, int64_t *ret_bytes)
{
	return parse_scaled(text, sizes, ret_bytes);
}

int qmem_parse_percent(const char *text, int64_t *ret_hundredths)
{
	return parse_scaled(text, percents, ret_hundredths);
}

static int parse_int(const char *text, int64_t *ret)
{
	char *end;
	long long value;

	text += strspn(text, " \t");
	if (!digit(*text) && *text != '-')
		return -EINVAL;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (end == text)
		return -EINVAL;
	/* oconfig's numbers are doubles, and some print them as such */
	if (*end == '.')
		end += 1 + strspn(end + 1, "0");
	if (*end)
		return -EINVAL;
	if (errno == ERANGE)
		return -ERANGE;
	*ret = value;
	return 0;
}

int qmem_parse_bool(const char *text, bool *ret_on)
{
	static const char *const words[][4] = { { "no", "false", "off", "0" }, { "yes", "true", "on", "1" } };

	for (int on = 0; on < 2; on++) {
		for (size_t i = 0; i < 4; i++) {
			if (strcasecmp(text, words[on][i]) == 0) {
				*ret_on = on;
				return 0;
			}
		}
	}
	return -EINVAL;
}

static void print_scaled(char *dst, size_t size, const struct unit *units, size_t n, int64_t value)
{
	const struct unit *u = &units[0];

	for (size_t i = 1; value && i < n; i++)
		if (value % units[i].factor == 0)
			u = &units[i];
	if (value)
		snprintf(dst, size, "%" PRId64 "%s", value / u->factor, u->name);
	else
		snprintf(dst, size, "0");
}

void qmem_print_duration(char *dst, size_t size, int64_t ns)
{
	print_scaled(dst, size, durations, 7, ns);
}

void qmem_print_size(char *dst, size_t size, int64_t bytes)
{
	print_scaled(dst, size, sizes, 5, bytes);
}

void qmem_print_percent(char *dst, size_t size, int64_t hundredths)
{
	int64_t rest = hundredths % 100;

	if (!rest)
		snprintf(dst, size, "%" PRId64 "%%", hundredths / 100);
	else if (rest % 10)
		snprintf(dst, size, "%" PRId64 ".%02" PRId64 "%%", hundredths / 100, rest);
	else
		snprintf(dst, size, "%" PRId64 ".%" PRId64 "%%", hundredths / 100, rest / 10);
}

static void print_int(char *dst, size_t size, int64_t value)
{
	snprintf(dst, size, "%" PRId64, value);
}

/* What is written as a number, and what is said of one that is none. */
static const struct number {
	int (*parse)(const char *text, int64_t *ret);
	void (*print)(char *dst, size_t size, int64_t value);
	const char *wrong;
} numbers[] = {
	[QMEM_INT] = { parse_int, print_int, "is not a whole number" },
	[QMEM_SIZE] = { qmem_parse_size, qmem_print_size, "is not a size such as 64k, 16MiB" },
	[QMEM_DURATION] = { qmem_parse_duration, qmem_print_duration, "is not a duration such as 200ms, 2s, 5m" },
	[QMEM_PERCENT] = { qmem_parse_percent, qmem_print_percent, "is not a percentage such as 10, 10%, 0.5%" },
};

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
	int64_t min = limited ? row->min : 0, max = limited ? row->max : INT64_MAX, number = 0;
	const struct number *kind = &numbers[row->type];
	char low[32], high[32];
	int err = kind->parse(value, &number);

	if (err == -EINVAL) {
		snprintf(why, why_size, "%s", kind->wrong);
		return err;
	}
	if (!err && number >= min && number <= max) {
		const char *wrong = row->check ? row->check(value) : NULL;

		if (!wrong) {
			*(int64_t *)member(row, state) = number;
			return 0;
		}
		snprintf(why, why_size, "%s", wrong);
		return -EINVAL;
	}
	kind->print(low, sizeof(low), min);
	kind->print(high, sizeof(high), max);
	if (max == INT64_MAX)
		snprintf(why, why_size, "must be at least %s", low);
	else
		snprintf(why, why_size, "must be from %s to %s", low, high);
	return -EINVAL;
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
	const char *wrong = row->check ? row->check(value) : NULL;
	char *copy, **text;

	if (wrong) {
		snprintf(why, why_size, "%s", wrong);
		return -EINVAL;
	}
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
		numbers[row->type].print(dst, size, *(const int64_t *)at);
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
