/* SPDX-License-Identifier: MIT */
#include "proc/cpustat.h"

#include <errno.h>
#include <string.h>

#include "proc/text.h"

static const struct {
	const char *key;
	size_t offset;
	bool grows;
} words[] = {
	{ "ctxt", offsetof(struct cpustat, ctxt), true },
	{ "btime", offsetof(struct cpustat, btime), false },
	{ "processes", offsetof(struct cpustat, processes), true }, /* negative in some of 4.14 */
	{ "procs_running", offsetof(struct cpustat, procs_running), false },
	{ "procs_blocked", offsetof(struct cpustat, procs_blocked), false },
};

static const char *const mode_names[CPUSTAT_MODES] = {
	"cpu user", "cpu nice",    "cpu system", "cpu idle",  "cpu iowait",
	"cpu irq",  "cpu softirq", "cpu steal",  "cpu guest", "cpu guest_nice",
};

struct reading {
	struct cpustat st;
	struct fault *fault;
	int n; /* values */
};

static void take(struct reading *r, const char *s, const char *end, bool grows, const char *name, int64_t *to)
{
	enum fault_kind kind = text_value(s, end, grows, to);

	if (kind)
		fault_add(r->fault, kind, name, strlen(name));
	else
		r->n++;
}

/* "cpu  3199 1 11243 ...": at least up to idle, which all kernels have. */
static void take_modes(struct reading *r, const char *s, const char *end)
{
	const char *word[CPUSTAT_MODES];
	int n = 0;

	for (s = text_blanks(s, end); s < end && n < CPUSTAT_MODES; s = text_blanks(text_word_end(s, end), end))
		word[n++] = s;
	if (n <= CPUSTAT_IDLE)
		fault_add(r->fault, FAULT_MALFORMED, "cpu", 3);
	else
		for (int i = 0; i < n; i++)
			take(r, word[i], text_word_end(word[i], end), false, mode_names[i], &r->st.mode[i]);
}

static int take_line(const char *s, const char *end, void *arg)
{
	struct reading *r = arg;
	const char *blank = memchr(s, ' ', (size_t)(end - s));
	size_t len = blank ? (size_t)(blank - s) : 0;

	if (len >= 3 && memcmp(s, "cpu", 3) == 0) {
		if (len == 3)
			take_modes(r, blank, end);
		else if (text_is_digit(s[3]))
			r->st.cpus = r->st.cpus == QMEM_NA ? 1 : r->st.cpus + 1;
		return 0;
	}
	for (size_t i = 0; len && i < sizeof(words) / sizeof(*words); i++) {
		if (!text_is(s, s + len, words[i].key))
			continue;
		take(r, blank + 1, end, words[i].grows, words[i].key,
		     (int64_t *)(void *)((char *)&r->st + words[i].offset));
	}
	return 0;
}

int cpustat_parse(const char *text, size_t len, struct cpustat *ret, struct fault *ret_fault)
{
	struct reading r = {
		.st = {
			.cpus = QMEM_NA,
			.ctxt = QMEM_NA,
			.btime = QMEM_NA,
			.processes = QMEM_NA,
			.procs_running = QMEM_NA,
			.procs_blocked = QMEM_NA,
		},
		.fault = ret_fault,
	};

	*ret_fault = (struct fault){ .n = 0 };
	for (int i = 0; i < CPUSTAT_MODES; i++)
		r.st.mode[i] = QMEM_NA;
	(void)text_lines(text, len, take_line, &r, ret_fault);
	if (!r.n)
		return -ENODATA;
	*ret = r.st;
	return 0;
}

int loadavg_parse(const char *text, size_t len, struct loadavg *ret, struct fault *ret_fault)
{
	const char *newline = memchr(text, '\n', len), *end = newline ? newline : text + len;
	struct loadavg load;
	int n = 0;

	*ret_fault = (struct fault){ .n = 0 };
	for (int i = 0; i < LOADAVG_SPANS; i++) {
		const char *word = text_word_end(text, end);
		enum fault_kind kind = text_hundredths(text, word, &load.span[i]);

		if (word == end && !newline)
			kind = FAULT_TRUNCATED;
		if (kind) {
			load.span[i] = QMEM_NA;
			fault_add(ret_fault, kind, text, (size_t)(word - text));
		} else {
			n++;
		}
		text = word < end ? word + 1 : end;
	}
	if (!n)
		return -ENODATA;
	*ret = load;
	return 0;
}
