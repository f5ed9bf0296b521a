/* SPDX-License-Identifier: MIT */
#include "proc/cpustat.h"

#include <errno.h>
#include <string.h>

#include "qmem.h"

static const struct {
	const char *key;
	size_t offset;
} words[] = {
	{ "ctxt", offsetof(struct cpustat, ctxt) },
	{ "btime", offsetof(struct cpustat, btime) },
	{ "processes", offsetof(struct cpustat, processes) },
	{ "procs_running", offsetof(struct cpustat, procs_running) },
	{ "procs_blocked", offsetof(struct cpustat, procs_blocked) },
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A run of digits; QMEM_NA beyond int64. NULL: there is none. */
static const char *digits(const char *s, const char *end, int64_t *ret)
{
	const char *first = s;
	int64_t value = 0;
	bool beyond = false;

	for (; s < end && is_digit(*s); s++)
		beyond |= __builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *s - '0', &value);
	if (s == first)
		return NULL;
	*ret = beyond ? QMEM_NA : value;
	return s;
}

/* Digits up to a blank or the end. */
static const char *number(const char *s, const char *end, int64_t *ret)
{
	s = digits(s, end, ret);
	return s && (s == end || *s == ' ') ? s : NULL;
}

static const char *blanks(const char *s, const char *end)
{
	while (s < end && *s == ' ')
		s++;
	return s;
}

/* "cpu  3199 1 11243 ...": at least up to idle, which all kernels have. */
static int parse_modes(const char *s, const char *end, struct cpustat *st)
{
	int n = 0;

	for (s = blanks(s, end); s < end && n < CPUSTAT_MODES; s = blanks(s, end), n++) {
		s = number(s, end, &st->mode[n]);
		if (!s)
			return -EINVAL;
		st->beyond |= st->mode[n] == QMEM_NA;
	}
	return n > CPUSTAT_IDLE ? 0 : -EINVAL;
}

static int parse_line(const char *s, const char *end, struct cpustat *st, bool *known)
{
	const char *blank = memchr(s, ' ', (size_t)(end - s));
	size_t len = blank ? (size_t)(blank - s) : 0;

	if (len >= 3 && memcmp(s, "cpu", 3) == 0) {
		if (len > 3) {
			if (is_digit(s[3]))
				st->cpus = st->cpus == QMEM_NA ? 1 : st->cpus + 1;
			return 0;
		}
		*known = true;
		return parse_modes(blank, end, st);
	}
	for (size_t i = 0; len && i < sizeof(words) / sizeof(*words); i++) {
		int64_t value;

		if (strlen(words[i].key) != len || memcmp(words[i].key, s, len) != 0)
			continue;
		if (number(blank + 1, end, &value) != end)
			return -EINVAL;
		st->beyond |= value == QMEM_NA;
		*(int64_t *)(void *)((char *)st + words[i].offset) = value;
		*known = true;
	}
	return 0;
}

int cpustat_parse(const char *text, size_t len, struct cpustat *ret)
{
	const char *end = text + len;
	bool known = false;
	struct cpustat st = {
		.cpus = QMEM_NA,
		.ctxt = QMEM_NA,
		.btime = QMEM_NA,
		.processes = QMEM_NA,
		.procs_running = QMEM_NA,
		.procs_blocked = QMEM_NA,
	};

	for (int i = 0; i < CPUSTAT_MODES; i++)
		st.mode[i] = QMEM_NA;
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		int err;

		/* a number that was cut would pass for a smaller one */
		if (!newline)
			return -EINVAL;
		err = parse_line(text, newline, &st, &known);
		if (err)
			return err;
		text = newline + 1;
	}
	if (!known)
		return -ENODATA;
	*ret = st;
	return 0;
}

/* "0.13": two decimals, as the kernel always writes. */
static const char *hundredths(const char *s, const char *end, int64_t *ret)
{
	int64_t whole, part;
	const char *point = digits(s, end, &whole);

	if (!point || point == end || *point != '.')
		return NULL;
	s = digits(point + 1, end, &part);
	if (!s || s - point != 3 || s == end || *s != ' ')
		return NULL;
	if (whole == QMEM_NA || __builtin_mul_overflow(whole, 100, &whole) ||
	    __builtin_add_overflow(whole, part, &whole))
		return NULL;
	*ret = whole;
	return s + 1;
}

int loadavg_parse(const char *text, size_t len, struct loadavg *ret)
{
	const char *end = text + len;
	struct loadavg load;

	if (!len)
		return -ENODATA;
	for (int i = 0; i < LOADAVG_SPANS; i++) {
		text = hundredths(text, end, &load.span[i]);
		if (!text)
			return -EINVAL;
	}
	*ret = load;
	return 0;
}
