/* SPDX-License-Identifier: MIT */
#include "output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void output_release(struct output *out)
{
	free(out->text);
	out->text = NULL;
	out->len = out->size = out->sent = 0;
}

char *output_room(struct output *out, size_t size)
{
	if (out->size - out->len < size) {
		size_t wanted = out->size ? out->size * 2 : 16384;
		char *text;

		while (wanted - out->len < size)
			wanted *= 2;
		text = realloc(out->text, wanted);
		if (!text) {
			out->failed = true;
			return NULL;
		}
		out->text = text;
		out->size = wanted;
	}
	return out->text + out->len;
}

void output_put(struct output *out, const char *text, size_t len)
{
	char *at = output_room(out, len);

	if (!at)
		return;
	memcpy(at, text, len);
	out->len += len;
}

void output_printf(struct output *out, const char *fmt, ...)
{
	va_list args;
	char *at;
	int len;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	at = len < 0 ? NULL : output_room(out, (size_t)len + 1);
	if (!at)
		return;
	va_start(args, fmt);
	vsnprintf(at, (size_t)len + 1, fmt, args);
	va_end(args);
	out->len += (size_t)len;
}

/* Two digits at a time: half the divisions, which are most of the work. */
static const char pairs[] =
	"00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748"
	"49505152535455565758596061626364656667686970717273747576777879808182838485868788899091929394959697"
	"9899";

static size_t length(uint64_t value)
{
	static const uint64_t powers[] = {
		UINT64_C(0),
		UINT64_C(10),
		UINT64_C(100),
		UINT64_C(1000),
		UINT64_C(10000),
		UINT64_C(100000),
		UINT64_C(1000000),
		UINT64_C(10000000),
		UINT64_C(100000000),
		UINT64_C(1000000000),
		UINT64_C(10000000000),
		UINT64_C(100000000000),
		UINT64_C(1000000000000),
		UINT64_C(10000000000000),
		UINT64_C(100000000000000),
		UINT64_C(1000000000000000),
		UINT64_C(10000000000000000),
		UINT64_C(100000000000000000),
		UINT64_C(1000000000000000000),
		UINT64_C(10000000000000000000),
	};
	/* bits times log10(2), in 1/4096 */
	size_t least = (size_t)(64 - __builtin_clzll(value | 1)) * 1233 >> 12;

	return least + (value >= powers[least]);
}

char *output_int(char *at, int64_t value)
{
	uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	char *end, *to;

	if (value < 0)
		*at++ = '-';
	to = end = at + length(left);
	while (left >= 100) {
		to -= 2;
		memcpy(to, pairs + left % 100 * 2, 2);
		left /= 100;
	}
	if (left >= 10)
		memcpy(to - 2, pairs + left * 2, 2);
	else
		to[-1] = (char)('0' + left);
	return end;
}

int output_flush(struct output *out)
{
	while (out->sent < out->len) {
		ssize_t n = write(out->fd, out->text + out->sent, out->len - out->sent);

		if (n > 0)
			out->sent += (size_t)n;
		else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return 0;
		else if (n < 0 && errno != EINTR)
			return -errno;
	}
	out->len = out->sent = 0;
	return 0;
}

void output_drop(struct output *out)
{
	out->len = out->sent = 0;
	out->failed = false;
}
