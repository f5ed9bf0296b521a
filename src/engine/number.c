/* SPDX-License-Identifier: MIT */
#include "engine/number.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

/* Decimals beyond the ninth are dropped: no unit here is finer than that. But what is not 0 does not become 0. */
static int parse_scaled(const char *text, const struct unit *units, int64_t *ret)
{
	int64_t whole = 0, part = 0, scale = 1;
	const char *s = text + strspn(text, " \t");
	bool nothing = true;

	if (!digit(*s))
		return -EINVAL;
	for (; digit(*s); s++) {
		nothing &= *s == '0';
		if (append_digit(&whole, *s))
			return -ERANGE;
	}
	if (*s == '.') {
		if (!digit(*++s))
			return -EINVAL;
		for (; digit(*s); s++) {
			nothing &= *s == '0';
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
		if (!value && !nothing)
			return -EDOM;
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

/* What is written as a number, and what is said of one that is none, and of one whose unit is not what was meant. */
static const struct number {
	int (*parse)(const char *text, int64_t *ret);
	void (*print)(char *dst, size_t size, int64_t value);
	const char *noun, *examples;
	const char *hint; /* how one would write smaller or greater ones */
} numbers[] = {
	[QMEM_INT] = { parse_int, print_int, "a whole number", "", "" },
	[QMEM_SIZE] = { qmem_parse_size, qmem_print_size, "a size", " such as 64k, 16MiB",
			"k, M and G stand for more" },
	[QMEM_DURATION] = { qmem_parse_duration, qmem_print_duration, "a duration", " such as 200ms, 2s, 5m",
			    "ms are milliseconds, m minutes" },
	[QMEM_PERCENT] = { qmem_parse_percent, qmem_print_percent, "a percentage", " such as 10, 10%, 0.5%", "" },
};

void number_print(enum qmem_option_type type, char *dst, size_t size, int64_t value)
{
	numbers[type].print(dst, size, value);
}

/* With a unit, so that it cannot be anything else. */
static const struct number *other_kind(const char *text)
{
	static const enum qmem_option_type types[] = { QMEM_SIZE, QMEM_DURATION, QMEM_PERCENT };
	size_t len = strlen(text);
	int64_t value;

	for (size_t i = 0; len && !digit(text[len - 1]) && i < sizeof(types) / sizeof(*types); i++)
		if (numbers[types[i]].parse(text, &value) != -EINVAL)
			return &numbers[types[i]];
	return NULL;
}

static void say_limits(const struct number *kind, int64_t min, int64_t max, char *dst, size_t size)
{
	char low[32], high[32];

	kind->print(low, sizeof(low), min);
	kind->print(high, sizeof(high), max);
	if (max == INT64_MAX)
		snprintf(dst, size, "must be at least %s", low);
	else
		snprintf(dst, size, "must be from %s to %s", low, high);
}

int number_parse(enum qmem_option_type type, const char *text, int64_t min, int64_t max, int64_t *ret, char *why,
		 size_t why_size)
{
	const struct number *kind = &numbers[type], *other;
	int64_t value = 0;
	int err = kind->parse(text, &value);
	char limits[96], read[32];

	if (!err && value >= min && value <= max) {
		*ret = value;
		return 0;
	}
	if (err == -EINVAL) {
		other = other_kind(text);
		if (other)
			snprintf(why, why_size, "is %s, not %s%s", other->noun, kind->noun, kind->examples);
		else
			snprintf(why, why_size, "is not %s%s", kind->noun, kind->examples);
		return err;
	}
	if (err == -EDOM) {
		kind->print(read, sizeof(read), 1);
		snprintf(why, why_size, "is finer than %s, and would be 0", read);
		return -EINVAL;
	}
	say_limits(kind, min, max, limits, sizeof(limits));
	kind->print(read, sizeof(read), value);
	if (err || !*kind->hint || strcmp(read, text) == 0)
		snprintf(why, why_size, "%s", limits);
	else
		snprintf(why, why_size, "%s: it is read as %s; %s", limits, read, kind->hint);
	return -EINVAL;
}
