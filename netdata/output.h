/* SPDX-License-Identifier: MIT */
/*
 * What goes to the agent: text is gathered for a whole tick, and then written. A descriptor that takes no more keeps the
 * rest waiting, and nothing is gathered until it is gone: the agent sees whole ticks, in order, or none.
 */
#ifndef QMEM_NETDATA_OUTPUT_H
#define QMEM_NETDATA_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct output {
	int fd; /* non-blocking */
	char *text;
	size_t len, size;
	size_t sent;
	bool failed; /* no memory for some of it: the tick is thrown away */
};

void output_release(struct output *out);

/* Room for `size` more bytes, to be written at the address and then counted in `len`; NULL: no memory. */
char *output_room(struct output *out, size_t size);
void output_put(struct output *out, const char *text, size_t len);
void output_printf(struct output *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The digits of `value`, at most 20 bytes; what follows them. */
char *output_int(char *at, int64_t value);

static inline bool output_blocked(const struct output *out)
{
	return out->sent < out->len;
}

/* Writes what there is, or goes on with it: 0, also when some of it has to wait; -EPIPE and other errors of write(). */
int output_flush(struct output *out);
/* Forgets what was gathered and not yet written. */
void output_drop(struct output *out);

#endif
