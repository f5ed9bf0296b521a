/* SPDX-License-Identifier: MIT */
#include "proc/cpustat.h"

#include <errno.h>
#include <string.h>

#include "proc/text.h"

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
		s = text_number(s, end, &st->mode[n]);
		if (!s)
			return -EINVAL;
		st->beyond |= st->mode[n] == QMEM_NA;
	}
	return n > CPUSTAT_IDLE ? 1 : -EINVAL;
}

static int parse_line(const char *s, const char *end, void *arg)
{
	struct cpustat *st = arg;
	const char *blank = memchr(s, ' ', (size_t)(end - s));
	size_t len = blank ? (size_t)(blank - s) : 0;

	if (len >= 3 && memcmp(s, "cpu", 3) == 0) {
		if (len > 3) {
			if (text_is_digit(s[3]))
				st->cpus = st->cpus == QMEM_NA ? 1 : st->cpus + 1;
			return 0;
		}
		return parse_modes(blank, end, st);
	}
	for (size_t i = 0; len && i < sizeof(words) / sizeof(*words); i++) {
		int64_t value;

		if (strlen(words[i].key) != len || memcmp(words[i].key, s, len) != 0)
			continue;
		if (text_number(blank + 1, end, &value) != end)
			return -EINVAL;
		st->beyond |= value == QMEM_NA;
		*(int64_t *)(void *)((char *)st + words[i].offset) = value;
		return 1;
	}
	return 0;
}

int cpustat_parse(const char *text, size_t len, struct cpustat *ret)
{
	struct cpustat st = {
		.cpus = QMEM_NA,
		.ctxt = QMEM_NA,
		.btime = QMEM_NA,
		.processes = QMEM_NA,
		.procs_running = QMEM_NA,
		.procs_blocked = QMEM_NA,
	};
	int n;

	for (int i = 0; i < CPUSTAT_MODES; i++)
		st.mode[i] = QMEM_NA;
	n = text_lines(text, len, parse_line, &st);
	if (n <= 0)
		return n ? n : -ENODATA;
	*ret = st;
	return 0;
}

int loadavg_parse(const char *text, size_t len, struct loadavg *ret)
{
	const char *end = text + len;
	struct loadavg load;

	if (!len)
		return -ENODATA;
	for (int i = 0; i < LOADAVG_SPANS; i++) {
		text = text_hundredths(text, end, &load.span[i]);
		if (!text || text == end || *text++ != ' ' || load.span[i] == QMEM_NA)
			return -EINVAL;
	}
	*ret = load;
	return 0;
}
