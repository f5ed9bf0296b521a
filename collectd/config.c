/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "log.h"

#define TEXT_MAX 1024

/* Where an option stands. */
struct place {
	struct qmem *q;
	const char *service, *block, *block_name;
};

/* The number as one would write it: no exponent, no digit more than it takes to read the same number again. */
static int print_number(char *dst, size_t size, double number)
{
	int len = 0;

	for (int decimals = 0; decimals <= 20; decimals++) {
		len = snprintf(dst, size, "%.*f", decimals, number);
		if (len < 0 || (size_t)len >= size || strtod(dst, NULL) == number)
			break;
	}
	return len;
}

static int print_value(char *dst, size_t size, const oconfig_value_t *value)
{
	switch (value->type) {
	case OCONFIG_TYPE_NUMBER:
		return print_number(dst, size, value->value.number);
	case OCONFIG_TYPE_BOOLEAN:
		return snprintf(dst, size, "%s", value->value.boolean ? "true" : "false");
	default:
		return snprintf(dst, size, "%s", value->value.string);
	}
}

/* All values of a line make one text, so that a value of several words needs no quotes. False: it is too long. */
static bool print_values(char *dst, size_t size, const oconfig_item_t *item)
{
	size_t len = 0;

	dst[0] = '\0';
	for (int i = 0; i < item->values_num; i++) {
		int n;

		if (i)
			len += (size_t)snprintf(dst + len, size - len, " ");
		if (len >= size)
			return false;
		n = print_value(dst + len, size - len, &item->values[i]);
		if (n < 0 || (size_t)n >= size - len)
			return false;
		len += (size_t)n;
	}
	return true;
}

static void warn(const struct place *place, const char *key, const char *what)
{
	daemon_log(LOG_WARNING, "%s%s%s%s%s: %s", place->service ? place->service : "", place->service ? ": " : "",
		   place->block ? place->block : "", place->block ? ": " : "", key, what);
}

/* False: it is wrong, which is said. Option NULL: the service or the block itself. */
static bool set(const struct place *place, const char *option, const char *value)
{
	struct qmem_error error = { "" };

	if (!qmem_set(place->q, place->service, place->block, place->block_name, option, value, &error))
		return true;
	daemon_log(LOG_WARNING, "%s%s", error.text,
		   !place->service && option && strcasecmp(option, "Interval") == 0 ?
			   "; that of all is the Interval of <LoadPlugin qmem>" :
			   "");
	return false;
}

static void set_option(const struct place *place, const oconfig_item_t *item)
{
	char text[TEXT_MAX];

	if (item->children_num)
		warn(place, item->key, "there is no such block here");
	else if (!item->values_num)
		warn(place, item->key, "a value is missing");
	else if (item->values_num > 1 && !qmem_is_phrase(place->q, place->service, place->block, item->key))
		warn(place, item->key, "has several values: write one in quotes, and the option once for each");
	else if (!print_values(text, sizeof(text), item))
		warn(place, item->key, "the value is too long");
	else
		(void)set(place, item->key, text);
}

/* The name of a service or a block. False: it is wrong, which is said. */
static bool print_name(char *dst, size_t size, const struct place *outer, const oconfig_item_t *block)
{
	if (block->values_num > 1)
		warn(outer, block->key, "has several names: write one in quotes");
	else if (!print_values(dst, size, block))
		warn(outer, block->key, "the name is too long");
	else
		return true;
	return false;
}

static void set_block(const struct place *outer, const oconfig_item_t *block)
{
	char name[TEXT_MAX];
	struct place place = { .q = outer->q, .service = outer->service, .block = block->key, .block_name = name };

	if (!print_name(name, sizeof(name), outer, block) || !set(&place, NULL, NULL))
		return;
	for (int i = 0; i < block->children_num; i++)
		set_option(&place, &block->children[i]);
}

static void set_service(struct qmem *q, const oconfig_item_t *block)
{
	char name[TEXT_MAX];
	struct place top = { .q = q }, place = { .q = q, .service = name };

	if (!print_name(name, sizeof(name), &top, block))
		return;
	if (!*name) {
		warn(&top, block->key, "needs the name of a service: <Service \"meminfo\">");
		return;
	}
	if (!set(&place, NULL, NULL))
		return;
	for (int i = 0; i < block->children_num; i++) {
		const oconfig_item_t *item = &block->children[i];

		/* an empty block looks like an option */
		if (item->children_num || qmem_is_block(q, name, item->key))
			set_block(&place, item);
		else
			set_option(&place, item);
	}
}

void config_apply(struct qmem *q, const oconfig_item_t *block)
{
	const struct place top = { .q = q };

	for (int i = 0; i < block->children_num; i++) {
		const oconfig_item_t *item = &block->children[i];

		if (strcasecmp(item->key, "Service") == 0)
			set_service(q, item);
		else
			set_option(&top, item);
	}
}
