/* SPDX-License-Identifier: MIT */
#include "proc/pidio.h"

#include "proc/text.h"

static const char *const keys[PIDIO_VALUES] = {
	[PIDIO_RCHAR] = "rchar",
	[PIDIO_WCHAR] = "wchar",
	[PIDIO_SYSCR] = "syscr",
	[PIDIO_SYSCW] = "syscw",
	[PIDIO_READ_BYTES] = "read_bytes",
	[PIDIO_WRITE_BYTES] = "write_bytes",
	[PIDIO_CANCELLED] = "cancelled_write_bytes",
};

struct taking {
	struct pidio *io;
	struct fault *fault;
	unsigned seen; /* bit i: value i */
};

static int take(const char *line, const char *end, void *arg)
{
	struct taking *t = arg;
	const char *colon = memchr(line, ':', (size_t)(end - line));
	size_t len = colon ? (size_t)(colon - line) : 0;
	enum fault_kind kind;

	for (int i = 0; colon && i < PIDIO_VALUES; i++) {
		if (!text_is(line, colon, keys[i]))
			continue;
		if (t->seen >> i & 1) {
			fault_add(t->fault, FAULT_DUPLICATE, line, len);
			return 1;
		}
		t->seen |= 1u << i;
		kind = text_value(text_blanks(colon + 1, end), end, false, &t->io->value[i]);
		if (kind != FAULT_NONE)
			fault_add(t->fault, kind, line, len);
		return 1;
	}
	return 0;
}

int pidio_parse(const char *text, size_t len, struct pidio *ret, struct fault *ret_fault)
{
	struct pidio io;
	struct taking t = { .io = &io, .fault = ret_fault };
	int known;

	*ret_fault = (struct fault){ 0 };
	for (int i = 0; i < PIDIO_VALUES; i++)
		io.value[i] = QMEM_NA;
	known = text_lines(text, len, take, &t, ret_fault);
	if (known <= 0)
		return known < 0 ? known : -ENODATA;
	*ret = io;
	return 0;
}
