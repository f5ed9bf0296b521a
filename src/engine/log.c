/* SPDX-License-Identifier: MIT */
#include "engine/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/root.h"
#include "util/escape.h"

/* What does not fit is cut, but no character is. */
static void print(char *dst, size_t size, const char *fmt, va_list args) __attribute__((format(printf, 3, 0)));

static void print(char *dst, size_t size, const char *fmt, va_list args)
{
	int n = vsnprintf(dst, size, fmt, args);

	if (n >= 0 && (size_t)n >= size)
		dst[escape_whole(dst, size - 1)] = '\0';
}

static void say(struct qmem *q, enum qmem_level level, const char *fmt, va_list args)
	__attribute__((format(printf, 3, 0)));

static void say(struct qmem *q, enum qmem_level level, const char *fmt, va_list args)
{
	char text[512];
	int len = 0;

	if (!q->host->log)
		return;
	if (q->current)
		len = snprintf(text, sizeof(text), "%s: ", q->current->service->name);
	print(text + len, sizeof(text) - (size_t)len, fmt, args);
	q->host->log(q->arg, level, text);
}

void qmem_log(struct qmem *q, enum qmem_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(q, level, fmt, args);
	va_end(args);
}

void qmem_complain(struct qmem *q, struct qmem_complaint *c, const char *fmt, ...)
{
	va_list args;

	if (c->on)
		return;
	c->on = true;
	va_start(args, fmt);
	say(q, QMEM_LOG_WARNING, fmt, args);
	va_end(args);
}

void qmem_release(struct qmem *q, struct qmem_complaint *c, const char *fmt, ...)
{
	va_list args;

	if (!c->on)
		return;
	c->on = false;
	va_start(args, fmt);
	say(q, QMEM_LOG_INFO, fmt, args);
	va_end(args);
}

int qmem_fail(struct qmem *q, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print(q->failure, sizeof(q->failure), fmt, args);
	va_end(args);
	return err;
}

void qmem_note(struct qmem *q, const char *fmt, ...)
{
	va_list args;

	if (!q->current)
		return;
	va_start(args, fmt);
	print(q->current->reason, sizeof(q->current->reason), fmt, args);
	va_end(args);
}

const char *log_words(struct qmem *q, int err, char *buffer, size_t size)
{
	if (*q->failure)
		return q->failure;
	return root_words(err, buffer, size);
}
